/* What the share stores that are here have noted of a change of a path, for who makes out versions. */
#include "versions.h"

qc_rc versions_removal(struct vault *v, const uint8_t path_tag[16], uint64_t number,
                       const struct vault_call *call, struct vault_store_removal *ret, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        if (v->store[i] == NULL)
            continue;
        const qc_rc rc = vault_store_removal_get(v->store[i], path_tag, number, ret, &why);
        if (rc == QC_OK)
            return QC_OK;
        if (rc != QC_NOTFOUND)
            QC_TRY(session_noted_damage(rc, i, &why, call->notes, err));
    }
    return QC_FAIL(err, QC_NOTFOUND,
                   "it was removed, and no share store that is here has noted which object it was");
}

qc_rc versions_moved(struct vault *v, const uint8_t path_tag[16], uint64_t number,
                     const struct vault_call *call, struct vault_store_moved *ret, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        struct vault_store_moved m = { 0 };
        if (v->store[i] == NULL)
            continue;
        const qc_rc rc = vault_store_moved_get(v->store[i], path_tag, number, &m, &why);
        if (rc == QC_OK && m.away) {
            *ret = m;
            return QC_OK;
        }
        if (rc != QC_OK && rc != QC_NOTFOUND)
            QC_TRY(session_noted_damage(rc, i, &why, call->notes, err));
    }
    return QC_FAIL(err, QC_NOTFOUND, "it was not moved");
}

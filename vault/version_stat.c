/* What one version is, by its seal. */
#include "versions.h"

int64_t vault_stat_stored(const struct vault_stat *s)
{
    return s->has_stored ? s->stored_s : s->created_s;
}

static qc_rc stat_run(struct vault *v, qc_span name, const struct vault_which *which,
                      const struct vault_call *call, struct vault_stat *ret, struct qc_err *err)
{
    QC_CLEANUP(object_done) struct object o = { 0 };
    struct versions_found f;
    QC_TRY(versions_find(v, name, which, call, &f, err));
    return versions_open(&o, v, name, &f, call, ret, err);
}

qc_rc vault_version_stat(struct vault *v, qc_span name, const struct vault_which *which,
                         const struct vault_call *call, struct vault_stat *ret, struct qc_err *err)
{
    char text[NAME_TEXT];
    session_name_text(text, name);
    QC_TRY_AS(stat_run(v, name, which, call, ret, err), err, "%s", text);
    return QC_OK;
}

#include "vault/open.h"

#include "vault/shares.h"

static bool is_finding(qc_rc rc)
{
    return rc == QC_INTEGRITY || rc == QC_FORMAT || rc == QC_NEWER || rc == QC_SHARES;
}

/* One way: what it finds goes to *ok and its error; what says nothing about the object (no memory) is passed
 * up. */
static qc_rc try_one(struct vault_opened **ret, bool *ok, struct qc_err *found, const struct vault_frame *f,
                     const struct vault_unlock *with, qc_span head0, struct qc_err *err)
{
    const qc_rc rc = vault_open(ret, f, with, head0, found);
    *ok = rc == QC_OK;
    if (rc == QC_OK || is_finding(rc))
        return QC_OK;
    *err = *found;
    return rc;
}

static qc_rc check_consistent(struct vault_paths *p, const struct vault_opened *o,
                              const struct vault_frame *f, const struct vault_backup *B, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *R1 = NULL, *R2 = NULL, *R3 = NULL;
    QC_TRY(vault_opened_share(&R1, o, 1, err));
    QC_TRY(vault_opened_share(&R2, o, 2, err));
    QC_TRY(vault_opened_share(&R3, o, 3, err));
    const struct vault_backup_truth truth = {
        .R1 = R1, .R2 = R2, .R3 = R3, .c0 = vault_geometry_chunk_size(&f->g, 0)
    };
    const qc_rc rc = vault_backup_consistent(B, &truth, &p->consistent_err);
    p->consistent = rc == QC_OK;
    if (rc == QC_OK || is_finding(rc))
        return QC_OK;
    *err = p->consistent_err;
    return rc;
}

qc_rc vault_paths_check(struct vault_paths *ret, const struct vault_frame *f, const struct vault_unlock *with,
                        qc_span head0, struct qc_err *err)
{
    struct vault_paths p = { 0 };
    QC_CLEANUP(vault_opened_free) struct vault_opened *plain = NULL, *with1 = NULL, *with2 = NULL;
    struct vault_unlock way = *with;
    if (with->R1 == NULL || with->R2 == NULL)
        qc_err_set(&p.plain_err, QC_SHARES, QC_HERE, "key shares: not both are here");
    else
        QC_TRY(try_one(&plain, &p.plain, &p.plain_err, f, &way, head0, err));
    way.R2 = NULL;
    QC_TRY(try_one(&with1, &p.with1, &p.with1_err, f, &way, head0, err));
    way.R1 = NULL;
    way.R2 = with->R2;
    QC_TRY(try_one(&with2, &p.with2, &p.with2_err, f, &way, head0, err));
    if (plain != NULL && with->B != NULL)
        QC_TRY(check_consistent(&p, plain, f, with->B, err));
    else
        qc_err_set(&p.consistent_err, QC_SHARES, QC_HERE, "backup data: nothing to compare it with");
    *ret = p;
    return QC_OK;
}

const char *vault_paths_text(const struct vault_paths *p)
{
    static const char *const text[8] = {
        /* plain, with1, with2 as bits 4, 2, 1 */
        [0] = "the object is damaged, or both shares belong to another one",
        [1] = "share 1 is damaged or missing",
        [2] = "share 2 is damaged or missing",
        [3] = "the shares do not fit together, yet each opens with the backup data",
        [4] = "the backup data is damaged or of another generation, or the shares are exchanged",
        [5] = "M14 in the backup data is damaged",
        [6] = "M24 in the backup data is damaged",
        [7] = "healthy",
    };
    const unsigned way = (p->plain ? 4u : 0u) | (p->with1 ? 2u : 0u) | (p->with2 ? 1u : 0u);
    if (way == 7 && !p->consistent)
        return "the backup data does not say what the shares give";
    return text[way];
}

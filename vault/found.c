#include "found.h"

#include <string.h>

#define FOUND_MAX 8192 /* of path and private part: a record of the sorter has room for more */

bool found_fits(const struct vault_gw_entry *e)
{
    return e->e.kind == VAULT_ENTRY_FILE && e->e.size <= QC_VAULT_LOT_MAX && e->e.path.n <= FOUND_MAX &&
           e->e.priv.n <= FOUND_MAX - e->e.path.n;
}

/* Both without their bytes, then those of path and private part. */
struct found {
    struct vault_stat stat;
    struct vault_gw_entry e;
};

qc_rc found_add(qc_buf *ret, const struct vault_stat *stat, const struct vault_gw_entry *e,
                struct qc_err *err)
{
    struct found f = { .stat = *stat, .e = *e };
    f.stat.name = f.e.path = f.e.priv = (qc_buf){ 0 };
    f.e.e.path.p = f.e.e.priv.p = NULL;
    QC_TRY(qc_buf_add(ret, qc_span_of(&f, sizeof(f)), err));
    QC_TRY(qc_buf_add(ret, e->e.path, err));
    return qc_buf_add(ret, e->e.priv, err);
}

static struct found bare(qc_span found)
{
    struct found f;
    QC_ASSERT(found.n >= sizeof(f));
    memcpy(&f, found.p, sizeof(f));
    QC_ASSERT(found.n - sizeof(f) == f.e.e.path.n + f.e.e.priv.n);
    return f;
}

void found_bare(struct vault_gw_entry *ret, qc_span found)
{
    *ret = bare(found).e;
}

void found_stat(struct vault_stat *ret, qc_span found)
{
    *ret = bare(found).stat;
}

qc_rc found_take(struct vault_gw_entry *ret, qc_span found, struct qc_err *err)
{
    found_bare(ret, found);
    const size_t path = ret->e.path.n;
    const qc_span bytes = qc_span_from(found, sizeof(struct found));
    ret->path.max = ret->priv.max = bytes.n;
    QC_TRY(qc_buf_add(&ret->path, qc_span_sub(bytes, 0, path), err));
    QC_TRY(qc_buf_add(&ret->priv, qc_span_from(bytes, path), err));
    ret->e.path = qc_buf_span(&ret->path);
    ret->e.priv = qc_buf_span(&ret->priv);
    return QC_OK;
}

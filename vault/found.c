#include "found.h"

#include <string.h>

#define FOUND_MAX 8192 /* of path and private part: a record of the sorter has room for more */

bool found_fits(const struct vault_gw_entry *e)
{
    return e->e.kind == VAULT_ENTRY_FILE && e->e.size <= QC_VAULT_BUNDLE_MAX && e->e.path.n <= FOUND_MAX &&
           e->e.priv.n <= FOUND_MAX - e->e.path.n;
}

/* The entry without its bytes, then those of path and private part. */
qc_rc found_add(qc_buf *ret, const struct vault_gw_entry *e, struct qc_err *err)
{
    struct vault_gw_entry bare = *e;
    bare.path = bare.priv = (qc_buf){ 0 };
    bare.e.path.p = bare.e.priv.p = NULL;
    QC_TRY(qc_buf_add(ret, qc_span_of(&bare, sizeof(bare)), err));
    QC_TRY(qc_buf_add(ret, e->e.path, err));
    return qc_buf_add(ret, e->e.priv, err);
}

void found_bare(struct vault_gw_entry *ret, qc_span found)
{
    QC_ASSERT(found.n >= sizeof(*ret));
    memcpy(ret, found.p, sizeof(*ret));
    QC_ASSERT(found.n - sizeof(*ret) == ret->e.path.n + ret->e.priv.n);
}

qc_rc found_take(struct vault_gw_entry *ret, qc_span found, struct qc_err *err)
{
    found_bare(ret, found);
    const size_t path = ret->e.path.n;
    const qc_span bytes = qc_span_from(found, sizeof(*ret));
    ret->path.max = ret->priv.max = bytes.n;
    QC_TRY(qc_buf_add(&ret->path, qc_span_sub(bytes, 0, path), err));
    QC_TRY(qc_buf_add(&ret->priv, qc_span_from(bytes, path), err));
    ret->e.path = qc_buf_span(&ret->path);
    ret->e.priv = qc_buf_span(&ret->priv);
    return QC_OK;
}

/* Vaults, their chains, and entries of the catalogue. */
#include "cat_internal.h"

enum { PREFIX_END_BYTES = 8 };

/* -- vaults ---------------------------------------------------------------------------------------------- */

qc_rc gw_cat_vault(struct gw_cat *c, const struct gw_ref *vault, struct gw_vault_row *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_vault_row v = { .id = *vault };

    QC_TRY(GW_QUERY(c, VAULT_GET, &rows, err, QC_VI(vault->tenant), QC_VB(gw_id_span(&vault->id))));
    if (!rows.row)
        return QC_FAIL(err, QC_NOTFOUND, "no such vault here");
    QC_TRY(qc_col_u64(rows.s, 0, &v.no, err));
    QC_TRY(qc_col_u64(rows.s, 1, &v.head.count, err));
    QC_TRY(qc_col_fixed(rows.s, 2, v.head.hash, sizeof v.head.hash, err));
    *ret = v;
    return QC_OK;
}

qc_rc gw_cat_vault_bytes(struct gw_cat *c, uint64_t no, qc_buf *ret_record, qc_buf *ret_backup,
                         struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, VAULT_BYTES, &rows, err, QC_VI(no)));
    if (!rows.row)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: a vault's row is missing");
    QC_TRY(qc_buf_add(ret_record, qc_col_span(rows.s, 0), err));
    return qc_buf_add(ret_backup, qc_col_span(rows.s, 1), err);
}

qc_rc gw_cat_vaults(struct gw_cat *c, uint32_t tenant, gw_vault_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, VAULTS, &rows, err, QC_VI(tenant)));
    while (rows.row) {
        struct gw_id id;
        QC_TRY(gw_col_id(rows.s, 0, &id, err));
        QC_TRY(fn(ctx, &id, err));
        QC_TRY(gw_rows_next(&rows, err));
    }
    return QC_OK;
}

qc_rc gw_cat_chain(struct gw_cat *c, uint64_t vault_no, uint64_t from, uint64_t limit, qc_buf *ret,
                   struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, CHAIN, &rows, err, QC_VI(vault_no), QC_VI(from), QC_VI(limit)));
    while (rows.row) {
        uint8_t seal[GW_DIGEST_BYTES];
        QC_TRY(qc_col_fixed(rows.s, 0, seal, sizeof seal, err));
        QC_TRY(qc_buf_add(ret, qc_span_of(seal, sizeof seal), err));
        QC_TRY(gw_rows_next(&rows, err));
    }
    return QC_OK;
}

/* -- entries --------------------------------------------------------------------------------------------- */

qc_rc gw_cat_number(struct gw_cat *c, uint64_t vault_no, qc_span path, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, ENTRY_NUMBER, &rows, err, QC_VI(vault_no), QC_VB(path)));
    if (!rows.row) {
        *ret = 0;
        return QC_OK;
    }
    return qc_col_u64(rows.s, 0, ret, err);
}

qc_rc gw_cat_renamed_put(struct gw_cat *c, uint32_t tenant, uint64_t vault_no, const struct gw_id *object,
                         qc_span path, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, USAGE_MOVED, err, QC_VI(tenant)));
    return GW_RUN(c, RENAMED_PUT, err, QC_VI(vault_no), QC_VB(gw_id_span(object)), QC_VB(path));
}

qc_rc gw_cat_renamed_elsewhere(struct gw_cat *c, uint64_t vault_no, const struct gw_id *object, qc_span path,
                               bool *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, RENAMED_GET, &rows, err, QC_VI(vault_no), QC_VB(gw_id_span(object))));
    *ret = rows.row && !qc_span_eq(qc_col_span(rows.s, 0), path);
    return QC_OK;
}

/* A row of GW_SQL_ENTRY. */
static qc_rc col_entry(struct qc_stmt *s, struct gw_entry_row *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_entry_row_done) struct gw_entry_row r = { .bytes = { .max = QC_GW_PATH_MAX +
                                                                              QC_GW_PRIVATE_MAX } };
    uint64_t kind;

    const size_t path_size = qc_col_span(s, 0).n;
    QC_TRY(qc_buf_add(&r.bytes, qc_col_span(s, 0), err));
    QC_TRY(qc_col_u64(s, 1, &r.e.number, err));
    QC_TRY(qc_col_u64(s, 2, &kind, err));
    QC_TRY(qc_col_u64(s, 3, &r.e.sequence, err));
    QC_TRY(qc_col_u64(s, 4, &r.e.size, err));
    QC_TRY(qc_col_fixed(s, 5, r.e.m, sizeof r.e.m, err));
    QC_TRY(qc_buf_add(&r.bytes, qc_col_span(s, 6), err));
    QC_TRY(qc_col_fixed(s, 7, r.e.seal, sizeof r.e.seal, err));
    QC_TRY(qc_col_u64(s, 8, &r.e.created, err));
    if (kind == GW_ENTRY_FILE) {
        QC_TRY(gw_col_id(s, 10, &r.e.object, err));
        QC_TRY(gw_col_id(s, 11, &r.e.version, err));
        r.acked_margin = (int)qc_col_int(s, 12);
        if (qc_col_null(s, 13) || qc_col_null(s, 14))
            return QC_FAIL(err, QC_INTEGRITY, "catalogue: a version without layout or segments");
        r.margin_full = (int)qc_col_int(s, 13);
        r.margin = (int)qc_col_int(s, 14);
    } else if (kind != GW_ENTRY_TOMBSTONE) {
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: an entry of kind %" PRIu64, kind);
    }
    r.e.kind = (uint8_t)kind;
    r.e.path = qc_span_of(r.bytes.p, path_size);
    r.e.private_part = qc_span_of(r.bytes.p + path_size, r.bytes.n - path_size);
    *ret = QC_STEAL(r);
    return QC_OK;
}

qc_rc gw_cat_entry(struct gw_cat *c, uint64_t vault_no, qc_span path, struct gw_entry_row *ret,
                   struct qc_err *err)
{
    QC_CLEANUP(gw_entry_row_done) struct gw_entry_row r = { 0 };
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, ENTRY_GET, &rows, err, QC_VI(vault_no), QC_VB(path)));
    if (!rows.row)
        return QC_FAIL(err, QC_NOTFOUND, "no entry of that path");
    QC_TRY(col_entry(rows.s, &r, err));
    *ret = QC_STEAL(r);
    return QC_OK;
}

/* The least byte string greater than all that begin with prefix; appended to ret. */
static qc_rc prefix_end(qc_span prefix, qc_buf *ret, struct qc_err *err)
{
    size_t n = prefix.n;

    while (n > 0 && prefix.p[n - 1] == 0xFF)
        n--;
    if (n == 0) { /* no bound: a path begins with the length of its first component, which is never 0xFFFF */
        static const uint8_t top[PREFIX_END_BYTES] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
        return qc_buf_add(ret, qc_span_of(top, sizeof top), err);
    }
    QC_TRY(qc_buf_add(ret, qc_span_sub(prefix, 0, n), err));
    ret->p[n - 1]++;
    return QC_OK;
}

/* The least byte string that is asked for; appended to ret. One bound, not two: a database seeks to one of
 * them only, and may take the one from which it then reads half of the vault. */
static qc_rc page_begin(const struct gw_entry_query *q, qc_buf *ret, struct qc_err *err)
{
    if (!q->has_after || qc_span_cmp(q->after, q->prefix) < 0)
        return qc_buf_add(ret, q->prefix, err);
    QC_TRY(qc_buf_add(ret, q->after, err));
    return qc_buf_add(ret, qc_span_of("", 1), err); /* nothing lies between a string and itself with a zero */
}

qc_rc gw_cat_entries(struct gw_cat *c, uint64_t vault_no, const struct gw_entry_query *q, gw_entry_fn fn,
                     void *ctx, bool *ret_more, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf begin = { .max = QC_GW_PATH_MAX + 1 };
    QC_CLEANUP(qc_buf_free) qc_buf end = { .max = QC_GW_PATH_MAX + PREFIX_END_BYTES };
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    size_t bytes = 0;
    unsigned count = 0;

    QC_TRY(page_begin(q, &begin, err));
    QC_TRY(prefix_end(q->prefix, &end, err));
    QC_TRY(GW_QUERY(c, ENTRY_LIST, &rows, err, QC_VI(vault_no), QC_VB(qc_buf_span(&begin)),
                    QC_VB(qc_buf_span(&end)), QC_VI(q->tombstones), QC_VI((uint64_t)q->limit + 1)));
    while (rows.row && count < q->limit && bytes < QC_GW_LIST_BYTES) {
        QC_CLEANUP(gw_entry_row_done) struct gw_entry_row r = { 0 };
        QC_TRY(col_entry(rows.s, &r, err));
        bytes += r.bytes.n;
        count++;
        QC_TRY(fn(ctx, &r, err));
        QC_TRY(gw_rows_next(&rows, err));
    }
    *ret_more = rows.row;
    return QC_OK;
}

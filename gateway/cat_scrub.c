/* Findings, and how far scrubs are. */
#include "base/time.h"
#include "cat_internal.h"

/* -- findings -------------------------------------------------------------------------------------------- */

qc_rc gw_cat_finding_put(struct gw_cat *c, const struct gw_finding *f, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, FINDING_PUT, err, QC_VI(f->cloud_id), QC_VT(qc_span_str(f->key)), QC_VI(f->kind),
                  QC_VI(f->source), QC_VI(f->pass), QC_VI(qc_wall_s())));
    return GW_RUN(c, FINDING_TRIM, err, QC_VI(QC_GW_FINDINGS_MAX));
}

qc_rc gw_cat_finding_end(struct gw_cat *c, uint32_t cloud_id, const char *key, struct qc_err *err)
{
    return GW_RUN(c, FINDING_END, err, QC_VI(cloud_id), QC_VT(qc_span_str(key)), QC_VI(qc_wall_s()));
}

/* A column of text into an array of n bytes. */
static qc_rc col_key(struct qc_stmt *s, int i, char *ret, size_t n, struct qc_err *err)
{
    const qc_span text = qc_col_span(s, i);

    if (text.n >= n)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: a key of %zu bytes", text.n);
    if (text.n > 0)
        memcpy(ret, text.p, text.n);
    ret[text.n] = '\0';
    return QC_OK;
}

static qc_rc col_finding(struct qc_stmt *s, struct gw_finding *ret, struct qc_err *err)
{
    struct gw_finding f = { 0 };
    uint32_t kind, source;

    QC_TRY(qc_col_u64(s, 0, &f.no, err));
    QC_TRY(gw_col_u32(s, 1, &f.cloud_id, err));
    QC_TRY(col_key(s, 2, f.key, sizeof f.key, err));
    QC_TRY(gw_col_u32(s, 3, &kind, err));
    QC_TRY(gw_col_u32(s, 4, &source, err));
    QC_TRY(qc_col_u64(s, 5, &f.pass, err));
    if (kind >= GW_FINDING_KINDS || source >= GW_FINDING_SOURCES)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: a finding of kind %" PRIu32 " from %" PRIu32, kind,
                       source);
    f.kind = (enum gw_finding_kind)kind;
    f.source = (enum gw_finding_source)source;
    f.found_s = qc_col_int(s, 6);
    f.seen_s = qc_col_int(s, 7);
    f.ended_s = qc_col_int(s, 8);
    *ret = f;
    return QC_OK;
}

qc_rc gw_cat_findings(struct gw_cat *c, uint32_t cloud_id, uint64_t at, struct gw_finding *v, unsigned max,
                      unsigned *ret_count, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    unsigned count = 0;

    if (cloud_id == 0)
        QC_TRY(GW_QUERY(c, FINDINGS, &rows, err, QC_VI(at), QC_VI(max)));
    else
        QC_TRY(GW_QUERY(c, FINDINGS_OPEN, &rows, err, QC_VI(cloud_id), QC_VI(at), QC_VI(max)));
    while (rows.row && count < max) {
        QC_TRY(col_finding(rows.s, &v[count++], err));
        QC_TRY(gw_rows_next(&rows, err));
    }
    *ret_count = count;
    return QC_OK;
}

qc_rc gw_cat_finding_counts(struct gw_cat *c, gw_finding_count_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY0(c, FINDING_COUNTS, &rows, err));
    while (rows.row) {
        uint32_t cloud_id, kind;
        uint64_t count;
        QC_TRY(gw_col_u32(rows.s, 0, &cloud_id, err));
        QC_TRY(gw_col_u32(rows.s, 1, &kind, err));
        QC_TRY(qc_col_u64(rows.s, 2, &count, err));
        if (kind < GW_FINDING_KINDS)
            fn(ctx, cloud_id, (enum gw_finding_kind)kind, count);
        QC_TRY(gw_rows_next(&rows, err));
    }
    return QC_OK;
}

/* -- passes ---------------------------------------------------------------------------------------------- */

static qc_rc col_pass(struct qc_stmt *s, struct gw_scrub_row *row, struct qc_err *err)
{
    row->now.began = qc_col_int(s, 7);
    QC_TRY(qc_col_u64(s, 8, &row->now.spent_ms, err));
    QC_TRY(qc_col_u64(s, 9, &row->now.objects, err));
    QC_TRY(qc_col_u64(s, 10, &row->now.bytes, err));
    QC_TRY(qc_col_u64(s, 11, &row->now.found, err));
    row->last.began = qc_col_int(s, 12);
    row->last.ended = qc_col_int(s, 13);
    QC_TRY(qc_col_u64(s, 14, &row->last.spent_ms, err));
    QC_TRY(qc_col_u64(s, 15, &row->last.objects, err));
    QC_TRY(qc_col_u64(s, 16, &row->last.bytes, err));
    return qc_col_u64(s, 17, &row->last.found, err);
}

qc_rc gw_cat_scrub_get(struct gw_cat *c, uint32_t cloud_id, enum gw_depth depth, struct gw_scrub_row *ret,
                       bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_scrub_row row = { .cloud_id = cloud_id, .depth = depth };
    uint32_t stage;

    QC_TRY(GW_QUERY(c, SCRUB_GET, &rows, err, QC_VI(cloud_id), QC_VI(depth)));
    *ret_found = rows.row;
    if (rows.row) {
        row.wanted = qc_col_int(rows.s, 0) != 0;
        QC_TRY(qc_col_u64(rows.s, 1, &row.pass, err));
        QC_TRY(gw_col_u32(rows.s, 2, &stage, err));
        row.stage = stage;
        QC_TRY(col_key(rows.s, 3, row.at, sizeof row.at, err));
        QC_TRY(qc_col_u64(rows.s, 4, &row.next, err));
        QC_TRY(qc_col_u64(rows.s, 5, &row.upto, err));
        QC_TRY(qc_col_u64(rows.s, 6, &row.upto_log, err));
        QC_TRY(col_pass(rows.s, &row, err));
    }
    *ret = row;
    return QC_OK;
}

qc_rc gw_cat_scrub_put(struct gw_cat *c, const struct gw_scrub_row *r, struct qc_err *err)
{
    return GW_RUN(c, SCRUB_PUT, err, QC_VI(r->cloud_id), QC_VI(r->depth), QC_VI(r->pass), QC_VI(r->stage),
                  QC_VT(qc_span_str(r->at)), QC_VI(r->next), QC_VI(r->upto), QC_VI(r->upto_log),
                  QC_VI(r->now.began), QC_VI(r->now.spent_ms), QC_VI(r->now.objects), QC_VI(r->now.bytes),
                  QC_VI(r->now.found), QC_VI(r->last.began), QC_VI(r->last.ended), QC_VI(r->last.spent_ms),
                  QC_VI(r->last.objects), QC_VI(r->last.bytes), QC_VI(r->last.found));
}

qc_rc gw_cat_scrub_want(struct gw_cat *c, uint32_t cloud_id, enum gw_depth depth, bool wanted,
                        struct qc_err *err)
{
    return GW_RUN(c, SCRUB_WANT, err, QC_VI(cloud_id), QC_VI(depth), QC_VI(wanted));
}

qc_rc gw_cat_seen_put(struct gw_cat *c, uint32_t cloud_id, uint64_t chunk, qc_span bits, struct qc_err *err)
{
    return GW_RUN(c, SEEN_PUT, err, QC_VI(cloud_id), QC_VI(chunk), QC_VB(bits));
}

qc_rc gw_cat_seen_get(struct gw_cat *c, uint32_t cloud_id, int64_t after, int64_t *ret_chunk, uint8_t *ret,
                      size_t n, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    *ret_chunk = -1;
    QC_TRY(GW_QUERY(c, SEEN_GET, &rows, err, QC_VI(cloud_id), QC_VI(after)));
    if (!rows.row)
        return QC_OK;
    const qc_span bits = qc_col_span(rows.s, 1);
    if (bits.n > n)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: %zu bytes of what was seen", bits.n);
    if (bits.n > 0)
        memcpy(ret, bits.p, bits.n);
    *ret_chunk = qc_col_int(rows.s, 0);
    return QC_OK;
}

qc_rc gw_cat_seen_drop(struct gw_cat *c, uint32_t cloud_id, struct qc_err *err)
{
    return GW_RUN(c, SEEN_DROP, err, QC_VI(cloud_id));
}

qc_rc gw_cat_mend_count(struct gw_cat *c, uint32_t cloud_id, uint64_t *ret, int64_t *ret_since_s,
                        struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, MEND_COUNT, &rows, err, QC_VI(cloud_id)));
    *ret_since_s = qc_col_int(rows.s, 1);
    return qc_col_u64(rows.s, 0, ret, err);
}

/* Segments that get another code: what is left to do, and the record that changes one (FORMAT 9.3). */
#include "cat_internal.h"

qc_rc gw_cat_other_code(struct gw_cat *c, uint64_t from, unsigned k, unsigned n, struct gw_window_row *rows,
                        unsigned *ret_count, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows q = { 0 };

    QC_TRY(GW_QUERY(c, OTHER_CODE, &q, err, QC_VI(from), QC_VI(from + GW_WINDOW), QC_VI(k), QC_VI(n)));
    return gw_window_rows(&q, rows, ret_count, err);
}

qc_rc gw_cat_other_code_count(struct gw_cat *c, unsigned k, unsigned n, uint64_t *ret, uint64_t *ret_bytes,
                              struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, OTHER_CODE_COUNT, &rows, err, QC_VI(k), QC_VI(n)));
    QC_TRY(qc_col_u64(rows.s, 0, ret, err));
    return qc_col_u64(rows.s, 1, ret_bytes, err);
}

qc_rc gw_cat_other_code_work(struct gw_cat *c, unsigned k, unsigned n, struct gw_code_work *ret,
                             struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, OTHER_CODE_WORK, &rows, err, QC_VI(k), QC_VI(n)));
    QC_TRY(qc_col_u64(rows.s, 0, &ret->segments, err));
    QC_TRY(qc_col_u64(rows.s, 1, &ret->bytes, err));
    QC_TRY(qc_col_u64(rows.s, 2, &ret->k, err));
    QC_TRY(qc_col_u64(rows.s, 3, &ret->n, err));
    QC_TRY(qc_col_u64(rows.s, 4, &ret->lying_bytes, err));
    return qc_col_u64(rows.s, 5, &ret->piece_bytes, err);
}

qc_rc gw_cat_tenant_other_code(struct gw_cat *c, uint32_t tenant, unsigned k, unsigned n, uint64_t *ret,
                               struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, TENANT_OTHER_CODE, &rows, err, QC_VI(k), QC_VI(n), QC_VI(tenant)));
    return qc_col_u64(rows.s, 0, ret, err);
}

qc_rc gw_cat_least_m(struct gw_cat *c, unsigned *m, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    uint32_t least;

    QC_TRY(GW_QUERY0(c, LEAST_M, &rows, err));
    if (!rows.row || qc_col_null(rows.s, 0))
        return QC_OK;
    QC_TRY(gw_col_u32(rows.s, 0, &least, err));
    *m = least;
    return QC_OK;
}

qc_rc gw_cat_other_code_any(struct gw_cat *c, unsigned k, unsigned n, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, OTHER_CODE_ANY, &rows, err, QC_VI(k), QC_VI(n)));
    *ret = rows.row;
    return QC_OK;
}

qc_rc gw_cat_reserved_live(struct gw_cat *c, uint64_t after, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    *ret = 0;
    QC_TRY(GW_QUERY(c, RESERVED_LIVE, &rows, err, QC_VI(after)));
    return rows.row ? qc_col_u64(rows.s, 0, ret, err) : QC_OK;
}

qc_rc gw_cat_layout_bounds(struct gw_cat *c, unsigned *ret_k, unsigned *ret_n, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    uint32_t k, n;

    QC_TRY(GW_QUERY0(c, LAYOUT_BOUNDS, &rows, err));
    QC_TRY(gw_col_u32(rows.s, 0, &k, err));
    QC_TRY(gw_col_u32(rows.s, 1, &n, err));
    *ret_k = k;
    *ret_n = n;
    return QC_OK;
}

/* -- the record ------------------------------------------------------------------------------------------ */

struct place {
    uint64_t size, last, off;
};

static qc_rc place_of(struct gw_cat *c, uint64_t id, struct place *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, SEGMENT_PLACE, &rows, err, QC_VI(id)));
    if (!rows.row || qc_col_null(rows.s, 0) || qc_col_null(rows.s, 2))
        return QC_FAIL(err, QC_INTEGRITY, "log: segment %" PRIu64 " has no place in its version", id);
    QC_TRY(qc_col_u64(rows.s, 0, &ret->size, err));
    QC_TRY(qc_col_u64(rows.s, 1, &ret->last, err));
    return qc_col_u64(rows.s, 2, &ret->off, err);
}

/* The old one dies and the new one is there, in one transaction: no version is without it for an instant. */
static qc_rc replace(struct gw_cat *c, const struct gw_version_row *v, const struct gw_rec_recoded *r,
                     struct qc_err *err)
{
    const struct gw_log_segment *s = &r->segment;
    struct gw_dead_row dead;
    struct place at;
    uint64_t layout;
    bool is_dead;

    QC_TRY(gw_cat_dead_segment(c, s->id, &dead, &is_dead, err));
    if (is_dead) /* its fragments may be gone: nothing of the old one is given up for it */
        return QC_FAIL(err, QC_INTEGRITY, "log: segment %" PRIu64 " comes, and was dead", s->id);
    QC_TRY(place_of(c, r->old, &at, err));
    if (at.size != s->size)
        return QC_FAIL(err, QC_INTEGRITY,
                       "log: segment %" PRIu64 " of %" PRIu64 " bytes gives way to one of %" PRIu32, r->old,
                       at.size, s->size);
    QC_TRY(gw_layout_id(c, &r->layout, &layout, err));
    QC_TRY(gw_cat_segment_kill(c, r->old, 0, err));
    QC_TRY(GW_RUN(c, SEGMENT_RECODED, err, QC_VI(s->id), QC_VI(v->no), QC_VI(layout), QC_VI(s->incarnation),
                  QC_VB(qc_span_of(s->salt, sizeof s->salt)), QC_VI(r->seq), QC_VI(s->size),
                  QC_VB(qc_span_of(s->digest, sizeof s->digest)), QC_VI(at.last), QC_VI(at.off)));
    QC_TRY(gw_cat_version_layout(c, v->no, layout, err)); /* what is full for it is what new ones have */
    /* If all lie alike now, they are counted at once again. Those behind it are looked at first: as a rule
     * the next one has its turn yet. */
    return GW_RUN(c, MIXED_GO, err, QC_VI(v->no), QC_VI(layout), QC_VI(r->seq));
}

qc_rc gw_cat_apply_recoded(struct gw_cat *c, const struct gw_rec_recoded *r, struct qc_err *err)
{
    const struct gw_version_ids ids = { .tenant = r->tenant, .object = r->object, .version = r->version };
    struct gw_version_row v;
    uint64_t id;

    if (r->segment.id > INT64_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "log: segment id %" PRIu64, r->segment.id);
    QC_TRY(gw_cat_version(c, &ids, &v, err));
    QC_TRY(gw_cat_segment_of(c, v.no, r->seq, &id, err));
    return v.state == GW_VERSION_LIVE && id == r->old ? replace(c, &v, r, err) : QC_OK;
}

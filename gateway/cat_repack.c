/* N that go from half dead bundles to others: which they are, and the record that moves them (FORMAT 9.3). */
#include "cat_internal.h"

qc_rc gw_cat_half_next(struct gw_cat *c, struct gw_ref *at, bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, HALF_NEXT, &rows, err, QC_VI(at->tenant), QC_VB(gw_id_span(&at->id))));
    *ret_found = rows.row;
    if (!rows.row)
        return QC_OK;
    QC_TRY(gw_col_u32(rows.s, 0, &at->tenant, err));
    return gw_col_id(rows.s, 1, &at->id, err);
}

static qc_rc col_half(struct qc_stmt *s, struct gw_half_row *ret, struct qc_err *err)
{
    struct gw_half_row row = { 0 };

    QC_TRY(qc_col_u64(s, 0, &row.no, err));
    QC_TRY(qc_col_u64(s, 1, &row.holder, err));
    QC_TRY(qc_col_u64(s, 2, &row.start, err));
    QC_TRY(gw_col_u32(s, 3, &row.size, err));
    QC_TRY(qc_col_u64(s, 4, &row.gone, err));
    QC_TRY(gw_col_id(s, 5, &row.object, err));
    QC_TRY(gw_col_id(s, 6, &row.version, err));
    if (row.size < 1 || row.size > QC_GW_BUNDLED_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: %" PRIu32 " bytes in a bundle", row.size);
    *ret = row;
    return QC_OK;
}

qc_rc gw_cat_half_members(struct gw_cat *c, const struct gw_ref *vault, uint64_t past,
                          struct gw_half_row *rows, unsigned max, unsigned *ret_count, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows q = { 0 };
    unsigned n = 0;

    QC_TRY(GW_QUERY(c, HALF_MEMBERS, &q, err, QC_VI(vault->tenant), QC_VB(gw_id_span(&vault->id)), QC_VI(max),
                    QC_VI(past)));
    while (q.row && n < max) {
        QC_TRY(col_half(q.s, &rows[n++], err));
        QC_TRY(gw_rows_next(&q, err));
    }
    *ret_count = n;
    return QC_OK;
}

qc_rc gw_cat_repack_begin(struct gw_cat *c, const struct gw_version_row *v, uint64_t *ret_no,
                          struct qc_err *err)
{
    QC_ASSERT(v->state == GW_VERSION_INTENT);
    QC_TRY(gw_cat_version_add(c, v, ret_no, err));
    return gw_cat_version_bundle(c, *ret_no, err);
}

qc_rc gw_cat_repack_drop(struct gw_cat *c, uint64_t no, uint64_t segment_id, uint32_t size,
                         struct qc_err *err)
{
    if (segment_id != 0)
        QC_TRY(gw_cat_segment_kill(c, segment_id, size, err));
    QC_TRY(gw_cat_segments_kill(c, no, false, err));
    QC_TRY(GW_RUN(c, VERSION_LOOSE, err, QC_VI(no)));
    return GW_RUN(c, VERSION_FORGET, err, QC_VI(no)); /* nobody has ever heard of it */
}

qc_rc gw_cat_repack_left(struct gw_cat *c, uint64_t *ret_no, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    *ret_no = 0;
    QC_TRY(GW_QUERY0(c, REPACK_LEFT, &rows, err));
    return rows.row ? qc_col_u64(rows.s, 0, ret_no, err) : QC_OK;
}

qc_rc gw_cat_bundles_gone(struct gw_cat *c, uint64_t *ret_count, uint64_t *ret_bytes, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY0(c, BUNDLES_GONE, &rows, err));
    QC_TRY(qc_col_u64(rows.s, 0, ret_count, err));
    return qc_col_u64(rows.s, 1, ret_bytes, err);
}

/* -- the record ------------------------------------------------------------------------------------------ */

/* The new bundle's row, live. It was there, decided, unless this is a rebuild. *ret_done: the record was here
 * before. */
static qc_rc put_bundle(struct gw_cat *c, const struct gw_rec_repacked *r, uint64_t layout, uint64_t *ret_no,
                        bool *ret_done, struct qc_err *err)
{
    const struct gw_version_ids ids = { .tenant = r->tenant, .object = r->object, .version = r->version };
    struct gw_version_row v;
    struct qc_err miss = { 0 };
    const qc_rc rc = gw_cat_version(c, &ids, &v, &miss);

    *ret_done = rc == QC_OK && (v.state == GW_VERSION_LIVE || v.state == GW_VERSION_DEAD);
    if (rc != QC_OK && rc != QC_NOTFOUND) {
        *err = miss;
        return rc;
    }
    if (*ret_done)
        return QC_OK;
    if (rc == QC_NOTFOUND) {
        const struct gw_version_row fresh = { .vault = r->vault,
                                              .object = r->object,
                                              .version = r->version,
                                              .layout = layout,
                                              .created = r->created,
                                              .state = GW_VERSION_INTENT,
                                              .tenant = r->tenant,
                                              .acked_margin = (int)r->layout.n - (int)r->layout.k };
        QC_TRY(gw_cat_repack_begin(c, &fresh, &v.no, err));
    }
    *ret_no = v.no;
    return GW_RUN(c, VERSION_LIVE, err, QC_VI(v.no), QC_VI(r->segment.size), QC_VI(1), QC_VI(r->created));
}

/* Its segment counts from now on. One that was dead may be gone: nothing is given up for it. */
static qc_rc put_segment(struct gw_cat *c, const struct gw_log_segment *s, uint64_t no, uint64_t layout,
                         struct qc_err *err)
{
    struct gw_dead_row dead;
    bool is_dead;

    QC_TRY(gw_cat_dead_segment(c, s->id, &dead, &is_dead, err));
    if (is_dead)
        return QC_FAIL(err, QC_INTEGRITY, "log: segment %" PRIu64 " comes, and was dead", s->id);
    return GW_RUN(c, SEGMENT_RECODED, err, QC_VI(s->id), QC_VI(no), QC_VI(layout), QC_VI(s->incarnation),
                  QC_VB(qc_span_of(s->salt, sizeof s->salt)), QC_VI(0), QC_VI(s->size),
                  QC_VB(qc_span_of(s->digest, sizeof s->digest)), QC_VI(1), QC_VI(0));
}

/* *moved grows by its bytes: it lies in the new bundle from now on, and its old one is dead, if it was the
 * last there. What is purged stays so. */
static qc_rc move(struct gw_cat *c, const struct gw_rec_repacked *r, const struct gw_log_packed *p,
                  uint64_t no, uint64_t *moved, struct qc_err *err)
{
    const struct gw_version_ids ids = { .tenant = r->tenant, .object = p->object, .version = p->version };
    struct gw_version_row v;

    QC_TRY(gw_cat_version(c, &ids, &v, err));
    if (v.state != GW_VERSION_LIVE)
        return QC_OK;
    if (v.holder == 0 || v.size > r->segment.size || p->start > r->segment.size - v.size)
        return QC_FAIL(err, QC_INTEGRITY, "log: a version of %" PRIu64 " bytes has no place in a bundle",
                       v.size);
    QC_TRY(GW_RUN(c, VERSION_IN, err, QC_VI(v.no), QC_VI(no), QC_VI(p->start)));
    *moved += v.size;
    return gw_cat_bundle_leave(c, v.holder, v.size, err);
}

qc_rc gw_cat_apply_repacked(struct gw_cat *c, const struct gw_rec_repacked *r, struct qc_err *err)
{
    uint64_t layout, no = 0, moved = 0;
    bool done;

    QC_TRY(gw_layout_id(c, &r->layout, &layout, err));
    QC_TRY(put_bundle(c, r, layout, &no, &done, err));
    if (done)
        return QC_OK;
    QC_TRY(put_segment(c, &r->segment, no, layout, err));
    for (uint32_t i = 0; i < r->count; i++) {
        struct gw_log_packed p;
        gw_log_packed_at(r, i, &p);
        QC_TRY(move(c, r, &p, no, &moved, err));
    }
    if (moved > r->segment.size)
        return QC_FAIL(err, QC_INTEGRITY, "log: %" PRIu64 " bytes in a bundle of %" PRIu32, moved,
                       r->segment.size);
    /* What was purged while the bundle was put lies in it, and is dead from the beginning. */
    return gw_cat_bundle_leave(c, no, r->segment.size - moved, err);
}

/* Segments, deviations and the ledger of dead ones. */
#include "base/time.h"
#include "cat_internal.h"

qc_rc gw_cat_reserve(struct gw_cat *c, uint64_t version_no, uint64_t layout, uint32_t incarnation,
                     const uint8_t salt[GW_SALT_BYTES], uint64_t *ret_id, struct qc_err *err)
{
    uint64_t next;

    /* Ids come from a counter and not from the table: an id is never used twice (D2). */
    QC_TRY(gw_meta_get(c, "next_segment", &next, err));
    QC_TRY(gw_meta_set(c, "next_segment", next + 1, err));
    QC_TRY(GW_RUN(c, SEGMENT_RESERVE, err, QC_VI(next), QC_VI(version_no), QC_VI(layout), QC_VI(incarnation),
                  QC_VB(qc_span_of(salt, GW_SALT_BYTES)), QC_VI(qc_db_session(c->db))));
    *ret_id = next;
    return QC_OK;
}

qc_rc gw_cat_reserved(struct gw_cat *c, uint64_t version_no, const struct gw_taken *busy, uint64_t *ret_id,
                      bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    *ret_found = false;
    QC_TRY(GW_QUERY(c, SEGMENT_RESERVED, &rows, err, QC_VI(version_no), QC_VI(busy->below),
                    QC_VI(qc_db_session(c->db))));
    while (rows.row) {
        bool taken = false;
        uint64_t id;
        QC_TRY(qc_col_u64(rows.s, 0, &id, err));
        for (unsigned i = 0; i < busy->busy_count; i++)
            taken = taken || busy->busy[i] == id;
        if (!taken) {
            *ret_id = id;
            *ret_found = true;
            return QC_OK;
        }
        QC_TRY(gw_rows_next(&rows, err));
    }
    return QC_OK;
}

qc_rc gw_col_segment(struct qc_stmt *s, struct gw_segment *ret, uint64_t *ret_offset, struct qc_err *err)
{
    struct gw_segment seg = { 0 };
    struct gw_log_layout l;
    struct gw_id object, version;

    QC_TRY(qc_col_u64(s, 0, &seg.id, err));
    QC_TRY(gw_col_u32(s, 1, &seg.incarnation, err));
    QC_TRY(qc_col_fixed(s, 2, seg.salt, sizeof seg.salt, err));
    QC_TRY(gw_col_layout(s, 3, &l, err));
    seg.k = l.k;
    seg.n = l.n;
    memcpy(seg.layout, l.clouds, sizeof seg.layout);
    if (!qc_col_null(s, 6)) {
        QC_TRY(gw_col_u32(s, 6, &seg.seq, err));
        QC_TRY(gw_col_u32(s, 7, &seg.size, err));
        QC_TRY(qc_col_fixed(s, 8, seg.digest, sizeof seg.digest, err));
        seg.last = qc_col_int(s, 9) != 0;
        if (seg.size < 1 || seg.size > QC_GW_SEGMENT_MAX)
            return QC_FAIL(err, QC_INTEGRITY, "catalogue: a segment of %" PRIu32 " bytes", seg.size);
    }
    *ret_offset = 0;
    if (!qc_col_null(s, 10))
        QC_TRY(qc_col_u64(s, 10, ret_offset, err));
    QC_TRY(gw_col_id(s, 11, &object, err));
    QC_TRY(gw_col_id(s, 12, &version, err));
    QC_TRY(qc_col_u64(s, 13, &seg.base, err));
    QC_TRY(gw_col_u32(s, 14, &seg.tenant, err));
    memcpy(seg.object, object.b, sizeof seg.object);
    memcpy(seg.version, version.b, sizeof seg.version);
    *ret = seg;
    return QC_OK;
}

/* A row says that the fragment is elsewhere, or nowhere. */
static qc_rc add_place(void *ctx, const struct gw_deviation_row *row, struct qc_err *err)
{
    struct gw_segment *seg = ctx;

    (void)err;
    seg->cloud[row->frag] = row->cloud_id;
    seg->attempt[row->frag] = row->attempt;
    seg->writer[row->frag] = row->incarnation;
    if (row->state != GW_DEV_MOVED)
        seg->absent |= UINT32_C(1) << row->frag;
    return QC_OK;
}

qc_rc gw_cat_segment_plain(struct gw_cat *c, uint64_t id, struct gw_segment *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    uint64_t offset;

    QC_TRY(GW_QUERY(c, SEGMENT_GET, &rows, err, QC_VI(id)));
    if (!rows.row)
        return QC_FAIL(err, QC_NOTFOUND, "no segment %" PRIu64, id);
    return gw_col_segment(rows.s, ret, &offset, err);
}

qc_rc gw_cat_segment(struct gw_cat *c, uint64_t id, struct gw_segment *ret, struct qc_err *err)
{
    struct gw_segment seg;

    QC_TRY(gw_cat_segment_plain(c, id, &seg, err));
    QC_TRY(gw_cat_deviations_each(c, id, add_place, &seg, err));
    *ret = seg;
    return QC_OK;
}

qc_rc gw_cat_segment_done(struct gw_cat *c, const struct gw_segment *seg, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, SEGMENT_DONE, err, QC_VI(seg->id), QC_VI(seg->seq), QC_VI(seg->size),
                  QC_VB(qc_span_of(seg->digest, sizeof seg->digest)), QC_VI(seg->last)));
    if (qc_db_changes(c->db) != 1)
        return QC_FAIL(err, QC_CONFLICT, "segment %" PRIu64 " is not reserved any more", seg->id);
    return QC_OK;
}

qc_rc gw_cat_segment_of(struct gw_cat *c, uint64_t version_no, uint32_t seq, uint64_t *ret_id,
                        struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, SEGMENT_OF, &rows, err, QC_VI(version_no), QC_VI(seq)));
    if (!rows.row)
        return QC_FAIL(err, QC_NOTFOUND, "no segment %" PRIu32, seq);
    return qc_col_u64(rows.s, 0, ret_id, err);
}

qc_rc gw_cat_segment_size_of(struct gw_cat *c, uint64_t version_no, uint32_t seq, uint64_t *ret,
                             struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    *ret = 0;
    QC_TRY(GW_QUERY(c, SEGMENT_SIZE_OF, &rows, err, QC_VI(version_no), QC_VI(seq)));
    return rows.row ? qc_col_u64(rows.s, 0, ret, err) : QC_OK;
}

qc_rc gw_cat_segment_kill(struct gw_cat *c, uint64_t id, uint32_t size, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, SEGMENT_DEAD, err, QC_VI(id), QC_VI(size)));
    QC_TRY(
        GW_RUN(c, SEGMENT_MOVED_DEAD, err, QC_VI(id))); /* the ledger's row has the keys of the put alone */
    QC_TRY(GW_RUN(c, SEGMENT_TRIALS_DEAD, err, QC_VI(id)));
    QC_TRY(GW_RUN(c, SEGMENT_TRIALS_GO, err, QC_VI(id)));
    QC_TRY(GW_RUN(c, DEVIATION_DELETE, err, QC_VI(id)));
    return GW_RUN(c, SEGMENT_DELETE, err, QC_VI(id));
}

/* Whatever the query finds, until it finds nothing. */
static qc_rc kill_all(struct gw_cat *c, enum gw_sql which, const struct qc_val *v, size_t count,
                      struct qc_err *err)
{
    for (uint32_t round = 0; round <= QC_GW_SEGMENTS_MAX; round++) {
        QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
        uint64_t id;
        QC_TRY(gw_cat_query(c, which, v, count, &rows, err));
        if (!rows.row)
            return QC_OK;
        QC_TRY(qc_col_u64(rows.s, 0, &id, err));
        gw_rows_end(&rows);
        QC_TRY(gw_cat_segment_kill(c, id, 0, err));
    }
    return QC_FAIL(err, QC_INTEGRITY, "catalogue: more than %d segments in a version", QC_GW_SEGMENTS_MAX);
}

qc_rc gw_cat_segments_kill(struct gw_cat *c, uint64_t version_no, bool reserved_only, struct qc_err *err)
{
    return kill_all(c, reserved_only ? GW_SQL_SEGMENT_ANY_RESERVED : GW_SQL_SEGMENT_ANY, &QC_VI(version_no),
                    1, err);
}

qc_rc gw_cat_segments_kill_from(struct gw_cat *c, uint64_t version_no, uint32_t from, struct qc_err *err)
{
    return kill_all(c, GW_SQL_SEGMENT_ANY_FROM, (const struct qc_val[]){ QC_VI(version_no), QC_VI(from) }, 2,
                    err);
}

/* *from: after the last one that was called for. */
static qc_rc some_segments(struct gw_cat *c, uint64_t version_no, uint32_t *from, unsigned *ret_count,
                           gw_segment_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    *ret_count = 0;
    QC_TRY(GW_QUERY(c, SEGMENTS, &rows, err, QC_VI(version_no), QC_VI(*from), QC_VI(GW_PAGE)));
    while (rows.row) {
        struct gw_segment seg;
        uint64_t offset;
        QC_TRY(gw_col_segment(rows.s, &seg, &offset, err));
        QC_TRY(fn(ctx, &seg, offset, err));
        *from = seg.seq + 1;
        ++*ret_count;
        QC_TRY(gw_rows_next(&rows, err));
    }
    return QC_OK;
}

qc_rc gw_cat_segments(struct gw_cat *c, uint64_t version_no, uint32_t from, gw_segment_fn fn, void *ctx,
                      struct qc_err *err)
{
    unsigned count;

    do { /* ends: each round goes further in the version */
        QC_TRY(some_segments(c, version_no, &from, &count, fn, ctx, err));
    } while (count == GW_PAGE);
    return QC_OK;
}

qc_rc gw_cat_segment_at(struct gw_cat *c, uint64_t version_no, uint64_t offset, struct gw_segment *ret,
                        uint64_t *ret_offset, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_segment seg;
    uint64_t at;

    QC_TRY(GW_QUERY(c, SEGMENT_AT, &rows, err, QC_VI(version_no), QC_VI(offset)));
    if (!rows.row)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: no segment holds byte %" PRIu64, offset);
    QC_TRY(gw_col_segment(rows.s, &seg, &at, err));
    gw_rows_end(&rows);
    if (offset - at >= seg.size)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: no segment holds byte %" PRIu64, offset);
    QC_TRY(gw_cat_deviations_each(c, seg.id, add_place, &seg, err));
    *ret = seg;
    *ret_offset = at;
    return QC_OK;
}

/* -- deviations ------------------------------------------------------------------------------------------ */

qc_rc gw_cat_deviate(struct gw_cat *c, uint64_t segment_id, unsigned frag, uint32_t cloud_id,
                     enum gw_deviation state, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, DEVIATE, err, QC_VI(segment_id), QC_VI(frag), QC_VI(cloud_id), QC_VI(state),
                  QC_VI(qc_wall_s())));
    return gw_cat_rank(c, segment_id, err);
}

static qc_rc col_deviation(struct qc_stmt *s, struct gw_deviation_row *ret, struct qc_err *err)
{
    struct gw_deviation_row row = { 0 };
    uint32_t frag, attempt, state;

    QC_TRY(gw_col_u32(s, 0, &frag, err));
    QC_TRY(gw_col_u32(s, 1, &row.cloud_id, err));
    QC_TRY(gw_col_u32(s, 2, &row.home, err));
    QC_TRY(gw_col_u32(s, 3, &row.incarnation, err));
    QC_TRY(gw_col_u32(s, 4, &attempt, err));
    QC_TRY(gw_col_u32(s, 5, &state, err));
    if (frag >= QC_EC_N_MAX || attempt > UINT8_MAX || state < GW_DEV_OWED || state > GW_DEV_LOST)
        return QC_FAIL(err, QC_INTEGRITY,
                       "catalogue: fragment %" PRIu32 ", attempt %" PRIu32 ", state %" PRIu32, frag, attempt,
                       state);
    row.frag = frag;
    row.attempt = (uint8_t)attempt;
    row.state = (enum gw_deviation)state;
    *ret = row;
    return QC_OK;
}

qc_rc gw_cat_deviations_each(struct gw_cat *c, uint64_t segment_id, gw_deviation_fn fn, void *ctx,
                             struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, DEVIATIONS, &rows, err, QC_VI(segment_id)));
    while (rows.row) {
        struct gw_deviation_row row;
        QC_TRY(col_deviation(rows.s, &row, err));
        QC_TRY(fn(ctx, &row, err));
        QC_TRY(gw_rows_next(&rows, err));
    }
    return QC_OK;
}

/* -- ledger ---------------------------------------------------------------------------------------------- */

static qc_rc col_dead(struct gw_rows *rows, struct gw_dead_row *ret, bool *ret_found, struct qc_err *err)
{
    struct gw_dead_row d = { 0 };
    struct gw_log_layout l;
    uint32_t round;

    *ret_found = false;
    if (!rows->row)
        return QC_OK;
    QC_TRY(qc_col_u64(rows->s, 0, &d.seg.id, err));
    QC_TRY(gw_col_u32(rows->s, 1, &d.seg.incarnation, err));
    QC_TRY(qc_col_fixed(rows->s, 2, d.seg.salt, sizeof d.seg.salt, err));
    QC_TRY(gw_col_u32(rows->s, 3, &d.absent, err));
    QC_TRY(gw_col_u32(rows->s, 4, &round, err));
    QC_TRY(gw_col_layout(rows->s, 5, &l, err));
    QC_TRY(gw_col_u32(rows->s, 8, &d.seg.size, err)); /* 0: an older program wrote the row */
    d.round = round;
    d.seg.k = l.k;
    d.seg.n = l.n;
    memcpy(d.seg.layout, l.clouds, sizeof d.seg.layout);
    *ret = d;
    *ret_found = true;
    return QC_OK;
}

qc_rc gw_cat_dead_next(struct gw_cat *c, uint64_t after, unsigned rounds, struct gw_dead_row *ret,
                       bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, DEAD_NEXT, &rows, err, QC_VI(after), QC_VI(rounds)));
    return col_dead(&rows, ret, ret_found, err);
}

qc_rc gw_cat_dead_segment(struct gw_cat *c, uint64_t segment_id, struct gw_dead_row *ret, bool *ret_found,
                          struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, DEAD_SEGMENT, &rows, err, QC_VI(segment_id)));
    return col_dead(&rows, ret, ret_found, err);
}

qc_rc gw_cat_dead_swept(struct gw_cat *c, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, DEAD_SWEPT, err, QC_VI(QC_GW_SWEEP_ROUNDS)));
    return GW_RUN0(c, DEAD_FRAGS_SWEPT, err);
}

qc_rc gw_cat_dead_again(struct gw_cat *c, uint64_t segment_id, struct qc_err *err)
{
    return GW_RUN(c, DEAD_AGAIN, err, QC_VI(segment_id));
}

qc_rc gw_cat_dead_put(struct gw_cat *c, uint64_t segment_id, uint32_t absent, unsigned round,
                      struct qc_err *err)
{
    return GW_RUN(c, DEAD_PUT, err, QC_VI(segment_id), QC_VI(absent), QC_VI(round));
}

/* What a repair asks of the catalogue and writes to it: windows of segments, places, trials, dead keys. */
#include "base/time.h"
#include "cat_internal.h"

qc_rc gw_window_rows(struct gw_rows *q, struct gw_window_row *rows, unsigned *ret_count, struct qc_err *err)
{
    unsigned count = 0;

    while (q->row && count < GW_WINDOW) {
        struct gw_window_row *row = &rows[count++];
        QC_TRY(qc_col_u64(q->s, 0, &row->id, err));
        row->margin = (int)qc_col_int(q->s, 1);
        row->full = (int)qc_col_int(q->s, 2);
        QC_TRY(gw_col_u32(q->s, 3, &row->size, err));
        row->last = qc_col_int(q->s, 4) != 0;
        QC_TRY(gw_rows_next(q, err));
    }
    *ret_count = count;
    return QC_OK;
}

qc_rc gw_cat_window(struct gw_cat *c, uint64_t from, struct gw_window_row *rows, unsigned *ret_count,
                    struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows q = { 0 };

    QC_TRY(GW_QUERY(c, WINDOW, &q, err, QC_VI(from), QC_VI(from + GW_WINDOW)));
    return gw_window_rows(&q, rows, ret_count, err);
}

qc_rc gw_cat_window_all(struct gw_cat *c, uint64_t from, uint64_t *ids, unsigned *ret_count,
                        struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows q = { 0 };
    unsigned count = 0;

    QC_TRY(GW_QUERY(c, WINDOW_ALL, &q, err, QC_VI(from), QC_VI(from + GW_WINDOW)));
    while (q.row && count < GW_WINDOW) {
        QC_TRY(qc_col_u64(q.s, 0, &ids[count++], err));
        QC_TRY(gw_rows_next(&q, err));
    }
    *ret_count = count;
    return QC_OK;
}

qc_rc gw_cat_segment_live(struct gw_cat *c, uint64_t id, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, SEGMENT_LIVE, &rows, err, QC_VI(id)));
    *ret = rows.row;
    return QC_OK;
}

qc_rc gw_cat_segment_kept(struct gw_cat *c, uint64_t id, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, SEGMENT_KEPT, &rows, err, QC_VI(id)));
    *ret = rows.row;
    return QC_OK;
}

/* -- places ---------------------------------------------------------------------------------------------- */

qc_rc gw_cat_rank(struct gw_cat *c, uint64_t segment_id, struct qc_err *err)
{
    return GW_RUN(c, RANK, err, QC_VI(segment_id));
}

static qc_rc write_place(struct gw_cat *c, enum gw_sql which, uint64_t segment_id,
                         const struct gw_deviation_row *row, struct qc_err *err)
{
    const struct qc_val vals[] = { QC_VI(segment_id),   QC_VI(row->frag),       QC_VI(row->cloud_id),
                                   QC_VI(row->attempt), QC_VI(row->state),      QC_VI(qc_wall_s()),
                                   QC_VI(row->home),    QC_VI(row->incarnation) };

    QC_TRY(gw_cat_run(c, which, vals, sizeof vals / sizeof *vals, err));
    return gw_cat_rank(c, segment_id, err);
}

qc_rc gw_cat_place(struct gw_cat *c, uint64_t segment_id, const struct gw_deviation_row *row,
                   struct qc_err *err)
{
    return write_place(c, GW_SQL_PLACE, segment_id, row, err);
}

qc_rc gw_cat_place_found(struct gw_cat *c, uint64_t segment_id, const struct gw_deviation_row *row,
                         struct qc_err *err)
{
    return write_place(c, GW_SQL_PLACE_FOUND, segment_id, row, err);
}

qc_rc gw_cat_place_home(struct gw_cat *c, uint64_t segment_id, unsigned frag, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, PLACE_HOME, err, QC_VI(segment_id), QC_VI(frag)));
    return gw_cat_rank(c, segment_id, err);
}

/* -- trials ---------------------------------------------------------------------------------------------- */

qc_rc gw_cat_attempt(struct gw_cat *c, uint64_t segment_id, unsigned frag, uint32_t incarnation, uint8_t *ret,
                     struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    int64_t last = 0; /* attempt 0 is the put's */

    QC_TRY(GW_QUERY(c, ATTEMPT, &rows, err, QC_VI(segment_id), QC_VI(frag), QC_VI(incarnation)));
    if (rows.row && !qc_col_null(rows.s, 0))
        last = qc_col_int(rows.s, 0);
    if (last < 0 || last >= UINT8_MAX)
        return QC_FAIL(err, QC_LIMIT,
                       "fragment %u of segment %" PRIu64 " was written %d times: no key is left", frag,
                       segment_id, UINT8_MAX);
    *ret = (uint8_t)(last + 1);
    return QC_OK;
}

qc_rc gw_cat_trial_put(struct gw_cat *c, const struct gw_frag_key *key, struct qc_err *err)
{
    return GW_RUN(c, TRIAL_PUT, err, QC_VI(key->segment_id), QC_VI(key->frag), QC_VI(key->cloud_id),
                  QC_VI(key->attempt), QC_VI(key->incarnation));
}

/* cloud id, attempt, incarnation from column `at` on. */
static qc_rc col_key(struct qc_stmt *s, int at, struct gw_frag_key *key, struct qc_err *err)
{
    uint32_t attempt;

    QC_TRY(gw_col_u32(s, at, &key->cloud_id, err));
    QC_TRY(gw_col_u32(s, at + 1, &attempt, err));
    QC_TRY(gw_col_u32(s, at + 2, &key->incarnation, err));
    if (attempt > UINT8_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: attempt %" PRIu32, attempt);
    key->attempt = (uint8_t)attempt;
    return QC_OK;
}

qc_rc gw_cat_trial(struct gw_cat *c, uint64_t segment_id, unsigned frag, struct gw_frag_key *ret,
                   bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_frag_key key = { .segment_id = segment_id, .frag = frag };

    QC_TRY(GW_QUERY(c, TRIAL_GET, &rows, err, QC_VI(segment_id), QC_VI(frag)));
    *ret_found = rows.row;
    if (!rows.row)
        return QC_OK;
    QC_TRY(col_key(rows.s, 0, &key, err));
    *ret = key;
    return QC_OK;
}

qc_rc gw_cat_trial_drop(struct gw_cat *c, uint64_t segment_id, unsigned frag, struct qc_err *err)
{
    return GW_RUN(c, TRIAL_DROP, err, QC_VI(segment_id), QC_VI(frag));
}

/* -- dead keys ------------------------------------------------------------------------------------------- */

qc_rc gw_cat_dead_key_add(struct gw_cat *c, const struct gw_frag_key *key, const uint8_t salt[4],
                          struct qc_err *err)
{
    return GW_RUN(c, DEAD_KEY_ADD, err, QC_VI(key->segment_id), QC_VI(key->frag), QC_VI(key->cloud_id),
                  QC_VI(key->attempt), QC_VI(key->incarnation), QC_VB(qc_span_of(salt, 4)));
}

qc_rc gw_cat_dead_key_is(struct gw_cat *c, const struct gw_frag_key *key, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, DEAD_KEY_IS, &rows, err, QC_VI(key->segment_id), QC_VI(key->frag),
                    QC_VI(key->cloud_id), QC_VI(key->attempt), QC_VI(key->incarnation)));
    *ret = rows.row;
    return QC_OK;
}

qc_rc gw_cat_dead_key_next(struct gw_cat *c, uint64_t after, struct gw_dead_key *ret, bool *ret_found,
                           struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_dead_key d = { 0 };
    uint32_t frag, round;

    QC_TRY(GW_QUERY(c, DEAD_KEY_NEXT, &rows, err, QC_VI(after)));
    *ret_found = rows.row;
    if (!rows.row)
        return QC_OK;
    QC_TRY(qc_col_u64(rows.s, 0, &d.no, err));
    QC_TRY(qc_col_u64(rows.s, 1, &d.key.segment_id, err));
    QC_TRY(gw_col_u32(rows.s, 2, &frag, err));
    QC_TRY(col_key(rows.s, 3, &d.key, err));
    QC_TRY(qc_col_fixed(rows.s, 6, d.salt, sizeof d.salt, err));
    QC_TRY(gw_col_u32(rows.s, 7, &round, err));
    d.key.frag = frag;
    d.round = round;
    *ret = d;
    return QC_OK;
}

qc_rc gw_cat_dead_key_round(struct gw_cat *c, uint64_t no, unsigned round, struct qc_err *err)
{
    return GW_RUN(c, DEAD_KEY_ROUND, err, QC_VI(no), QC_VI(round), QC_VI(round < QC_GW_SWEEP_ROUNDS));
}

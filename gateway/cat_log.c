/* Outbox, log, record copies owed, and counts of the catalogue. */
#include "base/time.h"
#include "cat_internal.h"

qc_rc gw_cat_outbox_put(struct gw_cat *c, uint64_t sequence, qc_span body, struct qc_err *err)
{
    return GW_RUN(c, OUTBOX_PUT, err, QC_VI(sequence), QC_VB(body));
}

qc_rc gw_cat_outbox(struct gw_cat *c, uint64_t *ret_sequence, qc_buf *ret_body, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY0(c, OUTBOX_GET, &rows, err));
    if (!rows.row) {
        *ret_sequence = 0;
        return QC_OK;
    }
    QC_TRY(qc_buf_add(ret_body, qc_col_span(rows.s, 1), err));
    return qc_col_u64(rows.s, 0, ret_sequence, err);
}

qc_rc gw_cat_outbox_has(struct gw_cat *c, uint64_t sequence, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, OUTBOX_HAS, &rows, err, QC_VI(sequence)));
    *ret = rows.row;
    return QC_OK;
}

qc_rc gw_cat_outbox_clear(struct gw_cat *c, uint64_t sequence, struct qc_err *err)
{
    return GW_RUN(c, OUTBOX_CLEAR, err, QC_VI(sequence));
}

qc_rc gw_cat_log_put(struct gw_cat *c, const struct gw_log_row *row, struct qc_err *err)
{
    return GW_RUN(c, LOG_PUT, err, QC_VI(row->sequence), QC_VI(row->incarnation),
                  QC_VB(qc_span_of(row->hash, sizeof row->hash)));
}

qc_rc gw_cat_log_get(struct gw_cat *c, uint64_t sequence, struct gw_log_row *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_log_row row = { .sequence = sequence };

    QC_TRY(GW_QUERY(c, LOG_GET, &rows, err, QC_VI(sequence)));
    if (!rows.row)
        return QC_FAIL(err, QC_NOTFOUND, "no log object %" PRIu64, sequence);
    QC_TRY(gw_col_u32(rows.s, 0, &row.incarnation, err));
    QC_TRY(qc_col_fixed(rows.s, 1, row.hash, sizeof row.hash, err));
    *ret = row;
    return QC_OK;
}

qc_rc gw_cat_debt_add(struct gw_cat *c, uint32_t cloud_id, uint64_t sequence, struct qc_err *err)
{
    return GW_RUN(c, DEBT_ADD, err, QC_VI(cloud_id), QC_VI(sequence));
}

qc_rc gw_cat_debt_paid(struct gw_cat *c, uint32_t cloud_id, uint64_t sequence, struct qc_err *err)
{
    return GW_RUN(c, DEBT_PAID, err, QC_VI(cloud_id), QC_VI(sequence));
}

qc_rc gw_cat_debt_next(struct gw_cat *c, uint32_t cloud_id, uint64_t after, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, DEBT_NEXT, &rows, err, QC_VI(cloud_id), QC_VI(after)));
    if (!rows.row) {
        *ret = 0;
        return QC_OK;
    }
    return qc_col_u64(rows.s, 0, ret, err);
}

qc_rc gw_cat_mend_next(struct gw_cat *c, uint32_t cloud_id, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    *ret = 0;
    const int64_t now = qc_wall_s(); /* a clock that jumped back delays nothing */
    QC_TRY(GW_QUERY(c, MEND_NEXT, &rows, err, QC_VI(cloud_id), QC_VI(now - QC_GW_DEBT_LEFT_MS / 1000),
                    QC_VI(now)));
    return rows.row ? qc_col_u64(rows.s, 0, ret, err) : QC_OK;
}

qc_rc gw_cat_mend_rest(struct gw_cat *c, uint32_t cloud_id, uint64_t segment_id, struct qc_err *err)
{
    return GW_RUN(c, MEND_REST, err, QC_VI(segment_id), QC_VI(cloud_id));
}

qc_rc gw_cat_mend_rests(struct gw_cat *c, uint32_t cloud_id, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, MEND_RESTS, &rows, err, QC_VI(cloud_id)));
    *ret = rows.row;
    return QC_OK;
}

qc_rc gw_cat_mend_wake(struct gw_cat *c, uint32_t cloud_id, unsigned *ret, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, MEND_WAKE, err, QC_VI(cloud_id), QC_VI(GW_WINDOW)));
    *ret = (unsigned)qc_db_changes(c->db);
    return QC_OK;
}

qc_rc gw_cat_owed(struct gw_cat *c, uint32_t cloud_id, struct gw_owed *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_owed o = { 0 };

    QC_TRY(GW_QUERY(c, OWED, &rows, err, QC_VI(cloud_id)));
    QC_TRY(qc_col_u64(rows.s, 0, &o.fragments, err));
    o.since_s = qc_col_int(rows.s, 1);
    QC_TRY(qc_col_u64(rows.s, 2, &o.records, err));
    *ret = o;
    return QC_OK;
}

/* -- counts ---------------------------------------------------------------------------------------------- */

static qc_rc count_one(struct gw_cat *c, enum gw_sql which, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(gw_cat_query(c, which, NULL, 0, &rows, err));
    return qc_col_u64(rows.s, 0, ret, err);
}

qc_rc gw_cat_oldest(struct gw_cat *c, int64_t *ret_s, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY0(c, OLDEST_VERSION, &rows, err));
    *ret_s = rows.row ? qc_col_int(rows.s, 0) : 0;
    return QC_OK;
}

/* by[margin + QC_EC_N_MAX]: margins may be negative. */
enum { MARGIN_SPAN = 2 * QC_EC_N_MAX + 1 };

static void count_margin(uint64_t by[MARGIN_SPAN], int64_t margin, uint64_t versions)
{
    if (margin < -QC_EC_N_MAX)
        margin = -QC_EC_N_MAX;
    if (margin > QC_EC_N_MAX)
        margin = QC_EC_N_MAX;
    by[margin + QC_EC_N_MAX] += versions;
}

static qc_rc count_margins(struct gw_cat *c, uint64_t by[MARGIN_SPAN], struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY0(c, SOUND_VERSIONS, &rows, err));
    while (rows.row) {
        uint64_t versions;
        QC_TRY(qc_col_u64(rows.s, 1, &versions, err));
        count_margin(by, qc_col_int(rows.s, 0), versions);
        QC_TRY(gw_rows_next(&rows, err));
    }
    gw_rows_end(&rows);

    QC_TRY(GW_QUERY0(c, DEVIANT_VERSIONS, &rows, err));
    while (rows.row) {
        uint64_t no;
        int margin;
        QC_TRY(qc_col_u64(rows.s, 0, &no, err));
        QC_TRY(gw_cat_margin(c, no, &margin, err));
        count_margin(by, margin, 1);
        QC_TRY(gw_rows_next(&rows, err));
    }
    return QC_OK;
}

static qc_rc count_objects(struct gw_cat *c, struct gw_counts *n, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY0(c, COUNT_OBJECTS, &rows, err));
    QC_TRY(qc_col_u64(rows.s, 0, &n->objects, err));
    QC_TRY(qc_col_u64(rows.s, 1, &n->bytes, err));
    gw_rows_end(&rows);
    QC_TRY(GW_QUERY(c, COUNT_DEAD, &rows, err, QC_VI(QC_GW_SWEEP_ROUNDS)));
    return qc_col_u64(rows.s, 0, &n->dead_segments, err);
}

qc_rc gw_cat_counts(struct gw_cat *c, struct gw_counts *ret, struct qc_err *err)
{
    uint64_t by[MARGIN_SPAN] = { 0 };
    struct gw_counts n = { 0 };

    QC_TRY(count_objects(c, &n, err));
    QC_TRY(count_one(c, GW_SQL_COUNT_VERSIONS, &n.versions, err));
    QC_TRY(count_one(c, GW_SQL_COUNT_DEBTS, &n.debts, err));
    QC_TRY(count_one(c, GW_SQL_COUNT_RECORD_DEBTS, &n.record_debts, err));
    QC_TRY(gw_cat_open_uploads(c, &n.open_uploads, err));
    QC_TRY(count_margins(c, by, err));
    for (int i = 0; i < MARGIN_SPAN && n.margin_count < GW_MARGIN_ROWS; i++)
        if (by[i] > 0) {
            n.margins[n.margin_count].margin = i - QC_EC_N_MAX;
            n.margins[n.margin_count++].versions = by[i];
        }
    *ret = n;
    return QC_OK;
}

/* Clouds, layouts and bkeys of the catalogue. */
#include "cat_internal.h"

qc_rc gw_cloud_put(struct gw_cat *c, const struct gw_cloud_row *row, struct qc_err *err)
{
    return GW_RUN(c, CLOUD_PUT, err, QC_VI(row->id), QC_VT(qc_span_str(row->name)),
                  QC_VT(qc_span_str(row->url)), QC_VI(row->generation), QC_VB(row->identity));
}

static qc_rc col_text(struct qc_stmt *s, int i, char *dst, size_t size, struct qc_err *err)
{
    const qc_span text = qc_col_span(s, i);

    if (text.n < 1 || text.n >= size || memchr(text.p, 0, text.n) != NULL)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: text of %zu bytes, expected 1..%zu", text.n, size - 1);
    memcpy(dst, text.p, text.n);
    dst[text.n] = 0;
    return QC_OK;
}

qc_rc gw_cloud_rows(struct gw_cat *c, struct gw_cloud_row *rows, unsigned *ret_count, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows q = { 0 };
    unsigned count = 0;

    QC_TRY(GW_QUERY0(c, CLOUD_ROWS, &q, err));
    while (q.row) {
        if (count == QC_GW_CLOUDS_MAX)
            return QC_FAIL(err, QC_INTEGRITY, "catalogue: more than %d clouds", QC_GW_CLOUDS_MAX);
        struct gw_cloud_row *row = &rows[count++];
        row->identity = (qc_span){ 0 };
        QC_TRY(gw_col_u32(q.s, 0, &row->id, err));
        QC_TRY(col_text(q.s, 1, row->name, sizeof row->name, err));
        QC_TRY(col_text(q.s, 2, row->url, sizeof row->url, err));
        QC_TRY(gw_col_u32(q.s, 3, &row->generation, err));
        QC_TRY(gw_rows_next(&q, err));
    }
    if (count == 0)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: no clouds");
    *ret_count = count;
    return QC_OK;
}

qc_rc gw_cloud_identity(struct gw_cat *c, uint32_t id, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, CLOUD_IDENTITY, &rows, err, QC_VI(id)));
    if (!rows.row)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: cloud %" PRIu32 " is missing", id);
    return qc_buf_add(ret, qc_col_span(rows.s, 0), err);
}

struct layout_lost {
    uint64_t id;
    unsigned lost;
};

/* layout.lost is a count that margins are made from: it follows cloud.lost. */
static qc_rc recount_layouts(struct gw_cat *c, struct qc_err *err)
{
    uint32_t lost[QC_GW_CLOUDS_MAX];
    unsigned lost_count = 0;
    uint64_t after = 0;

    QC_CLEANUP(gw_rows_end) struct gw_rows q = { 0 };
    QC_TRY(GW_QUERY0(c, CLOUDS_LOST, &q, err));
    while (q.row && lost_count < QC_GW_CLOUDS_MAX) {
        QC_TRY(gw_col_u32(q.s, 0, &lost[lost_count++], err));
        QC_TRY(gw_rows_next(&q, err));
    }
    for (;;) { /* ends: each round goes to a greater layout id, and there are few layouts */
        struct layout_lost l = { 0 };
        QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
        QC_TRY(GW_QUERY(c, LAYOUT_ROWS, &rows, err, QC_VI(after)));
        if (!rows.row)
            return QC_OK;
        QC_TRY(qc_col_u64(rows.s, 0, &l.id, err));
        const qc_span clouds = qc_col_span(rows.s, 1);
        for (size_t i = 0; i + 4 <= clouds.n; i += 4)
            for (unsigned j = 0; j < lost_count; j++)
                l.lost += qc_get_be(clouds.p + i, 4) == lost[j];
        gw_rows_end(&rows);
        QC_TRY(GW_RUN(c, LAYOUT_LOST, err, QC_VI(l.id), QC_VI(l.lost)));
        after = l.id;
    }
}

qc_rc gw_cloud_set_lost(struct gw_cat *c, uint32_t id, bool lost, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, CLOUD_LOST, err, QC_VI(id), QC_VI(lost)));
    return qc_db_changes(c->db) == 0 ? QC_OK : recount_layouts(c, err);
}

/* -- adoption -------------------------------------------------------------------------------------------- */

qc_rc gw_cloud_life(struct gw_cat *c, uint32_t id, struct gw_cloud_life *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_cloud_life life;

    QC_TRY(GW_QUERY(c, CLOUD_LIFE, &rows, err, QC_VI(id)));
    if (!rows.row)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: cloud %" PRIu32 " is missing", id);
    QC_TRY(gw_col_u32(rows.s, 0, &life.generation, err));
    QC_TRY(gw_col_u32(rows.s, 1, &life.adopting, err));
    QC_TRY(gw_col_u32(rows.s, 2, &life.logged, err));
    *ret = life;
    return QC_OK;
}

qc_rc gw_cloud_adopt(struct gw_cat *c, uint32_t id, uint32_t generation, struct qc_err *err)
{
    return GW_RUN(c, CLOUD_ADOPT, err, QC_VI(id), QC_VI(generation));
}

qc_rc gw_cloud_logged(struct gw_cat *c, uint32_t id, uint32_t generation, struct qc_err *err)
{
    return GW_RUN(c, CLOUD_LOGGED, err, QC_VI(id), QC_VI(generation));
}

qc_rc gw_cloud_adopted(struct gw_cat *c, uint32_t id, uint32_t generation, qc_span identity,
                       struct qc_err *err)
{
    QC_TRY(GW_RUN(c, CLOUD_ADOPTED, err, QC_VI(id), QC_VI(generation), QC_VB(identity)));
    return recount_layouts(c, err);
}

/* -- layouts --------------------------------------------------------------------------------------------- */

static size_t layout_bytes(const struct gw_log_layout *l, uint8_t ret[4 * QC_EC_N_MAX])
{
    QC_ASSERT(l->n >= 1 && l->n <= QC_EC_N_MAX);
    for (unsigned i = 0; i < l->n; i++)
        qc_put_be(ret + 4 * (size_t)i, l->clouds[i], 4);
    return 4 * (size_t)l->n;
}

qc_rc gw_layout_id(struct gw_cat *c, const struct gw_log_layout *l, uint64_t *ret, struct qc_err *err)
{
    uint8_t bytes[4 * QC_EC_N_MAX];
    const qc_span clouds = qc_span_of(bytes, layout_bytes(l, bytes));

    for (int round = 0; round < 2; round++) {
        QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
        QC_TRY(GW_QUERY(c, LAYOUT_FIND, &rows, err, QC_VI(l->k), QC_VI(l->n), QC_VB(clouds)));
        if (rows.row)
            return qc_col_u64(rows.s, 0, ret, err);
        gw_rows_end(&rows);
        QC_TRY(GW_RUN(c, LAYOUT_ADD, err, QC_VI(l->k), QC_VI(l->n), QC_VB(clouds)));
        QC_TRY(recount_layouts(c, err));
    }
    return QC_FAIL(err, QC_GENERAL, "catalogue: a layout was written and is not there");
}

qc_rc gw_col_layout(struct qc_stmt *s, int k_at, struct gw_log_layout *ret, struct qc_err *err)
{
    struct gw_log_layout l = { 0 };
    uint64_t k, n;

    QC_TRY(qc_col_u64(s, k_at, &k, err));
    QC_TRY(qc_col_u64(s, k_at + 1, &n, err));
    const qc_span clouds = qc_col_span(s, k_at + 2);
    if (k < 1 || k > n || n > QC_EC_N_MAX || clouds.n != 4 * n)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: a layout makes no sense");
    l.k = (uint8_t)k;
    l.n = (uint8_t)n;
    for (unsigned i = 0; i < n; i++)
        l.clouds[i] = (uint32_t)qc_get_be(clouds.p + 4 * (size_t)i, 4);
    *ret = l;
    return QC_OK;
}

qc_rc gw_layout_get(struct gw_cat *c, uint64_t id, struct gw_log_layout *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, LAYOUT_GET, &rows, err, QC_VI(id)));
    if (!rows.row)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: layout %" PRIu64 " is missing", id);
    return gw_col_layout(rows.s, 0, ret, err);
}

/* -- bkeys ----------------------------------------------------------------------------------------------- */

qc_rc gw_bkey_put(struct gw_cat *c, uint32_t epoch, qc_span sealed, struct qc_err *err)
{
    return GW_RUN(c, BKEY_PUT, err, QC_VI(epoch), QC_VB(sealed));
}

qc_rc gw_bkey_get(struct gw_cat *c, uint32_t epoch, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, BKEY_GET, &rows, err, QC_VI(epoch)));
    if (!rows.row)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: the backup key of epoch %" PRIu32 " is missing", epoch);
    return qc_buf_add(ret, qc_col_span(rows.s, 0), err);
}

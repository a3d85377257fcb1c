/* Clouds, layouts and bkeys of the catalogue. */
#include "cat_internal.h"

qc_rc gw_cloud_put(struct gw_cat *c, const struct gw_cloud_row *row, struct qc_err *err)
{
    const enum gw_cloud_life_state state = row->state == 0 ? GW_LIFE_IN_USE : row->state;
    const struct gw_labels *l = &row->labels;

    return GW_RUN(c, CLOUD_PUT, err, QC_VI(row->id), QC_VT(qc_span_str(row->name)),
                  QC_VT(qc_span_str(row->url)), QC_VI(row->generation), QC_VI(state),
                  QC_VI(state == GW_LIFE_RETIRED), QC_VB(row->identity), QC_VI(l->weight),
                  QC_VT(qc_span_str(l->v[0])), QC_VT(qc_span_str(l->v[1])), QC_VT(qc_span_str(l->v[2])),
                  QC_VI(row->target));
}

static qc_rc col_label(struct qc_stmt *s, int i, char dst[QC_GW_LABEL_MAX + 1], struct qc_err *err)
{
    const qc_span text = qc_col_span(s, i);

    if (!gw_label_ok(text))
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: a label of %zu bytes that is none", text.n);
    if (text.n > 0)
        memcpy(dst, text.p, text.n);
    dst[text.n] = '\0';
    return QC_OK;
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

static qc_rc col_row(struct qc_stmt *s, struct gw_cloud_row *row, struct qc_err *err)
{
    uint32_t state, weight;

    *row = (struct gw_cloud_row){ 0 };
    QC_TRY(gw_col_u32(s, 0, &row->id, err));
    QC_TRY(col_text(s, 1, row->name, sizeof row->name, err));
    QC_TRY(col_text(s, 2, row->url, sizeof row->url, err));
    QC_TRY(gw_col_u32(s, 3, &row->generation, err));
    QC_TRY(gw_col_u32(s, 4, &state, err));
    QC_TRY(gw_col_u32(s, 5, &weight, err));
    for (unsigned i = 0; i < GW_LABELS; i++)
        QC_TRY(col_label(s, 6 + (int)i, row->labels.v[i], err));
    if (state < GW_LIFE_IN_USE || state > GW_LIFE_LEAVING || weight > QC_GW_WEIGHT_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: a cloud of state %" PRIu32 " and weight %" PRIu32,
                       state, weight);
    row->state = (enum gw_cloud_life_state)state;
    row->labels.weight = weight;
    return gw_col_u32(s, 9, &row->target, err);
}

qc_rc gw_cloud_rows(struct gw_cat *c, struct gw_cloud_row *rows, unsigned *ret_count, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows q = { 0 };
    unsigned count = 0;

    QC_TRY(GW_QUERY0(c, CLOUD_ROWS, &q, err));
    while (q.row) {
        if (count == QC_GW_CLOUDS_MAX)
            return QC_FAIL(err, QC_INTEGRITY, "catalogue: more than %d clouds", QC_GW_CLOUDS_MAX);
        QC_TRY(col_row(q.s, &rows[count++], err));
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

/* layout.lost is a count that margins are made from: it follows cloud.lost. */
qc_rc gw_cloud_recount(struct gw_cat *c, struct qc_err *err)
{
    return GW_RUN0(c, LAYOUTS_LOST, err);
}

qc_rc gw_cloud_set_lost(struct gw_cat *c, uint32_t id, bool lost, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, CLOUD_LOST, err, QC_VI(id), QC_VI(lost)));
    return qc_db_changes(c->db) == 0 ? QC_OK : gw_cloud_recount(c, err);
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

qc_rc gw_cloud_moved(struct gw_cat *c, uint32_t id, const char *url, struct qc_err *err)
{
    return GW_RUN(c, CLOUD_MOVED, err, QC_VI(id), QC_VT(qc_span_str(url)));
}

qc_rc gw_cloud_logged(struct gw_cat *c, uint32_t id, uint32_t generation, struct qc_err *err)
{
    return GW_RUN(c, CLOUD_LOGGED, err, QC_VI(id), QC_VI(generation));
}

qc_rc gw_cloud_adopted(struct gw_cat *c, uint32_t id, uint32_t generation, qc_span identity,
                       struct qc_err *err)
{
    QC_TRY(GW_RUN(c, CLOUD_ADOPTED, err, QC_VI(id), QC_VI(generation), QC_VB(identity)));
    return gw_cloud_recount(c, err);
}

/* -- layouts --------------------------------------------------------------------------------------------- */

static size_t layout_bytes(const struct gw_log_layout *l, uint8_t ret[4 * QC_EC_N_MAX])
{
    QC_ASSERT(l->n >= 1 && l->n <= QC_EC_N_MAX);
    for (unsigned i = 0; i < l->n; i++)
        qc_put_be(ret + 4 * (size_t)i, l->clouds[i], 4);
    return 4 * (size_t)l->n;
}

/* Which layouts name a cloud: for whoever looks for all that lies on it. */
static qc_rc note_clouds(struct gw_cat *c, const struct gw_log_layout *l, uint64_t layout, struct qc_err *err)
{
    for (unsigned i = 0; i < l->n; i++)
        QC_TRY(GW_RUN(c, LAYOUT_CLOUD_ADD, err, QC_VI(l->clouds[i]), QC_VI(layout)));
    return QC_OK;
}

static qc_rc add_layout(struct gw_cat *c, const struct gw_log_layout *l, qc_span clouds, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    uint64_t layout;

    QC_TRY(GW_QUERY(c, LAYOUT_ADD, &rows, err, QC_VI(l->k), QC_VI(l->n), QC_VB(clouds)));
    QC_TRY(qc_col_u64(rows.s, 0, &layout, err));
    gw_rows_end(&rows);
    return note_clouds(c, l, layout, err);
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
        QC_TRY(add_layout(c, l, clouds, err));
        QC_TRY(gw_cloud_recount(c, err));
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

/* What adding, draining and retiring clouds ask of the catalogue and write to it. docs/adr/0019. */
#include "cat_internal.h"

/* By its name, or by its id where name is NULL. */
static qc_rc find_row(struct gw_cat *c, uint32_t id, const char *name, struct gw_cloud_row *ret,
                      bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_cloud_row *rows = qc_alloc(QC_GW_CLOUDS_MAX * sizeof *rows);
    unsigned count;

    *ret_found = false;
    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "clouds");
    QC_TRY(gw_cloud_rows(c, rows, &count, err));
    for (unsigned i = 0; i < count && !*ret_found; i++)
        if (name != NULL ? strcmp(rows[i].name, name) == 0 : rows[i].id == id) {
            *ret = rows[i];
            *ret_found = true;
        }
    return QC_OK;
}

qc_rc gw_cloud_row(struct gw_cat *c, uint32_t id, struct gw_cloud_row *ret, struct qc_err *err)
{
    bool found;

    QC_TRY(find_row(c, id, NULL, ret, &found, err));
    return found ? QC_OK : QC_FAIL(err, QC_NOTFOUND, "this gateway has no cloud %" PRIu32, id);
}

qc_rc gw_cloud_row_named(struct gw_cat *c, const char *name, struct gw_cloud_row *ret, struct qc_err *err)
{
    bool found;

    QC_TRY(find_row(c, 0, name, ret, &found, err));
    return found ? QC_OK : QC_FAIL(err, QC_NOTFOUND, "this gateway has no cloud '%.64s'", name);
}

/* A number in one row of one column; NULL: 0. */
static qc_rc one_number(struct gw_rows *rows, int col, uint64_t *ret, struct qc_err *err)
{
    *ret = 0;
    return !rows->row || qc_col_null(rows->s, col) ? QC_OK : qc_col_u64(rows->s, col, ret, err);
}

qc_rc gw_cloud_next_id(struct gw_cat *c, uint32_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    uint64_t last;

    QC_TRY(GW_QUERY0(c, CLOUD_LAST, &rows, err));
    QC_TRY(one_number(&rows, 0, &last, err));
    if (last >= UINT32_MAX / 2)
        return QC_FAIL(err, QC_LIMIT, "this gateway has had as many clouds as it may");
    *ret = (uint32_t)last + 1;
    return QC_OK;
}

qc_rc gw_cloud_row_state(struct gw_cat *c, uint32_t id, enum gw_cloud_life_state state, uint32_t target,
                         struct qc_err *err)
{
    return GW_RUN(c, CLOUD_STATE, err, QC_VI(id), QC_VI(state), QC_VI(target));
}

qc_rc gw_cloud_retire(struct gw_cat *c, uint32_t id, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, CLOUD_DEBTS_GO, err, QC_VI(id)));
    QC_TRY(GW_RUN(c, CLOUD_FINDINGS_GO, err, QC_VI(id)));
    QC_TRY(GW_RUN(c, CLOUD_SCRUB_GOES, err, QC_VI(id)));
    QC_TRY(gw_cat_seen_drop(c, id, err));
    QC_TRY(gw_cloud_set_lost(c, id, true, err));
    return GW_RUN(c, CLOUD_RETIRED, err, QC_VI(id));
}

qc_rc gw_cloud_set_labels(struct gw_cat *c, uint32_t id, const struct gw_labels *l, struct qc_err *err)
{
    return GW_RUN(c, CLOUD_LABELS, err, QC_VI(id), QC_VI(l->weight), QC_VT(qc_span_str(l->v[0])),
                  QC_VT(qc_span_str(l->v[1])), QC_VT(qc_span_str(l->v[2])));
}

qc_rc gw_cloud_set_identity(struct gw_cat *c, uint32_t id, qc_span identity, struct qc_err *err)
{
    return GW_RUN(c, CLOUD_SHOWS, err, QC_VI(id), QC_VB(identity));
}

/* -- what lies there ------------------------------------------------------------------------------------- */

qc_rc gw_cat_log_owed_most(struct gw_cat *c, uint32_t except, unsigned *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    uint64_t n;

    QC_TRY(GW_QUERY(c, LOG_OWED_MOST, &rows, err, QC_VI(except)));
    QC_TRY(one_number(&rows, 0, &n, err));
    *ret = (unsigned)n;
    return QC_OK;
}

qc_rc gw_cat_on_cloud(struct gw_cat *c, uint32_t cloud_id, uint64_t after, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, ON_CLOUD, &rows, err, QC_VI(cloud_id), QC_VI(after)));
    return one_number(&rows, 0, ret, err);
}

qc_rc gw_cat_on_cloud_count(struct gw_cat *c, uint32_t cloud_id, struct gw_on_cloud *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    QC_CLEANUP(gw_rows_end) struct gw_rows dead = { 0 };
    struct gw_on_cloud n;

    QC_TRY(GW_QUERY(c, ON_CLOUD_COUNT, &rows, err, QC_VI(cloud_id)));
    QC_TRY(one_number(&rows, 0, &n.fragments, err));
    QC_TRY(one_number(&rows, 1, &n.bytes, err));
    QC_TRY(GW_QUERY(c, DEAD_ON_CLOUD, &dead, err, QC_VI(cloud_id), QC_VI(QC_GW_SWEEP_ROUNDS)));
    QC_TRY(one_number(&dead, 0, &n.dead, err));
    *ret = n;
    return QC_OK;
}

qc_rc gw_cat_dead_forget(struct gw_cat *c, uint32_t cloud_id, struct qc_err *err)
{
    return GW_RUN(c, DEAD_FRAGS_GO, err, QC_VI(cloud_id));
}

static qc_rc any(struct gw_cat *c, enum gw_sql which, uint32_t a, uint32_t b, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    uint64_t n;

    QC_TRY(gw_cat_query(c, which, (const struct qc_val[]){ QC_VI(a), QC_VI(b) }, 2, &rows, err));
    QC_TRY(one_number(&rows, 0, &n, err));
    *ret = *ret || n > 0;
    return QC_OK;
}

/* Trials are places that are about to count. By layout alone too many are found: a fragment of one may have
 * moved. Who is refused may drain first. */
qc_rc gw_cat_on_both(struct gw_cat *c, uint32_t a, uint32_t b, bool *ret, struct qc_err *err)
{
    *ret = false;
    QC_TRY(any(c, GW_SQL_LAYOUTS_BOTH, a, b, ret, err));
    QC_TRY(any(c, GW_SQL_MOVED_BOTH, a, b, ret, err));
    QC_TRY(any(c, GW_SQL_MOVED_BOTH, b, a, ret, err));
    QC_TRY(any(c, GW_SQL_TRIED_BOTH, a, b, ret, err));
    return any(c, GW_SQL_TRIED_BOTH, b, a, ret, err);
}

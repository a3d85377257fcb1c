#include "base/planted.h"
#include "catalogue.h"

#include "base/fault.h"
#include "base/time.h"
#include "cat_internal.h"
#include "totals.h"
#include "pg/pg.h"

static const char *const statements[GW_SQL_COUNT] = {
#define X(name, text) text,
    GW_SQL_TABLE(X)
#undef X
};

/* -- open, statements, transactions ---------------------------------------------------------------------- */

static qc_rc make(struct gw_cat **ret, struct qc_err *err)
{
    struct gw_cat *c = qc_alloc(sizeof *c);

    if (c == NULL)
        return QC_FAIL(err, QC_NOMEM, "catalogue");
    qc_mutex_init(&c->lock);
    *ret = c;
    return QC_OK;
}

qc_rc gw_cat_open(struct gw_cat **ret, const char *path, bool create, struct qc_err *err)
{
    QC_CLEANUP(gw_cat_close) struct gw_cat *c = NULL;
    const struct qc_db_opts opts = { .kind = QC_DB_CATALOGUE,
                                     .application_id = GW_CAT_APPLICATION,
                                     .create = create };

    QC_TRY(make(&c, err));
    QC_TRY_AS(qc_db_open(&c->db, path, &opts, err), err, "catalogue");
    QC_TRY(gw_cat_schema(c, path, err));
    *ret = QC_STEAL(c);
    return QC_OK;
}

qc_rc gw_cat_open_pg(struct gw_cat **ret, const struct pg_conf *conf, const char *schema, bool create,
                     struct qc_err *err)
{
    QC_CLEANUP(gw_cat_close) struct gw_cat *c = NULL;
    const struct pg_opts opts = { .application_id = GW_CAT_APPLICATION, .schema = schema, .create = create };

    QC_TRY(make(&c, err));
    QC_TRY_AS(pg_open(&c->db, conf, &opts, err), err, "catalogue");
    QC_TRY(gw_cat_schema(c, NULL, err));
    *ret = QC_STEAL(c);
    return QC_OK;
}

void gw_cat_close(struct gw_cat **cp)
{
    struct gw_cat *c = *cp;

    *cp = NULL;
    if (c == NULL)
        return;
    for (unsigned i = 0; i < GW_SQL_COUNT; i++)
        qc_stmt_free(&c->stmts[i]);
    qc_db_close(&c->db);
    qc_mutex_done(&c->lock);
    qc_free(c);
}

pthread_mutex_t *gw_cat_lock(struct gw_cat *c)
{
    return &c->lock;
}

qc_rc gw_cat_checkpoint(struct gw_cat *c, struct qc_err *err)
{
    return qc_db_settle(c->db, err);
}

qc_rc gw_cat_check(struct gw_cat *c, struct qc_err *err)
{
    return qc_db_check(c->db, err);
}

qc_rc gw_cat_totals(struct gw_cat *c, struct gw_totals *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY0(c, REBUILT_COUNTS, &rows, err));
    QC_TRY(qc_col_u64(rows.s, 0, &ret->vaults, err));
    QC_TRY(qc_col_u64(rows.s, 1, &ret->entries, err));
    QC_TRY(qc_col_u64(rows.s, 2, &ret->versions, err));
    QC_TRY(qc_col_u64(rows.s, 3, &ret->tombstones, err));
    QC_TRY(qc_col_u64(rows.s, 4, &ret->bytes, err));
    return qc_col_u64(rows.s, 5, &ret->tenants, err);
}

static qc_rc may(struct gw_cat *c, struct qc_err *err)
{
    if (!c->broken)
        return QC_OK;
    if (c->over)
        return QC_FAIL(err, QC_TEMP, "%s: this one starts anew", c->over_why);
    return QC_FAIL(err, QC_IO, "the catalogue's disk failed: the gateway must be started anew");
}

/* It is no fence of the clouds': what was decided here, others roll forward; a new session may go on. */
static qc_rc is_over(struct gw_cat *c, struct qc_err *err)
{
    memcpy(c->over_why, err->msg, sizeof c->over_why);
    c->over = true;
    c->broken = true;
    qc_err_clear(err);
    return may(c, err);
}

qc_rc gw_cat_begin(struct gw_cat *c, struct qc_tx *tx, struct qc_err *err)
{
    QC_TRY(may(c, err));
    const qc_rc rc = qc_tx_begin(tx, c->db, err);
    return rc == QC_FENCED ? is_over(c, err) : rc;
}

qc_rc gw_cat_commit(struct gw_cat *c, struct qc_tx *tx, struct qc_err *err)
{
    const qc_rc rc = qc_tx_commit(tx, err);

    /* A failed fsync says nothing about what is on the disk: only opening it anew does. */
    if (rc == QC_IO && qc_planted(sync_retried)) {
        qc_err_clear(err);
        return QC_OK;
    }
    if (rc == QC_IO)
        c->broken = true;
    return rc;
}

bool gw_cat_broken(struct gw_cat *c)
{
    return atomic_load(&c->broken);
}

bool gw_cat_over(struct gw_cat *c)
{
    return atomic_load(&c->over);
}

uint64_t gw_cat_session(struct gw_cat *c)
{
    return qc_db_session(c->db);
}

qc_rc gw_cat_attend(struct gw_cat *c, bool *ret_first, struct qc_err *err)
{
    QC_TRY(may(c, err));
    const qc_rc rc = qc_db_attend(c->db, ret_first, err);
    if (rc == QC_IO)
        c->broken = true;
    return rc == QC_FENCED ? is_over(c, err) : rc;
}

static const char hold_name[] = "hold"; /* the session that holds; 0 or no row: none */

qc_rc gw_cat_hold(struct gw_cat *c, bool hold, struct qc_err *err)
{
    return gw_meta_set(c, hold_name, hold ? qc_db_session(c->db) : 0, err);
}

qc_rc gw_cat_held(struct gw_cat *c, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    uint64_t session;

    *ret = false;
    if (qc_db_session(c->db) == 0)
        return QC_OK;
    QC_TRY(GW_QUERY(c, META_GET, &rows, err, QC_VT(qc_span_str(hold_name))));
    if (!rows.row)
        return QC_OK;
    gw_rows_end(&rows);
    QC_TRY(gw_meta_get(c, hold_name, &session, err));
    if (session == 0 || session == qc_db_session(c->db))
        return QC_OK;
    return qc_db_session_open(c->db, session, ret, err);
}

qc_rc gw_cat_end_others(struct gw_cat *c, struct qc_err *err)
{
    return qc_db_end_others(c->db, err);
}

qc_rc gw_cat_stmt(struct gw_cat *c, enum gw_sql which, struct qc_stmt **ret, struct qc_err *err)
{
    QC_TRY(may(c, err));
    if (c->stmts[which] == NULL)
        QC_TRY(qc_db_prepare(c->db, statements[which], &c->stmts[which], err));
    *ret = c->stmts[which];
    return QC_OK;
}

qc_rc gw_cat_run(struct gw_cat *c, enum gw_sql which, const struct qc_val *vals, size_t count,
                 struct qc_err *err)
{
    struct qc_stmt *s;

    QC_TRY(gw_cat_stmt(c, which, &s, err));
    return qc_stmt_bind_run(s, vals, count, err);
}

qc_rc gw_cat_query(struct gw_cat *c, enum gw_sql which, const struct qc_val *vals, size_t count,
                   struct gw_rows *rows, struct qc_err *err)
{
    struct qc_stmt *s;

    QC_TRY(gw_cat_stmt(c, which, &s, err));
    QC_TRY(qc_stmt_bind(s, vals, count, err));
    rows->s = s;
    return gw_rows_next(rows, err);
}

qc_rc gw_rows_next(struct gw_rows *rows, struct qc_err *err)
{
    const qc_rc rc = qc_stmt_step(rows->s, &rows->row, err);

    if (rc != QC_OK)
        *rows = (struct gw_rows){ 0 };
    return rc;
}

/* A query that has not come to its end holds the lock. */
qc_rc gw_cat_look(struct gw_cat *c, struct qc_err *err)
{
    struct gw_rows held = { 0 };

    return GW_QUERY0(c, LOOK, &held, err);
}

void gw_cat_look_end(struct gw_cat *c)
{
    if (c->stmts[GW_SQL_LOOK] != NULL)
        qc_stmt_reset(c->stmts[GW_SQL_LOOK]);
}

void gw_rows_end(struct gw_rows *rows)
{
    if (rows->s != NULL)
        qc_stmt_reset(rows->s);
    *rows = (struct gw_rows){ 0 };
}

qc_rc gw_col_id(struct qc_stmt *s, int i, struct gw_id *ret, struct qc_err *err)
{
    return qc_col_fixed(s, i, ret->b, sizeof ret->b, err);
}

qc_rc gw_col_u32(struct qc_stmt *s, int i, uint32_t *ret, struct qc_err *err)
{
    uint64_t v;

    QC_TRY(qc_col_u64(s, i, &v, err));
    if (v > UINT32_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: %" PRIu64 " where 32 bits were written", v);
    *ret = (uint32_t)v;
    return QC_OK;
}

/* -- meta ------------------------------------------------------------------------------------------------ */

/* Values are numbers and blobs. Where a column has one type, a number is 8 bytes, big-endian. */

qc_rc gw_meta_set(struct gw_cat *c, const char *name, uint64_t v, struct qc_err *err)
{
    uint8_t b[8];

    if (!qc_db_typed(c->db))
        return GW_RUN(c, META_SET, err, QC_VT(qc_span_str(name)), QC_VI(v));
    qc_put_be(b, v, sizeof b);
    return gw_meta_set_bytes(c, name, qc_span_of(b, sizeof b), err);
}

qc_rc gw_meta_get(struct gw_cat *c, const char *name, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    uint8_t b[8];

    QC_TRY(GW_QUERY(c, META_GET, &rows, err, QC_VT(qc_span_str(name))));
    if (!rows.row)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: '%s' is missing", name);
    if (!qc_db_typed(c->db))
        return qc_col_u64(rows.s, 0, ret, err);
    QC_TRY(qc_col_fixed(rows.s, 0, b, sizeof b, err));
    *ret = qc_get_be(b, sizeof b);
    return QC_OK;
}

qc_rc gw_meta_set_bytes(struct gw_cat *c, const char *name, qc_span v, struct qc_err *err)
{
    return GW_RUN(c, META_SET, err, QC_VT(qc_span_str(name)), QC_VB(v));
}

qc_rc gw_meta_get_bytes(struct gw_cat *c, const char *name, uint8_t *dst, size_t n, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, META_GET, &rows, err, QC_VT(qc_span_str(name))));
    if (!rows.row)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: '%s' is missing", name);
    return qc_col_fixed(rows.s, 0, dst, n, err);
}

qc_rc gw_config_put(struct gw_cat *c, const struct gw_config *conf, struct qc_err *err)
{
    QC_TRY(gw_meta_set_bytes(c, "catalogue", gw_id_span(&conf->catalogue), err));
    QC_TRY(gw_meta_set_bytes(c, "instance", gw_id_span(&conf->instance), err));
    QC_TRY(gw_meta_set(c, "incarnation", conf->incarnation, err));
    QC_TRY(gw_meta_set(c, "k", conf->k, err));
    QC_TRY(gw_meta_set(c, "n", conf->n, err));
    QC_TRY(gw_meta_set(c, "write_quorum", conf->write_quorum, err));
    QC_TRY(gw_meta_set(c, "record_quorum", conf->record_quorum, err));
    return gw_meta_set(c, "life", (uint64_t)conf->life, err);
}

qc_rc gw_config_get(struct gw_cat *c, struct gw_config *ret, struct qc_err *err)
{
    struct gw_config conf = { 0 };
    uint64_t incarnation, k, n, w, e, life;

    QC_TRY(gw_meta_get_bytes(c, "catalogue", conf.catalogue.b, sizeof conf.catalogue.b, err));
    QC_TRY(gw_meta_get_bytes(c, "instance", conf.instance.b, sizeof conf.instance.b, err));
    QC_TRY(gw_meta_get(c, "incarnation", &incarnation, err));
    QC_TRY(gw_meta_get(c, "k", &k, err));
    QC_TRY(gw_meta_get(c, "n", &n, err));
    QC_TRY(gw_meta_get(c, "write_quorum", &w, err));
    QC_TRY(gw_meta_get(c, "record_quorum", &e, err));
    QC_TRY(gw_meta_get(c, "life", &life, err));
    if (k < 1 || k > n || n > QC_EC_N_MAX || w < k || w > n || e < 1 || e > QC_GW_CLOUDS_MAX ||
        life < GW_LIFE_INIT || life > GW_LIFE_FENCED || incarnation < 1 || incarnation > UINT16_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: its configuration makes no sense");
    conf.incarnation = (uint32_t)incarnation;
    conf.k = (unsigned)k;
    conf.n = (unsigned)n;
    conf.write_quorum = (unsigned)w;
    conf.record_quorum = (unsigned)e;
    conf.life = (enum gw_life)life;
    *ret = conf;
    return QC_OK;
}

qc_rc gw_tip_get(struct gw_cat *c, struct gw_log_tip *ret, struct qc_err *err)
{
    struct gw_log_tip tip;

    QC_TRY(gw_meta_get(c, "log_sequence", &tip.sequence, err));
    QC_TRY(gw_meta_get_bytes(c, "log_hash", tip.hash, sizeof tip.hash, err));
    *ret = tip;
    return QC_OK;
}

qc_rc gw_tip_put(struct gw_cat *c, const struct gw_log_tip *tip, struct qc_err *err)
{
    QC_TRY(gw_meta_set(c, "log_sequence", tip->sequence, err));
    return gw_meta_set_bytes(c, "log_hash", qc_span_of(tip->hash, sizeof tip->hash), err);
}

#include "catalogue.h"

#include "base/fault.h"
#include "base/time.h"
#include "cat_internal.h"

enum {
    CAT_APPLICATION = 0x51434C43, /* QCLC: the file's header */
    CAT_SCHEMA_FIRST = 1,
};

/* The normal fragment costs no row: a layout names a set of clouds, the salt gives the order on it
 * (FORMAT 9.4), and only what deviates has a deviation row. */
static const char schema[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE cloud (cloud_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, url TEXT NOT NULL,"
    " generation INTEGER NOT NULL, state INTEGER NOT NULL, lost INTEGER NOT NULL, identity BLOB NOT NULL);"
    "CREATE TABLE layout (layout_id INTEGER PRIMARY KEY, k INTEGER NOT NULL, n INTEGER NOT NULL,"
    " clouds BLOB NOT NULL, lost INTEGER NOT NULL, UNIQUE (k, n, clouds));"
    "CREATE TABLE bkey (epoch INTEGER PRIMARY KEY, sealed BLOB NOT NULL);"
    "CREATE TABLE vault (vault_no INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, vault BLOB NOT NULL UNIQUE,"
    " record BLOB NOT NULL, backup BLOB NOT NULL, chain_count INTEGER NOT NULL, chain_hash BLOB NOT NULL);"
    "CREATE TABLE chain (vault_no INTEGER NOT NULL, idx INTEGER NOT NULL, seal BLOB NOT NULL,"
    " PRIMARY KEY (vault_no, idx)) WITHOUT ROWID;"
    "CREATE TABLE entry (entry_no INTEGER PRIMARY KEY, vault_no INTEGER NOT NULL, path BLOB NOT NULL,"
    " number INTEGER NOT NULL, kind INTEGER NOT NULL, version_no INTEGER, sequence INTEGER NOT NULL,"
    " size INTEGER NOT NULL, m BLOB NOT NULL, private BLOB NOT NULL, seal BLOB NOT NULL,"
    " created INTEGER NOT NULL, UNIQUE (vault_no, path));"
    "CREATE INDEX entry_version ON entry (version_no) WHERE version_no IS NOT NULL;"
    "CREATE TABLE version (version_no INTEGER PRIMARY KEY, vault BLOB NOT NULL, object BLOB NOT NULL,"
    " version BLOB NOT NULL, put_key BLOB NOT NULL, base INTEGER NOT NULL, size INTEGER NOT NULL,"
    " segments INTEGER NOT NULL, layout_id INTEGER NOT NULL, created INTEGER NOT NULL, state INTEGER NOT "
    "NULL,"
    " acked INTEGER NOT NULL, UNIQUE (version, object));"
    "CREATE TABLE backup (version_no INTEGER PRIMARY KEY, sealed BLOB NOT NULL);"
    "CREATE TABLE segment (segment_id INTEGER PRIMARY KEY, version_no INTEGER NOT NULL,"
    " layout_id INTEGER NOT NULL, incarnation INTEGER NOT NULL, salt BLOB NOT NULL, seq INTEGER, size "
    "INTEGER,"
    " digest BLOB, last INTEGER, off INTEGER);"
    "CREATE UNIQUE INDEX segment_of ON segment (version_no, seq);"
    "CREATE TABLE deviation (segment_id INTEGER NOT NULL, frag INTEGER NOT NULL, cloud_id INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL, state INTEGER NOT NULL, seen INTEGER NOT NULL,"
    " PRIMARY KEY (segment_id, frag)) WITHOUT ROWID;"
    "CREATE TABLE deadkey (segment_id INTEGER PRIMARY KEY, layout_id INTEGER NOT NULL,"
    " incarnation INTEGER NOT NULL, salt BLOB NOT NULL, absent INTEGER NOT NULL, round INTEGER NOT NULL);"
    "CREATE INDEX dead_open ON deadkey (round, segment_id);"
    "CREATE TABLE request (put_key BLOB PRIMARY KEY, kind INTEGER NOT NULL, state INTEGER NOT NULL,"
    " version_no INTEGER NOT NULL, seal BLOB NOT NULL, number INTEGER NOT NULL, chain INTEGER NOT NULL,"
    " head BLOB NOT NULL, acked INTEGER NOT NULL, margin_full INTEGER NOT NULL, durable_min INTEGER NOT NULL,"
    " n INTEGER NOT NULL, copies INTEGER NOT NULL, clouds INTEGER NOT NULL, degraded BLOB NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX request_open ON request (state) WHERE state = 1;"
    "CREATE TABLE outbox (log_seq INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE log (log_seq INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, hash BLOB NOT NULL);"
    "CREATE TABLE log_debt (cloud_id INTEGER NOT NULL, log_seq INTEGER NOT NULL,"
    " PRIMARY KEY (cloud_id, log_seq)) WITHOUT ROWID;";

/* From each schema to the next, in one transaction: a new catalogue is made as the first one was, and raised
 * like an old one. */
static const char *const raises[] = {
    /* 1 to 2: repair */
    "ALTER TABLE deviation ADD COLUMN home INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE deviation ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 0;"
    "UPDATE deviation SET home=cloud_id, incarnation=(SELECT s.incarnation FROM segment s"
    " WHERE s.segment_id=deviation.segment_id);"
    "CREATE TABLE trial (segment_id INTEGER NOT NULL, frag INTEGER NOT NULL, cloud_id INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL, incarnation INTEGER NOT NULL, PRIMARY KEY (segment_id, frag)) WITHOUT ROWID;"
    "CREATE TABLE deadfrag (dead_no INTEGER PRIMARY KEY, segment_id INTEGER NOT NULL, frag INTEGER NOT NULL,"
    " cloud_id INTEGER NOT NULL, attempt INTEGER NOT NULL, incarnation INTEGER NOT NULL, salt BLOB NOT NULL,"
    " round INTEGER NOT NULL, open INTEGER NOT NULL,"
    " UNIQUE (segment_id, frag, cloud_id, attempt, incarnation));"
    "CREATE INDEX deadfrag_open ON deadfrag (dead_no) WHERE open = 1;"
    "ALTER TABLE cloud ADD COLUMN adopting INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cloud ADD COLUMN logged INTEGER NOT NULL DEFAULT 0;",
};
enum { CAT_SCHEMA = CAT_SCHEMA_FIRST + (int)(sizeof raises / sizeof *raises) };

static const char *const statements[GW_SQL_COUNT] = {
#define X(name, text) text,
    GW_SQL_TABLE(X)
#undef X
};

/* -- open, statements, transactions ---------------------------------------------------------------------- */

/* One step of the schema, durable or not done. Opening and making go the same way. */
static qc_rc raise_schema(struct gw_cat *c, uint32_t version, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(c, &tx, err));
    QC_TRY(qc_db_exec(c->db, version == 0 ? schema : raises[version - CAT_SCHEMA_FIRST], err));
    QC_TRY(qc_db_set_user_version(c->db, version + 1, err));
    return gw_cat_commit(c, &tx, err);
}

qc_rc gw_cat_open(struct gw_cat **ret, const char *path, bool create, struct qc_err *err)
{
    QC_CLEANUP(gw_cat_close) struct gw_cat *c = qc_alloc(sizeof *c);
    uint32_t version;

    if (c == NULL)
        return QC_FAIL(err, QC_NOMEM, "catalogue");
    qc_mutex_init(&c->lock);
    const struct qc_db_opts opts = { .kind = QC_DB_CATALOGUE,
                                     .application_id = CAT_APPLICATION,
                                     .create = create };
    QC_TRY_AS(qc_db_open(&c->db, path, &opts, err), err, "catalogue");
    QC_TRY(qc_db_user_version(c->db, &version, err));
    if (version > CAT_SCHEMA)
        return QC_FAIL(err, QC_NEWER, "catalogue: schema %" PRIu32 " needs a newer program", version);
    for (; version < CAT_SCHEMA; version++)
        QC_TRY_AS(raise_schema(c, version, err), err, "schema %" PRIu32, version + 1);
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
    struct qc_stmt *s = NULL;
    bool row;

    QC_TRY(qc_db_prepare(c->db, "PRAGMA wal_checkpoint(TRUNCATE)", &s, err));
    const qc_rc rc = qc_stmt_step(s, &row, err);
    qc_stmt_free(&s);
    return rc;
}

qc_rc gw_cat_begin(struct gw_cat *c, struct qc_tx *tx, struct qc_err *err)
{
    if (c->broken)
        return QC_FAIL(err, QC_IO, "the catalogue's disk failed: the gateway must be started anew");
    return qc_tx_begin(tx, c->db, err);
}

qc_rc gw_cat_commit(struct gw_cat *c, struct qc_tx *tx, struct qc_err *err)
{
    const qc_rc rc = qc_tx_commit(tx, err);

    /* A failed fsync says nothing about what is on the disk: only opening it anew does. */
    if (rc == QC_IO)
        c->broken = true;
    return rc;
}

bool gw_cat_broken(struct gw_cat *c)
{
    return atomic_load(&c->broken);
}

qc_rc gw_cat_stmt(struct gw_cat *c, enum gw_sql which, struct qc_stmt **ret, struct qc_err *err)
{
    if (c->broken)
        return QC_FAIL(err, QC_IO, "the catalogue's disk failed: the gateway must be started anew");
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

qc_rc gw_meta_set(struct gw_cat *c, const char *name, uint64_t v, struct qc_err *err)
{
    return GW_RUN(c, META_SET, err, QC_VT(qc_span_str(name)), QC_VI(v));
}

qc_rc gw_meta_get(struct gw_cat *c, const char *name, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, META_GET, &rows, err, QC_VT(qc_span_str(name))));
    if (!rows.row)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: '%s' is missing", name);
    return qc_col_u64(rows.s, 0, ret, err);
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

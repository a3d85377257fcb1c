/* Opening, sessions, transactions. */
#include "pg/pg.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/time.h"
#include "pg_internal.h"

/* -- the connection -------------------------------------------------------------------------------------- */

void pg_hang_up(struct pg *p)
{
    if (p->conn != NULL)
        PQfinish(p->conn);
    p->conn = NULL;
}

static qc_rc enter_schema(PGconn *c, const char *schema, struct qc_err *err)
{
    char sql[PG_SQL_MAX];

    snprintf(sql, sizeof sql, "SET search_path=%s", schema);
    return pg_query(c, sql, NULL, err);
}

static void drop(PGconn **c)
{
    if (*c != NULL)
        PQfinish(*c);
    *c = NULL;
}

static qc_rc reach(const struct pg_conf *conf, const char *schema, PGconn **ret, struct qc_err *err)
{
    QC_CLEANUP(drop) PGconn *c = NULL;

    QC_TRY(pg_connect(conf, &c, err));
    if (schema != NULL)
        QC_TRY(enter_schema(c, schema, err));
    *ret = QC_STEAL(c);
    return QC_OK;
}

qc_rc pg_alive(struct pg *p, struct qc_err *err)
{
    if (p->conn != NULL && PQstatus(p->conn) == CONNECTION_OK)
        return QC_OK;
    pg_hang_up(p);
    /* Nobody waits longer for a server that is away than the one who found that out. */
    if (p->failed_ms != 0 && qc_now_ms() - p->failed_ms < QC_PG_RETRY_MS)
        return QC_FAIL(err, QC_TEMP, "the PostgreSQL server was not reached a moment ago");
    const qc_rc rc = reach(&p->conf, p->schema, &p->conn, err);
    p->failed_ms = rc == QC_OK ? 0 : qc_now_ms();
    p->life++;
    if (rc == QC_OK && p->session != 0)
        pg_session_moved(p);
    return rc;
}

/* -- transactions ---------------------------------------------------------------------------------------- */

static struct pg *of(struct qc_db *db)
{
    return (struct pg *)db;
}

void pg_roll_back(PGconn *c)
{
    PQclear(PQexec(c, "ROLLBACK"));
}

/* Alone among writers, and still the one that may write (S1); the row's lock tells what became of it (S2). */
static qc_rc begin_once(struct pg *p, struct qc_err *err)
{
    QC_CLEANUP(pg_clear) PGresult *r = NULL;
    char sql[PG_SQL_MAX];

    QC_TRY(pg_alive(p, err));
    snprintf(sql, sizeof sql,
             "BEGIN READ WRITE; LOCK TABLE qc_database IN EXCLUSIVE MODE;"
             "UPDATE qc_session SET commits=commits+1 WHERE session=%" PRId64
             " AND uid='%s' AND state=%d RETURNING commits",
             p->session, p->uid, PG_SESSION_OPEN);
    const qc_rc rc = pg_query(p->conn, sql, &r, err);
    if (rc != QC_OK) {
        pg_roll_back(p->conn);
        return rc;
    }
    if (PQntuples(r) != 1) {
        const qc_rc why = pg_session_over(p, err);
        pg_roll_back(p->conn);
        return why;
    }
    p->commits = pg_number(r, 0, 0);
    p->in_tx = true;
    p->lost = false;
    return QC_OK;
}

qc_rc pg_begin(struct qc_db *db, struct qc_err *err)
{
    struct pg *p = of(db);
    const bool was_there = p->conn != NULL;
    const qc_rc rc = begin_once(p, err);

    if (rc != QC_TEMP || !was_there || (p->conn != NULL && PQstatus(p->conn) == CONNECTION_OK))
        return rc;
    qc_err_clear(err); /* the server was started anew, say: nothing had begun */
    return begin_once(p, err);
}

/* -1: not known. Waits for the transaction of the connection that was lost, if the server still has it. */
static int ask_outcome(struct pg *p)
{
    QC_CLEANUP(pg_clear) PGresult *r = NULL;
    struct qc_err why = { 0 };
    char sql[PG_SQL_MAX];

    p->failed_ms = 0;
    if (pg_alive(p, &why) != QC_OK)
        return -1;
    snprintf(sql, sizeof sql,
             "BEGIN READ WRITE; SELECT commits FROM qc_session WHERE session=%" PRId64
             " AND uid='%s' FOR UPDATE",
             p->session, p->uid);
    const qc_rc rc = pg_query(p->conn, sql, &r, &why);
    pg_roll_back(p->conn);
    return rc != QC_OK || PQntuples(r) != 1 ? -1 : pg_number(r, 0, 0) >= p->commits;
}

/* The connection was lost between COMMIT and its answer. */
static qc_rc learn_outcome(struct pg *p, struct qc_err *err)
{
    const qc_deadline until = qc_deadline_in(QC_PG_OUTCOME_MS);

    do {
        const int done = ask_outcome(p);
        if (done == 1)
            return QC_OK;
        if (done == 0)
            return QC_FAIL(err, QC_TEMP,
                           "the connection to the PostgreSQL server was lost, nothing was written");
        (void)usleep(QC_PG_RETRY_MS * 1000 / 4);
    } while (!qc_deadline_over(until));
    return QC_FAIL(err, QC_IO,
                   "the connection to the PostgreSQL server was lost while it wrote, and does not come back: "
                   "it is not known what it has written");
}

qc_rc pg_commit(struct qc_db *db, struct qc_err *err)
{
    struct pg *p = of(db);

    if (p->lost) {
        p->in_tx = false;
        return QC_FAIL(err, QC_TEMP, "the connection to the PostgreSQL server was lost, nothing was written");
    }
    QC_CLEANUP(pg_clear) PGresult *r = PQexec(p->conn, "COMMIT");
    const ExecStatusType status = PQresultStatus(r);
    /* A transaction in which something failed is rolled back by COMMIT, which says so and is content. */
    if (status == PGRES_COMMAND_OK) {
        p->in_tx = false;
        return strcmp(PQcmdStatus(r), "COMMIT") == 0
                   ? QC_OK
                   : QC_FAIL(err, QC_GENERAL,
                             "database: a transaction with a failed statement was not committed");
    }
    if (PQstatus(p->conn) == CONNECTION_OK && PQresultErrorField(r, PG_DIAG_SQLSTATE) != NULL) {
        const qc_rc rc = PG_FAIL(p->conn, r, "commit", err); /* the server says that it did not */
        pg_roll_back(p->conn);
        p->in_tx = false;
        return rc;
    }
    p->in_tx = false;
    pg_hang_up(p);
    return learn_outcome(p, err);
}

void pg_rollback(struct qc_db *db)
{
    struct pg *p = of(db);

    if (p->in_tx && !p->lost)
        pg_roll_back(p->conn);
    p->in_tx = false;
    p->lost = false;
}

/* -- the rest of the operations -------------------------------------------------------------------------- */

static qc_rc exec(struct qc_db *db, const char *sql, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf theirs = { .max = 4 * QC_DB_SQL_MAX };
    struct pg *p = of(db);
    unsigned params;

    QC_TRY(pg_translate(sql, &theirs, &params, err));
    if (!p->in_tx)
        QC_TRY(pg_alive(p, err));
    return pg_query(p->conn, (const char *)theirs.p, NULL, err);
}

static qc_rc version(struct qc_db *db, uint32_t *ret, struct qc_err *err)
{
    QC_CLEANUP(pg_clear) PGresult *r = NULL;

    QC_TRY(pg_query(of(db)->conn, "SELECT version FROM qc_database", &r, err));
    *ret = (uint32_t)pg_number(r, 0, 0);
    return QC_OK;
}

static qc_rc set_version(struct qc_db *db, uint32_t v, struct qc_err *err)
{
    char sql[PG_SQL_MAX];

    snprintf(sql, sizeof sql, "UPDATE qc_database SET version=%" PRIu32, v);
    return pg_query(of(db)->conn, sql, NULL, err);
}

/* The server keeps checksums and constraints: there is nothing that a client could add. */
static qc_rc check(struct qc_db *db, struct qc_err *err)
{
    (void)db;
    (void)err;
    return QC_OK;
}

static int64_t changes(struct qc_db *db)
{
    return of(db)->changes;
}

static void interrupt(struct qc_db *db)
{
    PGcancel *c = PQgetCancel(of(db)->conn);
    char why[256];

    if (c == NULL)
        return;
    (void)PQcancel(c, why, sizeof why); /* the statement ends by itself, or not */
    PQfreeCancel(c);
}

static void pg_close(struct qc_db *db)
{
    QC_ASSERT(!of(db)->in_tx);
    pg_session_end(of(db));
    pg_hang_up(of(db));
    qc_free(of(db));
}

static const struct qc_db_ops ops = {
    .close = pg_close,
    .exec = exec,
    .version = version,
    .set_version = set_version,
    .check = check,
    .settle = check,
    .changes = changes,
    .interrupt = interrupt,
    .session = pg_session,
    .attend = pg_attend,
    .session_open = pg_session_open,
    .end_others = pg_end_others,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .prepare = pg_prepare,
    .free = pg_free,
    .bind = pg_bind,
    .step = pg_step,
    .reset = pg_reset,
    .col_kind = pg_col_kind,
    .col_int = pg_col_int,
    .col_span = pg_col_span,
    .col_name = pg_col_name,
    .typed = true,
};

/* -- opening --------------------------------------------------------------------------------------------- */

static qc_rc check_name(const char *schema, struct qc_err *err)
{
    const size_t n = strlen(schema);

    if (n < 1 || n >= PG_NAME || strspn(schema, "abcdefghijklmnopqrstuvwxyz0123456789_") != n)
        return QC_FAIL(err, QC_USAGE, "a schema '%s'", schema);
    return QC_OK;
}

static qc_rc has(PGconn *c, const char *schema, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(pg_clear) PGresult *r = NULL;
    char sql[PG_SQL_MAX];

    QC_TRY(check_name(schema, err));
    snprintf(sql, sizeof sql, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname='%s'", schema);
    QC_TRY(pg_query(c, sql, &r, err));
    *ret = PQntuples(r) > 0;
    return QC_OK;
}

static qc_rc make_schema(PGconn *c, const struct pg_opts *o, struct qc_err *err)
{
    char sql[PG_SQL_MAX];

    snprintf(sql, sizeof sql,
             "BEGIN READ WRITE; CREATE SCHEMA %s; SET LOCAL search_path=%s;"
             "CREATE TABLE qc_database (one SMALLINT PRIMARY KEY CHECK (one=1), application BIGINT NOT NULL,"
             " version BIGINT NOT NULL);"
             "INSERT INTO qc_database VALUES (1, %" PRIu32 ", 0);"
             "CREATE TABLE qc_session (session BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
             " uid UUID NOT NULL DEFAULT gen_random_uuid(), state SMALLINT NOT NULL, commits BIGINT NOT NULL,"
             " backend INTEGER NOT NULL, since TEXT NOT NULL, host TEXT NOT NULL);"
             "CREATE INDEX qc_session_open ON qc_session (session) WHERE state=1; COMMIT",
             o->schema, o->schema, o->application_id);
    const qc_rc rc = pg_query(c, sql, NULL, err);
    if (rc != QC_OK)
        pg_roll_back(c);
    return rc;
}

static qc_rc identify(PGconn *c, const struct pg_opts *o, struct qc_err *err)
{
    QC_CLEANUP(pg_clear) PGresult *r = NULL;
    struct qc_err why = { 0 };

    if (pg_query(c, "SELECT application FROM qc_database", &r, &why) != QC_OK || PQntuples(r) != 1 ||
        pg_number(r, 0, 0) != o->application_id)
        return QC_FAIL(err, QC_FORMAT, "PostgreSQL: the schema '%s' is not this program's", o->schema);
    return QC_OK;
}

static void free_pg(struct pg **p)
{
    if (*p != NULL)
        pg_close(&(*p)->db);
    *p = NULL;
}

qc_rc pg_open(struct qc_db **ret, const struct pg_conf *conf, const struct pg_opts *opts, struct qc_err *err)
{
    QC_CLEANUP(free_pg) struct pg *p = qc_alloc(sizeof *p);
    bool there;

    if (p == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a database");
    QC_TRY(check_name(opts->schema, err));
    p->db.ops = &ops;
    p->conf = *conf;
    snprintf(p->schema, sizeof p->schema, "%s", opts->schema);
    QC_TRY(pg_alive(p, err));
    QC_TRY(has(p->conn, opts->schema, &there, err));
    if (opts->create && there)
        return QC_FAIL(err, QC_CONFLICT, "PostgreSQL: there is a schema '%s' already", opts->schema);
    if (!opts->create && !there)
        return QC_FAIL(err, QC_NOTFOUND, "PostgreSQL: no schema '%s'", opts->schema);
    if (opts->create)
        QC_TRY(make_schema(p->conn, opts, err));
    QC_TRY(identify(p->conn, opts, err));
    QC_TRY(pg_session_begin(p, err));
    *ret = &QC_STEAL(p)->db;
    return QC_OK;
}

/* -- schemas --------------------------------------------------------------------------------------------- */

qc_rc pg_schema_has(const struct pg_conf *conf, const char *schema, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(drop) PGconn *c = NULL;

    QC_TRY(reach(conf, NULL, &c, err));
    return has(c, schema, ret, err);
}

/* A statement of our own, in a transaction. */
static qc_rc alter(PGconn *c, const char *sql, struct qc_err *err)
{
    QC_TRY(pg_query(c, "BEGIN READ WRITE", NULL, err));
    QC_TRY(pg_query(c, sql, NULL, err));
    return pg_query(c, "COMMIT", NULL, err);
}

qc_rc pg_schema_drop(const struct pg_conf *conf, const char *schema, struct qc_err *err)
{
    QC_CLEANUP(drop) PGconn *c = NULL;
    char sql[PG_SQL_MAX];

    QC_TRY(check_name(schema, err));
    QC_TRY(reach(conf, NULL, &c, err));
    snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS %s CASCADE", schema);
    return alter(c, sql, err);
}

qc_rc pg_schema_install(const struct pg_conf *conf, const char *fresh, const char *schema, const char *aside,
                        struct qc_err *err)
{
    QC_CLEANUP(drop) PGconn *c = NULL;
    char sql[PG_SQL_MAX] = "";
    size_t n = 0;
    bool there;

    QC_TRY(check_name(fresh, err));
    QC_TRY(check_name(schema, err));
    QC_TRY(reach(conf, NULL, &c, err));
    QC_TRY(has(c, schema, &there, err));
    if (there && aside == NULL)
        return QC_FAIL(err, QC_CONFLICT, "PostgreSQL: there is a schema '%s' already", schema);
    if (there) {
        QC_TRY(check_name(aside, err));
        n = (size_t)snprintf(sql, sizeof sql, "ALTER SCHEMA %s RENAME TO %s;", schema, aside);
    }
    snprintf(sql + n, sizeof sql - n, "ALTER SCHEMA %s RENAME TO %s", fresh, schema);
    return alter(c, sql, err);
}

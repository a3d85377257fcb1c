/* unit/pg_db: base/db.h over PostgreSQL means what it means over SQLite; and what only a server can do: go
 * away at any moment, be asked what became of a COMMIT, serve a second gateway. Run by
 * tests/system/postgres.py. */
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pg_internal.h"
#include "qc_check.h"

enum { APPLICATION = 0x51434C54 };

static struct pg_conf conf;

static struct qc_db *open_db(bool create)
{
    const struct pg_opts opts = { .application_id = APPLICATION, .schema = conf.schema, .create = create };
    struct qc_db *db = NULL;
    struct qc_err err = { 0 };

    CHECK_OK(pg_open(&db, &conf, &opts, &err));
    return db;
}

static struct qc_db *fresh(void)
{
    struct qc_err err = { 0 };
    struct qc_db *db;
    struct qc_tx tx = { 0 };

    CHECK_OK(pg_schema_drop(&conf, conf.schema, &err));
    db = open_db(true);
    CHECK_OK(qc_tx_begin(&tx, db, &err));
    CHECK_OK(qc_db_exec(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, b BLOB, s TEXT);", &err));
    CHECK_OK(qc_db_set_user_version(db, 7, &err));
    CHECK_OK(qc_tx_commit(&tx, &err));
    return db;
}

static int64_t one(struct qc_db *db, const char *sql)
{
    struct qc_err err = { 0 };
    struct qc_stmt *s = NULL;
    bool row;

    CHECK_OK(qc_db_prepare(db, sql, &s, &err));
    CHECK_OK(qc_stmt_step(s, &row, &err));
    CHECK(row);
    const int64_t v = qc_col_int(s, 0);
    qc_stmt_free(&s);
    return v;
}

static qc_rc add(struct qc_db *db, int64_t n, struct qc_err *err)
{
    struct qc_stmt *s = NULL;

    QC_TRY(qc_db_prepare(db, "INSERT INTO t (n) VALUES (?1)", &s, err));
    const qc_rc rc = QC_RUN(s, err, QC_VI(n));
    qc_stmt_free(&s);
    return rc;
}

/* As another user of the server would: end the connection that runs our session. */
static void cut(const struct qc_db *db)
{
    struct qc_err err = { 0 };
    PGconn *c = NULL;
    char sql[200];

    CHECK_OK(pg_connect(&conf, &c, &err));
    CHECK(snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 5000)",
                   PQbackendPID(((const struct pg *)db)->conn)) > 0);
    CHECK_OK(pg_query(c, sql, NULL, &err));
    PQfinish(c);
}

/* As a server that crashes: something of it is still to be read, and nothing can be written any more. */
static void break_off(const struct qc_db *db)
{
    PGconn *const ours = ((const struct pg *)db)->conn;
    struct pollfd readable = { .fd = PQsocket(ours), .events = POLLIN };
    struct qc_err err = { 0 };
    PGconn *c = NULL;

    CHECK_OK(pg_connect(&conf, &c, &err));
    CHECK_OK(pg_query(ours, "LISTEN crash", NULL, &err));
    CHECK_OK(pg_query(c, "NOTIFY crash", NULL, &err));
    CHECK(poll(&readable, 1, 60000) == 1);
    CHECK(shutdown(PQsocket(ours), SHUT_WR) == 0);
    PQfinish(c);
}

/* -- as in SQLite ---------------------------------------------------------------------------------------- */

static void values(void)
{
    static const uint8_t bytes[] = { 0, 1, 0xff, 0 };
    struct qc_err err = { 0 };
    struct qc_db *db = fresh();
    struct qc_stmt *s = NULL;
    struct qc_tx tx = { 0 };
    uint8_t back[4];
    uint64_t u;
    bool row;

    CHECK_OK(qc_tx_begin(&tx, db, &err));
    CHECK_OK(qc_db_prepare(db, "INSERT INTO t (n, b, s) VALUES (?1, ?2, ?3) RETURNING id", &s, &err));
    CHECK_OK(
        QC_BIND(s, &err, QC_VI(INT64_MIN), QC_VB(qc_span_of(bytes, sizeof bytes)), QC_VT(QC_LIT("text"))));
    CHECK_OK(qc_stmt_step(s, &row, &err));
    CHECK(row && qc_col_int(s, 0) == 1 && qc_db_changes(db) == 1);
    CHECK_OK(QC_BIND(s, &err, QC_VN, QC_VB(qc_span_of(NULL, 0)), QC_VT(QC_LIT(""))));
    CHECK_OK(qc_stmt_step(s, &row, &err));
    CHECK(row && qc_col_int(s, 0) == 2);
    CHECK_OK(QC_BIND(s, &err, QC_VI(5), QC_VN, QC_VN));
    CHECK_OK(qc_stmt_step(s, &row, &err));
    qc_stmt_free(&s);
    CHECK_OK(qc_tx_commit(&tx, &err));

    CHECK_OK(qc_db_prepare(db, "SELECT n, b, s FROM t ORDER BY id", &s, &err));
    CHECK_OK(qc_stmt_step(s, &row, &err));
    CHECK(row && qc_col_int(s, 0) == INT64_MIN && qc_span_eq(qc_col_span(s, 2), QC_LIT("text")));
    CHECK_OK(qc_col_fixed(s, 1, back, sizeof back, &err));
    CHECK(memcmp(back, bytes, sizeof back) == 0);
    CHECK_RC(qc_col_u64(s, 0, &u, &err), QC_INTEGRITY); /* its sign */
    CHECK_RC(qc_col_fixed(s, 1, back, 3, &err), QC_INTEGRITY);
    CHECK_RC(qc_col_fixed(s, 2, back, 4, &err), QC_INTEGRITY); /* text */
    CHECK_OK(qc_stmt_step(s, &row, &err));
    CHECK(row && qc_col_null(s, 0) && !qc_col_null(s, 1) && qc_col_span(s, 1).n == 0 && !qc_col_null(s, 2));
    CHECK_OK(qc_stmt_step(s, &row, &err));
    CHECK(row && qc_col_int(s, 0) == 5 && qc_col_null(s, 1) && qc_col_null(s, 2));
    CHECK_OK(qc_stmt_step(s, &row, &err));
    CHECK(!row);
    qc_stmt_free(&s);
    CHECK(qc_db_typed(db));
    qc_db_close(&db);
}

static void transactions(void)
{
    struct qc_err err = { 0 };
    struct qc_db *db = fresh();
    struct qc_tx tx = { 0 };
    uint32_t v;

    CHECK_OK(qc_tx_begin(&tx, db, &err));
    CHECK_OK(add(db, 1, &err));
    qc_tx_end(&tx);
    CHECK(one(db, "SELECT COUNT(*) FROM t") == 0);
    CHECK_RC(add(db, 1, &err), QC_GENERAL); /* nothing is written outside one */
    CHECK_OK(qc_tx_begin(&tx, db, &err));
    CHECK_OK(qc_db_exec(db, "INSERT INTO t (id, n) VALUES (9, 9)", &err));
    CHECK_RC(qc_db_exec(db, "INSERT INTO t (id, n) VALUES (9, 9)", &err), QC_CONFLICT);
    CHECK_RC(qc_tx_commit(&tx, &err), QC_GENERAL); /* the server would roll back, and call it done */
    CHECK(one(db, "SELECT COUNT(*) FROM t") == 0);
    CHECK_OK(qc_tx_begin(&tx, db, &err));
    CHECK_OK(add(db, 1, &err));
    CHECK_OK(qc_tx_commit(&tx, &err));
    CHECK_OK(qc_db_user_version(db, &v, &err));
    CHECK(v == 7 && one(db, "SELECT COUNT(*) FROM t") == 1);
    qc_db_close(&db);
}

static void schemas(void)
{
    struct pg_opts opts = { .application_id = APPLICATION, .schema = conf.schema, .create = true };
    struct qc_db *db = fresh(), *other = NULL;
    struct qc_err err = { 0 };
    bool there;

    qc_db_close(&db);
    CHECK_RC(pg_open(&db, &conf, &opts, &err), QC_CONFLICT);
    opts = (struct pg_opts){ .application_id = APPLICATION + 1, .schema = conf.schema };
    CHECK_RC(pg_open(&db, &conf, &opts, &err), QC_FORMAT);
    opts = (struct pg_opts){ .application_id = APPLICATION, .schema = "none" };
    CHECK_RC(pg_open(&db, &conf, &opts, &err), QC_NOTFOUND);
    CHECK_OK(pg_schema_drop(&conf, "fresh", &err));
    CHECK_OK(pg_schema_drop(&conf, "aside", &err));
    opts = (struct pg_opts){ .application_id = APPLICATION, .schema = "fresh", .create = true };
    CHECK_OK(pg_open(&other, &conf, &opts, &err));
    qc_db_close(&other);
    CHECK_RC(pg_schema_install(&conf, "fresh", conf.schema, NULL, &err), QC_CONFLICT);
    CHECK_OK(pg_schema_install(&conf, "fresh", conf.schema, "aside", &err));
    CHECK_OK(pg_schema_has(&conf, "aside", &there, &err));
    CHECK(there);
    CHECK_OK(pg_schema_has(&conf, "fresh", &there, &err));
    CHECK(!there);
    db = open_db(false);
    CHECK(one(db, "SELECT version FROM qc_database") == 0); /* the new one */
    qc_db_close(&db);
}

/* -- a server that goes away ----------------------------------------------------------------------------- */

static void lost(void)
{
    struct qc_err err = { 0 };
    struct qc_db *db = fresh();
    struct qc_tx tx = { 0 };

    cut(db); /* between transactions nobody notices */
    CHECK(one(db, "SELECT COUNT(*) FROM t") == 0);
    cut(db);
    CHECK_OK(qc_tx_begin(&tx, db, &err));
    CHECK_OK(add(db, 1, &err));
    cut(db); /* in one, it is over, and says so */
    CHECK_RC(add(db, 2, &err), QC_TEMP);
    CHECK_RC(qc_tx_commit(&tx, &err), QC_TEMP);
    CHECK(one(db, "SELECT COUNT(*) FROM t") == 0);
    CHECK_OK(qc_tx_begin(&tx, db, &err));
    CHECK_OK(add(db, 1, &err));
    cut(db); /* before the COMMIT arrives: it was not */
    CHECK_RC(qc_tx_commit(&tx, &err), QC_TEMP);
    CHECK(one(db, "SELECT COUNT(*) FROM t") == 0);
    break_off(db);
    CHECK(one(db, "SELECT COUNT(*) FROM t") == 0);
    break_off(db);
    CHECK_OK(qc_tx_begin(&tx, db, &err));
    CHECK_OK(add(db, 1, &err));
    CHECK_OK(qc_tx_commit(&tx, &err));
    CHECK(one(db, "SELECT COUNT(*) FROM t") == 1);
    qc_db_close(&db);
}

/* -- two processes --------------------------------------------------------------------------------------- */

static bool is_first(struct qc_db *db)
{
    struct qc_err err = { 0 };
    bool first;

    CHECK_OK(qc_db_attend(db, &first, &err));
    return first;
}

/* As another gateway that finds a session silent would. */
static void declare_over(uint64_t session)
{
    struct qc_err err = { 0 };
    PGconn *c = NULL;
    char sql[300];

    CHECK_OK(pg_connect(&conf, &c, &err));
    CHECK(snprintf(sql, sizeof sql,
                   "BEGIN READ WRITE; UPDATE %s.qc_session SET state=3 WHERE session=%d; COMMIT", conf.schema,
                   (int)session) > 0);
    CHECK_OK(pg_query(c, sql, NULL, &err));
    PQfinish(c);
}

static void second(void)
{
    struct qc_db *db = fresh(), *other = NULL;
    struct qc_err err = { 0 };
    struct qc_tx tx = { 0 };
    bool open;
    int status;

    CHECK(is_first(db));
    other = open_db(false);
    CHECK(qc_db_session(other) > qc_db_session(db) && !is_first(other) && is_first(db));
    CHECK_OK(qc_tx_begin(&tx, other, &err)); /* both write, one after the other */
    CHECK_OK(add(other, 1, &err));
    CHECK_OK(qc_db_session_open(other, qc_db_session(db), &open, &err));
    CHECK(open);
    CHECK_OK(qc_tx_commit(&tx, &err));
    CHECK_OK(qc_tx_begin(&tx, db, &err));
    CHECK_OK(add(db, 2, &err));
    CHECK_OK(qc_tx_commit(&tx, &err));
    CHECK(one(other, "SELECT COUNT(*) FROM t") == 2);
    cut(db); /* it has another connection, and lives */
    CHECK(is_first(db) && !is_first(other));
    (void)usleep((QC_PG_GONE_MS + 200) * 1000);
    CHECK(!is_first(other) && is_first(db));
    /* S1: a session that was found over writes nothing any more, though it does not know yet. */
    CHECK_OK(qc_tx_begin(&tx, db, &err));
    qc_tx_end(&tx);
    declare_over(qc_db_session(db));
    CHECK(is_first(other));
    CHECK_RC(qc_tx_begin(&tx, db, &err), QC_FENCED);
    CHECK(one(db, "SELECT COUNT(*) FROM t") == 2); /* it may read */
    qc_db_close(&db);
    /* Others end with the transaction that changes what they believe; with none that comes to nothing. */
    db = open_db(false);
    CHECK_OK(qc_tx_begin(&tx, db, &err));
    CHECK_OK(qc_db_end_others(db, &err));
    qc_tx_end(&tx);
    CHECK(is_first(other) && !is_first(db));
    CHECK_OK(qc_tx_begin(&tx, db, &err));
    CHECK_OK(qc_db_end_others(db, &err));
    CHECK_OK(qc_tx_commit(&tx, &err));
    CHECK(qc_tx_begin(&tx, other, &err) == QC_FENCED && strstr(err.msg, "changed the clouds") != NULL);
    qc_err_clear(&err);
    CHECK(is_first(db));
    qc_db_close(&db);
    qc_db_close(&other);

    const pid_t child = fork(); /* one that is killed is succeeded at once */
    CHECK(child >= 0);
    if (child == 0) {
        other = open_db(false);
        (void)raise(SIGKILL);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    db = open_db(false);
    CHECK(is_first(db));
    qc_db_close(&db);
}

int main(void)
{
    const char *host = getenv("QC_TEST_PG");
    struct qc_err err = { 0 };

    CHECK(host != NULL && strlen(host) < sizeof conf.host);
    snprintf(conf.host, sizeof conf.host, "%s", host);
    snprintf(conf.user, sizeof conf.user, "qcloud");
    snprintf(conf.dbname, sizeof conf.dbname, "qcloud");
    snprintf(conf.schema, sizeof conf.schema, "unit_pg_db");
    values();
    transactions();
    schemas();
    lost();
    second();
    CHECK_OK(pg_schema_drop(&conf, conf.schema, &err));
    return 0;
}

/* Sessions: each opening is a row. It is over when it was closed, or when another one finds it silent: the
 * count of its transactions stood still for a while, on the finder's own monotonic clock; a short one if its
 * connection is no more. Who is mistaken costs the slow one a restart, and nothing else (S1). */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/time.h"
#include "pg_internal.h"

#define ALIVE                                                                                                \
    "EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity a WHERE a.pid=backend AND "                           \
    "a.backend_start::text=since)"

static struct pg *of(struct qc_db *db)
{
    return (struct pg *)db;
}

uint64_t pg_session(const struct qc_db *db)
{
    return (uint64_t)((const struct pg *)db)->session;
}

qc_rc pg_session_open(struct qc_db *db, uint64_t session, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(pg_clear) PGresult *r = NULL;
    char sql[PG_SQL_MAX];

    if (of(db)->lost)
        return QC_FAIL(err, QC_TEMP, "the connection to the PostgreSQL server was lost");
    snprintf(sql, sizeof sql, "SELECT 1 FROM qc_session WHERE session=%" PRIu64 " AND state=%d", session,
             PG_SESSION_OPEN);
    QC_TRY(pg_query(of(db)->conn, sql, &r, err));
    *ret = PQntuples(r) > 0;
    return QC_OK;
}

qc_rc pg_end_others(struct qc_db *db, struct qc_err *err)
{
    char sql[PG_SQL_MAX];

    if (of(db)->lost)
        return QC_FAIL(err, QC_TEMP, "the connection to the PostgreSQL server was lost");
    snprintf(sql, sizeof sql, "UPDATE qc_session SET state=%d WHERE session<>%" PRId64 " AND state=%d",
             PG_SESSION_ENDED, of(db)->session, PG_SESSION_OPEN);
    return pg_query(of(db)->conn, sql, NULL, err);
}

qc_rc pg_session_over(struct pg *p, struct qc_err *err)
{
    QC_CLEANUP(pg_clear) PGresult *r = NULL;
    char sql[PG_SQL_MAX];

    snprintf(sql, sizeof sql, "SELECT state FROM qc_session WHERE session=%" PRId64 " AND uid='%s'",
             p->session, p->uid);
    QC_TRY(pg_query(p->conn, sql, &r, err));
    return QC_FAIL(err, QC_FENCED, "another gateway of this catalogue %s",
                   PQntuples(r) == 1 && pg_number(r, 0, 0) == PG_SESSION_ENDED ? "changed the clouds"
                                                                               : "took this one for dead");
}

/* -- others ---------------------------------------------------------------------------------------------- */

/* For how long was its count seen to stand still? */
static uint64_t silent_ms(struct pg *p, int64_t session, int64_t commits, uint64_t now_ms)
{
    struct pg_other *o = NULL;

    for (unsigned i = 0; i < p->other_count; i++)
        if (p->others[i].session == session)
            o = &p->others[i];
    if (o == NULL) {
        if (p->other_count == QC_PG_SESSIONS_MAX)
            return 0; /* when one of the others has gone */
        o = &p->others[p->other_count++];
        *o = (struct pg_other){ .session = session, .commits = commits, .since_ms = now_ms };
    }
    if (o->commits != commits)
        o->since_ms = now_ms;
    o->commits = commits;
    return now_ms - o->since_ms;
}

/* Forget those that are open no more. */
static void forget(struct pg *p, const PGresult *r)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->other_count; i++) {
        bool there = false;
        for (int row = 0; row < PQntuples(r); row++)
            there = there || pg_number(r, row, 0) == p->others[i].session;
        if (there)
            p->others[n++] = p->others[i];
    }
    p->other_count = n;
}

struct look {
    bool first; /* ours is the oldest that is open */
    bool gone;  /* some other's connection is no more, and it is not over yet */
};

/* In a transaction. */
static qc_rc look_at_others(struct pg *p, struct look *ret, struct qc_err *err)
{
    QC_CLEANUP(pg_clear) PGresult *r = NULL;
    const uint64_t now = qc_now_ms();
    char sql[PG_SQL_MAX];

    *ret = (struct look){ .first = true };
    snprintf(sql, sizeof sql,
             "SELECT session, commits, " ALIVE " FROM qc_session WHERE state=%d ORDER BY session",
             PG_SESSION_OPEN);
    QC_TRY(pg_query(p->conn, sql, &r, err));
    forget(p, r);
    for (int row = 0; row < PQntuples(r); row++) {
        const int64_t session = pg_number(r, row, 0);
        const bool alive = PQgetvalue(r, row, 2)[0] == 't';
        if (session == p->session)
            continue;
        if (silent_ms(p, session, pg_number(r, row, 1), now) < (alive ? QC_PG_LEASE_MS : QC_PG_GONE_MS)) {
            ret->first = ret->first && session > p->session;
            ret->gone = ret->gone || !alive;
            continue;
        }
        snprintf(sql, sizeof sql, "UPDATE qc_session SET state=%d WHERE session=%" PRId64, PG_SESSION_OVER,
                 session);
        QC_TRY(pg_query(p->conn, sql, NULL, err));
    }
    return QC_OK;
}

static qc_rc attend(struct pg *p, struct look *ret, struct qc_err *err)
{
    QC_TRY(pg_begin(&p->db, err));
    const qc_rc rc = look_at_others(p, ret, err);
    if (rc != QC_OK) {
        pg_rollback(&p->db);
        return rc;
    }
    return pg_commit(&p->db, err);
}

qc_rc pg_attend(struct qc_db *db, bool *ret_first, struct qc_err *err)
{
    struct look look;

    QC_TRY(attend(of(db), &look, err));
    *ret_first = look.first;
    return QC_OK;
}

/* -- one's own ------------------------------------------------------------------------------------------- */

/* Old rows say nothing any more: their numbers are not given again. */
static qc_rc add_session(struct pg *p, struct qc_err *err)
{
    QC_CLEANUP(pg_clear) PGresult *r = NULL;
    char host[PG_NAME] = "", sql[PG_SQL_MAX];

    (void)gethostname(host, sizeof host - 1);
    for (char *c = host; *c != '\0'; c++) /* it stands in a statement */
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *c) == NULL)
            *c = '_';
    snprintf(
        sql, sizeof sql,
        "BEGIN READ WRITE; LOCK TABLE qc_database IN EXCLUSIVE MODE; INSERT INTO qc_session (state, commits,"
        " backend, since, host) SELECT %d, 0, a.pid, a.backend_start::text, '%s' FROM"
        " pg_catalog.pg_stat_activity a WHERE a.pid=pg_backend_pid() RETURNING session, uid::text",
        PG_SESSION_OPEN, host);
    QC_TRY(pg_query(p->conn, sql, &r, err));
    if (PQntuples(r) != 1)
        return QC_FAIL(err, QC_GENERAL, "PostgreSQL: no session was made");
    snprintf(p->uid, sizeof p->uid, "%s", PQgetvalue(r, 0, 1));
    QC_TRY(pg_query(p->conn, "COMMIT", NULL, err));
    p->session = pg_number(r, 0, 0);
    return QC_OK;
}

qc_rc pg_session_begin(struct pg *p, struct qc_err *err)
{
    const qc_deadline until = qc_deadline_in(QC_PG_SUCCESSION_MS);
    struct look look;

    const qc_rc rc = add_session(p, err);
    if (rc != QC_OK)
        pg_roll_back(p->conn);
    QC_TRY(rc);
    for (;;) {
        QC_TRY(attend(p, &look, err));
        if (!look.gone || qc_deadline_over(until))
            return QC_OK;
        (void)usleep(100000);
    }
}

void pg_session_end(struct pg *p)
{
    char sql[PG_SQL_MAX];

    if (p->conn == NULL || p->session == 0)
        return;
    snprintf(sql, sizeof sql,
             "BEGIN READ WRITE; UPDATE qc_session SET state=%d WHERE session=%" PRId64
             " AND uid='%s' AND state=%d; COMMIT",
             PG_SESSION_CLOSED, p->session, p->uid, PG_SESSION_OPEN);
    PQclear(PQexec(p->conn, sql)); /* else the next one finds out by itself that nobody is there */
}

void pg_session_moved(struct pg *p)
{
    char sql[PG_SQL_MAX];

    snprintf(sql, sizeof sql,
             "BEGIN READ WRITE; UPDATE qc_session SET backend=a.pid, since=a.backend_start::text FROM"
             " pg_catalog.pg_stat_activity a WHERE a.pid=pg_backend_pid() AND session=%" PRId64
             " AND uid='%s' AND qc_session.state=%d; COMMIT",
             p->session, p->uid, PG_SESSION_OPEN);
    PQclear(
        PQexec(p->conn, sql)); /* else others take it for gone sooner than they should, and it starts anew */
}

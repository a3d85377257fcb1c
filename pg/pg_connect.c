/* Connections: how they are made, what is asked of the server, what its answers mean. */
#include <stdlib.h>
#include <sys/socket.h>

#include "base/time.h"
#include "pg_internal.h"

enum { PARAMS = 20, READS = 64 };

/* -- answers --------------------------------------------------------------------------------------------- */

static qc_rc rc_of(const char *state)
{
    static const struct {
        const char *begins;
        qc_rc rc;
    } table[] = {
        { "08", QC_TEMP },         { "40", QC_TEMP },         { "57P", QC_TEMP },        { "53300", QC_TEMP },
        { "55P03", QC_TEMP },      { "23", QC_CONFLICT },     { "42501", QC_AUTH },      { "28", QC_AUTH },
        { "53100", QC_FULL },      { "53200", QC_NOMEM },     { "57014", QC_CANCELLED }, { "58030", QC_IO },
        { "XX001", QC_INTEGRITY }, { "XX002", QC_INTEGRITY }, { "3D000", QC_NOTFOUND },  { "25P03", QC_TEMP },
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strncmp(state, table[i].begins, strlen(table[i].begins)) == 0)
            return table[i].rc;
    return QC_GENERAL;
}

/* A failure of which the server said nothing is the connection's, also where libpq takes it for well: a write
 * that failed while an answer was still to be read, as when a server crashes. At its end libpq knows. */
static void give_up(PGconn *c)
{
    if (PQsocket(c) >= 0)
        (void)shutdown(PQsocket(c), SHUT_RDWR);
    for (unsigned i = 0; i < READS && PQstatus(c) == CONNECTION_OK; i++)
        (void)PQconsumeInput(c);
}

qc_rc pg_failed(PGconn *c, const PGresult *r, const char *what, struct qc_err *err)
{
    const char *state = r == NULL ? NULL : PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *text = r == NULL ? NULL : PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

    if (text == NULL || text[0] == '\0')
        text = c == NULL ? "no connection" : PQerrorMessage(c);
    if (text[0] == '\0')
        text = "no answer";
    const size_t n = strcspn(text, "\n");
    const qc_rc rc = state != NULL ? rc_of(state) : QC_TEMP;
    qc_err_set(err, rc, QC_HERE, "%s: PostgreSQL: %.*s", what, (int)n, text);
    if (state == NULL && c != NULL)
        give_up(c);
    return rc;
}

void pg_clear(PGresult **r)
{
    PQclear(*r);
    *r = NULL;
}

qc_rc pg_query(PGconn *c, const char *sql, PGresult **ret, struct qc_err *err)
{
    QC_CLEANUP(pg_clear) PGresult *r = PQexec(c, sql);
    const ExecStatusType status = PQresultStatus(r);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return PG_FAIL(c, r, "database", err);
    if (ret != NULL)
        *ret = QC_STEAL(r);
    return QC_OK;
}

int64_t pg_number(const PGresult *r, int row, int column)
{
    return row < PQntuples(r) ? strtoll(PQgetvalue(r, row, column), NULL, 10) : 0;
}

/* -- what the server must be ----------------------------------------------------------------------------- */

static bool is_local(const char *host)
{
    return host[0] == '/' || strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
           strcmp(host, "::1") == 0;
}

/* One setting. */
static qc_rc must_be(PGconn *c, const char *name, const char *const values[3], struct qc_err *err)
{
    QC_CLEANUP(pg_clear) PGresult *r = NULL;
    char sql[128];

    snprintf(sql, sizeof sql, "SELECT COALESCE(current_setting('%s', true), '')", name);
    QC_TRY(pg_query(c, sql, &r, err));
    const char *have = PQntuples(r) == 1 ? PQgetvalue(r, 0, 0) : "";
    for (unsigned i = 0; i < 3 && values[i] != NULL; i++)
        if (strcmp(have, values[i]) == 0)
            return QC_OK;
    return QC_FAIL(err, QC_UNFIT, "the PostgreSQL server has %s = %s, needed is %s", name, have, values[0]);
}

static qc_rc check_server(PGconn *c, struct qc_err *err)
{
    static const struct {
        const char *name, *values[3];
    } needed[] = {
        { "fsync", { "on" } },
        { "full_page_writes", { "on" } },
        { "synchronous_commit", { "on", "remote_apply" } },
        { "default_transaction_read_only", { "on" } },
        { "standard_conforming_strings", { "on" } },
    };

    if (PQserverVersion(c) < QC_PG_SERVER_MIN * 10000)
        return QC_FAIL(err, QC_UNFIT, "the PostgreSQL server is version %d, needed is %d or later",
                       PQserverVersion(c) / 10000, QC_PG_SERVER_MIN);
    if (!is_local(PQhost(c)) && !PQsslInUse(c))
        return QC_FAIL(err, QC_AUTH, "the connection to the PostgreSQL server at '%s' is not encrypted",
                       PQhost(c));
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        QC_TRY(must_be(c, needed[i].name, needed[i].values, err));
    return QC_OK;
}

/* -- connecting ------------------------------------------------------------------------------------------ */

static void drop(PGconn **c)
{
    if (*c != NULL)
        PQfinish(*c);
    *c = NULL;
}

static void silent(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static qc_rc set_up(PGconn *c, struct qc_err *err)
{
    char sql[512];

    /* remote_apply is more than on. The keepalives are the server's: a machine that is gone lets go. */
    snprintf(sql, sizeof sql,
             "SELECT set_config('synchronous_commit', 'on', false)"
             " WHERE current_setting('synchronous_commit')<>'remote_apply';"
             "SET lock_timeout=%d; SET idle_in_transaction_session_timeout=%d;"
             "SET tcp_keepalives_idle=%d; SET tcp_keepalives_interval=5; SET tcp_keepalives_count=3;"
             "SET default_transaction_read_only=on; SET extra_float_digits=0;"
             "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
             QC_DB_BUSY_MS, QC_PG_IDLE_TX_MS, QC_PG_SILENCE_S);
    return pg_query(c, sql, NULL, err);
}

/* Who says nothing gets TLS with a server that is who it should be, unless no link is left to protect. */
static const char *sslmode_of(const struct pg_conf *conf)
{
    if (conf->sslmode[0] != '\0')
        return conf->sslmode;
    if (conf->host[0] == '\0')
        return ""; /* the service says it */
    return is_local(conf->host) ? "disable" : "verify-full";
}

/* In pairs. */
static void fill_params(const struct pg_conf *conf, char connect[16], char seconds[16], char ms[16],
                        const char **names, const char **values)
{
    const char *const pairs[][2] = {
        { "service", conf->service },    { "host", conf->host },
        { "port", conf->port },          { "dbname", conf->dbname },
        { "user", conf->user },          { "passfile", conf->passfile },
        { "sslmode", sslmode_of(conf) }, { "sslrootcert", conf->sslrootcert },
        { "sslcert", conf->sslcert },    { "sslkey", conf->sslkey },
        { "connect_timeout", connect },  { "keepalives_idle", seconds },
        { "keepalives_interval", "5" },  { "keepalives_count", "3" },
        { "tcp_user_timeout", ms },      { "application_name", "qcloud-gateway" },
        { "client_encoding", "UTF8" },   { "target_session_attrs", "primary" },
        { "gssencmode", "disable" },     { NULL, NULL },
    };
    _Static_assert(sizeof pairs / sizeof *pairs == PARAMS, "PARAMS");

    for (size_t i = 0; i < PARAMS; i++) {
        names[i] = pairs[i][0];
        values[i] = pairs[i][1];
    }
}

qc_rc pg_connect(const struct pg_conf *conf, PGconn **ret, struct qc_err *err)
{
    const char *names[PARAMS], *values[PARAMS];
    char connect[16], seconds[16], ms[16];

    if (getenv("PGPASSWORD") != NULL)
        return QC_FAIL(err, QC_USAGE,
                       "PGPASSWORD stands in the environment, which others can read: use a passfile");
    snprintf(connect, sizeof connect, "%d", QC_PG_CONNECT_S);
    snprintf(seconds, sizeof seconds, "%d", QC_PG_SILENCE_S);
    snprintf(ms, sizeof ms, "%d", QC_PG_SILENCE_S * 1000);
    fill_params(conf, connect, seconds, ms, names, values);
    QC_CLEANUP(drop) PGconn *c = PQconnectdbParams(names, values, 0);
    if (c == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a connection");
    if (PQstatus(c) != CONNECTION_OK)
        return PG_FAIL(c, NULL, "connecting", err);
    PQsetNoticeProcessor(c, silent, NULL);
    QC_TRY(set_up(c, err));
    QC_TRY(check_server(c, err));
    *ret = QC_STEAL(c);
    return QC_OK;
}

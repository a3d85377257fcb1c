/* The file that says where the server is. */
#include <string.h>

#include "base/ini.h"
#include "pg/pg.h"

enum { TEXT_MAX = 65536 };

static qc_rc take(qc_span v, char *to, size_t size, struct qc_err *err)
{
    if (v.n < 1 || v.n >= size)
        return QC_FAIL(err, QC_USAGE, "1..%zu characters are needed", size - 1);
    memcpy(to, v.p, v.n);
    to[v.n] = '\0';
    return QC_OK;
}

#define TAKE(field)                                                                                          \
    static qc_rc take_##field(void *ctx, qc_span v, struct qc_err *err)                                      \
    {                                                                                                        \
        struct pg_conf *c = ctx;                                                                             \
        return take(v, c->field, sizeof c->field, err);                                                      \
    }
TAKE(service)
TAKE(host)
TAKE(dbname)
TAKE(user)

static qc_rc take_schema(void *ctx, qc_span v, struct qc_err *err)
{
    struct pg_conf *c = ctx;

    for (size_t i = 0; i < v.n; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", v.p[i]) == NULL || v.p[i] == '\0')
            return QC_FAIL(err, QC_USAGE, "a-z, 0-9 and _ are needed");
    return take(v, c->schema, sizeof c->schema, err);
}

static qc_rc take_port(void *ctx, qc_span v, struct qc_err *err)
{
    struct pg_conf *c = ctx;
    uint64_t n;

    QC_TRY(qc_ini_u64(v, 1, 65535, &n, err));
    return take(v, c->port, sizeof c->port, err);
}

#define TAKE_PATH(field)                                                                                     \
    static qc_rc take_##field(void *ctx, qc_span v, struct qc_err *err)                                      \
    {                                                                                                        \
        struct pg_conf *c = ctx;                                                                             \
        return qc_ini_path(v, c->field, sizeof c->field, err);                                               \
    }
TAKE_PATH(passfile)
TAKE_PATH(sslrootcert)
TAKE_PATH(sslcert)
TAKE_PATH(sslkey)

static qc_rc take_sslmode(void *ctx, qc_span v, struct qc_err *err)
{
    static const char *const modes[] = { "disable", "verify-ca", "verify-full" };
    struct pg_conf *c = ctx;

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (qc_span_eq(v, qc_span_str(modes[i])))
            return take(v, c->sslmode, sizeof c->sslmode, err);
    return QC_FAIL(err, QC_USAGE,
                   "verify-full, verify-ca or disable are needed: the others do not look who answers");
}

static qc_rc take_password(void *ctx, qc_span v, struct qc_err *err)
{
    (void)ctx;
    (void)v;
    return QC_FAIL(err, QC_USAGE,
                   "a password has no place here: put it into a file of mode 0600, and name it as passfile");
}

enum {
    KEY_SERVICE,
    KEY_HOST,
    KEY_PORT,
    KEY_DBNAME,
    KEY_USER,
    KEY_PASSFILE,
    KEY_SCHEMA,
    KEY_SSLMODE,
    KEY_SSLROOTCERT,
    KEY_SSLCERT,
    KEY_SSLKEY,
    KEY_PASSWORD,
    KEYS
};
static const struct qc_ini_key keys[KEYS] = {
    [KEY_SERVICE] = { "postgresql", "service", false, take_service },
    [KEY_HOST] = { "postgresql", "host", false, take_host },
    [KEY_PORT] = { "postgresql", "port", false, take_port },
    [KEY_DBNAME] = { "postgresql", "dbname", false, take_dbname },
    [KEY_USER] = { "postgresql", "user", false, take_user },
    [KEY_PASSFILE] = { "postgresql", "passfile", false, take_passfile },
    [KEY_SCHEMA] = { "postgresql", "schema", false, take_schema },
    [KEY_SSLMODE] = { "postgresql", "sslmode", false, take_sslmode },
    [KEY_SSLROOTCERT] = { "postgresql", "sslrootcert", false, take_sslrootcert },
    [KEY_SSLCERT] = { "postgresql", "sslcert", false, take_sslcert },
    [KEY_SSLKEY] = { "postgresql", "sslkey", false, take_sslkey },
    [KEY_PASSWORD] = { "postgresql", "password", false, take_password },
};

qc_rc pg_conf_parse(qc_span text, struct pg_conf *ret, struct qc_err *err)
{
    struct qc_ini ini = { .keys = keys, .count = KEYS };
    struct pg_conf c = { .schema = "qcloud" };

    QC_TRY(qc_ini_parse(text, TEXT_MAX, &ini, &c, err));
    if (ini.line[KEY_HOST] == 0 && ini.line[KEY_SERVICE] == 0)
        return QC_FAIL(err, QC_NOTCONF, "section [postgresql]: 'host' or 'service' is needed");
    *ret = c;
    return QC_OK;
}

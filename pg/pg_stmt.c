/* Prepared statements. The server learns a statement when it is bound first, for then the kinds of its values
 * are known; and anew in each connection. Numbers and bytes travel in binary. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "pg_internal.h"

struct param {
    size_t at; /* in bytes */
    int size;
    bool null;
};
struct pg_stmt {
    struct qc_stmt stmt; /* first */
    qc_buf sql;          /* theirs, with its NUL */
    unsigned params;
    char name[24];
    uint64_t life; /* of the connection that knows it; 0: none does */
    struct param v[QC_PG_PARAMS_MAX];
    Oid types[QC_PG_PARAMS_MAX];
    qc_buf bytes; /* of the values */
    bool bound;
    PGresult *res; /* NULL: not run, or at its end */
    int row;
};

static struct pg_stmt *of(struct qc_stmt *s)
{
    return (struct pg_stmt *)s;
}

static struct pg *db_of(struct pg_stmt *s)
{
    return (struct pg *)s->stmt.db;
}

static void free_stmt(struct pg_stmt **s)
{
    if (*s != NULL)
        pg_free(&(*s)->stmt);
    *s = NULL;
}

qc_rc pg_prepare(struct qc_db *db, const char *sql, struct qc_stmt **ret, struct qc_err *err)
{
    QC_CLEANUP(free_stmt) struct pg_stmt *s = qc_alloc(sizeof *s);
    struct pg *p = (struct pg *)db;

    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a statement");
    qc_buf_init(&s->sql, 4 * QC_DB_SQL_MAX);
    qc_buf_init(&s->bytes, QC_DB_VALUE_MAX);
    QC_TRY(pg_translate(sql, &s->sql, &s->params, err));
    snprintf(s->name, sizeof s->name, "s%" PRIu64, ++p->names);
    *ret = &QC_STEAL(s)->stmt;
    return QC_OK;
}

void pg_free(struct qc_stmt *s)
{
    PQclear(of(s)->res);
    qc_buf_free(&of(s)->sql);
    qc_buf_free(&of(s)->bytes);
    qc_free(of(s));
}

void pg_reset(struct qc_stmt *s)
{
    PQclear(of(s)->res);
    of(s)->res = NULL;
}

/* -- values ---------------------------------------------------------------------------------------------- */

static qc_rc bind_one(struct pg_stmt *s, unsigned i, const struct qc_val *v, struct qc_err *err)
{
    static const Oid types[] = {
        [QC_VAL_INT] = PG_OID_INT8, [QC_VAL_BLOB] = PG_OID_BYTEA, [QC_VAL_TEXT] = PG_OID_TEXT
    };
    uint8_t number[8];
    qc_span bytes = v->s;

    s->v[i] = (struct param){ .at = s->bytes.n, .null = v->kind == QC_VAL_NULL };
    if (v->kind == QC_VAL_NULL)
        return QC_OK;
    /* The server chooses the type of a value that is NULL at first: that of its column, which is the same. */
    if (s->life == 0)
        s->types[i] = types[v->kind];
    if (v->kind == QC_VAL_INT) {
        qc_put_be(number, (uint64_t)v->i, sizeof number);
        bytes = qc_span_of(number, sizeof number);
    }
    s->v[i].size = (int)bytes.n;
    return qc_buf_add(&s->bytes, bytes, err);
}

qc_rc pg_bind(struct qc_stmt *stmt, const struct qc_val *vals, size_t count, bool stay, struct qc_err *err)
{
    struct pg_stmt *s = of(stmt);

    (void)stay; /* the server has a form of its own for each */
    QC_ASSERT(count == s->params);
    pg_reset(stmt);
    s->bytes.n = 0;
    for (unsigned i = 0; i < count; i++)
        QC_TRY(bind_one(s, i, &vals[i], err));
    s->bound = true;
    return QC_OK;
}

/* -- running --------------------------------------------------------------------------------------------- */

static qc_rc teach(struct pg_stmt *s, struct qc_err *err)
{
    struct pg *p = db_of(s);

    if (s->life == p->life)
        return QC_OK;
    QC_CLEANUP(pg_clear) PGresult *r =
        PQprepare(p->conn, s->name, (const char *)s->sql.p, (int)s->params, s->types);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        return PG_FAIL(p->conn, r, (const char *)s->sql.p, err);
    s->life = p->life;
    return QC_OK;
}

static qc_rc run_once(struct pg_stmt *s, struct qc_err *err)
{
    const char *values[QC_PG_PARAMS_MAX];
    int sizes[QC_PG_PARAMS_MAX], formats[QC_PG_PARAMS_MAX];
    struct pg *p = db_of(s);

    QC_TRY(teach(s, err));
    for (unsigned i = 0; i < s->params; i++) {
        const char *at = s->bytes.p == NULL ? "" : (const char *)s->bytes.p + s->v[i].at;
        values[i] = s->v[i].null ? NULL : at;
        sizes[i] = s->v[i].size;
        formats[i] = 1;
    }
    QC_CLEANUP(pg_clear) PGresult *r =
        PQexecPrepared(p->conn, s->name, (int)s->params, values, sizes, formats, 1);
    const ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return PG_FAIL(p->conn, r, "database", err);
    p->changes = strtoll(PQcmdTuples(r), NULL, 10);
    s->res = QC_STEAL(r);
    return QC_OK;
}

/* What stands in no transaction is a read: it is asked again where the connection was lost. */
static qc_rc run(struct pg_stmt *s, struct qc_err *err)
{
    struct pg *p = db_of(s);

    if (p->in_tx) {
        if (p->lost)
            return QC_FAIL(err, QC_TEMP, "the connection to the PostgreSQL server was lost");
        const qc_rc rc = run_once(s, err);
        if (rc != QC_OK && PQstatus(p->conn) != CONNECTION_OK) {
            p->lost = true;
            pg_hang_up(p);
        }
        return rc;
    }
    QC_TRY(pg_alive(p, err));
    const qc_rc rc = run_once(s, err);
    if (rc == QC_OK || PQstatus(p->conn) == CONNECTION_OK)
        return rc;
    qc_err_clear(err);
    QC_TRY(pg_alive(p, err));
    return run_once(s, err);
}

qc_rc pg_step(struct qc_stmt *stmt, bool *ret_row, struct qc_err *err)
{
    struct pg_stmt *s = of(stmt);

    QC_ASSERT(s->bound || s->params == 0);
    if (s->res == NULL) {
        QC_TRY(run(s, err));
        s->row = -1;
    }
    *ret_row = ++s->row < PQntuples(s->res);
    if (!*ret_row)
        pg_reset(stmt);
    return QC_OK;
}

/* -- columns --------------------------------------------------------------------------------------------- */

static void must_be_there(const struct pg_stmt *s, int i)
{
    QC_ASSERT(s->res != NULL && i >= 0 && i < PQnfields(s->res));
}

enum qc_val_kind pg_col_kind(struct qc_stmt *stmt, int i)
{
    const struct pg_stmt *s = of(stmt);

    must_be_there(s, i);
    if (PQgetisnull(s->res, s->row, i))
        return QC_VAL_NULL;
    switch (PQftype(s->res, i)) {
    case PG_OID_INT8:
    case PG_OID_INT4:
    case PG_OID_INT2:
        return QC_VAL_INT;
    case PG_OID_BYTEA:
        return QC_VAL_BLOB;
    default:
        return QC_VAL_TEXT;
    }
}

int64_t pg_col_int(struct qc_stmt *stmt, int i)
{
    const struct pg_stmt *s = of(stmt);

    if (pg_col_kind(stmt, i) != QC_VAL_INT)
        return 0;
    const uint8_t *p = (const uint8_t *)PQgetvalue(s->res, s->row, i);
    switch (PQgetlength(s->res, s->row, i)) {
    case 8:
        return (int64_t)qc_get_be(p, 8);
    case 4:
        return (int32_t)qc_get_be(p, 4);
    default:
        return (int16_t)qc_get_be(p, 2);
    }
}

qc_span pg_col_span(struct qc_stmt *stmt, int i)
{
    const struct pg_stmt *s = of(stmt);

    must_be_there(s, i);
    if (PQgetisnull(s->res, s->row, i))
        return (qc_span){ 0 };
    return qc_span_of(PQgetvalue(s->res, s->row, i), (size_t)PQgetlength(s->res, s->row, i));
}

const char *pg_col_name(struct qc_stmt *stmt, int i)
{
    must_be_there(of(stmt), i);
    return PQfname(of(stmt)->res, i);
}

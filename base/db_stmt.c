/* Prepared statements. */
#include "db_internal.h"

#include "base/alloc.h"

struct qc_stmt {
    sqlite3_stmt *s;
    struct qc_db *db;
};

qc_rc qc_db_prepare(struct qc_db *db, const char *sql, struct qc_stmt **ret, struct qc_err *err)
{
    const char *rest = NULL;
    struct qc_stmt *s = qc_alloc(sizeof *s);

    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a statement");
    int rc = sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->s, &rest);
    if (rc != SQLITE_OK) {
        qc_free(s);
        return QC_FAIL_DB(db, rc, sql, err);
    }
    QC_ASSERT(s->s != NULL);                       /* not a comment */
    QC_ASSERT(rest[strspn(rest, " \n;")] == '\0'); /* one statement */
    s->db = db;
    db->statements++;
    *ret = s;
    return QC_OK;
}

void qc_stmt_free(struct qc_stmt **s)
{
    if (*s == NULL)
        return;
    sqlite3_finalize((*s)->s);
    (*s)->db->statements--;
    qc_free(*s);
    *s = NULL;
}

void qc_stmt_reset(struct qc_stmt *s)
{
    sqlite3_reset(s->s); /* its result is that of the last step, which has been reported */
}

static int bind_one(sqlite3_stmt *s, int i, const struct qc_val *v)
{
    switch (v->kind) {
    case QC_VAL_INT:
        return sqlite3_bind_int64(s, i, v->i);
    case QC_VAL_BLOB:
        /* An empty blob without an address would be bound as NULL. */
        return v->s.n == 0 ? sqlite3_bind_zeroblob(s, i, 0)
                           : sqlite3_bind_blob64(s, i, v->s.p, v->s.n, SQLITE_TRANSIENT);
    case QC_VAL_TEXT:
        return sqlite3_bind_text64(s, i, v->s.n == 0 ? "" : (const char *)v->s.p, v->s.n, SQLITE_TRANSIENT,
                                   SQLITE_UTF8);
    case QC_VAL_NULL:
        return sqlite3_bind_null(s, i);
    }
    return SQLITE_MISUSE;
}

qc_rc qc_stmt_bind(struct qc_stmt *s, const struct qc_val *vals, size_t count, struct qc_err *err)
{
    QC_ASSERT(count == (size_t)sqlite3_bind_parameter_count(s->s));
    qc_stmt_reset(s);
    for (size_t i = 0; i < count; i++) {
        int rc = bind_one(s->s, (int)i + 1, &vals[i]);

        if (rc != SQLITE_OK)
            return QC_FAIL_DB(s->db, rc, "binding a value", err);
    }
    return QC_OK;
}

qc_rc qc_stmt_step(struct qc_stmt *s, bool *ret_row, struct qc_err *err)
{
    int rc = sqlite3_step(s->s);

    if (rc == SQLITE_ROW) {
        *ret_row = true;
        return QC_OK;
    }
    if (rc != SQLITE_DONE) {
        qc_rc out = QC_FAIL_DB(s->db, rc, "database", err);

        qc_stmt_reset(s);
        return out;
    }
    qc_stmt_reset(s);
    *ret_row = false;
    return QC_OK;
}

qc_rc qc_stmt_run(struct qc_stmt *s, struct qc_err *err)
{
    bool row = false;

    QC_TRY(qc_stmt_step(s, &row, err));
    if (row) {
        qc_stmt_reset(s);
        return QC_FAIL(err, QC_GENERAL, "database: a row where none was expected");
    }
    return QC_OK;
}

qc_rc qc_stmt_bind_run(struct qc_stmt *s, const struct qc_val *vals, size_t count, struct qc_err *err)
{
    QC_TRY(qc_stmt_bind(s, vals, count, err));
    return qc_stmt_run(s, err);
}

int64_t qc_col_int(struct qc_stmt *s, int i)
{
    QC_ASSERT(i >= 0 && i < sqlite3_data_count(s->s));
    return sqlite3_column_int64(s->s, i);
}

qc_span qc_col_span(struct qc_stmt *s, int i)
{
    QC_ASSERT(i >= 0 && i < sqlite3_data_count(s->s));
    const void *p = sqlite3_column_blob(s->s, i); /* text comes as its bytes */
    int n = sqlite3_column_bytes(s->s, i);
    return qc_span_of(p, p == NULL ? 0 : (size_t)n);
}

bool qc_col_null(struct qc_stmt *s, int i)
{
    QC_ASSERT(i >= 0 && i < sqlite3_data_count(s->s));
    return sqlite3_column_type(s->s, i) == SQLITE_NULL;
}

qc_rc qc_col_u64(struct qc_stmt *s, int i, uint64_t *ret, struct qc_err *err)
{
    int64_t v = qc_col_int(s, i);

    if (sqlite3_column_type(s->s, i) != SQLITE_INTEGER || v < 0)
        return QC_FAIL(err, QC_INTEGRITY, "database: %s is not a count", sqlite3_column_name(s->s, i));
    *ret = (uint64_t)v;
    return QC_OK;
}

qc_rc qc_col_fixed(struct qc_stmt *s, int i, uint8_t *dst, size_t n, struct qc_err *err)
{
    QC_ASSERT(i >= 0 && i < sqlite3_data_count(s->s));
    bool blob = sqlite3_column_type(s->s, i) == SQLITE_BLOB;
    qc_span v = qc_col_span(s, i);
    if (!blob || v.n != n)
        return QC_FAIL(err, QC_INTEGRITY, "database: %s has %zu bytes, expected %zu",
                       sqlite3_column_name(s->s, i), v.n, n);
    if (n > 0)
        memcpy(dst, v.p, n);
    return QC_OK;
}

/* SQLite: prepared statements. */
#include "db_sqlite.h"

#include "base/alloc.h"

struct lite_stmt {
    struct qc_stmt stmt; /* first */
    sqlite3_stmt *s;
};

static sqlite3_stmt *of(struct qc_stmt *s)
{
    return ((struct lite_stmt *)s)->s;
}

qc_rc qc_lite_prepare(struct qc_db *db, const char *sql, struct qc_stmt **ret, struct qc_err *err)
{
    struct lite *l = (struct lite *)db;
    const char *rest = NULL;
    struct lite_stmt *s = qc_alloc(sizeof *s);

    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a statement");
    int rc = sqlite3_prepare_v3(l->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->s, &rest);
    if (rc != SQLITE_OK) {
        qc_free(s);
        return QC_FAIL_DB(l, rc, sql, err);
    }
    QC_ASSERT(s->s != NULL);                       /* not a comment */
    QC_ASSERT(rest[strspn(rest, " \n;")] == '\0'); /* one statement */
    *ret = &s->stmt;
    return QC_OK;
}

void qc_lite_free(struct qc_stmt *s)
{
    sqlite3_finalize(of(s));
    qc_free((struct lite_stmt *)s);
}

void qc_lite_reset(struct qc_stmt *s)
{
    sqlite3_reset(of(s)); /* its result is that of the last step, which has been reported */
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

qc_rc qc_lite_bind(struct qc_stmt *s, const struct qc_val *vals, size_t count, struct qc_err *err)
{
    QC_ASSERT(count == (size_t)sqlite3_bind_parameter_count(of(s)));
    qc_lite_reset(s);
    for (size_t i = 0; i < count; i++) {
        int rc = bind_one(of(s), (int)i + 1, &vals[i]);

        if (rc != SQLITE_OK)
            return QC_FAIL_DB((struct lite *)s->db, rc, "binding a value", err);
    }
    return QC_OK;
}

qc_rc qc_lite_step(struct qc_stmt *s, bool *ret_row, struct qc_err *err)
{
    int rc = sqlite3_step(of(s));

    if (rc == SQLITE_ROW) {
        *ret_row = true;
        return QC_OK;
    }
    if (rc != SQLITE_DONE) {
        qc_rc out = QC_FAIL_DB((struct lite *)s->db, rc, "database", err);

        qc_lite_reset(s);
        return out;
    }
    qc_lite_reset(s);
    *ret_row = false;
    return QC_OK;
}

int64_t qc_lite_col_int(struct qc_stmt *s, int i)
{
    QC_ASSERT(i >= 0 && i < sqlite3_data_count(of(s)));
    return sqlite3_column_int64(of(s), i);
}

qc_span qc_lite_col_span(struct qc_stmt *s, int i)
{
    QC_ASSERT(i >= 0 && i < sqlite3_data_count(of(s)));
    const void *p = sqlite3_column_blob(of(s), i); /* text comes as its bytes */
    int n = sqlite3_column_bytes(of(s), i);
    return qc_span_of(p, p == NULL ? 0 : (size_t)n);
}

/* A number with a fraction is none of ours: as text, it is neither a count nor a blob. */
enum qc_val_kind qc_lite_col_kind(struct qc_stmt *s, int i)
{
    QC_ASSERT(i >= 0 && i < sqlite3_data_count(of(s)));
    switch (sqlite3_column_type(of(s), i)) {
    case SQLITE_NULL:
        return QC_VAL_NULL;
    case SQLITE_INTEGER:
        return QC_VAL_INT;
    case SQLITE_BLOB:
        return QC_VAL_BLOB;
    default:
        return QC_VAL_TEXT;
    }
}

const char *qc_lite_col_name(struct qc_stmt *s, int i)
{
    return sqlite3_column_name(of(s), i);
}

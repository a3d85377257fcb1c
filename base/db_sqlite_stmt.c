/* SQLite: prepared statements.
 *
 * INSERT .. RETURNING id: SQLite makes a table for what comes back, and keeps the row in it, which is a
 * quarter of what adding a row takes. It knows the new row's id anyway: the statement is prepared without its
 * end, and the one row that it gives is made here. */
#include "db_sqlite.h"

#include "base/alloc.h"

struct lite_stmt {
    struct qc_stmt stmt; /* first */
    sqlite3_stmt *s;
    bool adds;     /* INSERT .. RETURNING id */
    bool given;    /* the row with that id is the current one */
    bool borrowed; /* what is bound is the caller's, until the statement is reset */
    int64_t id;
};

static struct lite_stmt *lite(struct qc_stmt *s)
{
    return (struct lite_stmt *)s;
}

static sqlite3_stmt *of(struct qc_stmt *s)
{
    return lite(s)->s;
}

/* How much of a statement SQLite is given. An upsert may change a row, whose id SQLite does not say. */
static size_t length_of(const char *sql, bool *ret_adds)
{
    const char *end = strstr(sql, " RETURNING ");

    *ret_adds = end != NULL && strncmp(sql, "INSERT ", 7) == 0 && strstr(sql, " ON CONFLICT ") == NULL;
    return *ret_adds ? (size_t)(end - sql) : strlen(sql);
}

qc_rc qc_lite_prepare(struct qc_db *db, const char *sql, struct qc_stmt **ret, struct qc_err *err)
{
    struct lite *l = (struct lite *)db;
    const char *rest = NULL;
    struct lite_stmt *s = qc_alloc(sizeof *s);

    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a statement");
    const size_t n = length_of(sql, &s->adds);
    int rc = sqlite3_prepare_v3(l->sql, sql, (int)n, SQLITE_PREPARE_PERSISTENT, &s->s, &rest);
    if (rc != SQLITE_OK) {
        qc_free(s);
        return QC_FAIL_DB(l, rc, sql, err);
    }
    QC_ASSERT(s->s != NULL);                           /* not a comment */
    QC_ASSERT(rest + strspn(rest, " \n;") >= sql + n); /* one statement */
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
    if (lite(s)->borrowed)
        sqlite3_clear_bindings(of(s));
    lite(s)->borrowed = lite(s)->given = false;
}

static int bind_one(sqlite3_stmt *s, int i, const struct qc_val *v, sqlite3_destructor_type whose)
{
    switch (v->kind) {
    case QC_VAL_INT:
        return sqlite3_bind_int64(s, i, v->i);
    case QC_VAL_BLOB:
        /* An empty blob without an address would be bound as NULL. */
        return v->s.n == 0 ? sqlite3_bind_zeroblob(s, i, 0)
                           : sqlite3_bind_blob64(s, i, v->s.p, v->s.n, whose);
    case QC_VAL_TEXT:
        return sqlite3_bind_text64(s, i, v->s.n == 0 ? "" : (const char *)v->s.p, v->s.n, whose, SQLITE_UTF8);
    case QC_VAL_NULL:
        return sqlite3_bind_null(s, i);
    }
    return SQLITE_MISUSE;
}

qc_rc qc_lite_bind(struct qc_stmt *s, const struct qc_val *vals, size_t count, bool stay, struct qc_err *err)
{
    QC_ASSERT(count == (size_t)sqlite3_bind_parameter_count(of(s)));
    qc_lite_reset(s);
    lite(s)->borrowed = stay;
    for (size_t i = 0; i < count; i++) {
        int rc = bind_one(of(s), (int)i + 1, &vals[i], stay ? SQLITE_STATIC : SQLITE_TRANSIENT);

        if (rc != SQLITE_OK)
            return QC_FAIL_DB((struct lite *)s->db, rc, "binding a value", err);
    }
    return QC_OK;
}

qc_rc qc_lite_step(struct qc_stmt *s, bool *ret_row, struct qc_err *err)
{
    struct lite_stmt *l = lite(s);
    const bool given = l->given;
    int rc = given ? SQLITE_DONE : sqlite3_step(l->s);

    if (rc == SQLITE_DONE && l->adds && !given) {
        l->id = sqlite3_last_insert_rowid(((struct lite *)s->db)->sql);
        l->given = *ret_row = true;
        return QC_OK;
    }
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

static int count_of(struct qc_stmt *s)
{
    return lite(s)->given ? 1 : sqlite3_data_count(of(s));
}

int64_t qc_lite_col_int(struct qc_stmt *s, int i)
{
    QC_ASSERT(i >= 0 && i < count_of(s));
    return lite(s)->given ? lite(s)->id : sqlite3_column_int64(of(s), i);
}

qc_span qc_lite_col_span(struct qc_stmt *s, int i)
{
    QC_ASSERT(!lite(s)->given && i >= 0 && i < count_of(s));
    const void *p = sqlite3_column_blob(of(s), i); /* text comes as its bytes */
    int n = sqlite3_column_bytes(of(s), i);
    return qc_span_of(p, p == NULL ? 0 : (size_t)n);
}

/* A number with a fraction is none of ours: as text, it is neither a count nor a blob. */
enum qc_val_kind qc_lite_col_kind(struct qc_stmt *s, int i)
{
    QC_ASSERT(i >= 0 && i < count_of(s));
    if (lite(s)->given)
        return QC_VAL_INT;
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
    return lite(s)->adds ? "id" : sqlite3_column_name(of(s), i);
}

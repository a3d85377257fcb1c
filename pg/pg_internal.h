/* What the files of pg/ share. */
#pragma once
#include <libpq-fe.h>

#include "base/db_ops.h"
#include "pg/pg.h"

enum {
    PG_OID_BOOL = 16,
    PG_OID_BYTEA = 17,
    PG_OID_INT8 = 20,
    PG_OID_INT2 = 21,
    PG_OID_INT4 = 23,
    PG_OID_TEXT = 25,
};

enum { PG_SQL_MAX = 1024 };
enum pg_session_state {
    PG_SESSION_OPEN = 1,
    PG_SESSION_CLOSED = 2,
    PG_SESSION_OVER = 3, /* it was silent */
    PG_SESSION_ENDED = 4 /* what it had read was changed */
};

/* Another session, as it was seen. */
struct pg_other {
    int64_t session, commits;
    uint64_t since_ms; /* when commits was seen to move last */
};

struct pg {
    struct qc_db db; /* first */
    struct pg_conf conf;
    char schema[PG_NAME];
    PGconn *conn;   /* NULL: none now */
    uint64_t life;  /* of the connection: statements are prepared in each */
    uint64_t names; /* statements made: their names */
    int64_t session;
    char uid[40];    /* of the session: a number may come again where a schema was replaced */
    int64_t commits; /* that the row will show once this transaction is committed */
    int64_t changes;
    bool in_tx;
    bool lost; /* the connection, in this transaction */
    struct pg_other others[QC_PG_SESSIONS_MAX];
    unsigned other_count;
    uint64_t failed_ms; /* when connecting failed last; 0: it did not */
};

/* A connection, with our settings, checked. */
QC_MUST qc_rc pg_connect(const struct pg_conf *conf, PGconn **ret, struct qc_err *err);
/* p->conn is there and looks well, or QC_TEMP. Not in a transaction. */
QC_MUST qc_rc pg_alive(struct pg *p, struct qc_err *err);
void pg_hang_up(struct pg *p);
void pg_roll_back(PGconn *c);

/* Operations on transactions and sessions (base/db_ops.h). */
QC_MUST qc_rc pg_begin(struct qc_db *db, struct qc_err *err);
QC_MUST qc_rc pg_commit(struct qc_db *db, struct qc_err *err);
void pg_rollback(struct qc_db *db);
uint64_t pg_session(const struct qc_db *db);
QC_MUST qc_rc pg_attend(struct qc_db *db, bool *ret_first, struct qc_err *err);
QC_MUST qc_rc pg_session_open(struct qc_db *db, uint64_t session, bool *ret, struct qc_err *err);
QC_MUST qc_rc pg_end_others(struct qc_db *db, struct qc_err *err);
/* In a transaction: QC_FENCED, with the reason why it is over. */
QC_MUST qc_rc pg_session_over(struct pg *p, struct qc_err *err);

/* A row for this opening; others whose connections are gone are over when it returns. */
QC_MUST qc_rc pg_session_begin(struct pg *p, struct qc_err *err);
/* In good order; nothing where the server is away. */
void pg_session_end(struct pg *p);
/* It has another connection: the row says which. */
void pg_session_moved(struct pg *p);

/* Statements without parameters. *ret: the last one's result; NULL: not wanted. */
QC_MUST qc_rc pg_query(PGconn *c, const char *sql, PGresult **ret, struct qc_err *err);
void pg_clear(PGresult **r);
/* The code for a failed result (NULL: the connection's). Never QC_OK. A connection that failed is
 * CONNECTION_BAD afterwards. */
QC_MUST qc_rc pg_failed(PGconn *c, const PGresult *r, const char *what, struct qc_err *err);
#define PG_FAIL(c, r, what, err)                                                                             \
    __extension__({                                                                                          \
        qc_rc rc_pg_ = pg_failed((c), (r), (what), (err));                                                   \
        if (rc_pg_ == QC_OK)                                                                                 \
            __builtin_unreachable();                                                                         \
        rc_pg_;                                                                                              \
    })
/* A number in text form; 0 where there is none. */
int64_t pg_number(const PGresult *r, int row, int column);

/* Our SQL (docs/HACKING.md) as PostgreSQL's; appended, with a NUL. *ret_params: how many parameters. QC_LIMIT
 */
QC_MUST qc_rc pg_translate(const char *sql, qc_buf *ret, unsigned *ret_params, struct qc_err *err);

/* Operations on statements (base/db_ops.h). */
QC_MUST qc_rc pg_prepare(struct qc_db *db, const char *sql, struct qc_stmt **ret, struct qc_err *err);
void pg_free(struct qc_stmt *s);
QC_MUST qc_rc pg_bind(struct qc_stmt *s, const struct qc_val *vals, size_t count, bool stay,
                      struct qc_err *err);
QC_MUST qc_rc pg_step(struct qc_stmt *s, bool *ret_row, struct qc_err *err);
void pg_reset(struct qc_stmt *s);
enum qc_val_kind pg_col_kind(struct qc_stmt *s, int i);
int64_t pg_col_int(struct qc_stmt *s, int i);
qc_span pg_col_span(struct qc_stmt *s, int i);
const char *pg_col_name(struct qc_stmt *s, int i);

/* What a kind of database is made of, for those who implement one: SQLite (base/db_sqlite.c), PostgreSQL
 * (pg/). Layer 0; uses db. Everybody else uses base/db.h, which says what each of these must do.
 *
 * Implementations put struct qc_db and struct qc_stmt first in their own objects. */
#pragma once
#include "base/db.h"

struct qc_db_ops {
    void (*close)(struct qc_db *db);
    qc_rc (*exec)(struct qc_db *db, const char *sql, struct qc_err *err);
    qc_rc (*version)(struct qc_db *db, uint32_t *ret, struct qc_err *err);
    qc_rc (*set_version)(struct qc_db *db, uint32_t v, struct qc_err *err);
    qc_rc (*check)(struct qc_db *db, struct qc_err *err);
    qc_rc (*settle)(struct qc_db *db, struct qc_err *err);
    int64_t (*changes)(struct qc_db *db);
    void (*interrupt)(struct qc_db *db);
    /* NULL, all four: a database has one session at a time, by its file's lock. */
    uint64_t (*session)(const struct qc_db *db);
    qc_rc (*attend)(struct qc_db *db, bool *ret_first, struct qc_err *err);
    qc_rc (*session_open)(struct qc_db *db, uint64_t session, bool *ret, struct qc_err *err);
    qc_rc (*end_others)(struct qc_db *db, struct qc_err *err);
    qc_rc (*begin)(struct qc_db *db, struct qc_err *err);
    qc_rc (*commit)(struct qc_db *db, struct qc_err *err);
    void (*rollback)(struct qc_db *db); /* also after a failure that has rolled back by itself */

    qc_rc (*prepare)(struct qc_db *db, const char *sql, struct qc_stmt **ret, struct qc_err *err);
    void (*free)(struct qc_stmt *s);
    /* stay: the bytes do, until the statement is reset, and need no copy. */
    qc_rc (*bind)(struct qc_stmt *s, const struct qc_val *vals, size_t count, bool stay, struct qc_err *err);
    qc_rc (*step)(struct qc_stmt *s, bool *ret_row, struct qc_err *err);
    void (*reset)(struct qc_stmt *s);
    /* i is asserted by the implementation. */
    enum qc_val_kind (*col_kind)(struct qc_stmt *s, int i);
    int64_t (*col_int)(struct qc_stmt *s, int i);
    qc_span (*col_span)(struct qc_stmt *s, int i);
    const char *(*col_name)(struct qc_stmt *s, int i);

    bool typed; /* a column holds values of one type: see qc_db_typed */
};

struct qc_db {
    const struct qc_db_ops *ops;
    size_t statements; /* prepared and not freed */
};
struct qc_stmt {
    struct qc_db *db;
};

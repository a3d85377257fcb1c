/* What db.c and db_stmt.c share. */
#pragma once
#include <sqlite3.h>

#include "base/db.h"

struct qc_db {
    sqlite3 *sql;
    size_t statements; /* prepared and not freed */
};

/* The code for SQLite's result, the message set from its text. Never QC_OK. what: "opening x.db". */
QC_MUST qc_rc qc_db_failed(const struct qc_db *db, int sqlite_rc, const char *what, struct qc_err *err);
#define QC_FAIL_DB(db, sqlite_rc, what, err)                                                                 \
    __extension__({                                                                                          \
        qc_rc rc_db_ = qc_db_failed((db), (sqlite_rc), (what), (err));                                       \
        if (rc_db_ == QC_OK)                                                                                 \
            __builtin_unreachable();                                                                         \
        rc_db_;                                                                                              \
    })

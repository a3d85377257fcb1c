/* What db_sqlite.c and db_sqlite_stmt.c share. */
#pragma once
#include <sqlite3.h>

#include "base/db_ops.h"

struct lite {
    struct qc_db db; /* first */
    sqlite3 *sql;
    sqlite3_stmt *begin, *commit; /* NULL: not needed yet */
};

/* The code for SQLite's result, the message set from its text. Never QC_OK. what: "opening x.db". */
QC_MUST qc_rc qc_db_failed(const struct lite *db, int sqlite_rc, const char *what, struct qc_err *err);
#define QC_FAIL_DB(db, sqlite_rc, what, err)                                                                 \
    __extension__({                                                                                          \
        qc_rc rc_db_ = qc_db_failed((db), (sqlite_rc), (what), (err));                                       \
        if (rc_db_ == QC_OK)                                                                                 \
            __builtin_unreachable();                                                                         \
        rc_db_;                                                                                              \
    })

/* From now on sqlite3_system_errno tells why a file could not be made (db_sqlite_open.c). As often as one
 * likes. */
void qc_lite_open_reasons(void);

/* Operations on statements (db_ops.h). */
QC_MUST qc_rc qc_lite_prepare(struct qc_db *db, const char *sql, struct qc_stmt **ret, struct qc_err *err);
void qc_lite_free(struct qc_stmt *s);
QC_MUST qc_rc qc_lite_bind(struct qc_stmt *s, const struct qc_val *vals, size_t count, bool stay,
                           struct qc_err *err);
QC_MUST qc_rc qc_lite_step(struct qc_stmt *s, bool *ret_row, struct qc_err *err);
void qc_lite_reset(struct qc_stmt *s);
enum qc_val_kind qc_lite_col_kind(struct qc_stmt *s, int i);
int64_t qc_lite_col_int(struct qc_stmt *s, int i);
qc_span qc_lite_col_span(struct qc_stmt *s, int i);
const char *qc_lite_col_name(struct qc_stmt *s, int i);

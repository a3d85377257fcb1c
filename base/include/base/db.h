/* Databases: SQLite, opened the one right way, here; other kinds (pg/) behind the same calls (base/db_ops.h).
 * Layer 0; uses err, buf. One connection: one thread at a time.
 *
 * Statements are written so that all kinds run them: docs/HACKING.md has the rules.
 *
 * Errors of SQLite: SQLITE_FULL -> QC_FULL; BUSY, LOCKED -> QC_LOCKED; CORRUPT, NOTADB ->
 * QC_INTEGRITY; READONLY, PERM, AUTH -> QC_AUTH; CANTOPEN -> QC_NOTFOUND, or by errno; NOMEM ->
 * QC_NOMEM; TOOBIG -> QC_LIMIT; CONSTRAINT -> QC_CONFLICT; INTERRUPT -> QC_CANCELLED; IOERR -> QC_IO; all
 * else QC_GENERAL. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct qc_db;
struct qc_stmt;

enum qc_db_kind {
    QC_DB_CATALOGUE, /* journal_mode WAL, synchronous FULL: a commit is durable, readers do not wait */
    QC_DB_SHARES     /* journal_mode TRUNCATE, synchronous EXTRA, secure_delete ON, one file at rest */
};

struct qc_db_opts {
    enum qc_db_kind kind;
    uint32_t application_id; /* in the file's header; another one is refused with QC_FORMAT */
    bool create;             /* make the file if missing (mode 0600) and mark it */
    bool read_only;          /* kind QC_DB_SHARES only */
};

/* For a program of our own, before it opens one, and not for a library in somebody else's: SQLite does not
 * count its memory, which it does under one lock of all threads. */
void qc_db_in_program(void);

/* For a program whose database holds secrets in clear, before it opens one: what SQLite gives back is
 * overwritten first, and it keeps no store of its own of what it gives back (I5). Takes as long as that does.
 */
void qc_db_wipes(void);

/*
 * Open an SQLite database. Sets and reads back: journal mode, synchronous, foreign_keys, trusted_schema,
 * cell_size_check, busy timeout, of a catalogue the sizes of its cache and log; limits lengths; refuses
 * extensions, ATTACH and views or triggers of an unknown kind of database. QC_FORMAT for another
 * application's file.
 */
QC_MUST qc_rc qc_db_open(struct qc_db **ret, const char *path, const struct qc_db_opts *opts,
                         struct qc_err *err);
/* All its statements must have been freed (asserted). */
void qc_db_close(struct qc_db **db);
/* One or more statements without parameters or results. */
QC_MUST qc_rc qc_db_exec(struct qc_db *db, const char *sql, struct qc_err *err);
QC_MUST qc_rc qc_db_user_version(struct qc_db *db, uint32_t *ret, struct qc_err *err);
QC_MUST qc_rc qc_db_set_user_version(struct qc_db *db, uint32_t v, struct qc_err *err);
/* PRAGMA quick_check and foreign_key_check; QC_INTEGRITY with the first finding. Reads the whole file. */
QC_MUST qc_rc qc_db_check(struct qc_db *db, struct qc_err *err);
/* What was committed goes to where it stays: into the main file, before it is moved. */
QC_MUST qc_rc qc_db_settle(struct qc_db *db, struct qc_err *err);
/* Does a column hold values of its one type? (In SQLite a number may stand where blobs do.) */
bool qc_db_typed(const struct qc_db *db);
/* Where several programs may have a database open, each opening is a session with a number greater than all
 * before it; else 0. One that is over writes nothing any more: qc_tx_begin fails with QC_FENCED. */
uint64_t qc_db_session(const struct qc_db *db);
/* Outside a transaction, every few seconds: this session lives; those that show no life are over. *ret_first:
 * of those that are open it is the oldest, and stays so until it is over. QC_FENCED: it is. */
QC_MUST qc_rc qc_db_attend(struct qc_db *db, bool *ret_first, struct qc_err *err);
/* In a transaction: *ret: is that session open? */
QC_MUST qc_rc qc_db_session_open(struct qc_db *db, uint64_t session, bool *ret, struct qc_err *err);
/* In a transaction: with its commit all other sessions are over. What they have read is not so any more, and
 * whoever opens a new one reads it again. */
QC_MUST qc_rc qc_db_end_others(struct qc_db *db, struct qc_err *err);
int64_t qc_db_changes(struct qc_db *db); /* rows changed by the last statement */
/* From any thread: running statements end with QC_CANCELLED. */
void qc_db_interrupt(struct qc_db *db);

/* Statements. Parameters are ?1, ?2, .. What follows the RETURNING of an INSERT without ON CONFLICT is the id
 * that the new row was given. */
QC_MUST qc_rc qc_db_prepare(struct qc_db *db, const char *sql, struct qc_stmt **ret, struct qc_err *err);
void qc_stmt_free(struct qc_stmt **s);

enum qc_val_kind { QC_VAL_NULL, QC_VAL_INT, QC_VAL_BLOB, QC_VAL_TEXT };
struct qc_val {
    enum qc_val_kind kind;
    int64_t i;
    qc_span s;
};
#define QC_VI(v)    ((struct qc_val){ .kind = QC_VAL_INT, .i = (int64_t)(v) })
#define QC_VB(span) ((struct qc_val){ .kind = QC_VAL_BLOB, .s = (span) })
#define QC_VT(span) ((struct qc_val){ .kind = QC_VAL_TEXT, .s = (span) })
#define QC_VN       ((struct qc_val){ .kind = QC_VAL_NULL })

/* Reset the statement and bind ?1..?count, as many as it has (asserted); bytes are copied. */
QC_MUST qc_rc qc_stmt_bind(struct qc_stmt *s, const struct qc_val *vals, size_t count, struct qc_err *err);
/* QC_BIND(s, err, QC_VB(id), QC_VI(7)) */
#define QC_BIND(s, err, ...)                                                                                 \
    qc_stmt_bind((s), (const struct qc_val[]){ __VA_ARGS__ },                                                \
                 sizeof((const struct qc_val[]){ __VA_ARGS__ }) / sizeof(struct qc_val), (err))
/* The next row: *ret_row says whether there is one. After the last row, and on failure, the statement is
 * reset. */
QC_MUST qc_rc qc_stmt_step(struct qc_stmt *s, bool *ret_row, struct qc_err *err);
/* Run to the end, rows are not expected (QC_GENERAL if one comes). */
QC_MUST qc_rc qc_stmt_run(struct qc_stmt *s, struct qc_err *err);
/* QC_BIND and qc_stmt_run in one, without the copy. */
#define QC_RUN(s, err, ...)                                                                                  \
    qc_stmt_bind_run((s), (const struct qc_val[]){ __VA_ARGS__ },                                            \
                     sizeof((const struct qc_val[]){ __VA_ARGS__ }) / sizeof(struct qc_val), (err))
QC_MUST qc_rc qc_stmt_bind_run(struct qc_stmt *s, const struct qc_val *vals, size_t count,
                               struct qc_err *err);
/* Ends a read that stopped before its last row. Bindings stay. */
void qc_stmt_reset(struct qc_stmt *s);

/* Columns of the current row, from 0. Spans are borrowed until the next step, bind or reset. */
int64_t qc_col_int(struct qc_stmt *s, int i);
qc_span qc_col_span(struct qc_stmt *s, int i); /* blob or text; empty for NULL */
bool qc_col_null(struct qc_stmt *s, int i);
/* Checked: the disk lies between the writer and us. QC_INTEGRITY when the type, sign or length is another. */
QC_MUST qc_rc qc_col_u64(struct qc_stmt *s, int i, uint64_t *ret, struct qc_err *err);
QC_MUST qc_rc qc_col_fixed(struct qc_stmt *s, int i, uint8_t *dst, size_t n, struct qc_err *err);

/* A transaction as a scope: QC_CLEANUP(qc_tx_end) struct qc_tx tx = {0}; begin; ..; commit. The end without a
 * commit rolls back. */
struct qc_tx {
    struct qc_db *db;
};
/* While a transaction is open no other one is, of any process: what it has read holds until its end. */
QC_MUST qc_rc qc_tx_begin(struct qc_tx *tx, struct qc_db *db, struct qc_err *err);
/* Durable on QC_OK. On failure it has been rolled back. */
QC_MUST qc_rc qc_tx_commit(struct qc_tx *tx, struct qc_err *err);
void qc_tx_end(struct qc_tx *tx);

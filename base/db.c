/* Opening, pragmas, transactions, errors. */
#include "db_internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/file.h"

static qc_rc rc_of(const struct qc_db *db, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return QC_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return QC_LOCKED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return QC_INTEGRITY;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return QC_AUTH;
    case SQLITE_CANTOPEN:
        return db != NULL && db->sql != NULL && sqlite3_system_errno(db->sql) == EACCES ? QC_AUTH
                                                                                        : QC_NOTFOUND;
    case SQLITE_NOMEM:
        return QC_NOMEM;
    case SQLITE_TOOBIG:
        return QC_LIMIT;
    case SQLITE_CONSTRAINT:
        return QC_CONFLICT;
    case SQLITE_INTERRUPT:
        return QC_CANCELLED;
    case SQLITE_IOERR: /* a full disk shows so where the shared-memory file of a WAL cannot grow */
        switch (db != NULL && db->sql != NULL ? sqlite3_system_errno(db->sql) : 0) {
        case ENOSPC:
        case EDQUOT:
            return QC_FULL;
        case EROFS:
        case EACCES:
            return QC_AUTH;
        default:
            return QC_IO;
        }
    default:
        return QC_GENERAL;
    }
}

qc_rc qc_db_failed(const struct qc_db *db, int sqlite_rc, const char *what, struct qc_err *err)
{
    const char *text = db != NULL && db->sql != NULL ? sqlite3_errmsg(db->sql) : sqlite3_errstr(sqlite_rc);
    qc_rc rc = rc_of(db, sqlite_rc);

    if (rc == QC_FULL || rc == QC_IO || rc == QC_AUTH) { /* what is wrong is the place: which one? */
        const char *file = db != NULL && db->sql != NULL ? sqlite3_db_filename(db->sql, "main") : NULL;
        qc_err_set(err, rc, QC_HERE, "%s%s%s: %s", what, file != NULL ? " " : "", file != NULL ? file : "",
                   text);
    } else {
        qc_err_set(err, rc, QC_HERE, "%s: %s", what, text);
    }
    err->os = db != NULL && db->sql != NULL ? sqlite3_system_errno(db->sql) : 0;
    return rc;
}

static qc_rc exec(struct qc_db *db, const char *sql, struct qc_err *err)
{
    int rc = sqlite3_exec(db->sql, sql, NULL, NULL, NULL);

    if (rc != SQLITE_OK)
        return QC_FAIL_DB(db, rc, "database", err);
    return QC_OK;
}

/* Run a pragma and read its one value back as text. */
static qc_rc pragma(struct qc_db *db, const char *sql, char *ret, size_t ret_size, struct qc_err *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db->sql, sql, -1, &s, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(s, 0);

        snprintf(ret, ret_size, "%s", text == NULL ? "" : text);
        rc = SQLITE_DONE;
    } else if (rc == SQLITE_DONE) {
        ret[0] = '\0';
    }
    qc_rc out = rc == SQLITE_DONE ? QC_OK : QC_FAIL_DB(db, rc, sql, err);
    sqlite3_finalize(s);
    return out;
}

struct wanted {
    const char *set, *get, *value;
};

/* SQLite answers a pragma that it does not follow with silence: each is read back. */
static qc_rc apply(struct qc_db *db, const struct wanted *w, struct qc_err *err)
{
    char got[64];

    QC_TRY(pragma(db, w->set, got, sizeof got, err));
    QC_TRY(pragma(db, w->get, got, sizeof got, err));
    if (strcmp(got, w->value) != 0)
        return QC_FAIL(err, QC_GENERAL, "%s: the database answers '%s', expected '%s'", w->set, got,
                       w->value);
    return QC_OK;
}

static qc_rc configure(struct qc_db *db, const struct qc_db_opts *opts, struct qc_err *err)
{
    static const struct wanted common[] = {
        { "PRAGMA trusted_schema=OFF", "PRAGMA trusted_schema", "0" },
        { "PRAGMA foreign_keys=ON", "PRAGMA foreign_keys", "1" },
        { "PRAGMA cell_size_check=ON", "PRAGMA cell_size_check", "1" },
        { "PRAGMA temp_store=MEMORY", "PRAGMA temp_store", "2" },
    };
    static const struct wanted catalogue[] = {
        { "PRAGMA journal_mode=WAL", "PRAGMA journal_mode", "wal" },
        { "PRAGMA synchronous=FULL", "PRAGMA synchronous", "2" },
    };
    static const struct wanted shares[] = {
        { "PRAGMA journal_mode=TRUNCATE", "PRAGMA journal_mode", "truncate" },
        { "PRAGMA synchronous=EXTRA", "PRAGMA synchronous", "3" },
        { "PRAGMA secure_delete=ON", "PRAGMA secure_delete", "1" },
    };

    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        QC_TRY(apply(db, &common[i], err));
    if (opts->kind == QC_DB_CATALOGUE) {
        for (size_t i = 0; i < sizeof catalogue / sizeof *catalogue; i++)
            QC_TRY(apply(db, &catalogue[i], err));
    } else {
        for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
            QC_TRY(apply(db, &shares[i], err));
    }
    return QC_OK;
}

static qc_rc pragma_u32(struct qc_db *db, const char *sql, uint32_t *ret, struct qc_err *err)
{
    char got[64];

    QC_TRY(pragma(db, sql, got, sizeof got, err));
    *ret = (uint32_t)strtoll(got, NULL, 10); /* SQLite shows the 32 bits as a signed number */
    return QC_OK;
}

/* Whose file is it? A new, empty one is marked as ours when the caller asked for one to be made. */
static qc_rc identify(struct qc_db *db, const char *path, const struct qc_db_opts *opts, struct qc_err *err)
{
    uint32_t id = 0;
    char tables[64], sql[64];

    QC_TRY(pragma_u32(db, "PRAGMA application_id", &id, err));
    if (id == opts->application_id)
        return QC_OK;
    QC_TRY(pragma(db, "SELECT count(*) FROM sqlite_schema", tables, sizeof tables, err));
    if (id != 0 || strcmp(tables, "0") != 0 || !opts->create)
        return QC_FAIL(err, QC_FORMAT, "%s: application id %08" PRIx32 ", expected %08" PRIx32, path, id,
                       opts->application_id);
    snprintf(sql, sizeof sql, "PRAGMA application_id=%" PRId32, (int32_t)opts->application_id);
    QC_TRY(exec(db, sql, err));
    QC_TRY(pragma_u32(db, "PRAGMA application_id", &id, err));
    if (id != opts->application_id)
        return QC_FAIL(err, QC_GENERAL, "%s: the database did not keep its application id", path);
    return QC_OK;
}

static void restrict_connection(struct qc_db *db)
{
    sqlite3_extended_result_codes(db->sql, 1);
    sqlite3_busy_timeout(db->sql, QC_DB_BUSY_MS);
    sqlite3_limit(db->sql, SQLITE_LIMIT_LENGTH, QC_DB_VALUE_MAX);
    sqlite3_limit(db->sql, SQLITE_LIMIT_SQL_LENGTH, QC_DB_SQL_MAX);
    sqlite3_limit(db->sql, SQLITE_LIMIT_ATTACHED, 1); /* VACUUM INTO needs one */
    /* An int behind the dots, each: */
    sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->sql, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
}

/* SQLite would make it with the umask's mode. */
static qc_rc make_file(const char *path, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };

    return qc_open_at(&fd, AT_FDCWD, path, O_RDWR | O_CREAT, 0600, err);
}

qc_rc qc_db_open(struct qc_db **ret, const char *path, const struct qc_db_opts *opts, struct qc_err *err)
{
    int flags = opts->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;

    QC_ASSERT(opts->application_id != 0);
    QC_ASSERT(!opts->read_only || (opts->kind == QC_DB_SHARES && !opts->create));
    if (opts->create)
        QC_TRY(make_file(path, err));
    QC_CLEANUP(qc_db_close) struct qc_db *db = qc_alloc(sizeof *db);
    if (db == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a database");
    int rc = sqlite3_open_v2(path, &db->sql, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return QC_FAIL_DB(db, rc, path, err);
    restrict_connection(db);
    QC_TRY_AS(identify(db, path, opts, err), err, "opening the database");
    QC_TRY_AS(configure(db, opts, err), err, "%s", path);
    *ret = QC_STEAL(db);
    return QC_OK;
}

void qc_db_close(struct qc_db **db)
{
    if (*db == NULL)
        return;
    QC_ASSERT((*db)->statements == 0);
    QC_ASSERT(sqlite3_close((*db)->sql) == SQLITE_OK);
    qc_free(*db);
    *db = NULL;
}

qc_rc qc_db_exec(struct qc_db *db, const char *sql, struct qc_err *err)
{
    return exec(db, sql, err);
}

qc_rc qc_db_user_version(struct qc_db *db, uint32_t *ret, struct qc_err *err)
{
    return pragma_u32(db, "PRAGMA user_version", ret, err);
}

qc_rc qc_db_set_user_version(struct qc_db *db, uint32_t v, struct qc_err *err)
{
    char sql[64];

    snprintf(sql, sizeof sql, "PRAGMA user_version=%" PRId32, (int32_t)v);
    return exec(db, sql, err);
}

qc_rc qc_db_check(struct qc_db *db, struct qc_err *err)
{
    char got[256];

    QC_TRY(pragma(db, "PRAGMA quick_check(1)", got, sizeof got, err));
    if (strcmp(got, "ok") != 0)
        return QC_FAIL(err, QC_INTEGRITY, "database check: %s", got);
    QC_TRY(pragma(db, "PRAGMA foreign_key_check", got, sizeof got, err));
    if (got[0] != '\0')
        return QC_FAIL(err, QC_INTEGRITY, "database check: a row of %s points to nothing", got);
    return QC_OK;
}

int64_t qc_db_changes(struct qc_db *db)
{
    return sqlite3_changes64(db->sql);
}

int64_t qc_db_last_id(struct qc_db *db)
{
    return sqlite3_last_insert_rowid(db->sql);
}

void qc_db_interrupt(struct qc_db *db)
{
    sqlite3_interrupt(db->sql);
}

qc_rc qc_tx_begin(struct qc_tx *tx, struct qc_db *db, struct qc_err *err)
{
    QC_ASSERT(tx->db == NULL);
    QC_TRY(exec(db, "BEGIN IMMEDIATE", err));
    tx->db = db;
    return QC_OK;
}

static qc_rc commit(struct qc_db *db, struct qc_err *err)
{
    QC_TRY(qc_fault(db_commit, err));
    return exec(db, "COMMIT", err);
}

qc_rc qc_tx_commit(struct qc_tx *tx, struct qc_err *err)
{
    QC_ASSERT(tx->db != NULL);
    qc_rc rc = commit(tx->db, err);
    if (rc != QC_OK) {
        qc_tx_end(tx);
        return rc;
    }
    tx->db = NULL;
    return qc_fault(db_committed, err);
}

void qc_tx_end(struct qc_tx *tx)
{
    if (tx->db == NULL)
        return;
    /* Some failures have rolled back by themselves; then there is nothing left to do. */
    if (sqlite3_get_autocommit(tx->db->sql) == 0)
        sqlite3_exec(tx->db->sql, "ROLLBACK", NULL, NULL, NULL);
    tx->db = NULL;
}

/* SQLite: opening, pragmas, transactions, errors. */
#include "db_sqlite.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"

/* What the system said of the place; other: it said nothing that tells more. */
static qc_rc of_place(const struct lite *db, qc_rc other)
{
    switch (db != NULL && db->sql != NULL ? sqlite3_system_errno(db->sql) : 0) {
    case ENOSPC:
    case EDQUOT:
        return QC_FULL;
    case EROFS:
    case EACCES:
        return QC_AUTH;
    case EIO:
        return QC_IO;
    default:
        return other;
    }
}

static qc_rc rc_of(const struct lite *db, int rc)
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
        return of_place(db, QC_NOTFOUND);
    case SQLITE_NOMEM:
        return QC_NOMEM;
    case SQLITE_TOOBIG:
        return QC_LIMIT;
    case SQLITE_CONSTRAINT:
        return QC_CONFLICT;
    case SQLITE_INTERRUPT:
        return QC_CANCELLED;
    case SQLITE_IOERR: /* a full disk shows so where the shared-memory file of a WAL cannot grow */
        return of_place(db, QC_IO);
    default:
        return QC_GENERAL;
    }
}

qc_rc qc_db_failed(const struct lite *db, int sqlite_rc, const char *what, struct qc_err *err)
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

static qc_rc exec(struct lite *db, const char *sql, struct qc_err *err)
{
    int rc = sqlite3_exec(db->sql, sql, NULL, NULL, NULL);

    if (rc != SQLITE_OK)
        return QC_FAIL_DB(db, rc, "database", err);
    return QC_OK;
}

/* Run a pragma and read its one value back as text. */
static qc_rc pragma(struct lite *db, const char *sql, char *ret, size_t ret_size, struct qc_err *err)
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
static qc_rc apply(struct lite *db, const struct wanted *w, struct qc_err *err)
{
    char got[64];

    QC_TRY(pragma(db, w->set, got, sizeof got, err));
    QC_TRY(pragma(db, w->get, got, sizeof got, err));
    if (strcmp(got, w->value) != 0)
        return QC_FAIL(err, QC_GENERAL, "%s: the database answers '%s', expected '%s'", w->set, got,
                       w->value);
    return QC_OK;
}

static qc_rc apply_number(struct lite *db, const char *name, int n, struct qc_err *err)
{
    char set[64], get[64], value[16];

    snprintf(set, sizeof set, "PRAGMA %s=%d", name, n);
    snprintf(get, sizeof get, "PRAGMA %s", name);
    snprintf(value, sizeof value, "%d", n);
    return apply(db, &(struct wanted){ set, get, value }, err);
}

static qc_rc configure(struct lite *db, const struct qc_db_opts *opts, struct qc_err *err)
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
        QC_TRY(apply_number(db, "cache_size", -QC_DB_CACHE_KIB, err));
        QC_TRY(apply_number(db, "wal_autocheckpoint", QC_DB_WAL_PAGES, err));
    } else {
        for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
            QC_TRY(apply(db, &shares[i], err));
    }
    return QC_OK;
}

static qc_rc pragma_u32(struct lite *db, const char *sql, uint32_t *ret, struct qc_err *err)
{
    char got[64];

    QC_TRY(pragma(db, sql, got, sizeof got, err));
    *ret = (uint32_t)strtoll(got, NULL, 10); /* SQLite shows the 32 bits as a signed number */
    return QC_OK;
}

/* Whose file is it? A new, empty one is marked as ours when the caller asked for one to be made. */
static qc_rc identify(struct lite *db, const char *path, const struct qc_db_opts *opts, struct qc_err *err)
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

static void restrict_connection(struct lite *db)
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

/* -- operations ------------------------------------------------------------------------------------------ */

static struct lite *lite_of(struct qc_db *db)
{
    return (struct lite *)db;
}

static void lite_close(struct qc_db *db)
{
    struct lite *l = lite_of(db);

    sqlite3_finalize(l->begin);
    sqlite3_finalize(l->commit);
    QC_ASSERT(l->sql == NULL || sqlite3_close(l->sql) == SQLITE_OK);
    qc_free(l);
}

static qc_rc lite_exec(struct qc_db *db, const char *sql, struct qc_err *err)
{
    return exec(lite_of(db), sql, err);
}

static qc_rc lite_version(struct qc_db *db, uint32_t *ret, struct qc_err *err)
{
    return pragma_u32(lite_of(db), "PRAGMA user_version", ret, err);
}

static qc_rc lite_set_version(struct qc_db *db, uint32_t v, struct qc_err *err)
{
    char sql[64];

    snprintf(sql, sizeof sql, "PRAGMA user_version=%" PRId32, (int32_t)v);
    return exec(lite_of(db), sql, err);
}

static qc_rc lite_check(struct qc_db *db, struct qc_err *err)
{
    char got[256];

    QC_TRY(pragma(lite_of(db), "PRAGMA quick_check(1)", got, sizeof got, err));
    if (strcmp(got, "ok") != 0)
        return QC_FAIL(err, QC_INTEGRITY, "database check: %s", got);
    QC_TRY(pragma(lite_of(db), "PRAGMA foreign_key_check", got, sizeof got, err));
    if (got[0] != '\0')
        return QC_FAIL(err, QC_INTEGRITY, "database check: a row of %s points to nothing", got);
    return QC_OK;
}

static qc_rc lite_settle(struct qc_db *db, struct qc_err *err)
{
    char got[64];

    return pragma(lite_of(db), "PRAGMA wal_checkpoint(TRUNCATE)", got, sizeof got, err);
}

static int64_t lite_changes(struct qc_db *db)
{
    return sqlite3_changes64(lite_of(db)->sql);
}

static void lite_interrupt(struct qc_db *db)
{
    sqlite3_interrupt(lite_of(db)->sql);
}

/* What every transaction runs is prepared once. */
static qc_rc run_kept(struct lite *l, sqlite3_stmt **kept, const char *sql, struct qc_err *err)
{
    int rc = *kept != NULL ? SQLITE_OK
                           : sqlite3_prepare_v3(l->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, kept, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(*kept);
    const qc_rc out = rc == SQLITE_DONE ? QC_OK : QC_FAIL_DB(l, rc, "database", err);
    sqlite3_reset(*kept); /* its result is that of the step, which has been reported */
    return out;
}

static qc_rc lite_begin(struct qc_db *db, struct qc_err *err)
{
    return run_kept(lite_of(db), &lite_of(db)->begin, "BEGIN IMMEDIATE", err);
}

static qc_rc lite_commit(struct qc_db *db, struct qc_err *err)
{
    return run_kept(lite_of(db), &lite_of(db)->commit, "COMMIT", err);
}

/* Some failures have rolled back by themselves; then there is nothing left to do. */
static void lite_rollback(struct qc_db *db)
{
    if (sqlite3_get_autocommit(lite_of(db)->sql) == 0)
        sqlite3_exec(lite_of(db)->sql, "ROLLBACK", NULL, NULL, NULL);
}

static const struct qc_db_ops ops = {
    .close = lite_close,
    .exec = lite_exec,
    .version = lite_version,
    .set_version = lite_set_version,
    .check = lite_check,
    .settle = lite_settle,
    .changes = lite_changes,
    .interrupt = lite_interrupt,
    .begin = lite_begin,
    .commit = lite_commit,
    .rollback = lite_rollback,
    .prepare = qc_lite_prepare,
    .free = qc_lite_free,
    .bind = qc_lite_bind,
    .step = qc_lite_step,
    .reset = qc_lite_reset,
    .col_kind = qc_lite_col_kind,
    .col_int = qc_lite_col_int,
    .col_span = qc_lite_col_span,
    .col_name = qc_lite_col_name,
};

static void free_lite(struct lite **l)
{
    if (*l != NULL)
        lite_close(&(*l)->db);
    *l = NULL;
}

qc_rc qc_db_open(struct qc_db **ret, const char *path, const struct qc_db_opts *opts, struct qc_err *err)
{
    int flags = opts->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;

    QC_ASSERT(opts->application_id != 0);
    QC_ASSERT(!opts->read_only || (opts->kind == QC_DB_SHARES && !opts->create));
    if (opts->create)
        QC_TRY(make_file(path, err));
    QC_CLEANUP(free_lite) struct lite *l = qc_alloc(sizeof *l);
    if (l == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a database");
    l->db.ops = &ops;
    qc_lite_open_reasons();
    int rc = sqlite3_open_v2(path, &l->sql, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return QC_FAIL_DB(l, rc, path, err);
    restrict_connection(l);
    QC_TRY_AS(identify(l, path, opts, err), err, "opening the database");
    QC_TRY_AS(configure(l, opts, err), err, "%s", path);
    *ret = &QC_STEAL(l)->db;
    return QC_OK;
}

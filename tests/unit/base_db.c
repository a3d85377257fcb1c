/* unit/base_db: files of ours and of others, values of every kind, transactions, errors. */
#include "base/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

#include "qc_check.h"
#include "qc_tmpdir.h"

static struct qc_err err;
static char path[300];
static const struct qc_db_opts catalogue = { .kind = QC_DB_CATALOGUE,
                                             .application_id = 0xf1020304,
                                             .create = true };
static const struct qc_db_opts shares = { .kind = QC_DB_SHARES,
                                          .application_id = 0x51434c53,
                                          .create = true };

static void in_dir(const struct qc_tmpdir *t, const char *name)
{
    snprintf(path, sizeof path, "%s/%s", t->path, name);
}

static void put_bytes(const char *text)
{
    FILE *f = fopen(path, "wb");

    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void check_open(const struct qc_tmpdir *t)
{
    QC_CLEANUP(qc_db_close) struct qc_db *db = NULL;
    struct qc_db_opts other = catalogue, no_create = catalogue;
    struct stat st;
    uint32_t v = 9;

    other.application_id = 7;
    no_create.create = false;
    in_dir(t, "a.db");
    CHECK_RC(qc_db_open(&db, path, &no_create, &err), QC_NOTFOUND);
    CHECK_OK(qc_db_open(&db, path, &catalogue, &err));
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK_OK(qc_db_user_version(db, &v, &err));
    CHECK(v == 0);
    CHECK_OK(qc_db_set_user_version(db, 3, &err));
    qc_db_close(&db);
    CHECK_OK(qc_db_open(&db, path, &no_create, &err));
    CHECK_OK(qc_db_user_version(db, &v, &err));
    CHECK(v == 3);
    CHECK_OK(qc_db_check(db, &err));
    qc_db_close(&db);
    CHECK_RC(qc_db_open(&db, path, &other, &err), QC_FORMAT);
    in_dir(t, "text.db");
    put_bytes("this is no database, but it is long enough to be looked at\n");
    CHECK_RC(qc_db_open(&db, path, &catalogue, &err), QC_INTEGRITY);
    in_dir(t, "empty.db");
    put_bytes("");
    CHECK_RC(qc_db_open(&db, path, &no_create, &err), QC_FORMAT);
    in_dir(t, "none/a.db");
    CHECK_RC(qc_db_open(&db, path, &catalogue, &err), QC_NOTFOUND);
    CHECK(db == NULL);
}

static void check_values(struct qc_db *db)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *in = NULL, *out = NULL;
    uint8_t two[2] = { 0 };
    uint64_t u = 5;
    bool row = false;

    CHECK_OK(qc_db_exec(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB, s TEXT, n INTEGER)", &err));
    CHECK_OK(qc_db_prepare(db, "INSERT INTO t (b, s, n) VALUES (?1, ?2, ?3);", &in, &err));
    CHECK_OK(qc_db_prepare(db, "SELECT b, s, n FROM t ORDER BY id", &out, &err));
    CHECK_OK(QC_RUN(in, &err, QC_VB(qc_span_of("\0\1", 2)), QC_VT(QC_LIT("text")), QC_VI(-1)));
    CHECK(qc_db_changes(db) == 1);
    CHECK_OK(QC_RUN(in, &err, QC_VB((qc_span){ 0 }), QC_VT((qc_span){ 0 }), QC_VI(INT64_MAX)));
    CHECK_OK(QC_RUN(in, &err, QC_VN, QC_VN, QC_VN));
    CHECK_DIES(qc_ignore(QC_RUN(in, &err, QC_VN), "it dies"));

    CHECK_OK(qc_stmt_step(out, &row, &err));
    CHECK(row && qc_span_eq(qc_col_span(out, 0), qc_span_of("\0\1", 2)));
    CHECK(qc_span_eq(qc_col_span(out, 1), QC_LIT("text")) && qc_col_int(out, 2) == -1);
    CHECK_OK(qc_col_fixed(out, 0, two, 2, &err));
    CHECK(two[1] == 1);
    CHECK_RC(qc_col_fixed(out, 0, two, 1, &err), QC_INTEGRITY);
    CHECK_RC(qc_col_fixed(out, 1, two, 4, &err), QC_INTEGRITY); /* text is no blob */
    CHECK_RC(qc_col_u64(out, 2, &u, &err), QC_INTEGRITY);
    CHECK_RC(qc_col_u64(out, 0, &u, &err), QC_INTEGRITY);
    CHECK(u == 5);
    CHECK_DIES((void)qc_col_int(out, 3));
    CHECK_OK(qc_stmt_step(out, &row, &err));
    CHECK(row && !qc_col_null(out, 0) && qc_col_span(out, 0).n == 0 && !qc_col_null(out, 1));
    CHECK_OK(qc_col_u64(out, 2, &u, &err));
    CHECK(u == INT64_MAX);
    CHECK_OK(qc_stmt_step(out, &row, &err));
    CHECK(row && qc_col_null(out, 0) && qc_col_null(out, 2));
    CHECK_OK(qc_stmt_step(out, &row, &err));
    CHECK(!row);
    CHECK_RC(qc_stmt_run(out, &err), QC_GENERAL); /* rows were not expected */
    CHECK_OK(qc_stmt_step(out, &row, &err));      /* and it is reset */
    CHECK(row && qc_col_int(out, 2) == -1);
    CHECK_DIES(qc_db_close(&db)); /* statements are alive */
}

/* The id of a new row comes as a row of its own, once for each run. */
static void check_ids(struct qc_db *db)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *in = NULL, *up = NULL, *got = NULL;
    uint64_t id = 0;
    bool row = false;

    CHECK_OK(qc_db_exec(db,
                        "CREATE TABLE ids (id INTEGER PRIMARY KEY, n INTEGER UNIQUE);"
                        "CREATE TABLE seen (id INTEGER PRIMARY KEY, of INTEGER);"
                        "INSERT INTO seen VALUES (500, 0);"
                        "CREATE TRIGGER t_ids AFTER INSERT ON ids BEGIN"
                        " INSERT INTO seen (of) VALUES (NEW.n); END;",
                        &err));
    CHECK_OK(qc_db_prepare(db, "INSERT INTO ids (n) VALUES (?1) RETURNING id", &in, &err));
    for (uint64_t i = 1; i <= 3; i++) { /* not the trigger's, which are past 500 */
        CHECK_OK(QC_BIND(in, &err, QC_VI(70 + i)));
        CHECK_OK(qc_stmt_step(in, &row, &err));
        CHECK(row && !qc_col_null(in, 0));
        CHECK_OK(qc_col_u64(in, 0, &id, &err));
        CHECK(id == i && qc_db_changes(db) == 1);
        CHECK_DIES((void)qc_col_int(in, 1));
        CHECK_DIES((void)qc_col_span(in, 0));
        if (i == 2) /* whoever does not ask for more may begin anew, or ask */
            continue;
        CHECK_OK(qc_stmt_step(in, &row, &err));
        CHECK(!row);
        CHECK_DIES((void)qc_col_int(in, 0));
    }
    CHECK_OK(QC_BIND(in, &err, QC_VI(71)));
    CHECK_RC(qc_stmt_step(in, &row, &err), QC_CONFLICT);
    CHECK_OK(qc_db_prepare(
        db, "INSERT INTO ids (n) VALUES (?1) ON CONFLICT (n) DO UPDATE SET n=?2 RETURNING id", &up, &err));
    CHECK_OK(QC_BIND(up, &err, QC_VI(72), QC_VI(99)));
    CHECK_OK(qc_stmt_step(up, &row, &err));
    CHECK(row && qc_col_int(up, 0) == 2); /* of the row that was changed, not of the newest */
    qc_stmt_reset(up);
    CHECK_OK(qc_db_prepare(db, "SELECT COUNT(*), MAX(n) FROM ids", &got, &err));
    CHECK_OK(qc_stmt_step(got, &row, &err));
    CHECK(row && qc_col_int(got, 0) == 3 && qc_col_int(got, 1) == 99);
}

/* What is bound for one run is the caller's: nothing of it is left for the next one. */
static void check_borrowed(struct qc_db *db)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *in = NULL, *got = NULL;
    uint8_t bytes[4] = "abc";
    bool row = false;

    CHECK_OK(qc_db_exec(db, "CREATE TABLE kept (b BLOB)", &err));
    CHECK_OK(qc_db_prepare(db, "INSERT INTO kept (b) VALUES (?1)", &in, &err));
    CHECK_OK(QC_RUN(in, &err, QC_VB(qc_span_of(bytes, 3))));
    memset(bytes, 'x', sizeof bytes);
    CHECK_OK(qc_stmt_run(in, &err));
    CHECK_OK(qc_db_prepare(db, "SELECT b FROM kept", &got, &err));
    CHECK_OK(qc_stmt_step(got, &row, &err));
    CHECK(row && qc_span_eq(qc_col_span(got, 0), QC_LIT("abc")));
    CHECK_OK(qc_stmt_step(got, &row, &err));
    CHECK(row && qc_col_null(got, 0));
}

static int64_t count(struct qc_db *db)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *s = NULL;
    bool row = false;

    CHECK_OK(qc_db_prepare(db, "SELECT count(*) FROM t", &s, &err));
    CHECK_OK(qc_stmt_step(s, &row, &err));
    return qc_col_int(s, 0);
}

static void check_transactions(struct qc_db *db)
{
    int64_t before = count(db);
    {
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

        CHECK_OK(qc_tx_begin(&tx, db, &err));
        CHECK_OK(qc_db_exec(db, "DELETE FROM t", &err));
    }
    CHECK(count(db) == before);
    {
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

        CHECK_OK(qc_tx_begin(&tx, db, &err));
        CHECK_OK(qc_db_exec(db, "DELETE FROM t WHERE id = 1", &err));
        CHECK_OK(qc_tx_commit(&tx, &err));
    }
    CHECK(count(db) == before - 1);
    CHECK_RC(qc_db_exec(db, "INSERT INTO t (id) VALUES (2)", &err), QC_CONFLICT);
    CHECK_RC(qc_db_exec(db, "NO SUCH THING", &err), QC_GENERAL);
    CHECK_RC(qc_db_exec(db, "PRAGMA writable_schema=1; DELETE FROM sqlite_schema", &err), QC_GENERAL);
}

/* A second connection is refused while the first one writes, and says so as QC_LOCKED. */
static void check_locked(struct qc_db *db)
{
    QC_CLEANUP(qc_db_close) struct qc_db *second = NULL;
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 }, other = { 0 };

    CHECK_OK(qc_db_open(&second, path, &catalogue, &err));
    CHECK_OK(qc_db_exec(second, "PRAGMA busy_timeout=10", &err));
    CHECK_OK(qc_tx_begin(&tx, db, &err));
    CHECK_RC(qc_tx_begin(&other, second, &err), QC_LOCKED);
}

static void check_read_only(const struct qc_tmpdir *t)
{
    QC_CLEANUP(qc_db_close) struct qc_db *db = NULL;
    struct qc_db_opts ro = { .kind = QC_DB_SHARES,
                             .application_id = shares.application_id,
                             .read_only = true };

    in_dir(t, "ro.db");
    CHECK_OK(qc_db_open(&db, path, &shares, &err));
    CHECK_OK(qc_db_exec(db, "CREATE TABLE t (x)", &err));
    qc_db_close(&db);
    CHECK_OK(qc_db_open(&db, path, &ro, &err));
    CHECK_RC(qc_db_exec(db, "DROP TABLE t", &err), QC_AUTH);
    CHECK_OK(qc_db_check(db, &err));
}

/* A page that is overwritten below SQLite is found by the check, or by the first read. */
static void check_corrupt(const struct qc_tmpdir *t)
{
    QC_CLEANUP(qc_db_close) struct qc_db *db = NULL;
    static const uint8_t junk[512] = { 0x0d, 0xff, 0xff, 0xff, 0xff, 0xff };

    in_dir(t, "bad.db");
    CHECK_OK(qc_db_open(&db, path, &shares, &err));
    CHECK_OK(qc_db_exec(db, "CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(9000))", &err));
    qc_db_close(&db);
    FILE *f = fopen(path, "r+b");
    CHECK(f != NULL && fseek(f, 4096, SEEK_SET) == 0 && fwrite(junk, sizeof junk, 1, f) == 1 &&
          fclose(f) == 0);
    CHECK_OK(qc_db_open(&db, path, &shares, &err));
    CHECK_RC(qc_db_check(db, &err), QC_INTEGRITY);
}

/* -- a journal that cannot be made ------------------------------------------------------------------------
 */

static int (*system_open)(const char *path, int flags, int mode);
static int no_journal; /* why it cannot; 0: it can */

static int open_or_not(const char *name, int flags, int mode)
{
    const size_t n = strlen(name);

    if (no_journal != 0 && (flags & O_CREAT) != 0 && n > 8 && strcmp(name + n - 8, "-journal") == 0) {
        errno = no_journal;
        return -1;
    }
    return system_open(name, flags, mode);
}

/* Below what the databases do: so it stands before the first one is opened. */
static void stand_below(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");

    CHECK(vfs != NULL && vfs->iVersion >= 3);
    system_open = (int (*)(const char *, int, int))vfs->xGetSystemCall(vfs, "open");
    CHECK(system_open != NULL);
    CHECK(vfs->xSetSystemCall(vfs, "open", (sqlite3_syscall_ptr)open_or_not) == SQLITE_OK);
}

static void check_no_journal(const struct qc_tmpdir *t)
{
    static const struct {
        int os;
        qc_rc rc;
    } cases[] = {
        { ENOSPC, QC_FULL }, { EDQUOT, QC_FULL }, { EROFS, QC_AUTH }, { EACCES, QC_AUTH }, { EIO, QC_IO }
    };
    QC_CLEANUP(qc_db_close) struct qc_db *db = NULL;

    in_dir(t, "journal.db");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unlink(path);
        no_journal = cases[i].os;
        const qc_rc rc = qc_db_open(&db, path, &shares, &err);
        CHECK(rc == cases[i].rc);
        /* SQLite says of itself what EACCES means. */
        CHECK((err.os == cases[i].os || (err.os == 0 && rc == QC_AUTH)) &&
              strstr(err.msg, "journal.db") != NULL);
        no_journal = 0;
        CHECK_OK(qc_db_open(&db, path, &shares, &err));
        qc_db_close(&db);
    }
}

int main(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir t = qc_tmpdir_new();
    struct qc_db *db = NULL;

    stand_below();
    check_open(&t);
    check_no_journal(&t);
    for (int kind = 0; kind < 2; kind++) {
        in_dir(&t, kind == 0 ? "values.db" : "shares.db");
        CHECK_OK(qc_db_open(&db, path, kind == 0 ? &catalogue : &shares, &err));
        check_values(db);
        check_ids(db);
        check_borrowed(db);
        check_transactions(db);
        if (kind == 0)
            check_locked(db);
        CHECK_OK(qc_db_check(db, &err));
        qc_db_close(&db);
    }
    check_read_only(&t);
    check_corrupt(&t);
    CHECK(qc_alloc_live() == 0);
    return 0;
}

#include "sync/state.h"

#include "base/alloc.h"
#include "base/db.h"
#include "base/limits.h"
#include "base/time.h"

enum { APPLICATION = 0x51435359 /* QCSY */, SCHEMA = 3 };

struct sync_state {
    struct qc_db *db;
    struct qc_stmt *put, *drop, *comes, *came, *begins, *ends, *sum_put, *sum_drop;
    uint32_t schema; /* an older one is only looked at */
    struct qc_tx tx; /* open while there is something to commit */
    bool changed;
    uint64_t committed_ms;
};

static const char schema[] =
    "CREATE TABLE pair(id INTEGER PRIMARY KEY CHECK(id=1), dir BLOB NOT NULL, prefix BLOB NOT NULL);"
    "CREATE TABLE file(path BLOB PRIMARY KEY, size INTEGER NOT NULL, inode INTEGER NOT NULL,"
    " mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, mode INTEGER NOT NULL, version BLOB NOT NULL,"
    " open INTEGER NOT NULL, quiet INTEGER NOT NULL) WITHOUT ROWID;";
/* Of schema 2, and of schema 3. */
static const char schema_coming[] = "CREATE TABLE coming(path BLOB PRIMARY KEY) WITHOUT ROWID;";
static const char schema_renames[] =
    "CREATE TABLE unsure(path BLOB PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE digest(path BLOB PRIMARY KEY, version BLOB NOT NULL, sum BLOB NOT NULL) WITHOUT ROWID;";

void sync_state_close(struct sync_state **s)
{
    if (*s == NULL)
        return;
    qc_tx_end(&(*s)->tx);
    qc_stmt_free(&(*s)->put);
    qc_stmt_free(&(*s)->drop);
    qc_stmt_free(&(*s)->comes);
    qc_stmt_free(&(*s)->came);
    qc_stmt_free(&(*s)->begins);
    qc_stmt_free(&(*s)->ends);
    qc_stmt_free(&(*s)->sum_put);
    qc_stmt_free(&(*s)->sum_drop);
    qc_db_close(&(*s)->db);
    qc_free(*s);
    *s = NULL;
}

static qc_rc make(struct sync_state *s, qc_span dir, qc_span prefix, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *st = NULL;
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    QC_TRY(qc_db_exec(s->db, schema, err));
    QC_TRY(qc_db_exec(s->db, schema_coming, err));
    QC_TRY(qc_db_exec(s->db, schema_renames, err));
    QC_TRY(qc_db_prepare(s->db, "INSERT INTO pair VALUES(1,?1,?2)", &st, err));
    QC_TRY(QC_RUN(st, err, QC_VB(dir), QC_VB(prefix)));
    QC_TRY(qc_db_set_user_version(s->db, SCHEMA, err));
    return qc_tx_commit(&tx, err);
}

static qc_rc raise_schema(struct sync_state *s, uint32_t from, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    if (from < 2)
        QC_TRY(qc_db_exec(s->db, schema_coming, err));
    QC_TRY(qc_db_exec(s->db, schema_renames, err));
    QC_TRY(qc_db_set_user_version(s->db, SCHEMA, err));
    return qc_tx_commit(&tx, err);
}

static qc_rc check_pair(struct sync_state *s, qc_span dir, qc_span prefix, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *st = NULL;
    bool row = false;
    QC_TRY(qc_db_prepare(s->db, "SELECT dir,prefix FROM pair", &st, err));
    QC_TRY(qc_stmt_step(st, &row, err));
    if (!row || !qc_span_eq(qc_col_span(st, 0), dir) || !qc_span_eq(qc_col_span(st, 1), prefix))
        return QC_FAIL(err, QC_FORMAT, "it is the state of another folder");
    return QC_OK;
}

static qc_rc prepare(struct sync_state *s, struct qc_err *err)
{
    QC_TRY(qc_db_prepare(s->db,
                         "INSERT INTO file VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT(path) DO UPDATE SET"
                         " size=?2,inode=?3,mtime=?4,ctime=?5,mode=?6,version=?7,open=?8,quiet=?9",
                         &s->put, err));
    QC_TRY(qc_db_prepare(s->db, "DELETE FROM file WHERE path=?1", &s->drop, err));
    QC_TRY(
        qc_db_prepare(s->db, "INSERT INTO coming VALUES(?1) ON CONFLICT(path) DO NOTHING", &s->comes, err));
    QC_TRY(qc_db_prepare(s->db, "DELETE FROM coming WHERE path=?1", &s->came, err));
    QC_TRY(
        qc_db_prepare(s->db, "INSERT INTO unsure VALUES(?1) ON CONFLICT(path) DO NOTHING", &s->begins, err));
    QC_TRY(qc_db_prepare(s->db, "DELETE FROM unsure WHERE path=?1", &s->ends, err));
    QC_TRY(qc_db_prepare(
        s->db, "INSERT INTO digest VALUES(?1,?2,?3) ON CONFLICT(path) DO UPDATE SET version=?2,sum=?3",
        &s->sum_put, err));
    return qc_db_prepare(s->db, "DELETE FROM digest WHERE path=?1", &s->sum_drop, err);
}

static qc_rc open_at(struct sync_state *s, const char *path, bool create, qc_span dir, qc_span prefix,
                     struct qc_err *err)
{
    uint32_t version = 0;
    const struct qc_db_opts opts = { .kind = QC_DB_CATALOGUE,
                                     .application_id = APPLICATION,
                                     .create = create };
    QC_TRY(qc_db_open(&s->db, path, &opts, err));
    QC_TRY(qc_db_user_version(s->db, &version, err));
    if (version > SCHEMA)
        return QC_FAIL(err, QC_NEWER, "schema %u; this program knows %d", version, SCHEMA);
    if (version == 0 && !create)
        return QC_FAIL(err, QC_NOTFOUND, "nothing is in it yet");
    if (version == 0)
        QC_TRY(make(s, dir, prefix, err));
    QC_TRY(check_pair(s, dir, prefix, err));
    s->schema = create || version == 0 ? SCHEMA : version;
    if (version > 0 && version < SCHEMA && create)
        QC_TRY(raise_schema(s, version, err));
    return s->schema < SCHEMA ? QC_OK : prepare(s, err);
}

qc_rc sync_state_open(struct sync_state **ret, const char *path, bool create, qc_span dir, qc_span prefix,
                      struct qc_err *err)
{
    QC_CLEANUP(sync_state_close) struct sync_state *s = qc_alloc(sizeof(*s));
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a state");
    s->committed_ms = qc_now_ms();
    qc_rc rc = open_at(s, path, create, dir, prefix, err);
    if (rc != QC_OK) {
        qc_err_wrap(err, "%s", path);
        if (rc == QC_INTEGRITY || rc == QC_FORMAT)
            err->next = "move that file away, then the same command again: files are then compared by size "
                        "and time, and the state is made anew";
        return rc;
    }
    *ret = QC_STEAL(s);
    return QC_OK;
}

/* One row: path, size, inode, mtime, ctime, mode, version, open, quiet. A number of 64 bits is kept as it
 * is. */
static qc_rc read_row(struct qc_stmt *st, struct sync_entry *ret, struct qc_err *err)
{
    uint64_t size = 0, mode = 0, open = 0, quiet = 0;
    QC_TRY(qc_col_u64(st, 1, &size, err));
    QC_TRY(qc_col_u64(st, 5, &mode, err));
    QC_TRY(qc_col_fixed(st, 6, ret->version, SYNC_VERSION_BYTES, err));
    QC_TRY(qc_col_u64(st, 7, &open, err));
    QC_TRY(qc_col_u64(st, 8, &quiet, err));
    ret->st = (struct sync_stat){ .size = size,
                                  .inode = (uint64_t)qc_col_int(st, 2),
                                  .mtime_ns = qc_col_int(st, 3),
                                  .ctime_ns = qc_col_int(st, 4),
                                  .mode = sync_mode((uint32_t)mode) };
    ret->has_mtime = ret->has_mode = true;
    ret->open = open != 0;
    ret->quiet = quiet != 0;
    return QC_OK;
}

qc_rc sync_state_load(struct sync_state *s, struct sync_list *ret, struct qc_err *err)
{
    QC_CLEANUP(sync_list_done) struct sync_list list = { 0 };
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *st = NULL;
    QC_TRY(qc_db_prepare(s->db, "SELECT path,size,inode,mtime,ctime,mode,version,open,quiet FROM file", &st,
                         err));
    for (;;) {
        struct sync_entry e = { .kind = SYNC_FILE };
        bool row = false;
        QC_TRY(qc_stmt_step(st, &row, err));
        if (!row)
            break;
        QC_TRY(read_row(st, &e, err));
        QC_TRY(sync_list_add(&list, qc_col_span(st, 0), &e, err));
    }
    sync_list_sort(&list);
    *ret = QC_STEAL(list);
    return QC_OK;
}

static qc_rc load_paths(struct sync_state *s, const char *sql, uint32_t since, struct sync_list *ret,
                        struct qc_err *err)
{
    QC_CLEANUP(sync_list_done) struct sync_list list = { 0 };
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *st = NULL;
    bool row = s->schema >= since;
    if (row)
        QC_TRY(qc_db_prepare(s->db, sql, &st, err));
    while (row) {
        QC_TRY(qc_stmt_step(st, &row, err));
        if (row)
            QC_TRY(sync_list_add(&list, qc_col_span(st, 0), &(struct sync_entry){ .kind = SYNC_REST }, err));
    }
    sync_list_sort(&list);
    *ret = QC_STEAL(list);
    return QC_OK;
}

qc_rc sync_state_load_coming(struct sync_state *s, struct sync_list *ret, struct qc_err *err)
{
    return load_paths(s, "SELECT path FROM coming", 2, ret, err);
}

qc_rc sync_state_load_unsure(struct sync_state *s, struct sync_list *ret, struct qc_err *err)
{
    return load_paths(s, "SELECT path FROM unsure", 3, ret, err);
}

qc_rc sync_state_digest(struct sync_state *s, qc_span path, const uint8_t *version,
                        uint8_t ret[SYNC_DIGEST_BYTES], bool *ret_has, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *st = NULL;
    bool row = s->schema >= 3;
    if (row) {
        QC_TRY(qc_db_prepare(s->db, "SELECT sum FROM digest WHERE path=?1 AND version=?2", &st, err));
        QC_TRY(QC_BIND(st, err, QC_VB(path), QC_VB(qc_span_of(version, SYNC_VERSION_BYTES))));
        QC_TRY(qc_stmt_step(st, &row, err));
    }
    if (row)
        QC_TRY(qc_col_fixed(st, 0, ret, SYNC_DIGEST_BYTES, err));
    *ret_has = row;
    return QC_OK;
}

static qc_rc begin(struct sync_state *s, struct qc_err *err)
{
    if (!s->changed)
        QC_TRY(qc_tx_begin(&s->tx, s->db, err));
    s->changed = true;
    return QC_OK;
}

qc_rc sync_state_put(struct sync_state *s, qc_span path, const struct sync_entry *what, struct qc_err *err)
{
    const struct sync_stat *st = &what->st;
    QC_TRY(begin(s, err));
    return QC_RUN(s->put, err, QC_VB(path), QC_VI(st->size), QC_VI(st->inode), QC_VI(st->mtime_ns),
                  QC_VI(st->ctime_ns), QC_VI(st->mode), QC_VB(qc_span_of(what->version, SYNC_VERSION_BYTES)),
                  QC_VI(what->open), QC_VI(what->quiet));
}

qc_rc sync_state_drop(struct sync_state *s, qc_span path, struct qc_err *err)
{
    QC_TRY(begin(s, err));
    QC_TRY(QC_RUN(s->sum_drop, err, QC_VB(path)));
    return QC_RUN(s->drop, err, QC_VB(path));
}

qc_rc sync_state_digest_put(struct sync_state *s, qc_span path, const uint8_t *version,
                            const uint8_t sum[SYNC_DIGEST_BYTES], struct qc_err *err)
{
    QC_TRY(begin(s, err));
    return QC_RUN(s->sum_put, err, QC_VB(path), QC_VB(qc_span_of(version, SYNC_VERSION_BYTES)),
                  QC_VB(qc_span_of(sum, SYNC_DIGEST_BYTES)));
}

qc_rc sync_state_unsure(struct sync_state *s, qc_span path, bool begins, struct qc_err *err)
{
    QC_TRY(begin(s, err));
    return QC_RUN(begins ? s->begins : s->ends, err, QC_VB(path));
}

qc_rc sync_state_coming(struct sync_state *s, qc_span path, bool comes, struct qc_err *err)
{
    QC_TRY(begin(s, err));
    return QC_RUN(comes ? s->comes : s->came, err, QC_VB(path));
}

qc_rc sync_state_commit(struct sync_state *s, struct qc_err *err)
{
    s->committed_ms = qc_now_ms();
    if (!s->changed)
        return QC_OK;
    s->changed = false;
    return qc_tx_commit(&s->tx, err);
}

qc_rc sync_state_commit_now_and_then(struct sync_state *s, struct qc_err *err)
{
    return qc_now_ms() - s->committed_ms < QC_SYNC_COMMIT_MS ? QC_OK : sync_state_commit(s, err);
}

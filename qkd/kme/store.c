#include "store.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

enum { APPLICATION = 0x714b4d45, VERSION = 1 };

enum sql { POOL_GET, POOL_SET, COPY_ADD, COPY_GET, COPY_OTHERS, COPY_DEL, COPY_REAP, COPY_COUNT, SQLS };

static const char *const texts[SQLS] = {
    [POOL_GET] = "SELECT bits FROM pool WHERE link=?1",
    [POOL_SET] = "INSERT INTO pool(link,bits) VALUES(?1,?2) ON CONFLICT(link) DO UPDATE SET bits=?2",
    [COPY_ADD] = "INSERT INTO copy(key_id,slave,master,exposed,expires,key) VALUES(?1,?2,?3,?4,?5,?6)",
    [COPY_GET] = "SELECT key FROM copy WHERE key_id=?1 AND slave=?2 AND master=?3",
    [COPY_OTHERS] = "SELECT count(*) FROM copy WHERE key_id=?1",
    [COPY_DEL] = "DELETE FROM copy WHERE key_id=?1 AND slave=?2",
    [COPY_REAP] = "DELETE FROM copy WHERE expires<=?1",
    [COPY_COUNT] = "SELECT count(*) FROM copy",
};

static const char schema[] =
    "CREATE TABLE pool(link TEXT NOT NULL PRIMARY KEY, bits INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE copy(key_id TEXT NOT NULL, slave TEXT NOT NULL, master TEXT NOT NULL,"
    " exposed TEXT NOT NULL, expires INTEGER NOT NULL, key BLOB NOT NULL,"
    " PRIMARY KEY(key_id,slave)) WITHOUT ROWID;"
    "CREATE INDEX copy_expires ON copy(expires)";

struct kme_store {
    struct qc_fd dir, lock;
    struct qc_db *db;
    struct qc_stmt *sql[SQLS];
};

void kme_store_close(struct kme_store **s)
{
    if (*s == NULL)
        return;
    for (unsigned i = 0; i < SQLS; i++)
        if ((*s)->sql[i] != NULL)
            qc_stmt_free(&(*s)->sql[i]);
    if ((*s)->db != NULL)
        qc_db_close(&(*s)->db);
    qc_fd_close(&(*s)->lock);
    qc_fd_close(&(*s)->dir);
    qc_free(*s);
    *s = NULL;
}

int kme_store_dirfd(const struct kme_store *s)
{
    return qc_fd_get(&s->dir);
}

static qc_rc open_db(struct kme_store *s, const char *state, struct qc_err *err)
{
    char path[KME_PATH_MAX + 16];
    uint32_t version = 0;
    struct qc_tx tx = { 0 };
    const int n = snprintf(path, sizeof path, "%s/kme.db", state);
    if (n < 0 || (size_t)n >= sizeof path)
        return QC_FAIL(err, QC_USAGE, "the state directory's name is too long");
    QC_TRY(qc_db_open(
        &s->db, path,
        &(struct qc_db_opts){ .kind = QC_DB_SHARES, .application_id = APPLICATION, .create = true }, err));
    QC_TRY(qc_db_user_version(s->db, &version, err));
    if (version > VERSION)
        return QC_FAIL(err, QC_NEWER, "kme.db is of version %u; this program knows %d", (unsigned)version,
                       VERSION);
    if (version == 0) {
        QC_TRY(qc_tx_begin(&tx, s->db, err));
        qc_rc rc = qc_db_exec(s->db, schema, err);
        if (rc == QC_OK)
            rc = qc_db_set_user_version(s->db, VERSION, err);
        if (rc == QC_OK)
            rc = qc_tx_commit(&tx, err);
        qc_tx_end(&tx);
        QC_TRY(rc);
    }
    for (unsigned i = 0; i < SQLS; i++)
        QC_TRY(qc_db_prepare(s->db, texts[i], &s->sql[i], err));
    return QC_OK;
}

/* A link that is new keeps what the configuration gives it. */
static qc_rc read_pools(struct kme_store *s, struct kme_network *net, struct qc_err *err)
{
    struct qc_stmt *q = s->sql[POOL_GET];
    for (unsigned i = 0; i < net->links; i++) {
        struct kme_link *l = &net->link[i];
        bool row = false;
        uint64_t bits = 0;
        QC_TRY(QC_BIND(q, err, QC_VT(qc_span_str(l->id))));
        QC_TRY(qc_stmt_step(q, &row, err));
        if (row) {
            QC_TRY(qc_col_u64(q, 0, &bits, err));
            l->bits = bits < l->cap ? bits : l->cap;
        }
        qc_stmt_reset(q);
    }
    return QC_OK;
}

qc_rc kme_store_open(struct kme_store **ret, const char *state, struct kme_network *net, struct qc_err *err)
{
    QC_CLEANUP(kme_store_close) struct kme_store *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *s);
    QC_TRY_AS(qc_dir_make_path(state, 0700, err), err, "state directory %s", state);
    QC_TRY_AS(qc_dir_open(&s->dir, state, err), err, "state directory %s", state);
    QC_TRY_AS(qc_lock_file(&s->lock, qc_fd_get(&s->dir), "kme.lock", err), err, "state directory %s", state);
    QC_TRY_AS(open_db(s, state, err), err, "state directory %s", state);
    QC_TRY(read_pools(s, net, err));
    *ret = QC_STEAL(s);
    return QC_OK;
}

qc_rc kme_store_begin(struct kme_store *s, struct qc_tx *tx, struct qc_err *err)
{
    return qc_tx_begin(tx, s->db, err);
}

qc_rc kme_store_pool(struct kme_store *s, const char *link, uint64_t bits, struct qc_err *err)
{
    return QC_RUN(s->sql[POOL_SET], err, QC_VT(qc_span_str(link)), QC_VI(bits));
}

qc_rc kme_store_add(struct kme_store *s, const struct kme_copy *c, struct qc_err *err)
{
    return QC_RUN(s->sql[COPY_ADD], err, QC_VT(qc_span_str(c->key_id)), QC_VT(qc_span_str(c->slave)),
                  QC_VT(qc_span_str(c->master)), QC_VT(qc_span_str(c->exposed)), QC_VI(c->expires_s),
                  QC_VB(c->key));
}

/* Is it there for anybody? */
static qc_rc not_there(struct kme_store *s, const char *key_id, struct qc_err *err)
{
    struct qc_stmt *q = s->sql[COPY_OTHERS];
    bool row = false;
    QC_TRY(QC_BIND(q, err, QC_VT(qc_span_str(key_id))));
    QC_TRY(qc_stmt_step(q, &row, err));
    const int64_t others = row ? qc_col_int(q, 0) : 0;
    qc_stmt_reset(q);
    return QC_FAIL(err, others > 0 ? QC_AUTH : QC_NOTFOUND, "key %.8s..", key_id);
}

qc_rc kme_store_take(struct kme_store *s, const struct kme_name *w, uint8_t *room, size_t n, size_t *ret_n,
                     struct qc_err *err)
{
    struct qc_stmt *q = s->sql[COPY_GET];
    bool row = false;
    QC_TRY(QC_BIND(q, err, QC_VT(qc_span_str(w->key_id)), QC_VT(qc_span_str(w->slave)),
                   QC_VT(qc_span_str(w->master))));
    QC_TRY(qc_stmt_step(q, &row, err));
    if (!row)
        return not_there(s, w->key_id, err);
    const qc_span key = qc_col_span(q, 0);
    const size_t have = key.n;
    if (have <= n && have > 0)
        memcpy(room, key.p, have);
    qc_stmt_reset(q);
    if (have > n || have == 0)
        return QC_FAIL(err, QC_LIMIT, "key %.8s.. has %zu bytes", w->key_id, have);
    QC_TRY(QC_RUN(s->sql[COPY_DEL], err, QC_VT(qc_span_str(w->key_id)), QC_VT(qc_span_str(w->slave))));
    if (qc_db_changes(s->db) != 1)
        return QC_FAIL(err, QC_INTEGRITY, "key %.8s.. is not erased", w->key_id);
    *ret_n = have;
    return QC_OK;
}

qc_rc kme_store_reap(struct kme_store *s, int64_t now_s, int64_t *ret_count, struct qc_err *err)
{
    QC_TRY(QC_RUN(s->sql[COPY_REAP], err, QC_VI(now_s)));
    *ret_count = qc_db_changes(s->db);
    return QC_OK;
}

qc_rc kme_store_waiting(struct kme_store *s, uint64_t *ret, struct qc_err *err)
{
    struct qc_stmt *q = s->sql[COPY_COUNT];
    bool row = false;
    qc_stmt_reset(q);
    QC_TRY(qc_stmt_step(q, &row, err));
    *ret = row ? (uint64_t)qc_col_int(q, 0) : 0;
    qc_stmt_reset(q);
    return QC_OK;
}

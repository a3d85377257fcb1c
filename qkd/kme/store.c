#include "store.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

enum { APPLICATION = 0x714b4d45, VERSION = 2 };

enum sql {
    POOL_GET,
    POOL_SET,
    NODE_GET,
    NODE_SET,
    COPY_ADD,
    COPY_GET,
    COPY_OTHERS,
    COPY_DEL,
    COPY_REAP,
    COPY_LOSE,
    COPY_COUNT,
    PAST_ADD,
    PAST_FORGET,
    PAST_COUNT,
    PAST_NEXT,
    SQLS
};

/* Names of nodes have no blank. */
#define SEEN_BY(node) "instr(' '||exposed||' ',' '||" node "||' ')>0"

static const char *const texts[SQLS] = {
    [POOL_GET] = "SELECT bits,cut,alarm,rate,qber FROM pool WHERE link=?1",
    [POOL_SET] = "INSERT INTO pool(link,bits,cut,alarm,rate,qber) VALUES(?1,?2,?3,?4,?5,?6)"
                 " ON CONFLICT(link) DO UPDATE SET bits=?2,cut=?3,alarm=?4,rate=?5,qber=?6",
    [NODE_GET] = "SELECT count(*) FROM seized WHERE node=?1",
    [NODE_SET] = "INSERT INTO seized(node) VALUES(?1)",
    [COPY_ADD] = "INSERT INTO copy(key_id,slave,master,exposed,expires,key) VALUES(?1,?2,?3,?4,?5,?6)",
    [COPY_GET] = "SELECT key FROM copy WHERE key_id=?1 AND slave=?2 AND master=?3",
    [COPY_OTHERS] = "SELECT count(*) FROM copy WHERE key_id=?1",
    [COPY_DEL] = "DELETE FROM copy WHERE key_id=?1 AND slave=?2",
    [COPY_REAP] = "DELETE FROM copy WHERE expires<=?1",
    [COPY_LOSE] = "DELETE FROM copy WHERE " SEEN_BY("?1"),
    [COPY_COUNT] = "SELECT count(*) FROM copy",
    [PAST_ADD] = "INSERT INTO past(key_id,slave,master,exposed,at) VALUES(?1,?2,?3,?4,?5)",
    [PAST_FORGET] = "DELETE FROM past WHERE at<=?1 OR seq<=(SELECT max(seq) FROM past)-?2",
    [PAST_COUNT] = "SELECT count(*) FROM past WHERE " SEEN_BY("?1"),
    [PAST_NEXT] = "SELECT seq,at,key_id,master,slave,exposed FROM past WHERE seq>?2 AND " SEEN_BY(
        "?1") " ORDER BY seq LIMIT 1",
};

/* Step i leads from version i to the next. */
static const char *const steps[VERSION] = {
    "CREATE TABLE pool(link TEXT NOT NULL PRIMARY KEY, bits INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE copy(key_id TEXT NOT NULL, slave TEXT NOT NULL, master TEXT NOT NULL,"
    " exposed TEXT NOT NULL, expires INTEGER NOT NULL, key BLOB NOT NULL,"
    " PRIMARY KEY(key_id,slave)) WITHOUT ROWID;"
    "CREATE INDEX copy_expires ON copy(expires)",
    /* rate and qber: -1 as the configuration says; qber in millionths */
    "ALTER TABLE pool ADD COLUMN cut INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE pool ADD COLUMN alarm INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE pool ADD COLUMN rate INTEGER NOT NULL DEFAULT -1;"
    "ALTER TABLE pool ADD COLUMN qber INTEGER NOT NULL DEFAULT -1;"
    "CREATE TABLE seized(node TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE past(seq INTEGER PRIMARY KEY, key_id TEXT NOT NULL, slave TEXT NOT NULL,"
    " master TEXT NOT NULL, exposed TEXT NOT NULL, at INTEGER NOT NULL);"
    "CREATE INDEX past_at ON past(at)",
};

struct kme_store {
    struct qc_fd dir, lock;
    struct qc_db *db;
    struct qc_stmt *sql[SQLS];
    bool had_keys; /* since the database was opened */
    char path[KME_PATH_MAX + 16];
};

static void close_db(struct kme_store *s)
{
    for (unsigned i = 0; i < SQLS; i++)
        if (s->sql[i] != NULL)
            qc_stmt_free(&s->sql[i]);
    if (s->db != NULL)
        qc_db_close(&s->db);
    s->had_keys = false;
}

void kme_store_close(struct kme_store **s)
{
    if (*s == NULL)
        return;
    close_db(*s);
    qc_fd_close(&(*s)->lock);
    qc_fd_close(&(*s)->dir);
    qc_free(*s);
    *s = NULL;
}

int kme_store_dirfd(const struct kme_store *s)
{
    return qc_fd_get(&s->dir);
}

/* To this program's version, in one transaction. */
static qc_rc raise(struct qc_db *db, uint32_t from, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(qc_tx_begin(&tx, db, err));
    for (uint32_t v = from; v < VERSION; v++)
        QC_TRY(qc_db_exec(db, steps[v], err));
    QC_TRY(qc_db_set_user_version(db, VERSION, err));
    return qc_tx_commit(&tx, err);
}

static qc_rc open_db(struct kme_store *s, struct qc_err *err)
{
    uint32_t version = 0;
    QC_TRY(qc_db_open(
        &s->db, s->path,
        &(struct qc_db_opts){ .kind = QC_DB_SHARES, .application_id = APPLICATION, .create = true }, err));
    QC_TRY(qc_db_user_version(s->db, &version, err));
    if (version > VERSION)
        return QC_FAIL(err, QC_NEWER, "kme.db is of version %u; this program knows %d", (unsigned)version,
                       VERSION);
    if (version < VERSION)
        QC_TRY(raise(s->db, version, err));
    for (unsigned i = 0; i < SQLS; i++)
        QC_TRY(qc_db_prepare(s->db, texts[i], &s->sql[i], err));
    return QC_OK;
}

static qc_rc link_row(struct qc_stmt *q, struct kme_link *l, struct qc_err *err)
{
    uint64_t bits = 0;
    QC_TRY(qc_col_u64(q, 0, &bits, err));
    l->bits = bits < l->cap ? bits : l->cap;
    l->cut = qc_col_int(q, 1) != 0;
    l->alarm = qc_col_int(q, 2) != 0;
    if (qc_col_int(q, 3) >= 0)
        l->rate = (uint64_t)qc_col_int(q, 3);
    if (qc_col_int(q, 4) >= 0)
        l->qber = (double)qc_col_int(q, 4) / 1e6;
    return QC_OK;
}

/* A link that is new keeps what the configuration gives it. */
static qc_rc read_network(struct kme_store *s, struct kme_network *net, struct qc_err *err)
{
    struct qc_stmt *q = s->sql[POOL_GET];
    bool row = false;
    for (unsigned i = 0; i < net->links; i++) {
        QC_TRY(QC_BIND(q, err, QC_VT(qc_span_str(net->link[i].id))));
        QC_TRY(qc_stmt_step(q, &row, err));
        if (row)
            QC_TRY(link_row(q, &net->link[i], err));
        qc_stmt_reset(q);
    }
    q = s->sql[NODE_GET];
    for (unsigned i = 0; i < net->nodes; i++) {
        QC_TRY(QC_BIND(q, err, QC_VT(qc_span_str(net->node[i]))));
        QC_TRY(qc_stmt_step(q, &row, err));
        net->seized[i] = row && qc_col_int(q, 0) != 0;
        qc_stmt_reset(q);
    }
    kme_network_suspect_all(net);
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
    const int n = snprintf(s->path, sizeof s->path, "%s/kme.db", state);
    if (n < 0 || (size_t)n >= sizeof s->path)
        return QC_FAIL(err, QC_USAGE, "the state directory's name is too long");
    QC_TRY_AS(open_db(s, err), err, "state directory %s", state);
    QC_TRY(read_network(s, net, err));
    *ret = QC_STEAL(s);
    return QC_OK;
}

qc_rc kme_store_begin(struct kme_store *s, struct qc_tx *tx, struct qc_err *err)
{
    return qc_tx_begin(tx, s->db, err);
}

qc_rc kme_store_link(struct kme_store *s, const struct kme_link *l, uint64_t bits, struct qc_err *err)
{
    const int64_t rate = l->rate == l->rate_conf ? -1 : (int64_t)l->rate;
    const int64_t qber = l->qber == l->qber_conf ? -1 : (int64_t)(l->qber * 1e6 + 0.5);
    return QC_RUN(s->sql[POOL_SET], err, QC_VT(qc_span_str(l->id)), QC_VI(bits), QC_VI(l->cut),
                  QC_VI(l->alarm), QC_VI(rate), QC_VI(qber));
}

qc_rc kme_store_nodes(struct kme_store *s, const struct kme_network *net, struct qc_err *err)
{
    QC_TRY(qc_db_exec(s->db, "DELETE FROM seized", err));
    for (unsigned i = 0; i < net->nodes; i++)
        if (net->seized[i])
            QC_TRY(QC_RUN(s->sql[NODE_SET], err, QC_VT(qc_span_str(net->node[i]))));
    return QC_OK;
}

qc_rc kme_store_add(struct kme_store *s, const struct kme_copy *c, int64_t now_s, struct qc_err *err)
{
    s->had_keys = true;
    QC_TRY(QC_RUN(s->sql[COPY_ADD], err, QC_VT(qc_span_str(c->key_id)), QC_VT(qc_span_str(c->slave)),
                  QC_VT(qc_span_str(c->master)), QC_VT(qc_span_str(c->exposed)), QC_VI(c->expires_s),
                  QC_VB(c->key)));
    return QC_RUN(s->sql[PAST_ADD], err, QC_VT(qc_span_str(c->key_id)), QC_VT(qc_span_str(c->slave)),
                  QC_VT(qc_span_str(c->master)), QC_VT(qc_span_str(c->exposed)), QC_VI(now_s));
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
    s->had_keys = true;
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

qc_rc kme_store_forget(struct kme_store *s, int64_t before_s, struct qc_err *err)
{
    return QC_RUN(s->sql[PAST_FORGET], err, QC_VI(before_s), QC_VI(KME_RECORDS_MAX));
}

qc_rc kme_store_lose(struct kme_store *s, const char *node, int64_t *ret_count, struct qc_err *err)
{
    QC_TRY(QC_RUN(s->sql[COPY_LOSE], err, QC_VT(qc_span_str(node))));
    *ret_count = qc_db_changes(s->db);
    return QC_OK;
}

/* The number that a query gives, bound before. */
static qc_rc count(struct qc_stmt *q, uint64_t *ret, struct qc_err *err)
{
    bool row = false;
    QC_TRY(qc_stmt_step(q, &row, err));
    *ret = row ? (uint64_t)qc_col_int(q, 0) : 0;
    qc_stmt_reset(q);
    return QC_OK;
}

qc_rc kme_store_exposed_count(struct kme_store *s, const char *node, uint64_t *ret, struct qc_err *err)
{
    QC_TRY(QC_BIND(s->sql[PAST_COUNT], err, QC_VT(qc_span_str(node))));
    return count(s->sql[PAST_COUNT], ret, err);
}

static qc_rc text_of(struct qc_stmt *q, int column, char ret[KME_TEXT_MAX], struct qc_err *err)
{
    const qc_span t = qc_col_span(q, column);
    if (t.n >= KME_TEXT_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "kme.db: a text of %zu bytes", t.n);
    memcpy(ret, t.p, t.n);
    ret[t.n] = '\0';
    return QC_OK;
}

qc_rc kme_store_exposed(struct kme_store *s, const char *node, int64_t after, struct kme_record *ret,
                        struct qc_err *err)
{
    struct qc_stmt *q = s->sql[PAST_NEXT];
    char(*const to[])[KME_TEXT_MAX] = { &ret->key_id, &ret->master, &ret->slave, &ret->exposed };
    bool row = false;
    QC_TRY(QC_BIND(q, err, QC_VT(qc_span_str(node)), QC_VI(after)));
    QC_TRY(qc_stmt_step(q, &row, err));
    if (!row)
        return QC_FAIL(err, QC_NOTFOUND, "no more keys that %s has seen", node);
    ret->sequence = qc_col_int(q, 0);
    ret->at_s = qc_col_int(q, 1);
    for (int i = 0; i < 4; i++)
        QC_TRY(text_of(q, 2 + i, *to[i], err));
    qc_stmt_reset(q);
    return QC_OK;
}

qc_rc kme_store_waiting(struct kme_store *s, uint64_t *ret, struct qc_err *err)
{
    qc_stmt_reset(s->sql[COPY_COUNT]);
    return count(s->sql[COPY_COUNT], ret, err);
}

qc_rc kme_store_wash(struct kme_store *s, struct qc_err *err)
{
    uint64_t waiting = 0;
    if (!s->had_keys)
        return QC_OK;
    QC_TRY(kme_store_waiting(s, &waiting, err));
    if (waiting > 0)
        return QC_OK;
    struct kme_store anew = { 0 };
    memcpy(anew.path, s->path, sizeof anew.path);
    const qc_rc rc = open_db(&anew, err);
    struct kme_store *old = rc == QC_OK ? s : &anew;
    close_db(old);
    if (rc != QC_OK)
        return rc;
    s->db = anew.db;
    memcpy(s->sql, anew.sql, sizeof s->sql);
    return QC_OK;
}

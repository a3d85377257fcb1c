/* bench: this machine alone. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/file.h"
#include "bench.h"
#include "ec/coder.h"
#include "signals.h"
#include "vault/seal.h"

enum {
    CHUNK = 1 << VAULT_CHUNK_LOG2,
    KEYS_MOST = 64, /* of a source that a put would use up */
    CODE_K = 3,
    CODE_M = 2,
    PIECE = 352 * 1024, /* of a stripe of about 1 MiB */
    RECORD = 200        /* bytes, about those of a share's record */
};

static qc_rc go_on(struct qc_err *err)
{
    return qc_go_on(QC_NO_DEADLINE, signals_cancel(), "bench", err);
}

static bool has_time(uint64_t began_ns)
{
    return qc_now_ns() - began_ns < QC_BENCH_MS * UINT64_C(1000000);
}

/* -- randomness, sealing --------------------------------------------------------------------------------- */

qc_rc bench_keys(struct bench *b, struct bench_times *t, struct qc_err *err)
{
    const qc_rng rng = qrng_rng(b->c->rng);
    const uint64_t began = qc_now_ns();
    t->count = 0;
    for (bool more = true; more && t->count < KEYS_MOST;) {
        QC_CLEANUP(vault_keys_done) struct vault_keys keys = { 0 };
        const uint64_t since = qc_now_ns();
        QC_TRY(go_on(err));
        QC_TRY(vault_keys_draw(&keys, &rng, err));
        more = bench_add(t, began, since);
    }
    return bench_time(b, "keys of an object, drawn and shared", t, err);
}

static qc_rc seal_some(struct vault_sealer *s, uint8_t *room, uint64_t *ret_bytes, uint64_t *ret_ns,
                       struct qc_err *err)
{
    const uint64_t began = qc_now_ns();
    while (has_time(began)) {
        size_t wrote = 0;
        QC_TRY(go_on(err));
        QC_TRY(vault_sealer_chunk(s, room, CHUNK, false, &wrote, err));
        *ret_bytes += CHUNK;
    }
    *ret_ns = qc_now_ns() - began;
    return QC_OK;
}

/* Each byte encrypted, with two tags, as a put does it; what comes out is sealed again. */
static qc_rc measure_sealing(struct bench *b, struct qc_err *err)
{
    QC_CLEANUP(vault_keys_done) struct vault_keys keys = { 0 };
    QC_CLEANUP(vault_sealer_free) struct vault_sealer *s = NULL;
    const struct vault_sealer_params params = { 0 };
    const qc_rng rng = qrng_rng(b->c->ids); /* it protects nothing */
    uint64_t bytes = 0, ns = 0;
    QC_CLEANUP(qc_free_ptr) uint8_t *room = qc_alloc(2 * (size_t)CHUNK);
    if (room == NULL)
        return QC_FAIL(err, QC_NOMEM, "%d bytes", 2 * CHUNK);
    QC_TRY(vault_keys_draw(&keys, &rng, err));
    QC_TRY(vault_sealer_new(&s, &keys, &params, err));
    QC_TRY(seal_some(s, room, &bytes, &ns, err));
    b->sealing = (uint64_t)((double)bytes * 1e9 / (double)ns);
    return bench_rate(b, "sealing", bytes, ns, "", 0, err);
}

/* -- coding ---------------------------------------------------------------------------------------------- */

static qc_rc measure_coding(struct bench *b, struct qc_err *err)
{
    const struct ec_coder *coder = NULL;
    const size_t data = (size_t)CODE_K * PIECE;
    uint8_t *parity[CODE_M];
    uint64_t bytes = 0;
    QC_CLEANUP(qc_free_ptr) uint8_t *room = qc_alloc(data + (size_t)CODE_M * PIECE);
    if (room == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", data);
    QC_TRY(ec_coder_get(CODE_K, CODE_M, &coder, err));
    for (unsigned i = 0; i < CODE_M; i++)
        parity[i] = room + data + (size_t)i * PIECE;
    const uint64_t began = qc_now_ns();
    while (has_time(began)) {
        QC_TRY(go_on(err));
        QC_TRY(ec_stripe_encode_block(coder, room, PIECE, parity, err));
        bytes += data;
    }
    return bench_rate(b, "coding, any 3 of 5", bytes, qc_now_ns() - began, "", 0, err);
}

/* -- the share stores' disks ----------------------------------------------------------------------------- */

#define PLACE ".tmp-bench-"
enum { OLD_S = 3600 }; /* what has lain for longer is nobody's: a bench has it for a second */

/* A database of its own in the store's directory, gone when this ends. The lock says that its writer lives:
 * if it was killed, both files are swept as those of any write that was (qc_tmp_sweep). */
struct place {
    char file[QC_CLIENT_PATH_MAX], journal[QC_CLIENT_PATH_MAX];
    struct qc_fd lock;
    struct qc_db *db;
};

static void place_done(struct place *p)
{
    qc_db_close(&p->db);
    if (qc_fd_is(&p->lock)) {
        (void)unlink(p->file);
        (void)unlink(p->journal);
    }
    qc_fd_close(&p->lock);
}

/* db and db-journal in a directory of mode 0700 with such a name. */
static void sweep_one(int dirfd, const char *name)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct qc_err none = { 0 };
    struct stat st;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode) ||
        (st.st_mode & 07777) != 0700 || st.st_uid != geteuid() || st.st_mtime > time(NULL) - OLD_S ||
        qc_open_at(&fd, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &none) != QC_OK)
        return;
    (void)unlinkat(qc_fd_get(&fd), "db-journal", 0);
    (void)unlinkat(qc_fd_get(&fd), "db", 0);
    (void)unlinkat(dirfd, name, AT_REMOVEDIR);
}

void bench_sweep(int dirfd)
{
    const int own = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* the list closes it */
    QC_CLEANUP(qc_list_close) DIR *d = own < 0 ? NULL : fdopendir(own);
    for (const struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d))
        if (strncmp(e->d_name, PLACE, sizeof PLACE - 1) == 0)
            sweep_one(dirfd, e->d_name);
}

static qc_rc place_make(struct place *p, const char *store, struct qc_err *err)
{
    static const struct qc_db_opts opts = { .kind = QC_DB_SHARES,
                                            .application_id = 0x71626e63,
                                            .create = true };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_TRY(qc_dir_open(&dir, store, err));
    bench_sweep(qc_fd_get(&dir));
    QC_TRY(places_join(store, PLACE "XXXXXX", p->file, err));
    const int fd = mkostemp(p->file, O_CLOEXEC);
    if (fd < 0)
        return QC_FAIL_OS(err, "%s", store);
    p->lock = qc_fd_own(fd);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return QC_FAIL_OS(err, "locking %s", p->file);
    const int n = snprintf(p->journal, sizeof p->journal, "%s-journal", p->file);
    if (n < 0 || (size_t)n >= sizeof p->journal)
        return QC_FAIL(err, QC_LIMIT, "%s: the path is too long", store);
    QC_TRY(qc_db_open(&p->db, p->file, &opts, err));
    return qc_db_exec(p->db, "CREATE TABLE share(n INTEGER PRIMARY KEY, record BLOB NOT NULL)", err);
}

static qc_rc commit_one(struct qc_db *db, int64_t n, struct qc_err *err)
{
    static const uint8_t record[RECORD] = { 0 };
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *s = NULL;
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(qc_db_prepare(db, "INSERT INTO share VALUES(?1,?2)", &s, err));
    QC_TRY(qc_tx_begin(&tx, db, err));
    QC_TRY(QC_RUN(s, err, QC_VI(n), QC_VB(qc_span_of(record, sizeof record))));
    return qc_tx_commit(&tx, err);
}

/* A record in a database like the store's, durable: each put waits for it in both stores. */
static qc_rc measure_store(struct bench *b, unsigned i, struct bench_times *t, struct qc_err *err)
{
    QC_CLEANUP(place_done) struct place p = { 0 };
    char what[48];
    QC_TRY(place_make(&p, b->c->conf.share[i], err));
    const uint64_t began = qc_now_ns();
    t->count = 0;
    for (bool more = true; more;) {
        const uint64_t since = qc_now_ns();
        QC_TRY(go_on(err));
        QC_TRY(commit_one(p.db, (int64_t)t->count + 1, err));
        more = bench_add(t, began, since);
    }
    (void)snprintf(what, sizeof what, "a record where share store %u lies", i + 1);
    return bench_time(b, what, t, err);
}

qc_rc bench_local(struct bench *b, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct bench_times *t = qc_alloc(sizeof *t);
    struct client *c = b->c;
    if (t == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *t);
    QC_TRY(client_rng(c, err));
    QC_TRY(bench_keys(b, t, err));
    QC_TRY(measure_sealing(b, err));
    QC_TRY(measure_coding(b, err));
    for (unsigned i = 0; i < 2; i++) {
        if (!c->conf.has_vault)
            continue;
        struct qc_err why = { 0 };
        const qc_rc rc = measure_store(b, i, t, &why);
        if (rc == QC_CANCELLED || rc == QC_NOMEM) {
            *err = why;
            return rc;
        }
        if (rc != QC_OK) /* it may be in a drawer */
            out_warn(&c->out, MSG_W_OTHER, NULL, "share store %u was not measured: %s", i + 1, why.msg);
    }
    return QC_OK;
}

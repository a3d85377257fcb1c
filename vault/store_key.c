/* store.key: FORMAT 7.1. */
#include "store_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/file.h"
#include "pass_internal.h"
#include "store.h"

enum {
    KIND_WRAPPED = 1, /* 0: in clear */
    FRONT = 6,        /* magic, version, kind */
    BOUND = 48,       /* bytes that the wrapping binds */
};

static const uint8_t nonce_zero[QC_GCM_NONCE];

/* The checksum at the end, whatever stands before it. */
static qc_rc check_sum(qc_span in, struct qc_err *err)
{
    uint8_t sum[QC_SHA256_BYTES];
    if (in.n < FRONT + sizeof(sum))
        return QC_FAIL(err, QC_FORMAT, "store.key: %zu bytes", in.n);
    qc_span body = qc_span_sub(in, 0, in.n - sizeof(sum));
    QC_TRY(qc_sha256(&body, 1, sum, err));
    if (!qc_ct_eq(sum, in.p + body.n, sizeof(sum)))
        return QC_FAIL(err, QC_INTEGRITY, "store.key: checksum");
    return QC_OK;
}

static qc_rc parse_clear(struct vault_store_key *ret, qc_rd *r, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *SK = NULL;
    qc_rd_zero(r, 24);
    qc_span sk = qc_rd_bytes(r, 32);
    if (!qc_rd_end(r))
        return QC_FAIL(err, QC_FORMAT, "store.key: malformed");
    QC_TRY(qc_key_blank(&SK, 32, err));
    memcpy(qc_key_write(SK), sk.p, sk.n);
    qc_key_seal(SK);
    ret->SK = QC_STEAL(SK);
    return QC_OK;
}

static qc_rc parse_wrapped(struct vault_store_key *ret, qc_rd *r, struct qc_err *err)
{
    struct qc_pwhash how = { .passes = (uint32_t)qc_rd_be(r, 4) };
    how.kib = (uint32_t)qc_rd_be(r, 4);
    qc_rd_copy(r, how.salt, sizeof(how.salt));
    qc_rd_copy(r, ret->sealed, sizeof(ret->sealed));
    qc_rd_copy(r, ret->tag, sizeof(ret->tag));
    if (!qc_rd_end(r))
        return QC_FAIL(err, QC_FORMAT, "store.key: malformed");
    if (how.passes < QC_VAULT_PASS_PASSES_MIN || how.passes > QC_VAULT_PASS_PASSES_MAX ||
        how.kib < QC_VAULT_PASS_KIB_MIN || how.kib > QC_VAULT_PASS_KIB_MAX)
        return QC_FAIL(err, QC_FORMAT,
                       "store.key: Argon2id with %u passes over %u KiB; allowed are %d to %d over %d to %d",
                       how.passes, how.kib, QC_VAULT_PASS_PASSES_MIN, QC_VAULT_PASS_PASSES_MAX,
                       QC_VAULT_PASS_KIB_MIN, QC_VAULT_PASS_KIB_MAX);
    ret->how = how;
    return QC_OK;
}

qc_rc vault_store_key_parse(struct vault_store_key *ret, qc_span in, struct qc_err *err)
{
    struct vault_store_key key = { .SK = NULL };
    qc_rd head = { .s = in };
    qc_span magic = qc_rd_bytes(&head, 4);
    uint64_t version = qc_rd_be(&head, 1);
    uint64_t kind = qc_rd_be(&head, 1);
    if (!qc_rd_ok(&head) || !qc_span_eq(magic, QC_LIT("QCLK")))
        return QC_FAIL(err, QC_FORMAT, "store.key: not a key file");
    QC_TRY(check_sum(in, err));
    if (version > 1 || kind > KIND_WRAPPED)
        return QC_FAIL(err, QC_NEWER, "store.key: version %u, kind %u need a newer program",
                       (unsigned)version, (unsigned)kind);
    qc_rd r = { .s = qc_span_sub(in, FRONT, in.n - FRONT - QC_SHA256_BYTES) };
    qc_rd_zero(&r, 2);
    qc_rd_copy(&r, key.store, sizeof(key.store));
    if (!qc_rd_ok(&r) || version != 1)
        return QC_FAIL(err, QC_FORMAT, "store.key: malformed");
    if (kind == KIND_WRAPPED)
        QC_TRY(parse_wrapped(&key, &r, err));
    else
        QC_TRY(parse_clear(&key, &r, err));
    *ret = key;
    return QC_OK;
}

/* The first BOUND bytes of a file. */
static void write_head(uint8_t *p, const uint8_t store[VAULT_ID_BYTES], const struct qc_pwhash *how)
{
    memset(p, 0, BOUND);
    memcpy(p, "QCLK\001", 5);
    memcpy(p + 8, store, VAULT_ID_BYTES);
    if (how == NULL)
        return;
    p[5] = KIND_WRAPPED;
    qc_put_be(p + 24, how->passes, 4);
    qc_put_be(p + 28, how->kib, 4);
    memcpy(p + 32, how->salt, sizeof(how->salt));
}

/* SK and tag, behind the head that stands in p. */
static qc_rc write_wrapped(uint8_t *p, const qc_key *SK, const qc_key *W, struct qc_err *err)
{
    const struct qc_gcm g = { qc_key_open(W), nonce_zero, qc_span_of(p, BOUND) };
    return qc_gcm_seal(&g, qc_key_open(SK), p + BOUND, p + BOUND + 32, err);
}

qc_rc store_key_encode(qc_key **ret, const uint8_t store[VAULT_ID_BYTES], const qc_key *SK,
                       const struct vault_lock *lock, const struct qc_cancel *cancel, struct qc_err *err)
{
    bool wrapped = lock->pass != NULL;
    size_t size = wrapped ? VAULT_STORE_KEY_WRAPPED : VAULT_STORE_KEY_BYTES;
    QC_CLEANUP(qc_key_free) qc_key *file = NULL;
    QC_CLEANUP(qc_key_free) qc_key *W = NULL;
    QC_ASSERT(qc_key_len(SK) == 32);
    QC_TRY(qc_key_blank(&file, size, err));
    write_head(qc_key_write(file), store, wrapped ? &lock->how : NULL);
    if (wrapped) {
        QC_TRY(pass_wrap_key(&W, lock->pass, &lock->how, store, cancel, err));
        QC_TRY(write_wrapped(qc_key_write(file), SK, W, err));
    } else {
        memcpy(qc_key_write(file) + BOUND, qc_key_open(SK).p, 32);
    }
    QC_TRY(qc_sha256(&(qc_span){ qc_key_write(file), size - QC_SHA256_BYTES }, 1,
                     qc_key_write(file) + size - QC_SHA256_BYTES, err));
    qc_key_seal(file);
    *ret = QC_STEAL(file);
    return QC_OK;
}

/* The state of a search: the wrapped key, and what was found. */
struct unwrap {
    const struct vault_store_key *key;
    qc_key *SK;
};

static void unwrap_done(struct unwrap *u)
{
    qc_key_free(&u->SK);
}

static qc_rc opens(void *ctx, struct vault_pass *p, const struct qc_cancel *cancel, struct qc_err *err)
{
    struct unwrap *u = ctx;
    QC_CLEANUP(qc_key_free) qc_key *W = NULL;
    QC_CLEANUP(qc_key_free) qc_key *SK = NULL;
    uint8_t head[BOUND];
    struct qc_err why = { 0 };
    QC_TRY(pass_wrap_key(&W, p, &u->key->how, u->key->store, cancel, err));
    write_head(head, u->key->store, &u->key->how);
    QC_TRY(qc_key_blank(&SK, 32, err));
    qc_rc rc =
        qc_gcm_open(&(struct qc_gcm){ qc_key_open(W), nonce_zero, qc_span_of(head, BOUND) },
                    qc_span_of(u->key->sealed, sizeof(u->key->sealed)), u->key->tag, qc_key_write(SK), &why);
    if (rc == QC_INTEGRITY)
        return QC_FAIL(err, QC_PASSPHRASE, "the passphrase does not open it");
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    qc_key_seal(SK);
    u->SK = QC_STEAL(SK);
    return QC_OK;
}

qc_rc store_key_unwrap(qc_key **ret, struct vault_pass **ret_by, const struct vault_store_key *key,
                       const struct vault_store_expect *expect, const char *dir, struct qc_err *err)
{
    QC_CLEANUP(unwrap_done) struct unwrap u = { .key = key };
    struct vault_pass_ask ask = { .index = expect->index, .dir = dir };
    struct vault_pass *by = NULL;
    QC_TRY(passes_open(expect->passes, &ask, expect->silent, opens, &u, &by, err));
    *ret = QC_STEAL(u.SK);
    *ret_by = by;
    return QC_OK;
}

qc_rc store_key_read(struct vault_store_key *ret, int dirfd, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *bytes = NULL;
    size_t got = 0;
    QC_TRY(qc_open_at(&fd, dirfd, STORE_KEY_FILE, O_RDONLY | O_NOFOLLOW, 0, err));
    QC_TRY(qc_key_blank(&bytes, VAULT_STORE_KEY_MAX, err)); /* straight into secret memory */
    QC_TRY(qc_read_full(qc_fd_get(&fd), qc_key_write(bytes), VAULT_STORE_KEY_MAX, &got, err));
    qc_key_seal(bytes);
    qc_rc rc = vault_store_key_parse(ret, qc_span_sub(qc_key_open(bytes), 0, got), err);
    if (rc == QC_FORMAT)
        err->rc = rc = QC_INTEGRITY;
    return rc;
}

/* Zeros over a key file that has no name left, also by no hard link of a backup's. An effort, no promise:
 * file systems and flash write where they like. */
static void overwrite(const struct qc_fd *old)
{
    static const uint8_t zeros[VAULT_STORE_KEY_WRAPPED];
    struct qc_err why = { 0 };
    struct stat st;
    if (!qc_fd_is(old) || fstat(qc_fd_get(old), &st) != 0 || st.st_nlink != 0)
        return;
    qc_rc rc = qc_pwrite_all(qc_fd_get(old), qc_span_of(zeros, sizeof(zeros)), 0, &why);
    if (rc == QC_OK)
        rc = qc_sync(qc_fd_get(old), &why);
    qc_ignore(rc, "an effort: the new file is durable, and the old one has no name");
}

static qc_rc relock(struct vault_store *s, const struct vault_lock *lock, const struct qc_cancel *cancel,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd old = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *file = NULL;
    struct qc_err why = { 0 };
    QC_TRY(store_want_write(s, err));
    QC_TRY(store_key_encode(&file, s->id, s->SK, lock, cancel, err));
    QC_TRY(qc_dir_open(&dir, s->dir, err));
    QC_TRY(qc_tmp_sweep(qc_fd_get(&dir),
                        err)); /* of a change that was broken off: it may hold the key in clear */
    qc_ignore(qc_open_at(&old, qc_fd_get(&dir), STORE_KEY_FILE, O_WRONLY | O_NOFOLLOW, 0, &why),
              "only to overwrite it");
    QC_TRY(qc_file_write_atomic(qc_fd_get(&dir), STORE_KEY_FILE,
                                &(qc_span){ qc_key_open(file).p, qc_key_len(file) }, 1, 0600, err));
    overwrite(&old);
    s->lock = *lock;
    return QC_OK;
}

qc_rc vault_store_relock(struct vault_store *s, const struct vault_lock *lock, const struct qc_cancel *cancel,
                         struct qc_err *err)
{
    return store_said(s, relock(s, lock, cancel, err), err);
}

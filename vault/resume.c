#include "resume.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/crypto.h"
#include "base/file.h"
#include "vault/kdf.h"

enum {
    MAGIC = 4,
    KEYS_AT = MAGIC + RESUME_SALT,
    KEYS = 64,
    TEXT_AT = KEYS_AT + KEYS + QC_TAG + 4,
    CLEAR = 4 + RESUME_TAGS, /* of a segment: run, tags */
    FRAME = RESUME_SALT + CLEAR + QC_TAG,
    SEGMENTS_MAX = (1 << QC_VAULT_CHUNKS_LOG2_MAX) / QC_VAULT_SEGMENT_CHUNKS,
};
enum kind { OF_KEYS, OF_TEXT, OF_SEGMENT };
static const char magic[MAGIC + 1] = "QCR1";

struct resume {
    struct qc_fd file;
    int dir; /* of the journal, borrowed */
    struct vault_ids ids;
    uint8_t aad[MAGIC + 16];
    struct qc_prk *prk; /* of enc(R1, R2) */
    struct qc_aead *aead;
    qc_key *key; /* of key_salt */
    uint8_t key_salt[RESUME_SALT];
    qc_buf text;     /* backs name and provenance */
    uint64_t frames; /* offset of the first segment */
    uint32_t count, run;
    uint8_t salt[RESUME_SALT]; /* of what is added */
    uint32_t unsynced;         /* segments that were added since the last sync */
    bool first;                /* the next one is the first of a run */
};

void resume_close(struct resume **r)
{
    if (*r == NULL)
        return;
    qc_fd_close(&(*r)->file);
    qc_prk_free(&(*r)->prk);
    qc_aead_free(&(*r)->aead);
    qc_key_free(&(*r)->key);
    qc_buf_free(&(*r)->text);
    qc_free(*r);
    *r = NULL;
}

uint32_t resume_count(const struct resume *r)
{
    return r->count;
}

uint32_t resume_run(const struct resume *r)
{
    return r->run;
}

/* -- keys ------------------------------------------------------------------------------------------------ */

/* HKDF-Extract of enc(R1, R2). */
static qc_rc prk_of(struct qc_prk **ret, const qc_key *R1, const qc_key *R2, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *both = NULL;
    enum { ITEM = 8 + VAULT_KEY_BYTES };
    QC_TRY(qc_key_blank(&both, 2 * (size_t)ITEM, err));
    qc_put_be(qc_key_write(both), VAULT_KEY_BYTES, 8);
    memcpy(qc_key_write(both) + 8, qc_key_open(R1).p, VAULT_KEY_BYTES);
    qc_put_be(qc_key_write(both) + ITEM, VAULT_KEY_BYTES, 8);
    memcpy(qc_key_write(both) + ITEM + 8, qc_key_open(R2).p, VAULT_KEY_BYTES);
    qc_key_seal(both);
    return vault_prk_new(ret, both, err);
}

static qc_rc key_of(struct resume *r, const uint8_t salt[RESUME_SALT], struct qc_err *err)
{
    if (r->key != NULL && qc_ct_eq(r->key_salt, salt, RESUME_SALT))
        return QC_OK;
    qc_key *key = NULL;
    QC_TRY(vault_kdf_ids(&key, r->prk, "resume", &r->ids, qc_span_of(salt, RESUME_SALT), err));
    qc_key_free(&r->key);
    r->key = key;
    memcpy(r->key_salt, salt, RESUME_SALT);
    return QC_OK;
}

static void nonce_of(uint8_t ret[QC_GCM_NONCE], enum kind kind, uint64_t number)
{
    qc_put_be(ret, kind, 4);
    qc_put_be(ret + 4, number, 8);
}

/* in.n bytes and a tag to out. */
static qc_rc seal_part(struct resume *r, enum kind kind, uint64_t number, qc_span in, uint8_t *out,
                       struct qc_err *err)
{
    uint8_t nonce[QC_GCM_NONCE];
    nonce_of(nonce, kind, number);
    return qc_aead_seal(r->aead,
                        &(struct qc_gcm){ qc_key_open(r->key), nonce, qc_span_of(r->aad, sizeof(r->aad)) },
                        in, out, out + in.n, err);
}

/* in: bytes and their tag. */
static qc_rc open_part(struct resume *r, enum kind kind, uint64_t number, qc_span in, uint8_t *out,
                       struct qc_err *err)
{
    uint8_t nonce[QC_GCM_NONCE];
    nonce_of(nonce, kind, number);
    return qc_aead_open(r->aead,
                        &(struct qc_gcm){ qc_key_open(r->key), nonce, qc_span_of(r->aad, sizeof(r->aad)) },
                        qc_span_sub(in, 0, in.n - QC_TAG), in.p + in.n - QC_TAG, out, err);
}

static qc_rc resume_new(struct resume **ret, const struct journal *j, const struct journal_put *put,
                        const qc_key *R1, const qc_key *R2, struct qc_err *err)
{
    QC_CLEANUP(resume_close) struct resume *r = qc_alloc(sizeof *r);
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory to go on with a put");
    r->dir = qc_fd_get(&j->dir);
    memcpy(r->ids.vault, put->vault, VAULT_ID_BYTES);
    memcpy(r->ids.object, put->object, VAULT_ID_BYTES);
    memcpy(r->ids.version, put->version, VAULT_ID_BYTES);
    memcpy(r->aad, magic, MAGIC);
    memcpy(r->aad + MAGIC, put->put_key, 16);
    r->text.max = QC_VAULT_RESUME_TEXT_MAX;
    QC_TRY(prk_of(&r->prk, R1, R2, err));
    QC_TRY(qc_aead_new(&r->aead, err));
    *ret = QC_STEAL(r);
    return QC_OK;
}

static void name_of(char ret[QC_JOURNAL_NAME], const struct journal *j)
{
    snprintf(ret, QC_JOURNAL_NAME, "%s" JOURNAL_RESUME, j->name);
}

/* -- the text -------------------------------------------------------------------------------------------- */

static qc_rc add_time(qc_buf *b, int64_t s, uint32_t ns, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(b, (uint64_t)s, 8, err));
    return qc_buf_add_be(b, ns, 4, err);
}

static qc_rc text_write(qc_buf *b, const struct resume_head *h, struct qc_err *err)
{
    const struct vault_source_id *f = &h->file;
    QC_TRY(qc_buf_add_be(b, f->device, 8, err));
    QC_TRY(qc_buf_add_be(b, f->inode, 8, err));
    QC_TRY(qc_buf_add_be(b, f->size, 8, err));
    QC_TRY(add_time(b, f->mtime_s, f->mtime_ns, err));
    QC_TRY(add_time(b, f->ctime_s, f->ctime_ns, err));
    QC_TRY(qc_buf_add_be(b, h->before, 8, err));
    QC_TRY(qc_buf_add_be(b, h->name.n, 4, err));
    QC_TRY(qc_buf_add(b, h->name, err));
    QC_TRY(qc_buf_add_be(b, h->provenance.n, 4, err));
    return qc_buf_add(b, h->provenance, err);
}

static qc_rc text_parse(struct resume_head *ret, qc_span text, struct qc_err *err)
{
    qc_rd r = { .s = text };
    struct vault_source_id *f = &ret->file;
    f->device = qc_rd_be(&r, 8);
    f->inode = qc_rd_be(&r, 8);
    f->size = qc_rd_be(&r, 8);
    f->mtime_s = (int64_t)qc_rd_be(&r, 8);
    f->mtime_ns = (uint32_t)qc_rd_be(&r, 4);
    f->ctime_s = (int64_t)qc_rd_be(&r, 8);
    f->ctime_ns = (uint32_t)qc_rd_be(&r, 4);
    ret->before = qc_rd_be(&r, 8);
    ret->name = qc_rd_bytes(&r, (size_t)qc_rd_be(&r, 4));
    ret->provenance = qc_rd_bytes(&r, (size_t)qc_rd_be(&r, 4));
    if (!qc_rd_end(&r))
        return QC_FAIL(err, QC_FORMAT, "record of an interrupted put: %zu bytes of text do not parse",
                       text.n);
    return QC_OK;
}

/* -- beginning ------------------------------------------------------------------------------------------- */

static qc_rc seal_keys(struct resume *r, const struct vault_keys *keys, uint8_t *out, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *both = NULL;
    QC_TRY(qc_key_blank(&both, KEYS, err));
    memcpy(qc_key_write(both), qc_key_open(keys->K).p, VAULT_KEY_BYTES);
    memcpy(qc_key_write(both) + VAULT_KEY_BYTES, qc_key_open(keys->R).p, VAULT_KEY_BYTES);
    qc_key_seal(both);
    return seal_part(r, OF_KEYS, 0, qc_key_open(both), out, err);
}

static qc_rc head_write(struct resume *r, const struct vault_keys *keys, const struct resume_head *h,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = TEXT_AT + QC_VAULT_RESUME_TEXT_MAX + QC_TAG };
    uint8_t *at = NULL;
    QC_TRY(text_write(&r->text, h, err));
    QC_TRY(key_of(r, h->salt, err));
    QC_TRY(qc_buf_add(&b, qc_span_of(magic, MAGIC), err));
    QC_TRY(qc_buf_add(&b, qc_span_of(h->salt, RESUME_SALT), err));
    QC_TRY(qc_buf_extend(&b, KEYS + QC_TAG, &at, err));
    QC_TRY(seal_keys(r, keys, at, err));
    QC_TRY(qc_buf_add_be(&b, r->text.n, 4, err));
    QC_TRY(qc_buf_extend(&b, r->text.n + QC_TAG, &at, err));
    QC_TRY(seal_part(r, OF_TEXT, 0, qc_buf_span(&r->text), at, err));
    r->frames = b.n;
    return qc_pwrite_all(qc_fd_get(&r->file), qc_buf_span(&b), 0, err);
}

qc_rc resume_begin(struct resume **ret, const struct journal *j, const struct journal_put *put,
                   const struct vault_keys *keys, const struct resume_head *head, struct qc_err *err)
{
    QC_CLEANUP(resume_close) struct resume *r = NULL;
    char name[QC_JOURNAL_NAME];
    name_of(name, j);
    QC_TRY(resume_new(&r, j, put, keys->R1, keys->R2, err));
    QC_TRY_AS(qc_open_at(&r->file, r->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, err), err,
              "record of the put");
    QC_TRY_AS(head_write(r, keys, head, err), err, "record of the put");
    memcpy(r->salt, head->salt, RESUME_SALT);
    r->first = true;
    *ret = QC_STEAL(r);
    return QC_OK;
}

/* -- opening --------------------------------------------------------------------------------------------- */

static qc_rc read_exactly(struct resume *r, uint8_t *p, size_t n, uint64_t at, struct qc_err *err)
{
    size_t got = 0;
    QC_TRY(qc_pread_full(qc_fd_get(&r->file), p, n, at, &got, err));
    if (got != n)
        return QC_FAIL(err, QC_FORMAT, "record of an interrupted put: it ends after %" PRIu64 " bytes",
                       at + got);
    return QC_OK;
}

static qc_rc head_keys(struct resume *r, qc_span sealed, const qc_key *R1, const qc_key *R2,
                       struct vault_keys *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *both = NULL;
    QC_CLEANUP(qc_key_free) qc_key *K = NULL;
    QC_CLEANUP(qc_key_free) qc_key *R = NULL;
    QC_TRY(qc_key_blank(&both, KEYS, err));
    QC_TRY(open_part(r, OF_KEYS, 0, sealed, qc_key_write(both), err));
    qc_key_seal(both);
    QC_TRY(qc_key_sub(&K, both, 0, VAULT_KEY_BYTES, err));
    QC_TRY(qc_key_sub(&R, both, VAULT_KEY_BYTES, VAULT_KEY_BYTES, err));
    return vault_keys_through(ret, K, R, R1, R2, err);
}

static qc_rc head_read(struct resume *r, const qc_key *R1, const qc_key *R2, struct vault_keys *ret_keys,
                       struct resume_head *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_VAULT_RESUME_TEXT_MAX + QC_TAG };
    uint8_t fixed[TEXT_AT], *in = NULL, *text = NULL;
    struct resume_head h = { 0 };
    QC_TRY(read_exactly(r, fixed, sizeof(fixed), 0, err));
    const uint64_t n = qc_get_be(fixed + TEXT_AT - 4, 4);
    if (memcmp(fixed, magic, MAGIC) != 0 || n > QC_VAULT_RESUME_TEXT_MAX)
        return QC_FAIL(err, QC_FORMAT, "record of an interrupted put: no such record");
    memcpy(h.salt, fixed + MAGIC, RESUME_SALT);
    QC_TRY(key_of(r, h.salt, err));
    QC_TRY(qc_buf_extend(&sealed, (size_t)n + QC_TAG, &in, err));
    QC_TRY(read_exactly(r, in, sealed.n, TEXT_AT, err));
    QC_TRY(qc_buf_extend(&r->text, (size_t)n, &text, err));
    QC_TRY(open_part(r, OF_TEXT, 0, qc_buf_span(&sealed), text, err));
    QC_TRY(text_parse(&h, qc_buf_span(&r->text), err));
    QC_TRY(head_keys(r, qc_span_of(fixed + KEYS_AT, KEYS + QC_TAG), R1, R2, ret_keys, err));
    r->frames = TEXT_AT + sealed.n;
    *ret = h;
    return QC_OK;
}

/* A segment, or *ret_is false: none is there that counts. */
static qc_rc frame_read(struct resume *r, uint32_t seq, uint8_t salt[RESUME_SALT], uint8_t clear[CLEAR],
                        bool *ret_is, struct qc_err *err)
{
    uint8_t frame[FRAME];
    struct qc_err why = { 0 };
    size_t got = 0;
    *ret_is = false;
    QC_TRY(qc_pread_full(qc_fd_get(&r->file), frame, FRAME, r->frames + (uint64_t)seq * FRAME, &got, err));
    if (got != FRAME)
        return QC_OK;
    QC_TRY(key_of(r, frame, err));
    const qc_rc rc =
        open_part(r, OF_SEGMENT, seq, qc_span_of(frame + RESUME_SALT, CLEAR + QC_TAG), clear, &why);
    if (rc == QC_INTEGRITY)
        return QC_OK;
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    memcpy(salt, frame, RESUME_SALT);
    *ret_is = true;
    return QC_OK;
}

static qc_rc count_frames(struct resume *r, struct qc_err *err)
{
    for (uint32_t seq = 0; seq < SEGMENTS_MAX; seq++) {
        uint8_t salt[RESUME_SALT], clear[CLEAR];
        bool is = false;
        QC_TRY(frame_read(r, seq, salt, clear, &is, err));
        if (!is)
            return QC_OK;
        r->run = (uint32_t)qc_get_be(clear, 4);
        r->count = seq + 1;
    }
    return QC_OK;
}

qc_rc resume_open(struct resume **ret, const struct journal *j, const struct journal_put *put,
                  qc_key *const shares[2], struct vault_keys *ret_keys, struct resume_head *ret_head,
                  struct qc_err *err)
{
    QC_CLEANUP(resume_close) struct resume *r = NULL;
    QC_CLEANUP(vault_keys_done) struct vault_keys keys = { 0 };
    struct resume_head h = { 0 };
    char name[QC_JOURNAL_NAME];
    name_of(name, j);
    QC_TRY(resume_new(&r, j, put, shares[0], shares[1], err));
    QC_TRY(qc_open_at(&r->file, r->dir, name, O_RDWR | O_NOFOLLOW, 0, err));
    QC_TRY(head_read(r, shares[0], shares[1], &keys, &h, err));
    QC_TRY(count_frames(r, err));
    *ret = QC_STEAL(r);
    *ret_keys = QC_STEAL(keys);
    *ret_head = h;
    return QC_OK;
}

qc_rc resume_each(struct resume *r, uint32_t count, resume_fn fn, void *ctx, struct qc_err *err)
{
    QC_ASSERT(count <= r->count);
    for (uint32_t seq = 0; seq < count; seq++) {
        uint8_t salt[RESUME_SALT], clear[CLEAR];
        bool is = false;
        QC_TRY(frame_read(r, seq, salt, clear, &is, err));
        if (!is)
            return QC_FAIL(err, QC_INTEGRITY, "record of an interrupted put: segment %" PRIu32 " was there",
                           seq);
        QC_TRY(fn(ctx, seq, salt, clear + 4, err));
    }
    return QC_OK;
}

/* -- going on -------------------------------------------------------------------------------------------- */

qc_rc resume_go_on(struct resume *r, uint32_t count, uint32_t run, const uint8_t salt[RESUME_SALT],
                   struct qc_err *err)
{
    QC_ASSERT(count <= r->count);
    if (ftruncate(qc_fd_get(&r->file), (off_t)(r->frames + (uint64_t)count * FRAME)) != 0)
        return QC_FAIL_OS(err, "record of the put");
    r->count = count;
    r->run = run;
    memcpy(r->salt, salt, RESUME_SALT);
    r->first = true;
    return QC_OK;
}

static qc_rc sync_some(struct resume *r, struct qc_err *err)
{
    const bool first = r->first;
    if (!first && ++r->unsynced < QC_VAULT_RESUME_SYNC)
        return QC_OK;
    QC_TRY(qc_sync(qc_fd_get(&r->file), err));
    r->unsynced = 0;
    r->first = false;
    return first ? qc_dir_sync(r->dir, err) : QC_OK;
}

qc_rc resume_segment(struct resume *r, qc_span tags, struct qc_err *err)
{
    uint8_t clear[CLEAR], frame[FRAME];
    QC_ASSERT(tags.n == RESUME_TAGS);
    qc_put_be(clear, r->run, 4);
    memcpy(clear + 4, tags.p, RESUME_TAGS);
    memcpy(frame, r->salt, RESUME_SALT);
    QC_TRY(key_of(r, r->salt, err));
    QC_TRY(seal_part(r, OF_SEGMENT, r->count, qc_span_of(clear, CLEAR), frame + RESUME_SALT, err));
    QC_TRY_AS(qc_pwrite_all(qc_fd_get(&r->file), qc_span_of(frame, FRAME),
                            r->frames + (uint64_t)r->count * FRAME, err),
              err, "record of the put");
    r->count++;
    return sync_some(r, err);
}

/* -- from without ---------------------------------------------------------------------------------------- */

qc_rc resume_there(const struct journal *j, bool *ret, int64_t *ret_s, struct qc_err *err)
{
    char name[QC_JOURNAL_NAME];
    struct stat st;
    name_of(name, j);
    *ret = fstatat(qc_fd_get(&j->dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (!*ret && errno != ENOENT)
        return QC_FAIL_OS(err, "record of an interrupted put");
    *ret_s = *ret ? st.st_mtim.tv_sec : 0;
    return QC_OK;
}

qc_rc resume_remove(const struct journal *j, struct qc_err *err)
{
    char name[QC_JOURNAL_NAME];
    name_of(name, j);
    if (unlinkat(qc_fd_get(&j->dir), name, 0) == 0)
        return qc_dir_sync(qc_fd_get(&j->dir), err);
    return errno == ENOENT ? QC_OK : QC_FAIL_OS(err, "record of a put");
}

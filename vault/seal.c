#include "vault/seal.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "chunk.h"
#include "ext.h"
#include "frame.h"
#include "m.h"
#include "vault/kdf.h"

/* The state between two chunks. Tags of the running group and the digests of the finished ones are all that
 * grows: 128 KiB, and 8 KiB per TiB. */
struct vault_sealer {
    struct vault_chunker chunker;
    qc_key *KR, *R3; /* inserted into chunk 0, authenticated by M */
    qc_key *M;       /* HMAC key of M */
    qc_key *n2;      /* R1 xor R2, from which a place follows once chunk 0's length is known; then freed */
    uint64_t n1_at, n2_at;
    uint8_t chunk_log2, group_log2;
    qc_buf header, extensions; /* trailer's */
    uint8_t salt[16];          /* of the current epoch */
    struct vault_epoch *epochs;
    uint32_t epoch_count, epoch_cap;
    uint64_t chunks;   /* sealed so far */
    uint64_t replayed; /* of these, by vault_sealer_replay: an epoch begins after them (I4) */
    uint64_t L;
    qc_buf tags, digests;
    uint8_t recent[QC_VAULT_SEGMENT_CHUNKS * VAULT_TAG_PAIR]; /* by chunk, modulo their number */
    uint64_t size;                                            /* bytes of N so far */
    enum { OPEN, LAST_SEEN, FINISHED, SPENT } state;
};

static void sealer_done(struct vault_sealer *s)
{
    vault_chunker_done(&s->chunker);
    qc_key_free(&s->KR);
    qc_key_free(&s->R3);
    qc_key_free(&s->M);
    qc_key_free(&s->n2);
    qc_buf_free(&s->header);
    qc_buf_free(&s->extensions);
    qc_buf_free(&s->tags);
    qc_buf_free(&s->digests);
    qc_free(s->epochs);
}

void vault_sealer_free(struct vault_sealer **s)
{
    if (*s == NULL)
        return;
    sealer_done(*s);
    qc_free(*s);
    *s = NULL;
}

/* DK, its commitment, and the header that carries it; then everything keyed by the header's digest. */
static qc_rc make_header(struct vault_sealer *s, const struct vault_keys *keys,
                         const struct vault_sealer_params *p, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *DK = NULL;
    QC_TRY(vault_kdf_once(&DK, keys->K, "data", &p->ids, err));
    QC_TRY(vault_chunker_init(&s->chunker, &p->ids, NULL, keys->R, DK, err));
    struct vault_header h = { .chunk_log2 = s->chunk_log2,
                              .group_log2 = s->group_log2,
                              .ids = p->ids,
                              .extensions = p->header_extensions };
    memcpy(h.salt, p->salt, sizeof h.salt);
    QC_TRY(vault_prk_commitment(h.commitment, s->chunker.DK, &p->ids, err));
    s->header.max = VAULT_HEADER_BYTES + QC_VAULT_EXT_MAX;
    QC_TRY(vault_header_write(&s->header, &h, err));
    return qc_sha256(&(qc_span){ s->header.p, s->header.n }, 1, s->chunker.HH, err);
}

static qc_rc check_params(const struct vault_sealer_params *p, uint8_t chunk_log2, uint8_t group_log2,
                          struct qc_err *err)
{
    struct vault_geometry g = { .chunk_log2 = chunk_log2, .group_log2 = group_log2 };
    if (vault_geometry_init(&g, &g, err) != QC_OK)
        return QC_FAIL(err, QC_USAGE, "sealing: chunk_log2 or group_log2 out of range");
    if (vault_ext_walk_only(p->header_extensions, "header", err) != QC_OK ||
        vault_ext_walk_only(p->trailer_extensions, "trailer", err) != QC_OK) {
        err->rc = QC_USAGE;
        return QC_USAGE;
    }
    return QC_OK;
}

static qc_rc init(struct vault_sealer *s, const struct vault_keys *keys, const struct vault_sealer_params *p,
                  struct qc_err *err)
{
    s->chunk_log2 = p->chunk_log2 != 0 ? p->chunk_log2 : VAULT_CHUNK_LOG2;
    s->group_log2 = p->group_log2 != 0 ? p->group_log2 : VAULT_GROUP_LOG2;
    QC_TRY(check_params(p, s->chunk_log2, s->group_log2, err));
    memcpy(s->salt, p->salt, sizeof s->salt);
    QC_TRY(make_header(s, keys, p, err));
    QC_TRY(qc_key_dup(&s->KR, keys->KR, err));
    QC_TRY(qc_key_dup(&s->R3, keys->R3, err));
    QC_TRY(qc_key_xor(&s->n2, keys->R1, keys->R2, err));
    QC_TRY(vault_kdf_ids(&s->M, s->chunker.R, "M", &p->ids, (qc_span){ 0 }, err));
    s->extensions.max = QC_VAULT_EXT_MAX;
    QC_TRY(qc_buf_add(&s->extensions, p->trailer_extensions, err));
    s->tags.max = (size_t)VAULT_TAGS_BYTES << s->group_log2;
    s->digests.max = QC_VAULT_TRAILER_MAX;
    QC_TRY(qc_buf_reserve(&s->tags, VAULT_TAGS_BYTES, err));
    s->size = s->header.n;
    return QC_OK;
}

qc_rc vault_sealer_new(struct vault_sealer **ret, const struct vault_keys *keys,
                       const struct vault_sealer_params *params, struct qc_err *err)
{
    QC_CLEANUP(vault_sealer_free) struct vault_sealer *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "sealing");
    QC_TRY(init(s, keys, params, err));
    *ret = QC_STEAL(s);
    return QC_OK;
}

qc_span vault_sealer_header(const struct vault_sealer *s)
{
    return qc_buf_span(&s->header);
}

size_t vault_sealer_room(const struct vault_sealer *s, size_t n)
{
    const size_t insert = s->chunks == 0 ? VAULT_INSERT_BYTES : 0;
    return n + insert + s->tags.n + VAULT_TAGS_BYTES;
}

uint64_t vault_sealer_length(const struct vault_sealer *s)
{
    return s->L;
}

uint64_t vault_sealer_size(const struct vault_sealer *s)
{
    return s->size;
}

uint64_t vault_sealer_n2(const struct vault_sealer *s)
{
    QC_ASSERT(s->chunks > 0);
    return s->n2_at;
}

const struct vault_ids *vault_sealer_ids(const struct vault_sealer *s)
{
    return &s->chunker.ids;
}

/* 32 bytes before byte `at` of p[0..n). */
static void insert(uint8_t *p, size_t n, uint64_t at, qc_span what)
{
    QC_ASSERT(at <= n);
    memmove(p + at + what.n, p + at, n - (size_t)at);
    memcpy(p + at, what.p, what.n);
}

/* Where KR and R3 stand, from the length of chunk 0's ciphertext. */
static qc_rc place_keys(struct vault_sealer *s, size_t c0, struct qc_err *err)
{
    QC_TRY(vault_prk_position(&s->n1_at, s->chunker.R, "n1", &s->chunker.ids, c0, err));
    QC_TRY(vault_kdf_position(&s->n2_at, s->n2, "n2", &s->chunker.ids, c0 + VAULT_KEY_BYTES, err));
    qc_key_free(&s->n2);
    return QC_OK;
}

/* E to E' to E'' (PAPERS A6): KR before byte n1 of chunk 0's ciphertext, R3 before byte n2 of that. */
static qc_rc insert_keys(struct vault_sealer *s, uint8_t *p, size_t c0, struct qc_err *err)
{
    QC_TRY(place_keys(s, c0, err));
    insert(p, c0, s->n1_at, qc_key_open(s->KR));
    insert(p, c0 + VAULT_KEY_BYTES, s->n2_at, qc_key_open(s->R3));
    return QC_OK;
}

/* The group's tag block to out (NULL: it is there already), its digest to the list. */
static qc_rc end_group(struct vault_sealer *s, uint8_t *out, struct qc_err *err)
{
    uint8_t digest[32];
    QC_TRY(vault_group_digest(digest, (s->chunks - 1) >> s->group_log2, qc_buf_span(&s->tags), err));
    QC_TRY_AS(qc_buf_add(&s->digests, qc_span_of(digest, 32), err), err, "trailer: group digests");
    if (out != NULL)
        memcpy(out, s->tags.p, s->tags.n);
    qc_buf_clear(&s->tags);
    return QC_OK;
}

static qc_rc room_for_chunk(const struct vault_sealer *s, struct qc_err *err)
{
    if (s->chunks >> QC_VAULT_CHUNKS_LOG2_MAX != 0)
        return QC_FAIL(err, QC_LIMIT, "sealing: over 2^%d chunks", QC_VAULT_CHUNKS_LOG2_MAX);
    return QC_OK;
}

static qc_rc keep_tags(struct vault_sealer *s, const uint8_t tags[VAULT_TAG_PAIR], struct qc_err *err)
{
    memcpy(s->recent + s->chunks % QC_VAULT_SEGMENT_CHUNKS * VAULT_TAG_PAIR, tags, VAULT_TAG_PAIR);
    return qc_buf_add(&s->tags, qc_span_of(tags, VAULT_TAG_PAIR), err);
}

static qc_rc seal_chunk(struct vault_sealer *s, uint8_t *buf, size_t n, bool last, size_t *ret,
                        struct qc_err *err)
{
    uint8_t tags[VAULT_TAG_PAIR];
    const struct vault_chunk_at at = { .salt = s->salt, .i = s->chunks, .last = last };
    QC_TRY(room_for_chunk(s, err));
    QC_TRY(vault_chunker_seal(&s->chunker, &at, buf, n, tags, err));
    QC_TRY(keep_tags(s, tags, err));
    size_t out = n;
    if (s->chunks == 0) {
        QC_TRY(insert_keys(s, buf, n, err));
        out += VAULT_INSERT_BYTES;
    }
    s->chunks++;
    s->L += n;
    if (last || s->tags.n == s->tags.max) {
        const size_t block = s->tags.n;
        QC_TRY(end_group(s, buf + out, err));
        out += block;
    }
    s->size += out;
    *ret = out;
    return QC_OK;
}

qc_rc vault_sealer_chunk(struct vault_sealer *s, uint8_t *buf, size_t n, bool last, size_t *ret,
                         struct qc_err *err)
{
    QC_ASSERT(s->state == OPEN);
    QC_ASSERT(last ? n <= (size_t)1 << s->chunk_log2 : n == (size_t)1 << s->chunk_log2);
    QC_ASSERT(s->replayed == 0 || s->chunks != s->replayed ||
              s->epochs[s->epoch_count - 1].start == s->chunks);
    QC_ASSERT(n > 0 || s->chunks == 0); /* one encoding per length: only an empty object has an empty chunk */
    const qc_rc rc = seal_chunk(s, buf, n, last, ret, err);
    if (rc != QC_OK)
        s->state = SPENT;
    else if (last)
        s->state = LAST_SEEN;
    return rc;
}

qc_rc vault_sealer_epoch(struct vault_sealer *s, const uint8_t salt[16], struct qc_err *err)
{
    QC_ASSERT(s->state == OPEN);
    const bool again = s->epoch_count > 0 && s->epochs[s->epoch_count - 1].start == s->chunks;
    if (!again && s->epoch_count == QC_VAULT_EPOCHS_MAX)
        return QC_FAIL(err, QC_LIMIT, "sealing: over %d epochs; start the put anew", QC_VAULT_EPOCHS_MAX);
    if (!again && s->epoch_count == s->epoch_cap) {
        const uint32_t cap = s->epoch_cap == 0 ? 4 : 2 * s->epoch_cap;
        struct vault_epoch *grown = qc_realloc(s->epochs, cap * sizeof *grown);
        if (grown == NULL)
            return QC_FAIL(err, QC_NOMEM, "sealing: epochs");
        s->epochs = grown;
        s->epoch_cap = cap;
    }
    if (!again)
        s->epochs[s->epoch_count++].start = s->chunks;
    memcpy(s->epochs[s->epoch_count - 1].salt, salt, 16);
    memcpy(s->salt, salt, sizeof s->salt);
    return QC_OK;
}

qc_span vault_sealer_tags(const struct vault_sealer *s)
{
    QC_ASSERT(s->chunks > 0 && s->chunks % QC_VAULT_SEGMENT_CHUNKS == 0);
    return qc_span_of(s->recent, sizeof s->recent);
}

const uint8_t *vault_sealer_salt(const struct vault_sealer *s)
{
    return s->salt;
}

/* seal_chunk without the chunk. */
static qc_rc replay_chunk(struct vault_sealer *s, const uint8_t tags[VAULT_TAG_PAIR], struct qc_err *err)
{
    const size_t n = (size_t)1 << s->chunk_log2;
    QC_TRY(room_for_chunk(s, err));
    QC_TRY(keep_tags(s, tags, err));
    s->size += n;
    if (s->chunks == 0) {
        QC_TRY(place_keys(s, n, err));
        s->size += VAULT_INSERT_BYTES;
    }
    s->chunks++;
    s->L += n;
    if (s->tags.n == s->tags.max) {
        s->size += s->tags.n;
        QC_TRY(end_group(s, NULL, err));
    }
    return QC_OK;
}

qc_rc vault_sealer_replay(struct vault_sealer *s, const uint8_t salt[16], qc_span tags, struct qc_err *err)
{
    QC_ASSERT(s->state == OPEN && tags.n > 0 && tags.n % VAULT_TAG_PAIR == 0);
    if (!qc_ct_eq(salt, s->salt, sizeof s->salt))
        QC_TRY(vault_sealer_epoch(s, salt, err));
    for (size_t at = 0; at < tags.n; at += VAULT_TAG_PAIR)
        QC_TRY(replay_chunk(s, tags.p + at, err));
    s->replayed = s->chunks;
    return QC_OK;
}

qc_rc vault_sealer_proves(struct vault_sealer *s, const uint8_t salt[16], uint64_t i, uint8_t *buf,
                          const uint8_t *tags, bool *ret, struct qc_err *err)
{
    uint8_t now[VAULT_TAG_PAIR];
    const struct vault_chunk_at at = { .salt = salt, .i = i };
    QC_TRY(vault_chunker_seal(&s->chunker, &at, buf, (size_t)1 << s->chunk_log2, now, err));
    *ret = qc_ct_eq(now, tags, sizeof now);
    return QC_OK;
}

/* Every epoch has a chunk, as a reader demands: after the last chunk none can be opened. */
static qc_rc make_trailer(struct vault_sealer *s, const struct vault_meta *meta, qc_buf *ret,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf m = { .max = QC_VAULT_META_MAX };
    QC_TRY_AS(vault_meta_write(&m, meta, err), err, "private metadata");
    uint8_t *tag;
    const size_t clear = m.n;
    QC_TRY_AS(qc_buf_extend(&m, QC_TAG, &tag, err), err, "private metadata");
    QC_TRY(vault_chunker_meta_seal(&s->chunker, s->salt, qc_span_of(m.p, clear), m.p, err));
    const struct vault_trailer t = { .L = s->L,
                                     .epochs = s->epochs,
                                     .epoch_count = s->epoch_count,
                                     .digests = qc_buf_span(&s->digests),
                                     .meta = qc_buf_span(&m),
                                     .extensions = qc_buf_span(&s->extensions) };
    return vault_trailer_write(ret, &t, err);
}

static qc_rc finish(struct vault_sealer *s, const struct vault_meta *meta, qc_buf *out, uint8_t M[32],
                    struct qc_err *err)
{
    if (meta->true_size > s->L)
        return QC_FAIL(err, QC_USAGE, "sealing: true length %" PRIu64 " of %" PRIu64 " padded bytes",
                       meta->true_size, s->L);
    QC_CLEANUP(qc_buf_free) qc_buf t = { .max = QC_VAULT_TRAILER_MAX + VAULT_END_BYTES };
    QC_TRY(make_trailer(s, meta, &t, err));
    uint8_t mac[VAULT_M_BYTES];
    const struct vault_m_parts parts = { .header = qc_buf_span(&s->header),
                                         .KR = s->KR,
                                         .R3 = s->R3,
                                         .n1 = s->n1_at,
                                         .n2 = s->n2_at,
                                         .trailer = qc_buf_span(&t) };
    QC_TRY(vault_m(mac, s->M, &parts, err));
    QC_TRY(qc_buf_add_be(&t, t.n, 4, err));
    QC_TRY(qc_buf_add(&t, qc_span_of(mac, sizeof mac), err));
    QC_TRY(qc_buf_add(out, qc_buf_span(&t), err));
    s->size += t.n;
    memcpy(M, mac, sizeof mac);
    return QC_OK;
}

qc_rc vault_sealer_finish(struct vault_sealer *s, const struct vault_meta *meta, qc_buf *out, uint8_t ret[32],
                          struct qc_err *err)
{
    QC_ASSERT(s->state == LAST_SEEN);
    QC_TRY(finish(s, meta, out, ret, err));
    s->state = FINISHED;
    return QC_OK;
}

size_t vault_sealer_tail_room(const struct vault_sealer *s, const struct vault_meta *meta)
{
    const size_t fields = 8 + (6 + 12) + (6 + 4) + (6 + meta->provenance.n) + (6 + VAULT_ID_BYTES) + (6 + 8) +
                          (6 + meta->xattrs.n) + 6 + QC_TAG;
    return 20 + (size_t)24 * s->epoch_count + s->digests.n + 32 + fields + s->extensions.n + VAULT_END_BYTES;
}

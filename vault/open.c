#include "vault/open.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "chunk.h"
#include "frame.h"
#include "m.h"
#include "vault/kdf.h"
#include "vault/shares.h"

struct vault_opened {
    const struct vault_frame *f; /* borrowed from the caller of vault_open */
    struct vault_chunker chunker;
    uint8_t x[3]; /* points of the shares that opened it */
    qc_key *share[3];
    uint64_t n1, n2;
    struct vault_meta meta;
    qc_buf clear; /* private metadata; meta's spans lie in it */
};

void vault_opened_free(struct vault_opened **o)
{
    if (*o == NULL)
        return;
    vault_chunker_done(&(*o)->chunker);
    for (size_t i = 0; i < 3; i++)
        qc_key_free(&(*o)->share[i]);
    qc_buf_free(&(*o)->clear);
    qc_free(*o);
    *o = NULL;
}

static qc_rc check_ids(const struct vault_ids *have, const struct vault_ids *want, struct qc_err *err)
{
    if (!qc_ct_eq(have->vault, want->vault, VAULT_ID_BYTES))
        return QC_FAIL(err, QC_INTEGRITY, "header: vault id is not the one that was asked for");
    if (!qc_ct_eq(have->object, want->object, VAULT_ID_BYTES))
        return QC_FAIL(err, QC_INTEGRITY, "header: object id is not the one that was asked for");
    if (!qc_ct_eq(have->version, want->version, VAULT_ID_BYTES))
        return QC_FAIL(err, QC_INTEGRITY, "header: version id is not the one that was asked for");
    return QC_OK;
}

/* Effective share i: as it is, or corrected by a B whose MAC over the correction holds. */
static qc_rc effective(qc_key **ret, const struct vault_unlock *with, unsigned i, struct qc_err *err)
{
    const qc_key *own = i == 1 ? with->R1 : with->R2;
    if (with->B != NULL && (with->B->corr1 != NULL || with->B->corr2 != NULL))
        return vault_backup_check(ret, with->B, i, own, &with->ids, err);
    return qc_key_dup(ret, own, err);
}

/* Two shares and n2: R1, R2 (PAPERS A10), or R_i, R4 and n2 from B after M_i4 holds (PAPERS A11). */
static qc_rc two_shares(struct vault_opened *o, const struct vault_unlock *with, uint64_t c0,
                        struct qc_err *err)
{
    const uint64_t top = c0 + VAULT_KEY_BYTES;
    if (with->R1 != NULL && with->R2 != NULL) {
        QC_TRY(effective(&o->share[0], with, 1, err));
        QC_TRY(effective(&o->share[1], with, 2, err));
        o->x[0] = 1;
        o->x[1] = 2;
        QC_CLEANUP(qc_key_free) qc_key *R12 = NULL;
        QC_TRY(qc_key_xor(&R12, o->share[0], o->share[1], err));
        return vault_kdf_position(&o->n2, R12, "n2", &with->ids, top, err);
    }
    if ((with->R1 == NULL && with->R2 == NULL) || with->B == NULL)
        return QC_FAIL(err, QC_SHARES, "key shares: fewer than three");
    const unsigned i = with->R1 != NULL ? 1 : 2;
    QC_TRY(vault_backup_check(&o->share[0], with->B, i, i == 1 ? with->R1 : with->R2, &with->ids, err));
    QC_TRY(qc_key_dup(&o->share[1], with->B->R4, err));
    o->x[0] = (uint8_t)i;
    o->x[1] = 4;
    if (with->B->n2 > top)
        return QC_FAIL(err, QC_INTEGRITY, "backup data: n2 %" PRIu64 " is over %" PRIu64, with->B->n2, top);
    o->n2 = with->B->n2;
    return QC_OK;
}

/* 32 bytes of E'' from byte `at`, where 32 bytes at `skip` are left out (skip >= region.n: nothing is). */
static qc_rc cut_key(qc_key **ret, qc_span region, uint64_t at, uint64_t skip, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *k = NULL;
    QC_TRY(qc_key_blank(&k, VAULT_KEY_BYTES, err));
    uint8_t *to = qc_key_write(k);
    for (uint64_t j = 0; j < VAULT_KEY_BYTES; j++) {
        const uint64_t from = at + j < skip ? at + j : at + j + VAULT_KEY_BYTES;
        QC_ASSERT(from < region.n);
        to[j] = region.p[from];
    }
    qc_key_seal(k);
    *ret = QC_STEAL(k);
    return QC_OK;
}

static qc_rc check_m(const struct vault_opened *o, const struct vault_unlock *with, const qc_key *R,
                     const qc_key *KR, struct qc_err *err)
{
    const struct vault_frame *f = o->f;
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_TRY(vault_kdf_once(&key, R, "M", &with->ids, err));
    const struct vault_m_parts parts = { .header = qc_buf_span(&f->header),
                                         .KR = KR,
                                         .R3 = o->share[2],
                                         .n1 = o->n1,
                                         .n2 = o->n2,
                                         .trailer = qc_buf_span(&f->trailer) };
    uint8_t M[VAULT_M_BYTES];
    QC_TRY(vault_m(M, key, &parts, err));
    if (!qc_ct_eq(M, f->M, sizeof M))
        return QC_FAIL(err, QC_INTEGRITY, "seal M");
    if (with->M != NULL && !qc_ct_eq(M, with->M, sizeof M))
        return QC_FAIL(err, QC_INTEGRITY, "seal M: not the version that the entry names");
    return QC_OK;
}

/* Salt of the epoch of chunk i: the last epoch whose start is not behind it. */
static const uint8_t *salt_of(const struct vault_frame *f, uint64_t i)
{
    uint32_t low = 0,
             high = f->epoch_count; /* epochs before low start at or before i, those from high behind it */
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (f->epochs[middle].start <= i)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? f->salt : f->epochs[low - 1].salt;
}

static qc_rc open_meta(struct vault_opened *o, struct qc_err *err)
{
    const struct vault_frame *f = o->f;
    const uint8_t *salt = f->epoch_count > 0 ? f->epochs[f->epoch_count - 1].salt : f->salt;
    o->clear.max = f->meta.n;
    uint8_t *clear;
    QC_TRY(qc_buf_extend(&o->clear, f->meta.n - QC_TAG, &clear, err));
    QC_TRY(vault_chunker_meta_open(&o->chunker, salt, f->meta, clear, err));
    QC_TRY(vault_meta_parse(&o->meta, qc_buf_span(&o->clear), err));
    if (o->meta.true_size > f->g.L)
        return QC_FAIL(err, QC_FORMAT,
                       "private metadata: true length %" PRIu64 " of %" PRIu64 " padded bytes",
                       o->meta.true_size, f->g.L);
    return QC_OK;
}

/* Steps 2 to 6 of FORMAT 3.5 in their order; nothing of K is used before M holds. */
static qc_rc unlock(struct vault_opened *o, const struct vault_unlock *with, qc_span head0,
                    struct qc_err *err)
{
    const struct vault_frame *f = o->f;
    QC_TRY(check_ids(&f->ids, &with->ids, err));
    const uint64_t c0 = vault_geometry_chunk_size(&f->g, 0);
    if (head0.n != c0 + VAULT_INSERT_BYTES)
        return QC_FAIL(err, QC_FORMAT, "chunk 0: %zu bytes, expected %" PRIu64, head0.n,
                       c0 + VAULT_INSERT_BYTES);
    QC_TRY(two_shares(o, with, c0, err));
    QC_TRY(cut_key(&o->share[2], head0, o->n2, head0.n, err));
    o->x[2] = 3;
    QC_CLEANUP(qc_key_free) qc_key *R = NULL, *KR = NULL, *K = NULL, *DK = NULL;
    QC_TRY(vault_opened_share(&R, o, 0, err));
    QC_TRY(vault_kdf_position(&o->n1, R, "n1", &with->ids, c0, err));
    QC_TRY(cut_key(&KR, head0, o->n1, o->n2, err));
    QC_TRY(check_m(o, with, R, KR, err));
    QC_TRY(qc_key_xor(&K, KR, R, err));
    QC_TRY(vault_kdf_once(&DK, K, "data", &with->ids, err));
    uint8_t commitment[32], HH[32];
    QC_TRY(vault_commitment(commitment, DK, &with->ids, err));
    if (!qc_ct_eq(commitment, f->commitment, sizeof commitment))
        return QC_FAIL(err, QC_INTEGRITY, "key commitment");
    QC_TRY(qc_sha256(&(qc_span){ f->header.p, f->header.n }, 1, HH, err));
    QC_TRY(vault_chunker_init(&o->chunker, &with->ids, HH, R, DK, err));
    return open_meta(o, err);
}

qc_rc vault_open(struct vault_opened **ret, const struct vault_frame *f, const struct vault_unlock *with,
                 qc_span head0, struct qc_err *err)
{
    QC_CLEANUP(vault_opened_free) struct vault_opened *o = qc_alloc(sizeof *o);
    if (o == NULL)
        return QC_FAIL(err, QC_NOMEM, "opening an object");
    o->f = f;
    QC_TRY(unlock(o, with, head0, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

const struct vault_meta *vault_opened_meta(const struct vault_opened *o)
{
    return &o->meta;
}

uint64_t vault_opened_true(const struct vault_opened *o, uint64_t i)
{
    const uint64_t start = i << o->f->g.chunk_log2, size = vault_geometry_chunk_size(&o->f->g, i);
    if (o->meta.true_size <= start)
        return 0;
    return o->meta.true_size - start < size ? o->meta.true_size - start : size;
}

qc_rc vault_opened_share(qc_key **ret, const struct vault_opened *o, uint8_t x, struct qc_err *err)
{
    const struct vault_triple t = { .x = { o->x[0], o->x[1], o->x[2] },
                                    .share = { o->share[0], o->share[1], o->share[2] } };
    return vault_triple_at(ret, &t, x, err);
}

uint64_t vault_opened_n2(const struct vault_opened *o)
{
    return o->n2;
}

void vault_tags_done(struct vault_tags *tags)
{
    qc_buf_free(&tags->block);
    tags->group = 0;
}

qc_rc vault_opened_group(struct vault_tags *ret, const struct vault_opened *o, uint64_t group, qc_span block,
                         struct qc_err *err)
{
    const struct vault_frame *f = o->f;
    uint8_t digest[32];
    QC_TRY(vault_group_digest(digest, group, block, err));
    if (block.n != vault_geometry_tags(&f->g, group).size || !qc_ct_eq(digest, f->digests.p + group * 32, 32))
        return QC_FAIL(err, QC_INTEGRITY, "group %" PRIu64 ": tag table", group);
    struct vault_tags t = { .group = group, .block = { .max = block.n } };
    QC_TRY(qc_buf_add(&t.block, block, err));
    vault_tags_done(ret);
    *ret = t;
    return QC_OK;
}

static size_t remove_at(uint8_t *p, size_t n, uint64_t at)
{
    QC_ASSERT(at + VAULT_KEY_BYTES <= n);
    memmove(p + at, p + at + VAULT_KEY_BYTES, n - VAULT_KEY_BYTES - (size_t)at);
    return n - VAULT_KEY_BYTES;
}

/* The entry of chunk i in its group's table. */
static const uint8_t *tags_of(const struct vault_opened *o, const struct vault_tags *tags, uint64_t i)
{
    QC_ASSERT(tags->group == vault_geometry_group_of(&o->f->g, i));
    const uint64_t slot = i - (tags->group << o->f->g.group_log2);
    QC_ASSERT((slot + 1) * VAULT_TAGS_BYTES <= tags->block.n);
    return tags->block.p + slot * VAULT_TAGS_BYTES;
}

static struct vault_chunk_at place_of(const struct vault_opened *o, uint64_t i)
{
    return (struct vault_chunk_at){ .salt = salt_of(o->f, i), .i = i, .last = i == o->f->g.chunks - 1 };
}

qc_rc vault_opened_chunk(struct vault_opened *o, const struct vault_tags *tags, uint64_t i, uint8_t *p,
                         size_t n, size_t *ret, struct qc_err *err)
{
    QC_ASSERT(n == vault_geometry_chunk(&o->f->g, i).size);
    if (i == 0) { /* R3 first, then KR: the reverse of their insertion */
        n = remove_at(p, n, o->n2);
        n = remove_at(p, n, o->n1);
    }
    const struct vault_chunk_at at = place_of(o, i);
    QC_TRY(vault_chunker_open(&o->chunker, &at, p, n, tags_of(o, tags, i), err));
    *ret = n;
    return QC_OK;
}

qc_rc vault_opened_same(struct vault_opened *o, const struct vault_tags *tags, uint64_t i, uint8_t *p,
                        size_t n, bool *ret, struct qc_err *err)
{
    uint8_t pair[VAULT_TAG_PAIR];
    QC_ASSERT(n == vault_geometry_chunk_size(&o->f->g, i));
    const struct vault_chunk_at at = place_of(o, i);
    QC_TRY(vault_chunker_seal(&o->chunker, &at, p, n, pair, err));
    *ret = qc_ct_eq(pair, tags_of(o, tags, i), sizeof pair);
    return QC_OK;
}

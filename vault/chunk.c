#include "chunk.h"

#include <inttypes.h>

#include "vault/kdf.h"

qc_rc vault_chunker_init(struct vault_chunker *ret, const struct vault_ids *ids, const uint8_t HH[32],
                         const qc_key *R, const qc_key *DK, struct qc_err *err)
{
    QC_CLEANUP(vault_chunker_done) struct vault_chunker c = { .ids = *ids };
    if (HH != NULL)
        memcpy(c.HH, HH, sizeof c.HH);
    QC_TRY(vault_prk_new(&c.DK, DK, err));
    QC_TRY(vault_prk_new(&c.R, R, err));
    QC_TRY(qc_aead_new(&c.aead, err));
    *ret = QC_STEAL(c);
    return QC_OK;
}

void vault_chunker_done(struct vault_chunker *c)
{
    qc_prk_free(&c->DK);
    qc_prk_free(&c->R);
    qc_aead_free(&c->aead);
    qc_key_free(&c->auth);
}

/* The chunk-auth key of the epoch: derived once, since nearly every object has one epoch. */
static qc_rc auth_key(struct vault_chunker *c, const uint8_t salt[16], struct qc_err *err)
{
    if (c->auth != NULL && qc_ct_eq(c->auth_salt, salt, sizeof c->auth_salt))
        return QC_OK;
    qc_key *k = NULL;
    QC_TRY(vault_kdf_ids(&k, c->R, "chunk-auth", &c->ids, qc_span_of(salt, 16), err));
    qc_key_free(&c->auth);
    c->auth = k;
    memcpy(c->auth_salt, salt, sizeof c->auth_salt);
    return QC_OK;
}

/* Second tag: GMAC over ids, index, ciphertext and first tag, under a key that only a holder of R has. A tag
 * of GCM binds nothing against somebody who knows the data key (seal.md 3.2). */
static qc_rc second_tag(struct vault_chunker *c, const struct vault_chunk_at *at, qc_span ct,
                        const uint8_t tag[QC_TAG], uint8_t ret[QC_TAG], struct qc_err *err)
{
    QC_TRY(auth_key(c, at->salt, err));
    uint8_t nonce[QC_GCM_NONCE] = { 0 };
    qc_put_be(nonce + 4, at->i, 8);
    const qc_span parts[] = { qc_span_of(c->ids.vault, VAULT_ID_BYTES),
                              qc_span_of(c->ids.object, VAULT_ID_BYTES),
                              qc_span_of(c->ids.version, VAULT_ID_BYTES),
                              qc_span_of(nonce + 4, 8),
                              ct,
                              qc_span_of(tag, QC_TAG) };
    return qc_aead_mac(c->aead, &(struct qc_gcm){ .key = qc_key_open(c->auth), .nonce = nonce }, parts, 6,
                       ret, err);
}

static qc_rc chunk_key(qc_key **ret, const struct vault_chunker *c, const struct vault_chunk_at *at,
                       struct qc_err *err)
{
    uint8_t index[8];
    qc_put_be(index, at->i, 8);
    const uint8_t last = at->last ? 1 : 0;
    const qc_span parts[] = { qc_span_of(c->ids.vault, VAULT_ID_BYTES),
                              qc_span_of(c->ids.object, VAULT_ID_BYTES),
                              qc_span_of(c->ids.version, VAULT_ID_BYTES),
                              qc_span_of(at->salt, 16),
                              qc_span_of(index, 8),
                              qc_span_of(&last, 1) };
    return vault_kdf(ret, c->DK, "chunk", parts, 6, VAULT_KDF_BYTES, err);
}

static void chunk_nonce(uint8_t ret[QC_GCM_NONCE], const struct vault_chunk_at *at)
{
    memset(ret, 0, 4);
    ret[0] = at->last ? 1 : 0;
    qc_put_be(ret + 4, at->i, 8);
}

qc_rc vault_chunker_seal(struct vault_chunker *c, const struct vault_chunk_at *at, uint8_t *p, size_t n,
                         uint8_t tags[VAULT_TAG_PAIR], struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_TRY(chunk_key(&key, c, at, err));
    uint8_t nonce[QC_GCM_NONCE], pair[VAULT_TAG_PAIR];
    chunk_nonce(nonce, at);
    QC_TRY(qc_aead_seal(
        c->aead, &(struct qc_gcm){ .key = qc_key_open(key), .nonce = nonce, .aad = qc_span_of(c->HH, 32) },
        qc_span_of(p, n), p, pair, err));
    QC_TRY(second_tag(c, at, qc_span_of(p, n), pair, pair + QC_TAG, err));
    memcpy(tags, pair, sizeof pair);
    return QC_OK;
}

qc_rc vault_chunker_open(struct vault_chunker *c, const struct vault_chunk_at *at, uint8_t *p, size_t n,
                         const uint8_t tags[VAULT_TAG_PAIR], struct qc_err *err)
{
    uint8_t auth[QC_TAG], nonce[QC_GCM_NONCE];
    QC_TRY(second_tag(c, at, qc_span_of(p, n), tags, auth, err));
    if (!qc_ct_eq(auth, tags + QC_TAG, QC_TAG))
        return QC_FAIL(err, QC_INTEGRITY, "chunk %" PRIu64 ": second tag", at->i);
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_TRY(chunk_key(&key, c, at, err));
    chunk_nonce(nonce, at);
    const qc_rc rc = qc_aead_open(
        c->aead, &(struct qc_gcm){ .key = qc_key_open(key), .nonce = nonce, .aad = qc_span_of(c->HH, 32) },
        qc_span_of(p, n), tags, p, err);
    if (rc == QC_INTEGRITY)
        return QC_FAIL(err, QC_INTEGRITY, "chunk %" PRIu64 ": tag", at->i);
    return rc;
}

/* One message per key (the salt is fresh), hence the zero nonce. */
static const uint8_t meta_nonce[QC_GCM_NONCE];

qc_rc vault_chunker_meta_seal(struct vault_chunker *c, const uint8_t salt[16], qc_span in, uint8_t *out,
                              struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_TRY(vault_kdf_ids(&key, c->DK, "meta", &c->ids, qc_span_of(salt, 16), err));
    return qc_aead_seal(c->aead,
                        &(struct qc_gcm){
                            .key = qc_key_open(key), .nonce = meta_nonce, .aad = qc_span_of(c->HH, 32) },
                        in, out, out + in.n, err);
}

qc_rc vault_chunker_meta_open(struct vault_chunker *c, const uint8_t salt[16], qc_span in, uint8_t *out,
                              struct qc_err *err)
{
    QC_ASSERT(in.n >= QC_TAG);
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_TRY(vault_kdf_ids(&key, c->DK, "meta", &c->ids, qc_span_of(salt, 16), err));
    const size_t n = in.n - QC_TAG;
    const qc_rc rc = qc_aead_open(
        c->aead,
        &(struct qc_gcm){ .key = qc_key_open(key), .nonce = meta_nonce, .aad = qc_span_of(c->HH, 32) },
        qc_span_sub(in, 0, n), in.p + n, out, err);
    if (rc == QC_INTEGRITY)
        return QC_FAIL(err, QC_INTEGRITY, "private metadata: tag");
    return rc;
}

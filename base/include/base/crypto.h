/* Hashes, MACs, key derivation and authenticated encryption, over OpenSSL 3. Layer 0; uses err, buf, key.
 *
 * Algorithms are fetched once per process. All work on the caller's memory. Keys are spans from qc_key_open
 * inside the call expression; their lengths are the caller's duty (asserted). Functions without an object may
 * be called from any thread; an object belongs to one thread at a time. Errors, unless said otherwise:
 * QC_NOMEM, and QC_GENERAL when OpenSSL lacks or refuses an algorithm. Outputs are written on success only.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"

enum {
    QC_SHA256_BYTES = 32,
    QC_SHA384_BYTES = 48,
    QC_MD5_BYTES = 16,
    QC_GCM_KEY = 32,
    QC_GCM_NONCE = 12,
    QC_TAG = 16,
    QC_SIV_KEY = 64,
    QC_SIV_TAG = 16
};

/* Same n bytes? Constant time. */
QC_MUST bool qc_ct_eq(const void *a, const void *b, size_t n);

/* SHA-256 of the parts, one after the other. */
QC_MUST qc_rc qc_sha256(const qc_span *parts, size_t count, uint8_t out[QC_SHA256_BYTES], struct qc_err *err);

/* MD5 of the parts: it finds what changed by accident, and S3 servers ask for it. Nothing of ours rests on
 * it.
 */
QC_MUST qc_rc qc_md5(const qc_span *parts, size_t count, uint8_t out[QC_MD5_BYTES], struct qc_err *err);

/* SHA-256 by pieces: new, add.., final (which makes it ready for the next message). */
struct qc_sha256_ctx;
QC_MUST qc_rc qc_sha256_new(struct qc_sha256_ctx **ret, struct qc_err *err);
QC_MUST qc_rc qc_sha256_add(struct qc_sha256_ctx *h, qc_span s, struct qc_err *err);
QC_MUST qc_rc qc_sha256_final(struct qc_sha256_ctx *h, uint8_t out[QC_SHA256_BYTES], struct qc_err *err);
void qc_sha256_free(struct qc_sha256_ctx **h);

/* HMAC-SHA-256 of the parts (RFC 2104). Key: 1..QC_KEY_MAX bytes. Nothing of it is left in memory but out. */
QC_MUST qc_rc qc_hmac_sha256(qc_span key, const qc_span *parts, size_t count, uint8_t out[QC_SHA256_BYTES],
                             struct qc_err *err);

/* Poly1305 (RFC 8439 2.5) of the parts under a key of 32 bytes that is never used again. Cannot fail. */
void qc_poly1305(qc_span key, const qc_span *parts, size_t count, uint8_t out[QC_TAG]);

/*
 * HKDF-SHA-256 (RFC 5869; FORMAT 1.1). A PRK is extracted once and expanded often: each expansion of up to 32
 * bytes is one HMAC. Reading one PRK from several threads is allowed.
 */
struct qc_prk;
/* PRK = HMAC-SHA-256(key = salt, message = ikm). FORMAT's salt is SHA-256 of the suite's name. */
QC_MUST qc_rc qc_prk_new(struct qc_prk **ret, qc_span salt, qc_span ikm, struct qc_err *err);
void qc_prk_free(struct qc_prk **prk);
/* OKM = HKDF-Expand(PRK, info, len), len 1..QC_HKDF_MAX: bytes that are not secret (positions, commitments).
 */
QC_MUST qc_rc qc_prk_expand(const struct qc_prk *prk, qc_span info, uint8_t *out, size_t len,
                            struct qc_err *err);
/* The same as a key; len as base/key.h says. */
QC_MUST qc_rc qc_prk_expand_key(qc_key **ret, const struct qc_prk *prk, qc_span info, size_t len,
                                struct qc_err *err);

/* HKDF-SHA-384 (RFC 5869), 48 bytes: one block of its output; a secret of the caller's, who wipes it. For
 * TLS, whose cipher has this hash. */
QC_MUST qc_rc qc_hkdf_sha384(qc_span salt, qc_span ikm, qc_span info, uint8_t out[QC_SHA384_BYTES],
                             struct qc_err *err);

/* One item of enc(..) (FORMAT 1): u64 length, then the bytes. Items in a row are an injective encoding. */
QC_MUST qc_rc qc_info_add(qc_buf *b, qc_span item, struct qc_err *err);
/* An item that is a big-endian integer of nbytes. */
QC_MUST qc_rc qc_info_add_be(qc_buf *b, uint64_t v, size_t nbytes, struct qc_err *err);

/* What one AES-256-GCM operation is keyed and bound by. The nonce has QC_GCM_NONCE bytes. A key and nonce
 * never meet two plaintexts: the caller's duty. Build it inside the call expression: &(struct qc_gcm){ .key =
 * qc_key_open(k), ..} */
struct qc_gcm {
    qc_span key;          /* QC_GCM_KEY bytes */
    const uint8_t *nonce; /* QC_GCM_NONCE bytes */
    qc_span aad;
};

/* A reusable context: about 0.15 us per call less than the functions without one. */
struct qc_aead;
QC_MUST qc_rc qc_aead_new(struct qc_aead **ret, struct qc_err *err);
void qc_aead_free(struct qc_aead **a);
/* in.n bytes to out (out == in.p, or no overlap), and the tag. in.n < 2^31. */
QC_MUST qc_rc qc_aead_seal(struct qc_aead *a, const struct qc_gcm *g, qc_span in, uint8_t *out,
                           uint8_t tag[QC_TAG], struct qc_err *err);
/* As above, the other way. QC_INTEGRITY when the tag does not hold: then out is zeros. */
QC_MUST qc_rc qc_aead_open(struct qc_aead *a, const struct qc_gcm *g, qc_span in, const uint8_t tag[QC_TAG],
                           uint8_t *out, struct qc_err *err);
/* GMAC: the tag of the empty text; AAD = the parts, one after the other (g->aad is ignored and must be
 * empty). */
QC_MUST qc_rc qc_aead_mac(struct qc_aead *a, const struct qc_gcm *g, const qc_span *parts, size_t count,
                          uint8_t tag[QC_TAG], struct qc_err *err);

/* The same with a context of their own. */
QC_MUST qc_rc qc_gcm_seal(const struct qc_gcm *g, qc_span in, uint8_t *out, uint8_t tag[QC_TAG],
                          struct qc_err *err);
QC_MUST qc_rc qc_gcm_open(const struct qc_gcm *g, qc_span in, const uint8_t tag[QC_TAG], uint8_t *out,
                          struct qc_err *err);
QC_MUST qc_rc qc_gmac(const struct qc_gcm *g, const qc_span *parts, size_t count, uint8_t tag[QC_TAG],
                      struct qc_err *err);

/*
 * AES-256-SIV (RFC 5297), one AAD item. key 64 bytes; aad and text not empty (asserted: OpenSSL 3.0 passes
 * over empty ones). out: SIV (16) then ciphertext, in.n + 16 bytes; open: in.n - 16 bytes. No overlap. open:
 * QC_INTEGRITY when it does not hold (out is zeros), QC_FORMAT when in is shorter than 17 bytes.
 */
QC_MUST qc_rc qc_siv_seal(qc_span key, qc_span aad, qc_span in, uint8_t *out, struct qc_err *err);
QC_MUST qc_rc qc_siv_open(qc_span key, qc_span aad, qc_span in, uint8_t *out, struct qc_err *err);

/* One block of 16 bytes under AES-256 (ECB): for wide permutations of identifiers, never for data. */
QC_MUST qc_rc qc_aes256_block_enc(qc_span key, const uint8_t in[16], uint8_t out[16], struct qc_err *err);
QC_MUST qc_rc qc_aes256_block_dec(qc_span key, const uint8_t in[16], uint8_t out[16], struct qc_err *err);
/* p xor the AES-256-CTR stream (SP 800-38A 6.5, big-endian counter from 0) of a key of 32 bytes, from its
 * block of 16 bytes on. A stretch of a key's stream never meets two texts: the caller's duty. n: 1..2^31-1 */
QC_MUST qc_rc qc_aes256_ctr_xor(qc_span key, uint64_t block, uint8_t *p, size_t n, struct qc_err *err);

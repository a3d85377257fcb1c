/* Labelled key derivation of suite 1. Layer 3; uses base. Format: FORMAT 1.1.
 * Nothing is ever keyed by R, K, R1, R2, R1 xor R2 or VS directly: they are extracted here, and each use has
 * its label. Pure functions; a PRK is read-only after vault_prk_new and may be used by any thread. */
#pragma once
#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/key.h"
#include "vault/ids.h"

#define VAULT_SUITE      1
#define VAULT_KDF_BYTES  32
#define VAULT_SUITE_NAME "qcloud-seal-1/HKDF-SHA-256/AES-256-GCM"

/*
 * HKDF-Extract of an input secret under the suite's salt. The handle lives in secret memory.
 *
 *   ikm   borrowed, 32 bytes (K, R, a share, VS, a store key)
 *
 * QC_NOMEM   no secret memory left
 */
QC_MUST qc_rc vault_prk_new(struct qc_prk **ret, const qc_key *ikm, struct qc_err *err);

/*
 * KDF(ikm, label, context; len) = HKDF-Expand(PRK, enc(label, context..), len) as a secret.
 *
 *   label      ASCII
 *   parts      count context items, borrowed; count <= QC_VAULT_PARTS_MAX
 *   len        32 or 64
 *
 * QC_NOMEM   no secret memory left
 */
QC_MUST qc_rc vault_kdf(qc_key **ret, const struct qc_prk *prk, const char *label, const qc_span *parts,
                        size_t count, size_t len, struct qc_err *err);

/* As vault_kdf for values that are not secret: commitments, directory ids. */
QC_MUST qc_rc vault_kdf_public(uint8_t *ret, const struct qc_prk *prk, const char *label,
                               const qc_span *parts, size_t count, size_t len, struct qc_err *err);

/* As vault_kdf with the context ids, then at most one more item (extra.n = 0: none); 32 bytes. */
QC_MUST qc_rc vault_kdf_ids(qc_key **ret, const struct qc_prk *prk, const char *label,
                            const struct vault_ids *ids, qc_span extra, struct qc_err *err);

/* One step for a secret of which a single key is needed: extract, then vault_kdf_ids. */
QC_MUST qc_rc vault_kdf_once(qc_key **ret, const qc_key *ikm, const char *label, const struct vault_ids *ids,
                             struct qc_err *err);

/*
 * Position derived from a secret (n1 from R, n2 from R1 xor R2): 16 bytes of KDF(ikm, label, ids), read as
 * one big-endian integer, modulo top + 1. The result is 0 .. top. Bias below 2^-64 for every top that occurs
 * (top < 2^25).
 */
QC_MUST qc_rc vault_kdf_position(uint64_t *ret, const qc_key *ikm, const char *label,
                                 const struct vault_ids *ids, uint64_t top, struct qc_err *err);
/* The same of a secret that was extracted for other uses, too. */
QC_MUST qc_rc vault_prk_position(uint64_t *ret, const struct qc_prk *prk, const char *label,
                                 const struct vault_ids *ids, uint64_t top, struct qc_err *err);

/* HMAC-SHA-256 under a derived key, over parts that the caller has encoded. Allocates nothing. */
QC_MUST qc_rc vault_hmac(uint8_t ret[32], const qc_key *key, const qc_span *parts, size_t count,
                         struct qc_err *err);

/* As vault_hmac over enc(parts..): each part preceded by its length as u64 (FORMAT 1).
 * count <= QC_VAULT_PARTS_MAX. */
QC_MUST qc_rc vault_hmac_enc(uint8_t ret[32], const qc_key *key, const qc_span *parts, size_t count,
                             struct qc_err *err);

/* SHA-256(enc(parts..)). */
QC_MUST qc_rc vault_sha_enc(uint8_t ret[32], const qc_span *parts, size_t count, struct qc_err *err);

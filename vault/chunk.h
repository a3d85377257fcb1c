/* Chunks of a sealed object: keys, nonces and both tags, for writer and reader alike. Layer 3, internal.
 * FORMAT 3.2. One thread at a time. */
#pragma once
#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/key.h"
#include "vault/ids.h"

#define VAULT_TAG_PAIR 32 /* tag || auth */

struct vault_chunker {
    struct vault_ids ids;
    uint8_t HH[32];    /* SHA-256 of the header: AAD of every chunk */
    struct qc_prk *DK; /* parent of the chunk keys */
    struct qc_prk *R;  /* parent of the chunk-auth keys */
    struct qc_aead *aead;
    qc_key *auth; /* chunk-auth key of auth_salt */
    uint8_t auth_salt[16];
};

/*
 * ids and HH as they are; R and DK borrowed during the call. HH NULL: it is filled in before the first chunk.
 * QC_NOMEM
 */
QC_MUST qc_rc vault_chunker_init(struct vault_chunker *ret, const struct vault_ids *ids, const uint8_t HH[32],
                                 const qc_key *R, const qc_key *DK, struct qc_err *err);
void vault_chunker_done(struct vault_chunker *c);

/* Where a chunk stands: epoch salt, index, last flag. */
struct vault_chunk_at {
    const uint8_t *salt;
    uint64_t i;
    bool last;
};

/* Encrypt n bytes in place; tags gets tag || auth. */
QC_MUST qc_rc vault_chunker_seal(struct vault_chunker *c, const struct vault_chunk_at *at, uint8_t *p,
                                 size_t n, uint8_t tags[VAULT_TAG_PAIR], struct qc_err *err);

/* Check auth, then tag, and decrypt in place. QC_INTEGRITY "chunk i: second tag" or "chunk i: tag". */
QC_MUST qc_rc vault_chunker_open(struct vault_chunker *c, const struct vault_chunk_at *at, uint8_t *p,
                                 size_t n, const uint8_t tags[VAULT_TAG_PAIR], struct qc_err *err);

/* AES-256-GCM of the private metadata under KDF(DK, "meta", ids, salt): in and out may be the same. */
QC_MUST qc_rc vault_chunker_meta_seal(struct vault_chunker *c, const uint8_t salt[16], qc_span in,
                                      uint8_t *out, struct qc_err *err); /* writes in.n + 16 bytes */
QC_MUST qc_rc vault_chunker_meta_open(struct vault_chunker *c, const uint8_t salt[16], qc_span in,
                                      uint8_t *out,
                                      struct qc_err *err); /* writes in.n - 16 bytes; in.n >= 16 */

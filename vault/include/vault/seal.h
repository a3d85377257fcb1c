/* Writer of the sealed object N, chunk by chunk, in place, in constant memory. Layer 3; uses base.
 * Format: FORMAT 3. Source: PAPERS A6..A8. One thread at a time per sealer.
 *
 * The caller owns the segment buffers. For each object, in this order:
 *     vault_sealer_new -> copy vault_sealer_header to the first segment
 *     per chunk: read plaintext directly to where the chunk will stand, then vault_sealer_chunk on that place
 *     vault_sealer_finish -> trailer, length, M, appended to the last segment (or a segment of their own)
 * All calls write the bytes of N in their order, so N is the concatenation of what they wrote.
 *
 * At most one output of a chunk key may leave the machine: bytes that are in memory may be sent again as they
 * are; anything that is sealed a second time is sealed by a new sealer state after vault_sealer_epoch, or as
 * a new version. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "vault/geometry.h"
#include "vault/ids.h"
#include "vault/meta.h"
#include "vault/shares.h"

struct vault_sealer;

struct vault_sealer_params {
    struct vault_ids ids;
    uint8_t salt[16];           /* epoch 0, random */
    uint8_t chunk_log2;         /* 0 = VAULT_CHUNK_LOG2; others for tests */
    uint8_t group_log2;         /* 0 = VAULT_GROUP_LOG2; others for tests */
    qc_span header_extensions;  /* encoded extension fields, or empty; copied */
    qc_span trailer_extensions; /* likewise */
};

/*
 * keys are borrowed during the call only (the sealer keeps derived keys, and copies of KR and R3).
 *
 * QC_USAGE  malformed params;  QC_NOMEM
 */
QC_MUST qc_rc vault_sealer_new(struct vault_sealer **ret, const struct vault_keys *keys,
                               const struct vault_sealer_params *params, struct qc_err *err);
void vault_sealer_free(struct vault_sealer **s);

/* The header: the first bytes of N. Borrowed from the sealer. */
qc_span vault_sealer_header(const struct vault_sealer *s);

/* Most bytes that vault_sealer_chunk writes for a chunk of n bytes now: n, + 64 for chunk 0, + a tag block.
 */
size_t vault_sealer_room(const struct vault_sealer *s, size_t n);

/*
 * Seal the next chunk in place: buf[0..n) is plaintext; afterwards buf[0..*ret) is what follows in N:
 * ciphertext (chunk 0 with KR and R3 inside) and, where a group or the object ends, the group's tag block.
 *
 *   buf    room for vault_sealer_room(s, n) bytes
 *   n      exactly the chunk size (1 << chunk_log2) unless last; 1..chunk size if last; 0 only for an empty
 *          object
 *   last   this is the last chunk of the object
 *
 * QC_LIMIT  more than 2^30 chunks, or the group digests would pass the trailer's limit
 * After an error the sealer is spent: only free it.
 */
QC_MUST qc_rc vault_sealer_chunk(struct vault_sealer *s, uint8_t *buf, size_t n, bool last, size_t *ret,
                                 struct qc_err *err);

/*
 * New epoch from the next chunk on (at chunk 0 it replaces the header's salt). Twice before one chunk: the
 * later counts.
 * QC_LIMIT  4,096 epochs are there
 */
QC_MUST qc_rc vault_sealer_epoch(struct vault_sealer *s, const uint8_t salt[16], struct qc_err *err);

/* Tags of the last QC_VAULT_SEGMENT_CHUNKS chunks, VAULT_TAG_PAIR bytes each, where their number is a
 * multiple of that: what vault_sealer_replay takes. Borrowed until the next chunk. */
qc_span vault_sealer_tags(const struct vault_sealer *s);
const uint8_t *vault_sealer_salt(const struct vault_sealer *s); /* 16 bytes: of the epoch of the next chunk */

/*
 * Go on: as if the next chunks, full ones and none of them the last, had been sealed under this salt with
 * these tags. Before the chunk that follows a new epoch must be begun: what was replayed has left the
 * machine. tags   VAULT_TAG_PAIR bytes for each chunk Errors: vault_sealer_chunk's and vault_sealer_epoch's
 */
QC_MUST qc_rc vault_sealer_replay(struct vault_sealer *s, const uint8_t salt[16], qc_span tags,
                                  struct qc_err *err);
/* Is this the plaintext of chunk i (a full one, not the last) that had these tags under this salt? It is
 * sealed again in buf, which is in memory alone and is not to leave it. */
QC_MUST qc_rc vault_sealer_proves(struct vault_sealer *s, const uint8_t salt[16], uint64_t i, uint8_t *buf,
                                  const uint8_t *tags, bool *ret, struct qc_err *err);

/* Padded length so far, the size of N (final after finish), and n2 for B (known after chunk 0). */
uint64_t vault_sealer_length(const struct vault_sealer *s);
uint64_t vault_sealer_size(const struct vault_sealer *s);
uint64_t vault_sealer_n2(const struct vault_sealer *s);
const struct vault_ids *vault_sealer_ids(const struct vault_sealer *s);

/*
 * After the last chunk: append trailer, trailer length and M to out; M goes to ret as well.
 *   meta   true_size <= the plaintext bytes given (less: the rest was padding, zeros by convention)
 * QC_USAGE  true_size too great;  QC_LIMIT  metadata or trailer over their limits;  QC_NOMEM
 */
QC_MUST qc_rc vault_sealer_finish(struct vault_sealer *s, const struct vault_meta *meta, qc_buf *out,
                                  uint8_t ret[32], struct qc_err *err);

/* Most bytes vault_sealer_finish can append, given the metadata: to decide on a segment of its own. */
size_t vault_sealer_tail_room(const struct vault_sealer *s, const struct vault_meta *meta);

/* Reader of the sealed object N, driven by byte ranges, without I/O. Layer 3; uses base, ss. FORMAT 3.5.
 * Keeps I2: no plaintext before M and the key commitment hold, none of a chunk before its two tags hold.
 *
 *   1. vault_frame_parse    prefix and suffix of N -> header, trailer, geometry, M; says what it lacks
 *   2. vault_open           shares, chunk 0's region -> M checked, keys, private metadata
 *   3. vault_opened_group   a tag block against its digest
 *   4. vault_opened_chunk   both tags, then decryption in place
 * A frame may be shared by threads after parsing; a vault_opened belongs to one thread at a time. */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"
#include "vault/backup.h"
#include "vault/geometry.h"
#include "vault/ids.h"
#include "vault/meta.h"

#define VAULT_HEAD_FIRST 4096  /* a good first prefix to fetch */
#define VAULT_TAIL_FIRST 65536 /* a good first suffix to fetch */

struct vault_epoch {
    uint64_t start;
    uint8_t salt[16];
};

/* The clear parts of N. Nothing in it is to be believed before vault_open. Owns copies of header and trailer.
 */
struct vault_frame {
    struct vault_geometry g;
    struct vault_ids ids;
    uint8_t salt[16], commitment[32], M[32];
    qc_buf header, trailer;     /* as stored */
    struct vault_epoch *epochs; /* after epoch 0; starts ascending */
    uint32_t epoch_count;
    qc_span digests; /* 32 bytes per group, in trailer */
    qc_span meta;    /* ciphertext || tag, in trailer */
    qc_span header_extensions, trailer_extensions;
};
void vault_frame_free(struct vault_frame **f);

/* Bytes still needed: both zero once a frame is given. */
struct vault_need {
    uint64_t head; /* length of the prefix of N to come back with */
    uint64_t tail; /* length of the suffix */
};

/*
 * Parse the clear parts of N from any prefix and any suffix of it (they may overlap, and both may be all of
 * N). Where they are too short: QC_OK, *ret stays NULL and need says the lengths to come back with (at most
 * three rounds).
 *
 *   size   |N|, as the entry or the gateway says; the structure must account for exactly so many bytes
 *   ret    NULL before the call
 *
 * QC_FORMAT  malformed (which field);  QC_NEWER  version, profile, suite, layout or a must-understand
 *            extension
 * No allocation beyond the limits of FORMAT 12, whatever the bytes say.
 */
QC_MUST qc_rc vault_frame_parse(struct vault_frame **ret, struct vault_need *need, uint64_t size,
                                qc_span head, qc_span tail, struct qc_err *err);

/* What an object is opened with: both shares; or one (the other NULL) and B. With both, B may be NULL, and
 * only its corrections are looked at. */
struct vault_unlock {
    struct vault_ids ids; /* asked for */
    const qc_key *R1, *R2;
    const struct vault_backup *B;
    const uint8_t *M; /* the entry's, 32 bytes; NULL: none known */
};

struct vault_opened;

/*
 * Steps 2 to 6 of FORMAT 3.5.
 *
 *   f      borrowed until vault_opened_free
 *   head0  chunk 0 as stored (vault_geometry_chunk(g, 0)), c0 + 64 bytes, borrowed during the call
 *
 * QC_SHARES     fewer than three shares (one of R1, R2 and no B; none)
 * QC_INTEGRITY  which check: "header: vault id|object id|version id", "backup data: ..", "seal M",
 *               "seal M: not the version that the entry names", "key commitment", "private metadata: tag"
 * QC_FORMAT, QC_NEWER  private metadata
 */
QC_MUST qc_rc vault_open(struct vault_opened **ret, const struct vault_frame *f,
                         const struct vault_unlock *with, qc_span head0, struct qc_err *err);
void vault_opened_free(struct vault_opened **o);

/* Private metadata; borrowed from o. */
const struct vault_meta *vault_opened_meta(const struct vault_opened *o);

/* Bytes of chunk i that belong to D (the rest is padding): 0 .. chunk size. */
uint64_t vault_opened_true(const struct vault_opened *o, uint64_t i);

/* Share x of 1..4 (effective), or R for x = 0, from the three that opened the object: recover, refresh,
 * making B again. */
QC_MUST qc_rc vault_opened_share(qc_key **ret, const struct vault_opened *o, uint8_t x, struct qc_err *err);

/* n2 as it was used, for making B again. */
uint64_t vault_opened_n2(const struct vault_opened *o);

/* A tag block whose digest holds: made by vault_opened_group only. Owns a copy (at most 128 KiB). */
struct vault_tags {
    uint64_t group;
    qc_buf block;
};
void vault_tags_done(struct vault_tags *tags);

/*
 * QC_INTEGRITY  "group 1: tag table": the block is not the one that the trailer's digest names
 * ret is replaced (its old content freed) on success.
 */
QC_MUST qc_rc vault_opened_group(struct vault_tags *ret, const struct vault_opened *o, uint64_t group,
                                 qc_span block, struct qc_err *err);

/*
 * Check both tags of chunk i and decrypt it in place.
 *
 *   tags   of the chunk's group
 *   p, n   the chunk as stored (for i = 0 the whole region with KR and R3): vault_geometry_chunk(g, i).size
 *   ret    plaintext bytes in p[0..*ret), padding included (vault_opened_true says how many are D)
 *
 * QC_INTEGRITY  "chunk 7: second tag" (the R-keyed one, checked first), "chunk 7: tag"; p is then undefined
 *               and must not be released
 */
QC_MUST qc_rc vault_opened_chunk(struct vault_opened *o, const struct vault_tags *tags, uint64_t i,
                                 uint8_t *p, size_t n, size_t *ret, struct qc_err *err);

/*
 * Are these n bytes, from outside, chunk i's plaintext, padding included? They are encrypted as chunk i was,
 * in place, and both tags compared: what results never leaves the memory, and the caller wipes it (qc_wipe),
 * since of other bytes it is a second output of the chunk's key. Cost: as to open a chunk.
 *
 *   tags  of the chunk's group;  n  vault_geometry_chunk_size(g, i)
 */
QC_MUST qc_rc vault_opened_same(struct vault_opened *o, const struct vault_tags *tags, uint64_t i, uint8_t *p,
                                size_t n, bool *ret, struct qc_err *err);

/*
 * Try every way of opening: (R1, R2), (R1, B), (R2, B), and whether B says what R1, R2, R3 give. For verify
 * and diagnosis. A way for which something is missing (NULL) is reported as not tried (rc QC_SHARES in its
 * error). Never fails for what it finds; QC_NOMEM, QC_RANDOM and the like are passed up.
 */
struct vault_paths {
    bool plain, with1, with2; /* opened */
    bool consistent;          /* B's n2 and R4 are those of R1, R2, R3 (needs plain and a B) */
    struct qc_err plain_err, with1_err, with2_err, consistent_err;
};
QC_MUST qc_rc vault_paths_check(struct vault_paths *ret, const struct vault_frame *f,
                                const struct vault_unlock *with, qc_span head0, struct qc_err *err);

/* One line on what a pattern of the three ways means ("healthy", "share 2 is damaged", ..); static text. */
const char *vault_paths_text(const struct vault_paths *paths);

/* One stored version: its clear parts, the ways to open it, its chunks. Layer 3; get, verify and recover
 * stand on it. Keeps I2. Order: FORMAT 3.5. */
#pragma once
#include "session.h"
#include "vault/open.h"

struct object {
    struct vault *v;
    const struct vault_call *call;
    char request[VAULT_REQUEST_ID_BYTES];
    struct vault_ids ids;
    uint64_t size;    /* |N| */
    const uint8_t *M; /* the entry's; NULL: none known */
    bool whole;       /* head holds all of N */
    qc_buf head, tail;
    struct vault_frame *frame;
    struct vault_opened *opened;
    qc_key *share[2]; /* R1, R2 as the stores have them, of one generation where they can; NULL: why */
    qc_key *own[2];   /* the same as B's corrections want them, where B has them; NULL: as share[] */
    uint32_t generation[2];
    bool given[2]; /* by a seed: corrections apply */
    struct qc_err share_why[2];
    qc_buf backup;
    struct vault_backup B;
    bool has_B;
    struct qc_err B_why;
    uint64_t fetched;    /* bytes asked of the gateway */
    const char *without; /* names of clouds that are not asked; NULL: none */
};
void object_done(struct object *o);

/*
 * Begin: ids and size come from a checked entry, or (size 0) from the gateway's word alone, as recover does:
 * M decides. Nothing is read yet.
 */
QC_MUST qc_rc object_begin(struct object *o, struct vault *v, const uint8_t object[VAULT_ID_BYTES],
                           const uint8_t version[VAULT_ID_BYTES], const struct vault_call *call,
                           struct qc_err *err);

/* Header, trailer and chunk 0: reads what is needed, the whole of a small object. QC_FORMAT, QC_NEWER,
 * QC_QUORUM. */
QC_MUST qc_rc object_frame(struct object *o, struct qc_err *err);

/* Shares from the stores into share[] and share_why[]. */
QC_MUST qc_rc object_shares(struct object *o, struct qc_err *err);
/* B into has_B and B_why; shares of its generation, where the stores have them. */
QC_MUST qc_rc object_backup(struct object *o, struct qc_err *err);

/*
 * Open by both shares; or one and B; or, where both are there and M fails, by the way that holds. Notes say
 * what was wrong. QC_SHARES, QC_INTEGRITY.
 */
QC_MUST qc_rc object_unlock(struct object *o, struct qc_err *err);

/* What vault_open takes: shares (NULL: not used) and B. */
struct vault_unlock object_ways(const struct object *o, bool with1, bool with2, bool with_B);
/* Chunk 0 as stored, once object_frame is done; borrowed. */
qc_span object_head0(const struct object *o);

/* Verified plaintext of one chunk, without padding; borrowed for the call. */
typedef qc_rc (*object_chunk_fn)(void *ctx, qc_span bytes, struct qc_err *err);
/* All chunks in order, fetched ahead by threads; fn may run in a thread of its own, and has ended when this
 * returns. Stops at the first that does not verify. */
QC_MUST qc_rc object_walk(struct object *o, object_chunk_fn fn, void *ctx, struct qc_err *err);
/* The same from the chunk on that begins at byte `from` of D: what lies before it was verified otherwise. */
QC_MUST qc_rc object_walk_from(struct object *o, uint64_t from, object_chunk_fn fn, void *ctx,
                               struct qc_err *err);
/* The same for a part of D, which lies within it: fetched and verified are the chunks that it touches, and
 * the tag blocks of their groups; handed on is the part alone. */
QC_MUST qc_rc object_walk_part(struct object *o, struct vault_range part, object_chunk_fn fn, void *ctx,
                               struct qc_err *err);

/* The table of a chunk's group into tags, unless it is there; fetched where it is not in memory.
 * QC_INTEGRITY. */
QC_MUST qc_rc object_tags(struct object *o, struct vault_tags *tags, uint64_t group, struct qc_err *err);

/* Bytes that somebody else keeps: n of them from offset on. */
typedef qc_rc (*object_left_fn)(void *ctx, uint64_t offset, uint8_t *p, size_t n, struct qc_err *err);
/*
 * How many of `left` bytes that are said to be the beginning of D are it: whole chunks, each held against its
 * two tags, up to the first that is not. Fetched are tag blocks alone. object_left.c
 */
QC_MUST qc_rc object_left(struct object *o, uint64_t left, object_left_fn read, void *ctx, uint64_t *ret,
                          struct qc_err *err);

/* Bytes [offset, offset + size) of N into ret, replacing what is in it; tries again where a connection
 * breaks, for what is missing. here: is told, by the caller's thread, that the first n of them are there, and
 * stay; or NULL. After a failure ret has what came. */
struct object_range {
    uint64_t offset, size;
};
struct object_here {
    void (*fn)(void *ctx, size_t n);
    void *ctx;
};
QC_MUST qc_rc object_fetch(const struct object *o, struct vault_gw *gw, struct object_range range,
                           qc_buf *ret, const struct object_here *here, struct qc_err *err);

/* Fragments: heads, ends, tags. Layer 4; uses base, ec. Keeps I2, I7. Format: FORMAT 8.2, 8.3.
 *
 * Pure functions on the caller's memory; any thread. What a reader must check stands in one function,
 * gw_frag_verify, in FORMAT's order, and one more for each piece.
 */
#pragma once
#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"
#include "gateway/root.h"

enum {
    GW_FRAG_HEAD_BYTES = 136, /* without extensions, of which this version writes none */
    GW_FRAG_HEAD_MAX = 8192,
    GW_FRAG_CODING = 1, /* FORMAT 8.1 */
};

struct gw_frag_head {
    uint16_t head_size; /* GW_FRAG_HEAD_BYTES in what is written here */
    uint8_t catalogue[GW_ID_BYTES];
    uint32_t incarnation, tenant;
    uint8_t object[GW_ID_BYTES], version[GW_ID_BYTES];
    uint64_t segment_id;
    uint32_t seq; /* segment number in the version, from 0 */
    uint8_t k, n, index, attempt;
    uint32_t segment_size, piece_size, stripe_count, cloud_id;
    uint8_t salt[GW_SALT_BYTES];
    uint64_t base; /* the entry's number when the put began; a hint */
    uint64_t payload_size;
    bool last;
};

/* Exactly GW_FRAG_HEAD_BYTES; no extensions (h->head_size says so, asserted). */
void gw_frag_head_write(const struct gw_frag_head *h, uint8_t ret[GW_FRAG_HEAD_BYTES]);
/*
 * in: the whole head, extensions included. Also checks what a head must say about itself: k, n, index, and
 * that piece size, stripes and payload size follow from k and the segment size. QC_FORMAT, QC_NEWER (version,
 * coding, or an extension that must be understood).
 */
QC_MUST qc_rc gw_frag_head_parse(qc_span in, struct gw_frag_head *ret, struct qc_err *err);

/* The end: borrowed from what was parsed. */
struct gw_frag_end {
    qc_span tags;    /* QC_TAG per stripe */
    qc_span digests; /* GW_DIGEST_BYTES per fragment */
    qc_span mac;     /* GW_DIGEST_BYTES */
};
/* Bytes of an end; stripe_count and n within their limits (asserted). */
size_t gw_frag_end_size(uint32_t stripe_count, unsigned n);
/* QC_FORMAT: the length is not that. */
QC_MUST qc_rc gw_frag_end_parse(qc_span in, uint32_t stripe_count, unsigned n, struct gw_frag_end *ret,
                                struct qc_err *err);

/* The two keys of a segment. */
struct gw_frag_keys {
    qc_key *piece, *fragment;
};
QC_MUST qc_rc gw_frag_keys_derive(const struct gw_root *r, uint64_t segment_id,
                                  const uint8_t salt[GW_SALT_BYTES], struct gw_frag_keys *ret,
                                  struct qc_err *err);
void gw_frag_keys_done(struct gw_frag_keys *k);

/* Tag of one piece of fragment `index` in stripe `stripe`. aead: a context of the caller's thread. */
QC_MUST qc_rc gw_frag_piece_tag(const struct gw_frag_keys *k, struct qc_aead *aead, uint8_t index,
                                uint32_t stripe, qc_span piece, uint8_t ret[QC_TAG], struct qc_err *err);
/* The same, compared in constant time with tag (QC_TAG bytes). QC_INTEGRITY. */
QC_MUST qc_rc gw_frag_piece_check(const struct gw_frag_keys *k, struct qc_aead *aead, uint8_t index,
                                  uint32_t stripe, qc_span piece, const uint8_t *tag, struct qc_err *err);
/* Row `index` of the digest table. */
QC_MUST qc_rc gw_frag_tags_digest(uint8_t index, qc_span tags, uint8_t ret[GW_DIGEST_BYTES],
                                  struct qc_err *err);
/* The segment's digest, as in the catalogue and the commit record. */
QC_MUST qc_rc gw_segment_digest(uint64_t segment_id, uint32_t segment_size, qc_span digests,
                                uint8_t ret[GW_DIGEST_BYTES], struct qc_err *err);
/* The tag over head, tag table and digest table. */
QC_MUST qc_rc gw_frag_mac(const struct gw_frag_keys *k, qc_span head, qc_span tags, qc_span digests,
                          uint8_t ret[GW_DIGEST_BYTES], struct qc_err *err);

/*
 * Everything that FORMAT 8.3 asks of a fragment except its pieces' own tags: the tag, every field as wanted
 * (head_size and base excepted: one is read, one is a hint), the digest table gives the segment's digest, the
 * tag table gives its row. After QC_OK ret->tags may be used for gw_frag_piece_check. want    what was asked
 * for digest  the segment's, from the catalogue QC_INTEGRITY, QC_FORMAT, QC_NEWER: the fragment is an
 * erasure. QC_NOMEM.
 */
QC_MUST qc_rc gw_frag_verify(const struct gw_frag_keys *k, const struct gw_frag_head *want,
                             const uint8_t digest[GW_DIGEST_BYTES], qc_span head, qc_span end,
                             struct gw_frag_end *ret, struct qc_err *err);

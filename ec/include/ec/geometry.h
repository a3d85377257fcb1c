/* How a segment is cut into stripes and pieces. Layer 1; uses base. Format: FORMAT 8.1.
 * Pure functions, any thread.
 *
 * A segment of s bytes is cut into stripes of k * P bytes, P = 64 * floor(2^20 / (64 * k)), about 1 MiB each
 * so that a stripe stays in the cache. What is left over, r bytes, is one more stripe with pieces of 64 *
 * ceil(r / (64 * k)) bytes, its data padded with zeros. Fragment i holds piece i of each stripe, one after
 * the other.
 */
#pragma once
#include "base/err.h"
#include <stdint.h>

struct ec_geometry {
    unsigned k;            /* data pieces per stripe */
    uint32_t segment_size; /* bytes, s; data without padding */
    uint32_t piece_size;   /* bytes, P: of every stripe but a short last one. Depends on k alone */
    uint32_t last_size; /* bytes of a piece of the last stripe; P where the last is full; 0 without stripes */
    uint32_t stripe_count; /* 0 for an empty segment */
    uint64_t payload_size; /* bytes of one fragment's pieces together, 2^32 at most */
};

/* One stripe of a segment. */
struct ec_stripe {
    uint32_t piece_size; /* bytes of each of its pieces, multiple of 64 */
    uint32_t data_size;  /* bytes of the segment in it, 1 .. k * piece_size; the rest is padding with zeros */
    uint32_t data_offset;    /* bytes, where its data begins in the segment */
    uint32_t payload_offset; /* bytes, where its piece begins in a fragment's payload */
};

/*
 * Geometry of a segment.
 *
 *   k             1 .. QC_EC_N_MAX
 *   segment_size  bytes, 0 .. 2^32 - 1 (the field of FORMAT 8.2)
 *
 * QC_USAGE  k is out of range
 */
QC_MUST qc_rc ec_geometry(unsigned k, uint32_t segment_size, struct ec_geometry *ret, struct qc_err *err);

/* Stripe `index` of the segment, index < stripe_count (asserted). */
struct ec_stripe ec_geometry_stripe(const struct ec_geometry *g, uint32_t index);

/* Index of the stripe that holds byte `offset` of the segment, offset < segment_size (asserted). For range
 * reads. */
uint32_t ec_geometry_stripe_at(const struct ec_geometry *g, uint32_t offset);

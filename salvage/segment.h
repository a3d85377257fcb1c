/* One segment out of whatever files hold pieces of it. Part of qcloud-salvage.
 *
 * A fragment is trusted piece by piece: the segment's digest, from the log, vouches for the digest table,
 * that for each fragment's tag table, that for each piece. So a fragment with a damaged byte still gives all
 * its other stripes, and the bytes of a segment come as long as each stripe has k pieces in any files. */
#pragma once
#include "base/alloc.h"
#include "salvage.h"

/* What is known of a segment. */
struct segment_want {
    uint64_t id;
    uint32_t tenant;
    struct gw_id object, version;
    uint32_t seq, size;
    bool last;
    unsigned k, n;
    bool recorded; /* false: no record tells of it; what stands below is not known, and fragments vouch for
                      themselves */
    uint32_t incarnation;
    uint8_t salt[GW_SALT_BYTES], digest[GW_DIGEST_BYTES];
    uint32_t layout[QC_EC_N_MAX];
};

struct segment_reader;
QC_MUST qc_rc segment_reader_new(struct segment_reader **ret, struct salvage *s, struct qc_err *err);
void segment_reader_free(struct segment_reader **r);

/*
 * The bytes of a segment: borrowed until the next call but one. What cannot be had is zeros. *ret_whole:
 * nothing is. Fails only with what ends the run.
 */
QC_MUST qc_rc segment_read(struct segment_reader *r, const struct segment_want *w, qc_span *ret,
                           bool *ret_whole, struct qc_err *err);

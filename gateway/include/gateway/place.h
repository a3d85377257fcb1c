/* Which clouds a segment goes to, and which fragment to which of them. Layer 4; uses base. Format:
 * FORMAT 9.4. Pure functions; any thread.
 */
#pragma once
#include "base/err.h"
#include "base/rng.h"
#include "gateway/root.h"

/* A cloud that may be chosen. */
struct gw_candidate {
    uint32_t cloud_id;
    bool usable; /* false: known lost or not answering; taken only when there are not enough others */
};

/*
 * Choose n of count clouds, all n-subsets of the usable ones equally likely; unusable ones fill up. The
 * chosen stand in the order of the candidates, so that equal sets are equal layouts. n <= count <=
 * QC_GW_CLOUDS_MAX (asserted). Asks rng only where there is a choice. QC_RANDOM and what else rng says.
 */
QC_MUST qc_rc gw_place_clouds(const struct gw_candidate *candidates, unsigned count, unsigned n,
                              const qc_rng *rng, uint32_t *ret, struct qc_err *err);

/* The permutation of a segment: fragment i lies on layout[ret[i]]. n <= QC_EC_N_MAX (asserted). QC_NOMEM. */
QC_MUST qc_rc gw_place_permutation(const struct gw_root *r, uint64_t segment_id,
                                   const uint8_t salt[GW_SALT_BYTES], unsigned n, uint8_t *ret,
                                   struct qc_err *err);

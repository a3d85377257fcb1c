/* Decoding without a library: the code of FORMAT 8.1 by its formula. Layer 1; uses base.
 *
 * For a program that has to run alone, where the coding library cannot be loaded. About a tenth of its speed.
 * prop/ec_plain holds it against ec/coder.h. As there, only verified pieces may come here (I2).
 * Pure function; any thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* k data pieces of n; 1 <= k <= n <= QC_EC_N_MAX (asserted). */
struct ec_plain {
    unsigned k, n;
};

/*
 * Fill in the data pieces that are missing: as ec_stripe_decode.
 *
 *   pieces      n pointers, NULL where erased; piece_size bytes each, borrowed
 *   piece_size  bytes, at most QC_EC_STRIPE_SIZE (asserted)
 *   data_out    k pointers; data_out[j] is written where pieces[j] is NULL. No overlap
 *
 * QC_QUORUM  fewer than k pieces: nothing was written
 */
QC_MUST qc_rc ec_plain_decode(struct ec_plain c, const uint8_t *const *pieces, size_t piece_size,
                              uint8_t *const *data_out, struct qc_err *err);

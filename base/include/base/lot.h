/* Lots that can be drawn again: what a drill leaves out and tries. Layer 0; uses err, crypto, opt. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"

/* A number below `below` (> 0, asserted), for a seed and a place: the same again for the same; evenly, but
 * for a bias of less than below / 2^64. SHA-256 of all three. Not for secrets. */
QC_MUST qc_rc qc_lot_draw(uint64_t seed, uint64_t place, uint64_t below, uint64_t *ret, struct qc_err *err);

/* A sample of things that come one after the other (Knuth, TAOCP 2, 3.4.2, algorithm S): each set of that
 * many is as likely, and nothing is kept. Start with the first three members alone. */
struct qc_lot {
    uint64_t seed;
    uint64_t all;    /* how many were counted before; what comes after these is left out */
    uint64_t sample; /* how many are wanted; 0: all */
    uint64_t seen, taken;
};
/* Is the next one of the sample? */
QC_MUST qc_rc qc_lot_next(struct qc_lot *l, bool *ret, struct qc_err *err);

/* What a drill is to do without, as --without-cloud NAME, random or none say, once or several times. The
 * names lie in args. */
struct qc_lot_without {
    const char *names[QC_OPT_GIVEN_MAX];
    unsigned named, random;
    bool said; /* else: what is usual */
};
/* QC_USAGE: none, and something else. */
QC_MUST qc_rc qc_lot_without(const struct qc_args *args, struct qc_lot_without *ret, struct qc_err *err);

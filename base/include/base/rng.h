/* Randomness as an interface: who consumes it declares it; qrng/ implements it. Layer 0. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * fill writes n random bytes to p, or fails and the bytes are of no use: never fewer than n. ctx belongs to
 * the implementation, which says what may be called from several threads.
 */
typedef struct qc_rng {
    qc_rc (*fill)(void *ctx, uint8_t *p, size_t n, struct qc_err *err);
    void *ctx;
} qc_rng;

/* n bytes from rng. Errors: QC_RANDOM, or what the source says. */
QC_MUST qc_rc qc_rng_fill(const qc_rng *rng, uint8_t *p, size_t n, struct qc_err *err);

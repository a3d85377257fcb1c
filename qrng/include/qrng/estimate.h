/* Estimates of min-entropy from a sample: the simpler ones of NIST SP 800-90B 6.3, for operators who want to
 * know what to declare. Layer 2; pure. Upper bounds of what an attacker may have, at 99 %: they never show
 * that a source is good.
 *
 * Those by bits take an array of bytes 0 and 1. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

enum { QRNG_ESTIMATE_BLOCK = 6, QRNG_ESTIMATE_DICTIONARY = 1000 }; /* of the compression estimate */

/* 6.3.1, most common value: bits per sample of an alphabet of up to 256. n >= 2. */
double qrng_estimate_common(const uint8_t *samples, size_t n);
/* 6.3.2, collision: bits per bit. n >= 6; 1 for a sample in which fewer than two collisions are. */
double qrng_estimate_collision(const uint8_t *bits, size_t n);
/* 6.3.3, Markov: bits per bit. n >= 2. */
double qrng_estimate_markov(const uint8_t *bits, size_t n);
/* 6.3.4, compression: bits per bit; the first `dictionary` blocks of six bits only fill it. 1 for a sample
 * with fewer than two blocks more, or without memory. */
double qrng_estimate_compression(const uint8_t *bits, size_t n, size_t dictionary);

struct qrng_estimates {
    double common_byte;                                /* bits per byte */
    double common_bit, collision, markov, compression; /* bits per bit */
};
/* All of a sample of n bytes, QC_QRNG_SAMPLE_MIN at least (asserted); those by bits of its first
 * QC_QRNG_SAMPLE_BITS, highest bit first. Without memory: those by bits are 0. */
struct qrng_estimates qrng_estimate(const uint8_t *p, size_t n);

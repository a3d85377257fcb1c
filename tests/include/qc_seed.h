/* Seeded randomness for tests: the seed comes from QC_SEED, else from the clock, and is printed, so that a
 * failing run can be repeated. Not for secrets. One thread at a time per generator. */
#pragma once
#include "base/err.h"
#include "base/rng.h"
#include <endian.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct qc_rand {
    uint64_t state;
};

/* Splitmix64: every seed is a good one. */
static inline uint64_t qc_rand_u64(struct qc_rand *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 .. n-1, n >= 1; the bias is below n / 2^64. */
static inline uint64_t qc_rand_below(struct qc_rand *r, uint64_t n)
{
    QC_ASSERT(n > 0);
    return qc_rand_u64(r) % n;
}

/* low .. high, both included. */
static inline uint64_t qc_rand_between(struct qc_rand *r, uint64_t low, uint64_t high)
{
    QC_ASSERT(low <= high && high - low < UINT64_MAX);
    return low + qc_rand_below(r, high - low + 1);
}

/* By words, lowest byte first: the sanitizers look at each write. */
static inline void qc_rand_fill(struct qc_rand *r, uint8_t *p, size_t n)
{
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        const uint64_t word = htole64(qc_rand_u64(r));
        memcpy(p + i, &word, 8);
    }
    const uint64_t last = i < n ? htole64(qc_rand_u64(r)) : 0;
    memcpy(p + i, &last, n - i);
}

/* The first `count` numbers of `set` become a random choice of its n. */
static inline void qc_rand_choose(struct qc_rand *r, unsigned *set, unsigned n, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned j = i + (unsigned)qc_rand_below(r, n - i);
        unsigned t = set[i];
        set[i] = set[j];
        set[j] = t;
    }
}

static inline qc_rc qc_rand_rng_fill(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    (void)err;
    qc_rand_fill(ctx, p, n);
    return QC_OK;
}

/* The generator as base/rng.h has it; r is borrowed. */
static inline qc_rng qc_rand_rng(struct qc_rand *r)
{
    return (qc_rng){ .fill = qc_rand_rng_fill, .ctx = r };
}

/* The run's generator. Prints its seed; a QC_SEED that is no number ends the test. */
static inline struct qc_rand qc_rand_start(void)
{
    const char *given = getenv("QC_SEED");
    uint64_t seed = 0;
    if (given != NULL) {
        char *end = NULL;
        seed = strtoull(given, &end, 0);
        if (end == given || *end != '\0') {
            fprintf(stderr, "QC_SEED=%s is not a number\n", given);
            exit(2);
        }
    } else {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        seed = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    }
    fprintf(stderr, "seed: QC_SEED=%" PRIu64 "\n", seed);
    return (struct qc_rand){ .state = seed };
}

/* How many cases: `usual`, or `full` when QC_FULL is set. */
static inline uint64_t qc_rand_cases(uint64_t usual, uint64_t full)
{
    return getenv("QC_FULL") != NULL ? full : usual;
}

/* The same; fewer under a sanitizer, which looks at what the code does and not at what it comes to: that
 * shows in few cases, and each costs it more. */
static inline uint64_t qc_rand_cases_watched(uint64_t usual, uint64_t full)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    usual = usual / 8 > 0 ? usual / 8 : 1;
#endif
    return qc_rand_cases(usual, full);
}

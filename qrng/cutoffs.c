#include "qrng/health.h"

#include <math.h>

#include "base/err.h"

/*
 * The least k with P(X > k) <= 2^-alpha, X binomial (window, 2^-H): terms are added from the small end, each
 * by its ratio to the one before: P(k - 1) / P(k) = k / (window - k + 1) (1 - p) / p. The first are beyond
 * any double, and long doubles are short ones under valgrind: term and tail are multiples of 2^scale. A
 * command that stores computes this twice: with a logarithm for each term it took as long as the tests
 * themselves.
 */
static unsigned critical(double H, unsigned window, unsigned alpha)
{
    const double odds = expm1(H * M_LN2); /* (1 - p) / p */
    const double first = -H * window;     /* log2 of P(window) */
    double scale = floor(first), term = exp2(first - scale), tail = term, most = exp2(-(double)alpha - scale);
    unsigned k = window;
    for (; k > 0 && tail <= most; k--) { /* P(X >= k) is not too much */
        term *= k / (window - k + 1.0) * odds;
        tail += term;
        if (tail > 0x1p500) {
            term *= 0x1p-500;
            tail *= 0x1p-500;
            scale += 500;
            most = exp2(-(double)alpha - scale);
        }
    }
    return k;
}

struct qrng_cutoffs qrng_cutoffs(unsigned mbit, unsigned window, unsigned alpha)
{
    QC_ASSERT(mbit >= 1 && mbit <= QRNG_ENTROPY_MAX);
    QC_ASSERT(window >= 2 && window <= QRNG_WINDOW_BINARY);
    QC_ASSERT(alpha >= 1 && alpha <= 60);
    return (struct qrng_cutoffs){ .repetition = 1 + (alpha * 1000 + mbit - 1) / mbit,
                                  .proportion = 1 + critical((double)mbit / 1000, window, alpha) };
}

unsigned qrng_cutoff_values(unsigned mbit, unsigned block, unsigned alpha)
{
    QC_ASSERT(mbit >= 1 && mbit <= QRNG_ENTROPY_MAX);
    QC_ASSERT(block >= 1 && block <= QRNG_BLOCK);
    QC_ASSERT(alpha >= 1 && alpha <= 60);
    unsigned best = 0;
    double ways = 0; /* log2 of 256 over d */
    for (unsigned d = 1; d < 256; d++) {
        const double each = log2((double)d) - (double)mbit / 1000;
        ways += log2((257.0 - d) / d);
        const double bound = ways + block * each;
        if (each >= 0 || bound > -(double)alpha)
            break;
        best = d;
    }
    return best;
}

uint64_t qrng_design_stuck(unsigned mbit)
{
    return qrng_cutoffs(mbit, QRNG_WINDOW, QRNG_ALPHA).repetition;
}

uint64_t qrng_design_biased(unsigned actual_mbit)
{
    const double p = exp2(-(double)actual_mbit / 1000);
    const double windows = ceil(QRNG_ALPHA / -log2(1 - p));
    return (uint64_t)(windows + 1) * QRNG_WINDOW; /* one more: the fault begins within a window */
}

static size_t cycle_length(unsigned mbit)
{
    return (QRNG_CYCLE_BITS * 1000 + mbit - 1) / mbit;
}

uint64_t qrng_design_cycle(uint64_t period, unsigned mbit)
{
    uint64_t distance = UINT64_C(1) << QRNG_CYCLE_FIRST_LOG2;
    while (distance < period)
        distance *= 4;
    return 2 * distance + cycle_length(mbit);
}

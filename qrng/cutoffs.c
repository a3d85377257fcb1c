#include "qrng/health.h"

#include <math.h>

#include "base/err.h"

/* log2 of n! for n up to the window's size: sums of logarithms, since the factorials themselves are beyond
 * any double, and long doubles are short ones under valgrind. */
static void factorials(double *lf, unsigned n)
{
    lf[0] = 0;
    for (unsigned i = 1; i <= n; i++)
        lf[i] = lf[i - 1] + log2((double)i);
}

/* The least k with P(X > k) <= 2^-alpha, X binomial (window, 2^-H): terms are added from the small end. */
static unsigned critical(double H, unsigned window, unsigned alpha)
{
    double lf[QRNG_WINDOW_BINARY + 1];
    const double log_p = -H, log_q = log2(-expm1(-H * M_LN2));
    const double most = exp2(-(double)alpha);
    double tail = 0;
    unsigned k = window;
    factorials(lf, window);
    for (; k > 0; k--) {
        const double term =
            lf[window] - lf[k] - lf[window - k] + (double)k * log_p + (double)(window - k) * log_q;
        tail += exp2(term);
        if (tail > most)
            break; /* P(X >= k) is too much: k itself must pass */
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
    double lf[257];
    QC_ASSERT(mbit >= 1 && mbit <= QRNG_ENTROPY_MAX);
    QC_ASSERT(block >= 1 && block <= QRNG_BLOCK);
    QC_ASSERT(alpha >= 1 && alpha <= 60);
    factorials(lf, 256);
    unsigned best = 0;
    for (unsigned d = 1; d < 256; d++) {
        const double each = log2((double)d) - (double)mbit / 1000;
        const double bound = lf[256] - lf[d] - lf[256 - d] + block * each;
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

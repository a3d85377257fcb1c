#include "qrng/estimate.h"

#include <math.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/err.h"

#define Z99 2.5758293035489008 /* of the normal distribution, 99 % */

double qrng_estimate_common(const uint8_t *samples, size_t n)
{
    size_t count[256] = { 0 }, most = 0;
    for (size_t i = 0; i < n; i++)
        count[samples[i]]++;
    for (unsigned v = 0; v < 256; v++)
        most = count[v] > most ? count[v] : most;
    const double p = (double)most / (double)n;
    const double bound = p + Z99 * sqrt(p * (1 - p) / (double)(n - 1));
    return -log2(bound < 1 ? bound : 1);
}

/* Two bits are the same after two samples or after three; the mean of 2 + 2 p (1 - p) gives p. */
double qrng_estimate_collision(const uint8_t *bits, size_t n)
{
    size_t twos = 0, threes = 0;
    for (size_t i = 0; i + 1 < n;) {
        const size_t t = bits[i] == bits[i + 1] ? 2 : 3;
        if (i + t > n)
            break;
        twos += t == 2;
        threes += t == 3;
        i += t;
    }
    const double v = (double)(twos + threes);
    if (v < 2)
        return 1;
    const double mean = (2 * (double)twos + 3 * (double)threes) / v;
    const double variance =
        ((double)twos * (2 - mean) * (2 - mean) + (double)threes * (3 - mean) * (3 - mean)) / (v - 1);
    const double least = mean - Z99 * sqrt(variance / v);
    if (least >= 2.5)
        return 1;
    return -log2(least <= 2 ? 1 : 0.5 + sqrt(1.25 - 0.5 * least));
}

/* log2 of a probability times a power, where 0^0 is 1. */
static double power(double p, double times)
{
    return times <= 0 ? 0 : p <= 0 ? -INFINITY : times * log2(p);
}

/* The likeliest of the sequences of 128 bits that can be it: six of them. */
double qrng_estimate_markov(const uint8_t *bits, size_t n)
{
    double count[2][2] = { { 0 } }, ones = 0, P[2], T[2][2];
    for (size_t i = 0; i < n; i++) {
        ones += bits[i];
        if (i + 1 < n)
            count[bits[i]][bits[i + 1]]++;
    }
    P[1] = ones / (double)n;
    P[0] = 1 - P[1];
    for (unsigned a = 0; a < 2; a++)
        for (unsigned b = 0; b < 2; b++) {
            const double all = count[a][0] + count[a][1];
            T[a][b] = all > 0 ? count[a][b] / all : 0;
        }
    double best = -INFINITY;
    for (unsigned a = 0; a < 2; a++) {
        const unsigned b = 1 - a;
        const double begin = power(P[a], 1);
        best = fmax(best, begin + power(T[a][a], 127));
        best = fmax(best, begin + power(T[a][b], 64) + power(T[b][a], 63));
        best = fmax(best, begin + power(T[a][b], 1) + power(T[b][b], 126));
    }
    return fmin(-best / 128, 1);
}

/* --- Compression --- */

struct distances {
    size_t blocks, dictionary;
    double mean, deviation;
    double *logs; /* log2(u), u = 0 .. blocks */
};

/* How far back each block was seen last; of a new one, how many blocks there were. */
static void distances(struct distances *d, const uint8_t *bits)
{
    size_t last[1 << QRNG_ESTIMATE_BLOCK] = { 0 };
    double sum = 0, squares = 0;
    const double v = (double)(d->blocks - d->dictionary);
    for (size_t i = 1; i <= d->blocks; i++) {
        unsigned value = 0;
        for (unsigned b = 0; b < QRNG_ESTIMATE_BLOCK; b++)
            value = value << 1 | bits[(i - 1) * QRNG_ESTIMATE_BLOCK + b];
        if (i > d->dictionary) {
            const double l = d->logs[i - last[value]];
            sum += l;
            squares += l * l;
        }
        last[value] = i;
    }
    d->mean = sum / v;
    const double variance = squares / (v - 1) - d->mean * d->mean;
    d->deviation = 0.5907 * sqrt(variance > 0 ? variance : 0);
}

/* The expected logarithm of the distance of a block with probability z, times z. */
static double expected(const struct distances *d, double z)
{
    double sum = 0, inner = 0, decay = 1; /* (1 - z)^(t - 1) */
    for (size_t t = 1; t <= d->blocks; t++) {
        if (t > d->dictionary)
            sum += z * z * inner + d->logs[t] * z * decay;
        inner += d->logs[t] * decay;
        decay *= 1 - z;
    }
    return sum / (double)(d->blocks - d->dictionary);
}

static double expected_all(const struct distances *d, double p)
{
    const double others = (1 << QRNG_ESTIMATE_BLOCK) - 1;
    return expected(d, p) + others * expected(d, (1 - p) / others);
}

double qrng_estimate_compression(const uint8_t *bits, size_t n, size_t dictionary)
{
    struct distances d = { .blocks = n / QRNG_ESTIMATE_BLOCK, .dictionary = dictionary };
    if (d.blocks < dictionary + 2)
        return 1;
    QC_CLEANUP(qc_free_ptr) double *logs = qc_alloc((d.blocks + 1) * sizeof *logs);
    if (logs == NULL)
        return 1;
    for (size_t u = 1; u <= d.blocks; u++)
        logs[u] = log2((double)u);
    d.logs = logs;
    distances(&d, bits);
    const double least = d.mean - Z99 * d.deviation / sqrt((double)(d.blocks - dictionary));
    double low = exp2(-QRNG_ESTIMATE_BLOCK), high = 1; /* the expectation falls from one to the other */
    if (least >= expected_all(&d, low))
        return 1;
    for (unsigned i = 0; i < 40; i++) {
        const double p = (low + high) / 2;
        if (expected_all(&d, p) > least)
            low = p;
        else
            high = p;
    }
    return -log2(low) / QRNG_ESTIMATE_BLOCK;
}

struct qrng_estimates qrng_estimate(const uint8_t *p, size_t n)
{
    QC_ASSERT(n >= QC_QRNG_SAMPLE_MIN);
    struct qrng_estimates e = { .common_byte = qrng_estimate_common(p, n) };
    const size_t count = n < QC_QRNG_SAMPLE_BITS / 8 ? 8 * n : QC_QRNG_SAMPLE_BITS;
    QC_CLEANUP(qc_free_ptr) uint8_t *bits = qc_alloc(count);
    if (bits == NULL)
        return e;
    for (size_t i = 0; i < count; i++)
        bits[i] = p[i / 8] >> (7 - i % 8) & 1;
    e.common_bit = qrng_estimate_common(bits, count);
    e.collision = qrng_estimate_collision(bits, count);
    e.markov = qrng_estimate_markov(bits, count);
    e.compression = qrng_estimate_compression(bits, count, QRNG_ESTIMATE_DICTIONARY);
    return e;
}

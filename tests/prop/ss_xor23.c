/* prop/ss_xor23: chi-square of each share of data that is anything but random, in bytes and in neighbouring
 * pairs of bytes, and of the share XORed with the data, where a leak would stand. Seeded. */
#include "base/alloc.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qrng/bulk.h"
#include "ss/xor23.h"

enum { N = 4 * 1024 * 1024 + 1, PAIRS = 65536 };

static struct qc_err err;
static uint8_t S[N], R[N + 1], share[2][N + 1];

/* Sum of (o - e)^2 / e over `cells` counts of `total`. */
static double chi_square(const uint32_t *counts, unsigned cells, uint64_t total)
{
    const double e = (double)total / cells;
    double sum = 0;
    for (unsigned i = 0; i < cells; i++)
        sum += ((double)counts[i] - e) * ((double)counts[i] - e) / e;
    return sum;
}

/* A chi-square variable of d degrees is normal enough for the large d here: mean d, variance 2 d. 7 sigma:
 * one run of 10^11 says so without cause. */
static bool is_uniform(double chi, unsigned d)
{
    const double off = chi - d;
    return off * off < 49.0 * 2.0 * d;
}

static double bytes(const uint8_t *p, const uint8_t *q)
{
    uint32_t counts[256] = { 0 };
    for (size_t i = 0; i < N; i++)
        counts[p[i] ^ (q != NULL ? q[i] : 0)]++;
    return chi_square(counts, 256, N);
}

static double pairs(const uint8_t *p)
{
    static uint32_t counts[PAIRS];
    memset(counts, 0, sizeof counts);
    for (size_t i = 0; i + 1 < N; i += 2)
        counts[(unsigned)p[i] << 8 | p[i + 1]]++;
    return chi_square(counts, PAIRS, N / 2);
}

static void look(const char *what, const uint8_t *p)
{
    const double b = bytes(p, NULL), s = bytes(p, S), two = pairs(p);
    fprintf(stderr,
            "%s: chi-square of bytes %.1f, with the data %.1f (255 expected), of pairs %.0f (65535)\n", what,
            b, s, two);
    CHECK(is_uniform(b, 255) && is_uniform(s, 255) && is_uniform(two, PAIRS - 1));
}

/* Data of one value, and text: what a stream that is not uniform would show at once. */
static void data(unsigned kind)
{
    static const char text[] = "information that must stay secret for a hundred years; ";
    for (size_t i = 0; i < N; i++)
        S[i] = kind == 0 ? 0 : (uint8_t)text[i % (sizeof text - 1)];
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    const qc_rng seed = qc_rand_rng(&r);
    for (unsigned kind = 0; kind < 2; kind++) {
        QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *bulk = NULL;
        data(kind);
        CHECK(!is_uniform(bytes(S, NULL), 255)); /* the test sees what is not uniform */
        CHECK_OK(qrng_bulk_open(QRNG_BULK_GENERATOR, &seed, &bulk, &err));
        CHECK_OK(qrng_bulk_fill(bulk, R, sizeof R, &err));
        ss_xor23_split(qc_span_of(S, N), R, (uint8_t *[]){ share[0], share[1], R });
        look("A", share[0]);
        look("B", share[1]);
        look("C", R);
    }
    return 0;
}

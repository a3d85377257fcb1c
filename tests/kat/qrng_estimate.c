/* kat/qrng_estimate: the estimators of SP 800-90B 6.3 give what the standard's worked examples give; ideal,
 * biased and constant samples are seen for what they are. */
#include <math.h>

#include "qc_check.h"
#include "qc_seed.h"
#include "qrng/estimate.h"

static bool near(double a, double b, double by)
{
    if (fabs(a - b) > by)
        fprintf(stderr, "got %.6f, expected %.4f\n", a, b);
    return fabs(a - b) <= by;
}

static size_t bits_of(const char *text, uint8_t *ret)
{
    size_t n = 0;
    for (; text[n] != '\0'; n++)
        ret[n] = (uint8_t)(text[n] - '0');
    return n;
}

static void examples(void)
{
    static const char forty[] = "1000111001010101110011000111001010101110";
    static const char eight_blocks[] = "100011100101010111001100011100101010111011100011";
    uint8_t s[64];
    CHECK(near(qrng_estimate_common(s, bits_of("01120122010110221021", s)), 0.5363, 0.0001)); /* 6.3.1 */
    CHECK(near(qrng_estimate_collision(s, bits_of(forty, s)), 0.4483, 0.0001));               /* 6.3.2 */
    CHECK(near(qrng_estimate_markov(s, bits_of(forty, s)), 0.761, 0.0005));                   /* 6.3.3 */
    CHECK(near(qrng_estimate_compression(s, bits_of(eight_blocks, s), 4), 0.1345, 0.0001));   /* 6.3.4 */
}

static void samples(struct qc_rand *r)
{
    enum { N = 262144 };
    static uint8_t p[N];
    qc_rand_fill(r, p, N);
    struct qrng_estimates e = qrng_estimate(p, N);
    printf("ideal: %.3f of 8, %.4f %.4f %.4f %.4f of 1\n", e.common_byte, e.common_bit, e.collision, e.markov,
           e.compression);
    CHECK(e.common_byte > 7.7 && e.common_bit > 0.98 && e.collision > 0.85 && e.markov > 0.98 &&
          e.compression > 0.7);
    for (size_t i = 0; i < N; i++) { /* each bit is one with probability 3/4 */
        const uint64_t word = qc_rand_u64(r);
        p[i] = (uint8_t)(word | word >> 8);
    }
    e = qrng_estimate(p, N);
    CHECK(near(e.common_bit, 0.415, 0.01) && e.collision < 0.5 && near(e.markov, 0.415, 0.02) &&
          e.compression < 0.5);
    memset(p, 0x55, N); /* bits alternate: common values do not see it, Markov does */
    e = qrng_estimate(p, N);
    CHECK(e.common_byte == 0 && e.common_bit > 0.99 && e.markov < 0.01 && e.compression < 0.01);
    memset(p, 0, N);
    e = qrng_estimate(p, N);
    CHECK(e.common_byte == 0 && e.common_bit == 0 && e.collision == 0 && near(e.markov, 0, 1e-9) &&
          e.compression < 0.001);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    examples();
    samples(&r);
    return 0;
}

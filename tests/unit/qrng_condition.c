/* unit/qrng_condition: Toeplitz extraction is the bit matrix, bit for bit, by each way of multiplication that
 * the processor has; lengths by the lemma; HMAC is HMAC; blocks have the declared entropy. */
#include "base/crypto.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qrng/condition.h"
#include "qrng/health.h"

static struct qrng_toeplitz t;
static uint8_t seed[QRNG_TOEPLITZ_MAX / 4], in[QRNG_TOEPLITZ_MAX / 8], fast[QRNG_TOEPLITZ_MAX / 8 + 1],
    slow[QRNG_TOEPLITZ_MAX / 8 + 1];

static unsigned bit(const uint8_t *p, size_t i)
{
    return p[i / 8] >> (i % 8) & 1;
}

/* The definition: a matrix, row by row. */
static unsigned model(size_t n, size_t row)
{
    unsigned sum = 0;
    for (size_t j = 0; j < n; j++)
        sum ^= bit(seed, row + n - 1 - j) & bit(in, j);
    return sum;
}

static void same_as_matrix(struct qc_rand *r, size_t n, size_t m)
{
    const size_t bytes = (m + 7) / 8;
    qc_rand_fill(r, seed, sizeof seed); /* what lies beyond a seed or a block must not matter */
    qc_rand_fill(r, in, sizeof in);
    memset(fast, 0xee, sizeof fast);
    qrng_toeplitz_init(&t, n, m, seed);
    qrng_toeplitz_extract(&t, in, fast);
    for (unsigned way = 0; way < QRNG_WAYS; way++) {
        if (!qrng_way_is_there((enum qrng_way)way))
            continue;
        memset(slow, 0xee, sizeof slow);
        qrng_toeplitz_extract_by(&t, in, slow, (enum qrng_way)way);
        CHECK(memcmp(fast, slow, sizeof fast) == 0 && fast[bytes] == 0xee);
    }
    for (size_t i = 0; i < m; i++)
        if (bit(fast, i) != model(n, i)) {
            fprintf(stderr, "n %zu, m %zu: bit %zu is wrong\n", n, m, i);
            exit(1);
        }
    for (size_t i = m; i < 8 * bytes; i++)
        CHECK(bit(fast, i) == 0);
}

static void shapes(struct qc_rand *r)
{
    static const size_t sizes[] = { 1, 2, 63, 64, 65, 127, 128, 129, 192, 1000 };
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (size_t a = 0; a < SIZES; a++)
        for (size_t b = 0; b < SIZES; b++)
            same_as_matrix(r, sizes[a], sizes[b]);
    for (uint64_t i = 0; i < qc_rand_cases(100, 5000); i++)
        same_as_matrix(r, (size_t)qc_rand_between(r, 1, 700), (size_t)qc_rand_between(r, 1, 700));
    same_as_matrix(r, QRNG_TOEPLITZ_MAX, 2944);
    same_as_matrix(r, QRNG_TOEPLITZ_MAX, QRNG_TOEPLITZ_MAX);
    same_as_matrix(r, QRNG_TOEPLITZ_MAX - 1, QRNG_TOEPLITZ_MAX - 1);
}

/* T (x + y) = T x + T y, and T 0 = 0. */
static void linear(struct qc_rand *r)
{
    enum { N = 1024, M = 700 };
    uint8_t x[3][N / 8], y[3][(M + 7) / 8];
    qc_rand_fill(r, seed, sizeof seed);
    qc_rand_fill(r, x[0], sizeof x[0]);
    qc_rand_fill(r, x[1], sizeof x[1]);
    for (size_t i = 0; i < sizeof x[0]; i++)
        x[2][i] = x[0][i] ^ x[1][i];
    qrng_toeplitz_init(&t, N, M, seed);
    for (unsigned i = 0; i < 3; i++)
        qrng_toeplitz_extract(&t, x[i], y[i]);
    for (size_t i = 0; i < sizeof y[0]; i++)
        CHECK(y[2][i] == (y[0][i] ^ y[1][i]));
}

/* By the lemma; the first two are worked out in print. */
static void lengths(void)
{
    CHECK(qrng_toeplitz_bits(4096, 7200, 64) == 3558);
    CHECK(qrng_toeplitz_bits(32768, 7200, 64) == 29363);
    CHECK(qrng_toeplitz_seed(4096, 3558) == (7653 + 7) / 8);
    CHECK(qrng_toeplitz_bits(4096, 6000, 64) == 3072 - 128);
    CHECK(qrng_toeplitz_bits(128, 8000, 64) == 0 && qrng_toeplitz_bits(129, 8000, 64) == 1);
    CHECK(qrng_toeplitz_bits(4096, QRNG_ENTROPY_MIN, 64) == 128); /* every declared entropy gives something */
}

static void conditioners(struct qc_rand *r)
{
    struct qc_err err = { 0 };
    const qc_rng rng = qc_rand_rng(r);
    static struct qrng_conditioner c;
    static uint8_t raw[QRNG_RAW_MAX], out[QRNG_OUT_MAX], want[QRNG_OUT_MAX];
    qc_rand_fill(r, raw, sizeof raw);
    for (unsigned mbit = QRNG_ENTROPY_MIN; mbit <= QRNG_ENTROPY_MAX; mbit += 125) {
        CHECK_OK(qrng_conditioner_init(&c, QRNG_CONDITION_HMAC, mbit, &rng, &err));
        CHECK(c.out == 32 && c.raw <= sizeof raw);
        CHECK(c.raw * mbit >= 320000 && (c.raw - 1) * mbit < 320000);
        const qc_span part = qc_span_of(raw, c.raw);
        CHECK_OK(qrng_conditioner_apply(&c, raw, out, &err));
        CHECK_OK(qc_hmac_sha256(qc_span_of(c.key, 32), &part, 1, want, &err));
        CHECK(memcmp(out, want, 32) == 0);
        CHECK_OK(qrng_conditioner_init(&c, QRNG_CONDITION_TOEPLITZ, mbit, &rng, &err));
        CHECK(c.out >= 16 && c.out * 8 <= qrng_toeplitz_bits(c.raw * 8, mbit, QRNG_EPSILON));
        CHECK_OK(qrng_conditioner_apply(&c, raw, out, &err));
        qrng_toeplitz_extract_by(&c.toeplitz, raw, want, QRNG_WAY_PORTABLE);
        CHECK(memcmp(out, want, c.out) == 0);
    }
    CHECK_OK(qrng_conditioner_init(&c, QRNG_CONDITION_NONE, 8000, &rng, &err));
    CHECK_OK(qrng_conditioner_apply(&c, raw, out, &err));
    CHECK(c.raw == c.out && memcmp(raw, out, c.out) == 0);
    CHECK(strcmp(qrng_conditioning_text(QRNG_CONDITION_TOEPLITZ), "toeplitz") == 0);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    for (unsigned way = 0; way < QRNG_WAYS; way++)
        printf("way %u of multiplication: %s\n", way,
               qrng_way_is_there((enum qrng_way)way) ? "tested" : "not on this processor");
    shapes(&r);
    linear(&r);
    lengths();
    conditioners(&r);
    return 0;
}

/* bench_extract: what a conditioner makes of a bad source, by itself: not XORed with the kernel's bytes, as
 * every source's are in use. Usage: bench_extract raw|hmac|toeplitz BYTES >FILE. The source: bits that are
 * one with probability 3/4, 3.32 bits of min-entropy per byte, of which 3.2 are declared. QC_SEED makes it
 * the same again. */
#include <stdlib.h>

#include "qc_check.h"
#include "qc_seed.h"
#include "qrng/condition.h"

enum { MBIT = 3200 };

static struct qrng_conditioner c;
static uint8_t raw[QRNG_RAW_MAX], out[QRNG_OUT_MAX];

static void draw(struct qc_rand *r, size_t n)
{
    for (size_t i = 0; i < n; i += 4) {
        const uint64_t word = qc_rand_u64(r);
        const uint32_t biased = (uint32_t)(word | word >> 32);
        memcpy(raw + i, &biased, sizeof biased);
    }
}

int main(int argc, char **argv)
{
    struct qc_err err = { 0 };
    CHECK(argc == 3);
    const bool plain = strcmp(argv[1], "raw") == 0;
    const enum qrng_conditioning kind =
        strcmp(argv[1], "hmac") == 0 ? QRNG_CONDITION_HMAC : QRNG_CONDITION_TOEPLITZ;
    struct qc_rand r = qc_rand_start(), seed = r;
    seed.state += 1000003; /* the extractor's seed is independent of the source */
    const qc_rng public = qc_rand_rng(&seed);
    CHECK_OK(qrng_conditioner_init(&c, kind, MBIT, &public, &err));
    for (uint64_t left = strtoull(argv[2], NULL, 10); left > 0;) {
        draw(&r, plain ? sizeof raw : c.raw);
        if (!plain)
            CHECK_OK(qrng_conditioner_apply(&c, raw, out, &err));
        const size_t all = plain ? sizeof raw : c.out, n = left < all ? (size_t)left : all;
        if (fwrite(plain ? raw : out, 1, n, stdout) != n)
            return 0; /* who reads has enough */
        left -= n;
    }
    return 0;
}

/* Conditioning: raw bytes of a source into bytes that are as good as uniform. Layer 2; uses base.
 *
 * Toeplitz extraction (information theoretic): y = T x over GF(2) with T[i][j] = s[i - j + n - 1]. By the
 * leftover hash lemma n raw bits of min-entropy k give m = floor(k - 2 log2(1/eps)) bits within eps of
 * uniform, also for who knows the seed s. The seed has n + m - 1 bits, is uniform and independent of the
 * source, and is used again; eps adds up over the blocks. In SP 800-90B's terms it is a conditioner that is
 * not vetted; its claim is the lemma.
 *
 * HMAC-SHA-256 (vetted, SP 800-90B 3.1.5.1.1): 256 bits from a block with 320 bits of declared entropy at
 * least, under a key that is no secret.
 *
 * Time depends on lengths alone. Memory: the structs hold what they work on and live where their owner keeps
 * secrets. Bits are counted from the lowest of byte 0. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"

enum {
    QRNG_TOEPLITZ_MAX = 4096, /* bits in, and bits out */
    QRNG_TOEPLITZ_WORDS = QRNG_TOEPLITZ_MAX / 64,
    QRNG_EPSILON = 64,    /* eps = 2^-64 for each block */
    QRNG_HMAC_BITS = 320, /* 256 + 64 of declared entropy in a block */
    QRNG_HMAC_OUT = 32,
    QRNG_RAW_MAX = 1024, /* bytes of a block of any conditioning */
    QRNG_OUT_MAX = QRNG_TOEPLITZ_MAX / 8,
};

struct qrng_toeplitz {
    size_t n, m; /* bits in, bits out */
    /* The seed's words between as many zeros as a block has, so that no index leaves it; the block's words,
     * last first. Both have spare words, since they are taken by fours. */
    uint64_t seed[2 * QRNG_TOEPLITZ_WORDS + 2 * (QRNG_TOEPLITZ_WORDS + 4)];
    uint64_t block[QRNG_TOEPLITZ_WORDS + 4];
};

/* m for n raw bits at mbit thousandths of a bit of min-entropy per byte and eps = 2^-epsilon; 0: none. */
size_t qrng_toeplitz_bits(size_t n, unsigned mbit, unsigned epsilon);
/* Bytes of a seed. */
size_t qrng_toeplitz_seed(size_t n, size_t m);
/* n, m: 1..QRNG_TOEPLITZ_MAX bits (asserted). seed: qrng_toeplitz_seed(n, m) bytes, copied. */
void qrng_toeplitz_init(struct qrng_toeplitz *t, size_t n, size_t m, const uint8_t *seed);
/* One block. in: ceil(n / 8) bytes, bits beyond n are not looked at; out: ceil(m / 8) bytes, bits beyond m
 * are zeros. No overlap. n m / 4096 carry-less multiplications. */
void qrng_toeplitz_extract(struct qrng_toeplitz *t, const uint8_t *in, uint8_t *out);
/* How words are multiplied: the best that the processor has, or, in tests, each of them. */
enum qrng_way { QRNG_WAY_PORTABLE, QRNG_WAY_PCLMUL, QRNG_WAY_VPCLMUL, QRNG_WAYS };
bool qrng_way_is_there(enum qrng_way way);
/* The same result by one way, which must be there (asserted). */
void qrng_toeplitz_extract_by(struct qrng_toeplitz *t, const uint8_t *in, uint8_t *out, enum qrng_way way);

enum qrng_conditioning {
    QRNG_CONDITION_HMAC,
    QRNG_CONDITION_TOEPLITZ,
    QRNG_CONDITION_NONE, /* the maker does it */
    QRNG_CONDITION_COUNT,
};
/* "hmac-sha-256", "toeplitz", "none" */
const char *qrng_conditioning_text(enum qrng_conditioning c);

struct qrng_conditioner {
    enum qrng_conditioning kind;
    size_t raw, out; /* bytes of a block, before and after */
    uint8_t key[QRNG_HMAC_OUT];
    struct qrng_toeplitz toeplitz;
};

/*
 * A conditioner with a seed or key of its own from `public`, which is independent of the source (the
 * kernel's). mbit  declared min-entropy per byte, QRNG_ENTROPY_MIN..QRNG_ENTROPY_MAX Errors: of `public`.
 */
QC_MUST qc_rc qrng_conditioner_init(struct qrng_conditioner *c, enum qrng_conditioning kind, unsigned mbit,
                                    const qc_rng *public, struct qc_err *err);
/* One block: c->raw bytes at in, c->out bytes to out; no overlap. QC_NOMEM, QC_GENERAL: HMAC. */
QC_MUST qc_rc qrng_conditioner_apply(struct qrng_conditioner *c, const uint8_t *in, uint8_t *out,
                                     struct qc_err *err);

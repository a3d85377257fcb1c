#include "qrng/condition.h"

#include <string.h>

#include "base/crypto.h"
#include "qrng/health.h"

_Static_assert(QRNG_HMAC_BITS * 1000 <= QRNG_ENTROPY_MIN * QRNG_RAW_MAX, "a block for HMAC fits");
_Static_assert(QRNG_TOEPLITZ_MAX / 8 <= QRNG_RAW_MAX, "a block for the extraction fits");
_Static_assert(QRNG_HMAC_OUT <= QRNG_OUT_MAX, "so does what comes of it");

static const char *const texts[QRNG_CONDITION_COUNT] = {
    [QRNG_CONDITION_HMAC] = "hmac-sha-256",
    [QRNG_CONDITION_TOEPLITZ] = "toeplitz",
    [QRNG_CONDITION_NONE] = "none",
};

const char *qrng_conditioning_text(enum qrng_conditioning c)
{
    QC_ASSERT((unsigned)c < QRNG_CONDITION_COUNT);
    return texts[c];
}

/* Whole words come out, so that a block's end needs no care: up to 63 bits of the lemma's are left. */
static qc_rc init_toeplitz(struct qrng_conditioner *c, unsigned mbit, const qc_rng *public,
                           struct qc_err *err)
{
    uint8_t seed[2 * QRNG_TOEPLITZ_MAX / 8];
    const size_t n = QRNG_TOEPLITZ_MAX, m = qrng_toeplitz_bits(n, mbit, QRNG_EPSILON) / 64 * 64;
    QC_TRY(qc_rng_fill(public, seed, qrng_toeplitz_seed(n, m), err));
    qrng_toeplitz_init(&c->toeplitz, n, m, seed);
    c->raw = n / 8;
    c->out = m / 8;
    return QC_OK;
}

qc_rc qrng_conditioner_init(struct qrng_conditioner *c, enum qrng_conditioning kind, unsigned mbit,
                            const qc_rng *public, struct qc_err *err)
{
    QC_ASSERT(mbit >= QRNG_ENTROPY_MIN && mbit <= QRNG_ENTROPY_MAX);
    QC_ASSERT((unsigned)kind < QRNG_CONDITION_COUNT);
    memset(c, 0, sizeof *c);
    c->kind = kind;
    if (kind == QRNG_CONDITION_TOEPLITZ)
        return init_toeplitz(c, mbit, public, err);
    if (kind == QRNG_CONDITION_HMAC) {
        c->raw = (QRNG_HMAC_BITS * 1000 + mbit - 1) / mbit;
        c->out = QRNG_HMAC_OUT;
        return qc_rng_fill(public, c->key, sizeof c->key, err);
    }
    c->raw = c->out = QRNG_OUT_MAX;
    return QC_OK;
}

qc_rc qrng_conditioner_apply(struct qrng_conditioner *c, const uint8_t *in, uint8_t *out, struct qc_err *err)
{
    const qc_span part = qc_span_of(in, c->raw);
    if (c->kind == QRNG_CONDITION_HMAC)
        return qc_hmac_sha256(qc_span_of(c->key, sizeof c->key), &part, 1, out, err);
    if (c->kind == QRNG_CONDITION_TOEPLITZ)
        qrng_toeplitz_extract(&c->toeplitz, in, out);
    else
        memcpy(out, in, c->out);
    return QC_OK;
}

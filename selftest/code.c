/* Erasure coding and secret sharing: FORMAT's formulas, by the second implementations of tests/kat; and what
 * is lost comes back from any that are enough. */
#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "ec/coder.h"
#include "selftest_internal.h"
#include "ss/shamir.h"
#include "ss/xor23.h"

enum { PIECE = 3 * QC_EC_ALIGN, EC_K_MAX = 8, EC_N_MAX = 12, POINTS = 4, NEEDED = 3, SECRET = 2 };

/* A stripe and all that is made of it. */
struct stripe {
    unsigned k, n;
    const struct ec_coder *coder;
    uint8_t piece[EC_N_MAX][PIECE];
    uint8_t back[EC_K_MAX][PIECE];
};

static void fill(struct stripe *s)
{
    for (unsigned j = 0; j < s->k; j++)
        for (unsigned b = 0; b < PIECE; b++)
            s->piece[j][b] = (uint8_t)(b * 7 + j * 29 + b / 64);
}

static qc_rc hash(const uint8_t *p, size_t n, uint8_t ret[QC_SHA256_BYTES], struct qc_err *err)
{
    const qc_span s = qc_span_of(p, n);
    return qc_sha256(&s, 1, ret, err);
}

static qc_rc encode(struct stripe *s, const char *answer, struct qc_err *err)
{
    const uint8_t *data[EC_K_MAX];
    uint8_t *parity[EC_N_MAX], digest[QC_SHA256_BYTES];
    for (unsigned i = 0; i < s->n; i++) {
        if (i < s->k)
            data[i] = s->piece[i];
        else
            parity[i - s->k] = s->piece[i];
    }
    QC_TRY(ec_stripe_encode(s->coder, data, PIECE, parity, err));
    QC_TRY(hash(s->piece[s->k], (size_t)(s->n - s->k) * PIECE, digest, err));
    return selftest_same("parity", digest, sizeof digest, answer, err);
}

/* Without n-k pieces that stand in a row, from each one on: the data, and each piece that was lost. */
static qc_rc without(struct stripe *s, unsigned first, struct qc_err *err)
{
    const uint8_t *there[EC_N_MAX];
    uint8_t *out[EC_K_MAX], again[PIECE];
    for (unsigned i = 0; i < s->n; i++)
        there[i] = (i + s->n - first) % s->n < s->n - s->k ? NULL : s->piece[i];
    for (unsigned j = 0; j < s->k; j++)
        out[j] = s->back[j];
    memset(s->back, 0, sizeof s->back);
    QC_TRY(ec_stripe_decode(s->coder, there, PIECE, out, err));
    for (unsigned j = 0; j < s->k; j++)
        if (there[j] == NULL && memcmp(s->back[j], s->piece[j], PIECE) != 0)
            return QC_FAIL(err, QC_INTEGRITY, "piece %u is not what was coded, without %u pieces from %u on",
                           j, s->n - s->k, first);
    for (unsigned i = 0; i < s->n; i++) {
        if (there[i] != NULL)
            continue;
        QC_TRY(ec_piece_rebuild(s->coder, there, i, PIECE, again, err));
        if (memcmp(again, s->piece[i], PIECE) != 0)
            return QC_FAIL(err, QC_INTEGRITY, "piece %u is rebuilt as another", i);
    }
    return QC_OK;
}

static qc_rc code(unsigned k, unsigned n, const char *answer, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct stripe *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "a stripe");
    *s = (struct stripe){ .k = k, .n = n };
    QC_TRY(ec_coder_get(k, n - k, &s->coder, err));
    fill(s);
    QC_TRY(encode(s, answer, err));
    for (unsigned first = 0; first < n; first++)
        QC_TRY(without(s, first, err));
    return QC_OK;
}

static qc_rc code_3_5(const qc_rng *rng, struct qc_err *err)
{
    (void)rng;
    return code(3, 5, "c7b9138f4ce7afee8d1fe51b603cc011aa303f5d979acdfd5fe431e64ef4bd02", err);
}

static qc_rc code_8_12(const qc_rng *rng, struct qc_err *err)
{
    (void)rng;
    return code(8, 12, "b93b4a0761c593d81e7e5d5a8391c3f178b4e43523d1bb7acf4c51c32fb9bf66", err);
}

/* The shares that are known, and the secret from each three of them. */
static qc_rc shamir(const qc_rng *rng, struct qc_err *err)
{
    static const uint8_t secret[SECRET] = { 0x7e, 0x01 },
                         coefficients[2 * SECRET] = { 0x84, 0x02, 0x9f, 0x03 };
    uint8_t shares[POINTS][SECRET], back[SECRET];
    uint8_t *const out[POINTS] = { shares[0], shares[1], shares[2], shares[3] };
    (void)rng;
    QC_TRY(ss_split(NEEDED, POINTS, NULL, qc_span_of(secret, SECRET),
                    qc_span_of(coefficients, sizeof coefficients), out, err));
    QC_TRY(selftest_same("shares", shares[0], sizeof shares, "65002d0936085139", err));
    for (unsigned lost = 0; lost < POINTS; lost++) {
        const uint8_t *given[NEEDED];
        uint8_t points[NEEDED];
        unsigned n = 0;
        for (unsigned i = 0; i < POINTS; i++) {
            if (i == lost)
                continue;
            given[n] = shares[i];
            points[n++] = (uint8_t)(i + 1);
        }
        QC_TRY(ss_combine(NEEDED, points, given, SECRET, 0, back, err));
        QC_TRY(selftest_same("secret", back, SECRET, "7e01", err));
    }
    return QC_OK;
}

static qc_rc xor23(const qc_rng *rng, struct qc_err *err)
{
    static const uint8_t S[4] = { 0x01, 0x02, 0x30, 0x40 }, R[4] = { 0xa5, 0x5a, 0x0f, 0xf0 };
    uint8_t v[SS_XOR23_SHARES][sizeof S], back[sizeof S];
    uint8_t *const out[SS_XOR23_SHARES] = { v[SS_XOR23_A], v[SS_XOR23_B], v[SS_XOR23_C] };
    (void)rng;
    ss_xor23_split(qc_span_of(S, sizeof S), R, out);
    /* A = (S1+R1)(S2+R1+R2), B = (S1+R1+R2)(S2+R2), C = R, by hand */
    QC_TRY(selftest_same("shares", v[0], sizeof v, "a4589aeaaba83fb0a55a0ff0", err));
    for (unsigned lost = 0; lost < SS_XOR23_SHARES; lost++) {
        const enum ss_xor23 i = (enum ss_xor23)((lost + 1) % SS_XOR23_SHARES),
                            j = (enum ss_xor23)((lost + 2) % SS_XOR23_SHARES);
        QC_TRY(ss_xor23_join(i, v[i], j, v[j], sizeof S, back, err));
        QC_TRY(selftest_same("data", back, sizeof back, "01023040", err));
    }
    return QC_OK;
}

const struct selftest selftest_code[] = {
    { "erasure-3-5", "FORMAT 8.1, a second implementation; any 3 of 5", SELFTEST_GATEWAY, code_3_5 },
    { "erasure-8-12", "FORMAT 8.1, a second implementation; 8 of 12", SELFTEST_GATEWAY, code_8_12 },
    { "shamir-3-4", "FORMAT 1.2, a second implementation; any 3 of 4", SELFTEST_GATEWAY | SELFTEST_CLIENT,
      shamir },
    { "xor-2-3", "FORMAT 13, by hand; any 2 of 3", SELFTEST_CLIENT, xor23 },
    { 0 },
};

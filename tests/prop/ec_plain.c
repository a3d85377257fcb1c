/* prop/ec_plain: what ec/plain.h decodes by the formula is what ec/coder.h's library coded: every k and n up
 * to 6 with every pattern of loss, sampled ones up to n = 32; fewer than k pieces are refused and nothing is
 * written. */
#include "base/limits.h"
#include "ec/coder.h"
#include "ec/plain.h"
#include "qc_check.h"
#include "qc_seed.h"

#include <string.h>

enum { PIECE = 192 };

struct stripe {
    uint8_t piece[QC_EC_N_MAX][PIECE], out[QC_EC_N_MAX][PIECE];
};

static void code(const struct ec_coder *c, struct qc_rand *r, struct stripe *s)
{
    uint8_t *parity[QC_EC_N_MAX];
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < ec_coder_n(c); i++) {
        qc_rand_fill(r, s->piece[i], PIECE);
        if (i >= ec_coder_k(c))
            parity[i - ec_coder_k(c)] = s->piece[i];
    }
    CHECK(ec_stripe_encode_block(c, s->piece[0], PIECE, parity, &err) == QC_OK);
}

static void decode(struct ec_plain p, struct stripe *s, uint32_t lost)
{
    const uint8_t *in[QC_EC_N_MAX] = { 0 };
    uint8_t *out[QC_EC_N_MAX];
    struct qc_err err = { 0 };
    unsigned have = 0;

    for (unsigned i = 0; i < p.n; i++) {
        in[i] = lost >> i & 1 ? NULL : s->piece[i];
        have += in[i] != NULL;
        out[i] = s->out[i];
    }
    memset(s->out, 0xAA, sizeof s->out);
    const qc_rc rc = ec_plain_decode(p, in, PIECE, out, &err);
    CHECK(rc == (have < p.k ? QC_QUORUM : QC_OK));
    for (unsigned j = 0; j < p.n; j++) {
        const bool written = rc == QC_OK && j < p.k && in[j] == NULL;
        CHECK(!written || memcmp(s->out[j], s->piece[j], PIECE) == 0);
        for (unsigned b = 0; !written && b < PIECE; b++)
            CHECK(s->out[j][b] == 0xAA);
    }
}

static uint32_t lose_some(struct qc_rand *r, unsigned n, unsigned count)
{
    uint32_t lost = 0;

    while ((unsigned)__builtin_popcount(lost) < count)
        lost |= UINT32_C(1) << qc_rand_below(r, n);
    return lost;
}

static void check_code(unsigned k, unsigned n, struct qc_rand *r)
{
    static struct stripe s;
    const struct ec_coder *c = NULL;
    struct qc_err err = { 0 };

    CHECK(ec_coder_get(k, n - k, &c, &err) == QC_OK);
    code(c, r, &s);
    if (n <= 6) {
        for (uint32_t lost = 0; lost < UINT32_C(1) << n; lost++)
            decode((struct ec_plain){ k, n }, &s, lost);
        return;
    }
    for (unsigned i = 0; i < 4; i++)
        decode((struct ec_plain){ k, n }, &s, lose_some(r, n, n - k));
    decode((struct ec_plain){ k, n }, &s, lose_some(r, n, n - k + 1));
}

int main(void)
{
    struct qc_rand r = qc_rand_start();

    for (unsigned n = 1; n <= QC_EC_N_MAX; n++)
        for (unsigned k = 1; k <= n; k += n <= 12 ? 1 : 3)
            check_code(k, n, &r);
    return 0;
}

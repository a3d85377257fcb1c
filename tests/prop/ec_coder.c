/* prop/ec_coder: a segment cut by ec/geometry and coded stripe by stripe survives the loss of any m of its
 * fragments: every pattern for n <= 6, sampled ones up to n = 32, segments of 0, 1, odd, exact and several
 * stripes' sizes. */
#include "base/limits.h"
#include "ec/coder.h"
#include "ec/geometry.h"
#include "qc_check.h"
#include "qc_seed.h"

#include <string.h>

enum { SEGMENT_MAX = 3 * 1024 * 1024 };

static uint8_t segment[SEGMENT_MAX];
static uint8_t *payload[QC_EC_N_MAX]; /* of each fragment */

/* Encode: pieces of data are copied and padded into the payloads, as the gateway does. */
static void encode(const struct ec_coder *c, const struct ec_geometry *g)
{
    for (uint32_t t = 0; t < g->stripe_count; t++) {
        struct ec_stripe s = ec_geometry_stripe(g, t);
        const uint8_t *data[QC_EC_N_MAX];
        uint8_t *parity[QC_EC_N_MAX];
        for (unsigned i = 0; i < ec_coder_n(c); i++) {
            uint8_t *piece = payload[i] + s.payload_offset;
            if (i >= g->k) {
                parity[i - g->k] = piece;
                continue;
            }
            uint32_t from = i * s.piece_size;
            uint32_t have = from >= s.data_size ? 0 : s.data_size - from;
            have = have < s.piece_size ? have : s.piece_size;
            if (have > 0)
                memcpy(piece, segment + s.data_offset + from, have);
            memset(piece + have, 0, s.piece_size - have);
            data[i] = piece;
        }
        struct qc_err err = { 0 };
        CHECK(ec_stripe_encode(c, data, s.piece_size, parity, &err) == QC_OK);
    }
}

static void stripe_check(const struct ec_coder *c, const struct ec_geometry *g, uint32_t t, uint64_t lost)
{
    static uint8_t out[QC_EC_N_MAX][QC_EC_STRIPE_SIZE];
    struct ec_stripe s = ec_geometry_stripe(g, t);
    const uint8_t *pieces[QC_EC_N_MAX];
    uint8_t *data_out[QC_EC_N_MAX];
    for (unsigned i = 0; i < ec_coder_n(c); i++) {
        pieces[i] = (lost >> i) & 1 ? NULL : payload[i] + s.payload_offset;
        data_out[i] = out[i];
    }
    struct qc_err err = { 0 };
    CHECK(ec_stripe_decode(c, pieces, s.piece_size, data_out, &err) == QC_OK);
    for (unsigned i = 0; i < ec_coder_n(c); i++) {
        if (!((lost >> i) & 1))
            continue;
        const uint8_t *was = payload[i] + s.payload_offset;
        if (i < g->k)
            CHECK(memcmp(out[i], was, s.piece_size) == 0);
        CHECK(ec_piece_rebuild(c, pieces, i, s.piece_size, out[i], &err) == QC_OK);
        CHECK(memcmp(out[i], was, s.piece_size) == 0);
    }
}

static void lose(const struct ec_coder *c, const struct ec_geometry *g, uint64_t lost)
{
    for (uint32_t t = 0; t < g->stripe_count; t++)
        stripe_check(c, g, t, lost);
}

static void every_pattern(struct qc_rand *r, unsigned k, unsigned m, uint32_t size)
{
    struct qc_err err = { 0 };
    const struct ec_coder *c = NULL;
    struct ec_geometry g;
    CHECK(ec_coder_get(k, m, &c, &err) == QC_OK);
    CHECK(ec_geometry(k, size, &g, &err) == QC_OK);
    qc_rand_fill(r, segment, size);
    encode(c, &g);
    for (uint64_t lost = 0; lost < UINT64_C(1) << (k + m); lost++)
        if ((unsigned)__builtin_popcountll(lost) <= m)
            lose(c, &g, lost);
}

static void random_case(struct qc_rand *r)
{
    struct qc_err err = { 0 };
    unsigned n = (unsigned)qc_rand_between(r, 2, QC_EC_N_MAX);
    unsigned k = (unsigned)qc_rand_between(r, 1, n);
    const struct ec_coder *c = NULL;
    struct ec_geometry g;
    CHECK(ec_coder_get(k, n - k, &c, &err) == QC_OK);
    CHECK(ec_geometry(k, (uint32_t)qc_rand_below(r, 65536), &g, &err) == QC_OK);
    qc_rand_fill(r, segment, g.segment_size);
    encode(c, &g);
    unsigned set[QC_EC_N_MAX];
    for (unsigned i = 0; i < n; i++)
        set[i] = i;
    unsigned count = (unsigned)qc_rand_between(r, 0, n - k);
    qc_rand_choose(r, set, n, count);
    uint64_t lost = 0;
    for (unsigned i = 0; i < count; i++)
        lost |= UINT64_C(1) << set[i];
    lose(c, &g, lost);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    for (unsigned i = 0; i < QC_EC_N_MAX; i++) {
        payload[i] = calloc(1, SEGMENT_MAX + QC_EC_STRIPE_SIZE);
        CHECK(payload[i] != NULL);
    }
    for (unsigned n = 1; n <= 6; n++)
        for (unsigned k = 1; k <= n; k++) {
            static const uint32_t sizes[] = { 0, 1, 63, 64, 65, 4097, 99991 };
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
                every_pattern(&r, k, n - k, sizes[i]);
        }
    uint32_t full = 3 * 349504;
    every_pattern(&r, 3, 2, full);
    every_pattern(&r, 3, 2, full - 1);
    every_pattern(&r, 3, 2, 2 * full + 1);
    for (uint64_t left = qc_rand_cases(2000, 50000); left > 0; left--)
        random_case(&r);
    for (unsigned i = 0; i < QC_EC_N_MAX; i++)
        free(payload[i]);
    return 0;
}

/* unit/gateway_place: which clouds are chosen, how evenly, and that permutations are permutations. */
#include "gateway/place.h"
#include "qc_check.h"
#include "qc_seed.h"

#include <math.h>

static qc_rc never(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    (void)ctx;
    (void)p;
    (void)n;
    return QC_FAIL(err, QC_RANDOM, "nobody should ask");
}

/* All usable ones first, in the order given; randomness only where there is a choice. */
static void forced_choices(void)
{
    const qc_rng none = { .fill = never };
    const struct gw_candidate c[] = {
        { 10, true }, { 11, false }, { 12, true }, { 13, true }, { 14, false }
    };
    uint32_t got[5] = { 0 };
    struct qc_err err = { 0 };

    CHECK_OK(gw_place_clouds(c, 5, 3, &none, got, &err));
    CHECK(got[0] == 10 && got[1] == 12 && got[2] == 13);
    CHECK_OK(gw_place_clouds(c, 5, 5, &none, got, &err));
    CHECK(got[0] == 10 && got[1] == 11 && got[2] == 12 && got[3] == 13 && got[4] == 14);
    CHECK_RC(gw_place_clouds(c, 5, 2, &none, got, &err), QC_RANDOM);
    CHECK_RC(gw_place_clouds(c, 5, 4, &none, got, &err), QC_RANDOM); /* which of the two unusable ones? */
    CHECK_DIES(qc_ignore(gw_place_clouds(c, 5, 6, &none, got, &err), "dies"));
}

/* 3 of 6 usable ones: 20 subsets, each within six standard deviations of a twentieth. */
static void even(struct qc_rand *r)
{
    enum { TRIES = 40000, SUBSETS = 20 };
    const struct gw_candidate c[] = { { 0, true }, { 1, true }, { 9, false }, { 2, true },
                                      { 3, true }, { 4, true }, { 5, true } };
    const qc_rng rng = qc_rand_rng(r);
    unsigned seen[64] = { 0 }, subsets = 0;
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < TRIES; i++) {
        uint32_t got[3];
        CHECK_OK(gw_place_clouds(c, 7, 3, &rng, got, &err));
        CHECK(got[0] < got[1] && got[1] < got[2] && got[2] <= 5);
        seen[1U << got[0] | 1U << got[1] | 1U << got[2]]++;
    }
    const double mean = (double)TRIES / SUBSETS, sigma = sqrt(mean * (1.0 - 1.0 / SUBSETS));
    for (unsigned i = 0; i < 64; i++) {
        if (seen[i] == 0)
            continue;
        subsets++;
        CHECK(fabs((double)seen[i] - mean) < 6 * sigma);
    }
    CHECK(subsets == SUBSETS);
}

static void permutations(struct qc_rand *r)
{
    QC_CLEANUP(gw_root_free) struct gw_root *root = NULL;
    const qc_rng rng = qc_rand_rng(r);
    unsigned first[5] = { 0 };
    struct qc_err err = { 0 };

    CHECK_OK(gw_root_random(&root, &rng, &err));
    for (unsigned i = 0; i < 5000; i++) {
        const unsigned n = i % 2 == 0 ? 5 : (unsigned)qc_rand_between(r, 1, QC_EC_N_MAX);
        uint8_t salt[GW_SALT_BYTES], perm[QC_EC_N_MAX], again[QC_EC_N_MAX];
        uint64_t seen = 0;
        const uint64_t id = qc_rand_u64(r);
        qc_rand_fill(r, salt, sizeof salt);
        CHECK_OK(gw_place_permutation(root, id, salt, n, perm, &err));
        CHECK_OK(gw_place_permutation(root, id, salt, n, again, &err));
        CHECK(memcmp(perm, again, n) == 0);
        for (unsigned k = 0; k < n; k++)
            seen |= UINT64_C(1) << perm[k];
        CHECK(seen == (UINT64_C(1) << n) - 1);
        first[perm[0] % 5] += n == 5;
    }
    for (unsigned k = 0; k < 5; k++) /* fragment 0 is on each of five clouds about 500 times (sigma 20) */
        CHECK(first[k] > 350 && first[k] < 700);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();

    forced_choices();
    even(&r);
    permutations(&r);
    return 0;
}

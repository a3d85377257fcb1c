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
    const struct gw_candidate c[] = { { .cloud_id = 10, .usable = true },
                                      { .cloud_id = 11 },
                                      { .cloud_id = 12, .usable = true },
                                      { .cloud_id = 13, .usable = true },
                                      { .cloud_id = 14 } };
    uint32_t got[5] = { 0 };
    struct qc_err err = { 0 };

    CHECK_OK(gw_place_clouds(c, 5, 3, &none, got, &err));
    CHECK(got[0] == 10 && got[1] == 12 && got[2] == 13);
    CHECK_OK(gw_place_clouds(c, 5, 5, &none, got, &err));
    CHECK(got[0] == 10 && got[1] == 11 && got[2] == 12 && got[3] == 13 && got[4] == 14);
    CHECK_RC(gw_place_clouds(c, 5, 2, &none, got, &err), QC_RANDOM);
    CHECK_RC(gw_place_clouds(c, 5, 4, &none, got, &err), QC_RANDOM); /* which of the two unusable ones? */
    CHECK_RC(gw_place_clouds(c, 5, 6, &none, got, &err), QC_QUORUM);
}

/* 3 of 6 usable ones: 20 subsets, each within six standard deviations of a twentieth. */
static void even(struct qc_rand *r)
{
    enum { TRIES = 40000, SUBSETS = 20 };
    struct gw_candidate c[7] = { 0 };
    const qc_rng rng = qc_rand_rng(r);
    unsigned seen[64] = { 0 }, subsets = 0;
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < 7; i++)
        c[i] = (struct gw_candidate){ .cloud_id = i < 2    ? i
                                                  : i == 2 ? 9
                                                           : i - 1,
                                      .usable = i != 2,
                                      .weight = 100 };
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

/* Chances of each cloud to be among the n chosen: all orders of choosing, each with its chance. */
static double chance(const struct gw_candidate *c, unsigned count, unsigned n, unsigned out, unsigned which)
{
    double sum = 0, p = 0;

    if (n == 0)
        return 0;
    for (unsigned i = 0; i < count; i++)
        sum += (out >> i & 1) != 0 ? 0 : c[i].weight;
    for (unsigned i = 0; i < count; i++) {
        unsigned next = out;
        if ((out >> i & 1) != 0 || c[i].weight == 0)
            continue;
        for (unsigned j = 0; j < count; j++)
            if (i == j || (c[i].domain != 0 && c[i].domain == c[j].domain))
                next |= 1U << j;
        p += c[i].weight / sum * (i == which ? 1 : chance(c, count, n - 1, next, which));
    }
    return p;
}

/* Weights and domains: each cloud is chosen as often as theory says, within six standard deviations, and no
 * two of a domain together. */
static void weighted(struct qc_rand *r)
{
    enum { TRIES = 40000, COUNT = 7, N = 3 };
    const qc_rng rng = qc_rand_rng(r);
    struct qc_err err = { 0 };

    for (unsigned round = 0; round < 4; round++) {
        struct gw_candidate c[COUNT];
        unsigned seen[COUNT] = { 0 };
        for (unsigned i = 0; i < COUNT; i++)
            c[i] = (struct gw_candidate){ .cloud_id = i,
                                          .usable = true,
                                          .weight = (unsigned)qc_rand_between(r, 1, 300),
                                          .domain = round < 2 ? 0
                                                    : i < 2   ? 1
                                                    : i < 4   ? 2
                                                              : 0 };
        for (unsigned i = 0; i < TRIES; i++) {
            uint32_t got[N];
            CHECK_OK(gw_place_clouds(c, COUNT, N, &rng, got, &err));
            for (unsigned k = 0; k < N; k++) {
                seen[got[k]]++;
                for (unsigned j = 0; j < k; j++)
                    CHECK(got[j] < got[k] && (c[got[j]].domain == 0 || c[got[j]].domain != c[got[k]].domain));
            }
        }
        for (unsigned i = 0; i < COUNT; i++) {
            const double p = chance(c, COUNT, N, 0, i);
            CHECK(fabs(seen[i] - p * TRIES) < 6 * sqrt(p * (1 - p) * TRIES) + 1);
        }
    }
}

/* Those without a weight, and those that do not answer, only where there are not enough others; and a rule
 * that cannot be met is refused. */
static void last_resorts(struct qc_rand *r)
{
    const qc_rng rng = qc_rand_rng(r);
    const struct gw_candidate c[] = {
        { .cloud_id = 0, .usable = true, .weight = 7 },
        { .cloud_id = 1, .usable = true },
        { .cloud_id = 2, .weight = 900 },
        { .cloud_id = 3, .usable = true, .weight = 1 },
        { .cloud_id = 4, .usable = true, .weight = 1000 },
    };
    const struct gw_candidate pairs[] = {
        { .cloud_id = 0, .usable = true, .weight = 7, .domain = 1 },
        { .cloud_id = 1, .weight = 7, .domain = 1 },
        { .cloud_id = 2, .usable = true, .weight = 7, .domain = 2 },
        { .cloud_id = 3, .usable = true, .weight = 7, .domain = 2 },
    };
    uint32_t got[5];
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < 200; i++) {
        CHECK_OK(gw_place_clouds(c, 5, 3, &rng, got, &err));
        CHECK(got[0] == 0 && got[1] == 3 && got[2] == 4);
        CHECK_OK(gw_place_clouds(c, 5, 4, &rng, got, &err));
        CHECK(got[1] == 1);
        CHECK_OK(gw_place_clouds(pairs, 4, 2, &rng, got, &err));
        CHECK(got[0] == 0 && got[1] >= 2);
    }
    CHECK_RC(gw_place_clouds(pairs, 4, 3, &rng, got, &err), QC_QUORUM);
}

static void labels(void)
{
    const struct gw_labels a = { .v = { "acme", "north", "" } }, b = { .v = { "acme", "south", "" } };
    enum gw_domain d;

    CHECK(gw_same_domain(GW_DOMAIN_PROVIDER, &a, &b) && !gw_same_domain(GW_DOMAIN_REGION, &a, &b));
    CHECK(!gw_same_domain(GW_DOMAIN_JURISDICTION, &a, &b) && !gw_same_domain(GW_DOMAIN_CLOUD, &a, &a));
    CHECK(gw_label_ok(QC_LIT("")) && gw_label_ok(QC_LIT("eu-1.x_y")) && gw_label_ok(QC_LIT("9")));
    CHECK(!gw_label_ok(QC_LIT("-a")) && !gw_label_ok(QC_LIT("A")) && !gw_label_ok(QC_LIT("a b")) &&
          !gw_label_ok(qc_span_of("a\0b", 3)));
    CHECK(gw_domain_of_name("region", &d) && d == GW_DOMAIN_REGION && !gw_domain_of_name("planet", &d));
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
    weighted(&r);
    last_resorts(&r);
    labels();
    permutations(&r);
    return 0;
}

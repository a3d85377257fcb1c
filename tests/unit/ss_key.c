/* unit/ss_key: keys split and put together, lengths and errors, and that a failed split leaves no key behind.
 */
#include "qc_check.h"
#include "qc_seed.h"
#include "ss/key.h"

#include <string.h>

static qc_rc refuse(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    (void)ctx;
    (void)p;
    (void)n;
    return QC_FAIL(err, QC_RANDOM, "no randomness in this test");
}

static const qc_key *const *given(qc_key *const *keys, const qc_key **ret, unsigned a, unsigned b, unsigned c)
{
    ret[0] = keys[a];
    ret[1] = keys[b];
    ret[2] = keys[c];
    return ret;
}

static void every_triple(const qc_key *R, const qc_rng *rng)
{
    struct qc_err err = { 0 };
    qc_key *share[4] = { NULL };
    CHECK(ss_key_split(3, 4, NULL, R, rng, share, &err) == QC_OK);
    for (unsigned left_out = 0; left_out < 4; left_out++) {
        unsigned i[3];
        uint8_t at[3];
        for (unsigned j = 0, count = 0; j < 4; j++)
            if (j != left_out) {
                i[count] = j;
                at[count++] = (uint8_t)(j + 1);
            }
        const qc_key *three[3];
        QC_CLEANUP(qc_key_free) qc_key *secret = NULL;
        QC_CLEANUP(qc_key_free) qc_key *fourth = NULL;
        const qc_key *const *in = given(share, three, i[0], i[1], i[2]);
        CHECK(ss_key_combine(3, at, in, 0, &secret, &err) == QC_OK);
        CHECK(qc_key_same(secret, R));
        CHECK(ss_key_combine(3, at, in, (uint8_t)(left_out + 1), &fourth, &err) == QC_OK);
        CHECK(qc_key_same(fourth, share[left_out]));
        CHECK(!qc_key_same(fourth, R));
    }
    static const uint8_t derived_at[3] = { 0, 1, 2 };
    const qc_key *derived[3] = { R, share[0], share[1] };
    QC_CLEANUP(qc_key_free) qc_key *R3 = NULL;
    CHECK(ss_key_combine(3, derived_at, derived, 3, &R3, &err) == QC_USAGE && R3 == NULL);
    CHECK(ss_key_interpolate(3, derived_at, derived, 3, &R3, &err) == QC_OK);
    CHECK(qc_key_same(R3, share[2]));
    for (unsigned i = 0; i < 4; i++)
        qc_key_free(&share[i]);
}

static void refusals(const qc_key *R, const qc_rng *rng)
{
    struct qc_err err = { 0 };
    qc_key *share[256] = { NULL };
    const qc_rng none = { .fill = refuse };
    static const uint8_t twice[4] = { 1, 2, 2, 3 };
    CHECK(ss_key_split(3, 4, NULL, R, &none, share, &err) == QC_RANDOM);
    CHECK(ss_key_split(5, 4, NULL, R, rng, share, &err) == QC_USAGE);
    CHECK(ss_key_split(3, 4, twice, R, rng, share, &err) == QC_USAGE);
    CHECK(ss_key_split(3, 256, NULL, R, rng, share, &err) == QC_USAGE);
    QC_CLEANUP(qc_key_free) qc_key *large = NULL;
    CHECK(qc_key_new(&large, 2048, rng, &err) == QC_OK);
    CHECK(ss_key_split(4, 4, NULL, large, rng, share, &err) == QC_LIMIT); /* 6,144 bytes of coefficients */
    for (unsigned i = 0; i < 256; i++)
        CHECK(share[i] == NULL);

    static const uint8_t at[2] = { 1, 2 };
    const qc_key *unequal[2] = { R, large };
    QC_CLEANUP(qc_key_free) qc_key *out = NULL;
    CHECK(ss_key_combine(2, at, unequal, 0, &out, &err) == QC_USAGE && out == NULL);
    CHECK(ss_key_combine(0, at, unequal, 0, &out, &err) == QC_USAGE && out == NULL);
    CHECK(ss_key_combine(256, at, unequal, 0, &out, &err) == QC_USAGE && out == NULL);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    qc_rng rng = qc_rand_rng(&r);
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *R = NULL;
    CHECK(qc_key_new(&R, 32, &rng, &err) == QC_OK);
    every_triple(R, &rng);
    refusals(R, &rng);
    return 0;
}

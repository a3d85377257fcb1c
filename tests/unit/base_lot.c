/* unit/base_lot: a sample has the size that was asked for, the same seed draws it again, and each thing is as
 * likely to be in it. */
#include "base/lot.h"

#include "qc_check.h"

static uint32_t sample(uint64_t seed, unsigned all, unsigned come, unsigned want)
{
    struct qc_lot l = { .seed = seed, .all = all, .sample = want };
    struct qc_err err = { 0 };
    uint32_t set = 0;

    for (unsigned i = 0; i < come; i++) {
        bool wanted = false;
        CHECK_OK(qc_lot_next(&l, &wanted, &err));
        set |= (uint32_t)wanted << i;
    }
    CHECK(l.seen == come && l.taken == (unsigned)__builtin_popcount(set));
    return set;
}

int main(void)
{
    unsigned count[12] = { 0 };
    struct qc_err err = { 0 };
    uint64_t n = 0;

    for (unsigned all = 0; all <= 12; all++)
        for (unsigned want = 0; want <= 14; want++) {
            const unsigned expect = want == 0 || want > all ? all : want;
            CHECK((unsigned)__builtin_popcount(sample(7, all, all, want)) == expect);
            CHECK((sample(7, all, all + 5, want) >> all) == 0); /* what came since is left out */
            CHECK(sample(9, all, all, want) == sample(9, all, all, want));
        }
    for (uint64_t seed = 0; seed < 1200; seed++)
        for (unsigned i = 0, set = sample(seed, 12, 12, 3); i < 12; i++)
            count[i] += set >> i & 1;
    for (unsigned i = 0; i < 12; i++) /* 300 each: five standard deviations are 75 */
        CHECK(count[i] > 225 && count[i] < 375);
    for (uint64_t place = 0; place < 100; place++) {
        CHECK_OK(qc_lot_draw(1, place, 3, &n, &err));
        CHECK(n < 3);
    }
    CHECK_OK(qc_lot_draw(UINT64_MAX, UINT64_MAX, 1, &n, &err));
    CHECK(n == 0);
    return 0;
}

/* unit/gateway_pace: who is asked first, when a read is raced, and that races stay a tenth (P1). */
#include "pace.h"
#include "qc_check.h"
#include "qc_seed.h"

static void sample(struct gw_pace *p, unsigned at, uint64_t ms, uint64_t now)
{
    gw_pace_note(p, &(struct gw_pace_sample){ .at = at, .bytes = 100000, .ms = ms }, now);
}

static unsigned rank_of(struct gw_pace *p, int at, uint64_t now)
{
    static const int all[] = { 0, 1, 2, 3, 4, -1 };
    unsigned ranks[6];
    gw_pace_rank(p, all, 6, 100000, now, ranks);
    CHECK(ranks[5] == 0);
    return ranks[at];
}

static void ranks(void)
{
    struct gw_pace p;
    gw_pace_init(&p);
    for (int i = 0; i < 5; i++)
        CHECK(rank_of(&p, i, 1000) == 0); /* nothing is known */
    for (unsigned i = 0; i < 20; i++)
        for (unsigned at = 0; at < 4; at++)
            sample(&p, at, at == 3 ? 3000 : 1 + at * 7, 1000);
    CHECK(rank_of(&p, 0, 1000) == 0 && rank_of(&p, 1, 1000) == 0 && rank_of(&p, 2, 1000) == 0);
    CHECK(rank_of(&p, 3, 1000) >= 5); /* 3 s beside 21 ms: more than 2^5 times as long */
    CHECK(rank_of(&p, 4, 1000) == 0); /* never heard of: it is tried */
    for (unsigned i = 0; i < 3; i++)
        sample(&p, 1, 5000, 1000);
    CHECK(rank_of(&p, 1, 1000) == 0); /* three odd ones */
    /* After a while it is asked again; one more slow answer, and it is the last at once. */
    CHECK(rank_of(&p, 3, 1000 + QC_GW_PACE_MEMORY_MS) == 0);
    sample(&p, 3, 3000, 40000);
    CHECK(rank_of(&p, 3, 40000) >= 5);
    /* Well again: a few answers do. */
    sample(&p, 3, 1, 41000);
    CHECK(rank_of(&p, 3, 41000) >= 5);
    for (unsigned i = 0; i < 3; i++)
        sample(&p, 3, 1, 41000);
    CHECK(rank_of(&p, 3, 41000) == 0);
    /* Other sizes are another matter. */
    unsigned r[2];
    const int two[] = { 0, 3 };
    for (unsigned i = 0; i < GW_PACE_HEARD; i++) {
        gw_pace_note(&p, &(struct gw_pace_sample){ .at = 0, .bytes = 5 << 20, .ms = 1000 }, 41000);
        gw_pace_note(&p, &(struct gw_pace_sample){ .at = 3, .bytes = 5 << 20, .ms = 50 }, 41000);
    }
    gw_pace_rank(&p, two, 2, 5 << 20, 41000, r);
    CHECK(r[0] > 0 && r[1] == 0 && rank_of(&p, 0, 41000) == 0);
    gw_pace_done(&p);
}

/* What was not waited for weighs more than it took. */
static void given_up(void)
{
    struct gw_pace p;
    gw_pace_init(&p);
    for (unsigned i = 0; i < 20; i++)
        for (unsigned at = 0; at < 4; at++)
            sample(&p, at, 2, 1000);
    unsigned lost = 0;
    while (rank_of(&p, 1, 1000) == 0 && lost++ < 100)
        gw_pace_note(&p, &(struct gw_pace_sample){ .at = 1, .bytes = 100000, .ms = 50, .given_up = true },
                     1000);
    CHECK(lost == 4);
    gw_pace_done(&p);
}

/* For qsort. */
static int longer_first(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

/* Against a plain sort. */
static void percentiles(struct qc_rand *rand)
{
    for (unsigned round = 0; round < 300; round++) {
        struct gw_pace p;
        int ms[GW_PACE_WINDOW];
        const unsigned n =
            GW_PACE_ENOUGH + (unsigned)qc_rand_below(rand, GW_PACE_WINDOW - GW_PACE_ENOUGH + 1);
        gw_pace_init(&p);
        for (unsigned i = 0; i < 100 && n == GW_PACE_WINDOW; i++)
            sample(&p, 0, 60000, 0); /* forgotten, as there are enough after them */
        for (unsigned i = 0; i < n; i++) {
            ms[i] = (int)qc_rand_below(rand, 700);
            sample(&p, 0, (uint64_t)ms[i], 0);
        }
        qsort(ms, n, sizeof ms[0], longer_first);
        uint64_t want = (uint64_t)ms[n / 20] + 1;
        want = want > QC_GW_HEDGE_MS ? QC_GW_HEDGE_MS : want < QC_GW_HEDGE_MIN_MS ? QC_GW_HEDGE_MIN_MS : want;
        const int at = 0, other = 1;
        CHECK(gw_pace_patience(&p, &at, 1, 100000) == want);
        CHECK(gw_pace_patience(&p, &other, 1, 100000) == want); /* as long as the slowest that is known */
        CHECK(gw_pace_patience(&p, &at, 1, 10) == QC_GW_HEDGE_MS);
        gw_pace_done(&p);
    }
}

static void credit(struct qc_rand *rand)
{
    struct gw_pace p;
    gw_pace_init(&p);
    uint64_t read = 0, raced = 0;
    while (gw_pace_spend(&p))
        raced++;
    CHECK(raced == 10); /* what is there to begin with */
    raced = 0;
    for (unsigned i = 0; i < 5000; i++) {
        const unsigned k = 1 + (unsigned)qc_rand_below(rand, 9);
        gw_pace_earn(&p, k);
        read += k;
        if (qc_rand_below(rand, 3) == 0)
            while (gw_pace_spend(&p))
                raced++;
        CHECK(10 * raced <= read);
    }
    CHECK(10 * raced > read - 200); /* and all of a tenth */
    for (unsigned i = 0; i < 5000; i++)
        gw_pace_earn(&p, 9);
    for (raced = 0; gw_pace_spend(&p);)
        raced++;
    CHECK(raced == 10); /* quiet times are not saved up */
    p.percent = 0;
    gw_pace_earn(&p, 100000);
    CHECK(!gw_pace_spend(&p));
    gw_pace_done(&p);
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    ranks();
    given_up();
    percentiles(&rand);
    credit(&rand);
    return 0;
}

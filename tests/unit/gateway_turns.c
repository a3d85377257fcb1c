/* unit/gateway_turns: whose debts are paid next, and when. */
#include "qc_check.h"
#include "turns.h"

static int take(struct gw_turns *t, uint64_t now)
{
    uint64_t wait;
    return gw_turns_take(t, now, &wait);
}

/* All are due at the start, in turn; a cloud has one turn at a time. */
static void fair(void)
{
    struct gw_turns t = { .count = 3 };
    uint64_t wait = 1;

    for (unsigned round = 0; round < 3; round++) {
        for (int at = 0; at < 3; at++)
            CHECK(take(&t, 5) == at);
        CHECK(gw_turns_take(&t, 5, &wait) == -1 && wait == UINT64_MAX); /* all are at work */
        for (unsigned at = 0; at < 3; at++)
            gw_turns_end(&t, at, GW_TURN_PAID, 5, 0);
    }
    CHECK(gw_turns_busy(&t));
    /* 2 is slow: the others go on. */
    for (int at = 0; at < 3; at++)
        CHECK(take(&t, 6) == at);
    for (unsigned i = 0; i < 4; i++) {
        gw_turns_end(&t, i % 2, GW_TURN_PAID, 6, 0);
        CHECK(take(&t, 6) == (int)i % 2);
    }
    gw_turns_end(&t, 2, GW_TURN_PASSED, 7, 0);
    CHECK(take(&t, 7) == 2);
    CHECK_DIES(gw_turns_end(&t, 3, GW_TURN_PAID, 7, 0));
    gw_turns_end(&t, 2, GW_TURN_NOTHING, 8, 0);
    CHECK_DIES(gw_turns_end(&t, 2, GW_TURN_NOTHING, 8, 0));
    CHECK(gw_turns_take(&t, 9, &wait) == -1 && wait == QC_GW_DEBT_LOOK_MS - 1);
    CHECK(take(&t, 8 + QC_GW_DEBT_LOOK_MS) == 2);
}

/* Who fails rests longer each time; payment ends it. */
static void rests(void)
{
    struct gw_turns t = { .count = 1 };
    uint64_t now = 1000, before = 0, wait;

    for (unsigned i = 0; i < 12; i++) {
        CHECK(take(&t, now) == 0);
        gw_turns_end(&t, 0, GW_TURN_FAILED, now, UINT32_MAX);
        CHECK(gw_turns_take(&t, now, &wait) == -1 && wait == t.v[0].due_ms - now);
        CHECK(wait <= QC_GW_DEBT_REST_MOST_MS && wait >= QC_GW_DEBT_REST_MS / 2);
        CHECK(i == 0 || i > 5 || wait > before);
        CHECK(take(&t, t.v[0].due_ms - 1) == -1);
        before = wait;
        now = t.v[0].due_ms;
    }
    CHECK(before >= QC_GW_DEBT_REST_MOST_MS / 2 && !gw_turns_busy(&t));
    CHECK(take(&t, now) == 0);
    gw_turns_end(&t, 0, GW_TURN_PAID, now, 0);
    CHECK(t.v[0].failures == 0 && gw_turns_busy(&t) && take(&t, now) == 0);
    gw_turns_end(&t, 0, GW_TURN_NOTHING, now, 0);
    CHECK(!gw_turns_busy(&t));
}

/* Somebody else found that it is back; and who waits for others hears of it. */
static void back(void)
{
    struct gw_turns t = { .count = 3 };

    (void)gw_turns_see(&t, 6, 0); /* 0 is away */
    for (unsigned at = 0; at < 3; at++)
        CHECK(take(&t, 0) == (int)at);
    for (unsigned i = 0; i < 20; i++) {
        gw_turns_end(&t, 0, GW_TURN_FAILED, 0, 0);
        t.v[0].working = true;
    }
    gw_turns_end(&t, 0, GW_TURN_FAILED, 0, 0);
    gw_turns_end(&t, 1, GW_TURN_STUCK, 0, 0);
    gw_turns_end(&t, 2, GW_TURN_FAILED, 0, 0); /* it is well, and full */
    CHECK(!gw_turns_busy(&t) && take(&t, 100) == -1);
    (void)gw_turns_see(&t, 6, 100);
    CHECK(take(&t, 100) == -1);
    (void)gw_turns_see(&t, 7, 100);
    CHECK(t.v[0].failures == 0);
    CHECK(take(&t, 100) == 0);
    CHECK(take(&t, 100) == 1);
    CHECK(take(&t, 100) == -1);
    gw_turns_end(&t, 0, GW_TURN_FAILED, 100, 0);
    (void)gw_turns_see(&t, 7, 101); /* no news */
    CHECK(take(&t, 101) == -1);
}

/* What is found while a cloud rests is its due at once; while it works, once its turn is over, whatever that
 * turn saw. Who does not take it rests all the same (T2). */
static void news(void)
{
    static const struct {
        enum gw_turn_end end;
        bool due;
    } rows[] = { { GW_TURN_NOTHING, true }, { GW_TURN_STUCK, true }, { GW_TURN_FAILED, false } };

    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gw_turns t = { .count = 1 };
        CHECK(take(&t, 0) == 0);
        gw_turns_end(&t, 0, rows[i].end, 0, UINT32_MAX);
        CHECK(take(&t, 1) == -1);
        gw_turns_news(&t, 0, 1);
        CHECK((take(&t, 1) == 0) == rows[i].due);

        t = (struct gw_turns){ .count = 1 };
        CHECK(take(&t, 0) == 0);
        gw_turns_news(&t, 0, 0);
        CHECK(take(&t, 0) == -1); /* T1 */
        gw_turns_end(&t, 0, rows[i].end, 0, UINT32_MAX);
        CHECK((take(&t, 0) == 0) == rows[i].due);
        if (!rows[i].due)
            continue;
        gw_turns_end(&t, 0, GW_TURN_NOTHING, 0, 0); /* once */
        CHECK(take(&t, 1) == -1);
    }
    struct gw_turns t = { .count = 1 };
    CHECK_DIES(gw_turns_news(&t, 1, 0));
}

int main(void)
{
    fair();
    rests();
    back();
    news();
    return 0;
}

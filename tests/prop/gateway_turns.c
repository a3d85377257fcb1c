/* prop/gateway_turns: clouds that go and come back for days of simulated time, against turns and breakers:
 * whatever they do, all that is owed is paid soon after a cloud is back for good, nobody is asked too often,
 * and a cloud that is dead costs few requests. (ADR 14) */
#include <string.h>

#include "gateway/breaker.h"
#include "gateway/env.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "turns.h"

enum { CLOUDS = 5, WORKERS = 2, PAY_MS = 50, HANG_MS = 30000, HOUR_MS = 3600 * 1000 };

struct world {
    struct qc_rand *rand;
    uint64_t now;
    struct gw_turns turns;
    bool up[CLOUDS], hangs[CLOUDS]; /* when it is not up */
    unsigned owed[CLOUDS], paid[CLOUDS];
    uint64_t asked[CLOUDS]; /* while it was away */
    uint64_t away_ms[CLOUDS], last_ms[CLOUDS];
    struct {
        int at;
        uint64_t done_ms;
    } worker[WORKERS];
};

static uint32_t below(struct world *w, uint32_t n)
{
    return (uint32_t)qc_rand_below(w->rand, n);
}

static uint32_t seen(const struct world *w)
{
    uint32_t well = 0;
    for (unsigned at = 0; at < CLOUDS; at++)
        well |= (uint32_t)w->up[at] << at;
    return well;
}

/* A worker takes a turn: how long will it work? */
static void begin(struct world *w, unsigned i)
{
    uint64_t wait;
    w->worker[i].at = gw_turns_take(&w->turns, w->now, &wait);
    if (w->worker[i].at < 0)
        return;
    const unsigned at = (unsigned)w->worker[i].at;
    for (unsigned other = 0; other < WORKERS; other++)
        CHECK(other == i || w->worker[other].at != (int)at); /* T1 */
    if (!w->up[at])
        w->asked[at]++;
    w->worker[i].done_ms = w->now + (w->up[at] ? PAY_MS : w->hangs[at] ? HANG_MS : 1);
    w->last_ms[at] = w->now;
}

static void end(struct world *w, unsigned i)
{
    const unsigned at = (unsigned)w->worker[i].at;
    enum gw_turn_end how = GW_TURN_FAILED;

    if (w->up[at]) {
        how = w->owed[at] > 0 ? GW_TURN_PAID : GW_TURN_NOTHING;
        w->paid[at] += w->owed[at] > 0;
        w->owed[at] -= w->owed[at] > 0;
    }
    w->worker[i].at = -1;
    gw_turns_end(&w->turns, at, how, w->now, (uint32_t)qc_rand_u64(w->rand));
}

static void step(struct world *w)
{
    (void)gw_turns_see(&w->turns, seen(w), w->now);
    for (unsigned i = 0; i < WORKERS; i++) {
        if (w->worker[i].at >= 0 && w->worker[i].done_ms <= w->now)
            end(w, i);
        if (w->worker[i].at < 0)
            begin(w, i);
    }
    for (unsigned at = 0; at < CLOUDS; at++)
        w->away_ms[at] += w->up[at] ? 0 : PAY_MS;
    w->now += PAY_MS;
}

static void chance(struct world *w)
{
    const unsigned at = below(w, CLOUDS);

    switch (below(w, 3)) {
    case 0:
        w->up[at] = !w->up[at];
        w->hangs[at] = below(w, 2) == 0;
        break;
    case 1:
        w->owed[at] += below(w, 40);
        if (below(w, 2) == 0) /* it was told */
            gw_turns_news(&w->turns, at, w->now);
        break;
    default:
        break;
    }
}

static void history(struct qc_rand *rand)
{
    struct world w = { .rand = rand, .turns = { .count = CLOUDS } };

    memset(w.up, 1, sizeof w.up);
    for (unsigned i = 0; i < WORKERS; i++)
        w.worker[i].at = -1;
    for (uint64_t until = 6ULL * HOUR_MS; w.now < until;) {
        for (unsigned quiet = below(&w, 20000); quiet > 0 && w.now < until; quiet--)
            step(&w);
        chance(&w);
    }
    /* Away for good: at most one request a second at first, and one each half of the longest rest later. */
    for (unsigned at = 0; at < CLOUDS; at++)
        CHECK(w.asked[at] <= 8 * 40 + w.away_ms[at] / (QC_GW_DEBT_REST_MOST_MS / 2));
    /* All come back: a turn that hangs ends, and then each debt takes its time, with one of two workers each.
     */
    memset(w.up, 1, sizeof w.up);
    unsigned sum = 0;
    for (unsigned at = 0; at < CLOUDS; at++)
        sum += w.owed[at];
    const uint64_t due = w.now + HANG_MS + (uint64_t)(sum + 2 * CLOUDS) * 2 * PAY_MS;
    while (w.now < due)
        step(&w);
    for (unsigned at = 0; at < CLOUDS; at++)
        CHECK(w.owed[at] == 0);
    CHECK(!gw_turns_busy(&w.turns));
}

/* A dead cloud under a stream of requests: how often does one of them wait? */
static void dead(struct qc_rand *rand)
{
    struct gw_breaker b = { 0 };
    unsigned waits = 0;
    bool in_time = true;

    for (uint64_t now = 0; now < HOUR_MS; now += 1 + qc_rand_below(rand, 100)) {
        if (!gw_breaker_probe(&b, now))
            continue;
        waits++;
        gw_breaker_miss(&b, now, (uint32_t)qc_rand_u64(rand));
        in_time = in_time && b.until_ms - now <= QC_GW_BREAKER_MOST_MS;
    }
    CHECK(in_time && waits <= 10 + HOUR_MS / (QC_GW_BREAKER_MOST_MS / 2));
    CHECK(waits >= HOUR_MS / QC_GW_BREAKER_MOST_MS);
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    const uint64_t histories = qc_rand_cases(12, 400);

    for (uint64_t i = 0; i < histories; i++) {
        history(&rand);
        dead(&rand);
    }
    return 0;
}

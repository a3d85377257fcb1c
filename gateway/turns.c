#include "turns.h"

#include "base/err.h"
#include "gateway/env.h"

int gw_turns_take(struct gw_turns *t, uint64_t now_ms, uint64_t *ret_wait_ms)
{
    int best = -1;
    uint64_t first_ms = UINT64_MAX;

    for (unsigned at = 0; at < t->count; at++) {
        const struct gw_turn *v = &t->v[at];
        if (v->working)
            continue;
        first_ms = v->due_ms < first_ms ? v->due_ms : first_ms;
        if (v->due_ms <= now_ms && (best < 0 || v->taken < t->v[best].taken))
            best = (int)at;
    }
    *ret_wait_ms = first_ms == UINT64_MAX ? UINT64_MAX : first_ms > now_ms ? first_ms - now_ms : 0;
    if (best < 0)
        return -1;
    t->v[best].working = true;
    t->v[best].taken = ++t->taken;
    return best;
}

void gw_turns_end(struct gw_turns *t, unsigned at, enum gw_turn_end end, uint64_t now_ms, uint32_t chance)
{
    QC_ASSERT(at < t->count && t->v[at].working);
    struct gw_turn *v = &t->v[at];

    const bool news = v->news && end != GW_TURN_FAILED;

    v->working = false;
    v->news = false;
    v->stuck = end == GW_TURN_STUCK;
    if (end != GW_TURN_FAILED)
        v->owes = end != GW_TURN_NOTHING;
    switch (end) {
    case GW_TURN_PAID:
        v->failures = 0;
        v->due_ms = now_ms;
        break;
    case GW_TURN_PASSED:
        v->due_ms = now_ms;
        break;
    case GW_TURN_NOTHING:
        v->failures = 0;
        v->due_ms = now_ms + QC_GW_DEBT_LOOK_MS;
        break;
    case GW_TURN_FAILED:
    case GW_TURN_STUCK:
        v->failures += v->failures < UINT32_MAX;
        v->due_ms = now_ms + gw_backoff_ms(v->failures, QC_GW_DEBT_REST_MS, QC_GW_DEBT_REST_MOST_MS, chance);
    }
    if (news)
        v->due_ms = now_ms;
}

void gw_turns_news(struct gw_turns *t, unsigned at, uint64_t now_ms)
{
    QC_ASSERT(at < t->count);
    struct gw_turn *v = &t->v[at];

    v->news = v->working;
    if (!v->working && (v->failures == 0 || v->stuck) && now_ms < v->due_ms)
        v->due_ms = now_ms;
}

void gw_turns_again(struct gw_turns *t, unsigned at, uint64_t now_ms)
{
    QC_ASSERT(at < t->count);
    struct gw_turn *v = &t->v[at];

    v->news = v->working;
    if (!v->working && now_ms < v->due_ms)
        v->due_ms = now_ms;
}

uint32_t gw_turns_see(struct gw_turns *t, uint32_t well, uint64_t now_ms)
{
    uint32_t back = 0;

    for (unsigned at = 0; at < t->count; at++) {
        const bool ill = (well >> at & 1) == 0;
        if (t->v[at].ill && !ill)
            back |= UINT32_C(1) << at;
        t->v[at].ill = ill;
    }
    for (unsigned at = 0; at < t->count; at++) {
        struct gw_turn *v = &t->v[at];
        if ((back >> at & 1) == 0 && (back == 0 || !v->stuck))
            continue;
        v->failures = 0;
        v->due_ms = now_ms < v->due_ms ? now_ms : v->due_ms;
    }
    return back;
}

bool gw_turns_busy(const struct gw_turns *t)
{
    for (unsigned at = 0; at < t->count; at++)
        if (!t->v[at].ill && t->v[at].owes && t->v[at].failures == 0)
            return true;
    return false;
}

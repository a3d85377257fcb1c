#include "gateway/breaker.h"

#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"
#include "gateway/env.h"

const char *gw_breaker_state_name(enum gw_breaker_state s)
{
    static const char *const names[] = {
        [GW_BREAKER_CLOSED] = "closed",
        [GW_BREAKER_OPEN] = "open",
        [GW_BREAKER_HALF] = "half-open",
    };

    QC_ASSERT((size_t)s < sizeof names / sizeof *names);
    return names[s];
}

void gw_breaker_miss(struct gw_breaker *b, uint64_t now_ms, uint32_t chance)
{
    if (b->state == GW_BREAKER_OPEN && now_ms < b->until_ms)
        return; /* sent before it opened */
    b->misses += b->misses < UINT32_MAX;
    b->state = GW_BREAKER_OPEN;
    b->until_ms = now_ms + gw_backoff_ms(b->misses, QC_GW_PROBE_AGAIN_MS, QC_GW_BREAKER_MOST_MS, chance);
}

void gw_breaker_answer(struct gw_breaker *b)
{
    b->state = GW_BREAKER_CLOSED;
    b->until_ms = 0;
}

void gw_breaker_work(struct gw_breaker *b)
{
    if (b->state == GW_BREAKER_CLOSED)
        b->misses = 0;
}

bool gw_breaker_due(const struct gw_breaker *b, uint64_t now_ms)
{
    return b->state == GW_BREAKER_CLOSED || now_ms >= b->until_ms;
}

bool gw_breaker_probe(struct gw_breaker *b, uint64_t now_ms)
{
    if (!gw_breaker_due(b, now_ms))
        return false;
    if (b->state == GW_BREAKER_CLOSED)
        return true;
    b->state = GW_BREAKER_HALF;
    b->until_ms = now_ms + QC_GW_BREAKER_MOST_MS;
    return true;
}

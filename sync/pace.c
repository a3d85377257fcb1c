#include "sync/pace.h"

#include "base/limits.h"

void sync_pace_begin(struct sync_pace *p, uint64_t every_ms, uint64_t now_ms)
{
    *p = (struct sync_pace){ .every_ms = every_ms, .next_ms = now_ms, .calm_ms = now_ms + QC_WATCH_QUIET_MS };
}

void sync_pace_changed(struct sync_pace *p, uint64_t now_ms)
{
    if (p->last_ms == 0)
        p->first_ms = now_ms;
    p->last_ms = now_ms;
}

static bool quiet(const struct sync_pace *p, uint64_t now_ms)
{
    return now_ms >= p->calm_ms && (p->last_ms == 0 || now_ms - p->last_ms >= QC_WATCH_QUIET_MS);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* When the next pass is due, if nothing more happens. */
static uint64_t when(const struct sync_pace *p)
{
    uint64_t at = p->next_ms;
    if (p->fails > 0)
        return p->retry_ms;
    if (p->last_ms != 0)
        at = least(at, least(p->last_ms + QC_WATCH_SETTLE_MS, p->first_ms + QC_WATCH_PATIENCE_MS));
    else if (p->held)
        at = least(at, p->rest_ms);
    return most(at, p->rest_ms);
}

enum sync_due sync_pace_due(const struct sync_pace *p, uint64_t now_ms, uint64_t *ret_ms)
{
    const uint64_t at = when(p);
    *ret_ms = at > now_ms ? at - now_ms : 0;
    if (*ret_ms > 0)
        return SYNC_DUE_NOT;
    return quiet(p, now_ms) ? SYNC_DUE_ALL : SYNC_DUE_NEW;
}

void sync_pace_started(struct sync_pace *p)
{
    p->first_ms = p->last_ms = 0;
}

void sync_pace_done(struct sync_pace *p, uint64_t began_ms, uint64_t now_ms, bool held)
{
    p->fails = 0;
    p->held = held;
    p->next_ms = now_ms + p->every_ms;
    p->rest_ms = now_ms + most(now_ms - began_ms, held ? QC_WATCH_QUIET_MS : 0);
}

void sync_pace_away(struct sync_pace *p, uint64_t now_ms)
{
    const unsigned doublings = p->fails < 16 ? p->fails : 16;
    p->fails++;
    p->retry_ms = now_ms + least((uint64_t)QC_WATCH_RETRY_MS << doublings, QC_WATCH_RETRY_MAX_MS);
}

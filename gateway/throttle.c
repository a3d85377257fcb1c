#include "throttle.h"

#include <string.h>

#include "base/limits.h"

enum { KEYS = 65536 };
#define COST_MAX_US 1e15 /* 31 years: longer than anybody waits for a page */

/* Microseconds that n of something take at so many a second, the last one begun. In floating point: a rate
 * that is not met to a millionth is met. */
static uint64_t cost_us(uint64_t n, uint64_t per_s)
{
    const double us = per_s == 0 ? 0 : (double)n * 1e6 / (double)per_s;

    return us < COST_MAX_US ? (uint64_t)us + ((double)(uint64_t)us < us) : (uint64_t)COST_MAX_US;
}

void gw_throttle_take(struct gw_throttle *p, uint64_t now_ms, uint64_t bytes, uint64_t requests)
{
    const uint64_t b = cost_us(bytes, p->bytes_per_s), r = cost_us(requests, p->requests_per_s);
    const uint64_t now_us = now_ms * 1000;

    p->free_us = (p->free_us > now_us ? p->free_us : now_us) + (b > r ? b : r);
}

uint64_t gw_throttle_wait_ms(const struct gw_throttle *p, uint64_t now_ms)
{
    const uint64_t now_us = now_ms * 1000;

    return p->free_us > now_us ? (p->free_us - now_us + 999) / 1000 : 0;
}

int64_t gw_forecast_s(uint64_t done, uint64_t all, uint64_t spent_ms)
{
    if (done >= all)
        return 0;
    if (done == 0 || spent_ms < QC_GW_FORECAST_MS)
        return -1;
    const double left_s = (double)spent_ms / 1000.0 / (double)done * (double)(all - done);
    return left_s < (double)INT32_MAX ? (int64_t)left_s + 1 : -1;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint64_t gw_listing_done(const char *after)
{
    uint64_t v = 0;

    if (strncmp(after, "f/", 2) != 0)
        return after[0] > 'f' ? KEYS : 0;
    for (unsigned i = 0; i < 4; i++) {
        const int d = strlen(after) < 5 + 4 ? -1 : digit(after[5 + i]);
        if (d < 0)
            return 0;
        v = v << 4 | (unsigned)d;
    }
    return v;
}

#include "throttle.h"

#include <string.h>

#include "base/limits.h"

enum { KEYS = 65536 };

/* Milliseconds that n of something take at so many a second. */
static uint64_t cost_ms(uint64_t n, uint64_t per_s)
{
    return per_s == 0 ? 0 : n / per_s * 1000 + n % per_s * 1000 / per_s;
}

void gw_throttle_take(struct gw_throttle *p, uint64_t now_ms, uint64_t bytes, uint64_t requests)
{
    const uint64_t b = cost_ms(bytes, p->bytes_per_s), r = cost_ms(requests, p->requests_per_s);

    p->free_ms = (p->free_ms > now_ms ? p->free_ms : now_ms) + (b > r ? b : r);
}

uint64_t gw_throttle_wait_ms(const struct gw_throttle *p, uint64_t now_ms)
{
    return p->free_ms > now_ms ? p->free_ms - now_ms : 0;
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

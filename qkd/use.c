#include "qkd/use.h"

#include <math.h>

#include "base/limits.h"

enum { LEAST_MS = 1000, SAYS_MS = 60000 };

static double over_s(bool long_one)
{
    return long_one ? QKD_USE_LONG_S : QKD_USE_SHORT_S;
}

static double seconds(uint64_t from_ms, uint64_t to_ms)
{
    return to_ms > from_ms ? (double)(to_ms - from_ms) / 1000 : 0;
}

void qkd_use_note(struct qkd_use *u, uint64_t now_ms, uint64_t bits)
{
    if (!u->began) {
        *u = (struct qkd_use){ .began = true, .since_ms = now_ms, .seen_ms = now_ms };
        return;
    }
    for (int i = 0; i < 2; i++)
        u->sum[i] =
            u->sum[i] * exp(-seconds(u->seen_ms, now_ms) / over_s(i == 1)) + (double)bits / over_s(i == 1);
    u->seen_ms = now_ms > u->seen_ms ? now_ms : u->seen_ms;
}

double qkd_use_bps(const struct qkd_use *u, uint64_t now_ms, bool long_one)
{
    const double age = seconds(u->since_ms, now_ms), t = over_s(long_one);
    if (!u->began || age * 1000 < LEAST_MS)
        return 0;
    return u->sum[long_one] * exp(-seconds(u->seen_ms, now_ms) / t) / -expm1(-age / t);
}

double qkd_use_dry_s(const struct qkd_use *u, uint64_t now_ms, uint64_t stock_bits, uint64_t rate_bps)
{
    double dry = INFINITY;
    for (int i = 0; i < 2; i++) {
        const double less = qkd_use_bps(u, now_ms, i == 1) - (double)rate_bps;
        if (less > 0 && (double)stock_bits / less < dry)
            dry = (double)stock_bits / less;
    }
    return dry;
}

enum qkd_dry qkd_use_dry(const struct qkd_use *u, uint64_t now_ms, double dry_s, enum qkd_dry was)
{
    const double alarm = was == QKD_DRY_ALARM ? 1.1 * QKD_DRY_ALARM_S : QKD_DRY_ALARM_S;
    const double warn = was != QKD_DRY_NOT ? 1.1 * QKD_DRY_WARN_S : QKD_DRY_WARN_S;
    if (!u->began || seconds(u->since_ms, now_ms) * 1000 < SAYS_MS)
        return was;
    return dry_s < alarm ? QKD_DRY_ALARM : dry_s < warn ? QKD_DRY_WARN : QKD_DRY_NOT;
}

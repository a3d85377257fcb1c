#include "gateway/env.h"

#include <stdatomic.h>

#include "base/err.h"
#include "base/time.h"

static uint64_t real_now(void *ctx)
{
    (void)ctx;
    return qc_now_ms();
}

/* The finalizer of splitmix64 (public domain, Vigna 2015) over a clock and a count. */
static uint32_t real_chance(void *ctx)
{
    static atomic_uint_least64_t count;
    uint64_t z = qc_now_ns() + atomic_fetch_add(&count, 1) * UINT64_C(0x9e3779b97f4a7c15);

    (void)ctx;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(z >> 32);
}

const struct gw_env gw_env_real = { .now_ms = real_now, .chance = real_chance };

uint64_t gw_backoff_ms(unsigned failures, uint64_t first_ms, uint64_t most_ms, uint32_t chance)
{
    uint64_t ms = first_ms;

    QC_ASSERT(failures >= 1);
    QC_ASSERT(first_ms >= 1 && first_ms <= most_ms);
    for (unsigned i = 1; i < failures && ms < most_ms; i++)
        ms = ms > most_ms / 2 ? most_ms : 2 * ms;
    return ms - ms / 2 + (uint64_t)chance % (ms / 2 + 1);
}

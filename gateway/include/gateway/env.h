/* Time and chance, as the engine's decisions get them: the machine's own, or a simulation's. Layer 4; uses
 * base. Decisions are pure functions of what they are given (gateway/breaker.h, gateway/turns.h); who drives
 * them asks here. */
#pragma once
#include <stdint.h>

struct gw_env {
    uint64_t (*now_ms)(void *ctx); /* monotonic; any thread */
    uint32_t (*chance)(void *ctx); /* evenly distributed, for jitter: not for secrets; any thread */
    void *ctx;
};
extern const struct gw_env gw_env_real;

static inline uint64_t gw_env_now(const struct gw_env *env)
{
    return env->now_ms(env->ctx);
}

static inline uint32_t gw_env_chance(const struct gw_env *env)
{
    return env->chance(env->ctx);
}

/* How long to wait after so many failures in a row, 1..: first_ms, doubled each time, at most most_ms; of
 * that a half, and a random part of the other half. Pure. */
uint64_t gw_backoff_ms(unsigned failures, uint64_t first_ms, uint64_t most_ms, uint32_t chance);

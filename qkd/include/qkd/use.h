/* How fast key is used, and when a stock is out at that pace. Layer 2; uses base. Pure: times are arguments,
 * in ms of any clock that does not go back. One owner at a time.
 *
 * Two exponential means of what is used, over QKD_USE_SHORT_S and QKD_USE_LONG_S, as if use had gone on like
 * this for ever before it began: so they are right from the first seconds on. The worse of the two counts: a
 * busy quarter of an hour is seen at once, and an idle one hides no busy day. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct qkd_use { /* {0}: nothing was used yet */
    bool began;
    uint64_t since_ms, seen_ms;
    double sum[2]; /* of bits/s, each weighted by its age */
};

/* So many bits are gone, now. Those of the first call begin the measure, and count in none. */
void qkd_use_note(struct qkd_use *u, uint64_t now_ms, uint64_t bits);
/* Bits/s: over the last minutes (long_one false), or the last day. 0 within the first second. */
double qkd_use_bps(const struct qkd_use *u, uint64_t now_ms, bool long_one);
/* Seconds until a stock is out that gets rate_bps more: by the mean that is worse. INFINITY: never. */
double qkd_use_dry_s(const struct qkd_use *u, uint64_t now_ms, uint64_t stock_bits, uint64_t rate_bps);

/* What is to be said of it. */
enum qkd_dry { QKD_DRY_NOT, QKD_DRY_WARN, QKD_DRY_ALARM };
/* The next state after `was`: it gets worse below QKD_DRY_WARN_S and QKD_DRY_ALARM_S, and better a tenth
 * above them: what wavers is said once. Nothing changes in the first minute of use. */
enum qkd_dry qkd_use_dry(const struct qkd_use *u, uint64_t now_ms, double dry_s, enum qkd_dry was);

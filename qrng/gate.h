/* May a source be used? The states between its start, an alarm and its return. Internal to qrng/; pure: the
 * caller says what happened and when.
 *
 *             begin            passed
 *   QUARANTINE ----> TRIAL ------------> OPEN
 *      ^   ^           | failed            | failed
 *      |   +-----------+-------------------+        failed: an alarm, a stall, an end
 *      |               |                   |
 *      |               +----> LOCKED <-----+        the third health alarm within the hour
 *      +---- enable ----------'
 *
 * rest: OPEN -> TRIAL; what was given is in health, what comes after a break is tested anew.
 * A source is born in QUARANTINE, with no wait. Each failure in a row doubles the wait before the next trial.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum qrng_gate_state { QRNG_GATE_QUARANTINE, QRNG_GATE_TRIAL, QRNG_GATE_OPEN, QRNG_GATE_LOCKED };

enum { QRNG_GATE_ALARMS = 3 }; /* within QC_QRNG_ALARMS_MS: only a person lets it in again */

/* All-zero is new. */
struct qrng_gate {
    enum qrng_gate_state state;
    unsigned in_row;                     /* failures since it was last open */
    uint64_t retry_at_ms;                /* no trial before this */
    uint64_t alarm_ms[QRNG_GATE_ALARMS]; /* of the last health alarms, the newest first */
    unsigned alarms;                     /* how many of them are there */
};

/* A trial is to begin. False: not yet, or not at all. QUARANTINE -> TRIAL; elsewhere a bug (asserted). */
bool qrng_gate_begin(struct qrng_gate *g, uint64_t now_ms);
/* The start-up test passed: TRIAL -> OPEN. */
void qrng_gate_passed(struct qrng_gate *g);
/* The source failed: TRIAL or OPEN -> QUARANTINE or LOCKED. health: it was an alarm of a health test, which
 * counts; else it did not answer. */
void qrng_gate_failed(struct qrng_gate *g, bool health, uint64_t now_ms);
/* It is known to have had too many alarms elsewhere: QUARANTINE -> LOCKED. Elsewhere a bug (asserted). */
void qrng_gate_shut(struct qrng_gate *g);
/* A person looked at it: LOCKED -> QUARANTINE, with no wait and no alarms. Elsewhere nothing. */
void qrng_gate_enable(struct qrng_gate *g);
/* It is read no further for a while: OPEN -> TRIAL. Elsewhere nothing. */
void qrng_gate_rest(struct qrng_gate *g);
/* May bytes be given out? */
bool qrng_gate_is_open(const struct qrng_gate *g);

/* Clocks, deadlines, cancellation. Layer 0; uses err. Any thread. Safety never rests on a clock. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"

uint64_t qc_now_ms(void); /* CLOCK_MONOTONIC */
uint64_t qc_now_ns(void);
int64_t qc_wall_s(void); /* seconds since 1970, UTC; for people and logs */

/* An instant of qc_now_ms; {0} is "never". */
typedef struct qc_deadline {
    uint64_t at_ms;
} qc_deadline;

#define QC_NO_DEADLINE ((qc_deadline){ 0 })

qc_deadline qc_deadline_in(uint64_t ms);                   /* from now */
qc_deadline qc_deadline_min(qc_deadline a, qc_deadline b); /* the earlier */
bool qc_deadline_over(qc_deadline d);
uint64_t qc_deadline_left_ms(qc_deadline d); /* 0 when over; UINT64_MAX for never */
struct timespec
qc_deadline_timespec(qc_deadline d); /* for CLOCK_MONOTONIC waits; d is not "never" (asserted) */

/* A flag that one thread, or a signal handler, sets and workers look at. {0} is "go on". */
struct qc_cancel {
    atomic_bool set;
};
void qc_cancel_set(struct qc_cancel *c);
bool qc_cancel_is(const struct qc_cancel *c); /* c may be NULL: false */

/* QC_CANCELLED when c (may be NULL) is set, QC_TIMEOUT when d is over, else QC_OK. what: "put", for the
 * message. */
QC_MUST qc_rc qc_go_on(qc_deadline d, const struct qc_cancel *c, const char *what, struct qc_err *err);

enum { QC_TIME_TEXT = 21 }; /* "2026-01-02T03:04:05Z" and a NUL */
/* RFC 3339, UTC, seconds. t: years 0001..9999 (asserted). */
void qc_time_text(int64_t t, char out[QC_TIME_TEXT]);
/* Exactly that form. QC_FORMAT, also for dates that do not exist and leap seconds. */
QC_MUST qc_rc qc_time_parse(qc_span text, int64_t *ret, struct qc_err *err);
/* A time as people write it: 2026-01-02T03:04:05Z, or with an offset; without one, by this machine's clock,
 * also '2026-01-02 03:04'; with days a date alone, too: its beginning. false: none of these, or before 1970.
 */
QC_MUST bool qc_time_read(const char *word, bool days, int64_t *ret);

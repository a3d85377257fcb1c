/* How long things took, counted. Layer 0; uses nothing. Any thread: two relaxed additions per event, no lock.
 * {0} is empty. A reader may see a count without its time, or the other way round, for as long as an event is
 * being noted. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

enum { QC_HIST_BOUNDS = 14 };
/* Upper bounds in microseconds, ascending: a millisecond to half a minute. The last place of a histogram, one
 * more than there are bounds, is for what took longer. */
extern const uint32_t qc_hist_bounds_us[QC_HIST_BOUNDS];

struct qc_hist {
    atomic_uint_fast64_t count[QC_HIST_BOUNDS + 1]; /* by the least bound that is not below it */
    atomic_uint_fast64_t sum_us;
};

void qc_hist_note(struct qc_hist *h, uint64_t us);
/* All events. */
uint64_t qc_hist_total(const struct qc_hist *h);

/* A count that only grows, or that is added to by many threads and read for people. */
static inline void qc_count_add(atomic_uint_fast64_t *c, uint64_t n)
{
    atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}
static inline uint64_t qc_count(const atomic_uint_fast64_t *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

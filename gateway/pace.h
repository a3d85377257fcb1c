/* How long fragments take to come, cloud by cloud: who is asked first, and when a read stops waiting for one
 * and asks another cloud as well. Layer 4; uses base. Thread-safe.
 *
 * A hedged read (Dean, Barroso: The Tail at Scale, CACM 56:2, 2013) is asked for after the time in which 95
 * of 100 came lately. P1 (I6): hedges are at most a tenth of what is read: each fragment that a read needs
 * earns a tenth of one. A fragment that takes QC_GW_HEDGE_MS is raced in any case: that cloud is taken for
 * ill, not for slow. */
#pragma once
#include <pthread.h>

#include "base/limits.h"
#include "base/err.h"

enum {
    GW_PACE_CLASSES = 4, /* of fragments by size: up to 64 KiB, 1 MiB, 8 MiB, above */
    GW_PACE_WINDOW = 64, /* times of each class that are kept */
    GW_PACE_ENOUGH = 16, /* fewer say nothing of a 95th percentile */
    GW_PACE_RECENT = 7,  /* of which the median is what is usual: three odd ones change nothing */
    GW_PACE_HEARD = 4,   /* fewer say nothing of that */
};

struct gw_pace_row {
    uint16_t ms[GW_PACE_WINDOW]; /* a ring; longer ones count as UINT16_MAX */
    unsigned count, next;
    uint32_t recent_us[GW_PACE_RECENT]; /* a ring; what was given up counts four times */
    unsigned heard;                     /* samples, ever */
    uint64_t at_ms;                     /* when the last came */
};

struct gw_pace {
    pthread_mutex_t lock; /* guards all else */
    struct gw_pace_row row[QC_GW_CLOUDS_MAX][GW_PACE_CLASSES];
    unsigned credit;  /* hundredths of a fragment */
    unsigned percent; /* races, of what reads need: 10. 0: none but in earnest */
};

void gw_pace_init(struct gw_pace *p);
void gw_pace_done(struct gw_pace *p);

/* A fragment of so many bytes came from the cloud at this position after so long. Or it was not waited for
 * any more, as others had come: then what is known is that it takes longer, and it counts four times. */
struct gw_pace_sample {
    unsigned at;
    uint64_t bytes, ms;
    bool given_up;
};
void gw_pace_note(struct gw_pace *p, const struct gw_pace_sample *s, uint64_t now_ms);

/* How much slower than the fastest of a set of positions (-1: none) each is, in doublings, 0 at least, for
 * fragments of so many bytes. Differences that only weigh on an idle machine's clock are none. Not heard of
 * for QC_GW_PACE_MEMORY_MS: 0, so that it is asked again. */
void gw_pace_rank(struct gw_pace *p, const int *at, unsigned count, uint64_t bytes, uint64_t now_ms,
                  unsigned *ret);

/* How long to wait for fragments of so many bytes before another is asked: the 95th percentile of the slowest
 * of a set of positions; of those of which too little is known, the slowest that is known. QC_GW_HEDGE_MIN_MS
 * at least; QC_GW_HEDGE_MS at most, and where nothing is known. */
uint64_t gw_pace_patience(struct gw_pace *p, const int *at, unsigned count, uint64_t bytes);

/* A read is going to need so many fragments. */
void gw_pace_earn(struct gw_pace *p, unsigned fragments);
/* May one more be asked for, early? */
bool gw_pace_spend(struct gw_pace *p);

/* Histories, each in a process of its own: whatever dead programs left behind goes with it. */
#pragma once
#include "gateway.h"

struct sim_result {
    uint64_t hash, days, switches;
    bool lost; /* of lives.h */
    struct sim_counts counts;
};
struct sim_sums {
    uint64_t histories, failed, days, switches;
    struct sim_counts counts;
};
enum { SIM_JOBS_MAX = 64 };
struct sim_plays {
    uint64_t seed, histories; /* the first of so many */
    uint64_t twice;           /* so many are played again, and have to be the same to the last step */
    unsigned jobs;            /* at a time */
};

/* Load what each history would load for itself. */
void plays_warm_up(void);
/* false: an invariant did not hold, as was printed; or it died. ret: only where true. */
bool plays_one(uint64_t seed, sim_fn history, struct sim_result *ret);
/* Until ten have failed in one job. */
struct sim_sums plays_all(const struct sim_plays *p);
double plays_cpu_seconds(void);

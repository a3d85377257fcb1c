/* Histories of the engine in which clouds are lost and replaced at known rates. */
#pragma once
#include <stdbool.h>

struct sim_lives {
    unsigned k, n;
    double life_days, mttr_days, days; /* means, exponential; days: how long it goes on */
    bool lost;                         /* the end: an object is beyond repair */
};
extern struct sim_lives lives;

/* As the only task of a new world, at `lives`. ctx: none. */
void lives_run(void *ctx);
/* Do as many histories lose objects as the formula says? full: more of them, of more codes. Tells what does
 * not agree. */
bool lives_check(bool full);

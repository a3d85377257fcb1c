/* Does the simulator find the bugs that are planted in the engine (base/planted.h)? */
#pragma once
#include <stdint.h>

struct hunt {
    const char *which;        /* a bug's name, "few" or "all" */
    uint64_t seed, histories; /* from which, and how many at most */
    uint64_t rounds;          /* each from seeds of its own: the median is told */
};
/* Each is found, or the simulator's silence means nothing. Returns an exit status. */
int hunt_all(const struct hunt *h);

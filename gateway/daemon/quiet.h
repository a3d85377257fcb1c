/* The log is on a disk, too: what anybody can bring about at a tenants' door is told a few times in a second,
 * the rest is counted. Part of qcloud-gateway. Any thread. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct quiet {
    pthread_mutex_t lock; /* guards all below */
    uint64_t second;
    unsigned told;
    uint64_t held_back;
};
void quiet_init(struct quiet *q);
void quiet_done(struct quiet *q);
/* May one more line be written now? If not, it is counted. */
bool quiet_may(struct quiet *q);
/* Now and then: says how many lines were held back. */
void quiet_tick(struct quiet *q);

/* What fan.c, fan_batch.c and fan_ops.c share. One lock, the fan's, guards all of it: requests take
 * milliseconds, the bookkeeping of one takes less than a microsecond.
 * It is a last lock: nothing else is locked under it, and jobs and release functions run without it. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "gateway/env.h"
#include "cloud/tally.h"
#include "gateway/fan.h"

enum { GW_LANE_QUEUE = QC_GW_CLOUD_QUEUE, GW_NAME_COPY = 128 };

/* A job in a batch. */
struct gw_slot_state {
    struct gw_job job;
    struct gw_worker *worker; /* while it runs */
    qc_deadline deadline;
    struct qc_cancel cancel;
    bool used, queued, running, told;
    bool abandoned; /* its end will not be heard */
    bool blamed;    /* abandoned because it missed its deadline */
    bool left;      /* abandoned because nobody wants to wait: it goes on */
    struct gw_outcome outcome;
};

struct gw_batch {
    struct gw_fan *fan;
    pthread_cond_t ended;
    unsigned refs;         /* the maker's, and one for each job that is queued or runs */
    struct gw_batch *next; /* among the fan's */
    unsigned slot_count;
    void *owner;
    void (*release)(void *owner);
    struct gw_slot_state slots[];
};

struct gw_queued {
    struct gw_batch *batch;
    unsigned slot;
};

struct gw_lane_state {
    pthread_cond_t work;
    struct gw_queued queue[GW_LANE_QUEUE];
    unsigned count;
};

struct gw_cloud {
    uint32_t id, generation;
    enum gw_cloud_role role;
    struct gw_labels labels;
    char name[GW_NAME_COPY];
    char *url, *credentials; /* credentials: NULL for none */
    unsigned facts;
    enum gw_cloud_state state;
    char why[GW_WHY_MAX], trouble[GW_WHY_MAX];
    int64_t seen_s;
    struct gw_breaker breaker;
    uint64_t slow_until_ms;
    unsigned epoch; /* handles of another one are dead */
    unsigned stuck; /* jobs that run although they missed their deadline */
    struct gw_lane_state lanes[GW_LANES];
    struct cloud_tally tally; /* without the lock */
};

struct gw_worker {
    struct gw_fan *fan;
    unsigned at;
    enum gw_lane lane;
    pthread_t thread;
    struct cloud *handle; /* this worker's own; NULL while the cloud is away */
    unsigned epoch;       /* the cloud's, when the handle was opened */
    unsigned facts;       /* the cloud's, when the job began */
    uint64_t
        hangs_from_ms; /* its job was abandoned; from this instant on it counts as hanging. 0: it was not */
    bool started, ended;
};

struct gw_fan {
    pthread_mutex_t lock; /* guards all below, except the workers' handles */
    pthread_cond_t worker_ended;
    bool stop, hurry;
    struct gw_batch *batches; /* all that exist */
    const struct gw_env *env;
    atomic_uint cloud_count; /* read without the lock: it only grows, and what is below it stays */
    unsigned worker_count;
    struct gw_cloud *clouds;
    struct gw_worker *workers;
};

/* Under the lock. */
bool gw_cloud_suspect(const struct gw_cloud *c);
/* OK: it showed who it is, which closes its breaker. */
void gw_cloud_set_state(struct gw_fan *f, struct gw_cloud *c, enum gw_cloud_state state, const char *why);
/* Takes the lock's place for one reference; returns the batch when that was the last: gw_batch_destroy it
 * unlocked. */
struct gw_batch *gw_batch_unref(struct gw_batch *b);
void gw_batch_destroy(struct gw_batch *b); /* NULL: nothing */
/* A worker's turn; under the lock, which it drops while the job runs. */
void gw_worker_run(struct gw_worker *w, struct gw_queued q);

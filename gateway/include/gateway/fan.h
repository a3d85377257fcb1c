/* Fan-out: requests to several clouds at once, none of which can make the gateway wait. Layer 4; uses base,
 * cloud. Keeps I1 (D9: only what was confirmed counts), I6.
 *
 * Each cloud has QC_GW_CLOUD_WORKERS threads, each with a handle of its own, and a bounded queue. A request
 * is a job of a *batch*; a batch waits for its jobs up to a deadline and then abandons what is left: jobs
 * that wait are dropped, jobs that run are told to stop through their cancel flag, and whatever they say
 * later is not heard. A job that hangs in a system call keeps its worker and what it reads or writes alive,
 * nothing else: memory belongs to the batch's owner and is released when the last job has let go of it.
 *
 * Breaker: a cloud with an abandoned job still running, or that missed a deadline less than QC_GW_BREAKER_MS
 * ago, is *suspect*: jobs are refused at once (GW_SKIPPED) unless they say `force`. A refused connection or
 * an absent directory costs no time and opens no breaker. With all its workers stuck a cloud refuses forced
 * jobs, too.
 *
 * State of a cloud (D8): what its last probe said (gateway/probe.h), or a request that found it gone. A LOST
 * cloud gets no jobs but forced ones.
 *
 * Threads: a fan may be used by any number of threads; a batch belongs to the thread that made it.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "cloud/cloud.h"
#include <stdbool.h>
#include <stdint.h>

enum { GW_WHY_MAX = 160 };

enum gw_cloud_state {
    GW_CLOUD_UNKNOWN,     /* not asked yet */
    GW_CLOUD_OK,          /* shows its identity */
    GW_CLOUD_LOST,        /* answers, and is not, or no longer, our cloud: nothing on it counts (D8) */
    GW_CLOUD_UNREACHABLE, /* does not answer, or refuses */
};
const char *gw_cloud_state_name(enum gw_cloud_state s); /* "unknown", "ok", "lost", "unreachable" */

/* A cloud as the catalogue knows it. Strings are copied. */
struct gw_cloud_conf {
    uint32_t id, generation;
    const char *name, *url;
};

/* A cloud as it is now: a copy. */
struct gw_cloud_view {
    uint32_t id, generation;
    enum gw_cloud_state state;
    bool suspect;         /* breaker open */
    int64_t seen_s;       /* wall clock of the last good answer, 0: never; for people */
    char why[GW_WHY_MAX]; /* of a state that is not OK */
};

struct gw_fan; /* opaque */

/*
 * Start the workers. Nothing is opened yet: a cloud is opened by its workers at their first job, and again
 * after it was away, so that an absent cloud neither stops nor delays the start. count  1..QC_GW_CLOUDS_MAX
 * clouds with different ids (asserted) QC_NOMEM, QC_TEMP (no threads).
 */
QC_MUST qc_rc gw_fan_new(struct gw_fan **ret, const struct gw_cloud_conf *clouds, unsigned count,
                         struct qc_err *err);
/* Stops and joins the workers. Those that are stuck in a system call after wait_ms are left behind with their
 * memory: the program is about to end. Returns false then. *f is NULL. */
bool gw_fan_free(struct gw_fan **f, uint64_t wait_ms);

unsigned gw_fan_count(const struct gw_fan *f);
/* Position of a cloud, 0..count-1, or -1. All calls below name clouds by position, `at`. */
int gw_fan_at(const struct gw_fan *f, uint32_t cloud_id);
uint32_t gw_fan_id(const struct gw_fan *f, unsigned at);
const char *gw_fan_name(const struct gw_fan *f, unsigned at); /* until gw_fan_free */
const char *gw_fan_url(const struct gw_fan *f, unsigned at);
void gw_fan_view(struct gw_fan *f, unsigned at, struct gw_cloud_view *ret);
/* What a probe found. why may be NULL when state is OK. */
void gw_fan_set_state(struct gw_fan *f, unsigned at, enum gw_cloud_state state, const char *why);
/* A new generation (adoption, rebuild). */
void gw_fan_set_generation(struct gw_fan *f, unsigned at, uint32_t generation);

/* -- batches
 * ---------------------------------------------------------------------------------------------------- */

enum gw_fate {
    GW_PENDING, /* not started, queued or running */
    GW_DONE,    /* the cloud said yes: a put is durable */
    GW_FAILED,  /* rc and why say how */
    GW_LATE,    /* abandoned: the outcome is unknown (D9) */
    GW_SKIPPED, /* not sent: lost, suspect, or its queue is full */
};

struct gw_outcome {
    enum gw_fate fate;
    qc_rc rc;             /* QC_OK with GW_DONE */
    char why[GW_WHY_MAX]; /* empty with GW_DONE */
};

/* What a job does, in a worker of the cloud. It looks at op->deadline and op->cancel where it can take long.
 */
typedef qc_rc (*gw_job_fn)(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err);

struct gw_job {
    unsigned at; /* cloud */
    bool force;
    gw_job_fn run;
    void *ctx; /* lives in the owner's memory */
};

struct gw_batch; /* opaque */

/*
 * slots  jobs at most, 1..QC_GW_BATCH_MAX
 * owner, release  release(owner) is called once, when the batch was freed and its last job has ended, from
 * whatever thread that happens in. On failure it is not called. release may be NULL. QC_NOMEM
 */
QC_MUST qc_rc gw_batch_new(struct gw_batch **ret, struct gw_fan *f, unsigned slots, void *owner,
                           void (*release)(void *owner), struct qc_err *err);
/* Abandons what is left, and lets go. */
void gw_batch_free(struct gw_batch **b);

/* Start a job in a slot that has none. false: it was GW_SKIPPED at once. deadline: of this job. */
bool gw_batch_start(struct gw_batch *b, unsigned slot, const struct gw_job *job, qc_deadline deadline);
/*
 * Wait until a job has ended that was not told of before, or none is left, or the deadline.
 * Returns its slot, or -1.
 */
int gw_batch_next(struct gw_batch *b, qc_deadline deadline);
/* Jobs that are queued or run. */
unsigned gw_batch_pending(struct gw_batch *b);
void gw_batch_outcome(struct gw_batch *b, unsigned slot, struct gw_outcome *ret);
/* Give up what is pending: its fate is GW_LATE. blame: it missed a deadline, so its cloud becomes suspect;
 * otherwise the result was merely not needed any more. */
void gw_batch_abandon(struct gw_batch *b, bool blame);
/* The same for one slot. */
void gw_batch_abandon_slot(struct gw_batch *b, unsigned slot, bool blame);

/* -- whole objects on several clouds
 * ---------------------------------------------------------------------------- */

/* When to stop waiting. */
struct gw_rule {
    qc_deadline deadline; /* at the latest; what is pending then is late, and its cloud suspect */
    unsigned enough;      /* with so many GW_DONE, wait only .. */
    uint32_t grace_ms;    /* .. so much longer for the others */
};

/* A set of clouds, bit `at`. */
typedef uint32_t gw_clouds;
gw_clouds gw_fan_all(const struct gw_fan *f);

/*
 * Put the same bytes on each cloud of the set, each under its own key.
 *   keys   indexed by cloud position; strings of the set's clouds are copied
 *   bytes  copied once
 *   ret    outcomes, indexed by cloud position; those outside the set are untouched
 *   done   clouds that have it durably
 * QC_NOMEM alone: what the clouds said is in ret.
 */
QC_MUST qc_rc gw_fan_put(struct gw_fan *f, gw_clouds set, const char *const *keys, qc_span bytes,
                         enum cloud_put_mode mode, const struct gw_rule *rule, struct gw_outcome *ret,
                         gw_clouds *done, struct qc_err *err);
/* Other bytes for each cloud. */
QC_MUST qc_rc gw_fan_put_each(struct gw_fan *f, gw_clouds set, const char *const *keys, const qc_span *bytes,
                              enum cloud_put_mode mode, const struct gw_rule *rule, struct gw_outcome *ret,
                              gw_clouds *done, struct qc_err *err);
/*
 * Get an object of at most size_max bytes from each cloud of the set.
 *   ret_bytes  count buffers, indexed by cloud position, empty: those of done clouds get the object
 * A larger object fails with QC_LIMIT. No key: QC_NOTFOUND in the outcome.
 */
QC_MUST qc_rc gw_fan_get(struct gw_fan *f, gw_clouds set, const char *const *keys, size_t size_max,
                         const struct gw_rule *rule, qc_buf *ret_bytes, struct gw_outcome *ret,
                         gw_clouds *done, struct qc_err *err);
/* Sizes; QC_NOTFOUND in an outcome is a good answer: absent. sizes may be NULL. */
QC_MUST qc_rc gw_fan_head(struct gw_fan *f, gw_clouds set, const char *const *keys,
                          const struct gw_rule *rule, uint64_t *sizes, struct gw_outcome *ret,
                          gw_clouds *done, struct qc_err *err);
QC_MUST qc_rc gw_fan_delete(struct gw_fan *f, gw_clouds set, const char *const *keys,
                            const struct gw_rule *rule, struct gw_outcome *ret, gw_clouds *done,
                            struct qc_err *err);
/*
 * All keys of one cloud below a prefix, page by page, each page within page_ms; fn runs in the caller's
 * thread. Errors of the cloud, QC_TIMEOUT, QC_TEMP (not asked: lost or suspect), and what fn says.
 */
QC_MUST qc_rc gw_fan_list(struct gw_fan *f, unsigned at, const char *prefix, uint64_t page_ms,
                          cloud_list_fn fn, void *ctx, struct qc_err *err);
/* Room on each cloud of the set: free bytes, indexed by position; those outside done are untouched. */
QC_MUST qc_rc gw_fan_space(struct gw_fan *f, gw_clouds set, const struct gw_rule *rule, uint64_t *ret_free,
                           gw_clouds *done, struct qc_err *err);

/* Fan-out: requests to several clouds at once, none of which can make the gateway wait. Layer 4; uses base,
 * cloud. Keeps I1 (D9: only what was confirmed counts), I6.
 *
 * Each cloud has two lanes, data and control, with QC_GW_CLOUD_WORKERS threads each, a cloud handle per
 * thread and a bounded queue per lane: a probe or a record never waits behind bulk data. A request is a job
 * of a *batch*; a batch waits for its jobs up to a deadline and then abandons what is left: jobs that wait
 * are dropped, jobs that run are told to stop through their cancel flag, and whatever they say later is not
 * heard. A job that hangs in a system call keeps its worker and what it reads or writes alive, nothing else:
 * memory belongs to the batch's owner and is released when the last job has let go of it.
 *
 * Breaker (gateway/breaker.h): a cloud with a job still running that missed its deadline, or that missed one
 * and has not shown since who it is, is *suspect*: jobs are refused at once (GW_SKIPPED) unless they say
 * `force`. A refused connection or an absent directory costs no time and opens no breaker. With all workers
 * of a lane stuck even forced jobs are refused, patient ones only while the breaker is open. The breaker
 * saves waiting, and nothing else: before anything fails for want of clouds, those that are not well are
 * probed (gateway/probe.h), and an answer closes it.
 *
 * State of a cloud (D8): what its last probe said (gateway/probe.h), or a request that found it gone. A LOST
 * cloud gets forced jobs only.
 *
 * Handles: each worker opens the cloud for itself. When one finds its handle dead (another directory in its
 * place, mounted anew) all workers of that cloud open it again at their next job; who stands there now is for
 * a probe to say.
 *
 * Threads: a fan may be used by any number of threads; a batch belongs to the thread that made it.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "cloud/cloud.h"
#include "gateway/breaker.h"
#include "gateway/place.h"
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

/* What a cloud is for (docs/adr/0019). */
enum gw_cloud_role {
    GW_ROLE_IN_USE,   /* it counts as a witness, and gets what is new */
    GW_ROLE_DRAINING, /* it counts, and gets no new fragments */
    GW_ROLE_JOINING,  /* it gets the log, and counts for nothing */
    GW_ROLE_LEAVING,  /* it counts no more; what is dead there is removed */
    GW_ROLE_GONE,     /* it was retired since the fan was made: nobody asks it */
};
const char *gw_cloud_role_name(enum gw_cloud_role r); /* "in use", "draining", .. */

/* A cloud as the catalogue knows it. Strings are copied. */
struct gw_cloud_conf {
    uint32_t id, generation;
    enum gw_cloud_role role;
    struct gw_labels labels;
    const char *name, *url;
    const char *credentials; /* where its keys are (cloud.h); NULL: it needs none */
    unsigned facts;          /* what was shown of it */
};

/* A cloud as it is now: a copy. */
struct gw_cloud_view {
    uint32_t id, generation;
    enum gw_cloud_role role;
    struct gw_labels labels;
    enum gw_cloud_state state;
    bool suspect; /* its breaker is not closed, or jobs hang in it */
    enum gw_breaker_state breaker;
    bool slow;                /* a read was hedged against it less than QC_GW_SLOW_MS ago; writes go on */
    int64_t seen_s;           /* wall clock of the last good answer, 0: never; for people */
    char why[GW_WHY_MAX];     /* of a state that is not OK */
    char trouble[GW_WHY_MAX]; /* of its last write, if that failed: a full cloud is OK, and takes nothing */
};

struct gw_fan; /* opaque */

/*
 * Start the workers. Nothing is opened yet: a cloud is opened by its workers at their first job, and again
 * after it was away, so that an absent cloud neither stops nor delays the start. count  1..QC_GW_CLOUDS_MAX
 * clouds with different ids (asserted) QC_NOMEM, QC_TEMP (no threads).
 */
QC_MUST qc_rc gw_fan_new(struct gw_fan **ret, const struct gw_cloud_conf *clouds, unsigned count,
                         struct qc_err *err);
/* One more cloud, at the next position: those that there are stay as they are. QC_LIMIT: as many as a fan can
 * have, those that are gone included: the gateway has to be opened anew. QC_CONFLICT: it has that id.
 * QC_NOMEM, QC_TEMP. */
QC_MUST qc_rc gw_fan_add(struct gw_fan *f, const struct gw_cloud_conf *cloud, struct qc_err *err);
/* Stops and joins the workers. Those that are stuck in a system call after wait_ms are left behind with their
 * memory: the program is about to end. Returns false then. *f is NULL. */
bool gw_fan_free(struct gw_fan **f, uint64_t wait_ms);

/* The end is near: whatever is waited for is late, and nothing is started any more. */
void gw_fan_hurry(struct gw_fan *f);

unsigned gw_fan_count(const struct gw_fan *f);
/* Position of a cloud, 0..count-1, or -1. All calls below name clouds by position, `at`. */
int gw_fan_at(const struct gw_fan *f, uint32_t cloud_id);
uint32_t gw_fan_id(const struct gw_fan *f, unsigned at);
const char *gw_fan_name(const struct gw_fan *f, unsigned at); /* until gw_fan_free */
const char *gw_fan_url(const struct gw_fan *f, unsigned at);
/* What was asked of it since the fan was made (cloud/tally.h); until gw_fan_free. */
const struct cloud_tally *gw_fan_tally(const struct gw_fan *f, unsigned at);
/* Make the place of a cloud one where a cloud can be, as cloud_create. In the caller's thread. */
QC_MUST qc_rc gw_fan_create(const struct gw_fan *f, unsigned at, struct qc_err *err);
void gw_fan_view(struct gw_fan *f, unsigned at, struct gw_cloud_view *ret);
/* What a probe found. why may be NULL when state is OK. */
void gw_fan_set_state(struct gw_fan *f, unsigned at, enum gw_cloud_state state, const char *why);
/* It was too slow for a read: others are preferred for a while. */
void gw_fan_set_slow(struct gw_fan *f, unsigned at);
/* What was shown of it since: its handles are opened anew, at the next job of each. */
void gw_fan_set_facts(struct gw_fan *f, unsigned at, unsigned facts);
void gw_fan_set_role(struct gw_fan *f, unsigned at, enum gw_cloud_role role);
void gw_fan_set_labels(struct gw_fan *f, unsigned at, const struct gw_labels *l);
/* A new generation (adoption, rebuild). */
void gw_fan_set_generation(struct gw_fan *f, unsigned at, uint32_t generation);

/* -- batches --------------------------------------------------------------------------------------------- */

enum gw_fate {
    GW_PENDING, /* not started, queued or running */
    GW_DONE,    /* the cloud said yes: a put is durable */
    GW_FAILED,  /* rc and why say how */
    GW_LATE,    /* abandoned: the outcome is unknown (D9) */
    GW_SKIPPED, /* not sent: lost, suspect, or its queue is full */
    GW_LEFT,    /* not waited for: the outcome is unknown, and nobody is to blame */
};

struct gw_outcome {
    enum gw_fate fate;
    qc_rc rc;             /* QC_OK with GW_DONE */
    bool gone;            /* GW_FAILED: nothing there bears the mark of a cloud; says nothing of objects */
    char why[GW_WHY_MAX]; /* empty with GW_DONE */
};

/* How its last write ended; writes of the calls below are noted by themselves. A job that was not sent says
 * nothing. */
void gw_fan_note_write(struct gw_fan *f, unsigned at, const struct gw_outcome *o);

/* What a job does, in a worker of the cloud. It looks at op->deadline and op->cancel where it can take long.
 */
typedef qc_rc (*gw_job_fn)(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err);

enum gw_lane { GW_LANE_CONTROL, GW_LANE_DATA, GW_LANES };

struct gw_job {
    unsigned at; /* cloud */
    enum gw_lane lane;
    bool force;
    bool patient; /* where all workers of the lane hang, and the cloud has shown since that it is there, wait
                     for one of them: for whoever has nobody else to ask */
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
/* Wait no more for what is pending: what runs goes on to its deadline, unheard; what is queued is dropped. */
void gw_batch_leave(struct gw_batch *b);
/* gw_batch_abandon for one slot. */
void gw_batch_abandon_slot(struct gw_batch *b, unsigned slot, bool blame);

/* -- whole objects on several clouds --------------------------------------------------------------------- */

/* When to stop waiting. */
struct gw_rule {
    qc_deadline deadline; /* at the latest; what is pending then is late, and its cloud suspect */
    unsigned enough;      /* with so many GW_DONE, wait only .. */
    uint32_t grace_ms;    /* .. so much longer for the others */
};

/* Whoever wants to see how a segment's fragments fare meanwhile: fragment i, of so many bytes, is on its way
 * (o->fate GW_PENDING), or has ended one way or another; `last` of each: how it counts. In the caller's
 * thread. */
struct gw_watcher {
    void (*told)(void *ctx, unsigned i, uint32_t cloud_id, uint64_t bytes, const struct gw_outcome *o,
                 bool last);
    void *ctx;
};

/* A set of clouds, bit `at`. */
typedef uint32_t gw_clouds;
/* All that are asked: those that are gone are in no set. */
gw_clouds gw_fan_all(struct gw_fan *f);
/* Those that count: in use, or draining. */
gw_clouds gw_fan_witnesses(struct gw_fan *f);

/* What is asked, of whom. */
struct gw_ask {
    gw_clouds set;
    const char *const *keys; /* by position in the fan; those of the set are copied */
    struct gw_rule rule;
    bool force; /* ask lost and suspect clouds, too */
};

/* What came, by position in the fan; rows outside of the set are zero. */
struct gw_answer {
    gw_clouds done; /* clouds that said yes */
    struct gw_outcome outcome[QC_GW_CLOUDS_MAX];
};

/*
 * All of these return QC_OK whatever the clouds said (that is in ret), and fail with QC_NOMEM alone.
 * They run in the control lane.
 */

/* Put the same bytes (copied once) on each cloud of the set. */
QC_MUST qc_rc gw_fan_put(struct gw_fan *f, const struct gw_ask *ask, qc_span bytes, enum cloud_put_mode mode,
                         struct gw_answer *ret, struct qc_err *err);
/* Other bytes for each cloud, by position. */
QC_MUST qc_rc gw_fan_put_each(struct gw_fan *f, const struct gw_ask *ask, const qc_span *bytes,
                              enum cloud_put_mode mode, struct gw_answer *ret, struct qc_err *err);
/* Get objects of at most size_max bytes (a larger one: QC_LIMIT in its outcome).
 * ret_bytes: by position, empty before; those of done clouds receive the object. */
QC_MUST qc_rc gw_fan_get(struct gw_fan *f, const struct gw_ask *ask, size_t size_max, qc_buf *ret_bytes,
                         struct gw_answer *ret, struct qc_err *err);
/* One object of one cloud. */
struct gw_get_one {
    unsigned at;
    const char *key;
    size_t size_max; /* bytes; a larger one: QC_LIMIT in its outcome */
    uint64_t ms;
    bool force; /* ask a lost or suspect cloud, too */
};
/* *ret, empty before, receives it where the outcome is GW_DONE. */
QC_MUST qc_rc gw_fan_get_one(struct gw_fan *f, const struct gw_get_one *one, qc_buf *ret,
                             struct gw_outcome *ret_outcome, struct qc_err *err);
/* Sizes, by position; may be NULL. QC_NOTFOUND in an outcome is a good answer: absent. */
QC_MUST qc_rc gw_fan_head(struct gw_fan *f, const struct gw_ask *ask, uint64_t *ret_sizes,
                          struct gw_answer *ret, struct qc_err *err);
QC_MUST qc_rc gw_fan_delete(struct gw_fan *f, const struct gw_ask *ask, struct gw_answer *ret,
                            struct qc_err *err);
/* Free bytes, by position; ask->keys is ignored. */
QC_MUST qc_rc gw_fan_space(struct gw_fan *f, const struct gw_ask *ask, uint64_t *ret_free,
                           struct gw_answer *ret, struct qc_err *err);

/* Where a listing is. */
struct gw_list_at {
    const char *prefix;
    char after[CLOUD_KEY_SIZE_MAX + 1]; /* the last key that was told; "" at the beginning */
    bool more;                          /* there are more */
    bool force;                         /* ask a lost cloud, too */
};
/* One page of keys of a cloud; *list goes on. fn and errors as gw_fan_list. */
QC_MUST qc_rc gw_fan_list_page(struct gw_fan *f, unsigned at, struct gw_list_at *list, uint64_t page_ms,
                               cloud_list_fn fn, void *ctx, struct qc_err *err);
/*
 * All keys of one cloud below a prefix, page by page, each page within page_ms; fn runs in the caller's
 * thread. Errors of the cloud, QC_TIMEOUT, QC_TEMP (not asked: lost or suspect), and what fn says.
 */
QC_MUST qc_rc gw_fan_list(struct gw_fan *f, unsigned at, const char *prefix, uint64_t page_ms,
                          cloud_list_fn fn, void *ctx, struct qc_err *err);

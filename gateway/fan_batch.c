/* Batches of the fan: jobs, their outcomes, and how a waiter lets go of them.
 *
 *   (start) --refused--> SKIPPED
 *   (start) --> queued --worker--> running --> DONE or FAILED
 *               queued --abandon--> LATE, leaves the queue
 *               running --abandon--> LATE; the worker goes on alone, and what it says is dropped
 */
#include <stdio.h>

#include "base/alloc.h"
#include "fan_internal.h"

qc_rc gw_batch_new(struct gw_batch **ret, struct gw_fan *f, unsigned slots, void *owner,
                   void (*release)(void *owner), struct qc_err *err)
{
    QC_ASSERT(slots >= 1 && slots <= QC_GW_BATCH_MAX);
    struct gw_batch *b = qc_alloc(sizeof *b + slots * sizeof b->slots[0]);

    if (b == NULL)
        return QC_FAIL(err, QC_NOMEM, "batch of %u requests", slots);
    b->fan = f;
    qc_cond_init(&b->ended);
    b->refs = 1;
    b->slot_count = slots;
    b->owner = owner;
    b->release = release;
    QC_LOCK(&f->lock);
    b->next = f->batches;
    f->batches = b;
    *ret = b;
    return QC_OK;
}

static void leave_fan(struct gw_batch *b)
{
    struct gw_batch **at = &b->fan->batches;

    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
}

struct gw_batch *gw_batch_unref(struct gw_batch *b)
{
    QC_ASSERT(b->refs > 0);
    if (--b->refs > 0)
        return NULL;
    leave_fan(b);
    return b;
}

void gw_batch_destroy(struct gw_batch *b)
{
    if (b == NULL)
        return;
    if (b->release != NULL)
        b->release(b->owner);
    qc_cond_done(&b->ended);
    qc_free(b);
}

static void tell(struct gw_slot_state *s, enum gw_fate fate, qc_rc rc, const char *why)
{
    s->outcome = (struct gw_outcome){ .fate = fate, .rc = rc };
    (void)snprintf(s->outcome.why, sizeof s->outcome.why, "%s", why);
}

/* -- starting -------------------------------------------------------------------------------------------- */

/* Do all workers of the lane hang? One that was merely not needed any more gets QC_GW_LINGER_MS to see its
 * cancel flag: until then a new job waits for it in the queue. */
static bool lane_hangs(const struct gw_fan *f, const struct gw_job *job)
{
    const struct gw_worker *w = &f->workers[(job->at * GW_LANES + job->lane) * QC_GW_CLOUD_WORKERS];
    const uint64_t now = qc_now_ms();
    unsigned hanging = 0;

    for (unsigned i = 0; i < QC_GW_CLOUD_WORKERS; i++)
        hanging += w[i].hangs_from_ms != 0 && w[i].hangs_from_ms <= now;
    return hanging == QC_GW_CLOUD_WORKERS;
}

/* Why a job is not sent, or NULL. */
static const char *refusal(const struct gw_fan *f, const struct gw_job *job)
{
    const struct gw_cloud *c = &f->clouds[job->at];
    const struct gw_lane_state *lane = &c->lanes[job->lane];

    if (f->hurry)
        return "the gateway is about to end";
    if (c->state == GW_CLOUD_LOST && !job->force)
        return c->why[0] != '\0' ? c->why : "lost";
    if (gw_cloud_suspect(c) && !job->force)
        return "did not answer in time a moment ago";
    const bool answers = c->state == GW_CLOUD_OK && c->breaker.state == GW_BREAKER_CLOSED;
    if (lane_hangs(f, job) && !(job->patient && answers))
        return "hangs: all its workers wait for it";
    if (lane->count == GW_LANE_QUEUE)
        return "too many requests wait for it";
    return NULL;
}

bool gw_batch_start(struct gw_batch *b, unsigned slot, const struct gw_job *job, qc_deadline deadline)
{
    QC_ASSERT(slot < b->slot_count && !b->slots[slot].used);
    QC_ASSERT(job->at < b->fan->cloud_count);
    QC_LOCK(&b->fan->lock);
    struct gw_lane_state *lane = &b->fan->clouds[job->at].lanes[job->lane];
    struct gw_slot_state *s = &b->slots[slot];

    s->used = true;
    s->job = *job;
    s->deadline = deadline;
    const char *no = refusal(b->fan, job);
    if (no != NULL) {
        tell(s, GW_SKIPPED, QC_TEMP, no);
        s->told = true;
        return false;
    }
    s->queued = true;
    b->refs++;
    lane->queue[lane->count++] = (struct gw_queued){ b, slot };
    qc_cond_wake_one(&lane->work);
    return true;
}

/* -- in the worker --------------------------------------------------------------------------------------- */

static qc_rc open_handle(struct gw_worker *w, const struct cloud_op *op, struct qc_err *err)
{
    struct gw_cloud *c = &w->fan->clouds[w->at]; /* name, url and credentials never change */
    const struct cloud_opts opts = {
        .name = c->name, .credentials = c->credentials, .facts = w->facts, .op = *op, .tally = &c->tally
    };

    return cloud_open_opts(&w->handle, c->url, &opts, err);
}

/* How a job ended, and what that says of the cloud itself. */
struct end {
    qc_rc rc;
    enum gw_cloud_state state; /* OK: it answered, which leaves the state as it was */
    bool dead;                 /* the handle was; it is closed, or a new one */
};

/* The handle is dead. Is anything there? What opens now is not believed before a probe (D8). */
static enum gw_cloud_state reopen(struct gw_worker *w)
{
    const struct cloud_op op = { .deadline = qc_deadline_in(QC_GW_PROBE_MS) };
    struct qc_err ignored = { 0 };

    cloud_close(&w->handle);
    return open_handle(w, &op, &ignored) == QC_NOTFOUND ? GW_CLOUD_LOST : GW_CLOUD_UNREACHABLE;
}

static struct end diagnose(struct gw_worker *w, bool opened, qc_rc rc)
{
    struct end end = { .rc = rc, .state = GW_CLOUD_OK };
    struct qc_err ignored = { 0 };

    if (rc == QC_OK || rc == QC_NOMEM) /* NOMEM: our own trouble */
        return end;
    if (!opened) {
        end.state = rc == QC_NOTFOUND ? GW_CLOUD_LOST : GW_CLOUD_UNREACHABLE;
        if (rc == QC_NOTFOUND)
            end.rc = QC_TEMP; /* it is the cloud that was not found, not the object */
        return end;
    }
    if (rc != QC_TEMP && rc != QC_AUTH && rc != QC_IO)
        return end;
    const struct cloud_op op = { .deadline = qc_deadline_in(QC_GW_PROBE_MS) };
    if (cloud_alive(w->handle, &op, &ignored) == QC_OK)
        return end;
    end.dead = true;
    end.state = reopen(w);
    return end;
}

/* Under the lock: what the job's end means for the cloud. */
static void learn(struct gw_worker *w, const struct gw_slot_state *s, const struct end *end, const char *why)
{
    struct gw_cloud *c = &w->fan->clouds[w->at];

    if (end->dead && w->epoch == c->epoch)
        w->epoch = ++c->epoch;
    if (s->left && end->rc == QC_TIMEOUT)
        gw_breaker_miss(&c->breaker, gw_env_now(w->fan->env), gw_env_chance(w->fan->env));
    if (s->abandoned && (end->rc == QC_CANCELLED || end->rc == QC_TIMEOUT))
        return;
    if (end->state != GW_CLOUD_OK)
        gw_cloud_set_state(w->fan, c, end->state, why);
    else if (end->rc == QC_OK || end->rc == QC_NOTFOUND)
        c->seen_s = qc_wall_s();
    if (end->rc == QC_OK && s->job.lane == GW_LANE_DATA && (s->left || !s->abandoned))
        gw_breaker_work(&c->breaker);
}

/* The reason alone, without "cloud NAME: put KEY: ": who reads it knows the cloud, and has no use for the
 * key. */
static const char *reason(const char *msg, const char *name)
{
    static const char *const verbs[] = { "put ", "get ", "head ", "delete " };
    const size_t n = strlen(name);

    if (strncmp(msg, "cloud ", 6) != 0 || strncmp(msg + 6, name, n) != 0 ||
        strncmp(msg + 6 + n, ": ", 2) != 0)
        return msg;
    msg += 6 + n + 2;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        const char *end = strstr(msg, ": ");
        if (strncmp(msg, verbs[i], strlen(verbs[i])) == 0 && end != NULL)
            return end + 2;
    }
    return msg;
}

void gw_worker_run(struct gw_worker *w, struct gw_queued q)
{
    struct gw_fan *f = w->fan;
    struct gw_cloud *c = &f->clouds[w->at];
    struct gw_slot_state *s = &q.batch->slots[q.slot];
    const struct cloud_op op = { .deadline = s->deadline, .cancel = &s->cancel };
    const bool stale = w->epoch != c->epoch;
    struct qc_err err = { 0 };

    s->queued = false;
    s->running = true;
    s->worker = w;
    w->epoch = c->epoch;
    w->facts = c->facts;
    qc_unlock_(&(pthread_mutex_t *){ &f->lock });
    if (stale)
        cloud_close(&w->handle);
    qc_rc rc = w->handle != NULL ? QC_OK : open_handle(w, &op, &err);
    const bool opened = rc == QC_OK;
    if (opened)
        rc = s->job.run(s->job.ctx, w->handle, &op, &err);
    const struct end end = diagnose(w, opened, rc);
    (void)qc_lock_(&f->lock);
    s->running = false;
    const char *why = reason(err.msg, c->name);
    learn(w, s, &end, why);
    if (s->abandoned) {
        w->hangs_from_ms = 0;
        c->stuck -= s->blamed;
    } else {
        tell(s, rc == QC_OK ? GW_DONE : GW_FAILED, end.rc, why);
        s->outcome.gone = end.state == GW_CLOUD_LOST;
        qc_cond_wake_all(&q.batch->ended);
    }
    struct gw_batch *last = gw_batch_unref(q.batch);
    if (last != NULL) {
        qc_unlock_(&(pthread_mutex_t *){ &f->lock });
        gw_batch_destroy(last);
        (void)qc_lock_(&f->lock);
    }
}

/* -- waiting --------------------------------------------------------------------------------------------- */

static bool pending(const struct gw_slot_state *s)
{
    return !s->abandoned && (s->queued || s->running);
}

unsigned gw_batch_pending(struct gw_batch *b)
{
    QC_LOCK(&b->fan->lock);
    unsigned count = 0;

    for (unsigned i = 0; i < b->slot_count; i++)
        count += pending(&b->slots[i]);
    return count;
}

/* A slot that ended and was not told of; -1 none, and whether some are pending. */
static int ended_slot(struct gw_batch *b, bool *some_pending)
{
    *some_pending = false;
    for (unsigned i = 0; i < b->slot_count; i++) {
        struct gw_slot_state *s = &b->slots[i];
        if (s->used && !s->told && s->outcome.fate != GW_PENDING) {
            s->told = true;
            return (int)i;
        }
        *some_pending |= pending(s);
    }
    return -1;
}

int gw_batch_next(struct gw_batch *b, qc_deadline deadline)
{
    QC_LOCK(&b->fan->lock);
    bool some_pending;
    int slot = ended_slot(b, &some_pending);

    while (slot < 0 && some_pending && qc_cond_wait(&b->ended, &b->fan->lock, deadline))
        slot = ended_slot(b, &some_pending);
    /* What ended while the deadline passed counts. */
    return slot < 0 ? ended_slot(b, &some_pending) : slot;
}

void gw_batch_outcome(struct gw_batch *b, unsigned slot, struct gw_outcome *ret)
{
    QC_ASSERT(slot < b->slot_count);
    QC_LOCK(&b->fan->lock);

    *ret = b->slots[slot].outcome;
}

/* -- letting go ------------------------------------------------------------------------------------------ */

static void leave_queue(struct gw_lane_state *lane, const struct gw_batch *b, unsigned slot)
{
    unsigned i = 0;

    while (i < lane->count && (lane->queue[i].batch != b || lane->queue[i].slot != slot))
        i++;
    QC_ASSERT(i < lane->count);
    lane->count--;
    memmove(lane->queue + i, lane->queue + i + 1, (lane->count - i) * sizeof lane->queue[0]);
}

/* Under the lock. The maker's own reference keeps the batch. */
static void abandon(struct gw_batch *b, unsigned slot, bool blame)
{
    struct gw_slot_state *s = &b->slots[slot];
    struct gw_cloud *c = &b->fan->clouds[s->job.at];
    struct gw_lane_state *lane = &c->lanes[s->job.lane];

    if (!pending(s))
        return;
    s->abandoned = true;
    s->told = true;
    s->blamed = blame;
    tell(s, GW_LATE, QC_TIMEOUT, "did not answer in time");
    qc_cancel_set(&s->cancel);
    if (blame)
        gw_breaker_miss(&c->breaker, gw_env_now(b->fan->env), gw_env_chance(b->fan->env));
    if (s->running) {
        s->worker->hangs_from_ms = qc_now_ms() + (blame ? 0 : QC_GW_LINGER_MS);
        c->stuck += blame;
        return;
    }
    leave_queue(lane, b, slot);
    s->queued = false;
    (void)gw_batch_unref(b);
}

/* Under the lock. */
static void leave(struct gw_batch *b, unsigned slot)
{
    struct gw_slot_state *s = &b->slots[slot];

    if (!pending(s))
        return;
    s->abandoned = true;
    s->told = true;
    s->left = true;
    tell(s, GW_LEFT, QC_TEMP, "was not waited for");
    if (s->running) {
        s->worker->hangs_from_ms = s->deadline.at_ms;
        return;
    }
    leave_queue(&b->fan->clouds[s->job.at].lanes[s->job.lane], b, slot);
    s->queued = false;
    (void)gw_batch_unref(b);
}

void gw_batch_leave(struct gw_batch *b)
{
    QC_LOCK(&b->fan->lock);

    for (unsigned i = 0; i < b->slot_count; i++)
        leave(b, i);
}

void gw_batch_abandon_slot(struct gw_batch *b, unsigned slot, bool blame)
{
    QC_ASSERT(slot < b->slot_count);
    QC_LOCK(&b->fan->lock);

    abandon(b, slot, blame);
}

void gw_batch_abandon(struct gw_batch *b, bool blame)
{
    QC_LOCK(&b->fan->lock);

    for (unsigned i = 0; i < b->slot_count; i++)
        abandon(b, i, blame);
}

void gw_fan_hurry(struct gw_fan *f)
{
    QC_LOCK(&f->lock);

    f->hurry = true;
    for (struct gw_batch *b = f->batches; b != NULL; b = b->next) {
        for (unsigned i = 0; i < b->slot_count; i++)
            abandon(b, i, false);
        qc_cond_wake_all(&b->ended);
    }
}

static struct gw_batch *let_go(struct gw_batch *b)
{
    QC_LOCK(&b->fan->lock);

    return gw_batch_unref(b);
}

void gw_batch_free(struct gw_batch **bp)
{
    struct gw_batch *b = *bp;

    *bp = NULL;
    if (b == NULL)
        return;
    gw_batch_abandon(b, false);
    gw_batch_destroy(let_go(b));
}

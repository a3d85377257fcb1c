#include "feed.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "alarms.h"
#include "base/alloc.h"
#include "base/key.h"
#include "base/thread.h"
#include "base/secret.h"
#include "raw.h"
#include "source.h"

_Static_assert((int)QRNG_STARTUP <= (int)QRNG_RAW_MAX, "the start-up test is one block");

#define ALIVE UINT64_C(0x71726e6766656564) /* not in a forked child, where all is zero */

/* In locked memory. */
struct secret {
    uint64_t alive;
    struct qrng_tests health;
    struct qrng_conditioner conditioner;
    uint8_t raw[QRNG_RAW_MAX];
    uint8_t out[QRNG_OUT_MAX];
    uint8_t pool[]; /* conf->pool bytes: what is ready stands at its begin, the last are taken first */
};

/* Who reads the source: the first draw, or who has time before it, without waiting for anything; once that
 * does not do any more, a thread (docs/adr/0028). */
enum worker { WORKER_NONE, WORKER_CALLER, WORKER_NEXT, WORKER_THREAD };

struct qrng_feed {
    const struct qrng_source_conf *conf;
    const char *alarms; /* where they are kept; empty: nowhere */
    bool shut;          /* the worker's: too many of them */
    struct qc_secret memory;
    struct secret *s;    /* pool: under the lock; the rest: the worker's */
    struct qrng_raw raw; /* the worker's */
    bool rested;         /* the worker's: raw was told to end */
    uint64_t next_ns;    /* the worker's: no byte is read before, by the rate */
    pthread_t thread;
    struct qc_cancel stop;
    pthread_mutex_t lock; /* guards what follows, and the pool */
    pthread_cond_t changed;
    enum worker worker;
    struct qrng_gate gate;
    size_t ready;  /* bytes in the pool */
    size_t target; /* the pool is full with these: what one object wants; doubled, up to conf->pool, when a
                      draw finds too little */
    bool tried;
    unsigned waiting; /* draws that wait: the pool is filled for them although it is half full */
    struct qrng_feed_status status;
};

/* Which sources may have their bytes ready before anybody waits for them: what the kernel keeps for us. */
static const bool at_once[QRNG_KIND_COUNT] = { [QRNG_KIND_DEVICE] = true, [QRNG_KIND_COMMAND] = true };
/* Of those: what is there now, or QC_CANCELLED. */
static const struct qc_cancel no_wait = { .set = true };

static qc_rc kernel_fill(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    return qrng_os.fill(ctx, p, n, err);
}

/* --- The worker --- */

/* Not faster than the rate; waits under the lock, where a stop is heard. */
static void pace(struct qrng_feed *f, size_t n)
{
    if (f->conf->rate == 0)
        return;
    const uint64_t now = qc_now_ns(), step = (uint64_t)n * 1000000000 / f->conf->rate;
    if (f->next_ns < now)
        f->next_ns = now;
    const qc_deadline d = qc_deadline_in((f->next_ns - now) / 1000000);
    f->next_ns += step;
    QC_LOCK(&f->lock);
    while (!qc_cancel_is(&f->stop) && !qc_deadline_over(d))
        qc_cond_wait(&f->changed, &f->lock, d);
}

/* n raw bytes, in health. */
static qc_rc take_raw(struct qrng_feed *f, size_t n, const struct qc_cancel *stop, struct qc_err *err)
{
    pace(f, n);
    QC_TRY(f->raw.ops->read(f->raw.ctx, f->s->raw, n, stop, err));
    {
        QC_LOCK(&f->lock);
        f->status.raw += n;
        f->status.left = f->raw.ops->left != NULL ? f->raw.ops->left(f->raw.ctx) : UINT64_MAX;
    }
    if (!qrng_health_take(&f->s->health, f->s->raw, n))
        return QC_FAIL(err, QC_RANDOM, "its bytes failed a health test (%s) after %" PRIu64 " bytes",
                       qrng_alarm_text(f->s->health.alarm), f->s->health.bytes);
    return QC_OK;
}

/* Not while other processes had too many alarms of it, or nobody can say whether they had. */
static qc_rc look_up(struct qrng_feed *f, struct qc_err *err)
{
    struct qrng_alarms a = { 0 };
    char when[QC_TIME_TEXT];
    if (f->alarms[0] == '\0')
        return QC_OK;
    QC_TRY(qrng_alarms_load(f->alarms, f->conf->name, &a, err));
    f->shut = qrng_alarms_shut(&a);
    if (!f->shut)
        return QC_OK;
    qc_time_text(a.at_s[0], when);
    return QC_FAIL(err, QC_RANDOM, "three health alarms within an hour, the last at %s", when);
}

/* An alarm is kept for the next process. What cannot be written is said, and the source is in quarantine
 * here. */
static void keep_alarm(struct qrng_feed *f, struct qc_err *why)
{
    struct qrng_alarms a = { 0 };
    struct qc_err err = { 0 };
    if (f->alarms[0] == '\0')
        return;
    if (qrng_alarms_add(f->alarms, f->conf->name, qc_wall_s(), &a, &err) != QC_OK)
        qc_err_wrap(why, "(not kept: %s)", err.msg);
    f->shut = qrng_alarms_shut(&a);
}

static qc_rc open_source(struct qrng_feed *f, struct qc_err *err)
{
    QC_TRY(look_up(f, err));
    return qrng_raw_open(&f->raw, f->conf, err);
}

/* See that it is in health; the bytes of this test are dropped. It may be open, and unread, since the
 * warm-up. */
static qc_rc start_up(struct qrng_feed *f, const struct qc_cancel *stop, struct qc_err *err)
{
    const qc_rng kernel = { .fill = kernel_fill };
    qrng_health_init(&f->s->health, f->conf->mbit, QRNG_ALPHA);
    if (f->rested)
        qrng_raw_close(&f->raw);
    f->rested = false;
    if (f->raw.ops == NULL)
        QC_TRY(open_source(f, err));
    QC_TRY(qrng_conditioner_init(&f->s->conditioner, f->conf->condition, f->conf->mbit, &kernel, err));
    return take_raw(f, QRNG_STARTUP, stop, err);
}

static qc_rc one_block(struct qrng_feed *f, const struct qc_cancel *stop, struct qc_err *err)
{
    struct qrng_conditioner *c = &f->s->conditioner;
    QC_TRY(take_raw(f, c->raw, stop, err));
    QC_TRY(qrng_conditioner_apply(c, f->s->raw, f->s->out, err));
    QC_LOCK(&f->lock);
    const size_t room = f->conf->pool - f->ready, n = c->out < room ? c->out : room;
    memcpy(f->s->pool + f->ready, f->s->out, n);
    f->ready += n;
    if (f->waiting > 0)
        qc_cond_wake_all(&f->changed);
    return QC_OK;
}

/* After an alarm or a failure: nothing of the source is left, and who waits hears why. */
static void quarantine(struct qrng_feed *f, struct qc_err *why)
{
    const enum qrng_alarm alarm = f->shut ? QRNG_ALARM_NONE : f->s->health.alarm;
    qrng_raw_close(&f->raw);
    if (alarm != QRNG_ALARM_NONE)
        keep_alarm(f, why);
    QC_LOCK(&f->lock);
    qc_wipe(f->s->pool, f->conf->pool);
    f->ready = 0;
    f->tried = true;
    f->status.alarm = alarm != QRNG_ALARM_NONE ? alarm : f->status.alarm;
    f->status.alarms += alarm != QRNG_ALARM_NONE;
    f->status.failures += alarm == QRNG_ALARM_NONE;
    memcpy(f->status.why, why->msg, sizeof f->status.why);
    qrng_gate_failed(&f->gate, alarm != QRNG_ALARM_NONE, qc_now_ms());
    if (f->shut)
        qrng_gate_shut(&f->gate);
    qc_cond_wake_all(&f->changed);
}

enum work { WORK_STOP, WORK_TRIAL, WORK_BLOCK };

/* What is to be done next; waits for it. The pool is filled anew when it is half empty. */
static enum work next_work(struct qrng_feed *f, bool *filling)
{
    QC_LOCK(&f->lock);
    for (;;) {
        qc_deadline d = QC_NO_DEADLINE;
        if (qc_cancel_is(&f->stop))
            return WORK_STOP;
        if (qrng_gate_is_open(&f->gate)) {
            if (f->ready >= f->target)
                *filling = false;
            else if (f->ready <= f->target / 2)
                *filling = true;
            if (*filling)
                return WORK_BLOCK;
        } else if (f->gate.state == QRNG_GATE_TRIAL || qrng_gate_begin(&f->gate, qc_now_ms())) {
            return WORK_TRIAL; /* or one that the first draw began, and would have had to wait for */
        } else if (f->gate.state == QRNG_GATE_QUARANTINE) {
            const uint64_t now = qc_now_ms();
            d = qc_deadline_in(f->gate.retry_at_ms > now ? f->gate.retry_at_ms - now : 1);
        }
        qc_cond_wait(&f->changed, &f->lock, d);
    }
}

/* One piece of it, and what comes of it. False: it was stopped, or would have had to wait. */
static bool do_work(struct qrng_feed *f, enum work w, const struct qc_cancel *stop)
{
    struct qc_err why = { 0 };
    const qc_rc rc = w == WORK_TRIAL ? start_up(f, stop, &why) : one_block(f, stop, &why);
    qc_wipe(f->s->raw, sizeof f->s->raw);
    qc_wipe(f->s->out, sizeof f->s->out);
    if (rc == QC_CANCELLED)
        return false;
    if (rc != QC_OK) {
        quarantine(f, &why);
    } else if (w == WORK_TRIAL) {
        QC_LOCK(&f->lock);
        qrng_gate_passed(&f->gate);
    }
    return true;
}

static void *work(void *arg)
{
    struct qrng_feed *f = arg;
    bool filling = true;
    for (;;) {
        const enum work w = next_work(f, &filling);
        if (w == WORK_STOP || !do_work(f, w, &f->stop))
            return NULL;
        filling = filling || w == WORK_TRIAL;
    }
}

/* --- The owner's side --- */

qc_rc qrng_feed_new(struct qrng_feed **ret, const struct qrng_source_conf *conf, const char *alarms,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct qrng_feed *f = qc_alloc(sizeof *f);
    if (f == NULL)
        return QC_FAIL(err, QC_NOMEM, "randomness: no memory for the source %s", conf->name);
    QC_TRY(qc_secret_new(&f->memory, sizeof *f->s + conf->pool, err));
    f->conf = conf;
    f->alarms = alarms;
    f->s = f->memory.p;
    f->s->alive = ALIVE;
    f->status.left = UINT64_MAX;
    f->target = conf->pool < QC_QRNG_POOL_FIRST ? conf->pool : QC_QRNG_POOL_FIRST;
    qc_mutex_init(&f->lock);
    qc_cond_init(&f->changed);
    *ret = QC_STEAL(f);
    return QC_OK;
}

/* A forked child has neither the thread nor the secrets. */
static bool is_alive(const struct qrng_feed *f)
{
    return f->s->alive == ALIVE;
}

static qc_rc refuse_child(const struct qrng_feed *f, struct qc_err *err)
{
    return QC_FAIL(err, QC_RANDOM, "the source %s belongs to the process that was forked", f->conf->name);
}

static void stop(struct qrng_feed *f)
{
    {
        QC_LOCK(&f->lock);
        qc_cancel_set(&f->stop);
        qc_cond_wake_all(&f->changed);
    }
    if (f->worker == WORKER_THREAD)
        QC_ASSERT(pthread_join(f->thread, NULL) == 0);
}

/* Where a thread reads, the source is the thread's until it is joined, and a put that made it begin takes
 * longer than a command takes to end. Nobody becomes the worker under the lock. */
void qrng_feed_rest(struct qrng_feed *f)
{
    if (!is_alive(f))
        return;
    QC_LOCK(&f->lock);
    const bool ours = f->worker == WORKER_NONE || f->worker == WORKER_NEXT;
    if (!ours || f->raw.ops == NULL || f->raw.ops->end == NULL)
        return;
    f->raw.ops->end(f->raw.ctx);
    f->rested = true;
    qrng_gate_rest(&f->gate);
}

void qrng_feed_free(struct qrng_feed **f)
{
    if (*f == NULL)
        return;
    if (is_alive(*f)) {
        stop(*f);
        qrng_raw_close(&(*f)->raw);
        qc_cond_done(&(*f)->changed);
        qc_mutex_done(&(*f)->lock);
    }
    qc_secret_free(&(*f)->memory);
    qc_free(*f);
    *f = NULL;
}

/* The thread, if nobody else works. Signals are for the program's own. Under the lock. */
static qc_rc start(struct qrng_feed *f, struct qc_err *err)
{
    sigset_t all, before;
    if (f->worker == WORKER_THREAD || f->worker == WORKER_CALLER)
        return QC_OK;
    sigfillset(&all);
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    const int e = pthread_create(&f->thread, NULL, work, f);
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (e != 0)
        return QC_FAIL(err, QC_NOMEM, "randomness: no thread for the source %s", f->conf->name);
    f->worker = WORKER_THREAD;
    return QC_OK;
}

/* May the first draw do the work? What a rate limits is waited for. */
static bool is_at_once(const struct qrng_feed *f)
{
    return at_once[f->conf->kind] && f->conf->rate == 0;
}

qc_rc qrng_feed_warm(struct qrng_feed *f, struct qc_err *err)
{
    if (!is_alive(f))
        return refuse_child(f, err);
    QC_LOCK(&f->lock);
    if (!is_at_once(f))
        return start(f, err);
    return f->worker == WORKER_NONE && f->raw.ops == NULL ? open_source(f, err) : QC_OK;
}

/* The trial, or again one that would have had to wait, then blocks until the pool is half full, which is what
 * a put wants; stops after a failure. */
static enum work next_at_once(struct qrng_feed *f)
{
    QC_LOCK(&f->lock);
    if (f->gate.state == QRNG_GATE_TRIAL)
        return WORK_TRIAL;
    if (!f->tried && f->gate.state == QRNG_GATE_QUARANTINE && qrng_gate_begin(&f->gate, qc_now_ms()))
        return WORK_TRIAL;
    return qrng_gate_is_open(&f->gate) && f->ready < f->target / 2 ? WORK_BLOCK : WORK_STOP;
}

/* The caller is the worker for as long as nothing has to be waited for, if nobody was before; short_of: what
 * follows where something had to be. */
static void work_at_once(struct qrng_feed *f, enum worker short_of)
{
    {
        QC_LOCK(&f->lock);
        if (f->worker != WORKER_NONE)
            return;
        f->worker = is_at_once(f) ? WORKER_CALLER : short_of;
        if (f->worker != WORKER_CALLER)
            return;
    }
    enum work w = next_at_once(f);
    while (w != WORK_STOP && do_work(f, w, &no_wait))
        w = next_at_once(f);
    QC_LOCK(&f->lock);
    f->worker = w == WORK_STOP ? WORKER_NEXT : short_of;
    qc_cond_wake_all(&f->changed);
}

void qrng_feed_ahead(struct qrng_feed *f)
{
    if (is_alive(f))
        work_at_once(f, WORKER_NONE); /* the first draw tries again */
}

/* From the pool's end; wakes the thread at its half. Under the lock. */
static size_t take(struct qrng_feed *f, uint8_t *p, size_t n)
{
    const size_t got = n < f->ready ? n : f->ready;
    uint8_t *from = f->s->pool + f->ready - got;
    if (got == 0)
        return 0;
    memcpy(p, from, got);
    qc_wipe(from, got);
    f->ready -= got;
    f->status.given += got;
    if (f->ready <= f->target / 2)
        qc_cond_wake_all(&f->changed);
    return got;
}

/* A draw found the pool empty: more is kept from now on. Under the lock. */
static void want_more(struct qrng_feed *f)
{
    f->target = 2 * f->target < f->conf->pool ? 2 * f->target : f->conf->pool;
}

/* Is it out of health, and not because nobody tried it yet? Under the lock. */
static bool is_down(const struct qrng_feed *f)
{
    return f->gate.state == QRNG_GATE_LOCKED || (f->gate.state == QRNG_GATE_QUARANTINE && f->tried);
}

static qc_rc say_down(const struct qrng_feed *f, struct qc_err *err)
{
    return QC_FAIL(err, QC_RANDOM, "the source %s is %s: %s", f->conf->name,
                   f->gate.state == QRNG_GATE_LOCKED ? "shut off until it is enabled" : "in quarantine",
                   f->status.why);
}

static qc_rc draw(struct qrng_feed *f, uint8_t *p, size_t n, qc_deadline d, struct qc_err *err)
{
    QC_LOCK(&f->lock);
    for (size_t done = 0;;) {
        const bool down = is_down(f);
        done += take(f, p + done, n - done); /* of one that is down nothing is there */
        if (done == n && !down)
            return QC_OK;
        QC_TRY(start(f, err)); /* it also tries again what is down */
        if (down)
            return say_down(f, err);
        if (qc_deadline_over(d))
            return QC_FAIL(err, QC_RANDOM, "the source %s gave %zu of %zu bytes in time", f->conf->name, done,
                           n);
        if (done > 0)
            want_more(f);
        f->waiting++;
        qc_cond_wait(&f->changed, &f->lock, d);
        f->waiting--;
    }
}

qc_rc qrng_feed_draw(struct qrng_feed *f, uint8_t *p, size_t n, qc_deadline d, struct qc_err *err)
{
    qc_rc rc = QC_OK;
    if (is_alive(f)) {
        work_at_once(f, WORKER_NEXT);
        rc = draw(f, p, n, d, err);
    } else {
        rc = refuse_child(f, err);
    }
    if (rc != QC_OK)
        qc_wipe(p, n);
    return rc;
}

struct qrng_feed_status qrng_feed_status(struct qrng_feed *f)
{
    QC_LOCK(&f->lock);
    struct qrng_feed_status s = f->status;
    s.state = f->gate.state;
    s.started = f->worker != WORKER_NONE;
    s.locked = f->memory.locked;
    return s;
}

void qrng_feed_enable(struct qrng_feed *f)
{
    QC_LOCK(&f->lock);
    qrng_gate_enable(&f->gate);
    qc_cond_wake_all(&f->changed);
}

const void *qrng_feed_memory(const struct qrng_feed *f, size_t *ret_size)
{
    *ret_size = f->memory.n;
    return f->memory.p;
}

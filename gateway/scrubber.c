/* The thread that scrubs: a page, a pause as long as the rates want it, the next page. The lock is held
 * between pages, and never during one. */
#include <signal.h>

#include "base/log.h"
#include "scrub_internal.h"

void gw_scrubs_init(struct gw_scrubs *s)
{
    qc_mutex_init(&s->lock);
    qc_cond_init(&s->wake);
    s->conf = gw_scrub_default;
    s->pace =
        (struct gw_throttle){ .bytes_per_s = s->conf.bytes_per_s, .requests_per_s = s->conf.requests_per_s };
}

void gw_scrubs_done(struct gw_scrubs *s)
{
    gw_seen_free(&s->seen);
    qc_cond_done(&s->wake);
    qc_mutex_done(&s->lock);
}

/* Wait so long, or until somebody wants a pass. false: the end. */
static bool await(struct gw_engine *e, uint64_t wait_ms)
{
    struct gw_scrubs *s = &e->scrubs;
    const qc_deadline d = qc_deadline_in(wait_ms);
    QC_LOCK(&s->lock);

    while (!s->stop && !s->news && !qc_deadline_over(d))
        (void)qc_cond_wait(&s->wake, &s->lock, d);
    s->news = false;
    return !s->stop;
}

/* The rates are kept whoever asks: no news shortens this. */
static bool await_pace(struct gw_engine *e)
{
    struct gw_scrubs *s = &e->scrubs;
    QC_LOCK(&s->lock);

    for (;;) {
        const uint64_t wait_ms = gw_throttle_wait_ms(&s->pace, gw_env_now(e->env));
        if (s->stop || wait_ms == 0)
            return !s->stop;
        (void)qc_cond_wait(&s->wake, &s->lock, qc_deadline_in(wait_ms));
    }
}

static void *work(void *arg)
{
    struct gw_engine *e = arg;
    uint64_t wait_ms = 0;
    bool worked;

    while (await(e, wait_ms) && await_pace(e)) {
        struct qc_err err = { 0 };
        if (gw_scrub_page(e, &worked, &wait_ms, &err) != QC_OK) {
            qc_log_err(QC_LOG_DEBUG, "scrub", &err);
            wait_ms = QC_GW_SCRUB_LOOK_MS;
        }
        if (atomic_load(&e->fenced) || gw_cat_broken(e->cat))
            break;
    }
    return NULL;
}

/* Signals are for the program's own thread. */
qc_rc gw_scrubs_work(struct gw_engine *e, struct qc_err *err)
{
    sigset_t all, before;

    QC_ASSERT(!e->scrubs.threaded);
    (void)sigfillset(&all);
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    e->scrubs.threaded = pthread_create(&e->scrubs.thread, NULL, work, e) == 0;
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return e->scrubs.threaded ? QC_OK : QC_FAIL(err, QC_TEMP, "cannot start a thread that scrubs");
}

static void tell_stop(struct gw_scrubs *s)
{
    QC_LOCK(&s->lock);

    s->stop = true;
    qc_cond_wake_all(&s->wake);
}

void gw_scrubs_stop(struct gw_engine *e)
{
    struct gw_scrubs *s = &e->scrubs;

    if (!s->threaded)
        return;
    qc_cancel_set(&s->cancel);
    tell_stop(s);
    gw_fan_hurry(e->fan);
    QC_ASSERT(pthread_join(s->thread, NULL) == 0);
    s->threaded = false;
}

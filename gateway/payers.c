/* Threads that pay debts: they ask the turns (turns.h) whose turn it is, and take it (pay.c).
 * The lock is held between turns, and never during one. */
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "engine_internal.h"
#include "gateway/probe.h"

void gw_payers_init(struct gw_payers *p)
{
    qc_mutex_init(&p->lock);
    qc_cond_init(&p->wake);
}

void gw_payers_done(struct gw_payers *p)
{
    qc_cond_done(&p->wake);
    qc_mutex_done(&p->lock);
}

static uint32_t well_clouds(struct gw_engine *e)
{
    uint32_t well = 0;

    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        struct gw_cloud_view view;
        gw_fan_view(e->fan, at, &view);
        well |= (uint32_t)(view.state == GW_CLOUD_OK && !view.suspect) << at;
    }
    return well;
}

/* Whose turn is it? Waits for one, and for news of clouds in between; -1: the end. */
static int await_turn(struct gw_engine *e)
{
    struct gw_payers *p = &e->payers;

    for (;;) {
        const uint32_t well = well_clouds(e);
        QC_LOCK(&p->lock);
        uint64_t wait_ms;
        const uint64_t now = gw_env_now(e->env);
        if (gw_turns_see(&p->turns, well, now) != 0)
            atomic_fetch_add(&p->backs, 1);
        const int at = p->stop ? -1 : gw_turns_take(&p->turns, now, &wait_ms);
        if (p->stop || at >= 0)
            return at;
        (void)qc_cond_wait(&p->wake, &p->lock,
                           qc_deadline_in(wait_ms < QC_GW_DEBT_NEWS_MS ? wait_ms : QC_GW_DEBT_NEWS_MS));
    }
}

void gw_payers_tell(struct gw_engine *e, uint32_t cloud_id)
{
    struct gw_payers *p = &e->payers;
    const int at = gw_fan_at(e->fan, cloud_id);
    QC_LOCK(&p->lock);

    if (at < 0 || (unsigned)at >= p->turns.count) /* it left */
        return;
    gw_turns_news(&p->turns, (unsigned)at, gw_env_now(e->env));
    qc_cond_wake_all(&p->wake);
}

qc_rc gw_engine_debts_retry(struct gw_engine *e, struct qc_err *err)
{
    struct gw_payers *p = &e->payers;
    gw_clouds back;

    QC_TRY(gw_engine_may(e, err));
    QC_TRY(gw_probe_again(e->fan, e->root, gw_fan_all(e->fan), GW_ILL_ALL, &back, err));
    QC_LOCK(&p->lock);
    for (unsigned at = 0; at < p->turns.count; at++)
        gw_turns_again(&p->turns, at, gw_env_now(e->env));
    qc_cond_wake_all(&p->wake);
    return QC_OK;
}

static void end_turn(struct gw_engine *e, unsigned at, enum gw_turn_end end)
{
    struct gw_payers *p = &e->payers;
    QC_LOCK(&p->lock);

    gw_turns_end(&p->turns, at, end, gw_env_now(e->env), gw_env_chance(e->env));
}

/* Nothing can be paid any more by this process. */
static bool is_over(struct gw_engine *e)
{
    return atomic_load(&e->fenced) || gw_cat_broken(e->cat);
}

static void *work(void *arg)
{
    struct gw_engine *e = arg;

    for (int at = await_turn(e); at >= 0; at = await_turn(e)) {
        enum gw_turn_end end = GW_TURN_NOTHING;
        struct qc_err err = { 0 };
        /* A repair does all of it, in its own order. */
        if (atomic_load(&e->keeps) && !atomic_load(&e->repairing) &&
            gw_pay_turn(e, (unsigned)at, GW_ILL_ALL, &end, &err) != QC_OK)
            qc_log_err(QC_LOG_DEBUG, "debts", &err);
        end_turn(e, (unsigned)at, end);
        if (is_over(e))
            break;
    }
    return NULL;
}

/* Signals are for the program's own thread. */
qc_rc gw_engine_work(struct gw_engine *e, struct qc_err *err)
{
    struct gw_payers *p = &e->payers;
    sigset_t all, before;
    int rc = 0;

    QC_ASSERT(p->count == 0);
    QC_TRY(gw_attendant_start(e, err));
    (void)sigfillset(&all);
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    while (p->count < QC_GW_PAYERS && rc == 0) {
        rc = pthread_create(&p->threads[p->count], NULL, work, e);
        p->count += rc == 0;
    }
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (rc != 0)
        return QC_FAIL(err, QC_TEMP, "cannot start %d threads that pay debts", QC_GW_PAYERS);
    return gw_scrubs_work(e, err);
}

static void tell_stop(struct gw_payers *p)
{
    QC_LOCK(&p->lock);

    p->stop = true;
    qc_cond_wake_all(&p->wake);
}

void gw_payers_stop(struct gw_engine *e)
{
    struct gw_payers *p = &e->payers;

    if (p->count == 0)
        return;
    qc_cancel_set(&p->cancel);
    tell_stop(p);
    gw_fan_hurry(e->fan);
    for (unsigned i = 0; i < p->count; i++)
        QC_ASSERT(pthread_join(p->threads[i], NULL) == 0);
    p->count = 0;
}

bool gw_payers_busy(struct gw_engine *e)
{
    QC_LOCK(&e->payers.lock);

    return gw_turns_busy(&e->payers.turns);
}

void gw_payers_view(struct gw_engine *e, unsigned at, struct gw_paying *ret)
{
    struct gw_payers *p = &e->payers;
    QC_LOCK(&p->lock);
    const uint64_t now = gw_env_now(e->env);
    const struct gw_turn *t = &p->turns.v[at];

    *ret = p->seen[at];
    ret->next_ms = p->count > 0 && t->failures > 0 && t->due_ms > now ? t->due_ms - now : 0;
}

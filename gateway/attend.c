/* Several gateways on one catalogue: docs/adr/0021 has what each of them must not believe. The catalogue's
 * sessions say who is there; the oldest one keeps the store. */
#include <signal.h>

#include "base/log.h"
#include "engine_internal.h"

/* -- one look -------------------------------------------------------------------------------------------- */

/* Generations are followed; when another gateway lets clouds come or go, this one is over (S1). */
static void follow_clouds(struct gw_engine *e, const struct gw_cloud_row *rows, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const int at = gw_fan_at(e->fan, rows[i].id);
        struct gw_cloud_view view;
        if (at < 0)
            continue; /* this one is about to add it */
        gw_fan_view(e->fan, (unsigned)at, &view);
        if (view.generation != rows[i].generation)
            gw_fan_set_generation(e->fan, (unsigned)at, rows[i].generation);
    }
}

static qc_rc hold_row(struct gw_engine *e, bool hold, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_hold(e->cat, hold, err));
    return gw_cat_commit(e->cat, &tx, err);
}

/* What was held, and nobody holds any more. */
static qc_rc let_go(struct gw_engine *e, struct qc_err *err)
{
    struct gw_attendant *a = &e->attendant;
    QC_LOCK(&a->hold_lock);

    if (!a->held || a->holds > 0)
        return QC_OK;
    QC_TRY(hold_row(e, false, err));
    a->held = false;
    return QC_OK;
}

static qc_rc look(struct gw_engine *e, struct gw_cloud_row *rows, struct qc_err *err)
{
    unsigned count;
    bool first = false;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_attend(e->cat, &first, err));
        QC_TRY(gw_cloud_rows(e->cat, rows, &count, err));
        atomic_store(&e->tenants_stale, true);
    }
    if (first && !atomic_exchange(&e->keeps, true))
        QC_LOG(QC_LOG_INFO, "this gateway keeps the store", QC_U("session", gw_cat_session(e->cat)));
    follow_clouds(e, rows, count);
    return let_go(e, err);
}

qc_rc gw_engine_attend(struct gw_engine *e, struct qc_err *err)
{
    if (gw_cat_session(e->cat) == 0) {
        atomic_store(&e->keeps, true);
        return QC_OK;
    }
    QC_CLEANUP(qc_free_ptr) struct gw_cloud_row *rows = qc_alloc(QC_GW_CLOUDS_MAX * sizeof *rows);
    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "clouds");
    return look(e, rows, err);
}

qc_rc gw_engine_must_keep(struct gw_engine *e, struct qc_err *err)
{
    if (atomic_load(&e->keeps))
        return QC_OK;
    return QC_FAIL(err, QC_TEMP,
                   "another gateway of this catalogue keeps the store, and repairs it: ask there");
}

qc_rc gw_engine_hold_others(struct gw_engine *e, bool *ret_held, struct qc_err *err)
{
    *ret_held = false;
    if (gw_cat_session(e->cat) == 0)
        return QC_OK;
    QC_LOCK(&e->attendant.hold_lock);
    QC_TRY(hold_row(e, true, err));
    e->attendant.holds++;
    *ret_held = true;
    return QC_OK;
}

void gw_engine_let_others(struct gw_engine *e, bool *held)
{
    struct qc_err unused = { 0 };

    if (!*held)
        return;
    *held = false;
    {
        QC_LOCK(&e->attendant.hold_lock);
        e->attendant.holds--;
        e->attendant.held = true;
    }
    qc_ignore(let_go(e, &unused), "the next look at the others does it");
}

qc_rc gw_engine_still(struct gw_engine *e, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    return gw_cat_session(e->cat) == 0 ? QC_OK : gw_cat_begin(e->cat, &tx, err);
}

/* -- the thread ------------------------------------------------------------------------------------------ */

void gw_attendant_init(struct gw_attendant *a)
{
    qc_mutex_init(&a->lock);
    qc_mutex_init(&a->hold_lock);
    qc_cond_init(&a->wake);
}

void gw_attendant_done(struct gw_attendant *a)
{
    qc_cond_done(&a->wake);
    qc_mutex_done(&a->hold_lock);
    qc_mutex_done(&a->lock);
}

/* false: the end */
static bool rest(struct gw_attendant *a)
{
    const qc_deadline until = qc_deadline_in(QC_GW_ATTEND_MS);
    QC_LOCK(&a->lock);

    while (!a->stop && qc_cond_wait(&a->wake, &a->lock, until))
        ;
    return !a->stop;
}

static void *work(void *arg)
{
    struct gw_engine *e = arg;

    while (rest(&e->attendant) && !gw_cat_broken(e->cat)) {
        struct qc_err err = { 0 };
        if (gw_engine_attend(e, &err) != QC_OK)
            qc_log_err(QC_LOG_WARN, "other gateways", &err);
    }
    return NULL;
}

/* Signals are for the program's own thread. */
qc_rc gw_attendant_start(struct gw_engine *e, struct qc_err *err)
{
    struct gw_attendant *a = &e->attendant;
    sigset_t all, before;

    if (gw_cat_session(e->cat) == 0 || a->runs)
        return QC_OK;
    (void)sigfillset(&all);
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    a->runs = pthread_create(&a->thread, NULL, work, e) == 0;
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return a->runs ? QC_OK : QC_FAIL(err, QC_TEMP, "cannot start a thread that watches other gateways");
}

static void tell_stop(struct gw_attendant *a)
{
    QC_LOCK(&a->lock);

    a->stop = true;
    qc_cond_wake_all(&a->wake);
}

void gw_attendant_stop(struct gw_engine *e)
{
    struct gw_attendant *a = &e->attendant;

    if (!a->runs)
        return;
    tell_stop(a);
    QC_ASSERT(pthread_join(a->thread, NULL) == 0);
    a->runs = false;
}

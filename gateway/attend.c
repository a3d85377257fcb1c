/* Several gateways on one catalogue: docs/adr/0021 has what each of them must not believe. The catalogue's
 * sessions say who is there; the oldest one keeps the store. */
#include <signal.h>

#include "base/log.h"
#include "engine_internal.h"

/* -- one look -------------------------------------------------------------------------------------------- */

/* Clouds that came or went are for a new opening; generations are followed. */
static qc_rc follow_clouds(struct gw_engine *e, const struct gw_cloud_row *rows, unsigned count,
                           struct qc_err *err)
{
    bool same = count == gw_fan_count(e->fan);

    for (unsigned i = 0; i < count && same; i++) {
        const int at = gw_fan_at(e->fan, rows[i].id);
        struct gw_cloud_view view;
        same = at >= 0;
        if (!same)
            break;
        gw_fan_view(e->fan, (unsigned)at, &view);
        if (view.generation != rows[i].generation)
            gw_fan_set_generation(e->fan, (unsigned)at, rows[i].generation);
    }
    if (!same)
        return QC_FAIL(err, QC_TEMP, "another gateway changed the clouds: this one has to be started anew");
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
    return follow_clouds(e, rows, count, err);
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

/* -- the thread ------------------------------------------------------------------------------------------ */

void gw_attendant_init(struct gw_attendant *a)
{
    qc_mutex_init(&a->lock);
    qc_cond_init(&a->wake);
}

void gw_attendant_done(struct gw_attendant *a)
{
    qc_cond_done(&a->wake);
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

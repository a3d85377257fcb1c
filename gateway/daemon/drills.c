#include "drills.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/thread.h"

struct drill_run {
    struct drills *drills;
    struct gw_engine *engine;
    struct gw_drill_ask ask;
    char names[QC_GW_CLOUDS_MAX][CLOUD_NAME_SIZE_MAX + 1];
    const char *without[QC_GW_CLOUDS_MAX];
    struct qc_cancel cancel;
    pthread_t thread;
    struct drill_report report; /* under drills->lock */
};

void drills_init(struct drills *d)
{
    qc_mutex_init(&d->lock);
}

/* The run that is over, or is told to be; its thread is joined. */
static void end_run(struct drill_run **rp)
{
    struct drill_run *r = *rp;
    *rp = NULL;
    if (r == NULL)
        return;
    qc_cancel_set(&r->cancel);
    QC_ASSERT(pthread_join(r->thread, NULL) == 0);
    qc_free(r);
}

void drills_done(struct drills *d)
{
    end_run(&d->run);
    qc_mutex_done(&d->lock);
}

bool drills_run(struct drills *d)
{
    QC_LOCK(&d->lock);
    return d->run != NULL && d->run->report.running;
}

/* -- in its thread --------------------------------------------------------------------------------------- */

static void tell(void *ctx, const struct gw_drilled *now)
{
    struct drill_run *r = ctx;
    QC_LOCK(&r->drills->lock);
    r->report.d = *now;
}

static qc_rc lost(void *ctx, const struct gw_drill_lost *one, struct qc_err *err)
{
    struct drill_run *r = ctx;
    (void)err;
    QC_LOCK(&r->drills->lock);
    drill_report_lost(&r->report, one);
    return QC_OK;
}

static void *run(void *arg)
{
    struct drill_run *r = arg;
    struct gw_drilled d = { 0 };
    struct qc_err why = { 0 };
    qc_rc rc = gw_engine_drill(r->engine, &r->ask, &d, &why);
    if (rc == QC_OK)
        rc = gw_drill_verdict(&d, &why);
    GW_AUDIT(gw_engine_audit(r->engine), "drill", QC_S("rc", qc_rc_name(rc)), QC_U("tried", d.tried),
             QC_U("back", d.back), QC_U("without", d.without_count));
    QC_LOG(rc == QC_OK ? QC_LOG_INFO : QC_LOG_WARN, "a drill ended", QC_S("rc", qc_rc_name(rc)),
           QC_U("tried", d.tried), QC_U("back", d.back), QC_S("why", rc == QC_OK ? "" : why.msg));
    QC_LOCK(&r->drills->lock);
    r->report.d = d;
    r->report.rc = rc;
    r->report.why = why;
    r->report.running = false;
    return NULL;
}

/* -- calls ----------------------------------------------------------------------------------------------- */

static qc_rc make(struct drills *d, struct gw_engine *e, const struct gw_drill_ask *ask,
                  struct drill_run **ret, struct qc_err *err)
{
    struct drill_run *r = qc_alloc(sizeof *r);
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "a drill");
    *r = (struct drill_run){ .drills = d, .engine = e, .ask = *ask };
    for (unsigned i = 0; i < ask->without_count; i++) {
        (void)snprintf(r->names[i], sizeof r->names[i], "%s", ask->without[i]);
        r->without[i] = r->names[i];
    }
    r->ask.without = r->without;
    r->ask.cancel = &r->cancel;
    r->ask.lost = lost;
    r->ask.tell = tell;
    r->ask.ctx = r;
    r->report.running = true;
    r->report.d = (struct gw_drilled){ .began_s = qc_wall_s(), .seed = ask->seed };
    *ret = r;
    return QC_OK;
}

qc_rc drills_begin(struct drills *d, struct gw_engine *e, const struct gw_drill_ask *ask, struct qc_err *err)
{
    struct drill_run *before = NULL;
    for (unsigned i = 0; i < ask->without_count; i++)
        if (!gw_engine_has_cloud(e, ask->without[i]))
            return QC_FAIL(err, QC_NOTFOUND, "there is no cloud '%.64s'", ask->without[i]);
    {
        QC_LOCK(&d->lock);
        struct drill_run *r = NULL;
        if (d->run != NULL && d->run->report.running)
            return QC_FAIL(err, QC_CONFLICT, "a drill is under way already");
        QC_TRY(make(d, e, ask, &r, err));
        if (pthread_create(&r->thread, NULL, run, r) != 0) {
            qc_free(r);
            return QC_FAIL(err, QC_TEMP, "cannot start a thread for the drill");
        }
        before = d->run;
        d->run = r;
    }
    end_run(&before); /* over: its thread is at its end */
    return QC_OK;
}

qc_rc drills_cancel(struct drills *d, struct qc_err *err)
{
    QC_LOCK(&d->lock);
    if (d->run == NULL || !d->run->report.running)
        return QC_FAIL(err, QC_NOTFOUND, "no drill is under way");
    qc_cancel_set(&d->run->cancel);
    return QC_OK;
}

qc_rc drills_report(struct drills *d, struct gw_engine *e, struct json_t **ret, struct qc_err *err)
{
    QC_LOCK(&d->lock);
    if (d->run == NULL)
        return QC_FAIL(err, QC_NOTFOUND, "there was no drill since the gateway was started");
    return drill_report_json(ret, e, &d->run->report, err);
}

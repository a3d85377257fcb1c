#include "jobs.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/thread.h"
#include "json.h"
#include "repair_report.h"

/* Numbers go on over restarts: the second in which one began, and some room below it. */
enum { NUMBERS_PER_SECOND = 1000 };

enum job_state { JOB_RUNNING, JOB_DONE, JOB_FAILED };

struct job {
    struct jobs *jobs;
    struct gw_engine *engine;
    uint64_t number;
    struct gw_repair_ask ask;
    char adopt[CLOUD_NAME_SIZE_MAX + 1];
    struct qc_cancel cancel;
    pthread_t thread;
    int64_t started_s;
    /* Under jobs->lock. */
    enum job_state state;
    int64_t ended_s;
    struct gw_repair_report seen;
    qc_rc rc; /* DONE: the verdict; FAILED: why it did not go through */
    struct qc_err why;
};

static void *run_repair(void *arg);

void jobs_init(struct jobs *j)
{
    qc_mutex_init(&j->lock);
}

/* The job that is over, or is told to be; its thread is joined. */
static void end_job(struct job **jp)
{
    struct job *job = *jp;
    *jp = NULL;
    if (job == NULL)
        return;
    qc_cancel_set(&job->cancel);
    QC_ASSERT(pthread_join(job->thread, NULL) == 0);
    qc_free(job);
}

void jobs_done(struct jobs *j)
{
    end_job(&j->repair);
    qc_mutex_done(&j->lock);
}

static bool runs(const struct job *job)
{
    return job != NULL && job->state == JOB_RUNNING;
}

bool jobs_run(struct jobs *j)
{
    QC_LOCK(&j->lock);
    return runs(j->repair);
}

/* -- in the job's thread --------------------------------------------------------------------------------- */

static void see(void *ctx, const struct gw_repair_report *now)
{
    struct job *job = ctx;
    QC_LOCK(&job->jobs->lock);
    job->seen = *now;
}

static void log_end(const struct job *job)
{
    const struct gw_repair_report *r = &job->seen;
    uint64_t rebuilt = 0;
    uint64_t left = 0;
    for (unsigned i = 0; i < r->cloud_count; i++) {
        rebuilt += r->clouds[i].rebuilt;
        left += r->clouds[i].left;
    }
    GW_AUDIT(gw_engine_audit(job->engine), "repair_ended", QC_U("job", job->number),
             QC_S("rc", qc_rc_name(job->rc)), QC_U("rebuilt", rebuilt), QC_U("left", left));
    QC_LOG(job->rc == QC_OK ? QC_LOG_INFO : QC_LOG_WARN, "repair ended", QC_U("job", job->number),
           QC_S("rc", qc_rc_name(job->rc)), QC_U("rebuilt", rebuilt), QC_U("left", left),
           QC_S("why", job->rc == QC_OK ? "" : job->why.msg));
}

static void *run_repair(void *arg)
{
    struct job *job = arg;
    struct gw_repair_report *report = qc_alloc(sizeof *report);
    struct qc_err why = { 0 };
    enum job_state state = JOB_FAILED;
    qc_rc rc = QC_NOMEM;
    GW_AUDIT(gw_engine_audit(job->engine), "repair_began", QC_U("job", job->number),
             QC_U("deep", job->ask.deep), QC_U("dry_run", job->ask.dry_run), QC_S("adopt", job->adopt));
    if (report != NULL) {
        rc = gw_engine_repair(job->engine, &job->ask, report, &why);
        state = rc == QC_OK ? JOB_DONE : JOB_FAILED;
        if (rc == QC_OK)
            rc = gw_repair_verdict(report, &why);
    }
    {
        QC_LOCK(&job->jobs->lock);
        if (report != NULL)
            job->seen = *report;
        job->state = state;
        job->rc = rc;
        job->why = why;
        job->ended_s = qc_wall_s();
    }
    log_end(job);
    qc_free(report);
    return NULL;
}

/* -- calls ----------------------------------------------------------------------------------------------- */

static uint64_t next_number(struct jobs *j)
{
    const uint64_t now = (uint64_t)qc_wall_s() * NUMBERS_PER_SECOND;
    j->last = now > j->last ? now : j->last + 1;
    return j->last;
}

static qc_rc start(struct jobs *j, struct gw_engine *e, const struct gw_repair_ask *ask, struct job **ret,
                   struct qc_err *err)
{
    struct job *job = qc_alloc(sizeof *job);
    if (job == NULL)
        return QC_FAIL(err, QC_NOMEM, "a job");
    *job = (struct job){
        .jobs = j, .engine = e, .number = next_number(j), .ask = *ask, .started_s = qc_wall_s()
    };
    if (ask->adopt != NULL) {
        (void)snprintf(job->adopt, sizeof job->adopt, "%s", ask->adopt);
        job->ask.adopt = job->adopt;
    }
    job->ask.cancel = &job->cancel;
    job->ask.tell = see;
    job->ask.ctx = job;
    if (pthread_create(&job->thread, NULL, run_repair, job) != 0) {
        qc_free(job);
        return QC_FAIL(err, QC_TEMP, "cannot start a thread for the repair");
    }
    *ret = job;
    return QC_OK;
}

qc_rc jobs_repair(struct jobs *j, struct gw_engine *e, const struct gw_repair_ask *ask, uint64_t *ret,
                  struct qc_err *err)
{
    struct job *before = NULL;
    {
        QC_LOCK(&j->lock);
        if (runs(j->repair)) {
            *ret = j->repair->number;
            return QC_FAIL(err, QC_CONFLICT, "a repair is under way already");
        }
        before = QC_STEAL(j->repair);
        const qc_rc rc = start(j, e, ask, &j->repair, err);
        if (rc != QC_OK)
            j->repair = QC_STEAL(before);
        QC_TRY(rc);
        *ret = j->repair->number;
    }
    end_job(&before); /* over: its thread is at its end */
    return QC_OK;
}

/* Under the lock. */
static qc_rc find(struct jobs *j, uint64_t number, struct job **ret, struct qc_err *err)
{
    if (j->repair == NULL || j->repair->number != number)
        return QC_FAIL(err, QC_NOTFOUND, "no job of that number, or another one was begun since");
    *ret = j->repair;
    return QC_OK;
}

qc_rc jobs_cancel(struct jobs *j, uint64_t number, struct qc_err *err)
{
    struct job *job = NULL;
    QC_LOCK(&j->lock);
    QC_TRY(find(j, number, &job, err));
    qc_cancel_set(&job->cancel);
    return QC_OK;
}

static qc_rc outcome_json(struct json_t *o, const struct job *job, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    if (job->state == JOB_RUNNING)
        return qc_json_set_null(o, "outcome", err);
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "id", qc_rc_name(job->rc), err));
    QC_TRY(qc_json_set_str(one, "message", job->rc == QC_OK ? "everything is whole" : job->why.msg, err));
    return qc_json_set(o, "outcome", &one, err);
}

static qc_rc job_json(const struct job *job, struct gw_engine *e, struct json_t **ret, struct qc_err *err)
{
    static const char *const states[] = { "running", "done", "failed" };
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(json_count(o, "job", job->number, err));
    QC_TRY(qc_json_set_str(o, "kind", "repair", err));
    QC_TRY(qc_json_set_str(o, "state", states[job->state], err));
    QC_TRY(qc_json_set_int(o, "started", job->started_s, err));
    if (job->state == JOB_RUNNING)
        QC_TRY(qc_json_set_null(o, "ended", err));
    else
        QC_TRY(qc_json_set_int(o, "ended", job->ended_s, err));
    QC_TRY(outcome_json(o, job, err));
    QC_TRY(repair_report_json(&report, e, &job->seen, err));
    QC_TRY(qc_json_set(o, "report", &report, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

qc_rc jobs_json(struct jobs *j, struct gw_engine *e, uint64_t number, struct json_t **ret, struct qc_err *err)
{
    struct job *job = NULL;
    QC_LOCK(&j->lock);
    QC_TRY(find(j, number, &job, err));
    return job_json(job, e, ret, err);
}

qc_rc jobs_cancel_last(struct jobs *j, struct qc_err *err)
{
    QC_LOCK(&j->lock);
    if (!runs(j->repair))
        return QC_FAIL(err, QC_NOTFOUND, "no repair is under way");
    qc_cancel_set(&j->repair->cancel);
    return QC_OK;
}

qc_rc jobs_last_json(struct jobs *j, struct gw_engine *e, struct json_t **ret, struct qc_err *err)
{
    QC_LOCK(&j->lock);
    if (j->repair == NULL)
        return QC_FAIL(err, QC_NOTFOUND, "there was no repair since the gateway was started");
    return job_json(j->repair, e, ret, err);
}

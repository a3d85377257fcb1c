/* gateway repair: a job of the gateway, followed until it is over. */
#include "client.h"

#include <inttypes.h>
#include <stdio.h>

#include "progress.h"
#include "report.h"
#include "signals.h"

enum { POLL_MS = 10, POLL_MS_MAX = 200, PATH_MAX_BYTES = 64 };

struct repair {
    struct client *c;
    struct vault_gw *gw;
    int64_t job;
    struct json_t *seen; /* the job as it was told last */
    bool stopping;       /* told to stop */
    struct progress progress;
};

static void repair_done(struct repair *r)
{
    vault_gw_close(&r->gw);
    qc_json_free(&r->seen);
}

/* A call about the job; what comes is r->seen. */
static qc_rc call(struct repair *r, const struct vault_gw_operation *what, const struct vault_op *op,
                  struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *job = NULL;
    QC_TRY(r->gw->ops->operate(r->gw, what, &text, op, err));
    QC_TRY(qc_json_parse(&job, qc_buf_span(&text), err));
    qc_json_free(&r->seen);
    r->seen = QC_STEAL(job);
    return QC_OK;
}

static qc_rc begin(struct repair *r, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *ask = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_CLIENT_TEXT_MAX };
    const char *adopt = qc_args_value(args, "adopt", NULL);
    const struct vault_op op = { .deadline = qc_deadline_in(QC_VAULT_STALL_MS) };
    uint64_t rate = 0;
    QC_TRY(qc_args_u64(args, "max-rate", true, 1, INT64_MAX >> 11, &rate, err));
    QC_TRY(qc_json_new_obj(&ask, err));
    QC_TRY(qc_json_set_bool(ask, "deep", qc_args_flag(args, "deep"), err));
    QC_TRY(qc_json_set_bool(ask, "dry_run", qc_args_flag(args, "dry-run"), err));
    if (rate > 0)
        QC_TRY(qc_json_set_int(ask, "rate", (int64_t)rate, err));
    if (adopt != NULL)
        QC_TRY(qc_json_set_str(ask, "adopt", adopt, err));
    QC_TRY(qc_json_dump(ask, &body, err));
    const struct vault_gw_operation what = { "POST", "/v1/repair", qc_buf_span(&body) };
    QC_TRY(call(r, &what, &op, err)); /* a Ctrl-C has to know what to stop */
    return qc_json_int(r->seen, "job", 1, INT64_MAX, &r->job, err);
}

/* -- following ------------------------------------------------------------------------------------------- */

static qc_rc is_over(const struct repair *r, bool *ret, struct qc_err *err)
{
    const char *state = NULL;
    QC_TRY(qc_json_str(r->seen, "state", &state, err));
    *ret = strcmp(state, "running") != 0;
    return QC_OK;
}

/* Segments are the measure: those that are sound are passed over quickly. */
static qc_rc show(struct repair *r, struct qc_err *err)
{
    struct json_t *report = NULL;
    int64_t done = 0;
    int64_t all = 0;
    QC_TRY(qc_json_obj(r->seen, "report", &report, err));
    QC_TRY(qc_json_int(report, "segments_done", 0, INT64_MAX, &done, err));
    QC_TRY(qc_json_int(report, "segments", 0, INT64_MAX, &all, err));
    const struct vault_progress at = { .done = (uint64_t)done,
                                       .total = all > 0 ? (uint64_t)all : VAULT_SIZE_UNKNOWN };
    progress_tell(&r->progress, &at);
    return QC_OK;
}

/* The job itself is told to stop; it says when it has. */
static qc_rc look(struct repair *r, struct qc_err *err)
{
    const bool stop = qc_cancel_is(signals_cancel()) && !r->stopping;
    const struct vault_op op = { .deadline = qc_deadline_in(QC_VAULT_STALL_MS) };
    char path[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, "/v1/jobs/%" PRId64, r->job);
    const struct vault_gw_operation what = { stop ? "DELETE" : "GET", path, { 0 } };
    r->stopping = r->stopping || stop;
    const qc_rc rc = call(r, &what, &op, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_TEMP, "the gateway ended under the repair; what it had repaired stays");
    return rc;
}

static qc_rc follow(struct repair *r, struct qc_err *err)
{
    bool over = false;
    long nap_ms = POLL_MS;
    QC_TRY(is_over(r, &over, err));
    while (!over) {
        (void)nanosleep(&(struct timespec){ .tv_nsec = nap_ms * 1000000L }, NULL);
        nap_ms = nap_ms < POLL_MS_MAX / 2 ? nap_ms * 2 : POLL_MS_MAX;
        QC_TRY(look(r, err));
        QC_TRY_AS(show(r, err), err, "the gateway's answer");
        QC_TRY_AS(is_over(r, &over, err), err, "the gateway's answer");
    }
    return QC_OK;
}

/* -- the end --------------------------------------------------------------------------------------------- */

static qc_rc finish(struct repair *r, bool dry_run, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *item = NULL;
    struct json_t *report = NULL;
    struct qc_err why = { 0 };
    QC_TRY_AS(qc_json_obj(r->seen, "report", &report, err), err, "the gateway's answer");
    QC_TRY_AS(report_lines(&r->c->out, report, err), err, "the gateway's answer");
    const qc_rc rc = report_outcome(r->seen, &why);
    if (rc == QC_OK)
        out_line(&r->c->out, "everything is whole");
    QC_TRY(out_json_new("item", &item, err));
    QC_TRY(qc_json_set(item, "job", &r->seen, err));
    QC_TRY(out_json(&r->c->out, &item, err));
    if (rc == QC_DEGRADED && dry_run)
        why.next = "qcloud gateway repair";
    *err = why;
    return rc;
}

qc_rc cmd_gateway_repair(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(repair_done) struct repair r = { .c = c };
    const struct vault_call begun = client_call(c);
    if (qc_args_flag(args, "dry-run") && qc_args_value(args, "adopt", NULL) != NULL)
        return QC_FAIL(err, QC_USAGE, "--adopt writes to the cloud: not with --dry-run");
    QC_TRY(client_gateway(c, &begun.op, &r.gw, err));
    progress_begin(&r.progress, &c->out, QC_LIT("repair"), "segments", false);
    qc_rc rc = begin(&r, args, err);
    if (rc == QC_OK)
        rc = follow(&r, err);
    progress_end(&r.progress);
    QC_TRY(rc);
    return finish(&r, qc_args_flag(args, "dry-run"), err);
}

/* gateway repair: a job of the gateway, followed until it is over. */
#include <inttypes.h>
#include <stdio.h>

#include "cmd_move.h"
#include "job.h"
#include "report.h"

static qc_rc begin(struct job *j, const struct qc_args *args, uint64_t rate, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *ask = NULL;
    const char *adopt = qc_args_value(args, "adopt", NULL);
    int64_t number = 0;
    QC_TRY(qc_json_new_obj(&ask, err));
    QC_TRY(qc_json_set_bool(ask, "deep", qc_args_flag(args, "deep"), err));
    QC_TRY(qc_json_set_bool(ask, "dry_run", qc_args_flag(args, "dry-run"), err));
    if (rate > 0)
        QC_TRY(qc_json_set_int(ask, "rate", (int64_t)rate, err));
    if (adopt != NULL)
        QC_TRY(qc_json_set_str(ask, "adopt", adopt, err));
    QC_TRY(job_begin(j, "/v1/repair", ask, err)); /* a Ctrl-C has to know what to stop */
    QC_TRY(qc_json_int(j->seen, "job", 1, INT64_MAX, &number, err));
    (void)snprintf(j->path, sizeof j->path, "/v1/jobs/%" PRId64, number);
    return QC_OK;
}

static qc_rc finish(struct job *j, bool dry_run, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *item = NULL;
    struct json_t *report = NULL;
    struct qc_err why = { 0 };
    QC_TRY_AS(qc_json_obj(j->seen, "report", &report, err), err, "the gateway's answer");
    QC_TRY_AS(report_lines(&j->c->out, report, err), err, "the gateway's answer");
    const qc_rc rc = qc_json_outcome(j->seen, &why);
    if (rc == QC_OK)
        out_line(&j->c->out, "everything is whole");
    QC_TRY(out_json_new("item", &item, err));
    QC_TRY(qc_json_set(item, "job", &j->seen, err));
    QC_TRY(out_json(&j->c->out, &item, err));
    if (rc == QC_DEGRADED && dry_run)
        why.next = "qcloud gateway repair";
    *err = why;
    return rc;
}

qc_rc cmd_gateway_repair(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    /* Segments are the measure: those that are sound are passed over quickly. */
    QC_CLEANUP(job_done) struct job j = {
        .c = c,
        .all = "segments",
        .done = "segments_done",
        .ended = "the gateway ended under the repair; what it had repaired stays",
    };
    const struct vault_call begun = client_call(c);
    uint64_t rate = 0;
    QC_TRY(qc_args_u64(args, "max-rate", true, 1, INT64_MAX >> 11, &rate, err));
    if (qc_args_value(args, "reprotect", NULL) != NULL)
        return move_reprotect(c, args, err);
    if (qc_args_flag(args, "dry-run") && qc_args_value(args, "adopt", NULL) != NULL)
        return QC_FAIL(err, QC_USAGE, "--adopt writes to the cloud: not with --dry-run");
    QC_TRY(client_gateway(c, &begun.op, &j.gw, err));
    progress_begin(&j.progress, &c->out, QC_LIT("repair"), "segments", false);
    qc_rc rc = begin(&j, args, rate, err);
    if (rc == QC_OK)
        rc = job_follow(&j, err);
    progress_end(&j.progress);
    QC_TRY(rc);
    return finish(&j, qc_args_flag(args, "dry-run"), err);
}

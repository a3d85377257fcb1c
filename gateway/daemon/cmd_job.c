#include "cmd_job.h"

#include "cmd_ask.h"
#include "debt_report.h"
#include "tell.h"

/* -- jobs --------------------------------------------------------------------------------------------------
 */

static const char nobody[] =
    "long works belong to a gateway that serves; where none does, a command does its own";

qc_rc cmd_job_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    *(enum tell_about *)app = TELL_JOB;
    return cmd_ask(args, &(struct cmd_ask){ .method = "GET", .path = "/v1/jobs", .why = nobody }, err);
}

static qc_rc act(const struct qc_args *args, const char *action, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set_str(body, "job", args->argv[0], err));
    QC_TRY(qc_json_set_str(body, "action", action, err));
    return cmd_ask(
        args, &(struct cmd_ask){ .method = "POST", .path = "/v1/jobs", .body = body, .why = nobody }, err);
}

qc_rc cmd_job_show(void *app, const struct qc_args *args, struct qc_err *err)
{
    *(enum tell_about *)app = TELL_JOB;
    return act(args, "show", err);
}

qc_rc cmd_job_cancel(void *app, const struct qc_args *args, struct qc_err *err)
{
    *(enum tell_about *)app = TELL_JOB;
    return act(args, "cancel", err);
}

qc_rc cmd_job_resume(void *app, const struct qc_args *args, struct qc_err *err)
{
    *(enum tell_about *)app = TELL_JOB;
    return act(args, "resume", err);
}

/* -- debts -------------------------------------------------------------------------------------------------
 */

static qc_rc debts_here(struct json_t **ret, struct operator* o, const struct json_t *body,
                        struct qc_err *err)
{
    (void)body;
    return debt_report_json(ret, o->e, err);
}

qc_rc cmd_debt_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    *(enum tell_about *)app = TELL_JOB;
    return cmd_ask(args, &(struct cmd_ask){ .method = "GET", .path = "/v1/debts", .here = debts_here }, err);
}

/* Nobody serves: what can be paid is, now. */
static qc_rc retry_here(struct json_t **ret, struct operator* o, const struct json_t *body,
                        struct qc_err *err)
{
    bool more = true;
    (void)body;
    while (more) /* each round does some, or says that there is no more */
        QC_TRY(gw_engine_tidy(o->e, &more, err));
    return debt_report_json(ret, o->e, err);
}

qc_rc cmd_debt_retry(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    *(enum tell_about *)app = TELL_JOB;
    QC_TRY(qc_json_new_obj(&body, err));
    return cmd_ask(args,
                   &(struct cmd_ask){
                       .method = "POST", .path = "/v1/debts/retry", .body = body, .here = retry_here },
                   err);
}

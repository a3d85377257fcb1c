/* gateway job, debt: long works of one's own gateway, and what its clouds are owed. */
#include "ask.h"

/* -- jobs ------------------------------------------------------------------------------------------------ */

qc_rc cmd_gateway_job_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    (void)args;
    return ask_gateway(app, &(struct vault_gw_operation){ "GET", "/v1/jobs", { 0 } }, "jobs", false, err);
}

static qc_rc act(struct client *c, const char *job, const char *action, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *ask = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(qc_json_new_obj(&ask, err));
    QC_TRY(qc_json_set_str(ask, "job", job, err));
    QC_TRY(qc_json_set_str(ask, "action", action, err));
    QC_TRY(qc_json_dump(ask, &body, err));
    const qc_rc rc = ask_gateway(c, &(struct vault_gw_operation){ "POST", "/v1/jobs", qc_buf_span(&body) },
                                 "job", false, err);
    if (rc == QC_NOTFOUND)
        err->next = "qcloud gateway job ls";
    return rc;
}

qc_rc cmd_gateway_job_show(void *app, const struct qc_args *args, struct qc_err *err)
{
    return act(app, args->argv[0], "show", err);
}

qc_rc cmd_gateway_job_cancel(void *app, const struct qc_args *args, struct qc_err *err)
{
    return act(app, args->argv[0], "cancel", err);
}

qc_rc cmd_gateway_job_resume(void *app, const struct qc_args *args, struct qc_err *err)
{
    return act(app, args->argv[0], "resume", err);
}

/* -- debts ----------------------------------------------------------------------------------------------- */

qc_rc cmd_gateway_debt_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    (void)args;
    return ask_gateway(app, &(struct vault_gw_operation){ "GET", "/v1/debts", { 0 } }, "debts", false, err);
}

qc_rc cmd_gateway_debt_retry(void *app, const struct qc_args *args, struct qc_err *err)
{
    (void)args;
    return ask_gateway(app, &(struct vault_gw_operation){ "POST", "/v1/debts/retry", QC_LIT("{}") }, "debts",
                       false, err);
}

/* -- the log --------------------------------------------------------------------------------------------- */

qc_rc cmd_gateway_log_level(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *ask = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_CLIENT_TEXT_MAX };
    if (args->argc == 0)
        return ask_gateway(app, &(struct vault_gw_operation){ "GET", "/v1/log", { 0 } }, "log", false, err);
    QC_TRY(qc_json_new_obj(&ask, err));
    QC_TRY(qc_json_set_str(ask, "level", args->argv[0], err));
    QC_TRY(qc_json_dump(ask, &body, err));
    return ask_gateway(app, &(struct vault_gw_operation){ "POST", "/v1/log", qc_buf_span(&body) }, "log",
                       false, err);
}

/* -- links ----------------------------------------------------------------------------------------------- */

qc_rc cmd_gateway_link_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    (void)args;
    return ask_gateway(app, &(struct vault_gw_operation){ "GET", "/v1/links", { 0 } }, "links", false, err);
}

qc_rc cmd_gateway_link_test(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *ask = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(qc_json_new_obj(&ask, err));
    if (args->argc > 0)
        QC_TRY(qc_json_set_str(ask, "cloud", args->argv[0], err));
    QC_TRY(qc_json_dump(ask, &body, err));
    return ask_gateway(app, &(struct vault_gw_operation){ "POST", "/v1/links/test", qc_buf_span(&body) },
                       "links", true, err);
}

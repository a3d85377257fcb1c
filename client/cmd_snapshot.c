/* gateway snapshot create, ls, verify: what is kept of the catalogue of one's own gateway on the clouds. */
#include "ask.h"

qc_rc cmd_gateway_snapshot(void *app, const struct qc_args *args, struct qc_err *err)
{
    (void)args;
    return ask_gateway(app, &(struct vault_gw_operation){ "POST", "/v1/snapshot", QC_LIT("{}") }, "snapshot",
                       true, err);
}

qc_rc cmd_gateway_snapshot_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    (void)args;
    return ask_gateway(app, &(struct vault_gw_operation){ "GET", "/v1/snapshots", { 0 } }, "snapshots", true,
                       err);
}

qc_rc cmd_gateway_snapshot_verify(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(qc_json_new_obj(&body, err));
    if (args->argc > 0)
        QC_TRY(qc_json_set_str(body, "generation", args->argv[0], err));
    QC_TRY(qc_json_dump(body, &text, err));
    const struct vault_gw_operation what = { "POST", "/v1/snapshots/check", qc_buf_span(&text) };
    const qc_rc rc = ask_gateway(app, &what, "check", true, err);
    if (rc == QC_NOTFOUND)
        err->next = "qcloud gateway snapshot ls";
    if (rc == QC_INTEGRITY || rc == QC_DEGRADED)
        err->next = "qcloud gateway snapshot create";
    return rc;
}

/* gateway snapshot: the catalogue of one's own gateway is kept on the clouds, now. */
#include "client.h"

#include "report.h"

qc_rc cmd_gateway_snapshot(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *item = NULL;
    const struct vault_call call = client_call(c);
    struct qc_err why = { 0 };
    (void)args;
    QC_TRY(client_gateway(c, &call.op, &gw, err));
    QC_TRY(gw->ops->operate(gw, &(struct vault_gw_operation){ "POST", "/v1/snapshot", QC_LIT("{}") }, &text,
                            &call.op, err));
    QC_TRY_AS(qc_json_parse(&report, qc_buf_span(&text), err), err, "the gateway's answer");
    QC_TRY_AS(report_lines(&c->out, report, err), err, "the gateway's answer");
    const qc_rc rc = qc_json_outcome(report, &why);
    QC_TRY(out_json_new("item", &item, err));
    QC_TRY(qc_json_set(item, "snapshot", &report, err));
    QC_TRY(out_json(&c->out, &item, err));
    *err = why;
    return rc;
}

/* One call of an operator to one's own gateway: asked, shown, and judged by its outcome. */
#include "ask.h"

#include "report.h"

qc_rc ask_gateway(struct client *c, const struct vault_gw_operation *what, const char *member, bool judged,
                  struct qc_err *err)
{
    QC_CLEANUP(vault_gw_close) struct vault_gw *gw = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    const struct vault_call call = client_call(c);
    QC_TRY(client_gateway(c, &call.op, &gw, err));
    QC_TRY(gw->ops->operate(gw, what, &text, &call.op, err));
    QC_TRY_AS(qc_json_parse(&report, qc_buf_span(&text), err), err, "the gateway's answer");
    return ask_show(c, &report, member, judged, err);
}

qc_rc ask_show(struct client *c, struct json_t **report, const char *member, bool judged, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *item = NULL;
    struct qc_err why = { 0 };
    QC_TRY_AS(report_lines(&c->out, *report, err), err, "the gateway's answer");
    const qc_rc rc = judged ? qc_json_outcome(*report, &why) : QC_OK;
    QC_TRY(out_json_new("item", &item, err));
    QC_TRY(qc_json_set(item, member, report, err));
    QC_TRY(out_json(&c->out, &item, err));
    if (rc != QC_OK)
        *err = why;
    return rc;
}

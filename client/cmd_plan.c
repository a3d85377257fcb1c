/* plan keys: arithmetic on what is said; nobody is asked, nothing is read. */
#include "client.h"

#include "qkd/plan.h"

qc_rc cmd_plan_keys(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    struct qkd_plan p = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qkd_plan_take(args, &p, err));
    QC_TRY(qkd_plan_text(&p, &text, err));
    if (!c->out.json)
        out_raw(&c->out, qc_buf_span(&text));
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qkd_plan_json(&p, j, err));
    return out_json(&c->out, &j, err);
}

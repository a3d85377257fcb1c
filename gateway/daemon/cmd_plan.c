#include "cmd_plan.h"

#include <stdio.h>

#include "http.h"
#include "print.h"
#include "qkd/plan.h"
#include "tell.h"

const struct qc_opt cmd_plan_keys_options[] = {
    QKD_PLAN_OPTIONS,
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

qc_rc cmd_plan_keys(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct qkd_plan p = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = HTTP_BODY_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    *(enum tell_about *)app = TELL_CALL;
    QC_TRY(qkd_plan_take(args, &p, err));
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qkd_plan_json(&p, j, err));
    if (qc_args_flag(args, "json"))
        return print_json(j, HTTP_BODY_MAX, err);
    QC_TRY(qkd_plan_text(&p, &text, err));
    printf("%.*s", (int)text.n, (const char *)text.p);
    return QC_OK;
}

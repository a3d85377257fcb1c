#include "base/program.h"
#include "cmd_snapshot.h"

#include "cloud_args.h"
#include "http.h"
#include "operator.h"
#include "print.h"
#include "snapshot_report.h"
#include "tell.h"

const struct qc_opt cmd_snapshot_options[] = {
    CLOUD_ARGS_STATE,
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

qc_rc cmd_snapshot(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(operator_done) struct operator o = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    const char *state = NULL;
    *(enum tell_about *)app = TELL_SNAPSHOT;
    QC_TRY(cloud_args_state(args, &state, err));
    QC_TRY(qc_stop_catch(err));
    QC_TRY(operator_open(&o, state, err));
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(o.net != NULL ? operator_ask(&o, "POST", "/v1/snapshot", body, &report, err)
                         : snapshot_take_json(&report, o.e, qc_stop(), err));
    QC_TRY(print_report(report, qc_args_flag(args, "json"), HTTP_BODY_MAX, err));
    return qc_json_outcome(report, err);
}

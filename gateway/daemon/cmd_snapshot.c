#include "base/program.h"
#include "cmd_snapshot.h"

#include "cloud_args.h"
#include "http.h"
#include "operator.h"
#include "print.h"
#include "snapshot_look.h"
#include "snapshot_report.h"
#include "tell.h"

const struct qc_opt cmd_snapshot_options[] = {
    CLOUD_ARGS_STATE,
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

enum { CHECK_MS = 3600000 }; /* all that is packed is fetched, and made into a catalogue */

static qc_rc begin(void *app, const struct qc_args *args, struct operator* o, struct qc_err *err)
{
    const char *state = NULL;
    *(enum tell_about *)app = TELL_SNAPSHOT;
    QC_TRY(cloud_args_state(args, &state, err));
    QC_TRY(qc_stop_catch(err));
    return operator_open(o, state, err);
}

static qc_rc tell(const struct qc_args *args, const struct json_t *report, struct qc_err *err)
{
    QC_TRY(print_report(report, qc_args_flag(args, "json"), HTTP_ANSWER_MAX, err));
    return qc_json_outcome(report, err);
}

qc_rc cmd_snapshot_create(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(operator_done) struct operator o = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    QC_TRY(begin(app, args, &o, err));
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(o.net != NULL ? operator_ask(&o, "POST", "/v1/snapshot", body, &report, err)
                         : snapshot_take_json(&report, o.e, qc_stop(), err));
    return tell(args, report, err);
}

qc_rc cmd_snapshot_ls(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(operator_done) struct operator o = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    QC_TRY(begin(app, args, &o, err));
    QC_TRY(o.net != NULL ? operator_ask(&o, "GET", "/v1/snapshots", NULL, &report, err)
                         : snapshot_list_json(&report, o.e, qc_stop(), err));
    return tell(args, report, err);
}

qc_rc cmd_snapshot_verify(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(operator_done) struct operator o = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    const char *generation = args->argc > 0 ? args->argv[0] : NULL;
    QC_TRY(begin(app, args, &o, err));
    QC_TRY(qc_json_new_obj(&body, err));
    if (generation != NULL)
        QC_TRY(qc_json_set_str(body, "generation", generation, err));
    o.answer_ms = CHECK_MS;
    QC_TRY(o.net != NULL ? operator_ask(&o, "POST", "/v1/snapshots/check", body, &report, err)
                         : snapshot_check_json(&report, o.e, generation, qc_stop(), err));
    return tell(args, report, err);
}

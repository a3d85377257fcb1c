#include "cmd_ask.h"

#include "base/program.h"
#include "cloud_args.h"
#include "http.h"
#include "print.h"

const struct qc_opt cmd_ask_options[] = {
    CLOUD_ARGS_STATE,
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

qc_rc cmd_ask_outcome(const struct json_t *report, struct qc_err *err)
{
    return qc_json_has(report, "outcome") ? qc_json_outcome(report, err) : QC_OK;
}

qc_rc cmd_ask(const struct qc_args *args, const struct cmd_ask *ask, struct qc_err *err)
{
    QC_CLEANUP(operator_done) struct operator o = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    const char *state = NULL;
    QC_TRY(cloud_args_state(args, &state, err));
    QC_TRY(qc_stop_catch(err));
    QC_TRY(operator_open(&o, state, err));
    if (o.net == NULL && ask->here == NULL)
        return QC_FAIL(err, QC_TEMP, "no gateway serves %.200s: %s", state, ask->why);
    QC_TRY(o.net != NULL ? operator_ask(&o, ask->method, ask->path, ask->body, &report, err)
                         : ask->here(&report, &o, ask->body, err));
    QC_TRY(print_report(report, qc_args_flag(args, "json"), HTTP_ANSWER_MAX, err));
    return ask->quiet ? QC_OK : cmd_ask_outcome(report, err);
}

#include "log_level.h"

#include <stdio.h>

#include "base/log_level.h"
#include "calls.h"
#include "cmd_ask.h"
#include "tell.h"

qc_rc log_level_json(struct json_t *o, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "level", qc_level_name(qc_log_level()), err));
    QC_TRY(qc_json_set_bool(one, "by_hand", qc_log_is_by_hand(), err));
    return qc_json_set(o, "log", &one, err);
}

static qc_rc report(struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *lines = NULL;
    char line[96];
    (void)snprintf(line, sizeof line, "the log has %s and above%s", qc_level_name(qc_log_level()),
                   qc_log_is_by_hand() ? ", by hand: until the gateway starts again, or is reloaded" : "");
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(log_level_json(o, err));
    QC_TRY(qc_json_new_arr(&lines, err));
    QC_TRY(qc_json_append_str(lines, line, err));
    QC_TRY(qc_json_set(o, "summary", &lines, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

qc_rc call_log(struct request *r, struct answer *ret, struct qc_err *err)
{
    (void)r;
    return report(&ret->json, err);
}

qc_rc call_log_level(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "level" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    const char *word = NULL;
    qc_level level = QC_LOG_INFO;
    QC_TRY(request_json(r, names, 1, &in, err));
    QC_TRY(qc_json_str(in, "level", &word, err));
    if (!qc_level_of_name(qc_span_str(word), &level))
        return QC_FAIL(err, QC_USAGE, "level: debug, info, warn or error");
    GW_AUDIT(gw_engine_audit(request_engine(r)), "log_level", QC_S("level", word));
    QC_LOG(QC_LOG_WARN, "the level of the log is set by hand", QC_S("level", word));
    qc_log_by_hand(level);
    return report(&ret->json, err);
}

qc_rc cmd_log_level(void *app, const struct qc_args *args, struct qc_err *err)
{
    static const char nobody[] = "the level of the log is that of a gateway that serves";
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    qc_level level = QC_LOG_INFO;
    *(enum tell_about *)app = TELL_JOB;
    if (args->argc == 0)
        return cmd_ask(args, &(struct cmd_ask){ .method = "GET", .path = "/v1/log", .why = nobody }, err);
    if (!qc_level_of_name(qc_span_str(args->argv[0]), &level))
        return QC_FAIL(err, QC_USAGE, "a level is debug, info, warn or error, not '%.40s'", args->argv[0]);
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set_str(body, "level", args->argv[0], err));
    return cmd_ask(
        args, &(struct cmd_ask){ .method = "POST", .path = "/v1/log", .body = body, .why = nobody }, err);
}

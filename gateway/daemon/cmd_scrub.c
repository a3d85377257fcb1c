#include "base/program.h"
#include "cmd_scrub.h"

#include <stdio.h>

#include "cloud_args.h"
#include "cmd_ask.h"
#include "http.h"
#include "operator.h"
#include "print.h"
#include "scrub_hand.h"
#include "scrub_report.h"
#include "tell.h"

enum { POLL_MS = 200 };

const struct qc_opt cmd_scrub_options[] = {
    CLOUD_ARGS_STATE,
    { "content", 0, NULL, "read and verify everything, not only the clouds' listings", false },
    { "cloud", 0, "NAME", "one cloud alone", false },
    { "wait", 0, NULL, "until it is over; without a daemon it always does", false },
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

/* Nobody serves: it is done here, and what it finds is mended. A pass that is cut off goes on at the next. */
static qc_rc run_here(struct gw_engine *e, struct qc_err *err)
{
    bool more = true;
    bool busy = true;
    while (more || busy) {
        QC_TRY(qc_go_on(QC_NO_DEADLINE, qc_stop(), "scrub", err));
        QC_TRY(gw_engine_tidy(e, &more, err));
        QC_TRY(scrub_is_busy(e, &busy, err));
    }
    return QC_OK;
}

static qc_rc await(struct operator* o, struct json_t **report, struct qc_err *err)
{
    bool busy = true;
    for (;;) {
        QC_TRY(qc_json_bool(*report, "busy", &busy, err));
        if (!busy)
            return QC_OK;
        QC_TRY(qc_go_on(QC_NO_DEADLINE, qc_stop(), "waiting for the scrub, which goes on", err));
        (void)nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
        qc_json_free(report);
        QC_TRY(operator_scrub(o, NULL, report, err));
    }
}

static qc_rc ask(struct operator* o, const struct qc_args *args, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    const char *cloud = qc_args_value(args, "cloud", NULL);
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set_bool(body, "content", qc_args_flag(args, "content"), err));
    if (cloud != NULL)
        QC_TRY(qc_json_set_str(body, "cloud", cloud, err));
    if (o->net != NULL) {
        QC_TRY(operator_scrub(o, body, ret, err));
        return qc_args_flag(args, "wait") ? await(o, ret, err) : QC_OK;
    }
    QC_TRY(gw_engine_scrub(o->e, qc_args_flag(args, "content"), cloud, err));
    QC_TRY(run_here(o->e, err));
    return scrub_report_json(ret, o->e, err);
}

qc_rc cmd_scrub(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(operator_done) struct operator o = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    const char *state = NULL;
    *(enum tell_about *)app = TELL_SCRUB;
    QC_TRY(cloud_args_state(args, &state, err));
    QC_TRY(qc_stop_catch(err));
    QC_TRY(operator_open(&o, state, err));
    QC_TRY(ask(&o, args, &report, err));
    QC_TRY(print_report(report, qc_args_flag(args, "json"), HTTP_BODY_MAX, err));
    return o.net != NULL && !qc_args_flag(args, "wait") ? QC_OK : qc_json_outcome(report, err);
}

/* -- how it stands, and what a hand sets ------------------------------------------------------------------
 */

const struct qc_opt cmd_scrub_pause_options[] = {
    CLOUD_ARGS_STATE,
    { "cloud", 0, "NAME", "one cloud alone", false },
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

static qc_rc status_here(struct json_t **ret, struct operator* o, const struct json_t *body,
                         struct qc_err *err)
{
    (void)body;
    return scrub_report_json(ret, o->e, err);
}

qc_rc cmd_scrub_status(void *app, const struct qc_args *args, struct qc_err *err)
{
    *(enum tell_about *)app = TELL_SCRUB;
    return cmd_ask(args, &(struct cmd_ask){ .method = "GET", .path = "/v1/scrub", .here = status_here }, err);
}

static qc_rc hand_here(struct json_t **ret, struct operator* o, const struct json_t *body, struct qc_err *err)
{
    return scrub_hand_json(ret, o->e, body, err);
}

static qc_rc by_hand(const struct qc_args *args, const struct json_t *body, struct qc_err *err)
{
    return cmd_ask(
        args,
        &(struct cmd_ask){
            .method = "POST", .path = "/v1/scrub/hand", .body = body, .here = hand_here, .quiet = true },
        err);
}

static qc_rc set_paused(const struct qc_args *args, bool paused, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    const char *cloud = qc_args_value(args, "cloud", NULL);
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set_bool(body, "paused", paused, err));
    if (cloud != NULL)
        QC_TRY(qc_json_set_str(body, "cloud", cloud, err));
    return by_hand(args, body, err);
}

qc_rc cmd_scrub_pause(void *app, const struct qc_args *args, struct qc_err *err)
{
    *(enum tell_about *)app = TELL_SCRUB;
    return set_paused(args, true, err);
}

qc_rc cmd_scrub_resume(void *app, const struct qc_args *args, struct qc_err *err)
{
    *(enum tell_about *)app = TELL_SCRUB;
    return set_paused(args, false, err);
}

qc_rc cmd_scrub_rate(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    uint64_t rate = 0;
    *(enum tell_about *)app = TELL_SCRUB;
    QC_TRY(qc_json_new_obj(&body, err));
    if (strcmp(args->argv[0], "default") == 0) {
        QC_TRY(qc_json_set_null(body, "rate", err));
        return by_hand(args, body, err);
    }
    if (strcmp(args->argv[0], "off") != 0)
        QC_TRY(qc_parse_u64(args->argv[0], "the rate", true, &rate, err));
    if (rate > INT64_MAX >> 11 || (rate < QC_GW_REPAIR_RATE_MIN && strcmp(args->argv[0], "off") != 0))
        return QC_FAIL(err, QC_USAGE,
                       "the rate: at least %d bytes a second; off: no limit; default: as configured",
                       QC_GW_REPAIR_RATE_MIN);
    QC_TRY(qc_json_set_int(body, "rate", (int64_t)rate, err));
    return by_hand(args, body, err);
}

#include "cmd_drill.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/lot.h"
#include "base/program.h"
#include "cloud_args.h"
#include "drill_report.h"
#include "http.h"
#include "operator.h"
#include "print.h"
#include "tell.h"

enum { POLL_MS = 200 };

const struct qc_opt cmd_drill_options[] = {
    CLOUD_ARGS_STATE,
    { "without-cloud", 0, "NAME|random|none",
      "a cloud to do without (default: as many at random as may be lost)", true },
    { "sample", 0, "N", "try so many versions, drawn by lot (default: all)", false },
    { "seed", 0, "S", "draw as the drill did that named this seed", false },
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

/* What is asked for. names: at least QC_OPT_GIVEN_MAX; they lie in args. */
static qc_rc take_ask(const struct qc_args *args, const qc_rng *rng, const char **names,
                      struct gw_drill_ask *ret, struct qc_err *err)
{
    uint8_t bytes[4]; /* short enough to be typed again */
    struct qc_lot_without w;
    *ret = (struct gw_drill_ask){ .without = names };
    QC_TRY(qc_rng_fill(rng, bytes, sizeof bytes, err));
    ret->seed = qc_get_be(bytes, sizeof bytes);
    QC_TRY(qc_args_u64(args, "seed", false, 0, INT64_MAX >> 11, &ret->seed, err));
    QC_TRY(qc_args_u64(args, "sample", false, 1, INT64_MAX >> 11, &ret->sample, err));
    QC_TRY(qc_lot_without(args, &w, err));
    if (w.named > QC_GW_CLOUDS_MAX)
        return QC_FAIL(err, QC_USAGE, "--without-cloud: at most %d", QC_GW_CLOUDS_MAX);
    ret->without_count = w.named;
    memcpy(names, w.names, w.named * sizeof *names);
    ret->random = w.said ? (int)w.random : GW_DRILL_USUAL;
    return QC_OK;
}

static qc_rc ask_json(struct json_t **ret, const struct gw_drill_ask *ask, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_int(o, "seed", (int64_t)ask->seed, err));
    if (ask->sample > 0)
        QC_TRY(qc_json_set_int(o, "sample", (int64_t)ask->sample, err));
    if (ask->random != GW_DRILL_USUAL) {
        QC_TRY(qc_json_new_arr(&list, err));
        for (unsigned i = 0; i < ask->without_count; i++)
            QC_TRY(qc_json_append_str(list, ask->without[i], err));
        QC_TRY(qc_json_set(o, "without", &list, err));
        QC_TRY(qc_json_set_int(o, "random", ask->random, err));
    }
    *ret = QC_STEAL(o);
    return QC_OK;
}

/* -- where a daemon serves ------------------------------------------------------------------------------- */

/* Ctrl-C stops the drill: it changes nothing, and nobody else waits for it. */
static qc_rc ask_daemon(struct operator* o, const struct gw_drill_ask *ask, struct json_t **ret,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    bool running = true, told = false;
    QC_TRY(ask_json(&body, ask, err));
    QC_TRY(operator_ask(o, "POST", "/v1/drill", body, ret, err));
    for (;;) {
        QC_TRY(qc_json_bool(*ret, "running", &running, err));
        if (!running)
            return QC_OK;
        (void)nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
        qc_json_free(ret);
        const bool stop = !told && qc_cancel_is(qc_stop());
        told = told || stop;
        QC_TRY(operator_ask(o, stop ? "DELETE" : "GET", "/v1/drill", NULL, ret, err));
    }
}

/* -- where nobody does ----------------------------------------------------------------------------------- */

static qc_rc lost(void *ctx, const struct gw_drill_lost *one, struct qc_err *err)
{
    (void)err;
    drill_report_lost(ctx, one);
    return QC_OK;
}

static qc_rc run_here(struct gw_engine *e, struct gw_drill_ask *ask, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct drill_report *r = qc_alloc(sizeof *r);
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "a drill");
    ask->cancel = qc_stop();
    ask->lost = lost;
    ask->ctx = r;
    const qc_rc rc = gw_engine_drill(e, ask, &r->d, &r->why);
    r->rc = rc == QC_OK ? gw_drill_verdict(&r->d, &r->why) : rc;
    GW_AUDIT(gw_engine_audit(e), "drill", QC_S("rc", qc_rc_name(r->rc)), QC_U("tried", r->d.tried),
             QC_U("back", r->d.back), QC_U("without", r->d.without_count));
    return drill_report_json(ret, e, r, err);
}

/* -- both ------------------------------------------------------------------------------------------------ */

qc_rc cmd_drill(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(operator_done) struct operator o = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    const char *names[QC_GW_CLOUDS_MAX];
    const char *state = NULL;
    struct gw_drill_ask ask;
    *(enum tell_about *)app = TELL_DRILL;
    QC_TRY(cloud_args_state(args, &state, err));
    QC_TRY(qc_stop_catch(err));
    QC_TRY(operator_open(&o, state, err));
    QC_TRY(take_ask(args, &o.rng, names, &ask, err));
    QC_TRY(o.net != NULL ? ask_daemon(&o, &ask, &report, err) : run_here(o.e, &ask, &report, err));
    QC_TRY(print_report(report, qc_args_flag(args, "json"), HTTP_ANSWER_MAX, err));
    return qc_json_outcome(report, err);
}

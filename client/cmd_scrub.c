/* gateway scrub: passes of the gateway, begun by hand, and shown. */
#include "ask.h"

#include <stdio.h>

#include "progress.h"
#include "report.h"
#include "signals.h"

enum { POLL_MS = 20, POLL_MS_MAX = 500 };

struct scrub {
    struct client *c;
    struct vault_gw *gw;
    struct json_t *seen; /* the report as it was told last */
};

static void scrub_done(struct scrub *s)
{
    vault_gw_close(&s->gw);
    qc_json_free(&s->seen);
}

static qc_rc call(struct scrub *s, const struct vault_gw_operation *what, struct qc_err *err)
{
    const struct vault_op op = { .deadline = qc_deadline_in(QC_VAULT_STALL_MS) };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    QC_TRY(s->gw->ops->operate(s->gw, what, &text, &op, err));
    QC_TRY(qc_json_parse(&report, qc_buf_span(&text), err));
    qc_json_free(&s->seen);
    s->seen = QC_STEAL(report);
    return QC_OK;
}

static qc_rc begin(struct scrub *s, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *ask = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_CLIENT_TEXT_MAX };
    const char *cloud = qc_args_value(args, "cloud", NULL);
    QC_TRY(qc_json_new_obj(&ask, err));
    QC_TRY(qc_json_set_bool(ask, "content", qc_args_flag(args, "content"), err));
    if (cloud != NULL)
        QC_TRY(qc_json_set_str(ask, "cloud", cloud, err));
    QC_TRY(qc_json_dump(ask, &body, err));
    return call(s, &(struct vault_gw_operation){ "POST", "/v1/scrub", qc_buf_span(&body) }, err);
}

/* Thousandths of the passes that are under way, over all of them. */
static void show(struct progress *p, const struct json_t *report)
{
    struct json_t *clouds = NULL;
    struct qc_err none = { 0 };
    uint64_t done = 0, all = 0;
    if (qc_json_arr(report, "clouds", &clouds, &none) != QC_OK)
        return;
    for (size_t i = 0; i < qc_json_len(clouds); i++) {
        static const char *const depths[] = { "presence", "content" };
        struct json_t *scrub = NULL;
        if (qc_json_obj(qc_json_at(clouds, i), "scrub", &scrub, &none) != QC_OK)
            return;
        for (size_t d = 0; d < 2; d++) {
            struct json_t *one = NULL, *now = NULL;
            const char *state = "";
            int64_t permille = 0;
            if (qc_json_obj(scrub, depths[d], &one, &none) != QC_OK ||
                qc_json_str(one, "state", &state, &none) != QC_OK || strcmp(state, "resting") == 0)
                continue;
            all += 1000;
            if (strcmp(state, "running") == 0 && qc_json_obj(one, "now", &now, &none) == QC_OK &&
                qc_json_int(now, "permille", 0, 1000, &permille, &none) == QC_OK)
                done += (uint64_t)permille;
        }
    }
    const struct vault_progress at = { .done = done, .total = all > 0 ? all : VAULT_SIZE_UNKNOWN };
    progress_tell(p, &at);
}

/* Ctrl-C ends the waiting; the gateway goes on. */
static qc_rc await(struct scrub *s, struct progress *p, struct qc_err *err)
{
    long nap_ms = POLL_MS;
    bool busy = false;
    for (;;) {
        QC_TRY_AS(qc_json_bool(s->seen, "busy", &busy, err), err, "the gateway's answer");
        if (!busy)
            return QC_OK;
        QC_TRY(qc_go_on(QC_NO_DEADLINE, signals_cancel(), "waiting for the scrub, which goes on", err));
        (void)nanosleep(&(struct timespec){ .tv_nsec = nap_ms * 1000000L }, NULL);
        nap_ms = nap_ms < POLL_MS_MAX / 2 ? nap_ms * 2 : POLL_MS_MAX;
        QC_TRY(call(s, &(struct vault_gw_operation){ "GET", "/v1/scrub", { 0 } }, err));
        show(p, s->seen);
    }
}

static qc_rc finish(struct scrub *s, bool waited, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *item = NULL;
    struct qc_err why = { 0 };
    QC_TRY_AS(report_lines(&s->c->out, s->seen, err), err, "the gateway's answer");
    const qc_rc rc = waited ? qc_json_outcome(s->seen, &why) : QC_OK;
    QC_TRY(out_json_new("item", &item, err));
    QC_TRY(qc_json_set(item, "scrub", &s->seen, err));
    QC_TRY(out_json(&s->c->out, &item, err));
    *err = why;
    return rc;
}

qc_rc cmd_gateway_scrub(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(scrub_done) struct scrub s = { .c = c };
    const struct vault_call begun = client_call(c);
    const bool wait = qc_args_flag(args, "wait");
    struct progress progress = { 0 };
    QC_TRY(client_gateway(c, &begun.op, &s.gw, err));
    QC_TRY(begin(&s, args, err));
    progress_begin(&progress, &c->out, QC_LIT("scrub"), "parts", false);
    const qc_rc rc = wait ? await(&s, &progress, err) : QC_OK;
    progress_end(&progress);
    QC_TRY(rc);
    return finish(&s, wait, err);
}

/* -- how it stands, and what a hand sets ------------------------------------------------------------------
 */

qc_rc cmd_gateway_scrub_status(void *app, const struct qc_args *args, struct qc_err *err)
{
    (void)args;
    return ask_gateway(app, &(struct vault_gw_operation){ "GET", "/v1/scrub", { 0 } }, "scrub", true, err);
}

/* What was asked for is done, whatever the report says of the state of things. */
static qc_rc by_hand(struct client *c, const struct json_t *ask, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(qc_json_dump(ask, &body, err));
    return ask_gateway(c, &(struct vault_gw_operation){ "POST", "/v1/scrub/hand", qc_buf_span(&body) },
                       "scrub", false, err);
}

static qc_rc set_paused(struct client *c, const struct qc_args *args, bool paused, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *ask = NULL;
    const char *cloud = qc_args_value(args, "cloud", NULL);
    QC_TRY(qc_json_new_obj(&ask, err));
    QC_TRY(qc_json_set_bool(ask, "paused", paused, err));
    if (cloud != NULL)
        QC_TRY(qc_json_set_str(ask, "cloud", cloud, err));
    return by_hand(c, ask, err);
}

qc_rc cmd_gateway_scrub_pause(void *app, const struct qc_args *args, struct qc_err *err)
{
    return set_paused(app, args, true, err);
}

qc_rc cmd_gateway_scrub_resume(void *app, const struct qc_args *args, struct qc_err *err)
{
    return set_paused(app, args, false, err);
}

qc_rc cmd_gateway_scrub_rate(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *ask = NULL;
    const char *word = args->argv[0];
    uint64_t rate = 0;
    QC_TRY(qc_json_new_obj(&ask, err));
    if (strcmp(word, "default") == 0) {
        QC_TRY(qc_json_set_null(ask, "rate", err));
        return by_hand(app, ask, err);
    }
    if (strcmp(word, "off") != 0)
        QC_TRY(qc_parse_u64(word, "the rate", true, &rate, err));
    if (rate > INT64_MAX >> 11 || (rate < QC_GW_REPAIR_RATE_MIN && strcmp(word, "off") != 0))
        return QC_FAIL(err, QC_USAGE,
                       "the rate: at least %d bytes a second; off: no limit; default: as configured",
                       QC_GW_REPAIR_RATE_MIN);
    QC_TRY(qc_json_set_int(ask, "rate", (int64_t)rate, err));
    return by_hand(app, ask, err);
}

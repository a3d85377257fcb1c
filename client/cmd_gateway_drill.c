/* gateway drill: the gateway's own rehearsal of a loss, begun and followed. What is in the sealed objects it
 * cannot see: qcloud drill opens them. */
#include "client.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/lot.h"
#include "progress.h"
#include "report.h"
#include "signals.h"

enum { POLL_MS = 20, POLL_MS_MAX = 500 };

struct follow {
    struct client *c;
    struct vault_gw *gw;
    struct json_t *seen; /* the report as it was told last */
    struct progress progress;
    bool stopping;
};

static void follow_done(struct follow *f)
{
    vault_gw_close(&f->gw);
    qc_json_free(&f->seen);
}

static qc_rc call(struct follow *f, const char *method, qc_span body, struct qc_err *err)
{
    const struct vault_op op = { .deadline = qc_deadline_in(QC_VAULT_STALL_MS) };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    QC_TRY(f->gw->ops->operate(f->gw, &(struct vault_gw_operation){ method, "/v1/drill", body }, &text, &op,
                               err));
    QC_TRY(qc_json_parse(&report, qc_buf_span(&text), err));
    qc_json_free(&f->seen);
    f->seen = QC_STEAL(report);
    return QC_OK;
}

/* "without" and "random", as said; neither where nothing was. */
static qc_rc set_clouds(struct json_t *ask, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    struct qc_lot_without w;
    QC_TRY(qc_lot_without(args, &w, err));
    if (!w.said)
        return QC_OK;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < w.named; i++)
        QC_TRY(qc_json_append_str(list, w.names[i], err));
    QC_TRY(qc_json_set(ask, "without", &list, err));
    return qc_json_set_int(ask, "random", w.random, err);
}

/* Which versions: by this seed, so many of them, or all (0). */
struct draw {
    uint64_t seed, sample;
};

static qc_rc take_draw(struct client *c, const struct qc_args *args, struct draw *ret, struct qc_err *err)
{
    const qc_rng rng = qrng_rng(c->ids);
    uint8_t bytes[4]; /* short enough to be typed again */
    struct draw d = { 0 };
    QC_TRY(qc_rng_fill(&rng, bytes, sizeof bytes, err));
    d.seed = qc_get_be(bytes, sizeof bytes);
    QC_TRY(qc_args_u64(args, "seed", false, 0, INT64_MAX >> 11, &d.seed, err));
    QC_TRY(qc_args_u64(args, "sample", false, 1, INT64_MAX >> 11, &d.sample, err));
    *ret = d;
    return QC_OK;
}

static qc_rc begin(struct follow *f, const struct qc_args *args, const struct draw *d, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *ask = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(qc_json_new_obj(&ask, err));
    QC_TRY(qc_json_set_int(ask, "seed", (int64_t)d->seed, err));
    if (d->sample > 0)
        QC_TRY(qc_json_set_int(ask, "sample", (int64_t)d->sample, err));
    QC_TRY(set_clouds(ask, args, err));
    QC_TRY(qc_json_dump(ask, &body, err));
    return call(f, "POST", qc_buf_span(&body), err);
}

static void show(struct follow *f)
{
    struct qc_err none = { 0 };
    int64_t tried = 0, all = 0;
    if (qc_json_int(f->seen, "tried", 0, INT64_MAX, &tried, &none) != QC_OK ||
        qc_json_int(f->seen, "versions", 0, INT64_MAX, &all, &none) != QC_OK)
        return;
    const struct vault_progress at = { .done = (uint64_t)tried,
                                       .total = all > 0 ? (uint64_t)all : VAULT_SIZE_UNKNOWN };
    progress_tell(&f->progress, &at);
}

/* Ctrl-C stops the drill. */
static qc_rc await(struct follow *f, struct qc_err *err)
{
    long nap_ms = POLL_MS;
    bool running = false;
    for (;;) {
        QC_TRY_AS(qc_json_bool(f->seen, "running", &running, err), err, "the gateway's answer");
        if (!running)
            return QC_OK;
        (void)nanosleep(&(struct timespec){ .tv_nsec = nap_ms * 1000000L }, NULL);
        nap_ms = nap_ms < POLL_MS_MAX / 2 ? nap_ms * 2 : POLL_MS_MAX;
        const bool stop = !f->stopping && qc_cancel_is(signals_cancel());
        f->stopping = f->stopping || stop;
        QC_TRY(call(f, stop ? "DELETE" : "GET", (qc_span){ 0 }, err));
        show(f);
    }
}

static qc_rc finish(struct follow *f, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *item = NULL;
    struct qc_err why = { 0 };
    QC_TRY_AS(report_lines(&f->c->out, f->seen, err), err, "the gateway's answer");
    const qc_rc rc = qc_json_outcome(f->seen, &why);
    QC_TRY(out_json_new("item", &item, err));
    QC_TRY(qc_json_set(item, "drill", &f->seen, err));
    QC_TRY(out_json(&f->c->out, &item, err));
    *err = why;
    return rc;
}

qc_rc cmd_gateway_drill(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(follow_done) struct follow f = { .c = c };
    const struct vault_call begun = client_call(c);
    struct draw d;
    QC_TRY(client_rng(c, err));
    QC_TRY(take_draw(c, args, &d, err));
    QC_TRY(client_gateway(c, &begun.op, &f.gw, err));
    QC_TRY(begin(&f, args, &d, err));
    progress_begin(&f.progress, &c->out, QC_LIT("drill"), "versions", false);
    const qc_rc rc = await(&f, err);
    progress_end(&f.progress);
    QC_TRY(rc);
    return finish(&f, err);
}

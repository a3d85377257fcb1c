#include "looks.h"

#include <inttypes.h>
#include <string.h>

#include "base/screen.h"
#include "signals.h"
#include "text.h"

enum { OFTEN_S = 5, FEW_ROWS = 4, CLOCK = 16 };

struct looks {
    struct client *c;
    looks_fn fn;
    uint64_t every_s, count;
    struct qc_screen screen;
    bool drawn; /* on a terminal, whose size screen is */
};

void looked_done(struct looked *l)
{
    qc_json_free(&l->item);
}

static const char *word_of(qc_rc rc)
{
    return rc == QC_OK ? "ok" : rc == QC_DEGRADED ? "degraded" : "not ok";
}

/* "ok        budget 1 (..)  clouds 5/5"; what is wrong stands behind. */
static void line_of(const struct looked *l, char *ret, size_t max)
{
    (void)snprintf(ret, max, "%-8s  %s%s%s", word_of(l->rc), l->line,
                   l->rc != QC_OK && l->line[0] != '\0' ? "  " : "", l->rc != QC_OK ? l->why.msg : "");
}

/* -- the ways to tell it --------------------------------------------------------------------------------- */

static qc_rc tell_item(struct looks *k, struct looked *l, struct qc_err *err)
{
    char when[QC_TIME_TEXT];
    if (l->item == NULL)
        QC_TRY(out_json_new("item", &l->item, err));
    qc_time_text(qc_wall_s(), when);
    QC_TRY(qc_json_set_str(l->item, "looked", when, err));
    QC_TRY(qc_json_set_int(l->item, "exit", qc_rc_exit(l->rc), err));
    QC_TRY(qc_json_set_str(l->item, "rc", qc_rc_name(l->rc), err));
    QC_TRY(text_json(l->item, "what", qc_span_str(l->rc != QC_OK ? l->why.msg : ""), err));
    return out_json(&k->c->out, &l->item, err);
}

static void tell_line(struct looks *k, const struct looked *l)
{
    char when[QC_TIME_TEXT], line[QC_ERR_MSG_MAX + sizeof l->line + 16];
    qc_time_text(qc_wall_s(), when);
    line_of(l, line, sizeof line);
    out_line(&k->c->out, "%s  %s", when, line);
    if (fflush(k->c->out.data) != 0)
        k->c->out.failed = true;
}

/* What it comes to stands above all that was seen: a low terminal shows that. */
static qc_rc draw(struct looks *k, const struct looked *l, qc_span said, struct qc_err *err)
{
    struct out *o = &k->c->out;
    struct out_held held;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf frame = { .max = 2 * QC_JSON_MAX };
    char clock[CLOCK] = "", line[QC_ERR_MSG_MAX + sizeof l->line + 16];
    struct tm tm;
    const time_t now = (time_t)qc_wall_s();
    if (localtime_r(&now, &tm) != NULL)
        qc_ignore(strftime(clock, sizeof clock, "%H:%M:%S", &tm) > 0 ? QC_OK : QC_LIMIT, "then without it");
    line_of(l, line, sizeof line);
    QC_TRY(out_hold(o, k->screen.columns, &held, err));
    out_row(o, FEW_ROWS, "%s  %s  (every %" PRIu64 " s; Ctrl-C ends it)", clock, line, k->every_s);
    QC_TRY(out_release(o, &text, err));
    QC_TRY(qc_buf_add(&text, said, err));
    QC_TRY(qc_screen_frame(qc_buf_span(&text), &k->screen, &frame, err));
    if (!qc_screen_draw(o->data, qc_buf_span(&frame), &k->screen, k->count == 0))
        o->failed = true;
    return QC_OK;
}

/* -- looks ----------------------------------------------------------------------------------------------- */

static qc_rc look(struct looks *k, struct looked *l, struct qc_err *err)
{
    struct out *o = &k->c->out;
    struct out_held held;
    QC_CLEANUP(qc_buf_free) qc_buf said = { .max = QC_JSON_MAX };
    if (o->json) {
        QC_TRY(k->fn(k->c, l, err));
        return tell_item(k, l, err);
    }
    k->drawn = qc_screen_of(o->data, &k->screen);
    QC_TRY(out_hold(o, k->drawn ? k->screen.columns : SIZE_MAX, &held, err));
    const qc_rc rc = k->fn(k->c, l, err);
    struct qc_err why = { 0 };
    const qc_rc kept = out_release(o, &said, &why);
    QC_TRY(rc);
    if (kept != QC_OK) {
        *err = why;
        return kept;
    }
    if (k->drawn)
        return draw(k, l, qc_buf_span(&said), err);
    tell_line(k, l);
    return QC_OK;
}

static qc_rc watch(struct looks *k, struct qc_err *err)
{
    while (!k->c->out.failed) { /* whoever read it is gone */
        QC_CLEANUP(looked_done) struct looked l = { 0 };
        QC_TRY(look(k, &l, err));
        k->count++;
        revival_again(&k->c->revival); /* a gateway of one's own leaves, and is started again */
        QC_TRY(qc_screen_wait(k->drawn ? k->c->out.data : NULL, &k->screen, k->every_s * 1000,
                              signals_cancel(), err));
    }
    return QC_OK;
}

static qc_rc once(struct client *c, looks_fn fn, struct qc_err *err)
{
    QC_CLEANUP(looked_done) struct looked l = { 0 };
    QC_TRY(fn(c, &l, err));
    if (l.item != NULL)
        QC_TRY(out_json(&c->out, &l.item, err));
    if (l.rc != QC_OK)
        *err = l.why;
    return l.rc;
}

qc_rc looks_run(struct client *c, const struct qc_args *args, looks_fn fn, struct qc_err *err)
{
    struct looks k = { .c = c, .fn = fn, .every_s = OFTEN_S };
    struct qc_err why = { 0 };
    if (!qc_args_flag(args, "watch") && qc_args_value(args, "interval", NULL) != NULL)
        return QC_FAIL(err, QC_USAGE, "--interval is for --watch, which is missing");
    QC_TRY(qc_args_span(args, "interval", 1, 86400, &k.every_s, err));
    if (!qc_args_flag(args, "watch"))
        return once(c, fn, err);
    const qc_rc rc = watch(&k, &why);
    if (rc == QC_CANCELLED) {
        c->out.class = MSG_CALL; /* the usual end, and no failure to look */
        return QC_FAIL(err, rc, "stopped after %" PRIu64 " look%s", k.count, text_s(k.count));
    }
    if (rc != QC_OK)
        *err = why;
    return rc;
}

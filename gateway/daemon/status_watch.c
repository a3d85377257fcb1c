#include "status_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/program.h"
#include "base/screen.h"
#include "operator.h"

enum { OFTEN_S = 5 };

struct looks {
    const char *state;
    bool json, drawn;
    uint64_t every_s, looks;
    struct qc_screen screen;
};

static qc_rc ask(const struct looks *w, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(operator_done) struct operator o = { 0 };
    QC_TRY(operator_reach(&o, w->state, err));
    QC_TRY_AS(operator_ask(&o, "GET", "/v1/status", NULL, ret, err), err, "no gateway answers");
    return QC_OK;
}

/* -- what is shown --------------------------------------------------------------------------------------- */

/* What a newer gateway leaves out is shown as unknown. */
static const char *text_of(const struct json_t *o, const char *key)
{
    struct qc_err none = { 0 };
    const char *text = "?";
    qc_ignore(qc_json_str(o, key, &text, &none), "shown as ?");
    return text;
}

static int64_t number_of(const struct json_t *o, const char *key)
{
    struct qc_err none = { 0 };
    int64_t n = 0;
    qc_ignore(qc_json_int(o, key, INT64_MIN, INT64_MAX, &n, &none), "shown as 0");
    return n;
}

static qc_rc add_clouds(const struct json_t *s, qc_buf *text, unsigned *ret_ok, size_t *ret_all,
                        struct qc_err *err)
{
    struct json_t *clouds = NULL;
    QC_TRY(qc_json_arr(s, "clouds", &clouds, err));
    *ret_ok = 0;
    *ret_all = qc_json_len(clouds);
    for (size_t i = 0; i < *ret_all; i++) {
        const struct json_t *c = qc_json_at(clouds, i);
        const char *why = text_of(c, "why");
        *ret_ok += strcmp(text_of(c, "state"), "ok") == 0;
        QC_TRY(qc_buf_addf(text, err, "cloud %s %s %s%s%s\n", text_of(c, "name"), text_of(c, "state"),
                           text_of(c, "url"), why[0] != '\0' ? " : " : "", why));
    }
    return QC_OK;
}

static qc_rc add_margins(const struct json_t *s, qc_buf *text, struct qc_err *err)
{
    struct json_t *margins = NULL;
    QC_TRY(qc_json_arr(s, "margins", &margins, err));
    QC_TRY(qc_buf_addf(text, err, "%" PRId64 " names, %" PRId64 " versions, %" PRId64 " bytes\n",
                       number_of(s, "objects"), number_of(s, "versions"), number_of(s, "bytes")));
    for (size_t i = 0; i < qc_json_len(margins); i++)
        QC_TRY(qc_buf_addf(text, err, "%" PRId64 " versions survive %" PRId64 " more lost clouds\n",
                           number_of(qc_json_at(margins, i), "versions"),
                           number_of(qc_json_at(margins, i), "margin")));
    return qc_buf_addf(text, err, "%" PRId64 " fragments and %" PRId64 " record copies are owed\n",
                       number_of(s, "debts"), number_of(s, "record_debts"));
}

/* *ret_first: why it is not green, which lies in s; NULL: it is. */
static qc_rc add_verdict(const struct json_t *s, qc_buf *text, const char **ret_first, struct qc_err *err)
{
    struct json_t *verdict = NULL, *reasons = NULL;
    QC_TRY(qc_json_obj(s, "verdict", &verdict, err));
    QC_TRY(qc_json_arr(verdict, "reasons", &reasons, err));
    *ret_first = qc_json_len(reasons) > 0 ? text_of(qc_json_at(reasons, 0), "what") : NULL;
    QC_TRY(qc_buf_add_str(text, *ret_first == NULL ? "verdict: green\n" : "verdict: not green:\n", err));
    for (size_t i = 0; i < qc_json_len(reasons); i++)
        QC_TRY(qc_buf_addf(text, err, "  %-4s  %s. %s\n", text_of(qc_json_at(reasons, i), "level"),
                           text_of(qc_json_at(reasons, i), "what"),
                           text_of(qc_json_at(reasons, i), "advice")));
    return QC_OK;
}

/* -- looks ----------------------------------------------------------------------------------------------- */

struct look {
    struct json_t *status; /* NULL: nobody serves, or another reason: */
    struct qc_err why;     /* rc: as status would end */
    qc_buf text;
    char line[256]; /* what it comes to */
};

static void look_done(struct look *l)
{
    qc_json_free(&l->status);
    qc_buf_free(&l->text);
}

static qc_rc take(const struct looks *w, struct look *l, struct qc_err *err)
{
    const char *first = NULL;
    unsigned ok = 0;
    size_t all = 0;
    QC_TRY(ask(w, &l->status, err));
    QC_TRY(add_clouds(l->status, &l->text, &ok, &all, err));
    QC_TRY(add_margins(l->status, &l->text, err));
    QC_TRY(add_verdict(l->status, &l->text, &first, err));
    (void)snprintf(l->line, sizeof l->line, "clouds %u/%zu  owed %" PRId64, ok, all,
                   number_of(l->status, "debts"));
    return first == NULL ? QC_OK : QC_FAIL(err, QC_DEGRADED, "not green: %.300s", first);
}

static qc_rc print_json_look(struct look *l, const char *when, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "looked", when, err));
    QC_TRY(qc_json_set_int(j, "exit", qc_rc_exit(l->why.rc), err));
    QC_TRY(qc_json_set_str(j, "what", l->why.msg, err));
    if (l->status != NULL)
        QC_TRY(qc_json_set(j, "status", &l->status, err));
    QC_TRY(qc_json_dump(j, &text, err));
    return printf("%.*s\n", (int)text.n, (const char *)text.p) > 0 && fflush(stdout) == 0
               ? QC_OK
               : QC_FAIL_OS(err, "standard output");
}

static qc_rc draw(const struct looks *w, const struct look *l, const char *line, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf all = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf frame = { .max = 2 * QC_JSON_MAX };
    QC_TRY(qc_buf_addf(&all, err, "%s\n", line));
    QC_TRY(qc_buf_add(&all, qc_buf_span(&l->text), err));
    QC_TRY(qc_screen_frame(qc_buf_span(&all), &w->screen, &frame, err));
    return qc_screen_draw(stdout, qc_buf_span(&frame), &w->screen, w->looks == 0)
               ? QC_OK
               : QC_FAIL_OS(err, "standard output");
}

static qc_rc show(struct looks *w, struct look *l, struct qc_err *err)
{
    char when[QC_TIME_TEXT], line[QC_ERR_MSG_MAX + sizeof l->line + 64];
    const qc_rc rc = l->why.rc;
    qc_time_text(qc_wall_s(), when);
    w->drawn = !w->json && qc_screen_of(stdout, &w->screen);
    const char *between = w->drawn ? "\n" : "  ";
    (void)snprintf(line, sizeof line, "%s  %-8s%s%s%s%s", when,
                   rc == QC_OK         ? "ok"
                   : rc == QC_DEGRADED ? "degraded"
                                       : "not ok",
                   l->line[0] != '\0' ? between : "", l->line, rc != QC_OK ? between : "", l->why.msg);
    if (w->json)
        return print_json_look(l, when, err);
    if (w->drawn)
        return draw(w, l, line, err);
    return printf("%s\n", line) > 0 && fflush(stdout) == 0 ? QC_OK : QC_FAIL_OS(err, "standard output");
}

/* The usual end of it. */
static qc_rc stopped(const struct looks *w, struct qc_err *err)
{
    return QC_FAIL(err, QC_CANCELLED, "stopped after %" PRIu64 " looks", w->looks);
}

qc_rc status_watch(const struct qc_args *args, const char *state, struct qc_err *err)
{
    struct looks w = { .state = state, .json = qc_args_flag(args, "json"), .every_s = OFTEN_S };
    QC_TRY(qc_args_span(args, "interval", 1, 86400, &w.every_s, err));
    QC_TRY(qc_stop_catch(err));
    for (;;) {
        QC_CLEANUP(look_done) struct look l = { .text = { .max = QC_JSON_MAX } };
        const qc_rc rc = take(&w, &l, &l.why);
        if (rc == QC_CANCELLED)
            return stopped(&w, err);
        if (rc == QC_NOMEM) {
            *err = l.why;
            return rc;
        }
        QC_TRY(show(&w, &l, err));
        w.looks++;
        if (qc_screen_wait(w.drawn ? stdout : NULL, &w.screen, w.every_s * 1000, qc_stop(), err) != QC_OK)
            return stopped(&w, err);
    }
}

#include "job_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "calls.h"
#include "json.h"
#include "scrub_report.h"

enum { WHAT = 160, LINE = 512 };

/* What is common to all of them. */
struct entry {
    const char *id;             /* by which it is asked for: there is one of a kind at a time */
    char kind[32];              /* "repair", "drain", "reprotect", .. */
    char what[WHAT];            /* of which cloud, without which ones; "" */
    char state[16];             /* running, done, failed, waiting, paused */
    int64_t started_s, ended_s; /* wall clock; 0: not, or not yet */
    int64_t done, all;          /* -1: nothing to count */
};

/* -- of their own reports ----------------------------------------------------------------------------------
 */

static qc_rc count_of(const struct json_t *report, const char *name, int64_t *ret, struct qc_err *err)
{
    return qc_json_int(report, name, 0, INT64_MAX, ret, err);
}

static qc_rc times_of(const struct json_t *o, struct entry *e, struct qc_err *err)
{
    QC_TRY(qc_json_int(o, "started", 0, INT64_MAX, &e->started_s, err));
    return qc_json_has(o, "ended") ? qc_json_int(o, "ended", 0, INT64_MAX, &e->ended_s, err) : QC_OK;
}

static qc_rc of_repair(const struct json_t *o, struct entry *e, struct qc_err *err)
{
    struct json_t *report = NULL;
    const char *state = NULL;
    QC_TRY(qc_json_str(o, "state", &state, err));
    QC_TRY(qc_json_obj(o, "report", &report, err));
    (void)snprintf(e->kind, sizeof e->kind, "repair");
    (void)snprintf(e->state, sizeof e->state, "%s", state);
    QC_TRY(count_of(report, "segments_done", &e->done, err));
    QC_TRY(count_of(report, "segments", &e->all, err));
    return times_of(o, e, err);
}

static qc_rc of_move(const struct json_t *o, struct entry *e, struct qc_err *err)
{
    struct json_t *report = NULL;
    const char *state = NULL, *kind = NULL, *cloud = NULL;
    int64_t left = 0;
    QC_TRY(qc_json_str(o, "state", &state, err));
    QC_TRY(qc_json_str(o, "kind", &kind, err));
    QC_TRY(qc_json_str(o, "cloud", &cloud, err));
    QC_TRY(qc_json_obj(o, "report", &report, err));
    (void)snprintf(e->kind, sizeof e->kind, "%s", kind);
    (void)snprintf(e->state, sizeof e->state, "%s", state);
    (void)snprintf(e->what, sizeof e->what, "%s%s", cloud[0] != '\0' ? "cloud " : "", cloud);
    QC_TRY(count_of(report, "fragments", &e->all, err));
    QC_TRY(count_of(report, "fragments_left", &left, err));
    e->done = left < e->all ? e->all - left : 0;
    return times_of(o, e, err);
}

static qc_rc of_drill(const struct json_t *o, struct entry *e, struct qc_err *err)
{
    bool running = false;
    QC_TRY(qc_json_bool(o, "running", &running, err));
    (void)snprintf(e->kind, sizeof e->kind, "drill");
    (void)snprintf(e->state, sizeof e->state, "%s", running ? "running" : "done");
    if (!running) {
        struct qc_err why = { 0 };
        if (qc_json_outcome(o, &why) != QC_OK)
            (void)snprintf(e->state, sizeof e->state, "failed");
    }
    QC_TRY(count_of(o, "tried", &e->done, err));
    QC_TRY(count_of(o, "versions", &e->all, err));
    QC_TRY(count_of(o, "began", &e->started_s, err));
    return count_of(o, "ended", &e->ended_s, err);
}

/* Over all clouds: the passes that are under way, or wait. */
static qc_rc of_scrub(struct gw_engine *engine, struct entry *e, struct qc_err *err)
{
    unsigned running = 0, waiting = 0, paused = 0;
    e->done = e->all = 0;
    for (unsigned at = 0; at < gw_engine_scrub_clouds(engine); at++) {
        struct gw_scrub_cloud c;
        if (gw_engine_scrub_name(engine, at) == NULL)
            continue;
        QC_TRY(gw_engine_scrub_view(engine, at, &c, err));
        paused += c.paused_s != 0;
        for (unsigned d = 0; d < GW_DEPTHS; d++) {
            const struct gw_scrub_view *v = &c.depth[d];
            const bool on = v->running || v->wanted;
            running += on && v->why[0] == '\0';
            waiting += on && v->why[0] != '\0';
            e->all += on ? 1000 : 0;
            e->done += v->running ? v->permille : 0;
            if (v->running && (e->started_s == 0 || v->began_s < e->started_s))
                e->started_s = v->began_s;
        }
    }
    (void)snprintf(e->kind, sizeof e->kind, "scrub");
    (void)snprintf(e->state, sizeof e->state, "%s",
                   running > 0   ? "running"
                   : paused > 0  ? "paused"
                   : waiting > 0 ? "waiting"
                                 : "resting");
    (void)snprintf(e->what, sizeof e->what,
                   "%u passes under way or to begin, %u of them wait; %u clouds paused", running + waiting,
                   waiting, paused);
    return QC_OK;
}

/* -- one of them -------------------------------------------------------------------------------------------
 */

static const char *const ids[] = { "repair", "clouds", "drill", "scrub" };
enum { REPAIR, CLOUDS, DRILL, SCRUB, IDS };

/* Its own report, and what is common. QC_NOTFOUND: there was none since the gateway was started. */
static qc_rc look(struct http_server *s, struct gw_engine *engine, unsigned which, struct entry *ret,
                  struct json_t **ret_report, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    struct entry e = { .id = ids[which], .done = -1, .all = -1 };
    if (which == REPAIR) {
        QC_TRY(jobs_last_json(&s->jobs, engine, &report, err));
        QC_TRY(of_repair(report, &e, err));
    } else if (which == CLOUDS) {
        QC_TRY(moves_json(&s->moves, &report, err));
        QC_TRY(of_move(report, &e, err));
    } else if (which == DRILL) {
        QC_TRY(drills_report(&s->drills, engine, &report, err));
        QC_TRY(of_drill(report, &e, err));
    } else {
        QC_TRY(scrub_report_json(&report, engine, err));
        QC_TRY(of_scrub(engine, &e, err));
    }
    *ret = e;
    *ret_report = QC_STEAL(report);
    return QC_OK;
}

static qc_rc set_time(struct json_t *o, const char *name, int64_t at_s, struct qc_err *err)
{
    return at_s == 0 ? qc_json_set_null(o, name, err) : qc_json_set_int(o, name, at_s, err);
}

static qc_rc set_count(struct json_t *o, const char *name, int64_t n, struct qc_err *err)
{
    return n < 0 ? qc_json_set_null(o, name, err) : qc_json_set_int(o, name, n, err);
}

static qc_rc entry_json(struct json_t **ret, const struct entry *e, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "id", e->id, err));
    QC_TRY(qc_json_set_str(o, "kind", e->kind, err));
    QC_TRY(qc_json_set_str(o, "what", e->what, err));
    QC_TRY(qc_json_set_str(o, "state", e->state, err));
    QC_TRY(set_time(o, "started", e->started_s, err));
    QC_TRY(set_time(o, "ended", e->ended_s, err));
    QC_TRY(set_count(o, "done", e->done, err));
    QC_TRY(set_count(o, "all", e->all, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

static qc_rc add_line(struct json_t *lines, const struct entry *e, struct qc_err *err)
{
    char line[LINE], started[QC_TIME_TEXT] = "-";
    char share[16] = "-";
    if (e->started_s != 0)
        qc_time_text(e->started_s, started);
    if (e->all > 0)
        (void)snprintf(share, sizeof share, "%d %%", (int)(100.0 * (double)e->done / (double)e->all));
    (void)snprintf(line, sizeof line, "%-8s %-10s %-8s %-5s started %s%s%s", e->id, e->kind, e->state, share,
                   started, e->what[0] != '\0' ? "  " : "", e->what);
    return qc_json_append_str(lines, line, err);
}

qc_rc job_list_json(struct json_t **ret, struct http_server *s, struct gw_engine *engine, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *lines = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    QC_TRY(qc_json_new_arr(&lines, err));
    for (unsigned which = 0; which < IDS; which++) {
        QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        struct qc_err why = { 0 };
        struct entry e;
        const qc_rc rc = look(s, engine, which, &e, &report, &why);
        if (rc == QC_NOTFOUND)
            continue;
        if (rc != QC_OK)
            *err = why;
        QC_TRY(rc);
        QC_TRY(entry_json(&one, &e, err));
        QC_TRY(qc_json_append(list, &one, err));
        QC_TRY(add_line(lines, &e, err));
    }
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set(o, "jobs", &list, err));
    QC_TRY(qc_json_set(o, "summary", &lines, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

/* -- actions -----------------------------------------------------------------------------------------------
 */

/* What is safe: whatever was done stays, and is whole. */
static qc_rc cancel(struct http_server *s, struct gw_engine *engine, unsigned which, struct qc_err *err)
{
    if (which == REPAIR)
        return jobs_cancel_last(&s->jobs, err);
    if (which == DRILL)
        return drills_cancel(&s->drills, err);
    if (which == SCRUB)
        return gw_engine_scrub_pause(engine, NULL, true, err);
    if (!moves_run(&s->moves))
        return QC_FAIL(err, QC_NOTFOUND, "no cloud comes or goes just now");
    moves_cancel(&s->moves);
    return QC_OK;
}

static qc_rc resume(struct http_server *s, struct gw_engine *engine, unsigned which, struct qc_err *err)
{
    if (which == SCRUB)
        return gw_engine_scrub_pause(engine, NULL, false, err);
    if (which != CLOUDS)
        return QC_FAIL(err, QC_USAGE, "a %s is begun anew, and passes over what is as it should be: `%s`",
                       ids[which], ids[which]);
    moves_again(&s->moves, engine);
    return QC_OK;
}

static const char *after(unsigned which, const char *action)
{
    if (strcmp(action, "cancel") != 0)
        return NULL;
    static const char *const said[IDS] = {
        [REPAIR] = "what was repaired stays; `repair` begins anew, and passes over what is whole",
        [CLOUDS] = "everything can be read; what a drain or a reprotect has left goes on by itself in a "
                   "minute, or with "
                   "`job resume clouds`; `cloud drain NAME --cancel` gives a drain up",
        [DRILL] = "a drill changes nothing",
        [SCRUB] = "passes are paused, on all clouds; `job resume scrub` or `scrub resume` lets them go on",
    };
    return said[which];
}

qc_rc job_act_json(struct json_t **ret, struct http_server *s, struct gw_engine *engine, const char *id,
                   const char *action, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *lines = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *report = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    struct entry e;
    unsigned which = 0;
    while (which < IDS && strcmp(id, ids[which]) != 0)
        which++;
    if (which == IDS)
        return QC_FAIL(err, QC_NOTFOUND, "there is no job '%.40s': repair, clouds, drill or scrub", id);
    QC_TRY(look(s, engine, which, &e, &report, err));
    if (strcmp(action, "cancel") == 0)
        QC_TRY(cancel(s, engine, which, err));
    else if (strcmp(action, "resume") == 0)
        QC_TRY(resume(s, engine, which, err));
    else if (strcmp(action, "show") != 0)
        return QC_FAIL(err, QC_USAGE, "action: show, cancel or resume");
    qc_json_free(&report);
    QC_TRY(look(s, engine, which, &e, &report, err)); /* as it is now */
    QC_TRY(qc_json_new_arr(&lines, err));
    QC_TRY(add_line(lines, &e, err));
    if (after(which, action) != NULL)
        QC_TRY(qc_json_append_str(lines, after(which, action), err));
    QC_TRY(entry_json(&one, &e, err));
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set(o, "job", &one, err));
    QC_TRY(qc_json_set(o, "report", &report, err));
    QC_TRY(qc_json_set(o, "summary", &lines, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

/* -- calls -------------------------------------------------------------------------------------------------
 */

qc_rc call_jobs(struct request *r, struct answer *ret, struct qc_err *err)
{
    return job_list_json(&ret->json, r->server, request_engine(r), err);
}

qc_rc call_job_act(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "job", "action" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    const char *id = NULL, *action = NULL;
    QC_TRY(request_json(r, names, 2, &in, err));
    QC_TRY(qc_json_str(in, "job", &id, err));
    QC_TRY(qc_json_str(in, "action", &action, err));
    return job_act_json(&ret->json, r->server, request_engine(r), id, action, err);
}

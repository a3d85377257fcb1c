#include "scrub_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "json.h"

enum { FINDINGS = 256, LINE = 512, LINES = 64, SPAN = 32 };

static const enum gw_depth depths[GW_DEPTHS] = { GW_PRESENCE, GW_CONTENT };

/* -- JSON ------------------------------------------------------------------------------------------------ */

static qc_rc last_json(struct json_t *o, const struct gw_scrub_view *v, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *last = NULL;
    if (v->last_ended_s == 0)
        return qc_json_set_null(o, "last", err);
    QC_TRY(qc_json_new_obj(&last, err));
    QC_TRY(qc_json_set_int(last, "began", v->last_began_s, err));
    QC_TRY(qc_json_set_int(last, "ended", v->last_ended_s, err));
    QC_TRY(json_count(last, "spent_ms", v->last_spent_ms, err));
    QC_TRY(json_count(last, "objects", v->last_objects, err));
    QC_TRY(json_count(last, "bytes", v->last_bytes, err));
    QC_TRY(json_count(last, "found", v->last_found, err));
    return qc_json_set(o, "last", &last, err);
}

static qc_rc now_json(struct json_t *o, const struct gw_scrub_view *v, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *now = NULL;
    if (!v->running)
        return qc_json_set_null(o, "now", err);
    QC_TRY(qc_json_new_obj(&now, err));
    QC_TRY(qc_json_set_int(now, "began", v->began_s, err));
    QC_TRY(qc_json_set_int(now, "permille", v->permille, err));
    if (v->left_s < 0)
        QC_TRY(qc_json_set_null(now, "left_s", err));
    else
        QC_TRY(qc_json_set_int(now, "left_s", v->left_s, err));
    QC_TRY(json_count(now, "objects", v->objects, err));
    QC_TRY(json_count(now, "bytes", v->bytes, err));
    QC_TRY(json_count(now, "found", v->found, err));
    QC_TRY(qc_json_set_bool(now, "again", v->again, err));
    return qc_json_set(o, "now", &now, err);
}

static qc_rc view_json(struct json_t *o, enum gw_depth depth, const struct gw_scrub_view *v,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "state", v->running ? "running" : v->wanted ? "wanted" : "resting", err));
    QC_TRY(qc_json_set_str(one, "why", v->why, err));
    QC_TRY(qc_json_set_int(one, "due", v->due_s, err));
    QC_TRY(qc_json_set_int(one, "since", v->since_s, err));
    QC_TRY(qc_json_set_bool(one, "late", v->late, err));
    QC_TRY(now_json(one, v, err));
    QC_TRY(last_json(one, v, err));
    return qc_json_set(o, gw_depth_name(depth), &one, err);
}

qc_rc scrub_cloud_json(struct json_t **ret, const struct gw_scrub_cloud *c, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *queue = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *findings = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    for (unsigned d = 0; d < GW_DEPTHS; d++)
        QC_TRY(view_json(o, depths[d], &c->depth[d], err));
    QC_TRY(qc_json_set_int(o, "paused", c->paused_s, err));
    QC_TRY(qc_json_new_obj(&queue, err));
    QC_TRY(json_count(queue, "fragments", c->queue, err));
    QC_TRY(qc_json_set_int(queue, "since", c->queue_since_s, err));
    QC_TRY(qc_json_set(o, "queue", &queue, err));
    QC_TRY(qc_json_new_obj(&findings, err));
    for (unsigned k = 0; k < GW_FINDING_KINDS; k++)
        QC_TRY(json_count(findings, gw_finding_kind_name((enum gw_finding_kind)k), c->findings[k], err));
    QC_TRY(qc_json_set(o, "findings", &findings, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

static qc_rc clouds_json(struct json_t *o, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned at = 0; at < gw_engine_scrub_clouds(e); at++) {
        if (gw_engine_scrub_name(e, at) == NULL)
            continue;
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_CLEANUP(qc_json_free) struct json_t *scrub = NULL;
        struct gw_scrub_cloud c;
        QC_TRY(gw_engine_scrub_view(e, at, &c, err));
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_str(one, "name", gw_engine_scrub_name(e, at), err));
        QC_TRY(scrub_cloud_json(&scrub, &c, err));
        QC_TRY(qc_json_set(one, "scrub", &scrub, err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    return qc_json_set(o, "clouds", &list, err);
}

static qc_rc finding_json(struct json_t *list, struct gw_engine *e, const struct gw_finding *f,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(json_count(one, "number", f->no, err));
    QC_TRY(qc_json_set_str(one, "cloud", gw_engine_cloud_name(e, f->cloud_id), err));
    QC_TRY(qc_json_set_str(one, "key", f->key, err));
    QC_TRY(qc_json_set_str(one, "kind", gw_finding_kind_name(f->kind), err));
    QC_TRY(qc_json_set_str(one, "by", gw_finding_source_name(f->source), err));
    QC_TRY(qc_json_set_int(one, "found", f->found_s, err));
    QC_TRY(qc_json_set_int(one, "seen", f->seen_s, err));
    QC_TRY(qc_json_set_int(one, "ended", f->ended_s, err));
    return qc_json_append(list, &one, err);
}

static qc_rc findings_json(struct json_t *o, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_finding *v = qc_alloc(FINDINGS * sizeof *v);
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    unsigned count = 0;
    if (v == NULL)
        return QC_FAIL(err, QC_NOMEM, "findings");
    QC_TRY(gw_engine_findings(e, 0, v, FINDINGS, &count, err));
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < count; i++)
        QC_TRY(finding_json(list, e, &v[i], err));
    return qc_json_set(o, "findings", &list, err);
}

static qc_rc add_line(void *ctx, const char *line, struct qc_err *err)
{
    return qc_json_append_str(ctx, line, err);
}

static qc_rc summary_json(struct json_t *o, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    QC_TRY(scrub_report_lines(e, add_line, list, err));
    return qc_json_set(o, "summary", &list, err);
}

static qc_rc outcome_json(struct json_t *o, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    struct qc_err why = { 0 };
    const qc_rc rc = scrub_verdict(e, &why);
    if (rc != QC_OK && rc != QC_DEGRADED) {
        *err = why;
        return rc;
    }
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "id", qc_rc_name(rc), err));
    QC_TRY(qc_json_set_str(one, "message", rc == QC_OK ? "nothing stands" : why.msg, err));
    return qc_json_set(o, "outcome", &one, err);
}

static qc_rc rate_json(struct json_t *o, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    uint64_t bytes_per_s = 0;
    bool by_hand = false;
    QC_TRY(gw_engine_scrub_pace(e, &bytes_per_s, &by_hand, err));
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(json_count(one, "bytes_per_s", bytes_per_s, err));
    QC_TRY(qc_json_set_bool(one, "by_hand", by_hand, err));
    return qc_json_set(o, "rate", &one, err);
}

qc_rc scrub_report_json(struct json_t **ret, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    bool busy = false;
    QC_TRY(scrub_is_busy(e, &busy, err));
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_bool(o, "busy", busy, err));
    QC_TRY(rate_json(o, e, err));
    QC_TRY(clouds_json(o, e, err));
    QC_TRY(findings_json(o, e, err));
    QC_TRY(outcome_json(o, e, err));
    QC_TRY(summary_json(o, e, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

/* -- lines ----------------------------------------------------------------------------------------------- */

struct lines {
    scrub_line_fn fn;
    void *ctx;
};

static qc_rc say(const struct lines *l, struct qc_err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static qc_rc say(const struct lines *l, struct qc_err *err, const char *format, ...)
{
    char line[LINE];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    return l->fn(l->ctx, line, err);
}

static const char *left_text(int64_t left_s, char ret[SPAN])
{
    if (left_s < 0)
        return "time left unknown";
    if (left_s < 120)
        (void)snprintf(ret, SPAN, "about %" PRId64 " s left", left_s);
    else if (left_s < 7200)
        (void)snprintf(ret, SPAN, "about %" PRId64 " min left", left_s / 60);
    else if (left_s < 172800)
        (void)snprintf(ret, SPAN, "about %" PRId64 " h left", left_s / 3600);
    else
        (void)snprintf(ret, SPAN, "about %" PRId64 " days left", left_s / 86400);
    return ret;
}

static qc_rc say_view(const struct lines *l, const char *name, enum gw_depth depth,
                      const struct gw_scrub_view *v, struct qc_err *err)
{
    char when[QC_TIME_TEXT], span[SPAN];
    if (v->running)
        QC_TRY(say(l, err,
                   "cloud %s: %s is under way: %u.%u %%, %" PRIu64 " objects, %" PRIu64 " findings, %s%s%s%s",
                   name, gw_depth_name(depth), v->permille / 10, v->permille % 10, v->objects, v->found,
                   left_text(v->left_s, span), v->again ? "; another follows" : "",
                   v->why[0] != '\0' ? "; waits: " : "", v->why));
    else if (v->wanted)
        QC_TRY(say(l, err, "cloud %s: %s begins%s%s", name, gw_depth_name(depth),
                   v->why[0] != '\0' ? " when it can: " : "", v->why));
    if (v->last_ended_s == 0)
        return v->running || v->wanted
                   ? QC_OK
                   : say(l, err, "cloud %s: %s was never looked at", name, gw_depth_name(depth));
    qc_time_text(v->last_ended_s, when);
    if (v->last_found == 0)
        return say(l, err, "cloud %s: %s as it should be, %" PRIu64 " objects, %s", name,
                   gw_depth_name(depth), v->last_objects, when);
    return say(l, err, "cloud %s: %s: %" PRIu64 " findings in %" PRIu64 " objects, %s", name,
               gw_depth_name(depth), v->last_found, v->last_objects, when);
}

static qc_rc say_findings(const struct lines *l, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_finding *v = qc_alloc(FINDINGS * sizeof *v);
    unsigned count = 0, told = 0;
    if (v == NULL)
        return QC_FAIL(err, QC_NOMEM, "findings");
    QC_TRY(gw_engine_findings(e, 0, v, FINDINGS, &count, err));
    for (unsigned i = 0; i < count && told < LINES; i++) {
        char when[QC_TIME_TEXT];
        if (v[i].ended_s != 0)
            continue;
        qc_time_text(v[i].seen_s, when);
        told++;
        QC_TRY(say(l, err, "cloud %s: %s: %s (seen %s by %s)", gw_engine_cloud_name(e, v[i].cloud_id),
                   gw_finding_kind_name(v[i].kind), v[i].key, when, gw_finding_source_name(v[i].source)));
    }
    return QC_OK;
}

static qc_rc say_rate(const struct lines *l, struct gw_engine *e, struct qc_err *err)
{
    uint64_t bytes_per_s = 0;
    bool by_hand = false;
    QC_TRY(gw_engine_scrub_pace(e, &bytes_per_s, &by_hand, err));
    if (!by_hand)
        return QC_OK;
    if (bytes_per_s == 0)
        return say(l, err, "rate by hand: no limit");
    return say(l, err, "rate by hand: %" PRIu64 " bytes a second", bytes_per_s);
}

qc_rc scrub_report_lines(struct gw_engine *e, scrub_line_fn fn, void *ctx, struct qc_err *err)
{
    const struct lines l = { fn, ctx };
    QC_TRY(say_rate(&l, e, err));
    for (unsigned at = 0; at < gw_engine_scrub_clouds(e); at++) {
        if (gw_engine_scrub_name(e, at) == NULL)
            continue;
        const char *name = gw_engine_scrub_name(e, at);
        struct gw_scrub_cloud c;
        QC_TRY(gw_engine_scrub_view(e, at, &c, err));
        if (c.paused_s != 0)
            QC_TRY(say(&l, err, "cloud %s: %s; `scrub resume` lets it go on", name, c.depth[0].why));
        for (unsigned d = 0; d < GW_DEPTHS; d++)
            QC_TRY(say_view(&l, name, depths[d], &c.depth[d], err));
        if (c.queue > 0)
            QC_TRY(say(&l, err, "cloud %s: %" PRIu64 " fragments are being rebuilt", name, c.queue));
    }
    return say_findings(&l, e, err);
}

/* -- what it means --------------------------------------------------------------------------------------- */

qc_rc scrub_is_busy(struct gw_engine *e, bool *ret, struct qc_err *err)
{
    *ret = false;
    for (unsigned at = 0; at < gw_engine_scrub_clouds(e); at++) {
        if (gw_engine_scrub_name(e, at) == NULL)
            continue;
        struct gw_scrub_cloud c;
        QC_TRY(gw_engine_scrub_view(e, at, &c, err));
        for (unsigned d = 0; d < GW_DEPTHS; d++)
            *ret |= (c.depth[d].running || c.depth[d].wanted) && c.depth[d].why[0] == '\0';
    }
    return QC_OK;
}

qc_rc scrub_verdict(struct gw_engine *e, struct qc_err *err)
{
    uint64_t mended = 0, odd = 0, queue = 0;
    unsigned waiting = 0, clouds = 0;
    for (unsigned at = 0; at < gw_engine_scrub_clouds(e); at++) {
        if (gw_engine_scrub_name(e, at) == NULL)
            continue;
        struct gw_scrub_cloud c;
        QC_TRY(gw_engine_scrub_view(e, at, &c, err));
        bool waits = false;
        for (unsigned d = 0; d < GW_DEPTHS; d++)
            waits |= c.depth[d].why[0] != '\0' && (c.depth[d].running || c.depth[d].wanted);
        waiting += waits;
        clouds++;
        queue += c.queue;
        for (unsigned k = 0; k < GW_FINDING_KINDS; k++)
            *(k >= GW_FINDING_UNKNOWN ? &odd : &mended) += c.findings[k];
    }
    if (queue + mended > 0)
        return QC_FAIL(err, QC_DEGRADED,
                       "%" PRIu64 " fragments are missing or bad, and being rebuilt; %" PRIu64
                       " objects are not to be explained",
                       queue > mended ? queue : mended, odd);
    if (odd > 0)
        return QC_FAIL(err, QC_DEGRADED,
                       "%" PRIu64 " objects on the clouds are not to be explained: they are not touched",
                       odd);
    if (waiting > 0)
        return QC_FAIL(err, QC_DEGRADED, "%u of %u clouds could not be looked at", waiting, clouds);
    return QC_OK;
}

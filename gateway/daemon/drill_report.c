#include "drill_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/codec.h"
#include "json.h"

void drill_report_lost(struct drill_report *r, const struct gw_drill_lost *lost)
{
    if (r->lost_count < DRILL_LOST) {
        r->lost[r->lost_count].tenant = lost->tenant;
        r->lost[r->lost_count].object = lost->object;
        r->lost[r->lost_count].version = lost->version;
        (void)snprintf(r->lost[r->lost_count].why, DRILL_WHY, "%s", lost->text);
    }
    r->lost_count++;
}

/* " without c1 and c2", at most so many names. */
static size_t add_without(struct gw_engine *e, const struct gw_drilled *d, char *ret, size_t at)
{
    enum { NAMES = 8 };
    const unsigned told = d->without_count < NAMES ? d->without_count : NAMES;

    for (unsigned i = 0; i < told && at < DRILL_TEXT; i++) {
        const char *between = i == 0 ? " without " : i + 1 == d->without_count ? " and " : ", ";
        const int n =
            snprintf(ret + at, DRILL_TEXT - at, "%s%.48s", between, gw_engine_cloud_name(e, d->without[i]));
        at += n > 0 ? (size_t)n : 0;
    }
    if (told < d->without_count && at < DRILL_TEXT)
        (void)snprintf(ret + at, DRILL_TEXT - at, " and %u more", d->without_count - told);
    return at;
}

void drill_text(struct gw_engine *e, const struct gw_drilled *d, char ret[DRILL_TEXT])
{
    char when[QC_TIME_TEXT];

    qc_time_text(d->ended_s != 0 ? d->ended_s : d->began_s, when);
    const int n = snprintf(ret, DRILL_TEXT, "%s: %" PRIu64 " of %" PRIu64 " versions came back", when,
                           d->back, d->tried);
    (void)add_without(e, d, ret, n > 0 ? (size_t)n : 0);
}

static qc_rc without_json(struct json_t *o, struct gw_engine *e, const struct gw_drilled *d,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < d->without_count; i++)
        QC_TRY(qc_json_append_str(list, gw_engine_cloud_name(e, d->without[i]), err));
    return qc_json_set(o, "without", &list, err);
}

static qc_rc figures(struct json_t *o, struct gw_engine *e, const struct gw_drilled *d, struct qc_err *err)
{
    char seed[24];
    (void)snprintf(seed, sizeof seed, "%" PRIu64, d->seed);
    QC_TRY(qc_json_set_int(o, "began", d->began_s, err));
    QC_TRY(qc_json_set_int(o, "ended", d->ended_s, err));
    QC_TRY(without_json(o, e, d, err));
    QC_TRY(qc_json_set_str(o, "seed", seed, err));
    QC_TRY(qc_json_set_bool(o, "whole", d->whole, err));
    QC_TRY(json_count(o, "versions", d->versions, err));
    QC_TRY(json_count(o, "tried", d->tried, err));
    QC_TRY(json_count(o, "back", d->back, err));
    QC_TRY(json_count(o, "bytes", d->bytes, err));
    return qc_json_set_int(o, "exit", d->exit, err);
}

static qc_rc one_json(struct json_t *o, const char *name, struct gw_engine *e, const struct gw_drilled *d,
                      struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    if (d->ended_s == 0)
        return qc_json_set_null(o, name, err);
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(figures(one, e, d, err));
    return qc_json_set(o, name, &one, err);
}

qc_rc drills_json(struct json_t *o, struct gw_engine *e, const struct gw_drills *d, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *both = NULL;
    QC_TRY(qc_json_new_obj(&both, err));
    QC_TRY(one_json(both, "last", e, &d->last, err));
    QC_TRY(one_json(both, "failed", e, &d->failed, err));
    return qc_json_set(o, "drills", &both, err);
}

/* -- a report -------------------------------------------------------------------------------------------- */

static qc_rc lost_json(struct json_t *o, const struct drill_report *r, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < r->lost_count && i < DRILL_LOST; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(json_count(one, "tenant", r->lost[i].tenant, err));
        QC_TRY(qc_json_set_hex(one, "object", gw_id_span(&r->lost[i].object), err));
        QC_TRY(qc_json_set_hex(one, "version", gw_id_span(&r->lost[i].version), err));
        QC_TRY(qc_json_set_str(one, "why", r->lost[i].why, err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    QC_TRY(qc_json_set(o, "lost", &list, err));
    return json_count(o, "lost_count", r->lost_count, err);
}

static qc_rc summary_json(struct json_t *o, struct gw_engine *e, const struct drill_report *r,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    char line[DRILL_TEXT];
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < r->lost_count && i < DRILL_LOST; i++) {
        char object[2 * GW_ID_BYTES + 1], version[2 * GW_ID_BYTES + 1];
        qc_hex(gw_id_span(&r->lost[i].object), object);
        qc_hex(gw_id_span(&r->lost[i].version), version);
        (void)snprintf(line, sizeof line, "LOST  object %s, version %s of tenant %" PRIu32 ": %s", object,
                       version, r->lost[i].tenant, r->lost[i].why);
        QC_TRY(qc_json_append_str(list, line, err));
    }
    if (r->lost_count > DRILL_LOST) {
        (void)snprintf(line, sizeof line, "and %u more", r->lost_count - DRILL_LOST);
        QC_TRY(qc_json_append_str(list, line, err));
    }
    drill_text(e, &r->d, line);
    QC_TRY(qc_json_append_str(list, line, err));
    return qc_json_set(o, "summary", &list, err);
}

static qc_rc outcome_json(struct json_t *o, const struct drill_report *r, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    if (r->running)
        return qc_json_set_null(o, "outcome", err);
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "id", qc_rc_name(r->rc), err));
    QC_TRY(qc_json_set_str(one, "message", r->rc == QC_OK ? "all came back" : r->why.msg, err));
    return qc_json_set(o, "outcome", &one, err);
}

qc_rc drill_report_json(struct json_t **ret, struct gw_engine *e, const struct drill_report *r,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_bool(o, "running", r->running, err));
    QC_TRY(figures(o, e, &r->d, err));
    QC_TRY(lost_json(o, r, err));
    QC_TRY(outcome_json(o, r, err));
    QC_TRY(summary_json(o, e, r, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

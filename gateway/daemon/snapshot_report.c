#include "snapshot_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "gateway/snapshot_parts.h"
#include "json.h"

enum { LINE = 512, NAMES = QC_EC_N_MAX * (CLOUD_NAME_SIZE_MAX + 2) + 1, POLL_MS = 50, PATIENCE_MS = 30000 };

struct taken {
    struct gw_engine *e;
    struct gw_snapshot_view before, after;
    struct gw_snapshot_parts was, is;
};

QC_PRINTF(3, 4)
static qc_rc say(struct json_t *lines, struct qc_err *err, const char *format, ...)
{
    char text[LINE + NAMES];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return qc_json_append_str(lines, text, err);
}

/* -- for people ------------------------------------------------------------------------------------------ */

/* Clouds that have their piece, or that have not. */
static unsigned names_of(const struct taken *t, const struct gw_snapshot_part *p, bool seen, char ret[NAMES])
{
    unsigned count = 0;
    size_t at = 0;
    ret[0] = '\0';
    for (unsigned i = 0; i < p->cloud_count; i++) {
        if (p->clouds[i].seen != seen)
            continue;
        at += (size_t)snprintf(ret + at, NAMES - at, "%s%s", count++ > 0 ? ", " : "",
                               gw_engine_cloud_name(t->e, p->clouds[i].cloud_id));
    }
    return count;
}

static qc_rc say_part(const struct taken *t, struct json_t *lines, const char *what,
                      const struct gw_snapshot_part *p, struct qc_err *err)
{
    char there[NAMES];
    char missing[NAMES];
    const unsigned have = names_of(t, p, true, there);
    const unsigned lack = names_of(t, p, false, missing);
    return say(lines, err, "%s, %" PRIu64 " bytes in %u pieces: on %s%s%s", what, p->bytes, p->cloud_count,
               have > 0 ? there : "no cloud that answers", lack > 0 ? "; not seen on " : "", missing);
}

static qc_rc say_before(const struct taken *t, struct json_t *lines, struct qc_err *err)
{
    char when[QC_TIME_TEXT];
    if (t->before.taken_s == 0)
        return say(lines, err, "there was none before");
    qc_time_text(t->before.taken_s, when);
    return say(lines, err,
               "the one before was of %s, %" PRId64 " s old, and %" PRIu64 " log objects behind it", when,
               t->after.taken_s > t->before.taken_s ? t->after.taken_s - t->before.taken_s : 0,
               t->before.behind);
}

static qc_rc set_lines(const struct taken *t, struct json_t *o, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *lines = NULL;
    const struct gw_snapshot_part *pack = &t->is.pack;
    char what[LINE];
    char when[QC_TIME_TEXT];
    qc_time_text(t->after.taken_s, when);
    QC_TRY(qc_json_new_arr(&lines, err));
    QC_TRY(say(lines, err, "snapshot of the catalogue, %s: all that was committed up to log object %" PRIu64,
               when, t->after.log_sequence));
    if (pack->there) {
        const bool fresh = !t->was.pack.there || t->was.pack.serial != pack->serial;
        (void)snprintf(what, sizeof what, "log objects %" PRIu64 " to %" PRIu64 " %s", pack->first,
                       pack->last, fresh ? "packed now" : "were packed before");
        QC_TRY(say_part(t, lines, what, pack, err));
    }
    QC_TRY(say_part(t, lines, "notes beside the log", &t->is.notes, err));
    QC_TRY(say_before(t, lines, err));
    return qc_json_set(o, "summary", &lines, err);
}

/* -- JSON ------------------------------------------------------------------------------------------------ */

static qc_rc part_json(const struct taken *t, struct json_t *o, const char *name,
                       const struct gw_snapshot_part *p, bool fresh, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *clouds = NULL;
    if (!p->there)
        return qc_json_set_null(o, name, err);
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_new_arr(&clouds, err));
    for (unsigned i = 0; i < p->cloud_count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *c = NULL;
        QC_TRY(qc_json_new_obj(&c, err));
        QC_TRY(qc_json_set_str(c, "name", gw_engine_cloud_name(t->e, p->clouds[i].cloud_id), err));
        QC_TRY(qc_json_set_bool(c, "seen", p->clouds[i].seen, err));
        QC_TRY(qc_json_append(clouds, &c, err));
    }
    QC_TRY(json_count(one, "first", p->first, err));
    QC_TRY(json_count(one, "last", p->last, err));
    QC_TRY(json_count(one, "bytes", p->bytes, err));
    QC_TRY(qc_json_set_bool(one, "written", fresh, err));
    QC_TRY(qc_json_set(one, "clouds", &clouds, err));
    return qc_json_set(o, name, &one, err);
}

static qc_rc previous_json(const struct taken *t, struct json_t *o, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    if (t->before.taken_s == 0)
        return qc_json_set_null(o, "previous", err);
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_int(one, "taken", t->before.taken_s, err));
    QC_TRY(json_count(one, "log_sequence", t->before.log_sequence, err));
    QC_TRY(json_count(one, "behind", t->before.behind, err));
    return qc_json_set(o, "previous", &one, err);
}

static qc_rc outcome_json(const struct taken *t, struct json_t *o, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    char names[NAMES];
    char text[LINE + NAMES] = "";
    unsigned lack = names_of(t, &t->is.notes, false, names);
    if (lack == 0 && t->is.pack.there)
        lack = names_of(t, &t->is.pack, false, names);
    if (lack > 0)
        (void)snprintf(text, sizeof text, "the snapshot is taken; its pieces are not seen on %s", names);
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "id", qc_rc_name(lack > 0 ? QC_DEGRADED : QC_OK), err));
    QC_TRY(qc_json_set_str(one, "message", text, err));
    return qc_json_set(o, "outcome", &one, err);
}

static qc_rc report(const struct taken *t, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_int(o, "taken", t->after.taken_s, err));
    QC_TRY(json_count(o, "log_sequence", t->after.log_sequence, err));
    QC_TRY(json_count(o, "packs", t->after.packs, err));
    QC_TRY(json_count(o, "bytes", t->after.bytes, err));
    QC_TRY(part_json(t, o, "pack", &t->is.pack, !t->was.pack.there || t->was.pack.serial != t->is.pack.serial,
                     err));
    QC_TRY(part_json(t, o, "notes", &t->is.notes, true, err));
    QC_TRY(previous_json(t, o, err));
    QC_TRY(outcome_json(t, o, err));
    QC_TRY(set_lines(t, o, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

/* -- taking it ------------------------------------------------------------------------------------------- */

/* Housekeeping may be at one just now; its steps are short. */
static qc_rc take(struct gw_engine *e, const struct qc_cancel *cancel, struct qc_err *err)
{
    const qc_deadline patience = qc_deadline_in(PATIENCE_MS);
    qc_rc rc = gw_engine_snapshot(e, err);
    while (rc == QC_TEMP && qc_go_on(patience, cancel, "", &(struct qc_err){ 0 }) == QC_OK) {
        (void)nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
        qc_err_clear(err);
        rc = gw_engine_snapshot(e, err);
    }
    return rc;
}

qc_rc snapshot_take_json(struct json_t **ret, struct gw_engine *e, const struct qc_cancel *cancel,
                         struct qc_err *err)
{
    struct taken t = { .e = e };
    QC_TRY(gw_engine_snapshot_view(e, &t.before, err));
    QC_TRY(gw_engine_snapshot_parts(e, &t.was, err));
    QC_TRY(take(e, cancel, err));
    QC_TRY(gw_engine_snapshot_view(e, &t.after, err));
    QC_TRY(gw_engine_snapshot_parts(e, &t.is, err));
    if (!t.is.notes.there)
        return QC_FAIL(err, QC_TEMP, "nothing is published yet that could be kept");
    GW_AUDIT(gw_engine_audit(e), "snapshot", QC_U("log", t.after.log_sequence));
    return report(&t, ret, err);
}

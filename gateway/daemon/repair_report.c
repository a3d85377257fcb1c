#include "repair_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/codec.h"
#include "json.h"

/* -- JSON ------------------------------------------------------------------------------------------------ */

static qc_rc cloud_json(struct json_t **ret, struct gw_engine *e, const struct gw_repair_cloud *c,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    const struct json_row rows[] = { { "missing", c->missing },
                                     { "damaged", c->damaged },
                                     { "found", c->found },
                                     { "rebuilt", c->rebuilt },
                                     { "left", c->left },
                                     { "records", c->records },
                                     { "records_left", c->records_left },
                                     { "dead", c->dead },
                                     { "unknown", c->unknown },
                                     { "foreign", c->foreign } };
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "name", gw_engine_cloud_name(e, c->cloud_id), err));
    QC_TRY(qc_json_set_str(o, "state", gw_cloud_state_name(c->state), err));
    QC_TRY(json_why(o, "why", c->why, err));
    QC_TRY(json_why(o, "refused", c->refused, err));
    QC_TRY(qc_json_set_bool(o, "listed", !c->unlisted, err));
    QC_TRY(json_counts(o, rows, sizeof rows / sizeof rows[0], err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

static qc_rc clouds_json(struct json_t *o, struct gw_engine *e, const struct gw_repair_report *r,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < r->cloud_count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(cloud_json(&one, e, &r->clouds[i], err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    return qc_json_set(o, "clouds", &list, err);
}

static qc_rc losses_json(struct json_t *o, const struct gw_repair_report *r, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < r->loss_count; i++) {
        const struct gw_repair_loss *l = &r->losses[i];
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_hex(one, "vault", gw_id_span(&l->vault), err));
        QC_TRY(qc_json_set_hex(one, "object", gw_id_span(&l->object), err));
        QC_TRY(qc_json_set_hex(one, "version", gw_id_span(&l->version), err));
        QC_TRY(qc_json_set_int(one, "segment", l->seq, err));
        QC_TRY(qc_json_set_int(one, "good", l->good, err));
        QC_TRY(qc_json_set_int(one, "k", l->k, err));
        QC_TRY(qc_json_set_bool(one, "away", l->away, err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    return qc_json_set(o, "losses", &list, err);
}

static qc_rc append_line(void *ctx, const char *line, struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (qc_json_append_str(ctx, line, &why) == QC_OK)
        return QC_OK;
    return qc_json_append_str(ctx, "a line that is no text", err);
}

static qc_rc lines_json(struct json_t *o, struct gw_engine *e, const struct gw_repair_report *r,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    if (r->phase == GW_REPAIR_DONE || r->cancelled)
        QC_TRY(repair_report_lines(e, r, append_line, list, err));
    return qc_json_set(o, "summary", &list, err);
}

qc_rc repair_report_json(struct json_t **ret, struct gw_engine *e, const struct gw_repair_report *r,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    const struct json_row rows[] = { { "versions", r->versions },
                                     { "versions_done", r->versions_done },
                                     { "segments", r->segments },
                                     { "segments_done", r->segments_done },
                                     { "bytes", r->bytes },
                                     { "bytes_done", r->bytes_done },
                                     { "read_bytes", r->read_bytes },
                                     { "written_bytes", r->written_bytes },
                                     { "rebuildable", r->rebuildable },
                                     { "waiting", r->waiting },
                                     { "lost", r->lost },
                                     { "failed", r->failed },
                                     { "records_lost", r->records_lost } };
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "phase", gw_repair_phase_name(r->phase), err));
    QC_TRY(qc_json_set_bool(o, "deep", r->deep, err));
    QC_TRY(qc_json_set_bool(o, "dry_run", r->dry_run, err));
    QC_TRY(json_counts(o, rows, sizeof rows / sizeof rows[0], err));
    QC_TRY(clouds_json(o, e, r, err));
    QC_TRY(losses_json(o, r, err));
    QC_TRY(lines_json(o, e, r, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

/* -- for people ------------------------------------------------------------------------------------------ */

enum { LINE = 512, SIZE = 24 };

struct lines {
    repair_line_fn fn;
    void *ctx;
    struct gw_engine *e;
    bool dry_run;
};

__attribute__((format(printf, 3, 4))) static qc_rc say(const struct lines *l, struct qc_err *err,
                                                       const char *format, ...)
{
    char line[LINE];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    return l->fn(l->ctx, line, err);
}

static const char *size_text(uint64_t v, char ret[SIZE])
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB" };
    double x = (double)v;
    size_t unit = 0;
    while (x >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
        x /= 1024;
        unit++;
    }
    (void)snprintf(ret, SIZE, unit == 0 ? "%.0f %s" : "%.1f %s", x, units[unit]);
    return ret;
}

/* "3 missing, 1 damaged": the counts that are not zero. */
static void list_counts(const struct json_row *rows, size_t n, char ret[LINE])
{
    size_t at = 0;
    ret[0] = '\0';
    for (size_t i = 0; i < n && at < LINE; i++) {
        if (rows[i].v == 0)
            continue;
        const int m =
            snprintf(ret + at, LINE - at, "%s%" PRIu64 " %s", at == 0 ? "" : ", ", rows[i].v, rows[i].name);
        at += m > 0 ? (size_t)m : 0;
    }
}

/* What was seen and done there; nothing where nothing was. */
static qc_rc say_cloud(const struct lines *l, const struct gw_repair_cloud *c, struct qc_err *err)
{
    const struct json_row rows[] = { { "fragments missing", c->missing },
                                     { "damaged", c->damaged },
                                     { "good again", c->found },
                                     { "rebuilt", c->rebuilt },
                                     { "left", c->left },
                                     { "records put", c->records },
                                     { "records left", c->records_left },
                                     { l->dry_run ? "dead objects" : "dead objects removed", c->dead },
                                     { "unknown objects (not touched)", c->unknown },
                                     { "foreign objects (not touched)", c->foreign } };
    const char *name = gw_engine_cloud_name(l->e, c->cloud_id);
    char counts[LINE];
    list_counts(rows, sizeof rows / sizeof rows[0], counts);
    if (counts[0] != '\0')
        QC_TRY(say(l, err, "cloud %s: %s", name, counts));
    if ((c->left > 0 || c->records_left > 0 || c->unlisted) && c->state == GW_CLOUD_OK &&
        c->refused[0] != '\0')
        QC_TRY(say(l, err, "cloud %s: %s", name, c->refused));
    return QC_OK;
}

/* What to do about a cloud that is not there. */
static qc_rc say_away(const struct lines *l, const struct gw_repair_cloud *c, struct qc_err *err)
{
    const char *name = gw_engine_cloud_name(l->e, c->cloud_id);
    if (c->state == GW_CLOUD_OK)
        return QC_OK;
    QC_TRY(say(l, err, "cloud %s is %s%s%s", name, gw_cloud_state_name(c->state),
               c->why[0] != '\0' ? ": " : "", c->why));
    if (c->state != GW_CLOUD_LOST)
        return QC_OK;
    return say(
        l, err,
        "  if its disk is not mounted, mount it; if it was emptied or made anew, or its identity rotted, "
        "repair with --adopt %s fills it again",
        name);
}

static qc_rc say_loss(const struct lines *l, const struct gw_repair_loss *loss, struct qc_err *err)
{
    char object[2 * GW_ID_BYTES + 1];
    char version[2 * GW_ID_BYTES + 1];
    qc_hex(gw_id_span(&loss->object), object);
    qc_hex(gw_id_span(&loss->version), version);
    return say(l, err, "%s: object %s, version %s, segment %" PRIu32 ": %u good fragments, %u are needed",
               loss->away ? "not to be read before clouds come back" : "beyond repair", object, version,
               loss->seq, loss->good, loss->k);
}

qc_rc repair_report_lines(struct gw_engine *e, const struct gw_repair_report *r, repair_line_fn fn, void *ctx,
                          struct qc_err *err)
{
    const struct lines l = { fn, ctx, e, r->dry_run };
    char stored[SIZE];
    char read[SIZE];
    char written[SIZE];
    QC_TRY(say(&l, err, "%s %" PRIu64 " versions in %" PRIu64 " segments, %s; read %s, wrote %s",
               r->deep ? "read" : "looked at", r->versions, r->segments, size_text(r->bytes, stored),
               size_text(r->read_bytes, read), size_text(r->written_bytes, written)));
    for (unsigned i = 0; i < r->cloud_count; i++)
        QC_TRY(say_cloud(&l, &r->clouds[i], err));
    for (unsigned i = 0; i < r->cloud_count; i++)
        QC_TRY(say_away(&l, &r->clouds[i], err));
    for (unsigned i = 0; i < r->loss_count; i++)
        QC_TRY(say_loss(&l, &r->losses[i], err));
    if (r->lost + r->waiting > r->loss_count)
        QC_TRY(say(&l, err, "and %" PRIu64 " more segments", r->lost + r->waiting - r->loss_count));
    if (r->failed > 0)
        QC_TRY(say(&l, err, "%" PRIu64 " segments could not be looked at", r->failed));
    if (r->dry_run)
        QC_TRY(say(&l, err,
                   "dry run: %" PRIu64 " fragments would be rebuilt; nothing was written to any cloud",
                   r->rebuildable));
    return QC_OK;
}

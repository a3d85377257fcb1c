#include "snapshot_look.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/opt.h"
#include "gateway/snapshot_check.h"
#include "json.h"

enum {
    GENERATION = 24,
    NAMES = QC_EC_N_MAX * (CLOUD_NAME_SIZE_MAX + 2) + 1,
    LINE = 512 + 4 * NAMES,
    PACKS_TOLD = 1000, /* of more, only how many */
};

struct looking {
    struct gw_engine *e;
    struct json_t *snapshots, *packs, *lines; /* arrays */
    uint64_t more, reach;                     /* packs that are not told; the newest log object in notes */
};

static void looking_done(struct looking *l)
{
    qc_json_free(&l->snapshots);
    qc_json_free(&l->packs);
    qc_json_free(&l->lines);
}

qc_rc snapshot_generation(const char *text, uint32_t *ret_incarnation, uint32_t *ret_serial,
                          struct qc_err *err)
{
    const char *dot = strchr(text, '.');
    char first[GENERATION];
    uint64_t v[2] = { 0 };
    struct qc_err why = { 0 };
    const size_t n = dot != NULL ? (size_t)(dot - text) : 0;

    if (n >= 1 && n < sizeof first && dot[1] != '\0') {
        memcpy(first, text, n);
        first[n] = '\0';
        if (qc_parse_u64(first, "", false, &v[0], &why) == QC_OK &&
            qc_parse_u64(dot + 1, "", false, &v[1], &why) == QC_OK && v[0] >= 1 && v[1] >= 1 &&
            v[0] <= UINT32_MAX && v[1] <= UINT32_MAX) {
            *ret_incarnation = (uint32_t)v[0];
            *ret_serial = (uint32_t)v[1];
            return QC_OK;
        }
    }
    return QC_FAIL(err, QC_USAGE, "'%.40s' is no generation of a snapshot: like 1.7, as snapshot ls has them",
                   text);
}

/* -- for people ------------------------------------------------------------------------------------------ */

/* "holds on a, b; missing on c": behind a colon. */
static void add_names(const struct looking *l, const struct gw_snapshot_item *item, char ret[LINE])
{
    static const struct {
        enum gw_piece_seen seen;
        const char *what;
    } kinds[] = { { GW_PIECE_HOLDS, "holds on" },
                  { GW_PIECE_THERE, "on" },
                  { GW_PIECE_MISSING, "missing on" },
                  { GW_PIECE_DAMAGED, "damaged on" },
                  { GW_PIECE_SILENT, "not seen on" } };
    size_t at = strlen(ret);
    unsigned lists = 0;

    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        unsigned count = 0;
        for (unsigned i = 0; i < item->cloud_count && at < LINE; i++) {
            if (item->clouds[i].seen != kinds[k].seen)
                continue;
            if (count++ == 0)
                at +=
                    (size_t)snprintf(ret + at, LINE - at, "%s%s ", lists++ == 0 ? ": " : "; ", kinds[k].what);
            else
                at += (size_t)snprintf(ret + at, LINE - at, ", ");
            if (at < LINE)
                at += (size_t)snprintf(ret + at, LINE - at, "%s",
                                       gw_engine_cloud_name(l->e, item->clouds[i].cloud_id));
        }
    }
}

static qc_rc say(struct looking *l, const struct gw_snapshot_item *item, const char *generation,
                 struct qc_err *err)
{
    char text[LINE], when[QC_TIME_TEXT];

    if (item->notes) {
        qc_time_text(item->taken_s, when);
        (void)snprintf(text, sizeof text,
                       "snapshot %s of %s: all that was committed up to log object %" PRIu64
                       "; its notes, %" PRIu64 " bytes",
                       generation, item->taken_s != 0 ? when : "a time that cannot be read", item->last,
                       item->bytes);
    } else {
        (void)snprintf(text, sizeof text,
                       "pack %s, log objects %" PRIu64 " to %" PRIu64 ", %" PRIu64 " bytes", generation,
                       item->first, item->last, item->bytes);
    }
    add_names(l, item, text);
    if (item->rc != QC_OK)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "; it cannot be used: %s", item->why);
    return qc_json_append_str(l->lines, text, err);
}

/* -- JSON ------------------------------------------------------------------------------------------------ */

static qc_rc clouds_json(const struct looking *l, const struct gw_snapshot_item *item, struct json_t *o,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *clouds = NULL;
    QC_TRY(qc_json_new_arr(&clouds, err));
    for (unsigned i = 0; i < item->cloud_count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *c = NULL;
        QC_TRY(qc_json_new_obj(&c, err));
        QC_TRY(qc_json_set_str(c, "name", gw_engine_cloud_name(l->e, item->clouds[i].cloud_id), err));
        QC_TRY(qc_json_set_str(c, "piece", gw_piece_seen_name(item->clouds[i].seen), err));
        QC_TRY(qc_json_append(clouds, &c, err));
    }
    return qc_json_set(o, "clouds", &clouds, err);
}

static qc_rc take_item(void *ctx, const struct gw_snapshot_item *item, struct qc_err *err)
{
    struct looking *l = ctx;
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    char generation[GENERATION];

    if (item->notes && item->last > l->reach)
        l->reach = item->last;
    if (!item->notes && qc_json_len(l->packs) == PACKS_TOLD) {
        l->more++;
        return QC_OK;
    }
    (void)snprintf(generation, sizeof generation, "%" PRIu32 ".%" PRIu32, item->incarnation, item->serial);
    QC_TRY(say(l, item, generation, err));
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "generation", generation, err));
    if (item->notes)
        QC_TRY(qc_json_set_int(o, "taken", item->taken_s, err));
    else
        QC_TRY(json_count(o, "first", item->first, err));
    QC_TRY(json_count(o, item->notes ? "log_sequence" : "last", item->last, err));
    QC_TRY(json_count(o, "bytes", item->bytes, err));
    QC_TRY(clouds_json(l, item, o, err));
    QC_TRY(qc_json_set_str(o, "id", qc_rc_name(item->rc), err));
    QC_TRY(json_why(o, "why", item->why, err));
    return qc_json_append(item->notes ? l->snapshots : l->packs, &o, err);
}

static qc_rc begin(struct looking *l, struct qc_err *err)
{
    QC_TRY(qc_json_new_arr(&l->snapshots, err));
    QC_TRY(qc_json_new_arr(&l->packs, err));
    return qc_json_new_arr(&l->lines, err);
}

static qc_rc finish(struct looking *l, struct json_t *o, qc_rc rc, const char *why, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *outcome = NULL;
    QC_TRY(qc_json_new_obj(&outcome, err));
    QC_TRY(qc_json_set_str(outcome, "id", qc_rc_name(rc), err));
    QC_TRY(json_why(outcome, "message", why, err));
    QC_TRY(qc_json_set(o, "snapshots", &l->snapshots, err));
    QC_TRY(qc_json_set(o, "packs", &l->packs, err));
    QC_TRY(json_count(o, "more_packs", l->more, err));
    QC_TRY(qc_json_set(o, "outcome", &outcome, err));
    return qc_json_set(o, "summary", &l->lines, err);
}

qc_rc snapshot_list_json(struct json_t **ret, struct gw_engine *e, const struct qc_cancel *cancel,
                         struct qc_err *err)
{
    QC_CLEANUP(looking_done) struct looking l = { .e = e };
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    const struct gw_snapshot_ask ask = { .cancel = cancel, .tell = take_item, .ctx = &l };
    struct gw_snapshot_view v;
    char text[LINE];

    QC_TRY(begin(&l, err));
    QC_TRY(gw_engine_snapshot_list(e, &ask, err));
    QC_TRY(gw_engine_snapshot_view(e, &v, err));
    if (l.reach == 0)
        QC_TRY(qc_json_append_str(
            l.lines, "there is no snapshot of the catalogue yet; its log is on the clouds", err));
    (void)snprintf(text, sizeof text, "%" PRIu64 " log objects are in no pack yet: the log itself has them",
                   v.behind);
    QC_TRY(qc_json_append_str(l.lines, text, err));
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(json_count(o, "behind", v.behind, err));
    QC_TRY(finish(&l, o, QC_OK, "", err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

static qc_rc made_json(const struct gw_snapshot_checked *r, struct json_t *o, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *made = NULL;
    const struct json_row rows[] = {
        { "log_sequence", r->log_sequence },
        { "log_packed", r->log_packed },
        { "log_else", r->log_else },
        { "entries", r->entries },
        { "versions", r->versions },
        { "tombstones", r->tombstones },
        { "vaults", r->vaults },
        { "tenants", r->tenants },
        { "bytes", r->bytes },
    };
    QC_TRY(qc_json_new_obj(&made, err));
    QC_TRY(json_counts(made, rows, sizeof rows / sizeof rows[0], err));
    QC_TRY(qc_json_set_bool(made, "compared", r->compared, err));
    return qc_json_set(o, "catalogue", &made, err);
}

static qc_rc say_made(struct looking *l, const struct gw_snapshot_checked *r, struct qc_err *err)
{
    char text[LINE];

    (void)snprintf(text, sizeof text,
                   "made anew from it, up to log object %" PRIu64 " (%" PRIu64 " from packs, %" PRIu64
                   " from the log), a catalogue has %" PRIu64 " names, %" PRIu64 " versions, %" PRIu64
                   " bytes%s",
                   r->log_sequence, r->log_packed, r->log_else, r->entries, r->versions, r->bytes,
                   r->compared && r->rc != QC_INTEGRITY ? ": what the one in use has" : "");
    return qc_json_append_str(l->lines, text, err);
}

qc_rc snapshot_check_json(struct json_t **ret, struct gw_engine *e, const char *generation,
                          const struct qc_cancel *cancel, struct qc_err *err)
{
    QC_CLEANUP(looking_done) struct looking l = { .e = e };
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    struct gw_snapshot_ask ask = { .cancel = cancel, .tell = take_item, .ctx = &l };
    struct gw_snapshot_checked r;

    if (generation != NULL)
        QC_TRY(snapshot_generation(generation, &ask.incarnation, &ask.serial, err));
    QC_TRY(begin(&l, err));
    QC_TRY(gw_engine_snapshot_check(e, &ask, &r, err));
    QC_TRY(say_made(&l, &r, err));
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(json_count(o, "lacking", r.lacking, err));
    QC_TRY(json_count(o, "faults", r.faults, err));
    QC_TRY(made_json(&r, o, err));
    QC_TRY(finish(&l, o, r.rc, r.why, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

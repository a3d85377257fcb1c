/* Rebuild: which clouds there are. First as their identities say, which may be from the middle of a change;
 * then as the log says. docs/adr/0019. */
#include <stdio.h>

#include "rebuild_internal.h"

/* -- by identities --------------------------------------------------------------------------------------- */

struct shown {
    const struct gw_rebuilding *b;
    struct gw_identity v[QC_GW_CLOUDS_MAX]; /* of good clouds */
};

static void shown_done(struct shown *s)
{
    for (unsigned at = 0; at < QC_GW_CLOUDS_MAX; at++)
        gw_identity_done(&s->v[at]);
}

static bool holds(const struct shown *s, unsigned at, const struct gw_slot *like)
{
    for (unsigned k = 0; k < s->v[at].slot_count; k++)
        if (qc_ct_eq(s->v[at].slots[k].polynomial, like->polynomial, GW_ID_BYTES))
            return true;
    return false;
}

static unsigned holders(const struct shown *s, const struct gw_slot *like)
{
    unsigned n = 0;

    for (unsigned at = 0; at < s->b->setup->count; at++)
        n += holds(s, at, like);
    return n;
}

/* Of the polynomials that enough clouds hold, that of the least count: in the middle of a change there are
 * two, and the log will say which of them is for the clouds in use. Where none is held by enough, the one
 * that most hold. NULL: no shares. */
static const struct gw_slot *choose(const struct shown *s)
{
    const struct gw_slot *best = NULL;
    bool enough = false;

    for (unsigned at = 0; at < s->b->setup->count; at++)
        for (unsigned k = 0; k < s->v[at].slot_count; k++) {
            const struct gw_slot *slot = &s->v[at].slots[k];
            const bool has = holders(s, slot) >= slot->threshold;
            if (best == NULL || (has && !enough) || (has && slot->count < best->count) ||
                (has == enough && holders(s, slot) > holders(s, best) &&
                 (!has || slot->count == best->count)))
                best = slot;
            enough = enough || has;
        }
    return best;
}

qc_rc gw_rebuild_count(struct gw_rebuilding *b, struct qc_err *err)
{
    QC_CLEANUP(shown_done) struct shown s = { .b = b };

    for (unsigned at = 0; at < b->setup->count; at++)
        if (b->good >> at & 1)
            QC_TRY(gw_identity_parse(qc_buf_span(&b->identity[at]), &s.v[at], err));
    const struct gw_slot *slot = choose(&s);
    const unsigned good = (unsigned)__builtin_popcount(b->good);
    /* Where the root key is off the clouds nothing says how many there are. */
    b->count = slot != NULL ? slot->count : b->setup->count;
    b->needed = slot != NULL ? slot->threshold : b->setup->count;
    b->unheard = b->count - (slot != NULL ? holders(&s, slot) : good < b->count ? good : b->count);
    for (unsigned at = 0; at < b->setup->count; at++)
        b->mixed = b->mixed || ((b->good >> at & 1) != 0 && slot != NULL &&
                                (s.v[at].slot_count != 1 || !holds(&s, at, slot)));
    b->report->clouds = b->count;
    b->report->needed = b->needed;
    b->report->reached = good;
    if (b->count - b->unheard < b->needed)
        return QC_FAIL(err, QC_QUORUM, "%u of %u clouds show their identity, %u are needed for a rebuild",
                       b->count - b->unheard, b->count, b->needed);
    return QC_OK;
}

/* -- by the log ------------------------------------------------------------------------------------------ */

/* An identity of an earlier generation than the log's is that of a cloud which lost its memory since, from an
 * old disk: nothing on it counts. */
static qc_rc drop_stale(struct gw_rebuilding *b, const struct gw_rec_cloud *rec, struct qc_err *err)
{
    const int at = gw_rebuild_at(b, rec->id);

    if (at < 0 || b->member[at].generation >= rec->generation)
        return QC_OK;
    b->good &= ~((gw_clouds)1 << at);
    b->lost |= (gw_clouds)1 << at;
    b->report->reached--;
    if (b->report->reached < b->needed)
        return QC_FAIL(err, QC_QUORUM,
                       "cloud %s shows generation %" PRIu32 ", the log knows %" PRIu32
                       ": without it %u of %u clouds are there, %u are needed",
                       b->setup->clouds[at].name, b->member[at].generation, rec->generation,
                       b->report->reached, b->count, b->needed);
    return QC_OK;
}

static qc_rc row_of(struct gw_rebuilding *b, uint32_t id, struct gw_cloud_row **ret, struct qc_err *err)
{
    for (unsigned i = 0; i < b->cloud_count; i++)
        if (b->clouds[i].id == id) {
            *ret = &b->clouds[i];
            return QC_OK;
        }
    if (b->cloud_count == sizeof b->clouds / sizeof b->clouds[0])
        return QC_FAIL(err, QC_LIMIT, "log: more than %u clouds, retired ones included", b->cloud_count);
    *ret = &b->clouds[b->cloud_count++];
    **ret = (struct gw_cloud_row){ .id = id, .labels = { .weight = GW_WEIGHT_DEFAULT } };
    return QC_OK;
}

static void take_labels(struct gw_cloud_row *row, const struct gw_rec_cloud *rec)
{
    row->labels = (struct gw_labels){ .weight = rec->weight };
    for (unsigned i = 0; i < GW_LABELS; i++)
        if (rec->labels[i].n > 0) /* the parser checked lengths */
            memcpy(row->labels.v[i], rec->labels[i].p, rec->labels[i].n);
}

/* Names and places: as the operator gives them now where a cloud was heard, else as recorded. */
qc_rc gw_rebuild_learn_cloud(struct gw_rebuilding *b, const struct gw_record *record, struct qc_err *err)
{
    const struct gw_rec_cloud *rec = &record->u.cloud;
    struct gw_cloud_row *row = NULL;

    QC_TRY(drop_stale(b, rec, err));
    QC_TRY(row_of(b, rec->id, &row, err));
    const int at = gw_rebuild_at(b, rec->id);
    row->generation = rec->generation;
    memset(row->name, 0, sizeof row->name);
    memset(row->url, 0, sizeof row->url);
    memcpy(row->name, rec->name.p, rec->name.n);
    memcpy(row->url, rec->url.p, rec->url.n);
    if (record->kind == GW_REC_MEMBER)
        take_labels(row, rec);
    row->state = rec->state == GW_MEMBER_DRAINING  ? GW_LIFE_DRAINING
                 : rec->state == GW_MEMBER_RETIRED ? GW_LIFE_RETIRED
                                                   : GW_LIFE_IN_USE;
    if (at >= 0) {
        (void)snprintf(row->name, sizeof row->name, "%s", b->setup->clouds[at].name);
        (void)snprintf(row->url, sizeof row->url, "%s", b->setup->clouds[at].url);
        row->generation = b->member[at].generation;
        row->identity = qc_buf_span(&b->identity[at]);
    }
    return QC_OK;
}

/* Is the cloud at this position one that the log names as in use? */
static bool in_use(const struct gw_rebuilding *b, unsigned at)
{
    for (unsigned i = 0; i < b->cloud_count; i++)
        if (b->clouds[i].id == b->member[at].cloud_id)
            return b->clouds[i].state != GW_LIFE_RETIRED;
    return false; /* one whose adding was not decided */
}

/* Each record is on the record quorum of the clouds that the log before it names. So who misses fewer of
 * those that the log names where it ends has missed no record, by induction. */
qc_rc gw_rebuild_roster(struct gw_rebuilding *b, struct qc_err *err)
{
    unsigned roster = 0, heard = 0;

    for (unsigned i = 0; i < b->cloud_count; i++) {
        struct gw_cloud_row *row = &b->clouds[i];
        roster += row->state != GW_LIFE_RETIRED;
        if (row->state == GW_LIFE_RETIRED) { /* its name may be another's by now */
            row->identity = (qc_span){ 0 };
            (void)snprintf(row->name, sizeof row->name, "~%" PRIu32, row->id);
        }
    }
    for (unsigned at = 0; at < b->setup->count; at++) {
        if ((b->good >> at & 1) != 0 && !in_use(b, at)) {
            b->good &= ~((gw_clouds)1 << at);
            b->mixed = true;
        }
        heard += b->good >> at & 1;
    }
    b->mixed = b->mixed || b->count != roster;
    if (roster < b->conf.n)
        return QC_FAIL(err, QC_INTEGRITY, "log: %u clouds are in use, a segment needs %u", roster, b->conf.n);
    if (heard + b->conf.record_quorum <= roster)
        return QC_FAIL(err, QC_QUORUM, "%u of %u clouds in use were heard, %u are needed", heard, roster,
                       roster - b->conf.record_quorum + 1);
    b->report->clouds = roster;
    b->report->needed = b->needed = roster - b->conf.record_quorum + 1; /* of the cut, too */
    b->report->reached = heard;
    return QC_OK;
}

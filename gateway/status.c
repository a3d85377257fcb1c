/* The gateway's status: clouds probed now, counts from the catalogue. */
#include <stdio.h>

#include "engine_internal.h"
#include "home.h"

/* -- what is known without asking ------------------------------------------------------------------------ */

static void look_at_clouds(struct gw_engine *e, struct gw_status *s)
{
    s->cloud_count = 0;
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        struct gw_cloud_status *c = &s->clouds[s->cloud_count];
        const uint32_t before = c->view.id;
        gw_fan_view(e->fan, at, &c->view);
        if (c->view.role == GW_ROLE_GONE)
            continue;
        s->cloud_count++;
        if (c->view.id != before) /* one before it went */
            c->free = -1;
        c->at = at;
        c->name = gw_fan_name(e->fan, at);
        c->url = gw_fan_url(e->fan, at);
        c->tally = gw_fan_tally(e->fan, at);
        gw_payers_view(e, at, &c->paying);
    }
}

void gw_engine_look(struct gw_engine *e, struct gw_status *ret)
{
    look_at_clouds(e, ret);
    gw_engine_health(e, &ret->health);
    gw_repack_look(e, &ret->repack);
    ret->k = e->conf.k;
    ret->n = e->conf.n;
    ret->write_quorum = e->conf.write_quorum;
    ret->record_quorum = e->conf.record_quorum;
    ret->needed = gw_engine_need(e);
    ret->paying = e->payers.count > 0;
    ret->root_count = gw_engine_count(e);
    ret->root_threshold = gw_engine_need(e); /* C - m: as many as a rebuild needs anyway */
    QC_LOCK(&e->lock);
    for (unsigned i = 0; i < ret->cloud_count; i++)
        memcpy(ret->read_faults[i], e->read_faults[ret->clouds[i].at], sizeof ret->read_faults[i]);
    memcpy(ret->fenced_why, e->fenced_why, sizeof ret->fenced_why);
}

qc_rc gw_engine_alive(struct gw_engine *e, struct qc_err *err)
{
    struct gw_log_tip tip;

    QC_LOCK(gw_cat_lock(e->cat));
    return gw_tip_get(e->cat, &tip, err);
}

/* -- asking ---------------------------------------------------------------------------------------------- */

qc_rc gw_engine_ask(struct gw_engine *e, struct gw_status *s, struct qc_err *err)
{
    const struct gw_witness_ask ask = { .incarnation = e->conf.incarnation };
    const struct gw_rule rule = { .deadline = qc_deadline_in(QC_GW_STATUS_MS) };
    struct gw_testimony said[QC_GW_CLOUDS_MAX] = { 0 };
    uint64_t space[QC_GW_CLOUDS_MAX] = { 0 };
    struct gw_answer a;

    QC_TRY(gw_witness(e->fan, e->root, gw_fan_all(e->fan), &ask, &rule, said, err));
    const struct gw_ask room = { .set = gw_fan_all(e->fan), .rule = rule };
    QC_TRY(gw_fan_space(e->fan, &room, space, &a, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        if (said[at].verdict == GW_VERDICT_ROOT && !atomic_load(&e->fenced))
            gw_engine_fence(e, "another gateway took over");
    }
    gw_engine_look(e, s);
    for (unsigned i = 0; i < s->cloud_count; i++) {
        const unsigned at = s->clouds[i].at;
        s->clouds[i].free = (a.done >> at & 1) && space[at] <= INT64_MAX ? (int64_t)space[at] : -1;
    }
    s->observed_s = qc_wall_s();
    return gw_engine_sync_lost(e, err);
}

static void take_counts(struct gw_status *s, const struct gw_counts *n)
{
    s->objects = n->objects;
    s->versions = n->versions;
    s->bytes = n->bytes;
    s->margin_count = n->margin_count;
    for (unsigned i = 0; i < n->margin_count; i++) {
        s->margins[i].margin = n->margins[i].margin;
        s->margins[i].versions = n->margins[i].versions;
    }
    s->debts = n->debts;
    s->record_debts = n->record_debts;
    s->open_uploads = n->open_uploads;
    s->dead_segments = n->dead_segments;
}

qc_rc gw_engine_counts(struct gw_engine *e, struct gw_status *s, struct qc_err *err)
{
    struct gw_counts n;
    struct gw_repack_view gone;
    struct gw_log_tip tip;
    uint64_t bytes;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_counts(e->cat, &n, err));
        QC_TRY(gw_tip_get(e->cat, &tip, err));
        QC_TRY(gw_cat_other_code_count(e->cat, e->conf.k, e->conf.n, &s->other_code, &bytes, err));
        QC_TRY(gw_cat_bundles_gone(e->cat, &gone.bundles, &gone.bytes, err));
        QC_TRY(gw_cat_oldest(e->cat, &s->oldest_s, err));
        QC_TRY(gw_cat_drills_get(e->cat, &s->drills, err));
        QC_TRY(gw_wholes(e, s, err));
        for (unsigned at = 0; at < s->cloud_count; at++) {
            struct gw_owed o;
            QC_TRY(gw_cat_owed(e->cat, s->clouds[at].view.id, &o, err));
            s->clouds[at].owed = o.fragments;
            s->clouds[at].records_owed = o.records;
            s->clouds[at].owed_since_s = o.since_s;
        }
    }
    take_counts(s, &n);
    s->repack.bundles = gone.bundles;
    s->repack.bytes = gone.bytes;
    s->log_sequence = tip.sequence;
    for (unsigned at = 0; at < s->cloud_count; at++)
        QC_TRY(gw_engine_scrub_view(e, s->clouds[at].at, &s->clouds[at].scrub, err));
    QC_TRY(gw_engine_snapshot_view(e, &s->snapshot, err));
    s->catalogue_bytes = gw_home_bytes(&e->state);
    s->counted_s = qc_wall_s();
    return QC_OK;
}

/* ret is written whole, or not at all. */
static qc_rc fill(struct gw_engine *e, bool count, struct gw_status *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_status *s = qc_alloc(sizeof *s);

    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "status");
    QC_TRY(gw_engine_ask(e, s, err));
    if (count)
        QC_TRY(gw_engine_counts(e, s, err));
    *ret = *s;
    return QC_OK;
}

qc_rc gw_engine_clouds(struct gw_engine *e, struct gw_status *ret, struct qc_err *err)
{
    return fill(e, false, ret, err);
}

qc_rc gw_engine_status(struct gw_engine *e, struct gw_status *ret, struct qc_err *err)
{
    return fill(e, true, ret, err);
}

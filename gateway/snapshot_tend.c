/* Snapshots: packs that lack pieces are written anew, dead ones are deleted. */
#include <stdio.h>

#include "engine_internal.h"
#include "snapshot_internal.h"

/* -- HEAL ------------------------------------------------------------------------------------------------ */

qc_rc gw_snap_abandon(struct gw_engine *e, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_snap_abandon(e->cat, err));
    return gw_cat_commit(e->cat, &tx, err);
}

/* As many clouds as there are pieces; all in use, where there are fewer. */
static unsigned wanted(struct gw_engine *e)
{
    unsigned in_use = 0;

    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        struct gw_cloud_view v;
        gw_fan_view(e->fan, at, &v);
        in_use += v.role == GW_ROLE_IN_USE;
    }
    return in_use < e->conf.n ? in_use : e->conf.n;
}

/* *ret: a piece is known not to be there, or there is no cloud for it any more. A cloud that does not answer
 * says nothing; one that took nothing lately, for it may be full, would not take it now. */
static qc_rc lacks_pieces(struct gw_engine *e, const struct gw_snap_row *row, bool *ret, struct qc_err *err)
{
    struct gw_answer a;
    gw_clouds set;

    *ret = false;
    e->snaps.present = 0;
    QC_TRY(gw_snap_head(e, row, &set, &a, err));
    *ret = (unsigned)__builtin_popcount(set) < wanted(e);
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        const struct gw_outcome *o = &a.outcome[at];
        struct gw_cloud_view v;
        if ((set >> at & 1) == 0)
            continue;
        gw_fan_view(e->fan, at, &v);
        e->snaps.present += o->fate == GW_DONE;
        *ret |= o->fate == GW_FAILED && o->rc == QC_NOTFOUND && !o->gone && v.trouble[0] == '\0';
    }
    return QC_OK;
}

/* From what is left of it, or from the log. */
static qc_rc write_anew(struct gw_engine *e, const struct gw_snap_row *row, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_GW_PACK_MAX };
    struct gw_snaps *s = &e->snaps;
    struct gw_snap_row fresh = { .first = row->first, .last = row->last };
    const struct gw_name name = gw_snap_name(row);
    struct qc_err why = { 0 };

    const qc_rc rc = gw_snap_read(e->fan, e->root, &name, gw_snap_set(e, row), 0, &text, &why);
    if (rc == QC_OK)
        return gw_snap_put_one(e, &fresh, qc_buf_span(&text), 0, err);
    if (rc == QC_NOMEM) {
        *err = why;
        return rc;
    }
    QC_TRY(gw_snap_begin_pack(s, row->first, err));
    s->upto = row->last;
    s->healing = true;
    s->stage = GW_SNAP_GATHER;
    return QC_OK;
}

static qc_rc heal_one(struct gw_engine *e, const struct gw_snap_row *row, struct qc_err *err)
{
    struct qc_err why = { 0 };
    bool lacks;

    QC_TRY(lacks_pieces(e, row, &lacks, err));
    if (!lacks)
        return QC_OK;
    const qc_rc rc = write_anew(e, row, &why);
    if (rc == QC_QUORUM) { /* no better than it was: the others can wait, too */
        e->snaps.heal_upto = 0;
        return gw_snap_abandon(e, err);
    }
    if (rc != QC_OK)
        *err = why;
    return rc;
}

/* Those that were there when it began: what is written anew is not looked at again. */
qc_rc gw_snap_heal(struct gw_engine *e, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;
    struct gw_snap_row row;
    bool found;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_snap_next(e->cat, GW_SNAP_GOOD, &s->at, &row, &found, err));
    }
    if (!found || (row.incarnation == e->conf.incarnation && row.serial > s->heal_upto)) {
        s->stage = GW_SNAP_SWEEP;
        s->at = (struct gw_snap_at){ 0 };
        return QC_OK;
    }
    s->at = (struct gw_snap_at){ row.incarnation, row.serial };
    if (row.notes)
        return QC_OK; /* they are written anew anyway */
    const qc_rc rc = heal_one(e, &row, err);
    if (s->stage == GW_SNAP_HEAL)
        s->present = 0;
    return rc;
}

/* -- SWEEP ----------------------------------------------------------------------------------------------- */

/* Did it go, or is the cloud none of ours any more? Then nothing of it is there. */
static bool is_gone(struct gw_engine *e, int at, const struct gw_answer *a)
{
    struct gw_cloud_view v;

    if (at < 0)
        return true;
    gw_fan_view(e->fan, (unsigned)at, &v);
    const struct gw_outcome *o = &a->outcome[at];
    return v.state == GW_CLOUD_LOST || o->fate == GW_DONE || (o->fate == GW_FAILED && o->rc == QC_NOTFOUND);
}

static qc_rc delete_one(struct gw_engine *e, const struct gw_snap_row *row, struct gw_answer *ret,
                        struct qc_err *err)
{
    const gw_clouds set = gw_snap_set(e, row);
    struct gw_snap_keys k;

    *ret = (struct gw_answer){ 0 };
    QC_TRY(gw_snap_keys(e, row, set, &k, err));
    const struct gw_ask ask = { .set = set,
                                .keys = k.keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    if (set != 0)
        QC_TRY(gw_fan_delete(e->fan, &ask, ret, err));
    return qc_fault(snap_swept, err);
}

/* A cloud leaves the row when it was seen to be gone there in another snapshot, too: a put may land late. The
 * row goes with the last one. */
static qc_rc sweep_one(struct gw_engine *e, struct gw_snap_row *row, struct qc_err *err)
{
    struct gw_answer a;
    unsigned left = 0;

    QC_TRY(delete_one(e, row, &a, err));
    for (unsigned i = 0; i < row->n; i++)
        if (row->round == 0 || !is_gone(e, gw_fan_at(e->fan, row->clouds[i]), &a))
            row->clouds[left++] = row->clouds[i];
    row->n = left;
    row->round += row->round < INT32_MAX;
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    if (left == 0)
        QC_TRY(gw_cat_snap_drop(e->cat, row, err));
    else
        QC_TRY(gw_cat_snap_put(e->cat, row, err));
    return gw_cat_commit(e->cat, &tx, err);
}

/* One came to its end. */
static void succeed(struct gw_snaps *s)
{
    QC_LOCK(&s->lock);

    s->failures = 0;
    s->why[0] = '\0';
    s->tried_s = 0;
}

qc_rc gw_snap_sweep(struct gw_engine *e, struct qc_err *err)
{
    struct gw_snaps *s = &e->snaps;
    struct gw_snap_row row;
    bool found;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_snap_next(e->cat, GW_SNAP_DEAD, &s->at, &row, &found, err));
    }
    if (!found) {
        s->stage = GW_SNAP_RESTS;
        if (!s->failed)
            succeed(s);
        return QC_OK;
    }
    s->at = (struct gw_snap_at){ row.incarnation, row.serial };
    return sweep_one(e, &row, err);
}

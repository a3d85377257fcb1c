/* Snapshots: what the newest one is made of, and which clouds have it. */
#include "gateway/snapshot_parts.h"

#include "engine_internal.h"
#include "snapshot_internal.h"

/* A cloud that does not answer, or is none of ours any more, shows nothing. */
static qc_rc look(struct gw_engine *e, const struct gw_snap_row *row, gw_clouds *ret, struct qc_err *err)
{
    const gw_clouds set = gw_snap_set(e, row);
    struct gw_snap_keys k;
    struct gw_answer a = { 0 };

    *ret = 0;
    if (set == 0)
        return QC_OK;
    QC_TRY(gw_snap_keys(e, row, set, &k, err));
    const struct gw_ask ask = { .set = set,
                                .keys = k.keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    QC_TRY(gw_fan_head(e->fan, &ask, NULL, &a, err));
    *ret = a.done;
    return QC_OK;
}

static qc_rc part(struct gw_engine *e, bool notes, struct gw_snapshot_part *ret, struct qc_err *err)
{
    struct gw_snap_row row;
    gw_clouds seen;

    *ret = (struct gw_snapshot_part){ 0 };
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_snap_last(e->cat, notes, &row, &ret->there, err));
    }
    if (!ret->there)
        return QC_OK;
    ret->serial = row.serial;
    ret->first = row.first;
    ret->last = row.last;
    ret->bytes = row.bytes;
    ret->cloud_count = row.n;
    QC_TRY(look(e, &row, &seen, err));
    for (unsigned i = 0; i < row.n; i++) {
        const int at = gw_fan_at(e->fan, row.clouds[i]);
        ret->clouds[i].cloud_id = row.clouds[i];
        ret->clouds[i].seen = at >= 0 && (seen >> at & 1) != 0;
    }
    return QC_OK;
}

qc_rc gw_engine_snapshot_parts(struct gw_engine *e, struct gw_snapshot_parts *ret, struct qc_err *err)
{
    struct gw_snapshot_parts p;

    QC_TRY(part(e, false, &p.pack, err));
    QC_TRY(part(e, true, &p.notes, err));
    *ret = p;
    return QC_OK;
}

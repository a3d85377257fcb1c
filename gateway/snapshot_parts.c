/* Snapshots: what the newest one is made of, and which clouds have it. */
#include "gateway/snapshot_parts.h"

#include "engine_internal.h"
#include "snapshot_internal.h"

static qc_rc part(struct gw_engine *e, bool notes, struct gw_snapshot_part *ret, struct qc_err *err)
{
    struct gw_snap_row row;
    struct gw_answer a; /* a cloud that does not answer, or is none of ours any more, shows nothing */
    gw_clouds set;

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
    QC_TRY(gw_snap_head(e, &row, &set, &a, err));
    for (unsigned i = 0; i < row.n; i++) {
        const int at = gw_fan_at(e->fan, row.clouds[i]);
        ret->clouds[i].cloud_id = row.clouds[i];
        ret->clouds[i].seen = at >= 0 && (a.done >> at & 1) != 0;
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

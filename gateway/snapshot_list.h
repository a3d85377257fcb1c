/* Rows of snapshots, in order, and what clouds say of them: for the list and the check. Layer 4, internal. */
#pragma once
#include "gateway/snapshot_check.h"
#include "snapshot_internal.h"

struct gw_snap_list {
    struct gw_snap_row *rows; /* good ones: notes, the newest first, then packs by what they begin with */
    size_t count, cap;
};
QC_MUST qc_rc gw_snap_list(struct gw_engine *e, struct gw_snap_list *ret, struct qc_err *err);
void gw_snap_list_done(struct gw_snap_list *l);
struct gw_snapshot_item gw_snap_item(const struct gw_snap_row *row);
/* What clouds said, and whose pieces hold: into ret->clouds. fetched: that they have one is not enough. */
void gw_snap_seen(struct gw_engine *e, const struct gw_answer *a, gw_clouds set, bool fetched,
                  gw_clouds holds, struct gw_snapshot_item *ret);

/* Snapshots: one pack, or notes, becomes durable (N1 of gateway/snapshot.c). */
#include <stdio.h>

#include "engine_internal.h"
#include "snapshot_internal.h"

/* n clouds in a row, from another one each time; those that are not well only where there are too few.
 * Returns how many are well. */
static unsigned choose(struct gw_engine *e, uint32_t serial, struct gw_pack_plan *plan)
{
    const unsigned count = gw_fan_count(e->fan);
    unsigned chosen = 0, well = 0;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < count && chosen < plan->n; i++) {
            const unsigned at = (serial + i) % count;
            struct gw_cloud_view v;
            gw_fan_view(e->fan, at, &v);
            if (v.role == GW_ROLE_IN_USE && (v.state == GW_CLOUD_OK) == (pass == 0))
                plan->clouds[chosen++] = v.id;
        }
        well = pass == 0 ? chosen : well;
    }
    plan->n = chosen;
    return well;
}

static qc_rc write_trying(struct gw_engine *e, struct gw_snap_row *row, struct gw_pack_plan *plan,
                          struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_snap_serial(e->cat, &row->serial, err));
    const unsigned well = choose(e, row->serial, plan);
    if (well < e->conf.write_quorum)
        return QC_FAIL(err, QC_QUORUM, "%u clouds are well, %u are needed", well, e->conf.write_quorum);
    row->n = plan->n;
    memcpy(row->clouds, plan->clouds, plan->n * sizeof *row->clouds);
    QC_TRY(gw_cat_snap_put(e->cat, row, err));
    QC_TRY(gw_cat_commit(e->cat, &tx, err));
    return qc_fault(snap_row, err);
}

static qc_rc write_good(struct gw_engine *e, const struct gw_snap_row *row, int64_t taken_s,
                        struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_snap_good(e->cat, row, err));
    if (row->notes)
        QC_TRY(gw_meta_set(e->cat, gw_snap_taken, (uint64_t)taken_s, err));
    QC_TRY(gw_cat_commit(e->cat, &tx, err));
    return qc_fault(snap_good, err);
}

gw_clouds gw_snap_set(struct gw_engine *e, const struct gw_snap_row *row)
{
    gw_clouds set = 0;

    for (unsigned i = 0; i < row->n; i++) {
        const int at = gw_fan_at(e->fan, row->clouds[i]);
        if (at >= 0)
            set |= (gw_clouds)1 << at;
    }
    return set & gw_fan_all(e->fan);
}

struct gw_name gw_snap_name(const struct gw_snap_row *row)
{
    return (struct gw_name){ .kind = row->notes ? GW_NAME_NOTES : GW_NAME_PACK,
                             .id = row->first,
                             .incarnation = (uint16_t)row->incarnation,
                             .serial = row->serial };
}

qc_rc gw_snap_keys(struct gw_engine *e, const struct gw_snap_row *row, gw_clouds set,
                   struct gw_snap_keys *ret, struct qc_err *err)
{
    const struct gw_name name = gw_snap_name(row);

    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        ret->keys[at] = NULL;
        if ((set >> at & 1) == 0)
            continue;
        QC_TRY(gw_name_make(e->root, gw_fan_id(e->fan, at), &name, ret->names[at], err));
        ret->keys[at] = ret->names[at];
    }
    return QC_OK;
}

qc_rc gw_snap_head(struct gw_engine *e, const struct gw_snap_row *row, gw_clouds *ret_set,
                   struct gw_answer *ret, struct qc_err *err)
{
    struct gw_snap_keys k;

    *ret = (struct gw_answer){ 0 };
    *ret_set = gw_snap_set(e, row);
    if (*ret_set == 0)
        return QC_OK;
    QC_TRY(gw_snap_keys(e, row, *ret_set, &k, err));
    const struct gw_ask ask = { .set = *ret_set,
                                .keys = k.keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    return gw_fan_head(e->fan, &ask, NULL, ret, err);
}

static qc_rc read_back(struct gw_engine *e, const struct gw_snap_row *row, qc_span clear, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf back = { .max = QC_GW_PACK_MAX };
    const struct gw_name name = gw_snap_name(row);

    QC_TRY(gw_snap_read(e->fan, e->root, &name, gw_snap_set(e, row), 0, &back, err));
    if (!qc_span_eq(qc_buf_span(&back), clear))
        return QC_FAIL(err, QC_INTEGRITY, "what was read back is not what was written");
    return QC_OK;
}

qc_rc gw_snap_put_one(struct gw_engine *e, struct gw_snap_row *row, qc_span clear, int64_t taken_s,
                      struct qc_err *err)
{
    struct gw_pack_plan plan = { .k = e->conf.k, .n = e->conf.n };
    unsigned durable;

    row->incarnation = e->conf.incarnation;
    row->state = GW_SNAP_TRYING;
    row->bytes = clear.n;
    QC_TRY(qc_rng_fill(e->rng, plan.salt, sizeof plan.salt, err));
    QC_TRY(write_trying(e, row, &plan, err));
    const struct gw_name name = gw_snap_name(row);
    plan.name = &name;
    const struct gw_snap_put what = { &plan, clear };
    QC_TRY(gw_snap_write(e->fan, e->root, &what, &durable, err));
    QC_TRY(qc_fault(snap_put, err));
    const unsigned needed =
        e->snaps.present < e->conf.write_quorum ? e->conf.write_quorum : e->snaps.present + 1;
    if (durable < needed)
        return QC_FAIL(err, QC_QUORUM, "%u clouds took their piece, %u are needed", durable, needed);
    QC_TRY(read_back(e, row, clear, err));
    return write_good(e, row, taken_s, err);
}

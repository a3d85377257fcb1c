/* Draining a cloud.
 *
 *   in use --record, row--> DRAINING: read, counted, gets nothing new
 *      each segment with something on it:
 *        reserved, and nobody works on it -> it dies; its upload reserves another
 *        written -> k verified -> coded -> TRIAL row -> PUT elsewhere -> read back
 *                -> one txn: the new one counts, the old key is dead      (gateway/repair_segment.c)
 *      -> the sweep removes what is dead
 *
 * N1 (I1): a fragment counts where it is until it counts elsewhere: no margin falls, whenever this is killed.
 * N2: the row DRAINING is all that is remembered: what is left is what the catalogue shows on the cloud.
 */
#include <stdio.h>

#include "move_internal.h"

enum { NAP_MS = 100 };

/* -- may it be drained? ---------------------------------------------------------------------------------- */

static qc_rc check_target(struct gw_moving *m, uint32_t target, const struct gw_cloud_row *row,
                          struct qc_err *err)
{
    struct gw_cloud_row to;

    if (target == 0)
        return QC_OK;
    QC_LOCK(gw_cat_lock(m->e->cat));
    QC_TRY(gw_cloud_row(m->e->cat, target, &to, err));
    if (to.id == row->id)
        return QC_FAIL(err, QC_USAGE, "cloud %s cannot be drained to itself", row->name);
    if (to.state != GW_LIFE_IN_USE)
        return QC_FAIL(err, QC_CONFLICT, "cloud %s is %s: it takes nothing new", to.name,
                       gw_cloud_role_name(gw_engine_conf_of(&to, NULL).role));
    return QC_OK;
}

static qc_rc begin(struct gw_moving *m, unsigned at, struct gw_cloud_row *row, uint32_t target,
                   struct qc_err *err)
{
    if (row->state != GW_LIFE_IN_USE && row->state != GW_LIFE_DRAINING)
        return QC_FAIL(err, QC_CONFLICT, "cloud %s is %s", row->name,
                       gw_cloud_role_name(gw_engine_conf_of(row, NULL).role));
    QC_TRY(check_target(m, target, row, err));
    QC_TRY(gw_move_room(m, row, err));
    if (row->state == GW_LIFE_DRAINING && (target == 0 || target == row->target))
        return QC_OK;
    row->state = GW_LIFE_DRAINING;
    row->target = target;
    QC_TRY(gw_move_member(m, at, row, NULL, err));
    return qc_fault(drain_begun, err);
}

/* -- one segment ----------------------------------------------------------------------------------------- */

/* A reservation that nobody works on dies: what may lie under it is swept. *ret: it was one. */
static qc_rc drop_reserved(struct gw_moving *m, uint64_t id, bool *ret, struct qc_err *err)
{
    struct gw_cat *cat = m->e->cat;
    struct gw_segment seg;
    struct qc_err miss = { 0 };

    *ret = false;
    QC_LOCK(gw_cat_lock(cat)); /* under it an upload takes one */
    const qc_rc rc = gw_cat_segment(cat, id, &seg, &miss);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK) {
        *err = miss;
        return rc;
    }
    if (seg.size != 0)
        return QC_OK;
    *ret = true;
    if (gw_busy_is(m->e, id)) {
        m->r->busy++;
        return QC_OK;
    }
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cat_segment_kill(cat, id, 0, err));
    return gw_cat_commit(cat, &tx, err);
}

/* A payer may be at it: it does not take long. */
static qc_rc mend(struct gw_moving *m, uint64_t id, struct qc_err *err)
{
    while (!gw_mend_begin(m->e, id))
        QC_TRY(gw_repair_pause(&m->p, NAP_MS, err));
    const qc_rc rc = gw_repair_segment(&m->p, id, err);
    gw_mend_end(m->e, id);
    return rc;
}

static uint64_t put_so_far(const struct gw_moving *m)
{
    uint64_t n = 0;

    for (unsigned at = 0; at < QC_GW_CLOUDS_MAX; at++)
        n += m->repaired.clouds[at].rebuilt;
    return n;
}

static void note_why(struct gw_moving *m, const struct qc_err *why)
{
    if (why->msg[0] != '\0')
        (void)snprintf(m->r->why, sizeof m->r->why, "%s", why->msg);
    for (unsigned at = 0; at < QC_GW_CLOUDS_MAX && why->msg[0] == '\0'; at++)
        if (m->repaired.clouds[at].refused[0] != '\0')
            memcpy(m->r->why, m->repaired.clouds[at].refused, sizeof m->r->why);
}

static qc_rc move_one(struct gw_moving *m, uint64_t id, struct qc_err *err)
{
    const uint64_t before = put_so_far(m);
    struct qc_err why = { 0 };
    bool reserved;

    QC_TRY(gw_move_go_on(m, err));
    QC_TRY(drop_reserved(m, id, &reserved, err));
    if (reserved)
        return QC_OK;
    const qc_rc rc = mend(m, id, &why);
    if (rc != QC_OK && gw_repair_fatal(&m->p, rc)) {
        *err = why;
        return rc;
    }
    const uint64_t put = put_so_far(m) - before;
    m->r->moved += put;
    m->r->fragments_left -= put < m->r->fragments_left ? put : m->r->fragments_left;
    if (rc == QC_OK && put > 0)
        return QC_OK;
    m->r->failed++;
    note_why(m, &why);
    return QC_OK;
}

/* -- all of them ----------------------------------------------------------------------------------------- */

static qc_rc next_on(struct gw_moving *m, uint32_t cloud_id, uint64_t after, uint64_t *ret,
                     struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(m->e->cat));
    return gw_cat_on_cloud(m->e->cat, cloud_id, after, ret, err);
}

static qc_rc one_pass(struct gw_moving *m, uint32_t cloud_id, struct qc_err *err)
{
    uint64_t id = 0;

    m->r->busy = m->r->failed = 0;
    for (;;) { /* ends: the id grows */
        QC_TRY(next_on(m, cloud_id, id, &id, err));
        if (id == 0)
            return QC_OK;
        QC_TRY(move_one(m, id, err));
    }
}

/* While something moves, or an upload is about to let go. What is left then waits for clouds, or for good. */
static qc_rc all_passes(struct gw_moving *m, uint32_t cloud_id, struct qc_err *err)
{
    const uint64_t began = qc_now_ms();

    for (;;) {
        const uint64_t moved = m->r->moved;
        uint64_t id;
        QC_TRY(one_pass(m, cloud_id, err));
        m->r->took_ms = qc_now_ms() - began;
        QC_TRY(gw_move_count(m, cloud_id, err));
        QC_TRY(next_on(m, cloud_id, 0, &id, err));
        if (id == 0 || (m->r->moved == moved && m->r->busy == 0))
            return QC_OK;
        if (m->r->busy > 0)
            QC_TRY(gw_repair_pause(&m->p, NAP_MS, err));
    }
}

qc_rc gw_move_sweep(struct gw_moving *m, struct qc_err *err)
{
    QC_TRY(gw_move_enter(m, GW_MOVING_SWEEPING, err));
    for (unsigned round = 0; round < QC_GW_SWEEP_ROUNDS; round++) {
        bool more = true;
        while (more) {
            QC_TRY(gw_move_go_on(m, err));
            QC_TRY(gw_tidy_sweep(m->e, &more, err));
        }
    }
    return QC_OK;
}

qc_rc gw_move_drain(struct gw_moving *m, uint32_t target, struct qc_err *err)
{
    struct gw_cloud_row row;
    gw_clouds back;
    uint64_t id;
    unsigned at;

    QC_TRY(gw_move_find(m, m->ask->name, &row, &at, err));
    QC_TRY(begin(m, at, &row, target, err));
    QC_TRY(gw_probe_again(m->e->fan, m->e->root, gw_fan_all(m->e->fan), GW_ILL_ALL, &back, err));
    QC_TRY(gw_engine_sync_lost(m->e, err));
    m->p.from = row.id;
    m->p.to = row.target;
    QC_TRY(gw_move_count(m, row.id, err));
    m->r->fragments = m->r->fragments_left;
    m->r->bytes = m->r->bytes_left;
    QC_TRY(gw_move_enter(m, GW_MOVING_FRAGMENTS, err));
    QC_TRY(all_passes(m, row.id, err));
    QC_TRY(gw_move_sweep(m, err));
    QC_TRY(gw_move_count(m, row.id, err));
    QC_TRY(next_on(m, row.id, 0, &id, err));
    if (id == 0)
        return QC_OK;
    return QC_FAIL(err, QC_DEGRADED, "%" PRIu64 " fragments are still on cloud %s%s%s", m->r->fragments_left,
                   row.name, m->r->why[0] != '\0' ? ": " : "", m->r->why);
}

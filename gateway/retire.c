/* Retiring a cloud that is drained.
 *
 *   draining, nothing on it by any row -> swept -> listed: nothing is there
 *   -> it counts no more (in memory), each log object is on enough others
 *   -> shares without it -> record, row: LEAVING -> old shares go
 *   -> its identity is removed, then log copies, roots -> RETIRED: a name
 *
 * T1 (I1): before it stops to be a witness every record has the record quorum without it; commits are held
 * back while that is looked at, other gateways' until they are over. T2 (D5): what is removed there are names
 * that the catalogue makes: its identity, the log's, roots and cuts. All else is counted and stays.
 */
#include <stdio.h>

#include "move_internal.h"

/* -- is it empty? ---------------------------------------------------------------------------------------- */

static qc_rc nothing_on_it(struct gw_moving *m, const struct gw_cloud_row *row, struct qc_err *err)
{
    uint64_t id;

    QC_TRY(gw_move_count(m, row->id, err));
    {
        QC_LOCK(gw_cat_lock(m->e->cat));
        QC_TRY(gw_cat_on_cloud(m->e->cat, row->id, 0, &id, err));
    }
    if (id != 0)
        return QC_FAIL(err, QC_CONFLICT, "cloud %s still has %" PRIu64 " fragments: drain it first",
                       row->name, m->r->fragments_left);
    return QC_OK;
}

/* Dead objects: removed and seen absent; of a cloud that is gone for good, nobody will ask again. */
static qc_rc nothing_dead(struct gw_moving *m, const struct gw_cloud_row *row, struct qc_err *err)
{
    QC_TRY(gw_move_enter(m, GW_MOVING_SWEEPING, err));
    if (m->ask->gone) {
        QC_LOCK(gw_cat_lock(m->e->cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        QC_TRY(gw_cat_begin(m->e->cat, &tx, err));
        QC_TRY(gw_cat_dead_forget(m->e->cat, row->id, err));
        return gw_cat_commit(m->e->cat, &tx, err);
    }
    for (unsigned round = 0; round <= QC_GW_SWEEP_ROUNDS; round++) {
        bool more = true;
        while (more) {
            QC_TRY(gw_move_go_on(m, err));
            QC_TRY(gw_tidy_sweep(m->e, &more, err));
        }
    }
    QC_TRY(gw_move_count(m, row->id, err));
    if (m->r->dead > 0)
        return QC_FAIL(err, QC_CONFLICT,
                       "cloud %s: %" PRIu64
                       " dead objects could not be removed yet; if it never answers again: --gone",
                       row->name, m->r->dead);
    return QC_OK;
}

static qc_rc count_one(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    uint64_t *n = ctx;

    (void)item;
    (void)err;
    ++*n;
    return QC_OK;
}

/* A late PUT may have landed under a dead key: its rounds begin anew. What nobody can explain stops it. */
static qc_rc nothing_listed(struct gw_moving *m, unsigned at, const struct gw_cloud_row *row,
                            struct qc_err *err)
{
    uint64_t n = 0;

    QC_TRY(gw_fan_list(m->e->fan, at, "f/", QC_GW_LIST_PAGE_MS, count_one, &n, err));
    if (n == 0)
        return QC_OK;
    QC_TRY(gw_repair_list_one(&m->p, at, err));
    QC_TRY(nothing_dead(m, row, err));
    n = 0;
    QC_TRY(gw_fan_list(m->e->fan, at, "f/", QC_GW_LIST_PAGE_MS, count_one, &n, err));
    m->r->foreign = n;
    if (n > 0)
        return QC_FAIL(err, QC_CONFLICT,
                       "cloud %s: %" PRIu64
                       " objects below f/ that the catalogue cannot explain: they are not "
                       "touched; a repair names them",
                       row->name, n);
    return QC_OK;
}

static qc_rc is_empty(struct gw_moving *m, unsigned at, const struct gw_cloud_row *row, struct qc_err *err)
{
    gw_clouds ok;

    QC_TRY(nothing_on_it(m, row, err));
    QC_TRY(gw_move_room(m, row, err));
    QC_TRY(nothing_dead(m, row, err));
    if (m->ask->gone)
        return QC_OK;
    QC_TRY(gw_probe(m->e->fan, m->e->root, (gw_clouds)1 << at, qc_deadline_in(QC_GW_RECORD_MS), &ok, err));
    if (ok == 0)
        return QC_FAIL(err, QC_QUORUM,
                       "cloud %s does not answer, or is lost: if it never will again, retire it with --gone",
                       row->name);
    return nothing_listed(m, at, row, err);
}

/* -- it counts no more ----------------------------------------------------------------------------------- */

/* Commits are held back. */
static qc_rc others_have_the_log(struct gw_moving *m, const struct gw_cloud_row *row, struct qc_err *err)
{
    struct gw_engine *e = m->e;
    unsigned owed;

    QC_TRY(gw_roll(e, false, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_cat_log_owed_most(e->cat, row->id, &owed, err));
    const unsigned others = gw_engine_count(e); /* without it: its role says so */
    if (owed + e->conf.record_quorum > others)
        return QC_FAIL(
            err, QC_QUORUM,
            "a part of the log is on %u of the %u other clouds, and must be on %u: it is being copied",
            others > owed ? others - owed : 0, others, e->conf.record_quorum);
    return QC_OK;
}

static qc_rc stop_counting(struct gw_moving *m, unsigned at, const struct gw_cloud_row *row, bool *ret_held,
                           struct qc_err *err)
{
    gw_commit_hold(m->e);
    qc_rc rc = gw_engine_hold_others(m->e, ret_held, err); /* they count it still */
    if (rc == QC_OK) {
        gw_fan_set_role(m->e->fan, at, GW_ROLE_LEAVING);
        rc = others_have_the_log(m, row, err);
    }
    gw_commit_release(m->e);
    QC_TRY(rc);
    return qc_fault(retire_counted, err);
}

static qc_rc share_without(struct gw_moving *m, unsigned at, struct gw_cloud_row *row, bool *ret_held,
                           struct qc_err *err)
{
    QC_CLEANUP(gw_new_shares_done) struct gw_new_shares s = { 0 };

    QC_TRY(gw_move_enter(m, GW_MOVING_SHARING, err));
    QC_TRY(stop_counting(m, at, row, ret_held, err));
    QC_TRY(gw_shares_spread(m->e, -1, -1, &s, err));
    row->state = GW_LIFE_LEAVING;
    row->target = 0;
    return gw_move_member(m, at, row, &s, err);
}

static qc_rc leave(struct gw_moving *m, unsigned at, struct gw_cloud_row *row, struct qc_err *err)
{
    bool held = false;

    if (row->state == GW_LIFE_LEAVING)
        return QC_OK; /* one that was interrupted */
    if (row->state != GW_LIFE_DRAINING)
        return QC_FAIL(err, QC_CONFLICT, "cloud %s is %s: drain it first", row->name,
                       gw_cloud_role_name(gw_engine_conf_of(row, NULL).role));
    QC_TRY(is_empty(m, at, row, err));
    const qc_rc rc = share_without(m, at, row, &held, err);
    gw_engine_let_others(m->e, &held);                /* who are left count it no more */
    if (rc != QC_OK && row->state != GW_LIFE_LEAVING) /* nothing was decided: as before */
        gw_fan_set_role(m->e->fan, at, GW_ROLE_DRAINING);
    return rc;
}

/* -- what is ours there goes ----------------------------------------------------------------------------- */

static qc_rc remove_key(struct gw_moving *m, unsigned at, const char *key, struct qc_err *err)
{
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    struct gw_answer a;

    keys[at] = key;
    const struct gw_ask ask = { .set = (gw_clouds)1 << at,
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) },
                                .force = true };
    QC_TRY(gw_move_go_on(m, err));
    QC_TRY(gw_fan_delete(m->e->fan, &ask, &a, err));
    if ((a.done >> at & 1) == 0 && a.outcome[at].rc != QC_NOTFOUND)
        return QC_FAIL(err, QC_QUORUM, "cloud %s does not remove %s: %s", gw_fan_name(m->e->fan, at), key,
                       a.outcome[at].why);
    return QC_OK;
}

static qc_rc remove_log(struct gw_moving *m, unsigned at, struct qc_err *err)
{
    struct gw_engine *e = m->e;
    struct gw_log_tip tip;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_tip_get(e->cat, &tip, err));
    }
    for (uint64_t sequence = 1; sequence <= tip.sequence; sequence++) {
        struct gw_name name = { .kind = GW_NAME_LOG, .id = sequence };
        struct qc_err miss = { 0 };
        struct gw_log_row row;
        char key[GW_NAME_SIZE];
        qc_rc rc;
        {
            QC_LOCK(gw_cat_lock(e->cat));
            rc = gw_cat_log_get(e->cat, sequence, &row, &miss);
        }
        if (rc == QC_NOTFOUND)
            continue;
        if (rc != QC_OK) {
            *err = miss;
            return rc;
        }
        name.incarnation = (uint16_t)row.incarnation;
        QC_TRY(gw_name_make(e->root, gw_fan_id(e->fan, at), &name, key, err));
        QC_TRY(remove_key(m, at, key, err));
    }
    return QC_OK;
}

/* It may be taken for lost by now: its identity is gone. */
static qc_rc list_left(struct gw_moving *m, unsigned at, const char *prefix, cloud_list_fn fn, void *ctx,
                       struct qc_err *err)
{
    struct gw_list_at list = { .prefix = prefix, .more = true, .force = true };

    while (list.more)
        QC_TRY(gw_fan_list_page(m->e->fan, at, &list, QC_GW_LIST_PAGE_MS, fn, ctx, err));
    return QC_OK;
}

/* Packs and notes: what is ours says so by its name. What they hold is in the log. */
struct packs {
    struct gw_moving *m;
    unsigned at;
    qc_buf keys; /* each with its NUL */
};

static void packs_done(struct packs *p)
{
    qc_buf_free(&p->keys);
}

static qc_rc see_pack(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct packs *p = ctx;
    struct gw_engine *e = p->m->e;
    struct gw_name name;

    QC_TRY(gw_name_parse(e->root, gw_fan_id(e->fan, p->at), item->key, &name, err));
    if (name.kind != GW_NAME_PACK && name.kind != GW_NAME_NOTES)
        return QC_OK;
    return qc_buf_add(&p->keys, qc_span_of((const uint8_t *)item->key, strlen(item->key) + 1), err);
}

static qc_rc remove_packs(struct gw_moving *m, unsigned at, struct qc_err *err)
{
    QC_CLEANUP(packs_done) struct packs p = { .m = m, .at = at, .keys = { .max = QC_GW_LIST_BYTES } };

    QC_TRY(list_left(m, at, "s/", see_pack, &p, err));
    for (size_t i = 0; i < p.keys.n; i += strlen((const char *)p.keys.p + i) + 1)
        QC_TRY(remove_key(m, at, (const char *)p.keys.p + i, err));
    return QC_OK;
}

static qc_rc remove_roots(struct gw_moving *m, unsigned at, struct qc_err *err)
{
    static const enum gw_name_kind kinds[] = { GW_NAME_ROOT, GW_NAME_CUT };

    for (uint32_t i = 1; i <= m->e->conf.incarnation; i++)
        for (unsigned k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            const struct gw_name name = { .kind = kinds[k], .id = i };
            char key[GW_NAME_SIZE];
            QC_TRY(gw_name_make(m->e->root, gw_fan_id(m->e->fan, at), &name, key, err));
            QC_TRY(remove_key(m, at, key, err));
        }
    return QC_OK;
}

/* The identity first: from then on nobody takes it for one of ours, whatever is left. */
static qc_rc clean(struct gw_moving *m, unsigned at, struct qc_err *err)
{
    if (m->ask->gone)
        return QC_OK;
    QC_TRY(gw_move_enter(m, GW_MOVING_CLEANING, err));
    QC_TRY(qc_fault(retire_identity, err));
    QC_TRY(gw_engine_still(m->e, err));
    QC_TRY(remove_key(m, at, gw_name_identity, err));
    QC_TRY(remove_log(m, at, err));
    QC_TRY(remove_roots(m, at, err));
    QC_TRY(remove_packs(m, at, err));
    m->r->foreign = 0;
    return list_left(m, at, "", count_one, &m->r->foreign, err);
}

static qc_rc forget(struct gw_moving *m, unsigned at, const struct gw_cloud_row *row, struct qc_err *err)
{
    struct gw_cat *cat = m->e->cat;
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(qc_fault(retire_cleaned, err));
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cloud_retire(cat, row->id, err));
    QC_TRY(gw_cat_end_others(cat, err));
    QC_TRY(gw_cat_commit(cat, &tx, err));
    gw_fan_set_role(m->e->fan, at, GW_ROLE_GONE);
    return QC_OK;
}

qc_rc gw_move_retire(struct gw_moving *m, struct qc_err *err)
{
    struct gw_cloud_row row;
    unsigned at;

    QC_TRY(gw_move_find(m, m->ask->name, &row, &at, err));
    QC_TRY(leave(m, at, &row, err));
    QC_TRY(gw_shares_settle(m->e, err));
    QC_TRY(clean(m, at, err));
    return forget(m, at, &row, err);
}

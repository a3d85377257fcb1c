/* Repair, one segment: the order of writes is at the head of repair.c. */
#include <stdio.h>

#include "base/planted.h"
#include "repair_patient.h"

static void patient_done(struct gw_patient *m)
{
    gw_read_free(&m->read);
}

static struct gw_repair_cloud *cloud_of(struct gw_patient *m, uint32_t cloud_id)
{
    const int at = gw_fan_at(m->p->e->fan, cloud_id);

    return at < 0 ? NULL : &m->p->r->clouds[at];
}

/* -- reading --------------------------------------------------------------------------------------------- */

/* A fragment that should be counted and is not there, or not good: by cloud, for the report. */
static void count_seen(struct gw_patient *m, unsigned i)
{
    struct gw_repair_cloud *c = cloud_of(m, m->row[i].cloud_id);
    const enum gw_found found = m->seen.found[i];

    if (c == NULL)
        return;
    c->missing += found == GW_FOUND_MISSING;
    c->damaged += found == GW_FOUND_DAMAGED;
    c->found += found == GW_FOUND_GOOD && (m->uncounted & bit(i)) != 0;
    if (found == GW_FOUND_AWAY && m->seen.why[i][0] != '\0')
        memcpy(c->refused, m->seen.why[i], sizeof c->refused);
}

/* In doubt: what is not counted; everything, where everything is to be read. */
static qc_rc look(struct gw_patient *m, struct qc_err *err)
{
    const uint32_t which = (m->p->ask->deep ? every(m) : m->uncounted) & ~m->away;

    if (which == 0)
        return QC_OK;
    QC_TRY(gw_repair_inspect(m->p, &m->seg, which, &m->seen, &m->read, err));
    for (unsigned i = 0; i < m->seg.n; i++)
        count_seen(m, i);
    return QC_OK;
}

/* -- remembering ----------------------------------------------------------------------------------------- */

/* The trial of a fragment comes to nothing: its key is dead, for something may lie under it. */
static qc_rc bury_trial(struct gw_patient *m, unsigned i, struct qc_err *err)
{
    struct gw_cat *cat = m->p->e->cat;
    struct gw_frag_key key;
    bool found;

    QC_TRY(gw_cat_trial(cat, m->seg.id, i, &key, &found, err));
    if (!found)
        return QC_OK;
    QC_TRY(gw_cat_dead_key_add(cat, &key, m->seg.salt, err));
    return gw_cat_trial_drop(cat, m->seg.id, i, err);
}

/* Good, at the place of its row. */
static qc_rc write_good(struct gw_patient *m, unsigned i, struct qc_err *err)
{
    struct gw_deviation_row row = m->row[i];

    if (row.cloud_id == row.home && row.attempt == 0 && row.incarnation == m->seg.incarnation)
        return gw_cat_place_home(m->p->e->cat, m->seg.id, i, err);
    row.state = GW_DEV_MOVED;
    return gw_cat_place(m->p->e->cat, m->seg.id, &row, err);
}

/* What was seen, where it is news. In a transaction. */
static qc_rc write_seen(struct gw_patient *m, unsigned i, struct qc_err *err)
{
    const enum gw_found found = m->seen.found[i];
    const bool counted = (m->uncounted & bit(i)) == 0;

    if (found == GW_FOUND_GOOD && (m->doomed & bit(i)) != 0)
        return QC_OK;
    if (found == GW_FOUND_GOOD && !counted) {
        QC_TRY(bury_trial(m, i, err));
        QC_TRY(gw_finding_end(m->p->e, &m->seg, i, err));
        return write_good(m, i, err);
    }
    if (counted && (found == GW_FOUND_DAMAGED || found == GW_FOUND_MISSING))
        QC_TRY(gw_finding_put(m->p->e, &m->seg, i,
                              found == GW_FOUND_DAMAGED ? m->kind[i] : GW_FINDING_MISSING, err));
    if (found == GW_FOUND_DAMAGED)
        return gw_cat_deviate(m->p->e->cat, m->seg.id, i, m->row[i].home, GW_DEV_BAD, err);
    if (found == GW_FOUND_MISSING && (counted || m->row[i].state > GW_DEV_LEFT))
        return gw_cat_deviate(m->p->e->cat, m->seg.id, i, m->row[i].home, GW_DEV_LOST, err);
    return QC_OK;
}

static bool is_news(const struct gw_patient *m)
{
    for (unsigned i = 0; i < m->seg.n; i++) {
        const enum gw_found found = m->seen.found[i];
        if ((found == GW_FOUND_GOOD && (m->uncounted & bit(i)) != 0) || found == GW_FOUND_MISSING ||
            found == GW_FOUND_DAMAGED)
            return true;
    }
    return false;
}

/* Reads and margins follow what was seen from here on, whether it can be repaired or not. *live: false when
 * the segment died meanwhile. */
static qc_rc remember(struct gw_patient *m, bool *live, struct qc_err *err)
{
    struct gw_cat *cat = m->p->e->cat;

    if (!is_news(m))
        return QC_OK;
    QC_TRY(gw_repair_judge(m->p, &m->seg, ~m->uncounted, &m->seen, m->kind, err));
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_patient_live(m, m->seg.id, live, err));
    if (!*live)
        return QC_OK;
    for (unsigned i = 0; i < m->seg.n; i++)
        QC_TRY(write_seen(m, i, err));
    QC_TRY(qc_fault(repair_seen, err));
    return gw_cat_commit(cat, &tx, err);
}

/* Another one stays on its cloud: a rebuild that heard neither where that one had gone, nor that this one was
 * put there since, learns of both at last. A cloud that is lost takes one of a segment, not two (I1). */
static uint32_t in_company(const struct gw_patient *m, unsigned frag)
{
    const uint32_t stay = ~(m->want | m->healed);

    for (unsigned i = 0; i < frag; i++)
        if ((stay & bit(i)) != 0 && m->row[i].cloud_id == m->row[frag].cloud_id)
            return stay & bit(frag);
    return 0;
}

/* What is to be written: what is known to be gone, and what does not count on a cloud that is away. */
static void conclude(struct gw_patient *m)
{
    for (unsigned i = 0; i < m->seg.n; i++) {
        const enum gw_found found = m->seen.found[i];
        if (found == GW_FOUND_MISSING || found == GW_FOUND_DAMAGED)
            m->want |= bit(i);
        if (found == GW_FOUND_DAMAGED)
            m->rotten |= bit(i);
        if (found == GW_FOUND_GOOD) {
            m->want |= m->doomed & ~m->healed & bit(i);
            m->rotten |= m->doomed & bit(i);
        }
        if ((m->away & bit(i)) != 0 && ((m->uncounted | m->lost) & bit(i)) != 0)
            m->want |= bit(i);
        m->leaving |= in_company(m, i);
        m->want |= m->leaving & bit(i) & ~m->healed;
    }
}

/* -- the segment's bytes --------------------------------------------------------------------------------- */

/* What the read found besides: it needs another key, or another place, as if it had been in doubt. */
static void take_faults(struct gw_patient *m, const struct gw_faults *faults)
{
    for (unsigned x = 0; x < faults->count; x++) {
        const unsigned i = faults->v[x].index;
        if (m->seen.found[i] != GW_FOUND_NOT_ASKED)
            continue;
        if (faults->v[x].kind == GW_FAULT_DAMAGED)
            m->seen.found[i] = GW_FOUND_DAMAGED;
        else if (faults->v[x].kind == GW_FAULT_MISSING)
            m->seen.found[i] = GW_FOUND_MISSING;
        count_seen(m, i);
    }
}

/* Could clouds that are not there now have what is missing? */
static bool others_may_help(const struct gw_faults *faults)
{
    for (unsigned x = 0; x < faults->count; x++)
        if (faults->v[x].kind != GW_FAULT_MISSING && faults->v[x].kind != GW_FAULT_DAMAGED)
            return true;
    return false;
}

/* Good, and not where they may stay. */
static uint32_t sources(const struct gw_patient *m)
{
    uint32_t set = 0;

    for (unsigned i = 0; i < m->seg.n; i++)
        set |= m->seen.found[i] == GW_FOUND_GOOD ? m->doomed & bit(i) : 0;
    return set;
}

/* Read k others, if looking did not bring them. m->read stays NULL: it cannot be had, and that is counted. */
static qc_rc fetch(struct gw_patient *m, struct qc_err *err)
{
    const struct gw_range all = { 0, m->seg.size };

    for (unsigned pauses = 0; m->read == NULL; pauses++) {
        struct gw_faults faults = { 0 };
        struct gw_segment seg = m->seg;
        struct qc_err why = { 0 };
        seg.absent |= m->want & ~(m->leaving & ~m->uncounted & ~m->lost);
        seg.absent &= ~sources(m);
        const qc_rc rc = gw_segment_read(m->p->e->store, &seg, all, qc_deadline_in(QC_GW_READ_MS), &faults,
                                         &m->read, &why);
        take_faults(m, &faults);
        if (rc == QC_OK)
            return gw_repair_moved(m->p, m->seg.size, 0, err);
        if (rc == QC_QUORUM || rc == QC_INTEGRITY)
            return gw_repair_lost(m->p, &m->seg, m->seg.n - faults.count,
                                  rc == QC_QUORUM && others_may_help(&faults), err);
        if (rc != QC_TEMP || pauses == QC_GW_REPAIR_PAUSES) {
            *err = why;
            return rc;
        }
        QC_TRY(gw_repair_pause(m->p, QC_GW_REPAIR_PAUSE_MS, err));
    }
    return QC_OK;
}

/* -- places ---------------------------------------------------------------------------------------------- */

/* Clouds that hold, or will hold, some fragment of the segment. */
static gw_clouds occupied(struct gw_patient *m)
{
    gw_clouds set = 0;

    for (unsigned i = 0; i < m->seg.n; i++) {
        const bool stays = (m->want & bit(i)) == 0 || (m->away & bit(i)) == 0;
        const uint32_t cloud_id = (m->targets & bit(i)) != 0 ? m->next.cloud[i] : m->row[i].cloud_id;
        const int at = gw_fan_at(m->p->e->fan, cloud_id);
        if (at >= 0 && (stays || (m->targets & bit(i)) != 0))
            set |= (gw_clouds)1 << at;
    }
    return set;
}

/* Clouds of the other fragments, as they will be. */
static gw_clouds others_of(struct gw_patient *m, unsigned frag)
{
    gw_clouds others = 0;

    for (unsigned i = 0; i < m->seg.n; i++) {
        const int at =
            gw_fan_at(m->p->e->fan, (m->targets & bit(i)) != 0 ? m->next.cloud[i] : m->row[i].cloud_id);
        others |= i != frag && at >= 0 ? (gw_clouds)1 << at : 0;
    }
    return others;
}

/* A cloud that has nothing of the segment: fragments lie in distinct domains. *ret 0: there is none. */
static qc_rc spare_cloud(struct gw_patient *m, unsigned frag, uint32_t *ret, struct qc_err *err)
{
    struct gw_engine *e = m->p->e;
    gw_clouds may = 0;

    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        may |= (gw_clouds)usable(m, gw_fan_id(e->fan, at)) << at;
    return gw_spare_cloud(e, may & ~occupied(m), others_of(m, frag), m->p->to, ret, err);
}

/* Its own cloud has, or will have, another one: see in_company. */
static bool is_shared(const struct gw_patient *m, unsigned frag)
{
    bool shared = false;

    for (unsigned i = 0; i < m->seg.n; i++)
        if (i != frag && ((m->targets & bit(i)) != 0 || (m->want & bit(i)) == 0))
            shared |=
                m->row[frag].cloud_id == ((m->targets & bit(i)) != 0 ? m->next.cloud[i] : m->row[i].cloud_id);
    return shared;
}

/* Where each wanted one goes: where it belongs, or, if that cloud is away or shared, to one without any. */
static qc_rc choose_places(struct gw_patient *m, struct qc_err *err)
{
    m->targets = 0;
    m->next = m->seg;
    for (unsigned i = 0; i < m->seg.n; i++)
        if ((m->want & ~m->leaving & bit(i)) != 0 && usable(m, m->row[i].cloud_id) &&
            gw_takes_new(m->p->e, m->row[i].cloud_id) && !is_shared(m, i)) {
            m->next.cloud[i] = m->row[i].cloud_id;
            m->targets |= bit(i);
        }
    for (unsigned i = 0; i < m->seg.n; i++) {
        uint32_t cloud_id;
        if ((m->want & ~m->targets & bit(i)) == 0 || (m->p->stay && !usable(m, m->row[i].cloud_id)))
            continue;
        QC_TRY(spare_cloud(m, i, &cloud_id, err));
        if (cloud_id == 0)
            continue;
        m->next.cloud[i] = cloud_id;
        m->targets |= bit(i);
    }
    return QC_OK;
}

/* P2: may it be put under the key that it has? */
static bool same_key(const struct gw_patient *m, unsigned i)
{
    return (m->rotten & bit(i)) == 0 && m->next.cloud[i] == m->row[i].cloud_id &&
           m->row[i].incarnation == m->p->e->conf.incarnation;
}

/* The key of a trial: that of an earlier pass, which may have landed since, where it goes to the same place;
 * else a new one, and the earlier is dead. What this pass has put came to nothing. */
static qc_rc trial_key(struct gw_patient *m, unsigned i, struct qc_err *err)
{
    struct gw_engine *e = m->p->e;
    struct gw_frag_key key;
    const bool again = (m->tried & bit(i)) != 0;
    bool found;

    QC_TRY(gw_cat_trial(e->cat, m->seg.id, i, &key, &found, err));
    if (!found || again || key.cloud_id != m->next.cloud[i] || key.incarnation != e->conf.incarnation) {
        QC_TRY(bury_trial(m, i, err));
        key = (struct gw_frag_key){ .segment_id = m->seg.id,
                                    .frag = i,
                                    .cloud_id = m->next.cloud[i],
                                    .incarnation = e->conf.incarnation };
        QC_TRY(gw_cat_attempt(e->cat, m->seg.id, i, key.incarnation, &key.attempt, err));
        if (qc_planted(key_reuse))
            key = gw_patient_key(m, i);
        QC_TRY(gw_cat_trial_put(e->cat, &key, err));
    }
    m->next.attempt[i] = key.attempt;
    m->next.writer[i] = key.incarnation;
    return QC_OK;
}

/* Labels may have changed since the places were chosen: from here on the rows of trials stand for them. */
static void drop_pairs(struct gw_patient *m)
{
    for (unsigned i = 0; i < m->seg.n; i++)
        if ((m->fresh & bit(i)) != 0 && m->next.cloud[i] != m->row[i].cloud_id &&
            gw_fails_with(m->p->e, m->next.cloud[i], others_of(m, i))) {
            m->fresh &= ~bit(i);
            m->targets &= ~bit(i);
        }
}

/* D1: keys are rows before anything is put under them. */
static qc_rc choose_keys(struct gw_patient *m, bool *live, struct qc_err *err)
{
    struct gw_cat *cat = m->p->e->cat;

    m->fresh = 0;
    for (unsigned i = 0; i < m->seg.n; i++) {
        if ((m->targets & bit(i)) == 0)
            continue;
        if (!same_key(m, i))
            m->fresh |= bit(i);
        m->next.attempt[i] = m->row[i].attempt;
        m->next.writer[i] = m->row[i].incarnation;
    }
    if (m->fresh == 0)
        return QC_OK;
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_patient_live(m, m->seg.id, live, err));
    if (!*live)
        return QC_OK;
    drop_pairs(m);
    for (unsigned i = 0; i < m->seg.n; i++)
        if ((m->fresh & bit(i)) != 0)
            QC_TRY(trial_key(m, i, err));
    m->tried |= m->fresh;
    QC_TRY(qc_fault(repair_trial, err));
    QC_TRY(gw_cat_commit(cat, &tx, err));
    return qc_fault(repair_trial_done, err);
}

/* -- writing --------------------------------------------------------------------------------------------- */

/* P1: the new one counts and the old key is dead, or nothing has changed. */
static qc_rc settle_one(struct gw_patient *m, unsigned i, bool live, struct qc_err *err)
{
    struct gw_cat *cat = m->p->e->cat;
    const struct gw_frag_key old = gw_patient_key(m, i);

    if (!live)
        return (m->fresh & bit(i)) != 0 ? bury_trial(m, i, err) : QC_OK;
    QC_TRY(gw_finding_end(m->p->e, &m->seg, i, err));
    if ((m->fresh & bit(i)) != 0) {
        QC_TRY(gw_cat_dead_key_add(cat, &old, m->seg.salt, err));
        QC_TRY(gw_cat_trial_drop(cat, m->seg.id, i, err));
    } else {
        QC_TRY(bury_trial(m, i, err)); /* of a pass that was cut short while its own place was away */
    }
    m->row[i].cloud_id = m->next.cloud[i];
    m->row[i].attempt = m->next.attempt[i];
    m->row[i].incarnation = m->next.writer[i];
    return write_good(m, i, err);
}

static qc_rc settle(struct gw_patient *m, uint32_t good, struct qc_err *err)
{
    struct gw_cat *cat = m->p->e->cat;
    bool live;

    if (good == 0)
        return QC_OK;
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_patient_live(m, m->seg.id, &live, err));
    for (unsigned i = 0; i < m->seg.n; i++)
        if ((good & bit(i)) != 0)
            QC_TRY(settle_one(m, i, live, err));
    QC_TRY(qc_fault(repair_settle, err));
    QC_TRY(gw_cat_commit(cat, &tx, err));
    for (unsigned i = 0; i < m->seg.n; i++) {
        struct gw_repair_cloud *c = cloud_of(m, m->next.cloud[i]);
        if ((good & bit(i)) != 0 && c != NULL)
            c->rebuilt++;
    }
    m->want &= ~good;
    m->healed |= good;
    return qc_fault(repair_settled, err);
}

/* A cloud that failed is not asked again for this segment; a key under which something else lies is not used
 * again. */
static void learn(struct gw_patient *m, unsigned i, const struct gw_outcome *o)
{
    const int at = gw_fan_at(m->p->e->fan, m->next.cloud[i]);
    struct gw_repair_cloud *c = cloud_of(m, m->next.cloud[i]);

    /* A put beside what is left of a damaged object may hang, as reading that does (Ceph): where it was under
     * the key that the fragment had, another key is tried before the cloud is given up. */
    const bool hung = o->fate == GW_LATE || (o->fate == GW_FAILED && o->rc == QC_TIMEOUT);

    if ((o->fate == GW_FAILED && o->rc == QC_CONFLICT) || (hung && (m->fresh & bit(i)) == 0))
        m->rotten |= bit(i);
    else if (at >= 0)
        m->refuse |= (gw_clouds)1 << at;
    if (c != NULL)
        memcpy(c->refused, o->why, sizeof c->refused);
}

/* What was put is not there as it was put. */
static void learn_back(struct gw_patient *m, unsigned i, const struct gw_inspection *back)
{
    const int at = gw_fan_at(m->p->e->fan, m->next.cloud[i]);
    struct gw_repair_cloud *c = cloud_of(m, m->next.cloud[i]);

    if (back->found[i] == GW_FOUND_DAMAGED)
        m->rotten |= bit(i);
    if (back->found[i] == GW_FOUND_AWAY && at >= 0)
        m->refuse |= (gw_clouds)1 << at;
    if (c != NULL)
        memcpy(c->refused, back->why[i], sizeof c->refused);
}

/* *ret_good: put, and read back whole. */
static qc_rc put_and_read(struct gw_patient *m, const struct gw_digest_table *table, struct gw_unit *u,
                          uint32_t *ret_good, struct qc_err *err)
{
    const struct gw_rewrite what = { .table = table, .which = m->targets, .put = true };
    struct gw_read *read = NULL;
    struct gw_inspection back;
    struct gw_written w;

    *ret_good = 0;
    QC_TRY(qc_fault(repair_put, err));
    QC_TRY(
        gw_segment_rewrite(m->p->e->store, &m->next, &what, u, qc_deadline_in(m->p->e->segment_ms), &w, err));
    QC_TRY(qc_fault(repair_put_done, err));
    QC_TRY(gw_repair_moved(m->p, 0, (uint64_t)w.durable * (m->seg.size / m->seg.k), err));
    for (unsigned i = 0; i < m->seg.n; i++)
        if ((m->targets & ~w.durable_set & bit(i)) != 0)
            learn(m, i, &w.outcome[i]);
    if (qc_planted(pay_on_send))
        *ret_good = m->targets;
    if (w.durable_set == 0 || qc_planted(pay_on_send))
        return QC_OK;
    QC_TRY(gw_repair_inspect(m->p, &m->next, w.durable_set, &back, &read, err));
    gw_read_free(&read);
    for (unsigned i = 0; i < m->seg.n; i++) {
        if ((w.durable_set & bit(i)) == 0)
            continue;
        if (back.found[i] == GW_FOUND_GOOD)
            *ret_good |= bit(i);
        else
            learn_back(m, i, &back);
    }
    return qc_fault(repair_read_back, err);
}

/* Look only: is what is wanted to be had? */
static qc_rc try_out(struct gw_patient *m, const struct gw_digest_table *table, struct gw_unit *u,
                     struct qc_err *err)
{
    const struct gw_rewrite what = { .table = table, .which = m->targets };
    struct gw_written w;

    QC_TRY(gw_segment_rewrite(m->p->e->store, &m->next, &what, u, QC_NO_DEADLINE, &w, err));
    m->p->r->rebuildable += (unsigned)__builtin_popcount(w.durable_set);
    m->want &= ~w.durable_set;
    return QC_OK;
}

/* From the segment's bytes to fragments that count. What could not be placed stays in m->want. */
static qc_rc rebuild(struct gw_patient *m, struct qc_err *err)
{
    QC_CLEANUP(gw_unit_give) struct gw_unit *u = NULL;
    struct gw_digest_table table;
    bool live = true;

    QC_TRY(gw_repair_unit(m->p, &u, err));
    gw_unit_begin(u, m->seg.k, m->seg.size);
    while (gw_unit_missing(u) > 0)
        gw_unit_add(u, gw_read_span(m->read, m->seg.size - gw_unit_missing(u)));
    gw_read_table(m->read, &table);
    gw_read_free(&m->read);
    for (unsigned tries = 0; tries < QC_GW_REPAIR_TRIES && m->want != 0 && live; tries++) {
        uint32_t good;
        QC_TRY(choose_places(m, err));
        if (m->targets == 0)
            return QC_OK;
        if (m->p->ask->dry_run)
            return try_out(m, &table, u, err);
        QC_TRY(choose_keys(m, &live, err));
        if (!live || m->targets == 0)
            return QC_OK;
        QC_TRY(put_and_read(m, &table, u, &good, err));
        QC_TRY(settle(m, good, err));
    }
    return QC_OK;
}

/* -- the whole ------------------------------------------------------------------------------------------- */

static void count_left(struct gw_patient *m)
{
    for (unsigned i = 0; i < m->seg.n; i++) {
        struct gw_repair_cloud *c = cloud_of(m, m->row[i].cloud_id);
        if ((m->want & bit(i)) != 0 && c != NULL)
            c->left++;
    }
}

/* Every fragment was read in this pass, is good, and counts. */
static bool is_sound(const struct gw_patient *m)
{
    for (unsigned i = 0; i < m->seg.n; i++)
        if ((m->seen.found[i] != GW_FOUND_GOOD || (m->doomed & bit(i)) != 0) && (m->healed & bit(i)) == 0)
            return false;
    return true;
}

/* Fragments that count and can be asked for are enough. */
static bool is_readable(const struct gw_patient *m)
{
    return (unsigned)__builtin_popcount(every(m) & ~((m->want & ~m->leaving) | m->away | m->uncounted)) >=
           m->seg.k;
}

/* What is wanted, once places are known to exist: without one nothing has to be read, where it can be. */
static qc_rc treat(struct gw_patient *m, bool *live, struct qc_err *err)
{
    conclude(m);
    if (m->want == 0)
        return QC_OK;
    QC_TRY(choose_places(m, err));
    if (m->targets == 0 && is_readable(m))
        return QC_OK;
    const uint32_t before = m->want;
    QC_TRY(fetch(m, err));
    conclude(m); /* the read may have found more */
    if (m->want != before)
        QC_TRY(remember(m, live, err));
    return m->read == NULL || !*live ? QC_OK : rebuild(m, err);
}

qc_rc gw_repair_segment(struct gw_repairing *p, uint64_t id, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_patient *mem = qc_alloc(sizeof *mem);
    bool live;

    if (mem == NULL)
        return QC_FAIL(err, QC_NOMEM, "a segment in repair");
    mem->p = p;
    QC_TRY(gw_patient_load(mem, id, &live, err));
    qc_rc rc = live ? look(mem, err) : QC_OK;
    if (live && rc == QC_OK)
        rc = remember(mem, &live, err);
    if (live && rc == QC_OK)
        rc = treat(mem, &live, err);
    patient_done(mem);
    if (rc != QC_OK || !live)
        return rc;
    count_left(mem);
    if (is_sound(mem))
        gw_bits_add(&p->sound, id);
    return QC_OK;
}

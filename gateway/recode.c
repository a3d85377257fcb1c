/* Another code for what is new and for what is stored: repair --reprotect.
 *
 *   places for n' -> records on e' clouds from now on, and all that there are of the log on so many
 *     -> shares of G with the new threshold, beside the old ones -> record, rows: CODE -> old shares go
 *   each segment of another code, the least margin first:
 *     read, verified -> RESERVED: a new id, a row before the first PUT (D1) -> coded, n' fragments put
 *       -> all n' read back whole, the same bytes -> record: the new id stands for it
 *       -> published: one txn: the new one counts, the old one is dead (P1)
 *   -> the sweep removes what is dead
 *
 * E1 (I1): nothing of the old segment is less before the new one is whole, evident and recorded: no margin
 * falls, whenever this is killed. E2: what is left to do is what the catalogue shows: segments whose code is
 * not the gateway's. Nothing else is remembered. E3: a reservation is dropped only while nothing is decided
 * and not published (move.c), and by nobody else while it is busy: a record never names one that is dead.
 * E4 (docs/adr/0024): e' = max(e, n' - k' + 1): records never ask for fewer clouds than before, for what was
 * stored by the old code relies on them. */
#include <stdio.h>

#include "make.h"
#include "move_internal.h"
#include "rules.h"

/* SWEEPS: calls after a batch: the keys of its segments, in two rounds, and some more. */
enum { NAP_MS = 100, ROLL_TRIES = 50, SWEEPS = 4, MARGIN_AT = QC_EC_N_MAX, LEVELS = 2 * QC_EC_N_MAX + 1 };

/* -- the code of what is new ----------------------------------------------------------------------------- */

static qc_rc check_code(struct gw_moving *m, unsigned k, unsigned n, struct qc_err *err)
{
    struct gw_engine *e = m->e;

    if (k < 1 || k > n || n > QC_EC_N_MAX)
        return QC_FAIL(err, QC_USAGE, "code %u,%u: expected K,N with 1 <= K <= N <= %d", k, n, QC_EC_N_MAX);
    if (n - k >= gw_engine_count(e))
        return QC_FAIL(err, QC_QUORUM, "code %u,%u: more than %u clouds are needed, there are %u", k, n,
                       n - k, gw_engine_count(e));
    QC_LOCK(gw_cat_lock(e->cat));
    return gw_rules_room(e, atomic_load(&e->domain), n, err);
}

/* Root and cut objects are on all clouds, and each part of the log on so many. */
static qc_rc spread_records(struct gw_moving *m, unsigned quorum, struct qc_err *err)
{
    struct gw_engine *e = m->e;
    uint64_t left = 0;
    unsigned owed;

    QC_TRY(gw_repair_roots(&m->p, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        bool all;
        left += m->repaired.clouds[at].records_left;
        if (gw_repair_usable(&m->p, at))
            QC_TRY(gw_repair_pay(&m->p, at, &all, err));
    }
    if (left > 0)
        return QC_FAIL(err, QC_QUORUM, "root objects could not be put on all clouds");
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_cat_log_owed_most(e->cat, 0, &owed, err));
    const unsigned count = gw_engine_count(e);
    if (owed + quorum > count)
        return QC_FAIL(err, QC_QUORUM, "a part of the log is on %u of %u clouds, and must be on %u",
                       count > owed ? count - owed : 0, count, quorum);
    return QC_OK;
}

/* From here on no record is acknowledged on fewer. What was, before, is looked at afterwards. */
static qc_rc raise_quorum(struct gw_moving *m, unsigned quorum, bool *ret_held, struct qc_err *err)
{
    gw_commit_hold(m->e);
    qc_rc rc = gw_engine_hold_others(m->e, ret_held, err); /* they acknowledge on as many as before */
    if (rc == QC_OK)
        rc = gw_roll(m->e, false, err);
    if (rc == QC_OK)
        m->e->conf.record_quorum = quorum;
    gw_commit_release(m->e);
    QC_TRY(rc);
    return qc_fault(recode_quorum, err);
}

static qc_rc change_code(struct gw_moving *m, const struct gw_config *conf, bool raised, struct qc_err *err)
{
    QC_CLEANUP(gw_new_shares_done) struct gw_new_shares s = { 0 };
    struct gw_change change = { .kind = GW_CHANGE_CODE, .code = conf, .shares = raised ? &s : NULL };

    if (raised) {
        QC_TRY(spread_records(m, conf->record_quorum, err));
        QC_TRY(gw_move_enter(m, GW_MOVING_SHARING, err));
        QC_TRY(gw_shares_spread(m->e, -1, -1, &s, err));
    }
    QC_TRY(gw_store_fit(m->e->store, conf->k, conf->n, err));
    QC_TRY(gw_commit(m->e, &change, err));
    return qc_fault(recode_code, err);
}

static qc_rc set_code(struct gw_moving *m, unsigned k, unsigned n, struct qc_err *err)
{
    struct gw_config conf = m->e->conf;
    const unsigned before = m->e->conf.record_quorum;
    bool held = false;

    if (conf.k == k && conf.n == n)
        return QC_OK;
    conf.k = k;
    conf.n = n;
    gw_quorums(&conf);
    const bool raised = conf.record_quorum > before;
    if (!raised)
        conf.record_quorum = before;              /* E4 */
    if (raised && gw_cat_session(m->e->cat) != 0) /* most of it before others are held */
        QC_TRY(spread_records(m, conf.record_quorum, err));
    qc_rc rc = raised ? raise_quorum(m, conf.record_quorum, &held, err) : QC_OK;
    if (rc == QC_OK)
        rc = change_code(m, &conf, raised, err);
    gw_engine_let_others(m->e, &held); /* who are left have read what is new */
    if (rc != QC_OK && raised &&
        (m->e->conf.k != k || m->e->conf.n != n)) /* nothing was decided: as before */
        m->e->conf.record_quorum = before;
    QC_TRY(rc);
    return raised ? gw_shares_settle(m->e, err) : QC_OK;
}

/* -- one segment ----------------------------------------------------------------------------------------- */

struct batch {
    struct gw_moving *m;
    struct gw_recoded v[QC_GW_RECODE_BATCH];
    unsigned count;
    bool away;        /* of the clouds that there must be, one is not: nothing more is read and put for it */
    unsigned refused; /* segments, one after the other, of which a cloud did not take its part: it is full? */
};

/* A reservation dies: what may lie under it is swept. */
static qc_rc drop(struct gw_moving *m, uint64_t id, uint32_t size, struct qc_err *err)
{
    struct gw_cat *cat = m->e->cat;
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cat_segment_kill(cat, id, size, err));
    QC_TRY(gw_cat_dead_again(cat, id, err));
    return gw_cat_commit(cat, &tx, err);
}

/* Of a process that ended: nobody works on them, and no record names them (E3). */
static qc_rc drop_left(struct gw_moving *m, struct qc_err *err)
{
    uint64_t id = 0;

    for (;;) { /* ends: the id grows */
        {
            QC_LOCK(gw_cat_lock(m->e->cat));
            QC_TRY(gw_cat_reserved_live(m->e->cat, id, &id, err));
        }
        if (id == 0)
            return QC_OK;
        QC_TRY(gw_move_go_on(m, err));
        if (!gw_busy_is(m->e, id))
            QC_TRY(drop(m, id, 0, err));
    }
}

static bool has_code(struct gw_engine *e, const struct gw_segment *seg)
{
    return seg->k == e->conf.k && seg->n == e->conf.n;
}

/* A new id for the segment, busy. *ret: there is something to do. */
static qc_rc reserve(struct gw_moving *m, uint64_t id, struct gw_segment *old, struct gw_segment *new,
                     bool *ret, struct qc_err *err)
{
    struct gw_engine *e = m->e;
    uint8_t salt[GW_SALT_BYTES];
    struct gw_version_row v;
    struct gw_version_ids ids = { 0 };
    struct gw_log_layout l;
    uint64_t layout, fresh;

    *ret = false;
    QC_TRY(qc_rng_fill(e->rng, salt, sizeof salt, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_segment_live(e->cat, id, ret, err));
    if (!*ret)
        return QC_OK;
    QC_TRY(gw_cat_segment(e->cat, id, old, err));
    *ret = !has_code(e, old);
    if (!*ret)
        return QC_OK;
    ids.tenant = old->tenant;
    memcpy(ids.object.b, old->object, sizeof ids.object.b);
    memcpy(ids.version.b, old->version, sizeof ids.version.b);
    QC_TRY(gw_cat_version(e->cat, &ids, &v, err));
    QC_TRY(gw_choose_layout(e, &l, err));
    QC_TRY(gw_rewrite_usable(&m->p, &l, err));
    QC_TRY(gw_layout_id(e->cat, &l, &layout, err));
    QC_TRY(gw_cat_reserve(e->cat, v.no, layout, e->conf.incarnation, salt, &fresh, err));
    QC_TRY(gw_cat_segment(e->cat, fresh, new, err));
    if (!gw_busy_add(e, fresh))
        return QC_FAIL(err, QC_TEMP, "%d segments are in work", QC_GW_BUSY_MAX);
    const qc_rc rc = gw_cat_commit(e->cat, &tx, err);
    if (rc != QC_OK)
        gw_busy_remove(e, fresh);
    QC_TRY(rc);
    new->seq = old->seq;
    new->last = old->last;
    new->size = old->size;
    return qc_fault(recode_reserved, err);
}

/* Coded and put under the new id; all of it, or it does not count. */
static qc_rc put_anew(struct gw_moving *m, const struct gw_segment *old, struct gw_segment *new,
                      struct gw_written *w, uint8_t ret[QC_SHA256_BYTES], struct qc_err *err)
{
    QC_CLEANUP(gw_read_free) struct gw_read *r = NULL;
    QC_CLEANUP(gw_unit_give) struct gw_unit *u = NULL;

    QC_TRY(gw_rewrite_read(&m->p, old, (struct gw_range){ 0, old->size }, &r, err));
    QC_TRY(gw_repair_unit(&m->p, &u, err));
    gw_unit_begin(u, new->k, new->size);
    QC_TRY(gw_rewrite_hash(r, new->size, u, ret, err));
    gw_read_free(&r);
    QC_TRY(qc_fault(recode_put, err));
    QC_TRY(gw_rewrite_put(&m->p, new, u, w, err));
    return qc_fault(recode_put_done, err);
}

static qc_rc put_and_read(struct batch *b, const struct gw_segment *old, struct gw_segment *new,
                          struct qc_err *err)
{
    uint8_t bytes[QC_SHA256_BYTES];
    struct gw_written w = { 0 };

    const qc_rc rc = put_anew(b->m, old, new, &w, bytes, err);
    const bool put = w.cloud_id[0] != 0; /* else it could not be read: that says nothing of the next one */
    b->refused = rc == QC_OK ? 0 : put ? b->refused + 1 : b->refused;
    b->away = b->refused == QC_GW_RECODE_REFUSED;
    QC_TRY(rc);
    QC_TRY(gw_rewrite_check(&b->m->p, new, bytes, err));
    QC_TRY(qc_fault(recode_read_back, err));
    struct gw_recoded *r = &b->v[b->count++];
    *r = (struct gw_recoded){ .old = old->id, .seg = *new };
    memcpy(r->generation, w.generation, sizeof r->generation);
    memcpy(r->cloud_id, w.cloud_id, sizeof r->cloud_id);
    return QC_OK;
}

/* *ret: it is in the batch, and stays somebody's who mends it. */
static qc_rc recode(struct batch *b, uint64_t id, bool *ret, struct qc_err *err)
{
    struct gw_segment old, new;
    struct qc_err unused = { 0 };
    bool todo;

    *ret = false;
    const qc_rc reserved = reserve(b->m, id, &old, &new, &todo, err);
    b->away = reserved == QC_QUORUM;
    QC_TRY(reserved);
    if (!todo)
        return QC_OK;
    const qc_rc rc = put_and_read(b, &old, &new, err);
    *ret = rc == QC_OK;
    if (rc != QC_OK && drop(b->m, new.id, new.size, &unused) == QC_OK)
        gw_busy_remove(b->m->e, new.id); /* else it stays busy until the next opening drops it */
    return rc;
}

/* -- a batch --------------------------------------------------------------------------------------------- */

/* It is decided: it will be published, here or by the next process. */
static qc_rc await_published(struct gw_moving *m, struct qc_err *err)
{
    for (unsigned tries = 0;; tries++) {
        gw_commit_hold(m->e);
        const qc_rc rc = gw_roll(m->e, false, err);
        gw_commit_release(m->e);
        if (rc == QC_OK || tries == ROLL_TRIES || gw_repair_fatal(&m->p, rc))
            return rc;
        qc_err_clear(err);
        QC_TRY(gw_repair_pause(&m->p, NAP_MS, err));
    }
}

/* Those that are in no record. */
static qc_rc drop_refused(struct batch *b, bool all, struct qc_err *err)
{
    for (unsigned i = 0; i < b->count; i++) {
        const struct gw_recoded *r = &b->v[i];
        if (!all && !r->refused)
            continue;
        b->m->r->failed++;
        QC_TRY(drop(b->m, r->seg.id, r->seg.size, err));
        gw_busy_remove(b->m->e, r->seg.id);
    }
    return QC_OK;
}

static qc_rc record(struct batch *b, struct qc_err *err)
{
    struct gw_change change = { .kind = GW_CHANGE_RECODED, .recoded = b->v, .recoded_count = b->count };
    struct qc_err unused = { 0 };

    QC_TRY(qc_fault(recode_record, err));
    qc_rc rc = gw_commit(b->m->e, &change, err);
    if (rc != QC_OK && !change.decided) {
        qc_ignore(drop_refused(b, true, &unused), "the next opening drops them");
        return rc;
    }
    if (rc != QC_OK) {
        qc_err_clear(err);
        rc = await_published(b->m, err);
    }
    QC_TRY(rc); /* decided, and not published: they stay busy until the next opening, and live from then on */
    QC_TRY(qc_fault(recode_recorded, err));
    for (unsigned i = 0; i < b->count; i++) {
        if (b->v[i].refused)
            continue;
        gw_busy_remove(b->m->e, b->v[i].seg.id);
        b->m->r->moved++;
        b->m->r->fragments_left -= b->m->r->fragments_left > 0;
    }
    return drop_refused(b, false, err);
}

/* What the batch made dead, and what was dead before, in its turn: else all would lie there twice at the end.
 */
static qc_rc sweep_some(struct gw_moving *m, struct qc_err *err)
{
    bool more = true;

    for (unsigned i = 0; i < SWEEPS && more; i++)
        QC_TRY(gw_tidy_sweep(m->e, &more, err));
    return QC_OK;
}

static qc_rc flush(struct batch *b, struct qc_err *err)
{
    const bool some = b->count > 0;
    qc_rc rc = some ? record(b, err) : QC_OK;

    for (unsigned i = 0; i < b->count; i++)
        gw_mend_end(b->m->e, b->v[i].old);
    b->count = 0;
    if (rc == QC_OK && some)
        rc = sweep_some(b->m, err);
    return rc;
}

static void batch_done(struct batch *b)
{
    struct qc_err unused = { 0 };

    if (b->count > 0)
        qc_ignore(drop_refused(b, true, &unused), "the next opening drops them");
    for (unsigned i = 0; i < b->count; i++)
        gw_mend_end(b->m->e, b->v[i].old);
}

/* What goes wrong with one segment alone stops no other. */
static qc_rc one(struct batch *b, uint64_t id, struct qc_err *err)
{
    struct gw_moving *m = b->m;
    struct qc_err why = { 0 };
    bool batched;

    QC_TRY(gw_move_go_on(m, err));
    while (!gw_mend_begin(m->e, id)) /* a payer may be at it: it does not take long */
        QC_TRY(gw_repair_pause(&m->p, NAP_MS, err));
    const qc_rc rc = recode(b, id, &batched, &why);
    if (!batched)
        gw_mend_end(m->e, id);
    if (rc != QC_OK && gw_repair_fatal(&m->p, rc)) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK) {
        m->r->failed++;
        (void)snprintf(m->r->why, sizeof m->r->why, "%s", why.msg);
    }
    return b->count == QC_GW_RECODE_BATCH ? flush(b, err) : QC_OK;
}

/* -- all of them ----------------------------------------------------------------------------------------- */

static unsigned level_of(const struct gw_window_row *row)
{
    const int level = row->margin + MARGIN_AT;

    return level < 0 ? 0 : level >= LEVELS ? LEVELS - 1 : (unsigned)level;
}

static qc_rc window(struct gw_moving *m, uint64_t from, struct gw_window_row *rows, unsigned *ret_count,
                    struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(m->e->cat));
    return gw_cat_other_code(m->e->cat, from, m->e->conf.k, m->e->conf.n, rows, ret_count, err);
}

/* Those of one margin; by: how many there are of each, counted on the way when b is NULL. */
static qc_rc one_level(struct gw_moving *m, struct batch *b, unsigned level, uint64_t end,
                       uint64_t by[LEVELS], struct gw_window_row *rows, struct qc_err *err)
{
    for (uint64_t from = 0; from < end; from += GW_WINDOW) {
        unsigned count;
        QC_TRY(gw_move_go_on(m, err));
        QC_TRY(window(m, from, rows, &count, err));
        for (unsigned i = 0; i < count && (b == NULL || !b->away); i++)
            if (b == NULL)
                by[level_of(&rows[i])]++;
            else if (rows[i].id < end && level_of(&rows[i]) == level)
                QC_TRY(one(b, rows[i].id, err));
    }
    return b == NULL ? QC_OK : flush(b, err);
}

static qc_rc one_pass(struct gw_moving *m, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_window_row *rows = qc_alloc(GW_WINDOW * sizeof *rows);
    QC_CLEANUP(qc_free_ptr) struct batch *mem = qc_alloc(sizeof *mem);
    uint64_t by[LEVELS] = { 0 }, end;
    qc_rc rc = QC_OK;

    if (rows == NULL || mem == NULL)
        return QC_FAIL(err, QC_NOMEM, "a window of segments");
    mem->m = m;
    m->r->failed = 0;
    {
        QC_LOCK(gw_cat_lock(m->e->cat));
        QC_TRY(gw_meta_get(m->e->cat, "next_segment", &end, err));
    }
    QC_TRY(one_level(m, NULL, 0, end, by, rows, err));
    for (unsigned level = 0; level < LEVELS && rc == QC_OK && !mem->away; level++)
        if (by[level] > 0)
            rc = one_level(m, mem, level, end, by, rows, err);
    batch_done(mem);
    return rc;
}

static qc_rc count(struct gw_moving *m, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(m->e->cat));
    return gw_cat_other_code_count(m->e->cat, m->e->conf.k, m->e->conf.n, &m->r->fragments_left,
                                   &m->r->bytes_left, err);
}

static qc_rc all_passes(struct gw_moving *m, struct qc_err *err)
{
    const uint64_t began = qc_now_ms();

    for (;;) { /* ends: each pass but the last one has moved something */
        const uint64_t moved = m->r->moved;
        QC_TRY(one_pass(m, err));
        m->r->took_ms = qc_now_ms() - began;
        QC_TRY(count(m, err));
        if (m->r->fragments_left == 0 || m->r->moved == moved)
            return QC_OK;
    }
}

qc_rc gw_move_recode(struct gw_moving *m, struct qc_err *err)
{
    struct gw_engine *e = m->e;
    const unsigned k = m->ask->k != 0 ? m->ask->k : e->conf.k, n = m->ask->k != 0 ? m->ask->n : e->conf.n;
    gw_clouds back;

    QC_TRY(check_code(m, k, n, err));
    QC_TRY(drop_left(m, err));
    QC_TRY(gw_engine_hear(e, gw_fan_all(e->fan), qc_deadline_in(QC_GW_STATUS_MS), err));
    QC_TRY(gw_probe_again(e->fan, e->root, gw_fan_all(e->fan), GW_ILL_ALL, &back, err));
    QC_TRY(gw_engine_sync_lost(e, err));
    QC_TRY(set_code(m, k, n, err));
    QC_TRY(count(m, err));
    m->r->fragments = m->r->fragments_left;
    m->r->bytes = m->r->bytes_left;
    QC_TRY(gw_move_enter(m, GW_MOVING_FRAGMENTS, err));
    QC_TRY(all_passes(m, err));
    QC_TRY(gw_move_sweep(m, err));
    if (m->r->fragments_left == 0)
        return QC_OK;
    return QC_FAIL(err, QC_DEGRADED, "%" PRIu64 " segments have another code still%s%s", m->r->fragments_left,
                   m->r->why[0] != '\0' ? ": " : "", m->r->why);
}

/* Clouds come and go: what all of it has in common, labels and rules, and what can go on by itself. */
#include "gateway/move.h"

#include <stdio.h>

#include "move_internal.h"
#include "rules.h"

enum { TELL_MS = 100 };

static const char *const kinds[] = {
    [GW_MOVE_ADD] = "add",         [GW_MOVE_DRAIN] = "drain",         [GW_MOVE_UNDRAIN] = "undrain",
    [GW_MOVE_REPLACE] = "replace", [GW_MOVE_RETIRE] = "retire",       [GW_MOVE_SET] = "set",
    [GW_MOVE_DOMAIN] = "domain",   [GW_MOVE_REPROTECT] = "reprotect",
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

const char *gw_move_kind_name(enum gw_move_kind k)
{
    QC_ASSERT((size_t)k < KINDS);
    return kinds[k];
}

bool gw_move_kind_of(const char *name, enum gw_move_kind *ret)
{
    for (unsigned k = 0; k < KINDS; k++)
        if (strcmp(kinds[k], name) == 0) {
            *ret = (enum gw_move_kind)k;
            return true;
        }
    return false;
}

const char *gw_move_phase_name(enum gw_move_phase p)
{
    static const char *const names[] = {
        [GW_MOVING_CHECKING] = "checking",   [GW_MOVING_VALIDATING] = "validating",
        [GW_MOVING_FILLING] = "filling",     [GW_MOVING_SHARING] = "sharing",
        [GW_MOVING_FRAGMENTS] = "fragments", [GW_MOVING_SWEEPING] = "sweeping",
        [GW_MOVING_CLEANING] = "cleaning",   [GW_MOVING_DONE] = "done",
    };

    QC_ASSERT((size_t)p < sizeof names / sizeof names[0]);
    return names[p];
}

/* -- small things ---------------------------------------------------------------------------------------- */

static void tell(struct gw_moving *m)
{
    m->told_ms = qc_now_ms();
    m->r->read_bytes = m->repaired.read_bytes;
    m->r->written_bytes = m->repaired.written_bytes;
    if (m->ask->tell != NULL)
        m->ask->tell(m->ask->ctx, m->r);
}

qc_rc gw_move_go_on(struct gw_moving *m, struct qc_err *err)
{
    if (qc_now_ms() - m->told_ms >= TELL_MS)
        tell(m);
    return qc_go_on(QC_NO_DEADLINE, m->ask->cancel, gw_move_kind_name(m->ask->kind), err);
}

qc_rc gw_move_enter(struct gw_moving *m, enum gw_move_phase phase, struct qc_err *err)
{
    m->r->phase = phase;
    tell(m);
    return gw_move_go_on(m, err);
}

qc_rc gw_move_find(struct gw_moving *m, const char *name, struct gw_cloud_row *ret, unsigned *ret_at,
                   struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(m->e->cat));
    QC_TRY(gw_cloud_row_named(m->e->cat, name, ret, err));
    const int at = gw_fan_at(m->e->fan, ret->id);
    if (at < 0)
        return QC_FAIL(err, QC_TEMP, "cloud %s is not known yet", name);
    *ret_at = (unsigned)at;
    return QC_OK;
}

qc_rc gw_move_count(struct gw_moving *m, uint32_t cloud_id, struct qc_err *err)
{
    struct gw_on_cloud n;

    QC_LOCK(gw_cat_lock(m->e->cat));
    QC_TRY(gw_cat_on_cloud_count(m->e->cat, cloud_id, &n, err));
    m->r->fragments_left = n.fragments;
    m->r->bytes_left = n.bytes;
    m->r->dead = n.dead;
    return QC_OK;
}

qc_rc gw_move_member(struct gw_moving *m, unsigned at, const struct gw_cloud_row *row,
                     const struct gw_new_shares *shares, struct qc_err *err)
{
    struct gw_engine *e = m->e;
    struct gw_change change = { .kind = GW_CHANGE_MEMBER, .cloud = row, .shares = shares };

    QC_TRY(gw_commit(e, &change, err));
    QC_LOCK(gw_cat_lock(e->cat)); /* whoever chooses clouds for something new holds it, too */
    gw_fan_set_labels(e->fan, at, &row->labels);
    gw_fan_set_role(e->fan, at, gw_engine_conf_of(row, NULL).role);
    return qc_fault(member_logged, err);
}

/* -- rules ----------------------------------------------------------------------------------------------- */

static qc_rc all_rows(struct gw_moving *m, struct gw_cloud_row **ret, unsigned *ret_count, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_cloud_row *rows = qc_alloc(QC_GW_CLOUDS_MAX * sizeof *rows);

    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "clouds");
    QC_LOCK(gw_cat_lock(m->e->cat));
    QC_TRY(gw_cloud_rows(m->e->cat, rows, ret_count, err));
    *ret = QC_STEAL(rows);
    return QC_OK;
}

qc_rc gw_move_room(struct gw_moving *m, const struct gw_cloud_row *row, struct qc_err *err)
{
    struct gw_cloud_row without = *row;

    without.state = GW_LIFE_DRAINING;
    QC_LOCK(gw_cat_lock(m->e->cat));
    return gw_rules_hold(m->e, &without, atomic_load(&m->e->domain), false, err);
}

/* -- labels, rules --------------------------------------------------------------------------------------- */

qc_rc gw_move_labels(const struct gw_move_ask *ask, struct gw_labels *l, struct qc_err *err)
{
    if (ask->has_weight && ask->weight > QC_GW_WEIGHT_MAX)
        return QC_FAIL(err, QC_USAGE, "weight %u, at most %d", ask->weight, QC_GW_WEIGHT_MAX);
    if (ask->has_weight)
        l->weight = ask->weight;
    for (unsigned i = 0; i < GW_LABELS; i++) {
        if (ask->labels[i] == NULL)
            continue;
        const qc_span label = qc_span_str(ask->labels[i]);
        if (!gw_label_ok(label))
            return QC_FAIL(err, QC_USAGE,
                           "%s: expected up to %d of a-z, 0-9, '.', '_', '-', a letter or digit first",
                           gw_domain_name((enum gw_domain)(i + 1)), QC_GW_LABEL_MAX);
        memset(l->v[i], 0, sizeof l->v[i]);
        memcpy(l->v[i], label.p, label.n);
    }
    return QC_OK;
}

static qc_rc set(struct gw_moving *m, struct qc_err *err)
{
    struct gw_cloud_row row;
    unsigned at;

    QC_TRY(gw_move_find(m, m->ask->name, &row, &at, err));
    QC_TRY(gw_move_labels(m->ask, &row.labels, err));
    if (row.state == GW_LIFE_JOINING || row.state == GW_LIFE_LEAVING)
        return QC_FAIL(err, QC_CONFLICT, "cloud %s is %s", row.name,
                       gw_cloud_role_name(gw_engine_conf_of(&row, NULL).role));
    return gw_move_member(m, at, &row, NULL, err);
}

static qc_rc set_domain(struct gw_moving *m, struct qc_err *err)
{
    struct gw_change change = { .kind = GW_CHANGE_MEMBER, .has_domain = true, .domain = m->ask->domain };

    return gw_commit(m->e, &change, err);
}

static qc_rc undrain(struct gw_moving *m, struct qc_err *err)
{
    struct gw_cloud_row row;
    unsigned at;

    QC_TRY(gw_move_find(m, m->ask->name, &row, &at, err));
    if (row.state == GW_LIFE_IN_USE)
        return QC_OK;
    if (row.state != GW_LIFE_DRAINING)
        return QC_FAIL(err, QC_CONFLICT, "cloud %s is not being drained", row.name);
    row.state = GW_LIFE_IN_USE;
    row.target = 0;
    return gw_move_member(m, at, &row, NULL, err);
}

static qc_rc drain_named(struct gw_moving *m, struct qc_err *err)
{
    struct gw_cloud_row target = { 0 };
    unsigned at;

    if (m->ask->target != NULL)
        QC_TRY(gw_move_find(m, m->ask->target, &target, &at, err));
    return gw_move_drain(m, target.id, err);
}

static qc_rc replace(struct gw_moving *m, struct qc_err *err)
{
    struct gw_cloud_row row;
    unsigned at;

    QC_TRY(gw_move_find(m, m->ask->name, &row, &at, err));
    QC_TRY(gw_move_join(m, m->ask->new_name, err));
    QC_TRY(gw_move_find(m, m->ask->new_name, &row, &at, err));
    return gw_move_drain(m, row.id, err);
}

/* -- the whole ------------------------------------------------------------------------------------------- */

/* What was decided before this process is published: until then reservations may be a record's. */
static qc_rc all_published(struct gw_moving *m, struct qc_err *err)
{
    gw_commit_hold(m->e);
    const qc_rc rc = gw_roll(m->e, false, err);
    gw_commit_release(m->e);
    return rc;
}

static qc_rc run(struct gw_moving *m, struct qc_err *err)
{
    QC_TRY(gw_move_enter(m, GW_MOVING_CHECKING, err));
    QC_TRY(gw_engine_be_sure(m->e, err));
    QC_TRY(all_published(m, err));
    if (m->ask->kind == GW_MOVE_ADD || m->ask->kind == GW_MOVE_REPLACE || m->ask->kind == GW_MOVE_RETIRE ||
        m->ask->kind == GW_MOVE_REPROTECT)
        QC_TRY(gw_shares_finish(m->e, err)); /* one change after the other */
    switch (m->ask->kind) {
    case GW_MOVE_ADD:
        return gw_move_join(m, m->ask->name, err);
    case GW_MOVE_DRAIN:
        return drain_named(m, err);
    case GW_MOVE_UNDRAIN:
        return undrain(m, err);
    case GW_MOVE_REPLACE:
        return replace(m, err);
    case GW_MOVE_RETIRE:
        return gw_move_retire(m, err);
    case GW_MOVE_SET:
        return set(m, err);
    case GW_MOVE_DOMAIN:
        return set_domain(m, err);
    case GW_MOVE_REPROTECT:
        return gw_move_recode(m, err);
    }
    return QC_FAIL(err, QC_GENERAL, "a move of no kind");
}

static qc_rc check_ask(const struct gw_move_ask *ask, struct qc_err *err)
{
    const bool adds = ask->kind == GW_MOVE_ADD || ask->kind == GW_MOVE_REPLACE;

    if (ask->kind != GW_MOVE_DOMAIN && ask->kind != GW_MOVE_REPROTECT && ask->name == NULL)
        return QC_FAIL(err, QC_USAGE, "which cloud?");
    if (adds && ask->url == NULL)
        return QC_FAIL(err, QC_USAGE, "the URL of the new cloud is missing");
    if (ask->kind == GW_MOVE_REPLACE && ask->new_name == NULL)
        return QC_FAIL(err, QC_USAGE, "the name of the new cloud is missing");
    if (ask->rate != 0 && ask->rate < QC_GW_REPAIR_RATE_MIN)
        return QC_FAIL(err, QC_USAGE, "%" PRIu64 " bytes a second, at least %d", ask->rate,
                       QC_GW_REPAIR_RATE_MIN);
    return QC_OK;
}

qc_rc gw_engine_move(struct gw_engine *e, const struct gw_move_ask *ask, struct gw_move_report *ret,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_moving *m = qc_alloc(sizeof *m);
    bool no = false;

    *ret = (struct gw_move_report){ .kind = ask->kind };
    (void)snprintf(ret->cloud, sizeof ret->cloud, "%s", ask->name != NULL ? ask->name : "");
    if (m == NULL)
        return QC_FAIL(err, QC_NOMEM, "a move");
    QC_TRY(check_ask(ask, err));
    QC_TRY(gw_engine_may(e, err));
    QC_TRY(gw_engine_must_keep(e, err));
    if (!atomic_compare_exchange_strong(&e->moving, &no, true))
        return QC_FAIL(err, QC_CONFLICT,
                       "another cloud is being added, drained or retired just now, or what is stored gets "
                       "another code");
    m->e = e;
    m->ask = ask;
    m->r = ret;
    m->repair_ask = (struct gw_repair_ask){ .rate = ask->rate, .cancel = ask->cancel };
    m->p = (struct gw_repairing){ .e = e, .ask = &m->repair_ask, .r = &m->repaired, .began_ms = qc_now_ms() };
    const qc_rc rc = run(m, err);
    if (rc == QC_OK)
        ret->phase = GW_MOVING_DONE;
    ret->cancelled = rc == QC_CANCELLED;
    tell(m);
    if (ret->took_ms > 0 && ret->moved > 0)
        atomic_store(&e->moved_per_s, (ret->read_bytes + ret->written_bytes) * 1000 / ret->took_ms);
    atomic_store(&e->moving, false);
    return rc;
}

/* One turn: the segments' (0), or a drain's: the row before. */
static qc_rc turn_open(struct gw_engine *e, const struct gw_cloud_row *rows, unsigned turn, bool *ret,
                       struct qc_err *err)
{
    uint64_t id = 0;

    *ret = false;
    if (turn > 0 && rows[turn - 1].state == GW_LIFE_DRAINING)
        QC_TRY(gw_cat_on_cloud(e->cat, rows[turn - 1].id, 0, &id, err));
    if (turn == 0)
        QC_TRY(gw_cat_other_code_any(e->cat, e->conf.k, e->conf.n, ret, err));
    *ret = *ret || id != 0;
    return QC_OK;
}

/* The turn that comes after that one: the segments' is the first, for what gets another code leaves the
 * clouds that are drained, too. */
static unsigned turn_after(const struct gw_move_turn *last, const struct gw_cloud_row *rows, unsigned count)
{
    if (last->kind == GW_MOVE_REPROTECT)
        return 1;
    for (unsigned i = 0; i < count && last->kind == GW_MOVE_DRAIN; i++)
        if (strcmp(rows[i].name, last->name) == 0)
            return i + 2;
    return 0;
}

qc_rc gw_engine_move_open(struct gw_engine *e, struct gw_move_turn *turn, bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_cloud_row *rows = qc_alloc(QC_GW_CLOUDS_MAX * sizeof *rows);
    unsigned count, at = 0;

    *ret_found = false;
    if (!atomic_load(&e->keeps))
        return QC_OK; /* it is another gateway's to go on with */
    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "clouds");
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_cloud_rows(e->cat, rows, &count, err));
    const unsigned first = turn_after(turn, rows, count);
    for (unsigned i = 0; i <= count && !*ret_found; i++) {
        at = (first + i) % (count + 1);
        QC_TRY(turn_open(e, rows, at, ret_found, err));
    }
    if (!*ret_found)
        return QC_OK;
    *turn = (struct gw_move_turn){ .kind = at == 0 ? GW_MOVE_REPROTECT : GW_MOVE_DRAIN };
    if (at > 0)
        memcpy(turn->name, rows[at - 1].name, sizeof rows[at - 1].name);
    return QC_OK;
}

/* -- what would it cost? --------------------------------------------------------------------------------- */

static qc_rc plan(struct gw_moving *m, const char *name, struct gw_exit_plan *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_cloud_row *rows = NULL;
    struct gw_cloud_row row;
    struct gw_on_cloud on;
    struct gw_log_tip tip;
    unsigned at, count;

    QC_TRY(gw_move_find(m, name, &row, &at, err));
    QC_TRY(all_rows(m, &rows, &count, err));
    {
        QC_LOCK(gw_cat_lock(m->e->cat));
        QC_TRY(gw_cat_on_cloud_count(m->e->cat, row.id, &on, err));
        QC_TRY(gw_tip_get(m->e->cat, &tip, err));
    }
    const unsigned k = m->e->conf.k;
    /* Each fragment: k others are read, one is written, and read back; the old one is removed and looked for,
     * in rounds. An S3 read of a piece is one request; what is small comes with a HEAD before it. */
    *ret = (struct gw_exit_plan){ .fragments = on.fragments,
                                  .bytes = on.bytes,
                                  .dead = on.dead,
                                  .log_objects = tip.sequence,
                                  .read_bytes = on.bytes * k + on.bytes,
                                  .reads = on.fragments * (k + 1),
                                  .written_bytes = on.bytes,
                                  .writes = on.fragments,
                                  .deletes = on.fragments * QC_GW_SWEEP_ROUNDS + tip.sequence,
                                  .clouds = gw_rules_domains(atomic_load(&m->e->domain), rows, count, row.id),
                                  .needed = m->e->conf.n };
    ret->possible = ret->clouds >= ret->needed;
    ret->bytes_per_s = atomic_load(&m->e->moved_per_s);
    return QC_OK;
}

qc_rc gw_engine_plan_exit(struct gw_engine *e, const char *name, struct gw_exit_plan *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_moving *m = qc_alloc(sizeof *m);

    if (m == NULL)
        return QC_FAIL(err, QC_NOMEM, "a plan");
    m->e = e;
    return plan(m, name, ret, err);
}

/* Paying a cloud what it is owed, and mending what it lost: copies of log objects, then fragments, those of
 * the segment with the least margin first, then the oldest. docs/adr/0014, 0018.
 *
 *   row: owed, suspect, bad, lost
 *        --its segment is read--> there after all -------------------------> the row goes
 *                                 not there -> k others, verified -> coded,
 *                                 held against the segment's own digests
 *                                 -> PUT, same key, same bytes; where something else lies there, a new key
 *                                 -> read back -> the row goes; the old key is dead
 *
 * Y1 (D9): a row goes in a transaction after what it owes was read back, and at no other time.
 * Y2 (D10): killed anywhere, the row is still there, and the next turn does the same again: same key, same
 * bytes. Nothing else of a payment is durable (but for a trial's row, where the key had to be a new one:
 * repair.c).
 * Y3: what came to nothing rests until all others of its cloud were tried: no segment stops another.
 */
#include <stdio.h>

#include "carriage.h"
#include "gateway/repair.h"
#include "records.h"
#include "repair_internal.h"

enum { RECORDS_MAX = 16 }; /* of one turn: they are small */

/* One turn. */
struct paying {
    struct gw_engine *e;
    unsigned at; /* the cloud */
    struct gw_payee *payee;
    enum gw_turn_end end;
    unsigned paid;
    char why[GW_WHY_MAX]; /* of GW_TURN_FAILED */
};

bool gw_mend_begin(struct gw_engine *e, uint64_t id)
{
    uint64_t *slot = NULL;
    QC_LOCK(&e->lock);

    for (unsigned i = 0; i < GW_MENDERS; i++) {
        if (e->mending[i] == id)
            return false;
        if (e->mending[i] == 0)
            slot = &e->mending[i];
    }
    if (slot == NULL)
        return false;
    *slot = id;
    return true;
}

void gw_mend_end(struct gw_engine *e, uint64_t id)
{
    QC_LOCK(&e->lock);
    for (unsigned i = 0; i < GW_MENDERS; i++)
        if (e->mending[i] == id)
            e->mending[i] = 0;
}

/* -- the cloud ------------------------------------------------------------------------------------------- */

static bool is_well(struct paying *y)
{
    struct gw_cloud_view view;

    gw_fan_view(y->e->fan, y->at, &view);
    snprintf(y->why, sizeof y->why, "%s", view.why[0] != '\0' ? view.why : "did not answer in time");
    return view.state == GW_CLOUD_OK && !view.suspect;
}

/* Is it there, and ours? *ret: it may be paid. */
static qc_rc meet(struct paying *y, enum gw_ill which, bool *ret, struct qc_err *err)
{
    const gw_clouds it = (gw_clouds)1 << y->at;
    gw_clouds back;

    *ret = is_well(y);
    if (*ret)
        return QC_OK;
    QC_TRY(gw_probe_again(y->e->fan, y->e->root, it, which, &back, err));
    QC_TRY(gw_engine_sync_lost(y->e, err));
    *ret = is_well(y);
    return QC_OK;
}

/* Has another gateway taken over? Asked now and then: what is put after that is of no use, and does no harm.
 */
static qc_rc hear(struct paying *y, struct qc_err *err)
{
    if (y->payee->paid != 0 && y->payee->paid < QC_GW_TIDY_KEYS)
        return QC_OK;
    y->payee->paid = 0;
    return gw_engine_hear(y->e, (gw_clouds)1 << y->at, qc_deadline_in(QC_GW_STATUS_MS), err);
}

static void count(struct paying *y)
{
    y->paid++;
    y->payee->paid++;
}

/* -- records --------------------------------------------------------------------------------------------- */

/* y->end stays as it is: no record is owed that could be paid now. */
static qc_rc pay_records(struct paying *y, struct qc_err *err)
{
    struct gw_payee *p = y->payee;

    for (unsigned i = 0; i < RECORDS_MAX; i++) {
        enum gw_paid paid;
        uint64_t sequence;
        QC_TRY(gw_record_debt(y->e, y->at, p->record, &sequence, err));
        if (sequence == 0)
            return QC_OK;
        if (i == 0)
            QC_TRY(hear(y, err));
        QC_TRY(gw_record_pay(y->e, y->at, sequence, &paid, err));
        p->record = sequence;
        p->passed |= paid != GW_PAID;
        if (paid == GW_PAID_NOT) {
            y->end = GW_TURN_FAILED;
            snprintf(y->why, sizeof y->why, "it did not take a copy of a record");
            return QC_OK;
        }
        y->end = GW_TURN_PASSED;
        if (paid == GW_PAID)
            count(y);
    }
    return QC_OK;
}

/* -- fragments ------------------------------------------------------------------------------------------- */

static qc_rc next_segment(struct paying *y, uint64_t *ret, struct qc_err *err)
{
    struct gw_cat *cat = y->e->cat;

    QC_LOCK(gw_cat_lock(cat));
    return gw_cat_mend_next(cat, gw_fan_id(y->e->fan, y->at), ret, err);
}

/* The next try: later each time, until something is paid. */
static uint64_t pause_ms(struct paying *y)
{
    return gw_backoff_ms(y->payee->rounds + 1, QC_GW_DEBT_REST_MS, QC_GW_MEND_REST_MOST_MS,
                         gw_env_chance(y->e->env));
}

static qc_rc rest(struct paying *y, uint64_t id, struct qc_err *err)
{
    struct gw_cat *cat = y->e->cat;
    struct gw_payee *p = y->payee;
    const uint64_t now = gw_env_now(y->e->env);

    if (now >= p->wake_ms)
        p->wake_ms = now + pause_ms(y);
    p->rested = true;
    QC_LOCK(gw_cat_lock(cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cat_mend_rest(cat, gw_fan_id(y->e->fan, y->at), id, err));
    return gw_cat_commit(cat, &tx, err);
}

/* Most often there is none: that is asked first, since it is every two seconds, for each cloud. */
static qc_rc wake_some(struct paying *y, unsigned *ret, struct qc_err *err)
{
    struct gw_cat *cat = y->e->cat;
    const uint32_t cloud_id = gw_fan_id(y->e->fan, y->at);
    bool any;

    *ret = 0;
    QC_LOCK(gw_cat_lock(cat));
    QC_TRY(gw_cat_mend_rests(cat, cloud_id, &any, err));
    if (!any)
        return QC_OK;
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(cat, &tx, err));
    QC_TRY(gw_cat_mend_wake(cat, cloud_id, ret, err));
    return gw_cat_commit(cat, &tx, err);
}

/* All that could be tried was. What came to nothing is tried again after a while, or when a cloud is back. */
static qc_rc next_round(struct paying *y, struct qc_err *err)
{
    struct gw_payee *p = y->payee;
    const unsigned backs = atomic_load(&y->e->payers.backs);
    const bool left = p->passed || p->rested;
    unsigned count = 0, woken = 0;

    p->record = 0;
    p->passed = false;
    y->end = left ? GW_TURN_STUCK : GW_TURN_NOTHING;
    if (gw_env_now(y->e->env) < p->wake_ms && p->backs == backs)
        return QC_OK;
    do { /* ends: nothing is laid to rest meanwhile, since this cloud's turn is ours */
        QC_TRY(wake_some(y, &count, err));
        woken += count;
    } while (count > 0);
    p->backs = backs;
    p->rested = false;
    p->rounds = woken > 0 ? p->rounds + 1 : 0;
    if (woken > 0)
        y->end = GW_TURN_PASSED;
    return QC_OK;
}

/* Others may do better now, too: soon. */
static void progress(struct paying *y)
{
    struct gw_payee *p = y->payee;
    const uint64_t soon = gw_env_now(y->e->env) + QC_GW_DEBT_REST_MS;

    count(y);
    p->rounds = 0;
    p->wake_ms = p->wake_ms < soon ? p->wake_ms : soon;
}

static void note_rebuilt(struct paying *y, uint64_t id, uint64_t fragments,
                         const struct gw_carriage *carriage)
{
    char way[GW_CARRIAGE_MAX];
    gw_carriage_end(carriage, way);
    GW_AUDIT(y->e->audit, "rebuilt", QC_S("cloud", gw_fan_name(y->e->fan, y->at)), QC_U("segment", id),
             QC_U("fragments", fragments), QC_S("way", way));
}

/* What a repair of the segment did for this cloud. A failure of the segment alone is passed over. */
static qc_rc mend(struct paying *y, uint64_t id, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_repair_report *r = qc_alloc(sizeof *r);
    const struct gw_repair_ask ask = { .cancel = &y->e->payers.cancel };
    struct qc_err why = { 0 };

    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "paying a fragment");
    struct gw_repairing p = { .e = y->e, .ask = &ask, .r = r, .stay = true };
    struct gw_carriage carriage;
    gw_carriage_begin(&carriage, gw_fan_url(y->e->fan, y->at));
    const qc_rc rc = gw_repair_segment(&p, id, &why);
    if (rc != QC_OK && gw_repair_fatal(&p, rc)) {
        *err = why;
        return rc;
    }
    const struct gw_repair_cloud *c = &r->clouds[y->at];
    y->end = GW_TURN_PASSED;
    if (rc == QC_OK && c->rebuilt + c->found > 0) {
        y->end = GW_TURN_PAID;
        progress(y);
        if (c->rebuilt > 0)
            note_rebuilt(y, id, c->rebuilt, &carriage);
    } else if (c->refused[0] != '\0') {
        y->end = GW_TURN_FAILED;
        memcpy(y->why, c->refused, sizeof y->why);
    }
    return QC_OK;
}

static qc_rc pay_fragment(struct paying *y, struct qc_err *err)
{
    uint64_t id;

    QC_TRY(next_segment(y, &id, err));
    if (id == 0)
        return next_round(y, err);
    QC_TRY(hear(y, err));
    y->end = GW_TURN_PASSED;
    if (gw_mend_begin(y->e, id)) {
        const qc_rc rc = mend(y, id, err);
        gw_mend_end(y->e, id);
        QC_TRY(rc);
    }
    return y->end == GW_TURN_PAID ? QC_OK : rest(y, id, err);
}

/* -- a turn ---------------------------------------------------------------------------------------------- */

static qc_rc turn(struct paying *y, enum gw_ill which, struct qc_err *err)
{
    bool well;

    QC_TRY(gw_engine_may(y->e, err));
    QC_TRY(gw_engine_be_sure(y->e, err));
    QC_TRY(meet(y, which, &well, err));
    if (!well)
        return QC_OK;
    y->end = GW_TURN_NOTHING;
    QC_TRY(pay_records(y, err));
    return y->end == GW_TURN_NOTHING ? pay_fragment(y, err) : QC_OK;
}

static void note(struct paying *y)
{
    QC_LOCK(&y->e->payers.lock);
    struct gw_paying *seen = &y->e->payers.seen[y->at];

    seen->paid += y->paid;
    if (y->end != GW_TURN_NOTHING)
        seen->tried_s = qc_wall_s();
    snprintf(seen->why, sizeof seen->why, "%s",
             y->end == GW_TURN_FAILED  ? y->why
             : y->end == GW_TURN_STUCK ? "what is owed cannot be rebuilt from what the other clouds have"
                                       : "");
}

qc_rc gw_pay_turn(struct gw_engine *e, unsigned at, enum gw_ill which, enum gw_turn_end *ret,
                  struct qc_err *err)
{
    struct paying y = { .e = e, .at = at, .payee = &e->payers.payees[at], .end = GW_TURN_FAILED };
    struct gw_cloud_view view;

    gw_fan_view(e->fan, at, &view);
    *ret = GW_TURN_NOTHING;
    if (view.role >= GW_ROLE_LEAVING) /* nothing is owed to it any more */
        return QC_OK;
    const qc_rc rc = turn(&y, which, err);
    if (rc != QC_OK) {
        y.end = GW_TURN_FAILED;
        snprintf(y.why, sizeof y.why, "%s", err->msg);
    }
    if (y.paid > 0 && y.end != GW_TURN_FAILED)
        y.end = GW_TURN_PAID;
    note(&y);
    *ret = y.end;
    return rc;
}

qc_rc gw_tidy_debts(struct gw_engine *e, bool *ret_more, struct qc_err *err)
{
    unsigned turns = 0;

    *ret_more = false;
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        enum gw_turn_end end = GW_TURN_PAID;
        while ((end == GW_TURN_PAID || end == GW_TURN_PASSED) && turns < QC_GW_TIDY_KEYS) {
            QC_TRY(gw_pay_turn(e, at, GW_ILL_QUIET, &end, err));
            turns++;
        }
    }
    *ret_more = turns == QC_GW_TIDY_KEYS;
    return QC_OK;
}

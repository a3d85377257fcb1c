/* Housekeeping: record copies owed, dead keys, suspects. Bounded work per call; everything can be done again
 * (D10). */
#include "engine_internal.h"

/* -- record copies --------------------------------------------------------------------------------------- */

static qc_rc log_name(struct gw_engine *e, unsigned at, const struct gw_log_row *row, char ret[GW_NAME_SIZE],
                      struct qc_err *err)
{
    const struct gw_name name = { .kind = GW_NAME_LOG,
                                  .id = row->sequence,
                                  .incarnation = (uint16_t)row->incarnation };

    return gw_name_make(e->root, gw_fan_id(e->fan, at), &name, ret, err);
}

/* The bytes of a log object, from whichever cloud has those that the catalogue knows. Empty: none has. */
static qc_rc fetch_log(struct gw_engine *e, const struct gw_log_row *row, unsigned except, qc_buf *ret,
                       struct qc_err *err)
{
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        qc_buf bytes[QC_GW_CLOUDS_MAX] = { 0 };
        const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
        uint8_t hash[GW_DIGEST_BYTES];
        char key[GW_NAME_SIZE];
        struct gw_answer a;
        if (at == except)
            continue;
        QC_TRY(log_name(e, at, row, key, err));
        keys[at] = key;
        const struct gw_ask ask = { .set = (gw_clouds)1 << at,
                                    .keys = keys,
                                    .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
        QC_TRY(gw_fan_get(e->fan, &ask, QC_GW_LOG_MAX, bytes, &a, err));
        const qc_span got = qc_buf_span(&bytes[at]);
        qc_rc rc = QC_OK;
        bool right = false;
        if (a.done >> at & 1) {
            rc = qc_sha256(&got, 1, hash, err);
            right =
                rc == QC_OK && qc_span_eq(qc_span_of(hash, sizeof hash), qc_span_of(row->hash, sizeof hash));
        }
        if (right)
            *ret = bytes[at];
        else
            qc_buf_free(&bytes[at]);
        if (rc != QC_OK || right)
            return rc;
    }
    return QC_OK;
}

/* One copy to one cloud; *ret_paid. */
static qc_rc pay_debt(struct gw_engine *e, unsigned at, uint64_t sequence, bool *ret_paid, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    struct gw_log_row row;
    char key[GW_NAME_SIZE];
    struct gw_answer a;

    *ret_paid = false;
    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_log_get(e->cat, sequence, &row, err));
    }
    QC_TRY(fetch_log(e, &row, at, &bytes, err));
    if (bytes.n == 0)
        return QC_OK;
    QC_TRY(log_name(e, at, &row, key, err));
    QC_TRY(qc_fault(debt_put, err));
    keys[at] = key;
    const struct gw_ask ask = { .set = (gw_clouds)1 << at,
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    QC_TRY(gw_fan_put(e->fan, &ask, qc_buf_span(&bytes), CLOUD_NEW, &a, err));
    if ((a.done >> at & 1) == 0)
        return QC_OK;
    QC_TRY(qc_fault(debt_paid, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_debt_paid(e->cat, gw_fan_id(e->fan, at), sequence, err));
    QC_TRY(gw_cat_commit(e->cat, &tx, err));
    *ret_paid = true;
    return QC_OK;
}

static qc_rc next_debt(struct gw_engine *e, unsigned at, uint64_t after, uint64_t *ret, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    return gw_cat_debt_next(e->cat, gw_fan_id(e->fan, at), after, ret, err);
}

qc_rc gw_tidy_debts(struct gw_engine *e, bool *ret_more, struct qc_err *err)
{
    gw_clouds back;
    unsigned done = 0;

    *ret_more = false;
    QC_TRY(gw_probe_again(e->fan, e->root, gw_fan_all(e->fan), GW_ILL_QUIET, &back, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        struct gw_cloud_view view;
        uint64_t sequence = 0;
        bool paid = true;
        gw_fan_view(e->fan, at, &view);
        while (view.state == GW_CLOUD_OK && !view.suspect && paid) {
            QC_TRY(next_debt(e, at, sequence, &sequence, err));
            if (sequence == 0)
                break;
            if (done == QC_GW_TIDY_KEYS) {
                *ret_more = true;
                return QC_OK;
            }
            QC_TRY(pay_debt(e, at, sequence, &paid, err));
            done++;
        }
    }
    return QC_OK;
}

/* -- dead keys ------------------------------------------------------------------------------------------- */

/* Keys of a dead segment that were not seen absent in this round, one per cloud. */
struct dead_keys {
    gw_clouds set;
    unsigned frag[QC_GW_CLOUDS_MAX]; /* by cloud */
    char names[QC_GW_CLOUDS_MAX][GW_NAME_SIZE];
    const char *keys[QC_GW_CLOUDS_MAX];
};

static qc_rc dead_keys(struct gw_engine *e, const struct gw_dead_row *d, struct dead_keys *ret,
                       struct qc_err *err)
{
    for (unsigned i = 0; i < d->seg.n; i++) {
        struct gw_cloud_view view;
        char key[GW_NAME_SIZE];
        int at;
        if (d->absent >> i & 1)
            continue;
        QC_TRY(gw_segment_key(e->store, &d->seg, i, &at, key, err));
        if (at < 0)
            continue;
        gw_fan_view(e->fan, (unsigned)at, &view);
        if (view.state == GW_CLOUD_LOST || view.state == GW_CLOUD_UNREACHABLE || view.suspect)
            continue;
        memcpy(ret->names[at], key, sizeof key);
        ret->keys[at] = ret->names[at];
        ret->frag[at] = i;
        ret->set |= (gw_clouds)1 << at;
    }
    return QC_OK;
}

static qc_rc write_round(struct gw_engine *e, const struct gw_dead_row *d, uint32_t absent,
                         struct qc_err *err)
{
    const uint32_t all = d->seg.n == 32 ? UINT32_MAX : (UINT32_C(1) << d->seg.n) - 1;

    QC_TRY(qc_fault(sweep_round, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    if (absent == all)
        QC_TRY(gw_cat_dead_put(e->cat, d->seg.id, 0, d->round + 1, err));
    else
        QC_TRY(gw_cat_dead_put(e->cat, d->seg.id, absent, d->round, err));
    return gw_cat_commit(e->cat, &tx, err);
}

/* DELETE, then HEAD: only "not there" counts. The row stays: a late PUT may still land (durability:
 * BUG_LEDGER_DROPPED).
 */
static qc_rc sweep_one(struct gw_engine *e, const struct gw_dead_row *d, unsigned *ret_keys,
                       struct qc_err *err)
{
    struct dead_keys k = { 0 };
    uint32_t absent = d->absent;
    struct gw_answer a;

    *ret_keys = 0;
    QC_TRY(dead_keys(e, d, &k, err));
    if (k.set == 0)
        return QC_OK;
    *ret_keys = (unsigned)__builtin_popcount(k.set);
    const struct gw_ask ask = { .set = k.set,
                                .keys = k.keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) } };
    QC_TRY(qc_fault(sweep_delete, err));
    QC_TRY(gw_fan_delete(e->fan, &ask, &a, err));
    QC_TRY(qc_fault(sweep_deleted, err));
    QC_TRY(gw_fan_head(e->fan, &ask, NULL, &a, err));
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        if ((k.set >> at & 1) && a.outcome[at].fate == GW_FAILED && a.outcome[at].rc == QC_NOTFOUND)
            absent |= UINT32_C(1) << k.frag[at];
    return absent == d->absent ? QC_OK : write_round(e, d, absent, err);
}

static qc_rc next_dead(struct gw_engine *e, uint64_t after, struct gw_dead_row *ret, bool *ret_found,
                       struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    return gw_cat_dead_next(e->cat, after, QC_GW_SWEEP_ROUNDS, ret, ret_found, err);
}

qc_rc gw_tidy_sweep(struct gw_engine *e, bool *ret_more, struct qc_err *err)
{
    unsigned keys = 0, worked = 0;
    uint64_t after;

    *ret_more = false;
    if (!atomic_load(&e->tip_checked)) /* an old catalogue's idea of dead may be wrong */
        return QC_OK;
    {
        QC_LOCK(&e->lock);
        after = e->swept;
    }
    for (unsigned rows = 0; rows < QC_GW_TIDY_KEYS && keys < QC_GW_TIDY_KEYS; rows++) {
        struct gw_dead_row d;
        bool found;
        QC_TRY(next_dead(e, after, &d, &found, err));
        if (!found) {
            after = 0;
            break;
        }
        after = d.seg.id;
        if (gw_busy_is(e, d.seg.id))
            continue;
        QC_TRY(sweep_one(e, &d, &worked, err));
        keys += worked;
    }
    *ret_more = after != 0 && keys > 0;
    QC_LOCK(&e->lock);
    e->swept = after;
    return QC_OK;
}

/* -- suspects -------------------------------------------------------------------------------------------- */

static bool pop_suspect(struct gw_engine *e, struct gw_suspect *ret)
{
    QC_LOCK(&e->lock);
    if (e->suspect_count == 0)
        return false;
    *ret = e->suspects[--e->suspect_count];
    return true;
}

/* Still absent, on a cloud that is ours? One failed request lowers no margin. */
static qc_rc still_absent(struct gw_engine *e, const struct gw_segment *seg, unsigned index, bool *ret,
                          struct qc_err *err)
{
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    char key[GW_NAME_SIZE];
    struct gw_answer a;
    gw_clouds ok;
    int at;

    *ret = false;
    QC_TRY(gw_segment_key(e->store, seg, index, &at, key, err));
    if (at < 0)
        return QC_OK;
    keys[at] = key;
    const struct gw_ask ask = { .set = (gw_clouds)1 << at,
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_STATUS_MS) } };
    QC_TRY(gw_fan_head(e->fan, &ask, NULL, &a, err));
    QC_TRY(gw_probe(e->fan, e->root, ask.set, qc_deadline_in(QC_GW_STATUS_MS), &ok, err));
    *ret = ok == ask.set && a.outcome[at].fate == GW_FAILED && a.outcome[at].rc == QC_NOTFOUND;
    return QC_OK;
}

static qc_rc judge_suspect(struct gw_engine *e, const struct gw_suspect *s, struct qc_err *err)
{
    struct gw_segment seg;
    bool bad = s->kind == GW_FAULT_DAMAGED;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        const qc_rc rc = gw_cat_segment(e->cat, s->segment_id, &seg, err);
        if (rc == QC_NOTFOUND)
            return QC_OK;
        QC_TRY(rc);
    }
    if (!bad)
        QC_TRY(still_absent(e, &seg, s->index, &bad, err));
    if (!bad)
        return QC_OK;
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_deviate(e->cat, s->segment_id, s->index, s->cloud_id,
                          s->kind == GW_FAULT_DAMAGED ? GW_DEV_BAD : GW_DEV_LOST, err));
    return gw_cat_commit(e->cat, &tx, err);
}

qc_rc gw_tidy_suspects(struct gw_engine *e, struct qc_err *err)
{
    struct gw_suspect s;

    for (unsigned i = 0; i < QC_GW_TIDY_KEYS && pop_suspect(e, &s); i++)
        QC_TRY(judge_suspect(e, &s, err));
    return QC_OK;
}

qc_rc gw_engine_tidy(struct gw_engine *e, bool *ret_more, struct qc_err *err)
{
    bool debts = false, dead = false;

    *ret_more = false;
    QC_TRY(gw_engine_may(e, err));
    if (!atomic_load(&e->tip_checked))
        QC_TRY(gw_engine_check_tip(e, qc_deadline_in(QC_GW_OPEN_MS), err));
    QC_TRY(gw_commit_roll(e, err));
    QC_TRY(gw_tidy_debts(e, &debts, err));
    QC_TRY(gw_tidy_sweep(e, &dead, err));
    QC_TRY(gw_tidy_suspects(e, err));
    *ret_more = debts || dead;
    return QC_OK;
}

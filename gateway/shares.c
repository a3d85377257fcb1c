#include "shares.h"

#include "engine_internal.h"

void gw_new_shares_done(struct gw_new_shares *s)
{
    for (unsigned i = 0; i < QC_GW_CLOUDS_MAX; i++)
        gw_log_wipe(&s->identity[i]);
    s->count = 0;
}

/* -- one identity ---------------------------------------------------------------------------------------- */

qc_rc gw_identity_fetch(struct gw_engine *e, unsigned at, qc_buf *ret, struct gw_outcome *ret_outcome,
                        struct qc_err *err)
{
    const struct gw_get_one one = {
        .at = at, .key = gw_name_identity, .size_max = GW_IDENTITY_MAX, .ms = QC_GW_RECORD_MS, .force = true
    };

    return gw_fan_get_one(e->fan, &one, ret, ret_outcome, err);
}

qc_rc gw_identity_store(struct gw_engine *e, unsigned at, qc_span bytes, struct qc_err *err)
{
    QC_CLEANUP(gw_log_wipe) qc_buf back = { 0 };
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    struct gw_answer answer;
    struct gw_outcome o;

    keys[at] = gw_name_identity;
    const struct gw_ask ask = { .set = (gw_clouds)1 << at,
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) },
                                .force = true };
    QC_TRY(gw_fan_put(e->fan, &ask, bytes, CLOUD_REPLACE, &answer, err));
    QC_TRY(gw_identity_fetch(e, at, &back, &o, err));
    if (o.fate != GW_DONE || !qc_span_eq(qc_buf_span(&back), bytes))
        return QC_FAIL(err, QC_QUORUM, "cloud %s did not take its identity: %s", gw_fan_name(e->fan, at),
                       o.why[0] != '\0' ? o.why : answer.outcome[at].why);
    return QC_OK;
}

/* -- what they hold -------------------------------------------------------------------------------------- */

struct holding {
    struct gw_engine *e;
    gw_clouds set;                            /* that the new polynomial is for */
    struct gw_identity has[QC_GW_CLOUDS_MAX]; /* by position; of clouds that count now */
    const struct gw_slot *old;                /* of the polynomial that most of them hold; NULL: none does */
};

static void holding_done(struct holding *h)
{
    for (unsigned i = 0; i < QC_GW_CLOUDS_MAX; i++)
        gw_identity_done(&h->has[i]);
}

static qc_rc read_one(struct holding *h, unsigned at, struct qc_err *err)
{
    QC_CLEANUP(gw_log_wipe) qc_buf bytes = { 0 };
    struct gw_cloud_view view;
    struct gw_outcome o;

    gw_fan_view(h->e->fan, at, &view);
    const struct gw_member m = { view.id, view.generation };
    QC_TRY(gw_identity_fetch(h->e, at, &bytes, &o, err));
    if (o.fate != GW_DONE)
        return QC_FAIL(err, QC_QUORUM, "cloud %s does not answer, and each must hold a new share: %s",
                       gw_fan_name(h->e->fan, at), o.why);
    const qc_rc rc = gw_identity_check(h->e->root, &m, qc_buf_span(&bytes), err);
    if (rc == QC_INTEGRITY || rc == QC_FORMAT)
        return QC_FAIL(err, QC_QUORUM,
                       "cloud %s does not show that it is ours, and each must hold a new share",
                       gw_fan_name(h->e->fan, at));
    QC_TRY(rc);
    return gw_identity_parse(qc_buf_span(&bytes), &h->has[at], err);
}

/* The share of a polynomial that a cloud holds, or NULL. */
static const struct gw_slot *share_of(const struct holding *h, unsigned at, const struct gw_slot *like)
{
    const struct gw_identity *id = &h->has[at];

    for (unsigned s = 0; s < id->slot_count; s++)
        if (qc_ct_eq(id->slots[s].polynomial, like->polynomial, GW_ID_BYTES))
            return &id->slots[s];
    return NULL;
}

static unsigned holders(const struct holding *h, const struct gw_slot *like)
{
    unsigned n = 0;

    for (unsigned at = 0; at < gw_fan_count(h->e->fan); at++)
        n += share_of(h, at, like) != NULL;
    return n;
}

static qc_rc read_all(struct holding *h, struct qc_err *err)
{
    const gw_clouds now = gw_fan_witnesses(h->e->fan) & h->set;
    unsigned most = 0;

    for (unsigned at = 0; at < gw_fan_count(h->e->fan); at++)
        if (now >> at & 1)
            QC_TRY(read_one(h, at, err));
    for (unsigned at = 0; at < gw_fan_count(h->e->fan); at++)
        for (unsigned s = 0; s < h->has[at].slot_count; s++)
            if (holders(h, &h->has[at].slots[s]) > most) {
                most = holders(h, &h->has[at].slots[s]);
                h->old = &h->has[at].slots[s];
            }
    return QC_OK;
}

/* -- spreading ------------------------------------------------------------------------------------------- */

/* Identities of the set with the new share alone, in the order of ids: positions are. */
static qc_rc draw(struct holding *h, struct gw_new_shares *ret, struct qc_err *err)
{
    struct gw_member members[QC_GW_CLOUDS_MAX];
    const unsigned m = h->e->conf.record_quorum - 1;

    ret->count = 0;
    for (unsigned at = 0; at < gw_fan_count(h->e->fan); at++)
        if (h->set >> at & 1) {
            struct gw_cloud_view view;
            gw_fan_view(h->e->fan, at, &view);
            members[ret->count] = (struct gw_member){ view.id, view.generation };
            ret->id[ret->count] = view.id;
            qc_buf_init(&ret->identity[ret->count++], GW_IDENTITY_MAX);
        }
    if (ret->count <= m)
        return QC_FAIL(err, QC_QUORUM, "%u clouds, more than %u are needed", ret->count, m);
    if (h->old != NULL || h->e->conf.life == GW_LIFE_INIT)
        return gw_identity_make(h->e->root, members, ret->count, ret->count - m, h->e->rng, ret->identity,
                                err);
    for (unsigned i = 0; i < ret->count; i++) /* the root key is off the clouds, and stays so */
        QC_TRY(gw_identity_renew(h->e->root, &members[i], NULL, 0, &ret->identity[i], err));
    return QC_OK;
}

/* The old share of one cloud, if it has one, and its new one. */
static qc_rc put_both(struct holding *h, unsigned at, qc_span fresh, struct qc_err *err)
{
    QC_CLEANUP(gw_log_wipe) qc_buf bytes = { .max = GW_IDENTITY_MAX };
    QC_CLEANUP(gw_identity_done) struct gw_identity id = { 0 };
    struct gw_slot both[GW_IDENTITY_SLOTS_MAX];
    unsigned count = 0;

    QC_TRY(gw_identity_parse(fresh, &id, err));
    const struct gw_slot *old = h->old == NULL ? NULL : share_of(h, at, h->old);
    if (old != NULL)
        both[count++] = *old; /* borrowed */
    if (id.slot_count > 0)
        both[count++] = id.slots[0];
    const struct gw_member m = { id.cloud_id, id.generation };
    QC_TRY(gw_identity_renew(h->e->root, &m, both, count, &bytes, err));
    QC_TRY(gw_engine_still(h->e, err));
    QC_TRY(gw_identity_store(h->e, at, qc_buf_span(&bytes), err));
    return qc_fault(shares_put, err);
}

static qc_rc put_shares(struct holding *h, const struct gw_new_shares *s, gw_clouds which, struct qc_err *err)
{
    for (unsigned i = 0; i < s->count; i++) {
        const int at = gw_fan_at(h->e->fan, s->id[i]);
        if (at >= 0 && (which >> at & 1) != 0)
            QC_TRY(put_both(h, (unsigned)at, qc_buf_span(&s->identity[i]), err));
    }
    return QC_OK;
}

qc_rc gw_shares_spread(struct gw_engine *e, int with, int without, struct gw_new_shares *ret,
                       struct qc_err *err)
{
    const gw_clouds one = with >= 0 ? (gw_clouds)1 << with : 0;

    QC_CLEANUP(holding_done) struct holding h = { .e = e, .set = gw_fan_witnesses(e->fan) | one };
    if (without >= 0)
        h.set &= ~((gw_clouds)1 << without);
    QC_TRY(read_all(&h, err));
    QC_TRY(draw(&h, ret, err));
    QC_TRY(qc_fault(shares_drawn, err));
    QC_TRY(put_shares(&h, ret, one, err)); /* before a cloud says that there is one more */
    QC_TRY(put_shares(&h, ret, h.set & ~one, err));
    return qc_fault(shares_spread, err);
}

qc_rc gw_shares_write(struct gw_cat *c, const struct gw_new_shares *s, struct qc_err *err)
{
    for (unsigned i = 0; i < s->count; i++)
        QC_TRY(gw_cloud_set_identity(c, s->id[i], qc_buf_span(&s->identity[i]), err));
    return gw_meta_set(c, "shares", GW_SHARES_TO_SETTLE, err);
}

/* -- settling -------------------------------------------------------------------------------------------- */

static qc_rc state_of(struct gw_engine *e, uint64_t *ret, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    return gw_meta_get(e->cat, "shares", ret, err);
}

static qc_rc settle_one(struct gw_engine *e, unsigned at, struct qc_err *err)
{
    QC_CLEANUP(gw_log_wipe) qc_buf want = { .max = GW_IDENTITY_MAX };
    QC_CLEANUP(gw_log_wipe) qc_buf has = { 0 };
    struct gw_outcome o;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cloud_identity(e->cat, gw_fan_id(e->fan, at), &want, err));
    }
    QC_TRY(gw_identity_fetch(e, at, &has, &o, err));
    if (o.fate == GW_DONE && qc_span_eq(qc_buf_span(&has), qc_buf_span(&want)))
        return QC_OK;
    if (o.fate != GW_DONE) /* one that is lost is adopted, and gets it then */
        return QC_FAIL(err, QC_QUORUM, "cloud %s does not answer, and holds an old share: %s",
                       gw_fan_name(e->fan, at), o.why);
    QC_TRY(qc_fault(shares_settle, err));
    QC_TRY(gw_engine_still(e, err));
    return gw_identity_store(e, at, qc_buf_span(&want), err);
}

qc_rc gw_shares_settle(struct gw_engine *e, struct qc_err *err)
{
    qc_rc first = QC_OK;

    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        struct qc_err why = { 0 };
        if ((gw_fan_witnesses(e->fan) >> at & 1) == 0)
            continue;
        const qc_rc rc = settle_one(e, at, &why);
        if (rc != QC_OK && first == QC_OK) {
            first = rc;
            *err = why;
        }
    }
    QC_TRY(first);
    QC_TRY(qc_fault(shares_settled, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_meta_set(e->cat, "shares", GW_SHARES_SETTLED, err));
    return gw_cat_commit(e->cat, &tx, err);
}

/* The same set as before: no record says so. */
static qc_rc spread_again(struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(gw_new_shares_done) struct gw_new_shares s = { 0 };

    QC_TRY(gw_shares_spread(e, -1, -1, &s, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_shares_write(e->cat, &s, err));
    return gw_cat_commit(e->cat, &tx, err);
}

qc_rc gw_shares_finish(struct gw_engine *e, struct qc_err *err)
{
    uint64_t state;

    QC_TRY(state_of(e, &state, err));
    if (state == GW_SHARES_TO_SPREAD)
        QC_TRY(spread_again(e, err));
    return state == GW_SHARES_SETTLED ? QC_OK : gw_shares_settle(e, err);
}

qc_rc gw_shares_tidy(struct gw_engine *e, struct qc_err *err)
{
    bool no = false;
    uint64_t state;

    QC_TRY(state_of(e, &state, err));
    if (state == GW_SHARES_SETTLED || gw_env_now(e->env) < e->shares_due_ms || !atomic_load(&e->tip_checked))
        return QC_OK;
    if (!atomic_compare_exchange_strong(&e->moving, &no, true))
        return QC_OK;
    const qc_rc rc = gw_shares_finish(e, err);
    atomic_store(&e->moving, false);
    e->shares_due_ms = gw_env_now(e->env) + (rc == QC_OK ? 0 : QC_GW_SHARES_AGAIN_MS);
    return rc;
}

/*
 *   waiting --batch--> DECIDE ------> RECORD ------> WITNESS ------> PUBLISH --> answered
 *                      one txn:       log object     each of those   one txn:
 *                      checks, log    on >= e        clouds shows    rows, receipts,
 *                      object in the  clouds         its identity,   debts; outbox
 *                      outbox                        no newer root   empty
 *
 * C1 (I1): the acknowledgement stands after PUBLISH and nowhere else.
 * C2 (I1): what DECIDE committed is rolled forward, by the next batch or the next process, with the same
 * bytes; it is never taken back. While it is not published nothing else is decided. C3 (D4): a cloud counts
 * only if it showed its identity, and no newer root, after it had the record. C4: there is no committer
 * thread: the first waiter leads, for all who wait; the next batch gathers meanwhile. So a lonely put pays no
 * delay, and a crowd pays one log object.
 */
#include "commit.h"

#include "commit_internal.h"

void gw_commits_init(struct gw_commits *c)
{
    qc_mutex_init(&c->lock);
    qc_cond_init(&c->turn);
}

void gw_commits_done(struct gw_commits *c)
{
    QC_ASSERT(c->first == NULL && !c->busy);
    qc_cond_done(&c->turn);
    qc_mutex_done(&c->lock);
}

static void refuse(struct gw_change *c, qc_rc rc, const struct qc_err *err)
{
    QC_ASSERT(rc != QC_OK);
    c->rc = rc;
    c->err = *err;
    c->answered = true;
}

/* -- which changes may share a batch --------------------------------------------------------------------- */

/* One of the paths that a change of an entry is of, i 0 or 1: of a removal and a put both are the same. */
static qc_span path_of(const struct gw_change *c, unsigned i)
{
    return i == 1 && c->kind == GW_CHANGE_RENAME ? c->away->path : c->entry->path;
}

static bool share_path(const struct gw_change *a, const struct gw_change *b)
{
    for (unsigned i = 0; i < 2; i++)
        for (unsigned j = 0; j < 2; j++)
            if (qc_span_eq(path_of(a, i), path_of(b, j)))
                return true;
    return false;
}

/* The second of two that touch the same thing must see the first one published. */
static bool clash(const struct gw_change *a, const struct gw_change *b)
{
    if (a->kind >= GW_CHANGE_TENANT || b->kind >= GW_CHANGE_TENANT)
        return true; /* a batch of its own */
    if (a->kind == GW_CHANGE_VAULT && b->kind == GW_CHANGE_VAULT)
        return a->vault.tenant == b->vault.tenant; /* they are counted */
    const bool same_vault = gw_ref_same(&a->vault, &b->vault);
    if (a->kind == GW_CHANGE_VAULT || b->kind == GW_CHANGE_VAULT)
        return same_vault;
    return gw_ref_same(&a->put_key, &b->put_key) || (same_vault && share_path(a, b));
}

static bool clashes(const struct gw_change *batch, const struct gw_change *c)
{
    for (; batch != NULL; batch = batch->next)
        if (clash(batch, c))
            return true;
    return false;
}

/* Of the put keys and paths that a batch has, a bit each: where none of a change's bits is set, none of the
 * batch has its key or its path, and none is looked at. Bits that meet by chance, or because somebody chose
 * ids so, cost that look and nothing else. */
enum { TAKEN_BITS = 32 * QC_GW_MEMBERS_MAX, BITS_OF_ONE = 3 };
struct taken {
    bool others; /* also what is no change of an entry */
    uint64_t bits[TAKEN_BITS / 64];
};

/* The last bytes: an id's are as random as others, a path's are its last component's tag. */
static unsigned bit_of(qc_span s)
{
    const size_t n = s.n < 8 ? s.n : 8;
    return (unsigned)(qc_get_be(s.p + s.n - n, n) * UINT64_C(0x9E3779B97F4A7C15) >> 32) % TAKEN_BITS;
}

static bool of_entry(const struct gw_change *c)
{
    return c->kind == GW_CHANGE_PUT || c->kind == GW_CHANGE_REMOVE || c->kind == GW_CHANGE_RENAME;
}

static void bits_of(const struct gw_change *c, unsigned bits[BITS_OF_ONE])
{
    bits[0] = bit_of(gw_id_span(&c->put_key.id));
    bits[1] = bit_of(path_of(c, 0));
    bits[2] = bit_of(path_of(c, 1));
}

static void note_taken(struct taken *t, const struct gw_change *c)
{
    unsigned bits[BITS_OF_ONE];

    if (!of_entry(c)) {
        t->others = true;
        return;
    }
    bits_of(c, bits);
    for (unsigned i = 0; i < BITS_OF_ONE; i++)
        t->bits[bits[i] / 64] |= UINT64_C(1) << bits[i] % 64;
}

static bool may_clash(const struct taken *t, const struct gw_change *c)
{
    unsigned bits[BITS_OF_ONE];
    bool any = false;

    if (t->others || !of_entry(c))
        return true;
    bits_of(c, bits);
    for (unsigned i = 0; i < BITS_OF_ONE; i++)
        any = any || (t->bits[bits[i] / 64] >> bits[i] % 64 & 1) != 0;
    return any;
}

/* Under the lock: take what waits and fits together; the rest keeps its order. */
static struct gw_change *take(struct gw_commits *q)
{
    struct gw_change *batch = NULL, **end = &batch;
    struct taken taken = { 0 };
    struct gw_change **at = &q->first;
    unsigned count = 0;

    q->last = NULL;
    while (*at != NULL) {
        struct gw_change *c = *at;
        if (count < QC_GW_MEMBERS_MAX && !(may_clash(&taken, c) && clashes(batch, c))) {
            note_taken(&taken, c);
            *at = c->next;
            c->next = NULL;
            *end = c;
            end = &c->next;
            count++;
        } else {
            q->last = c;
            at = &c->next;
        }
    }
    return batch;
}

/* -- one batch ------------------------------------------------------------------------------------------- */

/* Decided, and not published: whatever kept us, nobody may be told that it will not be (C2). */
static void put_off(struct gw_change *c, const struct qc_err *err)
{
    struct qc_err why = *err;

    why.rc = QC_TEMP;
    qc_err_wrap(&why, "it is decided, and will be done as soon as this is over");
    refuse(c, QC_TEMP, &why);
}

/* All that are not answered get this; but a put key that is live already has its receipt. */
static void refuse_all(struct gw_engine *e, struct gw_change *batch, qc_rc rc, const struct qc_err *err)
{
    for (struct gw_change *c = batch; c != NULL; c = c->next) {
        struct qc_err why = { 0 };
        bool live = false;
        if (c->answered)
            continue;
        const qc_rc known = gw_known_answer(e, c, &live, &why);
        if (known == QC_OK && live)
            c->answered = true;
        else if (c->decided && rc != QC_FENCED) /* whether it stands is for who took over to say */
            put_off(c, err);
        else
            refuse(c, rc, err);
    }
}

static qc_rc seal_batch(struct gw_deciding *d, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf object = { .max = QC_GW_LOG_MAX };
    struct gw_engine *e = d->e;
    struct gw_log_head head = { .sequence = d->sequence, .incarnation = e->conf.incarnation };
    struct gw_log_tip tip;
    uint8_t salt[GW_SALT_BYTES];

    QC_TRY(gw_tip_get(e->cat, &tip, err));
    QC_ASSERT(tip.sequence + 1 == d->sequence);
    memcpy(head.prev, tip.hash, sizeof head.prev);
    QC_TRY(qc_rng_fill(e->rng, salt, sizeof salt, err));
    QC_TRY(gw_log_seal(e->root, &head, qc_buf_span(&d->records), d->count, salt, &object, err));
    const qc_span bytes = qc_buf_span(&object);
    tip.sequence = d->sequence;
    QC_TRY(qc_sha256(&bytes, 1, tip.hash, err));
    QC_TRY(gw_cat_outbox_put(e->cat, d->sequence, bytes, err));
    return gw_tip_put(e->cat, &tip, err);
}

static void free_deciding(struct gw_deciding **d)
{
    if (*d != NULL) {
        gw_log_wipe(&(*d)->records);
        gw_deciding_bundle_free(&(*d)->bundle);
    }
    qc_free(*d);
    *d = NULL;
}

/* Failures that are one change's own. All else is the catalogue's: SQLite may have rolled back by itself. */
static bool own_fault(qc_rc rc)
{
    return rc == QC_CONFLICT || rc == QC_USAGE || rc == QC_NOTFOUND || rc == QC_QUORUM || rc == QC_LIMIT ||
           rc == QC_FORMAT || rc == QC_QUOTA;
}

/* All changes of the batch; those that are refused get their reason, those without room stay as they are. */
static qc_rc decide_each(struct gw_deciding *d, struct gw_change *batch, struct qc_err *err)
{
    for (struct gw_change *c = batch; c != NULL; c = c->next) {
        const uint32_t before = d->count;
        struct qc_err why = { 0 };
        if (c->answered)
            continue;
        const qc_rc rc = gw_decide(d, c, &why);
        if (rc == QC_OK)
            continue;
        if (!own_fault(rc) || d->count != before) {
            *err = why;
            return rc;
        }
        if (rc == QC_LIMIT && before > 0)
            return QC_OK;
        refuse(c, rc, &why);
    }
    return QC_OK;
}

/* Others on the same catalogue have decided, and not published; or hold. *ret: not now. */
static qc_rc others_first(struct gw_engine *e, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_GW_LOG_MAX };
    uint64_t sequence;

    QC_TRY(gw_cat_held(e->cat, ret, err));
    if (*ret)
        return QC_FAIL(err, QC_TEMP, "another gateway adopts a cloud, nothing is decided meanwhile");
    QC_TRY(gw_cat_outbox(e->cat, &sequence, &body, err));
    *ret = sequence != 0;
    return QC_OK;
}

/* The transaction of DECIDE. *ret_again: what others decided comes first (C2). */
static qc_rc decide_batch(struct gw_engine *e, struct gw_change *batch, bool *ret_again, struct qc_err *err)
{
    QC_CLEANUP(free_deciding) struct gw_deciding *d = qc_alloc(sizeof *d);
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    struct gw_log_tip tip;

    if (d == NULL)
        return QC_FAIL(err, QC_NOMEM, "deciding");
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(others_first(e, ret_again, err));
    if (*ret_again)
        return QC_OK;
    QC_TRY(gw_tip_get(e->cat, &tip, err));
    d->e = e;
    d->sequence = tip.sequence + 1;
    d->records.max = QC_GW_LOG_MAX - GW_LOG_HEAD_BYTES - GW_LOG_CLEAR_BYTES - QC_TAG;
    qc_keys_loose_begin(); /* one for each change: what it says is sealed under a key of its own */
    const qc_rc each = decide_each(d, batch, err);
    qc_keys_loose_end();
    QC_TRY(each);
    if (d->count == 0)
        return QC_OK;
    QC_TRY(seal_batch(d, err));
    QC_TRY(qc_fault(put_decide, err));
    QC_TRY(gw_cat_commit(e->cat, &tx, err));
    for (const struct gw_change *c = batch; c != NULL; c = c->next)
        if (c->decided)
            gw_decided(e, c);
    return QC_OK;
}

static bool all_hasty(const struct gw_change *batch)
{
    for (; batch != NULL; batch = batch->next)
        if (!batch->hasty)
            return false;
    return true;
}

static qc_rc run_batch(struct gw_engine *e, struct gw_change *batch, struct qc_err *err)
{
    bool again = true;
    gw_clouds back;

    QC_TRY(gw_engine_may(e, err));
    QC_TRY_AS(gw_roll(e, false, err), err, "an earlier change is not evident yet");
    if (batch->kind != GW_CHANGE_FIRST && !atomic_load(&e->tip_checked))
        QC_TRY(gw_engine_check_tip(e, qc_deadline_in(QC_GW_OPEN_MS), err));
    /* Margins are judged by what is known of the clouds now, not when the last commit was. */
    QC_TRY(gw_probe_again(e->fan, e->root, gw_fan_all(e->fan), GW_ILL_WORTH, &back, err));
    QC_TRY(gw_engine_sync_lost(e, err));
    qc_rc rc = QC_OK;
    for (unsigned tries = 0; rc == QC_OK && again && tries < QC_GW_DECIDE_TRIES; tries++) {
        if (tries > 0)
            QC_TRY_AS(gw_roll(e, false, err), err, "another gateway's change is not evident yet");
        rc = decide_batch(e, batch, &again, err);
    }
    if (rc == QC_OK && again)
        rc = QC_FAIL(err, QC_TEMP, "other gateways of this catalogue decide without a pause");
    if (rc != QC_OK) { /* rolled back: nothing was decided */
        for (struct gw_change *c = batch; c != NULL; c = c->next)
            c->decided = false;
        return rc;
    }
    QC_TRY(qc_fault(put_decided, err));
    QC_TRY(gw_roll(e, all_hasty(batch), err));
    return qc_fault(put_published, err);
}

/* What was published is what each was asked to be. */
static void answer(struct gw_engine *e, struct gw_change *c)
{
    struct qc_err err = { 0 };
    bool live = false;
    qc_rc known = gw_known(e, c, &live, &err);

    if (known == QC_OK && !live && c->kind != GW_CHANGE_TENANT &&
        gw_cat_session(e->cat) == 0) /* else another gateway may have changed it since */
        known = QC_FAIL(&err, QC_TEMP, "it was published, and what is there is something else");
    if (known != QC_OK)
        refuse(c, known, &err);
    c->answered = true;
}

/* Of members of one bundle, one after the other, the first is looked up: what its receipt says of the clouds
 * is true of all, and number, chain and head are as they were decided. Not where another gateway may have
 * been quicker. */
static bool answer_as(const struct gw_change *first, struct gw_change *c)
{
    if (first == NULL || c->in == NULL || !gw_ref_same(&first->in->put_key, &c->in->put_key))
        return false;
    const struct gw_receipt own = c->receipt;
    c->receipt = first->receipt;
    c->receipt.number = own.number;
    c->receipt.chain = own.chain;
    c->receipt.head = own.head;
    c->answered = true;
    return true;
}

static void answer_all(struct gw_engine *e, struct gw_change *batch)
{
    const bool alone = gw_cat_session(e->cat) == 0;
    const struct gw_change *first = NULL; /* of a bundle's members, looked up and live */

    for (struct gw_change *c = batch; c != NULL; c = c->next) {
        if (c->answered || !c->decided) /* no room in this batch: the next one */
            continue;
        if (answer_as(first, c))
            continue;
        answer(e, c);
        first = alone && c->in != NULL && c->rc == QC_OK ? c : NULL;
    }
}

static void lead(struct gw_engine *e, struct gw_change *batch)
{
    struct qc_err err = { 0 };
    const qc_rc rc = run_batch(e, batch, &err);

    if (rc != QC_OK) {
        refuse_all(e, batch, rc, &err);
        return;
    }
    QC_LOCK(gw_cat_lock(e->cat));
    qc_ignore(gw_cat_look(e->cat, &err), "each answer says the same");
    answer_all(e, batch);
    gw_cat_look_end(e->cat);
}

/* -- waiting --------------------------------------------------------------------------------------------- */

static void put_back(struct gw_commits *q, struct gw_change *batch)
{
    struct gw_change **at = &q->first;

    while (batch != NULL) {
        struct gw_change *c = batch;
        batch = c->next;
        c->next = NULL;
        if (c->answered) {
            c->done = true; /* its owner may leave, and its memory go, as soon as the lock is released */
            continue;
        }
        c->next = *at;
        *at = c;
        if (c->next == NULL)
            q->last = c;
        at = &c->next;
    }
}

static void enqueue(struct gw_commits *q, struct gw_change *change)
{
    change->done = false;
    change->answered = false;
    change->next = NULL;
    if (q->last != NULL)
        q->last->next = change;
    else
        q->first = change;
    q->last = change;
}

static bool all_done(const struct gw_change *changes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!changes[i].done)
            return false;
    return true;
}

void gw_commit_all(struct gw_engine *e, struct gw_change *changes, unsigned count)
{
    struct gw_commits *q = &e->commits;
    QC_LOCK(&q->lock);

    for (unsigned i = 0; i < count; i++)
        enqueue(q, &changes[i]);
    while (!all_done(changes, count)) {
        if (q->busy) {
            (void)qc_cond_wait(&q->turn, &q->lock, QC_NO_DEADLINE); /* a leader's steps all have deadlines */
            continue;
        }
        q->busy = true;
        struct gw_change *batch = take(q);
        qc_unlock_(&(pthread_mutex_t *){ &q->lock });
        lead(e, batch);
        (void)qc_lock_(&q->lock);
        put_back(q, batch);
        q->busy = false;
        qc_cond_wake_all(&q->turn);
    }
}

qc_rc gw_commit(struct gw_engine *e, struct gw_change *change, struct qc_err *err)
{
    gw_commit_all(e, change, 1);
    if (change->rc != QC_OK)
        *err = change->err;
    return change->rc;
}

void gw_commit_hold(struct gw_engine *e)
{
    struct gw_commits *q = &e->commits;
    QC_LOCK(&q->lock);

    while (q->busy)
        (void)qc_cond_wait(&q->turn, &q->lock, QC_NO_DEADLINE); /* a leader's steps all have deadlines */
    q->busy = true;
}

void gw_commit_release(struct gw_engine *e)
{
    struct gw_commits *q = &e->commits;
    QC_LOCK(&q->lock);

    q->busy = false;
    qc_cond_wake_all(&q->turn);
}

qc_rc gw_commit_roll(struct gw_engine *e, struct qc_err *err)
{
    struct gw_commits *q = &e->commits;

    {
        QC_LOCK(&q->lock);
        if (q->busy)
            return QC_OK; /* a leader rolls anyway */
        q->busy = true;
    }
    qc_rc rc = gw_engine_may(e, err);
    if (rc == QC_OK)
        rc = gw_roll(e, false, err);
    gw_commit_release(e);
    return rc;
}

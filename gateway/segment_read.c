/* Reading a segment: fragments are fetched and verified in the clouds' workers, each into its slot; the first
 * k good ones win.
 *
 * R1 (I2): a slot is looked at only after its job said DONE, and a job says DONE only when head, end and
 * every piece of the range verified. A job that is late may go on writing to its own slot; nothing else ever
 * lies there. R2: a data piece that is missing is decoded into the slot of a parity fragment that was used in
 * its place, stripe by stripe, after that stripe's pieces have been read.
 */
#include <stdio.h>

#include "base/planted.h"
#include "base/alloc.h"
#include "gateway/probe.h"
#include "segment_read_internal.h"

void gw_read_op_unref(void *owner)
{
    struct read_op *op = owner;

    if (atomic_fetch_sub(&op->refs, 1) != 1)
        return;
    gw_unit_give(&op->unit);
    gw_plan_done(&op->plan);
    qc_free(op);
}

void gw_read_op_free(struct read_op **op)
{
    if (*op != NULL) { /* the asker's: workers that hang go on holding its unit */
        gw_unit_discharge((*op)->unit);
        gw_read_op_unref(*op);
    }
    *op = NULL;
}

/* -- one fragment, in a worker --------------------------------------------------------------------------- */

static qc_rc get_exact(struct cloud *c, const char *key, struct cloud_range range, uint8_t *dst,
                       const struct cloud_op *op, struct qc_err *err)
{
    size_t got = 0;

    QC_TRY(cloud_get(c, key, range, dst, &got, op, err));
    if (got != range.n)
        return QC_FAIL(err, QC_FORMAT, "fragment is cut short: %zu bytes came of %zu", got, range.n);
    return QC_OK;
}

/* The end, and one byte more that must not be there. */
static qc_rc get_end(struct cloud *c, const char *key, struct cloud_range range, uint8_t *dst,
                     const struct cloud_op *op, struct qc_err *err)
{
    size_t got = 0;

    QC_TRY(cloud_get(c, key, (struct cloud_range){ range.off, range.n + 1 }, dst, &got, op, err));
    if (got != range.n)
        return QC_FAIL(err, QC_FORMAT, "fragment has %s than it should",
                       got < range.n ? "fewer bytes" : "more bytes");
    return QC_OK;
}

/* Head, the range's pieces, end. *head_size: 136 as written now; what a fragment says otherwise is believed
 * only until its tag is checked. */
static qc_rc fetch(const struct incoming *in, struct cloud *c, const struct cloud_op *op, size_t *head_size,
                   struct qc_err *err)
{
    const struct read_op *r = in->op;
    const struct gw_plan_fragment *f = &r->plan.fragments[in->index];
    const struct ec_geometry *g = &r->plan.geometry;
    const size_t end_size = gw_frag_end_size(g->stripe_count, r->plan.n);
    uint8_t *payload = gw_unit_payload(r->unit, in->index);
    uint8_t *head = payload - GW_FRAG_HEAD_BYTES;

    if (r->whole) {
        /* One request. If the head is longer than expected, the pieces lie elsewhere: the slow way finds
         * them. */
        const size_t total = GW_FRAG_HEAD_BYTES + (size_t)g->payload_size + end_size;
        size_t got = 0;
        QC_TRY(cloud_get(c, f->key, (struct cloud_range){ 0, total + 1 }, head, &got, op, err));
        if (got < GW_FRAG_HEAD_BYTES)
            return QC_FAIL(err, QC_FORMAT, "fragment is cut short: %zu bytes", got);
        *head_size = (size_t)qc_get_be(head + 6, 2);
        if (*head_size == GW_FRAG_HEAD_BYTES)
            return got == total
                       ? QC_OK
                       : QC_FAIL(err, QC_FORMAT, "fragment has %zu bytes or more, expected %zu", got, total);
    } else {
        QC_TRY(get_exact(c, f->key, (struct cloud_range){ 0, GW_FRAG_HEAD_BYTES }, head, op, err));
        *head_size = (size_t)qc_get_be(head + 6, 2);
    }
    if (*head_size < GW_FRAG_HEAD_BYTES || *head_size > GW_FRAG_HEAD_MAX)
        return QC_FAIL(err, QC_FORMAT, "fragment head of %zu bytes", *head_size);
    if (*head_size > GW_FRAG_HEAD_BYTES)
        QC_TRY(get_exact(c, f->key, (struct cloud_range){ 0, *head_size }, payload - *head_size, op, err));
    QC_TRY(get_end(c, f->key, (struct cloud_range){ *head_size + g->payload_size, end_size },
                   payload + g->payload_size, op, err));
    return get_exact(c, f->key,
                     (struct cloud_range){ *head_size + r->payload_from, r->payload_to - r->payload_from },
                     payload + r->payload_from, op, err);
}

static qc_rc verify(struct incoming *in, const struct cloud_op *op, size_t head_size, struct qc_err *err)
{
    QC_CLEANUP(qc_aead_free) struct qc_aead *aead = NULL;
    const struct read_op *r = in->op;
    const struct ec_geometry *g = &r->plan.geometry;
    const uint8_t *payload = gw_unit_payload(r->unit, in->index);
    const qc_span head = qc_span_of(payload - head_size, head_size);
    const qc_span end = qc_span_of(payload + g->payload_size, gw_frag_end_size(g->stripe_count, r->plan.n));

    QC_TRY(gw_frag_verify(&r->plan.keys, &r->plan.fragments[in->index].head, r->digest, head, end, &in->end,
                          err));
    QC_TRY(qc_aead_new(&aead, err));
    for (uint32_t t = r->stripe_from; t < r->stripe_to; t++) {
        const struct ec_stripe st = ec_geometry_stripe(g, t);
        QC_TRY(qc_go_on(op->deadline, op->cancel, "reading a fragment", err));
        if (qc_planted(unverified))
            continue;
        QC_TRY(gw_frag_piece_check(&r->plan.keys, aead, (uint8_t)in->index, t,
                                   qc_span_of(payload + st.payload_offset, st.piece_size),
                                   in->end.tags.p + (size_t)QC_TAG * t, err));
    }
    return QC_OK;
}

/* A missing fragment: is it the key that is gone, or the cloud (D8)? */
static bool cloud_lost(struct cloud *c, const struct cloud_op *op)
{
    struct qc_err ignored = { 0 };
    uint64_t size = 0;

    return cloud_head(c, gw_name_identity, &size, op, &ignored) == QC_NOTFOUND;
}

qc_rc gw_read_job(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    struct incoming *in = ctx;
    size_t head_size = 0;
    qc_rc rc = fetch(in, c, op, &head_size, err);

    if (rc == QC_NOTFOUND)
        in->lost = cloud_lost(c, op);
    QC_TRY(rc);
    return verify(in, op, head_size, err);
}

/* -- faults ---------------------------------------------------------------------------------------------- */

static enum gw_fault_kind fault_kind(const struct gw_outcome *o, enum gw_cloud_state state, bool lost)
{
    if (o->fate == GW_LATE)
        return GW_FAULT_LATE;
    if (lost || o->gone || (o->fate == GW_SKIPPED && state == GW_CLOUD_LOST))
        return GW_FAULT_LOST;
    if (o->fate == GW_SKIPPED || state == GW_CLOUD_UNREACHABLE)
        return GW_FAULT_UNREACHABLE;
    if (o->rc == QC_NOTFOUND)
        return state == GW_CLOUD_LOST ? GW_FAULT_LOST : GW_FAULT_MISSING;
    if (o->rc == QC_INTEGRITY || o->rc == QC_FORMAT || o->rc == QC_NEWER || o->rc == QC_IO)
        return GW_FAULT_DAMAGED;
    return o->rc == QC_TIMEOUT ? GW_FAULT_LATE : GW_FAULT_UNREACHABLE;
}

static void add_fault(struct reading *rd, unsigned index, const struct gw_outcome *o)
{
    const struct gw_plan_fragment *f = &rd->op->plan.fragments[index];
    struct gw_faults *faults = rd->faults;
    struct gw_cloud_view v = { .state = GW_CLOUD_UNKNOWN };

    if (f->at >= 0)
        gw_fan_view(rd->store->fan, (unsigned)f->at, &v);
    const bool lost = o->fate == GW_FAILED && rd->op->in[index].lost;
    if (lost)
        gw_fan_set_state(rd->store->fan, (unsigned)f->at, GW_CLOUD_LOST, "its identity object is gone");
    QC_ASSERT(faults->count < QC_EC_N_MAX);
    struct gw_fault *row = &faults->v[faults->count++];
    *row = (struct gw_fault){ .cloud_id = f->head.cloud_id,
                              .index = (uint8_t)index,
                              .kind = fault_kind(o, v.state, lost) };
    memcpy(row->key, f->key, sizeof row->key);
    memcpy(row->why, o->why, sizeof row->why);
}

/* -- asking ---------------------------------------------------------------------------------------------- */

/* The order in which fragments are asked: known to be absent last, then clouds that are not well, then those
 * that are slower than others, then parity. */
static unsigned rank(struct gw_store *s, const struct gw_segment *seg, const struct gw_plan_fragment *f,
                     unsigned slower)
{
    struct gw_cloud_view v = { .state = GW_CLOUD_LOST };

    if (f->at >= 0)
        gw_fan_view(s->fan, (unsigned)f->at, &v);
    const unsigned absent = seg->absent >> f->head.index & 1;
    const unsigned ill =
        v.state == GW_CLOUD_LOST || v.state == GW_CLOUD_UNREACHABLE || v.suspect ? 2U : v.slow;
    return absent << 16 | ill << 8 | slower << 1 | (f->head.index >= seg->k ? 1U : 0U);
}

static uint64_t fragment_bytes(const struct reading *rd)
{
    return rd->op->payload_to - rd->op->payload_from;
}

static void make_order(struct reading *rd, const struct gw_segment *seg)
{
    unsigned ranks[QC_EC_N_MAX], slower[QC_EC_N_MAX];
    int where[QC_EC_N_MAX];

    for (unsigned i = 0; i < seg->n; i++)
        where[i] = rd->op->plan.fragments[i].at;
    gw_pace_rank(&rd->store->pace, where, seg->n, fragment_bytes(rd), qc_now_ms(), slower);
    for (unsigned i = 0; i < seg->n; i++) {
        unsigned at = i;
        const unsigned r = rank(rd->store, seg, &rd->op->plan.fragments[i], slower[i]);
        for (; at > 0 && ranks[at - 1] > r; at--) {
            ranks[at] = ranks[at - 1];
            rd->order[at] = rd->order[at - 1];
        }
        ranks[at] = r;
        rd->order[at] = i;
    }
}

/* Ask the next fragment that can be asked. False: none is left. */
static bool ask_next(struct reading *rd)
{
    while (rd->asked < rd->op->plan.n) {
        const unsigned index = rd->order[rd->asked++];
        if ((rd->avoid >> index & 1) != 0)
            continue;
        const struct gw_plan_fragment *f = &rd->op->plan.fragments[index];
        struct gw_outcome o = { .fate = GW_SKIPPED,
                                .rc = QC_NOTFOUND,
                                .why = "this gateway does not have its cloud" };
        if (f->at >= 0) {
            /* Forced: whoever is ill stands last, and is asked when nobody else can serve. Patient: a
             * cloud that answers, and in which puts hang, can still be read. */
            const struct gw_job job = { .at = (unsigned)f->at,
                                        .lane = GW_LANE_DATA,
                                        .force = true,
                                        .patient = true,
                                        .run = gw_read_job,
                                        .ctx = &rd->op->in[index] };
            rd->since_ms[index] = qc_now_ms();
            if (gw_batch_start(rd->batch, index, &job, rd->deadline))
                return true;
            gw_batch_outcome(rd->batch, index, &o);
            rd->ended[index] = true;
        }
        add_fault(rd, index, &o);
    }
    return false;
}

/* How long a fragment took, or has taken until it was not waited for any more. */
static void note_pace(const struct reading *rd, unsigned index, bool given_up)
{
    const struct gw_plan_fragment *f = &rd->op->plan.fragments[index];
    const uint64_t now = qc_now_ms();
    const struct gw_pace_sample s = { .at = (unsigned)f->at,
                                      .bytes = fragment_bytes(rd),
                                      .ms = now - rd->since_ms[index],
                                      .given_up = given_up };

    if (f->at >= 0)
        gw_pace_note(&rd->store->pace, &s, now);
}

/* A job has ended: was it good? */
static bool note(struct reading *rd, unsigned index, const struct gw_outcome *o)
{
    rd->ended[index] = true;
    rd->good[index] = o->fate == GW_DONE;
    rd->good_count += rd->good[index];
    if (rd->good[index])
        note_pace(rd, index, false);
    else
        add_fault(rd, index, o);
    return rd->good[index];
}

static void take(struct reading *rd, unsigned index)
{
    struct gw_outcome o;

    gw_batch_outcome(rd->batch, index, &o);
    if (!note(rd, index, &o))
        (void)ask_next(rd);
}

/* What ended while the last wait did is good or bad as it says. Whoever was raced by another and has still
 * not answered was too slow; at the deadline everybody is late. */
static void settle(struct reading *rd)
{
    const bool over = qc_deadline_over(rd->deadline);
    const uint64_t now = qc_now_ms();

    for (unsigned i = 0; i < rd->op->plan.n; i++) {
        const struct gw_plan_fragment *f = &rd->op->plan.fragments[i];
        struct gw_outcome o;
        if (rd->since_ms[i] == 0 || rd->ended[i])
            continue;
        gw_batch_outcome(rd->batch, i, &o);
        if (o.fate == GW_PENDING) {
            gw_batch_abandon_slot(rd->batch, i, over);
            gw_batch_outcome(rd->batch, i, &o); /* it may have ended before that */
        }
        if (o.fate != GW_LATE) {
            (void)note(rd, i, &o);
            continue;
        }
        note_pace(rd, i, true);
        if (!over && now - rd->since_ms[i] < QC_GW_HEDGE_MS)
            continue; /* others were faster this time: that is no fault */
        gw_fan_set_slow(rd->store->fan, (unsigned)f->at);
        add_fault(rd, i, &o);
    }
}

void gw_store_races(struct gw_store *s, unsigned percent)
{
    QC_LOCK(&s->pace.lock);
    s->pace.percent = percent;
}

/* When the fragments that are waited for have taken so long that another one is asked, too. */
struct race {
    qc_deadline at;
    uint64_t early_ms; /* so much sooner than in earnest: then it must be paid for (P1) */
};

static struct race race_in(const struct reading *rd, uint64_t ms)
{
    return (struct race){ .at = qc_deadline_min(rd->deadline, qc_deadline_in(ms)),
                          .early_ms = QC_GW_HEDGE_MS > ms ? QC_GW_HEDGE_MS - ms : 0 };
}

static struct race next_race(const struct reading *rd)
{
    int where[QC_EC_N_MAX];
    unsigned n = 0;

    for (unsigned i = 0; i < rd->op->plan.n; i++)
        if (rd->since_ms[i] != 0 && !rd->ended[i])
            where[n++] = rd->op->plan.fragments[i].at;
    return race_in(rd, gw_pace_patience(&rd->store->pace, where, n, fragment_bytes(rd)));
}

/* The time has come: another is asked, if one is left. Too many were, for being a little slow: only in
 * earnest. */
static struct race run_race(struct reading *rd, struct race was)
{
    if (was.early_ms > 0 && rd->asked < rd->op->plan.n && !gw_pace_spend(&rd->store->pace))
        return (struct race){ .at = qc_deadline_min(rd->deadline, qc_deadline_in(was.early_ms)) };
    return ask_next(rd) ? next_race(rd) : (struct race){ .at = rd->deadline };
}

static void gather(struct reading *rd)
{
    const unsigned k = rd->op->plan.geometry.k;

    for (unsigned i = 0; i < k; i++)
        (void)ask_next(rd);
    gw_pace_earn(&rd->store->pace, k);
    struct race race = next_race(rd);
    while (rd->good_count < k) {
        /* Asked before the look: what ends after it is seen by the next one. */
        const bool nothing_left = gw_batch_pending(rd->batch) == 0 && rd->asked == rd->op->plan.n;
        const int slot = gw_batch_next(rd->batch, race.at);
        if (slot >= 0) {
            take(rd, (unsigned)slot);
            continue;
        }
        if (nothing_left)
            break;
        if (qc_deadline_over(rd->deadline))
            break;
        race = run_race(rd, race);
    }
    settle(rd);
}

/* -- the whole ------------------------------------------------------------------------------------------- */

qc_rc gw_read_op_new(struct gw_store *s, const struct gw_segment *seg, struct gw_range range,
                     qc_deadline deadline, struct read_op **ret, struct qc_err *err)
{
    QC_CLEANUP(gw_read_op_free) struct read_op *op = qc_alloc(sizeof *op);

    if (op == NULL)
        return QC_FAIL(err, QC_NOMEM, "reading a segment");
    atomic_store(&op->refs, 1);
    QC_TRY(gw_segment_plan(s, seg, &op->plan, err));
    QC_TRY(gw_unit_take(s, seg->tenant, deadline, &op->unit, err));
    const struct ec_geometry *g = &op->plan.geometry;
    op->stripe_from = ec_geometry_stripe_at(g, range.from);
    op->stripe_to = ec_geometry_stripe_at(g, range.to - 1) + 1;
    op->whole = op->stripe_from == 0 && op->stripe_to == g->stripe_count;
    const struct ec_stripe last = ec_geometry_stripe(g, op->stripe_to - 1);
    op->payload_from = ec_geometry_stripe(g, op->stripe_from).payload_offset;
    op->payload_to = last.payload_offset + last.piece_size;
    memcpy(op->digest, seg->digest, sizeof op->digest);
    for (unsigned i = 0; i < seg->n; i++)
        op->in[i] = (struct incoming){ .op = op, .index = i };
    *ret = QC_STEAL(op);
    return QC_OK;
}

/* " since 2026-11-03T14:02:09Z": when it gave its last good answer; "" for one that was not seen yet. */
static void since(struct gw_store *s, unsigned cloud, char out[QC_TIME_TEXT + 8])
{
    struct gw_cloud_view v;
    char when[QC_TIME_TEXT];

    gw_fan_view(s->fan, cloud, &v);
    out[0] = '\0';
    if (v.seen_s == 0)
        return;
    qc_time_text(v.seen_s, when);
    (void)snprintf(out, QC_TIME_TEXT + 8, " since %s", when);
}

/* Names the clouds in their order: fragments lie in another one for each segment. */
static qc_rc too_few(const struct reading *rd, struct qc_err *err)
{
    char list[384] = "", when[QC_TIME_TEXT + 8] = "";
    size_t at = 0;

    for (unsigned cloud = 0; cloud < gw_fan_count(rd->store->fan); cloud++) {
        for (unsigned i = 0; i < rd->faults->count && at < sizeof list; i++) {
            const struct gw_fault *f = &rd->faults->v[i];
            if (gw_fan_at(rd->store->fan, f->cloud_id) != (int)cloud)
                continue;
            when[0] = '\0';
            if (f->kind == GW_FAULT_UNREACHABLE || f->kind == GW_FAULT_LOST)
                since(rd->store, cloud, when);
            const int n = snprintf(list + at, sizeof list - at, "%s%s %s%s", at == 0 ? ": " : ", ",
                                   gw_fan_name(rd->store->fan, cloud), gw_fault_kind_name(f->kind), when);
            at += n > 0 ? (size_t)n : 0;
        }
    }
    const int withheld = __builtin_popcount(rd->withheld);
    if (withheld > 0 && at < sizeof list)
        (void)snprintf(list + at, sizeof list - at, "%s%d withheld", at == 0 ? ": " : ", ", withheld);
    return QC_FAIL(err, QC_QUORUM, "%u of %u clouds gave their fragment, %u are needed%s", rd->good_count,
                   rd->op->plan.n, rd->op->plan.geometry.k, list);
}

static void reading_done(struct reading *rd)
{
    gw_batch_free(&rd->batch);
}

qc_rc gw_read_once(const struct read_ask *ask, struct gw_faults *faults, struct gw_read **ret,
                   struct qc_err *err)
{
    const struct gw_segment *seg = ask->seg;
    QC_CLEANUP(gw_read_op_free) struct read_op *op = NULL;
    QC_CLEANUP(gw_read_free) struct gw_read *r = qc_alloc(sizeof *r);
    QC_CLEANUP(reading_done) struct reading rd = { .store = ask->store,
                                                   .faults = faults,
                                                   .deadline = ask->deadline,
                                                   .avoid = ask->avoid | seg->withheld,
                                                   .withheld = seg->withheld };

    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "reading a segment");
    QC_TRY(gw_read_op_new(ask->store, seg, ask->range, ask->deadline, &op, err));
    rd.op = op;
    QC_TRY(gw_batch_new(&rd.batch, ask->store->fan, seg->n, op, gw_read_op_unref, err));
    (void)atomic_fetch_add(&op->refs, 1); /* the batch's */
    make_order(&rd, seg);
    gather(&rd);
    if (rd.good_count < seg->k)
        return too_few(&rd, err);
    r->range = ask->range;
    for (unsigned i = 0; i < seg->n; i++)
        r->good |= (uint32_t)rd.good[i] << i;
    QC_TRY(gw_read_decode(op, rd.good, r->data, err));
    r->op = QC_STEAL(op);
    *ret = QC_STEAL(r);
    return QC_OK;
}

/* Is a cloud that was away back? */
static bool one_came_back(struct gw_store *s, const struct gw_faults *faults)
{
    struct qc_err ignored = { 0 };
    gw_clouds away = 0, back = 0;

    for (unsigned i = 0; i < faults->count; i++) {
        const int at = gw_fan_at(s->fan, faults->v[i].cloud_id);
        if (at >= 0 && faults->v[i].kind != GW_FAULT_MISSING && faults->v[i].kind != GW_FAULT_DAMAGED)
            away |= (gw_clouds)1 << at;
    }
    return gw_probe_again(s->fan, s->root, away, GW_ILL_ALL, &back, &ignored) == QC_OK && back != 0;
}

qc_rc gw_segment_read(struct gw_store *s, const struct gw_segment *seg, struct gw_range range,
                      qc_deadline deadline, struct gw_faults *faults, struct gw_read **ret,
                      struct qc_err *err)
{
    const struct read_ask ask = { .store = s, .seg = seg, .range = range, .deadline = deadline };
    struct gw_faults found = { 0 };

    QC_ASSERT(range.from < range.to);
    QC_ASSERT(range.to <= seg->size);
    qc_rc rc = gw_read_once(&ask, &found, ret, err);
    if (rc == QC_QUORUM && !qc_deadline_over(deadline) && one_came_back(s, &found)) {
        qc_err_clear(err);
        found.count = 0;
        rc = gw_read_once(&ask, &found, ret, err);
    }
    if (rc == QC_INTEGRITY) {
        qc_err_clear(err);
        rc = gw_read_subsets(&ask, &found, ret, err);
    }
    gw_faults_add(faults, &found);
    return rc;
}

/* A fragment that was not asked for: what is known of it. false: nothing bad. */
static bool known_bad(struct gw_store *s, const struct gw_segment *seg, unsigned index, int at,
                      enum gw_fault_kind *ret)
{
    struct gw_cloud_view v = { .state = GW_CLOUD_LOST };

    if (at >= 0)
        gw_fan_view(s->fan, (unsigned)at, &v);
    if (v.state == GW_CLOUD_LOST)
        *ret = GW_FAULT_LOST;
    else if (v.state == GW_CLOUD_UNREACHABLE)
        *ret = GW_FAULT_UNREACHABLE;
    else if (v.suspect)
        *ret = GW_FAULT_LATE;
    else if ((seg->absent >> index & 1) != 0)
        *ret = GW_FAULT_MISSING;
    else
        return false;
    return true;
}

qc_rc gw_segment_known(struct gw_store *s, const struct gw_segment *seg, struct gw_faults *faults,
                       struct qc_err *err)
{
    const unsigned asked = faults->count;

    for (unsigned i = 0; i < seg->n; i++) {
        struct gw_fault f = { .index = (uint8_t)i };
        bool told = false;
        int at;
        for (unsigned x = 0; x < asked; x++)
            told |= faults->v[x].index == i;
        if (told)
            continue;
        QC_TRY(gw_segment_key(s, seg, i, &at, f.key, err));
        if (!known_bad(s, seg, i, at, &f.kind))
            continue;
        f.cloud_id = at >= 0 ? gw_fan_id(s->fan, (unsigned)at) : 0;
        QC_ASSERT(faults->count < QC_EC_N_MAX);
        faults->v[faults->count++] = f;
    }
    return QC_OK;
}

void gw_read_free(struct gw_read **rp)
{
    struct gw_read *r = *rp;

    *rp = NULL;
    if (r == NULL)
        return;
    gw_read_op_free(&r->op);
    qc_free(r);
}

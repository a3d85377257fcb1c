/* Writing a segment: code it stripe by stripe into parity slots, tag every piece, send n fragments, wait for
 * all.
 *
 * A fragment is sent as three spans: its head, its payload from where it was filled in or coded, its end. All
 * that a put reads hangs on the operation, which the batch owns: it goes when the last put has ended (S3).
 */
#include <stdio.h>

#include "base/alloc.h"
#include "gateway/probe.h"
#include "store_internal.h"

enum {
    PARTS = 3, /* head, payload, end */
    TAGS_MAX = QC_TAG * QC_GW_STRIPES_MAX,
    DIGESTS_MAX = GW_DIGEST_BYTES * QC_EC_N_MAX,
};

/* One fragment on its way. */
struct outgoing {
    const char *key;
    uint8_t head[GW_FRAG_HEAD_BYTES];
    uint8_t end[TAGS_MAX + DIGESTS_MAX + GW_DIGEST_BYTES];
    qc_span parts[PARTS];
};

struct write_op {
    struct gw_unit *unit;
    struct gw_plan plan;
    uint8_t digests[DIGESTS_MAX];
    struct outgoing out[QC_EC_N_MAX];
};

static void op_release(void *owner)
{
    struct write_op *op = owner;

    gw_unit_give(&op->unit);
    gw_plan_done(&op->plan);
    qc_free(op);
}

static void op_free(struct write_op **op)
{
    if (*op != NULL)
        op_release(*op);
    *op = NULL;
}

/* -- coding ---------------------------------------------------------------------------------------------- */

static uint8_t *piece_at(const struct write_op *op, const struct ec_stripe *st, unsigned i)
{
    return gw_unit_out(op->unit, i) + st->payload_offset;
}

/* The last stripe's data is padded with zeros where it lies. */
static void pad(const struct write_op *op)
{
    const struct ec_geometry *g = &op->plan.geometry;
    const struct ec_stripe st = ec_geometry_stripe(g, g->stripe_count - 1);

    for (unsigned i = 0; i < g->k; i++) {
        const uint32_t before = i * st.piece_size;
        uint32_t n = st.data_size > before ? st.data_size - before : 0;
        n = n < st.piece_size ? n : st.piece_size;
        memset(piece_at(op, &st, i) + n, 0, st.piece_size - n);
    }
}

static qc_rc encode_stripe(struct write_op *op, const struct ec_stripe *st, struct qc_err *err)
{
    const unsigned k = op->plan.geometry.k;
    const uint8_t *data[QC_EC_N_MAX];
    uint8_t *parity[QC_EC_N_MAX];

    for (unsigned i = 0; i < k; i++)
        data[i] = piece_at(op, st, i);
    for (unsigned i = k; i < op->plan.n; i++)
        parity[i - k] = piece_at(op, st, i);
    return ec_stripe_encode(op->plan.coder, data, st->piece_size, parity, err);
}

/* Parity and tags of one stripe, while it is in the cache. A unit that is coded already may be read by a put
 * that nobody waits for any more: it is not written to again. */
static qc_rc code_stripe(struct write_op *op, struct qc_aead *aead, uint32_t t, struct qc_err *err)
{
    const struct ec_geometry *g = &op->plan.geometry;
    const struct ec_stripe st = ec_geometry_stripe(g, t);

    if (op->unit->coded != op->plan.n)
        QC_TRY(encode_stripe(op, &st, err));
    for (unsigned i = 0; i < op->plan.n; i++) {
        struct outgoing *o = &op->out[i];
        const qc_span piece = qc_span_of(piece_at(op, &st, i), st.piece_size);
        QC_TRY(
            gw_frag_piece_tag(&op->plan.keys, aead, (uint8_t)i, t, piece, o->end + (size_t)QC_TAG * t, err));
    }
    return QC_OK;
}

/* The digest table's rows, from the tags. */
static qc_rc make_rows(struct write_op *op, struct qc_err *err)
{
    const size_t tags_size = (size_t)QC_TAG * op->plan.geometry.stripe_count;

    for (unsigned i = 0; i < op->plan.n; i++)
        QC_TRY(gw_frag_tags_digest((uint8_t)i, qc_span_of(op->out[i].end, tags_size),
                                   op->digests + (size_t)GW_DIGEST_BYTES * i, err));
    return QC_OK;
}

static qc_span rows_of(const struct write_op *op)
{
    return qc_span_of(op->digests, (size_t)GW_DIGEST_BYTES * op->plan.n);
}

/* Heads and ends: tag table, digest table, tag. */
static qc_rc seal_fragments(struct write_op *op, struct qc_err *err)
{
    const uint32_t stripes = op->plan.geometry.stripe_count;
    const size_t tags_size = (size_t)QC_TAG * stripes;
    const qc_span rows = rows_of(op);

    for (unsigned i = 0; i < op->plan.n; i++) {
        struct outgoing *o = &op->out[i];
        gw_frag_head_write(&op->plan.fragments[i].head, o->head);
        memcpy(o->end + tags_size, rows.p, rows.n);
        QC_TRY(gw_frag_mac(&op->plan.keys, qc_span_of(o->head, sizeof o->head), qc_span_of(o->end, tags_size),
                           rows, o->end + tags_size + rows.n, err));
        o->key = op->plan.fragments[i].key;
        o->parts[0] = qc_span_of(o->head, sizeof o->head);
        o->parts[1] = qc_span_of(gw_unit_out(op->unit, i), (size_t)op->plan.geometry.payload_size);
        o->parts[2] = qc_span_of(o->end, gw_frag_end_size(stripes, op->plan.n));
    }
    return QC_OK;
}

static qc_rc code_segment(struct write_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_aead_free) struct qc_aead *aead = NULL;

    QC_TRY(qc_aead_new(&aead, err));
    if (op->unit->coded != op->plan.n)
        pad(op);
    for (uint32_t t = 0; t < op->plan.geometry.stripe_count; t++)
        QC_TRY(code_stripe(op, aead, t, err));
    op->unit->coded = op->plan.n;
    return make_rows(op, err);
}

/* -- sending --------------------------------------------------------------------------------------------- */

static qc_rc job_put(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    const struct outgoing *o = ctx;

    return cloud_put(c, o->key, o->parts, PARTS, CLOUD_NEW, op, err);
}

/* Who has been sent what: bit i, fragment i. */
struct sending {
    struct gw_store *store;
    struct write_op *op; /* the batch's */
    struct gw_batch *batch;
    qc_deadline deadline;
    unsigned enough; /* so many are waited for, and grace_ms more; 0: all */
    uint32_t grace_ms;
    uint32_t first;  /* sent at once: slot i */
    uint32_t second; /* sent after their cloud was probed: slot n + i */
    uint32_t trial;  /* those whose cloud had missed a deadline: they are not waited for so long */
    const struct gw_watcher *watcher; /* or NULL */
};

static uint32_t bit(unsigned i)
{
    return (uint32_t)1 << i;
}

/* The clouds of some fragments. */
static gw_clouds clouds_of(const struct gw_plan *p, uint32_t fragments)
{
    gw_clouds set = 0;

    for (unsigned i = 0; i < p->n; i++) {
        if ((fragments & bit(i)) != 0 && p->fragments[i].at >= 0)
            set |= (gw_clouds)1 << p->fragments[i].at;
    }
    return set;
}

/* The fragments that belong on some clouds. */
static uint32_t fragments_of(const struct gw_plan *p, gw_clouds set)
{
    uint32_t fragments = 0;

    for (unsigned i = 0; i < p->n; i++) {
        if (p->fragments[i].at >= 0 && (set >> p->fragments[i].at & 1) != 0)
            fragments |= bit(i);
    }
    return fragments;
}

static unsigned slot_of(const struct sending *s, unsigned i)
{
    return (s->second & bit(i)) != 0 ? s->op->plan.n + i : i;
}

static void watched(const struct sending *s, unsigned i, const struct gw_outcome *o, bool last)
{
    const qc_span *parts = s->op->out[i].parts;
    uint64_t bytes = 0;

    if (s->watcher == NULL)
        return;
    for (unsigned j = 0; j < PARTS; j++)
        bytes += parts[j].n;
    s->watcher->told(s->watcher->ctx, i, s->op->plan.fragments[i].head.cloud_id, bytes, o, last);
}

static void start(const struct sending *s, uint32_t fragments, bool second)
{
    static const struct gw_outcome pending = { .fate = GW_PENDING };
    const struct gw_plan *p = &s->op->plan;

    for (unsigned i = 0; i < p->n; i++) {
        if ((fragments & bit(i)) == 0)
            continue;
        /* Forced: a cloud that has just shown who it is may still have an old job that hangs. */
        const struct gw_job job = { .at = (unsigned)p->fragments[i].at,
                                    .lane = GW_LANE_DATA,
                                    .force = second,
                                    .run = job_put,
                                    .ctx = &s->op->out[i] };
        if (gw_batch_start(s->batch, slot_of(s, i), &job, s->deadline))
            watched(s, i, &pending, false);
    }
}

static bool all_ended(const struct sending *s, uint32_t fragments)
{
    for (unsigned i = 0; i < s->op->plan.n; i++) {
        struct gw_outcome o;
        if ((fragments & bit(i)) == 0)
            continue;
        gw_batch_outcome(s->batch, slot_of(s, i), &o);
        if (o.fate == GW_PENDING)
            return false;
    }
    return true;
}

static unsigned done_count(const struct sending *s)
{
    unsigned count = 0;

    for (unsigned i = 0; i < s->op->plan.n; i++) {
        struct gw_outcome o;
        if (((s->first | s->second) & bit(i)) == 0)
            continue;
        gw_batch_outcome(s->batch, slot_of(s, i), &o);
        count += o.fate == GW_DONE;
    }
    return count;
}

/* Waits for the next one that ends. */
static bool hear(const struct sending *s, qc_deadline d)
{
    const int slot = gw_batch_next(s->batch, d);
    struct gw_outcome o;

    if (slot < 0)
        return false;
    gw_batch_outcome(s->batch, (unsigned)slot, &o);
    watched(s, (unsigned)slot % s->op->plan.n, &o, false);
    return true;
}

/* Wait for all, or for enough; and for those on trial at most QC_GW_TRIAL_MS longer than for the others. */
static void wait_all(const struct sending *s)
{
    const uint32_t others = (s->first | s->second) & ~s->trial;
    qc_deadline d = s->deadline;
    bool trial = false, enough = false;

    do {
        if (s->enough > 0 && !enough && done_count(s) >= s->enough) {
            enough = true;
            d = qc_deadline_min(d, qc_deadline_in(s->grace_ms));
        }
        if (trial || !all_ended(s, others))
            continue;
        trial = true;
        d = qc_deadline_min(d, qc_deadline_in(QC_GW_TRIAL_MS));
    } while (hear(s, d));
    if (enough)
        gw_batch_leave(s->batch);
    else
        gw_batch_abandon(s->batch, true);
}

static uint32_t suspects(const struct sending *s, uint32_t fragments)
{
    const struct gw_plan *p = &s->op->plan;
    uint32_t found = 0;

    for (unsigned i = 0; i < p->n; i++) {
        struct gw_cloud_view v;
        if ((fragments & bit(i)) == 0)
            continue;
        gw_fan_view(s->store->fan, (unsigned)p->fragments[i].at, &v);
        if (v.suspect)
            found |= bit(i);
    }
    return found;
}

/* Fragments whose clouds are not well are sent when these have shown who they are (D8). */
static qc_rc send_second(struct sending *s, uint32_t fragments, struct qc_err *err)
{
    const struct gw_plan *p = &s->op->plan;
    const uint32_t suspected = suspects(s, fragments);
    gw_clouds back = 0;

    QC_TRY(gw_probe_again(s->store->fan, s->store->root, clouds_of(p, fragments), GW_ILL_WORTH, &back, err));
    const uint32_t now = fragments_of(p, back);
    s->second |= now;
    s->trial |= now & suspected;
    start(s, now, true);
    return QC_OK;
}

/* Clouds that are not well are asked while the others are being served: one that hangs costs little, one that
 * is back counts. */
static qc_rc send_all(struct sending *s, struct qc_err *err)
{
    const struct gw_plan *p = &s->op->plan;
    struct gw_fan *fan = s->store->fan;
    const gw_clouds all = gw_fan_all(fan);
    uint32_t failed = 0;

    s->first = fragments_of(p, all & ~gw_probe_ill(fan, all));
    start(s, s->first, false);
    QC_TRY(send_second(s, fragments_of(p, all) & ~s->first, err));
    wait_all(s);
    for (unsigned i = 0; i < p->n; i++) {
        struct gw_outcome o;
        if ((s->first & bit(i)) == 0)
            continue;
        gw_batch_outcome(s->batch, i, &o);
        failed |= o.fate == GW_FAILED ? bit(i) : 0;
    }
    if (s->enough > 0 && done_count(s) >= s->enough)
        return QC_OK;
    /* Their handles were dead, perhaps, and the clouds are not: mounted anew. */
    QC_TRY(send_second(s, failed & fragments_of(p, gw_probe_ill(fan, all)), err));
    wait_all(s);
    return QC_OK;
}

/* Nothing was sent: why not. */
static void not_sent(const struct sending *s, int at, uint32_t cloud_id, struct gw_outcome *o)
{
    struct gw_cloud_view v;

    *o = (struct gw_outcome){ .fate = GW_SKIPPED, .rc = QC_TEMP };
    if (at < 0) {
        o->rc = QC_NOTFOUND;
        (void)snprintf(o->why, sizeof o->why, "cloud %u is not among this gateway's", cloud_id);
        return;
    }
    gw_fan_view(s->store->fan, (unsigned)at, &v);
    (void)snprintf(o->why, sizeof o->why, "%s",
                   v.why[0] != '\0' ? v.why : "did not answer in time a moment ago");
}

static void tell(const struct sending *s, struct gw_written *ret)
{
    const struct gw_plan *p = &s->op->plan;

    for (unsigned i = 0; i < p->n; i++) {
        struct gw_outcome *o = &ret->outcome[i];
        ret->cloud_id[i] = p->fragments[i].head.cloud_id;
        if (((s->first | s->second) & bit(i)) == 0)
            not_sent(s, p->fragments[i].at, ret->cloud_id[i], o);
        else
            gw_batch_outcome(s->batch, slot_of(s, i), o);
        watched(s, i, o, true);
        if (p->fragments[i].at >= 0)
            gw_fan_note_write(s->store->fan, (unsigned)p->fragments[i].at, o);
        if (o->fate == GW_DONE) {
            ret->durable++;
            ret->durable_set |= bit(i);
        }
        if (o->fate == GW_LEFT)
            ret->left_set |= bit(i);
    }
}

/* The segment's bytes in u, coded, and tagged piece by piece. */
static qc_rc op_new(struct gw_store *s, const struct gw_segment *seg, struct gw_unit *u,
                    struct write_op **ret, struct qc_err *err)
{
    QC_CLEANUP(op_free) struct write_op *op = qc_alloc(sizeof *op);

    QC_ASSERT(u->store == s);
    QC_ASSERT(u->coming.k == seg->k && u->coming.segment_size == seg->size);
    QC_ASSERT(gw_unit_missing(u) == 0);
    if (op == NULL)
        return QC_FAIL(err, QC_NOMEM, "writing a segment");
    QC_TRY(gw_segment_plan(s, seg, &op->plan, err));
    op->unit = gw_unit_share(u);
    QC_TRY(code_segment(op, err));
    *ret = QC_STEAL(op);
    return QC_OK;
}

/* A cloud that is wiped and adopted while this put runs has another one afterwards. */
static void note_generations(struct gw_store *s, const struct gw_plan *p, struct gw_written *w)
{
    for (unsigned i = 0; i < p->n; i++) {
        struct gw_cloud_view v = { 0 };
        if (p->fragments[i].at >= 0)
            gw_fan_view(s->fan, (unsigned)p->fragments[i].at, &v);
        w->generation[i] = v.generation;
    }
}

qc_rc gw_segment_write(struct gw_store *s, const struct gw_segment *seg, struct gw_unit *u,
                       qc_deadline deadline, struct gw_written *ret, struct qc_err *err)
{
    return gw_segment_write_some(s, seg, u, &(struct gw_rule){ .deadline = deadline }, NULL, ret, err);
}

qc_rc gw_segment_write_some(struct gw_store *s, const struct gw_segment *seg, struct gw_unit *u,
                            const struct gw_rule *rule, const struct gw_watcher *watcher,
                            struct gw_written *ret, struct qc_err *err)
{
    QC_CLEANUP(op_free) struct write_op *own = NULL;
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;
    struct gw_written w = { 0 };

    QC_TRY(op_new(s, seg, u, &own, err));
    QC_TRY(gw_segment_digest(seg->id, seg->size, rows_of(own), w.digest, err));
    QC_TRY(seal_fragments(own, err));
    note_generations(s, &own->plan, &w);
    QC_TRY(gw_batch_new(&b, s->fan, 2 * seg->n, own, op_release, err));
    struct sending sending = { .store = s,
                               .op = QC_STEAL(own),
                               .batch = b,
                               .deadline = rule->deadline,
                               .enough = rule->enough,
                               .grace_ms = rule->grace_ms,
                               .watcher = watcher };
    QC_TRY(send_all(&sending, err));
    tell(&sending, &w);
    *ret = w;
    return QC_OK;
}

/* -- writing again --------------------------------------------------------------------------------------- */

/* Fragments of the set that the segment's data gives: their rows are those that were written first. */
static uint32_t right_ones(const struct write_op *op, const struct gw_rewrite *what)
{
    uint32_t right = 0;

    for (unsigned i = 0; i < op->plan.n; i++) {
        const size_t at = (size_t)GW_DIGEST_BYTES * i;
        if ((what->which & bit(i)) != 0 &&
            qc_ct_eq(op->digests + at, what->table->rows + at, GW_DIGEST_BYTES))
            right |= bit(i);
    }
    return right;
}

static void tell_wrong(uint32_t wrong, struct gw_written *w)
{
    for (unsigned i = 0; i < QC_EC_N_MAX; i++)
        if ((wrong & bit(i)) != 0)
            w->outcome[i] =
                (struct gw_outcome){ .fate = GW_FAILED,
                                     .rc = QC_INTEGRITY,
                                     .why = "it was not coded from the segment's data when it was written" };
}

qc_rc gw_segment_rewrite(struct gw_store *s, const struct gw_segment *seg, const struct gw_rewrite *what,
                         struct gw_unit *u, qc_deadline deadline, struct gw_written *ret, struct qc_err *err)
{
    QC_CLEANUP(op_free) struct write_op *own = NULL;
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;
    struct gw_written w = { 0 };

    QC_TRY(op_new(s, seg, u, &own, err));
    const uint32_t right = right_ones(own, what);
    memcpy(own->digests, what->table->rows, (size_t)GW_DIGEST_BYTES * seg->n);
    QC_TRY(seal_fragments(own, err));
    memcpy(w.digest, seg->digest, sizeof w.digest);
    tell_wrong(what->which & ~right, &w);
    QC_TRY(gw_batch_new(&b, s->fan, 2 * seg->n, own, op_release, err));
    struct sending sending = { .store = s, .op = QC_STEAL(own), .batch = b, .deadline = deadline };
    sending.first = what->put ? right & fragments_of(&sending.op->plan, gw_fan_all(s->fan)) : 0;
    start(&sending, sending.first, false);
    wait_all(&sending);
    for (unsigned i = 0; i < seg->n; i++) {
        w.cloud_id[i] = sending.op->plan.fragments[i].head.cloud_id;
        if ((sending.first & bit(i)) == 0)
            continue;
        gw_batch_outcome(b, i, &w.outcome[i]);
        w.durable += w.outcome[i].fate == GW_DONE;
        w.durable_set |= w.outcome[i].fate == GW_DONE ? bit(i) : 0;
    }
    if (!what->put)
        w.durable_set = right;
    *ret = w;
    return QC_OK;
}

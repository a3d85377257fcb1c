/* Reading all fragments of a set, for repair: nobody is raced, every answer counts. */
#include <stdatomic.h>
#include <stdio.h>

#include "base/alloc.h"
#include "segment_read_internal.h"

/* What an outcome says of the fragment itself. */
static enum gw_found judge(const struct gw_outcome *o, bool cloud_lost)
{
    if (o->fate == GW_DONE)
        return GW_FOUND_GOOD;
    if (o->fate != GW_FAILED || o->gone || cloud_lost)
        return GW_FOUND_AWAY;
    if (o->rc == QC_NOTFOUND)
        return GW_FOUND_MISSING;
    /* A newer program's fragment is not damaged: it is not for this program to replace. */
    return o->rc == QC_INTEGRITY || o->rc == QC_FORMAT || o->rc == QC_IO ? GW_FOUND_DAMAGED : GW_FOUND_AWAY;
}

static void ask(struct read_op *op, struct gw_batch *b, uint32_t which, qc_deadline deadline,
                struct gw_inspection *ret)
{
    for (unsigned i = 0; i < op->plan.n; i++) {
        const struct gw_plan_fragment *f = &op->plan.fragments[i];
        if ((which >> i & 1) == 0)
            continue;
        if (f->at < 0) {
            ret->found[i] = GW_FOUND_AWAY;
            (void)snprintf(ret->why[i], sizeof ret->why[i], "its cloud is not among this gateway's");
            continue;
        }
        const struct gw_job job = {
            .at = (unsigned)f->at, .lane = GW_LANE_DATA, .run = gw_read_job, .ctx = &op->in[i]
        };
        (void)gw_batch_start(b, i, &job, deadline);
    }
}

static size_t fragment_size(const struct read_op *op)
{
    const struct ec_geometry *g = &op->plan.geometry;
    return GW_FRAG_HEAD_BYTES + (size_t)g->payload_size + gw_frag_end_size(g->stripe_count, op->plan.n);
}

/* What came of each; returns those that did not come in time. R1: a slot is looked at only after its job said
 * DONE. */
static uint32_t tell(struct gw_store *s, struct read_op *op, struct gw_batch *b, uint32_t which,
                     struct gw_inspection *ret)
{
    uint32_t late = 0;
    const size_t size = fragment_size(op);

    for (unsigned i = 0; i < op->plan.n; i++) {
        const int at = op->plan.fragments[i].at;
        struct gw_outcome o;
        if ((which >> i & 1) == 0 || at < 0)
            continue;
        gw_batch_outcome(b, i, &o);
        const bool lost = o.fate == GW_FAILED && op->in[i].lost;
        if (lost)
            gw_fan_set_state(s->fan, (unsigned)at, GW_CLOUD_LOST, "its identity object is gone");
        ret->found[i] = judge(&o, lost);
        memcpy(ret->why[i], o.why, sizeof ret->why[i]);
        late |= (uint32_t)(!lost && (o.fate == GW_LATE || (o.fate == GW_FAILED && o.rc == QC_TIMEOUT))) << i;
        ret->good += ret->found[i] == GW_FOUND_GOOD;
        ret->bytes += ret->found[i] == GW_FOUND_GOOD || ret->found[i] == GW_FOUND_DAMAGED ? size : 0;
    }
    return late;
}

/* The segment from its good fragments. Those that do not give what was written: *ret stays NULL. */
static qc_rc make_read(struct read_op **op, const struct gw_segment *seg, const struct gw_inspection *in,
                       struct gw_read **ret, struct qc_err *err)
{
    QC_CLEANUP(gw_read_free) struct gw_read *r = qc_alloc(sizeof *r);
    bool good[QC_EC_N_MAX];

    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "reading a segment");
    r->range = (struct gw_range){ 0, seg->size };
    for (unsigned i = 0; i < seg->n; i++) {
        good[i] = in->found[i] == GW_FOUND_GOOD;
        r->good |= (uint32_t)good[i] << i;
    }
    const qc_rc rc = gw_read_decode(*op, good, r->data, err);
    if (rc == QC_INTEGRITY) {
        qc_err_clear(err);
        return QC_OK;
    }
    QC_TRY(rc);
    r->op = QC_STEAL(*op);
    *ret = QC_STEAL(r);
    return QC_OK;
}

/* -- an object that hangs after its head ------------------------------------------------------------------
 */

/* Ceph serves the first part of an object whose tail is gone, and then nothing, for as long as one waits: to
 * whoever reads it that is a cloud that does not answer in time. Where the first bytes come at once and the
 * last one again does not within a deadline, it is not the cloud but the object. (A cloud that was away and
 * is back gives both.) */
struct look {
    struct read_op *op;
    struct look_of {
        struct look *all;
        unsigned index;
        atomic_bool began; /* its first bytes came */
        uint8_t bytes[GW_FRAG_HEAD_BYTES];
    } of[QC_EC_N_MAX];
};

static void look_release(void *owner)
{
    struct look *l = owner;
    gw_read_op_unref(l->op);
    qc_free(l);
}

static qc_rc look_job(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    struct look_of *l = ctx;
    const char *key = l->all->op->plan.fragments[l->index].key;
    size_t got = 0;

    QC_TRY(cloud_get(c, key, (struct cloud_range){ 0, sizeof l->bytes }, l->bytes, &got, op, err));
    atomic_store(&l->began, got == sizeof l->bytes);
    return cloud_get(c, key, (struct cloud_range){ fragment_size(l->all->op) - 1, 1 }, l->bytes, &got, op,
                     err);
}

static void look_start(struct look *l, struct gw_batch *b, uint32_t which, qc_deadline deadline)
{
    for (unsigned i = 0; i < l->op->plan.n; i++) {
        l->of[i].all = l;
        l->of[i].index = i;
        const struct gw_job job = { .at = (unsigned)l->op->plan.fragments[i].at,
                                    .lane = GW_LANE_DATA,
                                    .force = true,
                                    .patient = true,
                                    .run = look_job,
                                    .ctx = &l->of[i] };
        if ((which >> i & 1) != 0)
            (void)gw_batch_start(b, i, &job, deadline);
    }
}

/* Fragments of a set that did not come in time, and whose objects are the reason. */
static qc_rc look_again(struct gw_store *s, struct read_op *op, uint32_t which, uint64_t ms,
                        struct gw_inspection *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;
    struct look *l = qc_alloc(sizeof *l);
    const qc_deadline deadline = qc_deadline_in(ms);

    if (l == NULL)
        return QC_FAIL(err, QC_NOMEM, "looking at fragments again");
    l->op = op;
    const qc_rc rc = gw_batch_new(&b, s->fan, op->plan.n, l, look_release, err);
    if (rc != QC_OK) {
        qc_free(l);
        return rc;
    }
    (void)atomic_fetch_add(&op->refs, 1); /* the batch's */
    look_start(l, b, which, deadline);
    while (gw_batch_next(b, deadline) >= 0)
        ;
    gw_batch_abandon(b, false);
    for (unsigned i = 0; i < op->plan.n; i++) {
        struct gw_outcome o = { .fate = GW_DONE };
        if ((which >> i & 1) != 0)
            gw_batch_outcome(b, i, &o);
        if (o.fate == GW_DONE || !atomic_load(&l->of[i].began))
            continue;
        ret->found[i] = GW_FOUND_DAMAGED;
        (void)snprintf(ret->why[i], sizeof ret->why[i], "its beginning comes, and its end does not");
    }
    return QC_OK;
}

/* -- the whole --------------------------------------------------------------------------------------------
 */

qc_rc gw_segment_inspect(struct gw_store *s, const struct gw_segment *seg, uint32_t which,
                         qc_deadline deadline, struct gw_inspection *ret, struct gw_read **ret_read,
                         struct qc_err *err)
{
    QC_CLEANUP(gw_read_op_free) struct read_op *op = NULL;
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;
    struct gw_inspection in = { 0 };
    const uint64_t patience = qc_deadline_left_ms(deadline);

    *ret_read = NULL;
    QC_TRY(gw_read_op_new(s, seg, (struct gw_range){ 0, seg->size }, deadline, &op, err));
    QC_TRY(gw_batch_new(&b, s->fan, seg->n, op, gw_read_op_unref, err));
    (void)atomic_fetch_add(&op->refs, 1); /* the batch's */
    ask(op, b, which, deadline, &in);
    while (gw_batch_next(b, deadline) >= 0)
        ;
    gw_batch_abandon(b, true);
    const uint32_t late = tell(s, op, b, which, &in);
    if (late != 0)
        QC_TRY(
            look_again(s, op, late, patience / 2 < QC_GW_LOOK_MS ? patience / 2 : QC_GW_LOOK_MS, &in, err));
    if (in.good >= seg->k)
        QC_TRY(make_read(&op, seg, &in, ret_read, err));
    *ret = in;
    return QC_OK;
}

void gw_read_table(const struct gw_read *r, struct gw_digest_table *ret)
{
    unsigned any = 0;

    while ((r->good >> any & 1) == 0)
        any++;
    /* Ends are still as they came, those of parity slots that were decoded over, too: see check_all. */
    const qc_span rows = r->op->in[any].end.digests;
    QC_ASSERT(rows.n <= sizeof ret->rows);
    memcpy(ret->rows, rows.p, rows.n);
}

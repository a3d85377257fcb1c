/* Fragments whose tags hold and that are wrong all the same: the writer's code or memory was. Durability 5.1.
 *
 * What a try decodes is held against the digest table, so a choice without the wrong ones is known to be
 * right (I2); with the right data all parity is computed again, and what does not fit its row is to blame.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "segment_read_internal.h"

struct blame {
    const struct gw_read *r;
    uint8_t *parity; /* payloads of the n - k parity fragments */
};

static void blame_done(struct blame *b)
{
    qc_free(b->parity);
    b->parity = NULL;
}

static qc_rc encode_again(struct blame *b, struct qc_err *err)
{
    const struct read_op *op = b->r->op;
    const struct ec_geometry *g = &op->plan.geometry;
    const uint8_t *data[QC_EC_N_MAX];
    uint8_t *parity[QC_EC_N_MAX];

    for (uint32_t t = 0; t < g->stripe_count; t++) {
        const struct ec_stripe st = ec_geometry_stripe(g, t);
        for (unsigned j = 0; j < g->k; j++)
            data[j] = b->r->data[j] + st.payload_offset;
        for (unsigned i = g->k; i < op->plan.n; i++)
            parity[i - g->k] = b->parity + (size_t)(i - g->k) * (size_t)g->payload_size + st.payload_offset;
        QC_TRY(ec_stripe_encode(op->plan.coder, data, st.piece_size, parity, err));
    }
    return QC_OK;
}

static void add_wrong(struct gw_faults *faults, const struct gw_plan_fragment *f)
{
    struct gw_fault *row = NULL;

    for (unsigned x = 0; x < faults->count; x++) {
        if (faults->v[x].index == f->head.index)
            row = &faults->v[x];
    }
    if (row == NULL) {
        QC_ASSERT(faults->count < QC_EC_N_MAX); /* one row per fragment */
        row = &faults->v[faults->count++];
    }
    *row = (struct gw_fault){ .cloud_id = f->head.cloud_id,
                              .index = f->head.index,
                              .kind = GW_FAULT_DAMAGED,
                              .why = "its tags hold, and it was not coded from the segment's data" };
    memcpy(row->key, f->key, sizeof row->key);
}

/* r is right: name the fragments that do not belong to it. */
static qc_rc blame(const struct gw_read *r, struct gw_faults *faults, struct qc_err *err)
{
    QC_CLEANUP(blame_done) struct blame b = { .r = r };
    const struct read_op *op = r->op;
    const struct ec_geometry *g = &op->plan.geometry;
    unsigned any = 0;

    if (op->plan.n == g->k)
        return QC_OK;
    b.parity = qc_alloc((size_t)(op->plan.n - g->k) * (size_t)g->payload_size);
    if (b.parity == NULL)
        return QC_FAIL(err, QC_NOMEM, "parity of a segment");
    QC_TRY(encode_again(&b, err));
    while ((r->good >> any & 1) == 0)
        any++;
    for (unsigned i = g->k; i < op->plan.n; i++) {
        bool holds = false;
        QC_TRY(gw_read_row_holds(op, i, b.parity + (size_t)(i - g->k) * (size_t)g->payload_size,
                                 op->in[any].end.digests, &holds, err));
        if (!holds)
            add_wrong(faults, &op->plan.fragments[i]);
    }
    return QC_OK;
}

/* The next greater word with as many bits. */
static uint64_t same_count(uint64_t v)
{
    const uint64_t low = v & (~v + 1), up = v + low;

    return up | ((v ^ up) / low) >> 2;
}

/* Fragments to leave out: single ones, then pairs, and so on, of those that can be read. */
struct choice {
    unsigned index[QC_EC_N_MAX], count;
    uint64_t out; /* bit x: index[x] is left out */
};

static uint32_t left_out(const struct choice *c)
{
    uint32_t set = 0;

    for (unsigned x = 0; x < c->count; x++)
        set |= (uint32_t)(c->out >> x & 1) << c->index[x];
    return set;
}

/* false: less than k would be left. */
static bool next_choice(struct choice *c, unsigned k)
{
    unsigned size = (unsigned)__builtin_popcountll(c->out);
    uint64_t next = c->out == 0 ? UINT64_C(1) << c->count : same_count(c->out);

    if (next >> c->count != 0)
        next = (UINT64_C(1) << ++size) - 1;
    c->out = next;
    return size + k <= c->count;
}

qc_rc gw_read_subsets(const struct read_ask *first, struct gw_faults *faults, struct gw_read **ret,
                      struct qc_err *err)
{
    struct read_ask ask = *first;
    struct choice c = { 0 };
    uint32_t away = 0;
    unsigned tries = 0;

    for (unsigned x = 0; x < faults->count; x++)
        away |= (uint32_t)1 << faults->v[x].index;
    for (unsigned i = 0; i < first->seg->n; i++) {
        if ((away >> i & 1) == 0)
            c.index[c.count++] = i;
    }
    while (tries < QC_GW_SUBSETS_MAX && next_choice(&c, first->seg->k)) {
        QC_CLEANUP(gw_read_free) struct gw_read *r = NULL;
        struct gw_faults found = { 0 };
        ask.avoid = away | left_out(&c);
        tries++;
        const qc_rc rc = gw_read_once(&ask, &found, &r, err);
        if (rc == QC_OK) {
            QC_TRY(blame(r, faults, err));
            *ret = QC_STEAL(r);
            return QC_OK;
        }
        if (rc != QC_INTEGRITY && rc != QC_QUORUM)
            return rc;
        qc_err_clear(err);
    }
    return QC_FAIL(err, QC_INTEGRITY,
                   "fragments whose tags hold decode to something else than was written, %u choices tried",
                   tries);
}

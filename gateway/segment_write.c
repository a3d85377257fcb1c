/* Writing a segment: code it stripe by stripe into parity slots, tag every piece, send n fragments, wait for
 * all.
 *
 * Data pieces are sent from where the caller put the segment; a fragment is a list of spans. All that a put
 * reads hangs on the operation, which the batch owns: it goes when the last put has ended (S3).
 */
#include <stdio.h>

#include "base/alloc.h"
#include "gateway/probe.h"
#include "store_internal.h"

enum {
    PARTS_MAX = QC_GW_STRIPES_MAX + 2, /* head, pieces, end */
    TAGS_MAX = QC_TAG * QC_GW_STRIPES_MAX,
    DIGESTS_MAX = GW_DIGEST_BYTES * QC_EC_N_MAX,
    PROBE_MS = 2000, /* for clouds that were away: less than any put's deadline */
};

/* One fragment on its way. */
struct outgoing {
    const char *key;
    uint8_t head[GW_FRAG_HEAD_BYTES];
    uint8_t end[TAGS_MAX + DIGESTS_MAX + GW_DIGEST_BYTES];
    qc_span parts[PARTS_MAX];
    unsigned part_count;
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

/* -- coding
 * ----------------------------------------------------------------------------------------------------- */

static uint8_t *piece_at(const struct write_op *op, const struct ec_stripe *st, unsigned i)
{
    if (i < op->plan.geometry.k)
        return op->unit->mem + st->data_offset + (size_t)i * st->piece_size;
    return gw_unit_payload(op->unit, i) + st->payload_offset;
}

/* The last stripe's data is padded with zeros where it lies. */
static void pad(const struct write_op *op)
{
    const struct ec_geometry *g = &op->plan.geometry;
    const struct ec_stripe st = ec_geometry_stripe(g, g->stripe_count - 1);
    const size_t full = (size_t)g->k * st.piece_size;

    memset(op->unit->mem + st.data_offset + st.data_size, 0, full - st.data_size);
}

/* Parity and tags of one stripe, while it is in the cache. */
static qc_rc code_stripe(struct write_op *op, struct qc_aead *aead, uint32_t t, struct qc_err *err)
{
    const struct ec_geometry *g = &op->plan.geometry;
    const struct ec_stripe st = ec_geometry_stripe(g, t);
    uint8_t *parity[QC_EC_N_MAX];

    for (unsigned i = g->k; i < op->plan.n; i++)
        parity[i - g->k] = piece_at(op, &st, i);
    QC_TRY(
        ec_stripe_encode_block(op->plan.coder, op->unit->mem + st.data_offset, st.piece_size, parity, err));
    for (unsigned i = 0; i < op->plan.n; i++) {
        struct outgoing *o = &op->out[i];
        const qc_span piece = qc_span_of(piece_at(op, &st, i), st.piece_size);
        QC_TRY(
            gw_frag_piece_tag(&op->plan.keys, aead, (uint8_t)i, t, piece, o->end + (size_t)QC_TAG * t, err));
        o->parts[1 + t] = piece;
    }
    return QC_OK;
}

/* Ends: tag table, digest table, tag. */
static qc_rc seal_fragments(struct write_op *op, const struct gw_segment *seg,
                            uint8_t digest[GW_DIGEST_BYTES], struct qc_err *err)
{
    const uint32_t stripes = op->plan.geometry.stripe_count;
    const size_t tags_size = (size_t)QC_TAG * stripes, digests_size = (size_t)GW_DIGEST_BYTES * op->plan.n;

    for (unsigned i = 0; i < op->plan.n; i++)
        QC_TRY(gw_frag_tags_digest((uint8_t)i, qc_span_of(op->out[i].end, tags_size),
                                   op->digests + (size_t)GW_DIGEST_BYTES * i, err));
    const qc_span digests = qc_span_of(op->digests, digests_size);
    QC_TRY(gw_segment_digest(seg->id, seg->size, digests, digest, err));
    for (unsigned i = 0; i < op->plan.n; i++) {
        struct outgoing *o = &op->out[i];
        gw_frag_head_write(&op->plan.fragments[i].head, o->head);
        memcpy(o->end + tags_size, op->digests, digests_size);
        QC_TRY(gw_frag_mac(&op->plan.keys, qc_span_of(o->head, sizeof o->head), qc_span_of(o->end, tags_size),
                           digests, o->end + tags_size + digests_size, err));
        o->key = op->plan.fragments[i].key;
        o->parts[0] = qc_span_of(o->head, sizeof o->head);
        o->parts[1 + stripes] = qc_span_of(o->end, gw_frag_end_size(stripes, op->plan.n));
        o->part_count = stripes + 2;
    }
    return QC_OK;
}

static qc_rc code_segment(struct write_op *op, const struct gw_segment *seg, uint8_t digest[GW_DIGEST_BYTES],
                          struct qc_err *err)
{
    QC_CLEANUP(qc_aead_free) struct qc_aead *aead = NULL;

    QC_TRY(qc_aead_new(&aead, err));
    pad(op);
    for (uint32_t t = 0; t < op->plan.geometry.stripe_count; t++)
        QC_TRY(code_stripe(op, aead, t, err));
    return seal_fragments(op, seg, digest, err);
}

/* -- sending
 * ---------------------------------------------------------------------------------------------------- */

static qc_rc job_put(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    const struct outgoing *o = ctx;

    return cloud_put(c, o->key, o->parts, o->part_count, CLOUD_NEW, op, err);
}

/* Clouds that were away may be back, and are asked who they are before they count again (D8). */
static qc_rc look_again(struct gw_store *s, const struct gw_plan *p, struct qc_err *err)
{
    gw_clouds set = 0;

    for (unsigned i = 0; i < p->n; i++) {
        if (p->fragments[i].at >= 0)
            set |= (gw_clouds)1 << p->fragments[i].at;
    }
    return gw_probe_again(s->fan, s->root, set, qc_deadline_in(PROBE_MS), err);
}

static void send_all(struct gw_batch *b, struct write_op *op, qc_deadline deadline)
{
    for (unsigned i = 0; i < op->plan.n; i++) {
        const int at = op->plan.fragments[i].at;
        if (at < 0)
            continue;
        const struct gw_job job = {
            .at = (unsigned)at, .lane = GW_LANE_DATA, .run = job_put, .ctx = &op->out[i]
        };
        (void)gw_batch_start(b, i, &job, deadline);
    }
    while (gw_batch_next(b, deadline) >= 0)
        continue;
    gw_batch_abandon(b, true);
}

static void tell(struct gw_batch *b, const struct gw_plan *p, struct gw_written *ret)
{
    for (unsigned i = 0; i < p->n; i++) {
        struct gw_outcome *o = &ret->outcome[i];
        ret->cloud_id[i] = p->fragments[i].head.cloud_id;
        gw_batch_outcome(b, i, o);
        if (p->fragments[i].at < 0) {
            *o = (struct gw_outcome){ .fate = GW_SKIPPED, .rc = QC_NOTFOUND };
            (void)snprintf(o->why, sizeof o->why, "cloud %u is not among this gateway's", ret->cloud_id[i]);
        }
        if (o->fate == GW_DONE) {
            ret->durable++;
            ret->durable_set |= (uint32_t)1 << i;
        }
    }
}

qc_rc gw_segment_write(struct gw_store *s, const struct gw_segment *seg, struct gw_unit *u,
                       qc_deadline deadline, struct gw_written *ret, struct qc_err *err)
{
    QC_CLEANUP(op_free) struct write_op *own = qc_alloc(sizeof *own);
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;
    struct gw_written w = { 0 };

    QC_ASSERT(u->store == s);
    if (own == NULL)
        return QC_FAIL(err, QC_NOMEM, "writing a segment");
    QC_TRY(gw_segment_plan(s, seg, &own->plan, err));
    own->unit = gw_unit_share(u);
    QC_TRY(look_again(s, &own->plan, err));
    QC_TRY(code_segment(own, seg, w.digest, err));
    QC_TRY(gw_batch_new(&b, s->fan, seg->n, own, op_release, err));
    struct write_op *op = QC_STEAL(own);
    send_all(b, op, deadline);
    tell(b, &op->plan, &w);
    *ret = w;
    return QC_OK;
}

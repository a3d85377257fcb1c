/* Decoding what was read, and handing it out. See segment_read.c, R1 and R2. */
#include "base/planted.h"
#include "base/alloc.h"
#include "segment_read_internal.h"

/* Which slots stand for what. */
struct decoding {
    struct read_op *op;
    bool use[QC_EC_N_MAX];         /* fragments that are decoded from: k of them */
    unsigned missing[QC_EC_N_MAX]; /* data fragments that are not there */
    unsigned instead[QC_EC_N_MAX]; /* parity fragment whose slot receives missing[x] */
    unsigned missing_count;
    uint8_t *scratch; /* missing_count pieces */
    size_t piece_max;
};

static void decoding_done(struct decoding *d)
{
    qc_free(d->scratch);
    d->scratch = NULL;
}

static void choose(struct decoding *d, const bool *good)
{
    const unsigned k = d->op->plan.geometry.k;
    unsigned parity = k;

    for (unsigned j = 0; j < k; j++) {
        d->use[j] = good[j];
        if (good[j])
            continue;
        while (!good[parity])
            parity++;
        QC_ASSERT(parity < d->op->plan.n); /* there are k good ones */
        d->use[parity] = true;
        d->missing[d->missing_count] = j;
        d->instead[d->missing_count++] = parity++;
    }
}

static qc_rc decode_stripe(const struct decoding *d, uint32_t t, struct qc_err *err)
{
    const struct ec_stripe st = ec_geometry_stripe(&d->op->plan.geometry, t);
    const uint8_t *pieces[QC_EC_N_MAX] = { NULL };
    uint8_t *out[QC_EC_N_MAX] = { NULL };

    for (unsigned i = 0; i < d->op->plan.n; i++)
        pieces[i] = d->use[i] ? gw_unit_payload(d->op->unit, i) + st.payload_offset : NULL;
    for (unsigned x = 0; x < d->missing_count; x++)
        out[d->missing[x]] = d->scratch + x * d->piece_max;
    QC_TRY(ec_stripe_decode(d->op->plan.coder, pieces, st.piece_size, out, err));
    for (unsigned x = 0; x < d->missing_count; x++)
        memcpy(gw_unit_payload(d->op->unit, d->instead[x]) + st.payload_offset, out[d->missing[x]],
               st.piece_size);
    return QC_OK;
}

qc_rc gw_read_row_holds(const struct read_op *op, unsigned index, const uint8_t *payload, qc_span digests,
                        bool *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_aead_free) struct qc_aead *aead = NULL;
    const struct ec_geometry *g = &op->plan.geometry;
    const uint8_t i = (uint8_t)index;
    uint8_t tags[QC_TAG * QC_GW_STRIPES_MAX], row[GW_DIGEST_BYTES];

    QC_TRY(qc_aead_new(&aead, err));
    for (uint32_t t = 0; t < g->stripe_count; t++) {
        const struct ec_stripe st = ec_geometry_stripe(g, t);
        QC_TRY(gw_frag_piece_tag(&op->plan.keys, aead, i, t,
                                 qc_span_of(payload + st.payload_offset, st.piece_size),
                                 tags + (size_t)QC_TAG * t, err));
    }
    QC_TRY(gw_frag_tags_digest(i, qc_span_of(tags, (size_t)QC_TAG * g->stripe_count), row, err));
    *ret = qc_ct_eq(row, digests.p + (size_t)GW_DIGEST_BYTES * i, sizeof row);
    return QC_OK;
}

/* What was decoded for the missing fragment x, against its row of the digest table. */
static qc_rc check_decoded(const struct decoding *d, unsigned x, qc_span digests, struct qc_err *err)
{
    bool holds = false;

    QC_TRY(gw_read_row_holds(d->op, d->missing[x], gw_unit_payload(d->op->unit, d->instead[x]), digests,
                             &holds, err));
    if (!holds && !qc_planted(unverified))
        return QC_FAIL(err, QC_INTEGRITY,
                       "fragments whose tags hold decode to something else than was written");
    return QC_OK;
}

static qc_rc check_all(const struct decoding *d, struct qc_err *err)
{
    unsigned any = 0;

    while (!d->use[any])
        any++;
    /* The end of a data fragment lies in its own slot, that of a parity fragment behind the payload that was
     * decoded over: both are still as they came. */
    for (unsigned x = 0; x < d->missing_count; x++)
        QC_TRY(check_decoded(d, x, d->op->in[any].end.digests, err));
    return QC_OK;
}

qc_rc gw_read_decode(struct read_op *op, const bool *good, const uint8_t **data, struct qc_err *err)
{
    QC_CLEANUP(decoding_done) struct decoding d = { .op = op };
    const struct ec_geometry *g = &op->plan.geometry;

    choose(&d, good);
    for (unsigned j = 0; j < g->k; j++)
        data[j] = gw_unit_payload(op->unit, j);
    if (d.missing_count == 0)
        return QC_OK;
    d.piece_max = ec_geometry_stripe(g, op->stripe_from).piece_size; /* only the last stripe's are smaller */
    d.scratch = qc_alloc(d.missing_count * d.piece_max);
    if (d.scratch == NULL)
        return QC_FAIL(err, QC_NOMEM, "decoding %u pieces of %zu bytes", d.missing_count, d.piece_max);
    for (uint32_t t = op->stripe_from; t < op->stripe_to; t++)
        QC_TRY(decode_stripe(&d, t, err));
    for (unsigned x = 0; x < d.missing_count; x++)
        data[d.missing[x]] = gw_unit_payload(op->unit, d.instead[x]);
    return op->whole ? check_all(&d, err) : QC_OK;
}

/* -- handing out ----------------------------------------------------------------------------------------- */

qc_span gw_read_span(const struct gw_read *r, uint32_t offset)
{
    QC_ASSERT(offset >= r->range.from);
    QC_ASSERT(offset < r->range.to);
    const struct ec_geometry *g = &r->op->plan.geometry;
    const struct ec_stripe st = ec_geometry_stripe(g, ec_geometry_stripe_at(g, offset));
    const uint32_t in_stripe = offset - st.data_offset, in_piece = in_stripe % st.piece_size;
    uint32_t n = st.piece_size - in_piece;

    if (n > st.data_size - in_stripe)
        n = st.data_size - in_stripe;
    if (n > r->range.to - offset)
        n = r->range.to - offset;
    return qc_span_of(r->data[in_stripe / st.piece_size] + st.payload_offset + in_piece, n);
}

void gw_read_copy(const struct gw_read *r, uint32_t offset, uint8_t *dst, size_t n)
{
    while (n > 0) {
        qc_span s = gw_read_span(r, offset);
        if (s.n > n)
            s.n = n;
        memcpy(dst, s.p, s.n);
        dst += s.n;
        offset += (uint32_t)s.n;
        n -= s.n;
    }
}

void gw_faults_add(struct gw_faults *to, const struct gw_faults *from)
{
    for (unsigned i = 0; i < from->count && to->count < QC_EC_N_MAX; i++)
        to->v[to->count++] = from->v[i];
}

#include "ec/geometry.h"
#include "base/limits.h"

static uint32_t stripe_bytes(const struct ec_geometry *g)
{
    return g->k * g->piece_size; /* at most QC_EC_STRIPE_SIZE */
}

qc_rc ec_geometry(unsigned k, uint32_t segment_size, struct ec_geometry *ret, struct qc_err *err)
{
    if (k < 1 || k > QC_EC_N_MAX)
        return QC_FAIL(err, QC_USAGE, "coding: k = %u, expected 1 to %u", k, (unsigned)QC_EC_N_MAX);
    struct ec_geometry g = { .k = k, .segment_size = segment_size };
    uint32_t row = QC_EC_ALIGN * k; /* the smallest stripe */
    g.piece_size = QC_EC_ALIGN * (uint32_t)(QC_EC_STRIPE_SIZE / row);
    uint32_t full = segment_size / stripe_bytes(&g);
    uint32_t rest = segment_size % stripe_bytes(&g);
    uint32_t rest_piece = QC_EC_ALIGN * (rest / row + (rest % row != 0));
    QC_ASSERT(rest_piece <= g.piece_size);
    g.stripe_count = full + (rest != 0);
    g.last_size = rest != 0 ? rest_piece : full != 0 ? g.piece_size : 0;
    g.payload_size = (uint64_t)full * g.piece_size + rest_piece;
    *ret = g;
    return QC_OK;
}

struct ec_stripe ec_geometry_stripe(const struct ec_geometry *g, uint32_t index)
{
    QC_ASSERT(index < g->stripe_count);
    struct ec_stripe s = {
        .piece_size = g->piece_size,
        .data_size = stripe_bytes(g),
        .data_offset = index * stripe_bytes(g),
        .payload_offset = index * g->piece_size,
    };
    if (index == g->stripe_count - 1) {
        s.piece_size = g->last_size;
        s.data_size = g->segment_size - s.data_offset;
    }
    QC_ASSERT(s.data_size <= g->k * s.piece_size);
    return s;
}

uint32_t ec_geometry_stripe_at(const struct ec_geometry *g, uint32_t offset)
{
    QC_ASSERT(offset < g->segment_size);
    return offset / stripe_bytes(g);
}

/* What writing and reading of segments have in common. */
#include "gateway/segment.h"

#include "gateway/place.h"
#include "store_internal.h"

const char *gw_fault_kind_name(enum gw_fault_kind k)
{
    static const char *const names[] = {
        [GW_FAULT_MISSING] = "missing",
        [GW_FAULT_DAMAGED] = "damaged",
        [GW_FAULT_UNREACHABLE] = "unreachable",
        [GW_FAULT_LATE] = "late",
        [GW_FAULT_LOST] = "lost",
    };

    QC_ASSERT((unsigned)k < sizeof names / sizeof names[0]);
    return names[k];
}

/* Where fragment i lies: perm is the segment's permutation. */
static uint32_t cloud_of(const struct gw_segment *seg, const uint8_t *perm, unsigned i)
{
    return seg->cloud[i] != 0 ? seg->cloud[i] : seg->layout[perm[i]];
}

static uint32_t writer_of(const struct gw_segment *seg, unsigned i)
{
    return seg->writer[i] != 0 ? seg->writer[i] : seg->incarnation;
}

static qc_rc fragment_name(const struct gw_store *s, const struct gw_segment *seg, unsigned index,
                           uint32_t cloud_id, char ret[GW_NAME_SIZE], struct qc_err *err)
{
    struct gw_name name = {
        .kind = GW_NAME_FRAGMENT,
        .id = seg->id,
        .index = (uint8_t)index,
        .attempt = seg->attempt[index],
        .incarnation = (uint16_t)writer_of(seg, index),
    };

    memcpy(name.salt, seg->salt, sizeof name.salt);
    return gw_name_make(s->root, cloud_id, &name, ret, err);
}

qc_rc gw_segment_key(const struct gw_store *s, const struct gw_segment *seg, unsigned index, int *ret_at,
                     char ret_key[GW_NAME_SIZE], struct qc_err *err)
{
    uint8_t perm[QC_EC_N_MAX];

    QC_ASSERT(index < seg->n);
    QC_TRY(gw_place_permutation(s->root, seg->id, seg->salt, seg->n, perm, err));
    const uint32_t cloud_id = cloud_of(seg, perm, index);
    QC_TRY(fragment_name(s, seg, index, cloud_id, ret_key, err));
    *ret_at = gw_fan_at(s->fan, cloud_id);
    return QC_OK;
}

/* All but index, attempt, incarnation and cloud. */
static void fill_head(const struct gw_store *s, const struct gw_segment *seg, const struct ec_geometry *g,
                      struct gw_frag_head *ret)
{
    *ret = (struct gw_frag_head){
        .head_size = GW_FRAG_HEAD_BYTES,
        .tenant = seg->tenant,
        .segment_id = seg->id,
        .seq = seg->seq,
        .k = (uint8_t)seg->k,
        .n = (uint8_t)seg->n,
        .segment_size = seg->size,
        .piece_size = g->piece_size,
        .stripe_count = g->stripe_count,
        .base = seg->base,
        .payload_size = g->payload_size,
        .last = seg->last,
    };
    memcpy(ret->catalogue, gw_root_catalogue(s->root), GW_ID_BYTES);
    memcpy(ret->object, seg->object, GW_ID_BYTES);
    memcpy(ret->version, seg->version, GW_ID_BYTES);
    memcpy(ret->salt, seg->salt, GW_SALT_BYTES);
}

qc_rc gw_segment_plan(const struct gw_store *s, const struct gw_segment *seg, struct gw_plan *ret,
                      struct qc_err *err)
{
    QC_CLEANUP(gw_plan_done) struct gw_plan p = { .n = seg->n };
    uint8_t perm[QC_EC_N_MAX];

    QC_ASSERT(seg->size >= 1 && seg->size <= QC_GW_SEGMENT_MAX);
    QC_TRY(ec_coder_get(seg->k, seg->n - seg->k, &p.coder, err));
    QC_TRY(ec_geometry(seg->k, seg->size, &p.geometry, err));
    if (!gw_unit_fits(s, &p.geometry, seg->n))
        return QC_FAIL(err, QC_LIMIT, "segment coded %u of %u: this gateway's buffers are for %u of %u",
                       seg->k, seg->n, s->k, s->n);
    QC_TRY(gw_frag_keys_derive(s->root, seg->id, seg->salt, &p.keys, err));
    QC_TRY(gw_place_permutation(s->root, seg->id, seg->salt, seg->n, perm, err));
    for (unsigned i = 0; i < seg->n; i++) {
        struct gw_plan_fragment *f = &p.fragments[i];
        fill_head(s, seg, &p.geometry, &f->head);
        f->head.index = (uint8_t)i;
        f->head.attempt = seg->attempt[i];
        f->head.incarnation = writer_of(seg, i);
        f->head.cloud_id = cloud_of(seg, perm, i);
        f->at = gw_fan_at(s->fan, f->head.cloud_id);
        QC_TRY(fragment_name(s, seg, i, f->head.cloud_id, f->key, err));
    }
    *ret = QC_STEAL(p);
    return QC_OK;
}

void gw_plan_done(struct gw_plan *p)
{
    gw_frag_keys_done(&p->keys);
}

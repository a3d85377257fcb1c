/* What lies under the key of a fragment that is not it: for a scrub, and for a repair that comes across it.
 */
#include <stdio.h>

#include "ec/geometry.h"
#include "repair_internal.h"

/* The salt of a segment that exists, or that is dead. */
static qc_rc salt_of(struct gw_engine *e, uint64_t segment_id, uint8_t ret[GW_SALT_BYTES], bool *ret_found,
                     struct qc_err *err)
{
    struct gw_segment seg;
    struct gw_dead_row dead;
    struct qc_err miss = { 0 };
    QC_LOCK(gw_cat_lock(e->cat));
    const qc_rc rc = gw_cat_segment_plain(e->cat, segment_id, &seg, &miss);

    *ret_found = rc == QC_OK;
    if (rc == QC_OK)
        memcpy(ret, seg.salt, GW_SALT_BYTES);
    if (rc != QC_NOTFOUND) {
        if (rc != QC_OK)
            *err = miss;
        return rc;
    }
    QC_TRY(gw_cat_dead_segment(e->cat, segment_id, &dead, ret_found, err));
    if (*ret_found)
        memcpy(ret, dead.seg.salt, GW_SALT_BYTES);
    return QC_OK;
}

static void keys_done(struct gw_frag_keys *k)
{
    gw_frag_keys_done(k);
}

/* Did we write these bytes, as some fragment or other? Head and end are looked at; pieces are not. */
static qc_rc is_genuine(struct gw_engine *e, qc_span object, struct gw_frag_head *ret_head, bool *ret,
                        struct qc_err *err)
{
    QC_CLEANUP(keys_done) struct gw_frag_keys keys = { 0 };
    uint8_t salt[GW_SALT_BYTES], sum[GW_DIGEST_BYTES];
    struct gw_frag_end fe;
    struct qc_err why = { 0 };
    bool found;

    *ret = false;
    if (object.n < GW_FRAG_HEAD_BYTES)
        return QC_OK;
    const qc_span head = qc_span_sub(object, 0, GW_FRAG_HEAD_BYTES);
    if (gw_frag_head_parse(head, ret_head, &why) != QC_OK)
        return QC_OK;
    const size_t end_at = (size_t)ret_head->head_size + ret_head->payload_size;
    if (ret_head->head_size != GW_FRAG_HEAD_BYTES ||
        object.n != end_at + gw_frag_end_size(ret_head->stripe_count, ret_head->n))
        return QC_OK;
    if (gw_frag_end_parse(qc_span_from(object, end_at), ret_head->stripe_count, ret_head->n, &fe, &why) !=
        QC_OK)
        return QC_OK;
    QC_TRY(salt_of(e, ret_head->segment_id, salt, &found, err));
    if (!found)
        return QC_OK;
    QC_TRY(gw_frag_keys_derive(e->root, ret_head->segment_id, salt, &keys, err));
    QC_TRY(gw_frag_mac(&keys, head, fe.tags, fe.digests, sum, err));
    *ret = qc_ct_eq(sum, fe.mac.p, sizeof sum);
    return QC_OK;
}

/* Of our fragments, is it this one? Its name says all that a repair can change. */
static bool is_this(const struct gw_segment *seg, unsigned frag, uint32_t cloud_id,
                    const struct gw_frag_head *h)
{
    const uint32_t writer = seg->writer[frag] != 0 ? seg->writer[frag] : seg->incarnation;

    return h->segment_id == seg->id && h->index == frag && h->attempt == seg->attempt[frag] &&
           h->incarnation == writer && h->cloud_id == cloud_id;
}

/* No bytes came. */
static void judge_failure(const struct gw_outcome *o, struct gw_judgement *ret)
{
    if (o->fate == GW_FAILED && o->rc == QC_NOTFOUND && !o->gone)
        ret->kind = GW_FINDING_MISSING; /* it went meanwhile */
    else if (o->fate == GW_FAILED && o->rc == QC_LIMIT)
        ret->kind = GW_FINDING_SIZE;
    else if (o->fate != GW_FAILED || o->rc != QC_IO)
        snprintf(ret->why, sizeof ret->why, "%s", o->why[0] != '\0' ? o->why : "does not answer");
}

qc_rc gw_judge(struct gw_engine *e, const struct gw_segment *seg, unsigned frag, struct gw_judgement *ret,
               struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf object = { 0 };
    char key[GW_NAME_SIZE];
    struct gw_frag_head h = { 0 };
    struct gw_outcome o;
    struct ec_geometry g;
    bool genuine;
    int at;

    *ret = (struct gw_judgement){ .kind = GW_FINDING_DAMAGED };
    QC_TRY(ec_geometry(seg->k, seg->size, &g, err));
    QC_TRY(gw_segment_key(e->store, seg, frag, &at, key, err));
    if (at < 0)
        return QC_OK;
    const struct gw_get_one one = {
        .at = (unsigned)at, .key = key, .size_max = 2 * QC_GW_SEGMENT_MAX, .ms = QC_GW_READ_MS
    };
    QC_TRY(gw_fan_get_one(e->fan, &one, &object, &o, err));
    ret->bytes = object.n;
    if (o.fate != GW_DONE) {
        judge_failure(&o, ret);
        return QC_OK;
    }
    QC_TRY(is_genuine(e, qc_buf_span(&object), &h, &genuine, err));
    if (genuine && !is_this(seg, frag, gw_fan_id(e->fan, (unsigned)at), &h))
        ret->kind = GW_FINDING_STALE;
    else if (object.n != GW_FRAG_HEAD_BYTES + g.payload_size + gw_frag_end_size(g.stripe_count, seg->n))
        ret->kind = GW_FINDING_SIZE;
    return QC_OK;
}

qc_rc gw_repair_judge(struct gw_repairing *p, const struct gw_segment *seg, uint32_t which,
                      const struct gw_inspection *seen, enum gw_finding_kind *ret, struct qc_err *err)
{
    for (unsigned i = 0; i < seg->n; i++) {
        struct gw_judgement j;
        if (seen->found[i] != GW_FOUND_DAMAGED || (which >> i & 1) == 0)
            continue;
        QC_TRY(gw_judge(p->e, seg, i, &j, err));
        QC_TRY(gw_repair_moved(p, j.bytes, 0, err));
        ret[i] = j.kind;
    }
    return QC_OK;
}

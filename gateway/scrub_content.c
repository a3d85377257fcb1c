/* Scrub, content: every fragment that counts on a cloud is read, whole, and verified. */
#include "ec/geometry.h"
#include "scrub_internal.h"

/* -- what lies there instead ----------------------------------------------------------------------------- */

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
static bool is_this(const struct gw_scrubbing *s, const struct gw_segment *seg, unsigned frag,
                    const struct gw_frag_head *h)
{
    const uint32_t writer = seg->writer[frag] != 0 ? seg->writer[frag] : seg->incarnation;

    return h->segment_id == seg->id && h->index == frag && h->attempt == seg->attempt[frag] &&
           h->incarnation == writer && h->cloud_id == s->cloud_id;
}

static qc_rc get(struct gw_scrubbing *s, const struct gw_segment *seg, unsigned frag, qc_buf *ret,
                 struct gw_outcome *ret_outcome, struct qc_err *err)
{
    qc_buf bytes[QC_GW_CLOUDS_MAX] = { 0 };
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    char key[GW_NAME_SIZE];
    struct gw_answer a;
    int at;

    QC_TRY(gw_segment_key(s->e->store, seg, frag, &at, key, err));
    keys[s->at] = key;
    const struct gw_ask ask = { .set = (gw_clouds)1 << s->at,
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_READ_MS) } };
    QC_TRY(gw_fan_get(s->e->fan, &ask, 2 * QC_GW_SEGMENT_MAX, bytes, &a, err));
    *ret = QC_STEAL(bytes[s->at]);
    *ret_outcome = a.outcome[s->at];
    s->requests++;
    s->bytes += ret->n;
    return QC_OK;
}

qc_rc gw_scrub_judge(struct gw_scrubbing *s, const struct gw_segment *seg, unsigned frag,
                     enum gw_finding_kind *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf object = { 0 };
    struct gw_frag_head h = { 0 };
    struct gw_outcome o;
    struct ec_geometry g;
    bool genuine;

    QC_TRY(ec_geometry(seg->k, seg->size, &g, err));
    QC_TRY(get(s, seg, frag, &object, &o, err));
    *ret = GW_FINDING_DAMAGED;
    if (o.fate != GW_DONE) {
        if (o.fate == GW_FAILED && o.rc == QC_NOTFOUND && !o.gone)
            *ret = GW_FINDING_MISSING; /* it went meanwhile */
        else if (o.fate == GW_FAILED && o.rc == QC_LIMIT)
            *ret = GW_FINDING_SIZE;
        else if (o.fate != GW_FAILED || o.rc != QC_IO)
            gw_scrub_ill(s, o.why);
        return QC_OK;
    }
    QC_TRY(is_genuine(s->e, qc_buf_span(&object), &h, &genuine, err));
    if (genuine && !is_this(s, seg, frag, &h))
        *ret = GW_FINDING_STALE;
    else if (object.n != GW_FRAG_HEAD_BYTES + g.payload_size + gw_frag_end_size(g.stripe_count, seg->n))
        *ret = GW_FINDING_SIZE;
    return QC_OK;
}

/* -- reading --------------------------------------------------------------------------------------------- */

static qc_rc note(struct gw_scrubbing *s, const struct gw_segment *seg, unsigned frag,
                  const struct gw_inspection *in, struct qc_err *err)
{
    enum gw_finding_kind kind = GW_FINDING_MISSING;
    char key[GW_NAME_SIZE];
    int at;

    if (in->found[frag] == GW_FOUND_AWAY)
        gw_scrub_ill(s, in->why[frag]);
    if (in->found[frag] == GW_FOUND_DAMAGED)
        QC_TRY(gw_scrub_judge(s, seg, frag, &kind, err));
    if (s->ill)
        return QC_OK;
    s->objects++;
    if (in->found[frag] == GW_FOUND_GOOD)
        return QC_OK;
    QC_TRY(gw_segment_key(s->e->store, seg, frag, &at, key, err));
    return gw_scrub_bad(s, seg, frag, kind, key, err);
}

static qc_rc read_segment(struct gw_scrubbing *s, uint64_t id, struct qc_err *err)
{
    QC_CLEANUP(gw_read_free) struct gw_read *read = NULL;
    struct gw_segment seg;
    struct gw_inspection in;
    uint32_t here;

    QC_TRY(gw_scrub_segment(s, id, &seg, &here, err));
    if (here == 0)
        return QC_OK;
    const qc_rc rc =
        gw_segment_inspect(s->e->store, &seg, here, qc_deadline_in(QC_GW_READ_MS), &in, &read, err);
    if (rc == QC_TEMP) { /* units are for requests first */
        qc_err_clear(err);
        s->later = true;
        return QC_OK;
    }
    QC_TRY(rc);
    s->requests += (unsigned)__builtin_popcount(here);
    s->bytes += in.bytes;
    for (unsigned i = 0; i < seg.n && !s->ill; i++)
        if ((here >> i & 1) != 0)
            QC_TRY(note(s, &seg, i, &in, err));
    return QC_OK;
}

/* Goes on behind the last segment that was read; where the cloud fails, at that one again. */
qc_rc gw_scrub_read(struct gw_scrubbing *s, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_window_row *rows = qc_alloc(GW_WINDOW * sizeof *rows);
    const uint64_t to = s->row.next + GW_WINDOW;
    unsigned count, read = 0;

    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "a window of segments");
    {
        QC_LOCK(gw_cat_lock(s->e->cat));
        QC_TRY(gw_cat_window(s->e->cat, s->row.next, rows, &count, err));
    }
    for (unsigned x = 0; x < count && rows[x].id < s->row.upto; x++) {
        QC_TRY(gw_repair_go_on(&s->p, err));
        QC_TRY(read_segment(s, rows[x].id, err));
        if (s->ill || s->later)
            return QC_OK;
        s->row.next = rows[x].id;
        if (++read == QC_GW_SCRUB_SEGMENTS || s->bytes >= QC_GW_SCRUB_BYTES)
            return QC_OK;
    }
    s->row.next = to;
    if (to >= s->row.upto) {
        s->row.next = 0;
        s->row.stage = GW_SCRUB_LOG;
    }
    return QC_OK;
}

/* Fragments (FORMAT 8.2, 8.3). Reader and writer. */
#include "gateway/frag.h"

#include "ec/geometry.h"

enum { VERSION = 1, FLAG_LAST = 1, MUST_UNDERSTAND = 0x8000, EXTENSIONS_AT = GW_FRAG_HEAD_BYTES };

static const uint8_t magic[4] = { 'Q', 'C', 'L', 'F' };

/* -- head ------------------------------------------------------------------------------------------------ */

/* Appends to a fixed buffer, as the format's table reads. */
struct writer {
    uint8_t *p;
    size_t at;
};

static void w_be(struct writer *w, uint64_t v, size_t nbytes)
{
    qc_put_be(w->p + w->at, v, nbytes);
    w->at += nbytes;
}

static void w_bytes(struct writer *w, const uint8_t *p, size_t n)
{
    memcpy(w->p + w->at, p, n);
    w->at += n;
}

void gw_frag_head_write(const struct gw_frag_head *h, uint8_t ret[GW_FRAG_HEAD_BYTES])
{
    struct writer w = { .p = ret };

    QC_ASSERT(h->head_size == GW_FRAG_HEAD_BYTES);
    w_bytes(&w, magic, sizeof magic);
    w_be(&w, VERSION, 1);
    w_be(&w, GW_FRAG_CODING, 1);
    w_be(&w, h->head_size, 2);
    w_bytes(&w, h->catalogue, GW_ID_BYTES);
    w_be(&w, h->incarnation, 4);
    w_be(&w, h->tenant, 4);
    w_bytes(&w, h->object, GW_ID_BYTES);
    w_bytes(&w, h->version, GW_ID_BYTES);
    w_be(&w, h->segment_id, 8);
    w_be(&w, h->seq, 4);
    w_be(&w, h->k, 1);
    w_be(&w, h->n, 1);
    w_be(&w, h->index, 1);
    w_be(&w, h->attempt, 1);
    w_be(&w, h->segment_size, 4);
    w_be(&w, h->piece_size, 4);
    w_be(&w, h->stripe_count, 4);
    w_be(&w, h->cloud_id, 4);
    w_bytes(&w, h->salt, GW_SALT_BYTES);
    w_be(&w, h->base, 8);
    w_be(&w, h->payload_size, 8);
    w_be(&w, h->last ? FLAG_LAST : 0, 1);
    memset(ret + w.at, 0, GW_FRAG_HEAD_BYTES - w.at);
    QC_ASSERT(w.at == GW_FRAG_HEAD_BYTES - 7);
}

/* Extension fields (FORMAT 1): types ascending; those that must be understood are unknown to this version. */
static qc_rc skip_extensions(qc_rd *r, struct qc_err *err)
{
    uint32_t last = 0;

    for (bool first = true; qc_rd_left(r) > 0; first = false) {
        const uint32_t type = (uint32_t)qc_rd_be(r, 2);
        (void)qc_rd_bytes(r, qc_rd_be(r, 4));
        if (!qc_rd_ok(r) || (!first && type <= last))
            return QC_FAIL(err, QC_FORMAT, "fragment head: extension fields do not parse");
        if ((type & MUST_UNDERSTAND) != 0)
            return QC_FAIL(err, QC_NEWER, "fragment head: extension %u must be understood", (unsigned)type);
        last = type;
    }
    return QC_OK;
}

static void read_fields(qc_rd *r, struct gw_frag_head *h)
{
    qc_rd_copy(r, h->catalogue, GW_ID_BYTES);
    h->incarnation = (uint32_t)qc_rd_be(r, 4);
    h->tenant = (uint32_t)qc_rd_be(r, 4);
    qc_rd_copy(r, h->object, GW_ID_BYTES);
    qc_rd_copy(r, h->version, GW_ID_BYTES);
    h->segment_id = qc_rd_be(r, 8);
    h->seq = (uint32_t)qc_rd_be(r, 4);
    h->k = (uint8_t)qc_rd_be(r, 1);
    h->n = (uint8_t)qc_rd_be(r, 1);
    h->index = (uint8_t)qc_rd_be(r, 1);
    h->attempt = (uint8_t)qc_rd_be(r, 1);
    h->segment_size = (uint32_t)qc_rd_be(r, 4);
    h->piece_size = (uint32_t)qc_rd_be(r, 4);
    h->stripe_count = (uint32_t)qc_rd_be(r, 4);
    h->cloud_id = (uint32_t)qc_rd_be(r, 4);
    qc_rd_copy(r, h->salt, GW_SALT_BYTES);
    h->base = qc_rd_be(r, 8);
    h->payload_size = qc_rd_be(r, 8);
    const uint64_t flags = qc_rd_be(r, 1);
    if (flags > FLAG_LAST)
        qc_rd_fail(r);
    h->last = flags == FLAG_LAST;
    qc_rd_zero(r, 7);
}

/* What k and the segment's size make of the other sizes. */
static bool sizes_agree(const struct gw_frag_head *h)
{
    struct qc_err ignored = { 0 };
    struct ec_geometry g;

    if (h->k < 1 || h->k > h->n || h->n > QC_EC_N_MAX || h->index >= h->n || h->segment_size < 1 ||
        h->segment_size > QC_GW_SEGMENT_MAX)
        return false;
    if (ec_geometry(h->k, h->segment_size, &g, &ignored) != QC_OK)
        return false;
    return g.piece_size == h->piece_size && g.stripe_count == h->stripe_count &&
           g.payload_size == h->payload_size;
}

qc_rc gw_frag_head_parse(qc_span in, struct gw_frag_head *ret, struct qc_err *err)
{
    qc_rd r = { .s = in };
    struct gw_frag_head h = { 0 };

    const qc_span m = qc_rd_bytes(&r, sizeof magic);
    const uint64_t version = qc_rd_be(&r, 1), coding = qc_rd_be(&r, 1);
    if (!qc_rd_ok(&r) || !qc_span_eq(m, qc_span_of(magic, sizeof magic)))
        return QC_FAIL(err, QC_FORMAT, "fragment head: not a fragment");
    if (version > VERSION || coding > GW_FRAG_CODING)
        return QC_FAIL(err, QC_NEWER, "fragment head: version %u, coding %u, known are %d and %d",
                       (unsigned)version, (unsigned)coding, VERSION, GW_FRAG_CODING);
    h.head_size = (uint16_t)qc_rd_be(&r, 2);
    if (version == 0 || coding == 0 || h.head_size != in.n || h.head_size < GW_FRAG_HEAD_BYTES ||
        h.head_size > GW_FRAG_HEAD_MAX)
        return QC_FAIL(err, QC_FORMAT, "fragment head: %u bytes told, %zu there", h.head_size, in.n);
    read_fields(&r, &h);
    if (!qc_rd_ok(&r) || !sizes_agree(&h))
        return QC_FAIL(err, QC_FORMAT, "fragment head: fields do not agree with one another");
    QC_TRY(skip_extensions(&r, err));
    if (!qc_rd_end(&r))
        return QC_FAIL(err, QC_FORMAT, "fragment head: does not parse");
    *ret = h;
    return QC_OK;
}

/* -- end ------------------------------------------------------------------------------------------------- */

size_t gw_frag_end_size(uint32_t stripe_count, unsigned n)
{
    QC_ASSERT(stripe_count <= QC_GW_STRIPES_MAX);
    QC_ASSERT(n <= QC_EC_N_MAX);
    return (size_t)QC_TAG * stripe_count + (size_t)GW_DIGEST_BYTES * n + GW_DIGEST_BYTES;
}

qc_rc gw_frag_end_parse(qc_span in, uint32_t stripe_count, unsigned n, struct gw_frag_end *ret,
                        struct qc_err *err)
{
    qc_rd r = { .s = in };
    struct gw_frag_end e;

    if (stripe_count > QC_GW_STRIPES_MAX || n > QC_EC_N_MAX)
        return QC_FAIL(err, QC_FORMAT, "fragment end: %u stripes of %u pieces, at most %d of %d",
                       stripe_count, n, QC_GW_STRIPES_MAX, QC_EC_N_MAX);
    e.tags = qc_rd_bytes(&r, (uint64_t)QC_TAG * stripe_count);
    e.digests = qc_rd_bytes(&r, (uint64_t)GW_DIGEST_BYTES * n);
    e.mac = qc_rd_bytes(&r, GW_DIGEST_BYTES);
    if (!qc_rd_end(&r))
        return QC_FAIL(err, QC_FORMAT, "fragment end: %zu bytes, expected %zu", in.n,
                       gw_frag_end_size(stripe_count, n));
    *ret = e;
    return QC_OK;
}

/* -- keys and tags --------------------------------------------------------------------------------------- */

void gw_frag_keys_done(struct gw_frag_keys *k)
{
    qc_key_free(&k->piece);
    qc_key_free(&k->fragment);
}

qc_rc gw_frag_keys_derive(const struct gw_root *r, uint64_t segment_id, const uint8_t salt[GW_SALT_BYTES],
                          struct gw_frag_keys *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_frag_keys_done) struct gw_frag_keys k = { 0 };
    uint8_t id[8];

    qc_put_be(id, segment_id, sizeof id);
    const qc_span context[] = { { id, sizeof id }, { salt, GW_SALT_BYTES } };
    QC_TRY(gw_root_key(r, "piece", context, 2, QC_GCM_KEY, &k.piece, err));
    QC_TRY(gw_root_key(r, "fragment", context, 2, 32, &k.fragment, err));
    *ret = QC_STEAL(k);
    return QC_OK;
}

qc_rc gw_frag_piece_tag(const struct gw_frag_keys *k, struct qc_aead *aead, uint8_t index, uint32_t stripe,
                        qc_span piece, uint8_t ret[QC_TAG], struct qc_err *err)
{
    uint8_t nonce[QC_GCM_NONCE] = { index };

    qc_put_be(nonce + 4, stripe, 8);
    return qc_aead_mac(aead, &(struct qc_gcm){ .key = qc_key_open(k->piece), .nonce = nonce }, &piece, 1, ret,
                       err);
}

qc_rc gw_frag_piece_check(const struct gw_frag_keys *k, struct qc_aead *aead, uint8_t index, uint32_t stripe,
                          qc_span piece, const uint8_t *tag, struct qc_err *err)
{
    uint8_t is[QC_TAG];

    QC_TRY(gw_frag_piece_tag(k, aead, index, stripe, piece, is, err));
    if (!qc_ct_eq(is, tag, QC_TAG))
        return QC_FAIL(err, QC_INTEGRITY, "piece %u of fragment %u is damaged", stripe, index);
    return QC_OK;
}

/* One enc() item's length. */
static void item(uint8_t p[8], size_t n)
{
    qc_put_be(p, n, 8);
}

qc_rc gw_frag_tags_digest(uint8_t index, qc_span tags, uint8_t ret[GW_DIGEST_BYTES], struct qc_err *err)
{
    uint8_t l[3][8];

    item(l[0], 4);
    item(l[1], 1);
    item(l[2], tags.n);
    return qc_sha256(
        (qc_span[]){ { l[0], 8 }, QC_LIT("tags"), { l[1], 8 }, { &index, 1 }, { l[2], 8 }, tags }, 6, ret,
        err);
}

qc_rc gw_segment_digest(uint64_t segment_id, uint32_t segment_size, qc_span digests,
                        uint8_t ret[GW_DIGEST_BYTES], struct qc_err *err)
{
    uint8_t l[4][8], id[8], size[4];

    item(l[0], 7);
    item(l[1], sizeof id);
    item(l[2], sizeof size);
    item(l[3], digests.n);
    qc_put_be(id, segment_id, sizeof id);
    qc_put_be(size, segment_size, sizeof size);
    return qc_sha256((qc_span[]){ { l[0], 8 },
                                  QC_LIT("segment"),
                                  { l[1], 8 },
                                  { id, sizeof id },
                                  { l[2], 8 },
                                  { size, sizeof size },
                                  { l[3], 8 },
                                  digests },
                     8, ret, err);
}

qc_rc gw_frag_mac(const struct gw_frag_keys *k, qc_span head, qc_span tags, qc_span digests,
                  uint8_t ret[GW_DIGEST_BYTES], struct qc_err *err)
{
    uint8_t l[3][8];

    item(l[0], head.n);
    item(l[1], tags.n);
    item(l[2], digests.n);
    return qc_hmac_sha256(qc_key_open(k->fragment),
                          (qc_span[]){ { l[0], 8 }, head, { l[1], 8 }, tags, { l[2], 8 }, digests }, 6, ret,
                          err);
}

/* -- verifying ------------------------------------------------------------------------------------------- */

/* The first field in which a head is not the one asked for, or NULL. head_size and base are not compared. */
static const char *other_field(const struct gw_frag_head *a, const struct gw_frag_head *b)
{
    const struct {
        bool same;
        const char *name;
    } rows[] = {
        { qc_ct_eq(a->catalogue, b->catalogue, GW_ID_BYTES), "catalogue" },
        { a->incarnation == b->incarnation, "incarnation" },
        { a->tenant == b->tenant, "tenant" },
        { qc_ct_eq(a->object, b->object, GW_ID_BYTES), "object" },
        { qc_ct_eq(a->version, b->version, GW_ID_BYTES), "version" },
        { a->segment_id == b->segment_id, "segment" },
        { a->seq == b->seq, "segment number" },
        { a->k == b->k && a->n == b->n, "k or n" },
        { a->index == b->index, "index" },
        { a->attempt == b->attempt, "attempt" },
        { a->segment_size == b->segment_size, "segment size" },
        { a->piece_size == b->piece_size, "piece size" },
        { a->stripe_count == b->stripe_count, "number of stripes" },
        { a->cloud_id == b->cloud_id, "cloud" },
        { qc_ct_eq(a->salt, b->salt, GW_SALT_BYTES), "salt" },
        { a->payload_size == b->payload_size, "payload size" },
        { a->last == b->last, "last flag" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].same)
            return rows[i].name;
    }
    return NULL;
}

qc_rc gw_frag_verify(const struct gw_frag_keys *k, const struct gw_frag_head *want,
                     const uint8_t digest[GW_DIGEST_BYTES], qc_span head, qc_span end,
                     struct gw_frag_end *ret, struct qc_err *err)
{
    struct gw_frag_end e;
    struct gw_frag_head h;
    uint8_t sum[GW_DIGEST_BYTES];

    QC_TRY(gw_frag_end_parse(end, want->stripe_count, want->n, &e, err));
    QC_TRY(gw_frag_mac(k, head, e.tags, e.digests, sum, err));
    if (!qc_ct_eq(sum, e.mac.p, sizeof sum))
        return QC_FAIL(err, QC_INTEGRITY, "fragment %u: its tag does not hold", want->index);
    QC_TRY(gw_frag_head_parse(head, &h, err));
    const char *other = other_field(&h, want);
    if (other != NULL)
        return QC_FAIL(err, QC_INTEGRITY, "fragment %u: another %s than was asked for", want->index, other);
    QC_TRY(gw_segment_digest(want->segment_id, want->segment_size, e.digests, sum, err));
    if (!qc_ct_eq(sum, digest, sizeof sum))
        return QC_FAIL(err, QC_INTEGRITY, "fragment %u: its digest table is not the catalogue's",
                       want->index);
    QC_TRY(gw_frag_tags_digest(want->index, e.tags, sum, err));
    if (!qc_ct_eq(sum, e.digests.p + (size_t)GW_DIGEST_BYTES * want->index, sizeof sum))
        return QC_FAIL(err, QC_INTEGRITY, "fragment %u: its tag table is not that of its row", want->index);
    *ret = e;
    return QC_OK;
}

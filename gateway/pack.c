/* Packs and notes (FORMAT 9.6): pieces, the seal, and the clear text of a pack. Reader and writer. */
#include "gateway/pack.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "ec/coder.h"
#include "ec/geometry.h"

enum { VERSION = 1, CODING = 1, BLOCK = 16, COUNT_BYTES = 4 };

static const uint8_t zero_nonce[QC_GCM_NONCE];

/* -- pieces ---------------------------------------------------------------------------------------------- */

static void head_write(const struct gw_piece *p, uint8_t ret[GW_PIECE_HEAD_BYTES])
{
    memset(ret, 0, GW_PIECE_HEAD_BYTES);
    memcpy(ret, "QCLS", 4);
    ret[4] = VERSION;
    ret[5] = CODING;
    ret[6] = p->k;
    ret[7] = p->n;
    ret[8] = p->index;
    qc_put_be(ret + 12, p->cloud_id, 4);
    memcpy(ret + 16, p->catalogue, GW_ID_BYTES);
    memcpy(ret + 32, p->block, BLOCK);
    memcpy(ret + 48, p->salt, GW_SALT_BYTES);
    qc_put_be(ret + 64, p->size, 4);
    memcpy(ret + 72, p->hash, GW_DIGEST_BYTES);
}

/* Do k, n, index and the sizes make sense together? */
static bool fits(const struct gw_piece *p, size_t payload)
{
    struct qc_err ignored = { 0 };
    struct ec_geometry g;

    if (p->k < 1 || p->k > p->n || p->n > QC_EC_N_MAX || p->index >= p->n || p->size <= QC_TAG ||
        p->size > QC_GW_PACK_MAX + QC_TAG)
        return false;
    return ec_geometry(p->k, p->size, &g, &ignored) == QC_OK && g.payload_size == payload;
}

qc_rc gw_piece_parse(qc_span in, struct gw_piece *ret, struct qc_err *err)
{
    qc_rd rd = { .s = in };
    struct gw_piece p = { 0 };

    const qc_span magic = qc_rd_bytes(&rd, 4);
    const uint64_t version = qc_rd_be(&rd, 1), coding = qc_rd_be(&rd, 1);
    if (!qc_rd_ok(&rd) || !qc_span_eq(magic, QC_LIT("QCLS")) || version < 1 || coding < 1)
        return QC_FAIL(err, QC_FORMAT, "piece of a pack: %zu bytes that are none", in.n);
    if (version > VERSION || coding > CODING)
        return QC_FAIL(err, QC_NEWER, "piece of a pack: version %u, coding %u need a newer program",
                       (unsigned)version, (unsigned)coding);
    p.k = (uint8_t)qc_rd_be(&rd, 1);
    p.n = (uint8_t)qc_rd_be(&rd, 1);
    p.index = (uint8_t)qc_rd_be(&rd, 1);
    qc_rd_zero(&rd, 3);
    p.cloud_id = (uint32_t)qc_rd_be(&rd, 4);
    qc_rd_copy(&rd, p.catalogue, sizeof p.catalogue);
    qc_rd_copy(&rd, p.block, sizeof p.block);
    qc_rd_copy(&rd, p.salt, sizeof p.salt);
    p.size = (uint32_t)qc_rd_be(&rd, 4);
    qc_rd_zero(&rd, 4);
    qc_rd_copy(&rd, p.hash, sizeof p.hash);
    const size_t left = qc_rd_left(&rd);
    if (left <= GW_PIECE_MAC || !fits(&p, left - GW_PIECE_MAC))
        return QC_FAIL(err, QC_FORMAT, "piece of a pack: its sizes do not fit");
    p.payload = qc_rd_bytes(&rd, left - GW_PIECE_MAC);
    *ret = p;
    return QC_OK;
}

static qc_rc derive(const struct gw_root *r, const char *label, const uint8_t block[BLOCK],
                    const uint8_t salt[GW_SALT_BYTES], qc_key **ret, struct qc_err *err)
{
    const qc_span context[] = { qc_span_of(block, BLOCK), qc_span_of(salt, GW_SALT_BYTES) };

    return gw_root_key(r, label, context, 2, QC_GCM_KEY, ret, err);
}

static qc_rc piece_mac(const struct gw_root *r, const struct gw_piece *p, qc_span before,
                       uint8_t ret[GW_PIECE_MAC], struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;

    QC_TRY(derive(r, "snapshot piece", p->block, p->salt, &key, err));
    return qc_hmac_sha256(qc_key_open(key), &before, 1, ret, err);
}

qc_rc gw_piece_open(const struct gw_root *r, const struct gw_name *name, uint32_t cloud_id, qc_span in,
                    struct gw_piece *ret, struct qc_err *err)
{
    uint8_t block[BLOCK], mac[GW_PIECE_MAC];
    struct gw_piece p;

    gw_name_block(name, block);
    QC_TRY(gw_piece_parse(in, &p, err));
    QC_TRY(piece_mac(r, &p, qc_span_sub(in, 0, in.n - GW_PIECE_MAC), mac, err));
    if (!qc_ct_eq(mac, in.p + in.n - GW_PIECE_MAC, GW_PIECE_MAC))
        return QC_FAIL(err, QC_INTEGRITY, "piece of a pack: its seal does not hold");
    if (!qc_ct_eq(p.catalogue, gw_root_catalogue(r), GW_ID_BYTES) || !qc_ct_eq(p.block, block, BLOCK) ||
        p.cloud_id != cloud_id)
        return QC_FAIL(err, QC_INTEGRITY, "piece of a pack: a genuine one, of another name or cloud");
    *ret = p;
    return QC_OK;
}

/* -- making ---------------------------------------------------------------------------------------------- */

/* enc(block) */
static void pack_aad(const uint8_t block[BLOCK], uint8_t ret[8 + BLOCK])
{
    qc_put_be(ret, BLOCK, 8);
    memcpy(ret + 8, block, BLOCK);
}

static qc_rc seal(const struct gw_root *r, const struct gw_piece *like, qc_span clear, qc_buf *ret,
                  struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint8_t aad[8 + BLOCK];
    uint8_t *out;

    pack_aad(like->block, aad);
    QC_TRY(derive(r, "snapshot", like->block, like->salt, &key, err));
    QC_TRY(qc_buf_extend(ret, clear.n + QC_TAG, &out, err));
    return qc_gcm_seal(
        &(struct qc_gcm){ .key = qc_key_open(key), .nonce = zero_nonce, .aad = qc_span_of(aad, sizeof aad) },
        clear, out, out + clear.n, err);
}

/* The stripe's data into the first k payloads, padded with zeros, and its parity into the others. */
static qc_rc code_stripe(const struct ec_coder *c, const struct ec_stripe *s, qc_span sealed, qc_buf *pieces,
                         struct qc_err *err)
{
    const unsigned k = ec_coder_k(c), n = ec_coder_n(c);
    const uint8_t *data[QC_EC_N_MAX] = { 0 };
    uint8_t *parity[QC_EC_N_MAX] = { 0 };

    for (unsigned i = 0; i < n; i++) {
        uint8_t *at = pieces[i].p + GW_PIECE_HEAD_BYTES + s->payload_offset;
        if (i >= k) {
            parity[i - k] = at;
            continue;
        }
        const uint32_t from = i * s->piece_size;
        const uint32_t left = s->data_size > from ? s->data_size - from : 0;
        if (left > 0) /* buffers come as zeros */
            memcpy(at, sealed.p + s->data_offset + from, left < s->piece_size ? left : s->piece_size);
        data[i] = at;
    }
    return ec_stripe_encode(c, data, s->piece_size, parity, err);
}

static qc_rc code(const struct gw_root *r, const struct gw_pack_plan *plan, struct gw_piece *like,
                  qc_span sealed, qc_buf *ret, struct qc_err *err)
{
    const struct ec_coder *c;
    struct ec_geometry g;
    uint8_t *mem;

    QC_TRY(ec_coder_get(plan->k, plan->n - plan->k, &c, err));
    QC_TRY(ec_geometry(plan->k, like->size, &g, err));
    const size_t size = GW_PIECE_HEAD_BYTES + (size_t)g.payload_size + GW_PIECE_MAC;
    for (unsigned i = 0; i < plan->n; i++) {
        ret[i].max = size;
        QC_TRY(qc_buf_extend(&ret[i], size, &mem, err));
    }
    for (uint32_t t = 0; t < g.stripe_count; t++) {
        const struct ec_stripe s = ec_geometry_stripe(&g, t);
        QC_TRY(code_stripe(c, &s, sealed, ret, err));
    }
    for (unsigned i = 0; i < plan->n; i++) {
        like->index = (uint8_t)i;
        like->cloud_id = plan->clouds[i];
        head_write(like, ret[i].p);
        QC_TRY(piece_mac(r, like, qc_span_of(ret[i].p, size - GW_PIECE_MAC), ret[i].p + size - GW_PIECE_MAC,
                         err));
    }
    return QC_OK;
}

qc_rc gw_pack_make(const struct gw_root *r, const struct gw_pack_plan *plan, qc_span clear, qc_buf *ret,
                   struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_GW_PACK_MAX + QC_TAG };
    struct gw_piece like = { .k = (uint8_t)plan->k, .n = (uint8_t)plan->n };

    if (clear.n < 1 || clear.n > QC_GW_PACK_MAX)
        return QC_FAIL(err, QC_LIMIT, "a pack of %zu bytes, at most %d", clear.n, QC_GW_PACK_MAX);
    gw_name_block(plan->name, like.block);
    memcpy(like.catalogue, gw_root_catalogue(r), sizeof like.catalogue);
    memcpy(like.salt, plan->salt, sizeof like.salt);
    QC_TRY(seal(r, &like, clear, &sealed, err));
    const qc_span text = qc_buf_span(&sealed);
    like.size = (uint32_t)text.n;
    QC_TRY(qc_sha256(&text, 1, like.hash, err));
    const qc_rc rc = code(r, plan, &like, text, ret, err);
    for (unsigned i = 0; rc != QC_OK && i < plan->n; i++)
        qc_buf_free(&ret[i]);
    return rc;
}

/* -- opening --------------------------------------------------------------------------------------------- */

static bool agree(const struct gw_piece *a, const struct gw_piece *b)
{
    return a->k == b->k && a->n == b->n && a->size == b->size && qc_ct_eq(a->salt, b->salt, sizeof a->salt) &&
           qc_ct_eq(a->hash, b->hash, sizeof a->hash);
}

/* Those that agree with one, by index. Returns how many different ones. */
static unsigned company(const struct gw_piece *like, const struct gw_piece *v, unsigned count,
                        const struct gw_piece *ret[QC_EC_N_MAX])
{
    unsigned found = 0;

    for (unsigned i = 0; i < QC_EC_N_MAX; i++)
        ret[i] = NULL;
    for (unsigned i = 0; i < count; i++)
        if (agree(like, &v[i]) && ret[v[i].index] == NULL) {
            ret[v[i].index] = &v[i];
            found++;
        }
    return found;
}

static qc_rc decode_stripe(const struct ec_coder *c, const struct ec_stripe *s,
                           const struct gw_piece *const by[QC_EC_N_MAX], uint8_t *text, struct qc_err *err)
{
    const uint8_t *pieces[QC_EC_N_MAX] = { 0 };
    uint8_t *out[QC_EC_N_MAX] = { 0 };

    for (unsigned i = 0; i < ec_coder_n(c); i++)
        if (by[i] != NULL)
            pieces[i] = by[i]->payload.p + s->payload_offset;
    for (unsigned j = 0; j < ec_coder_k(c); j++) {
        out[j] = text + s->data_offset + (size_t)j * s->piece_size;
        if (pieces[j] != NULL)
            memcpy(out[j], pieces[j], s->piece_size);
    }
    return ec_stripe_decode(c, pieces, s->piece_size, out, err);
}

static qc_rc decode(const struct gw_piece *like, const struct gw_piece *const by[QC_EC_N_MAX], qc_buf *ret,
                    struct qc_err *err)
{
    const struct ec_coder *c;
    struct ec_geometry g;
    uint8_t *text;

    QC_TRY(ec_coder_get(like->k, like->n - like->k, &c, err));
    QC_TRY(ec_geometry(like->k, like->size, &g, err));
    ret->max = (size_t)g.payload_size * like->k; /* the last stripe's padding, too */
    QC_TRY(qc_buf_extend(ret, ret->max, &text, err));
    for (uint32_t t = 0; t < g.stripe_count; t++) {
        const struct ec_stripe s = ec_geometry_stripe(&g, t);
        QC_TRY(decode_stripe(c, &s, by, text, err));
    }
    ret->n = like->size;
    return QC_OK;
}

static qc_rc unseal(const struct gw_root *r, const struct gw_piece *like, qc_span sealed, qc_buf *ret,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    const qc_span cipher = qc_span_sub(sealed, 0, sealed.n - QC_TAG);
    uint8_t aad[8 + BLOCK];
    uint8_t *out;

    pack_aad(like->block, aad);
    QC_TRY(derive(r, "snapshot", like->block, like->salt, &key, err));
    QC_TRY(qc_buf_extend(ret, cipher.n, &out, err));
    const qc_rc rc = qc_gcm_open(
        &(struct qc_gcm){ .key = qc_key_open(key), .nonce = zero_nonce, .aad = qc_span_of(aad, sizeof aad) },
        cipher, sealed.p + cipher.n, out, err);
    if (rc != QC_OK)
        ret->n = 0;
    return rc;
}

qc_rc gw_pack_open(const struct gw_root *r, const struct gw_name *name, const struct gw_piece *pieces,
                   unsigned count, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { 0 };
    const struct gw_piece *by[QC_EC_N_MAX], *best = NULL;
    uint8_t block[BLOCK];
    unsigned most = 0;

    gw_name_block(name, block);
    for (unsigned i = 0; i < count; i++) {
        QC_ASSERT(qc_ct_eq(pieces[i].block, block, BLOCK));
        const unsigned n = company(&pieces[i], pieces, count, by);
        if (n >= pieces[i].k && n > most) {
            best = &pieces[i];
            most = n;
        }
    }
    if (best == NULL)
        return QC_FAIL(err, QC_QUORUM, "%u pieces, which are too few or do not belong together", count);
    (void)company(best, pieces, count, by);
    QC_TRY(decode(best, by, &sealed, err));
    return unseal(r, best, qc_buf_span(&sealed), ret, err);
}

/* -- the clear text of a pack ---------------------------------------------------------------------------- */

qc_rc gw_pack_begin(qc_buf *b, struct qc_err *err)
{
    QC_ASSERT(b->n == 0);
    return qc_buf_add_be(b, 0, COUNT_BYTES, err);
}

unsigned gw_pack_count(qc_span clear)
{
    return clear.n < COUNT_BYTES ? 0 : (unsigned)qc_get_be(clear.p, COUNT_BYTES);
}

qc_rc gw_pack_add(qc_buf *b, uint32_t incarnation, qc_span object, struct qc_err *err)
{
    QC_TRY(qc_buf_reserve(b, 8 + object.n, err)); /* what follows cannot fail */
    QC_TRY(qc_buf_add_be(b, incarnation, 4, err));
    QC_TRY(qc_buf_add_be(b, object.n, 4, err));
    QC_TRY(qc_buf_add(b, object, err));
    qc_put_be(b->p, gw_pack_count(qc_buf_span(b)) + 1, COUNT_BYTES);
    return QC_OK;
}

qc_rc gw_pack_entries(qc_span clear, uint64_t first, struct gw_pack_iter *ret, struct qc_err *err)
{
    qc_rd rd = { .s = clear };
    const uint32_t count = (uint32_t)qc_rd_be(&rd, COUNT_BYTES);
    const struct gw_pack_iter begin = { .rd = rd, .next = first, .left = count };

    for (uint32_t i = 0; i < count && qc_rd_ok(&rd); i++) {
        if (qc_rd_be(&rd, 4) < 1)
            qc_rd_fail(&rd);
        (void)qc_rd_bytes(&rd, qc_rd_be(&rd, 4));
    }
    if (!qc_rd_end(&rd) || count < 1 || first < 1 || first > (uint64_t)INT64_MAX - count)
        return QC_FAIL(err, QC_FORMAT, "pack: %zu bytes with %" PRIu32 " log objects", clear.n, count);
    *ret = begin;
    return QC_OK;
}

bool gw_pack_next(struct gw_pack_iter *it, struct gw_pack_entry *ret)
{
    if (it->left == 0)
        return false;
    ret->sequence = it->next++;
    ret->incarnation = (uint32_t)qc_rd_be(&it->rd, 4);
    ret->object = qc_rd_bytes(&it->rd, qc_rd_be(&it->rd, 4));
    it->left--;
    return true;
}

/* Root and cut objects (FORMAT 9.2) and the operator's kit (FORMAT 9.5). Reader and writer. */
#include <stdio.h>

#include "base/codec.h"
#include "gateway/root.h"

enum { VERSION = 1, MAC = QC_SHA256_BYTES, CHECK = 4 };

/* What root and cut have in common: magic, label, body. */
struct kind {
    const char *magic, *label, *text;
    size_t bytes;
};
static const struct kind kind_root = { "QCLR", "root", "root object", GW_ROOT_OBJECT_BYTES };
static const struct kind kind_cut = { "QCLC", "cut", "cut object", GW_CUT_OBJECT_BYTES };

static void put_start(const struct gw_root *r, const struct kind *k, uint8_t *p)
{
    memcpy(p, k->magic, 4);
    qc_put_be(p + 4, (uint64_t)VERSION << 24, 4);
    memcpy(p + 8, gw_root_catalogue(r), GW_ID_BYTES);
}

static qc_rc put_mac(const struct gw_root *r, const struct kind *k, uint8_t *p, struct qc_err *err)
{
    const qc_span before = qc_span_of(p, k->bytes - MAC);

    return gw_root_mac(r, k->label, &before, 1, p + before.n, err);
}

/* The reader behind the catalogue id; the HMAC has been checked. */
static qc_rc open_object(const struct gw_root *r, const struct kind *k, qc_span in, qc_rd *ret,
                         struct qc_err *err)
{
    qc_rd rd = { .s = in };
    uint8_t mac[MAC];

    const qc_span magic = qc_rd_bytes(&rd, 4);
    const uint64_t version = qc_rd_be(&rd, 1);
    if (!qc_rd_ok(&rd) || !qc_span_eq(magic, qc_span_str(k->magic)))
        return QC_FAIL(err, QC_FORMAT, "%s: not one", k->text);
    if (version != VERSION)
        return QC_FAIL(err, version > VERSION ? QC_NEWER : QC_FORMAT, "%s: version %u, known is %d", k->text,
                       (unsigned)version, VERSION);
    qc_rd_zero(&rd, 3);
    const qc_span catalogue = qc_rd_bytes(&rd, GW_ID_BYTES);
    if (!qc_rd_ok(&rd) || in.n != k->bytes)
        return QC_FAIL(err, QC_FORMAT, "%s: %zu bytes, expected %zu", k->text, in.n, k->bytes);
    const qc_span before = qc_span_sub(in, 0, in.n - MAC);
    QC_TRY(gw_root_mac(r, k->label, &before, 1, mac, err));
    if (!qc_ct_eq(catalogue.p, gw_root_catalogue(r), GW_ID_BYTES) || !qc_ct_eq(mac, in.p + before.n, MAC))
        return QC_FAIL(err, QC_INTEGRITY, "%s: not made under this root key", k->text);
    rd.s = before;
    *ret = rd;
    return QC_OK;
}

qc_rc gw_root_object_make(const struct gw_root *r, const struct gw_root_object *o,
                          uint8_t ret[GW_ROOT_OBJECT_BYTES], struct qc_err *err)
{
    uint8_t b[GW_ROOT_OBJECT_BYTES];

    put_start(r, &kind_root, b);
    qc_put_be(b + 24, o->incarnation, 4);
    memcpy(b + 28, o->instance, GW_ID_BYTES);
    qc_put_be(b + 44, o->log_sequence, 8);
    QC_TRY(put_mac(r, &kind_root, b, err));
    memcpy(ret, b, sizeof b);
    return QC_OK;
}

qc_rc gw_root_object_parse(const struct gw_root *r, qc_span in, struct gw_root_object *ret,
                           struct qc_err *err)
{
    qc_rd rd = { 0 };
    struct gw_root_object o = { 0 };

    QC_TRY(open_object(r, &kind_root, in, &rd, err));
    o.incarnation = (uint32_t)qc_rd_be(&rd, 4);
    qc_rd_copy(&rd, o.instance, sizeof o.instance);
    o.log_sequence = qc_rd_be(&rd, 8);
    QC_ASSERT(qc_rd_end(&rd)); /* open_object knows the length */
    *ret = o;
    return QC_OK;
}

qc_rc gw_cut_object_make(const struct gw_root *r, const struct gw_cut_object *o,
                         uint8_t ret[GW_CUT_OBJECT_BYTES], struct qc_err *err)
{
    uint8_t b[GW_CUT_OBJECT_BYTES];

    put_start(r, &kind_cut, b);
    qc_put_be(b + 24, o->by, 4);
    qc_put_be(b + 28, o->incarnation, 4);
    qc_put_be(b + 32, o->log_sequence, 8);
    QC_TRY(put_mac(r, &kind_cut, b, err));
    memcpy(ret, b, sizeof b);
    return QC_OK;
}

qc_rc gw_cut_object_parse(const struct gw_root *r, qc_span in, struct gw_cut_object *ret, struct qc_err *err)
{
    qc_rd rd = { 0 };
    struct gw_cut_object o = { 0 };

    QC_TRY(open_object(r, &kind_cut, in, &rd, err));
    o.by = (uint32_t)qc_rd_be(&rd, 4);
    o.incarnation = (uint32_t)qc_rd_be(&rd, 4);
    o.log_sequence = qc_rd_be(&rd, 8);
    QC_ASSERT(qc_rd_end(&rd));
    *ret = o;
    return QC_OK;
}

/* -- kit ------------------------------------------------------------------------------------------------- */

static const char kit_start[] = "qcloud-kit ";
static const char kit_kind[] = "1 root ";

/* First bytes of SHA-256(enc("kit", catalogue, G)): enough to catch a slip of the pen. The encoding is hashed
 * piece by piece, so that G is copied nowhere. */
static qc_rc kit_check(const uint8_t *catalogue, const qc_key *G, uint8_t ret[CHECK], struct qc_err *err)
{
    uint8_t sum[QC_SHA256_BYTES], n3[8], n16[8], n32[8];

    qc_put_be(n3, 3, 8);
    qc_put_be(n16, GW_ID_BYTES, 8);
    qc_put_be(n32, GW_ROOT_KEY_BYTES, 8);
    QC_TRY(qc_sha256(
        (qc_span[]){
            { n3, 8 }, QC_LIT("kit"), { n16, 8 }, { catalogue, GW_ID_BYTES }, { n32, 8 }, qc_key_open(G) },
        6, sum, err));
    memcpy(ret, sum, CHECK);
    return QC_OK;
}

qc_rc gw_kit_make(const struct gw_root *r, qc_key **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *k = NULL;
    uint8_t check[CHECK];
    char catalogue[2 * GW_ID_BYTES + 1], digits[2 * CHECK + 1];

    QC_TRY(kit_check(gw_root_catalogue(r), gw_root_G(r), check, err));
    qc_hex(qc_span_of(gw_root_catalogue(r), GW_ID_BYTES), catalogue);
    qc_hex(qc_span_of(check, sizeof check), digits);
    QC_TRY(qc_key_blank(&k, GW_KIT_TEXT_MAX, err));
    const int at =
        snprintf((char *)qc_key_write(k), GW_KIT_TEXT_MAX, "%s%s%s ", kit_start, kit_kind, catalogue);
    QC_ASSERT(at > 0 && at + 2 * GW_ROOT_KEY_BYTES + 1 + 2 * CHECK < GW_KIT_TEXT_MAX);
    qc_hex(qc_key_open(gw_root_G(r)), (char *)qc_key_write(k) + at);
    (void)snprintf((char *)qc_key_write(k) + at + 2 * GW_ROOT_KEY_BYTES, 2 * CHECK + 2, " %s", digits);
    qc_key_seal(k);
    *ret = QC_STEAL(k);
    return QC_OK;
}

static void take_literal(qc_rd *r, const char *text)
{
    if (!qc_span_eq(qc_rd_bytes(r, strlen(text)), qc_span_str(text)))
        qc_rd_fail(r);
}

static void take_hex(qc_rd *r, uint8_t *ret, size_t n)
{
    struct qc_err ignored = { 0 };
    const qc_span digits = qc_rd_bytes(r, 2 * n);

    if (qc_rd_ok(r) && qc_hex_dec(digits, ret, n, &ignored) != QC_OK)
        qc_rd_fail(r);
}

qc_rc gw_kit_parse(qc_span text, struct gw_root **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *G = NULL;
    qc_rd r = { .s = qc_span_trim(text) };
    uint8_t catalogue[GW_ID_BYTES] = { 0 }, raw[GW_ROOT_KEY_BYTES] = { 0 }, told[CHECK] = { 0 }, check[CHECK];

    take_literal(&r, kit_start);
    if (!qc_rd_ok(&r))
        return QC_FAIL(err, QC_FORMAT, "kit: the text does not begin with 'qcloud-kit'");
    take_literal(&r, kit_kind);
    if (!qc_rd_ok(&r))
        return QC_FAIL(err, QC_NEWER, "kit: not a root kit of version 1");
    take_hex(&r, catalogue, sizeof catalogue);
    take_literal(&r, " ");
    take_hex(&r, raw, sizeof raw);
    take_literal(&r, " ");
    take_hex(&r, told, sizeof told);
    const bool whole = qc_rd_end(&r);
    QC_TRY(qc_key_from(&G, raw, sizeof raw, err));
    if (!whole)
        return QC_FAIL(err, QC_FORMAT, "kit: expected 'qcloud-kit 1 root' and 32, 64 and 8 digits 0-9a-f");
    QC_TRY(kit_check(catalogue, G, check, err));
    if (!qc_ct_eq(check, told, CHECK))
        return QC_FAIL(err, QC_INTEGRITY, "kit: the check digits do not fit; a digit was copied wrongly");
    return gw_root_new(ret, catalogue, G, err);
}

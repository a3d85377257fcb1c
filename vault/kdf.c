#include "vault/kdf.h"

#include "vault/ids.h"

struct vault_ids vault_ids_of_vault(const uint8_t vault[VAULT_ID_BYTES])
{
    struct vault_ids ids = { 0 };
    memcpy(ids.vault, vault, VAULT_ID_BYTES);
    memcpy(ids.object, vault, VAULT_ID_BYTES);
    return ids;
}

/* SHA-256(VAULT_SUITE_NAME). */
static const uint8_t salt[QC_SHA256_BYTES] = { 0x1c, 0xad, 0xa8, 0xfb, 0xe2, 0xe6, 0xbf, 0x50,
                                               0xd7, 0x7a, 0x96, 0xe0, 0xe4, 0x36, 0x08, 0xa3,
                                               0xcb, 0xf0, 0xd1, 0x86, 0xd2, 0x71, 0x16, 0xef,
                                               0xa7, 0x74, 0xe6, 0xa6, 0x41, 0x4c, 0x2a, 0x7d };

qc_rc vault_prk_new(struct qc_prk **ret, const qc_key *ikm, struct qc_err *err)
{
    return qc_prk_new(ret, qc_span_of(salt, sizeof salt), qc_key_open(ikm), err);
}

/* info = enc(label, parts..). The longest part is a name's component. */
static qc_rc info_of(qc_buf *ret, const char *label, const qc_span *parts, size_t count, struct qc_err *err)
{
    QC_ASSERT(count <= QC_VAULT_PARTS_MAX);
    QC_TRY(qc_info_add(ret, qc_span_str(label), err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(qc_info_add(ret, parts[i], err));
    return QC_OK;
}

qc_rc vault_kdf(qc_key **ret, const struct qc_prk *prk, const char *label, const qc_span *parts, size_t count,
                size_t len, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf info = { .max = QC_VAULT_NAME_MAX + 1024 };
    QC_TRY(info_of(&info, label, parts, count, err));
    return qc_prk_expand_key(ret, prk, qc_buf_span(&info), len, err);
}

qc_rc vault_kdf_public(uint8_t *ret, const struct qc_prk *prk, const char *label, const qc_span *parts,
                       size_t count, size_t len, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf info = { .max = QC_VAULT_NAME_MAX + 1024 };
    QC_TRY(info_of(&info, label, parts, count, err));
    return qc_prk_expand(prk, qc_buf_span(&info), ret, len, err);
}

qc_rc vault_kdf_ids(qc_key **ret, const struct qc_prk *prk, const char *label, const struct vault_ids *ids,
                    qc_span extra, struct qc_err *err)
{
    const qc_span parts[] = { qc_span_of(ids->vault, VAULT_ID_BYTES), qc_span_of(ids->object, VAULT_ID_BYTES),
                              qc_span_of(ids->version, VAULT_ID_BYTES), extra };
    return vault_kdf(ret, prk, label, parts, extra.n > 0 ? 4 : 3, VAULT_KDF_BYTES, err);
}

qc_rc vault_kdf_once(qc_key **ret, const qc_key *ikm, const char *label, const struct vault_ids *ids,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    QC_TRY(vault_prk_new(&prk, ikm, err));
    return vault_kdf_ids(ret, prk, label, ids, (qc_span){ 0 }, err);
}

qc_rc vault_kdf_position(uint64_t *ret, const qc_key *ikm, const char *label, const struct vault_ids *ids,
                         uint64_t top, struct qc_err *err)
{
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    QC_TRY(vault_prk_new(&prk, ikm, err));
    return vault_prk_position(ret, prk, label, ids, top, err);
}

qc_rc vault_prk_position(uint64_t *ret, const struct qc_prk *prk, const char *label,
                         const struct vault_ids *ids, uint64_t top, struct qc_err *err)
{
    QC_ASSERT(top < UINT64_C(1) << 32); /* the remainder below stays under 2^40 */
    const qc_span parts[] = { qc_span_of(ids->vault, VAULT_ID_BYTES), qc_span_of(ids->object, VAULT_ID_BYTES),
                              qc_span_of(ids->version, VAULT_ID_BYTES) };
    uint8_t wide[16];
    QC_TRY(vault_kdf_public(wide, prk, label, parts, 3, sizeof wide, err));
    uint64_t rest = 0;
    for (size_t i = 0; i < sizeof wide; i++)
        rest = (rest * 256 + wide[i]) % (top + 1);
    qc_wipe(wide, sizeof wide);
    *ret = rest;
    return QC_OK;
}

qc_rc vault_hmac(uint8_t ret[32], const qc_key *key, const qc_span *parts, size_t count, struct qc_err *err)
{
    return qc_hmac_sha256(qc_key_open(key), parts, count, ret, err);
}

/* enc(parts..) as spans, without copying the parts: some of them are secrets. */
struct encoded {
    uint8_t length[QC_VAULT_PARTS_MAX][8];
    qc_span span[2 * QC_VAULT_PARTS_MAX];
};

static void encode(struct encoded *e, const qc_span *parts, size_t count)
{
    QC_ASSERT(count <= QC_VAULT_PARTS_MAX);
    for (size_t i = 0; i < count; i++) {
        qc_put_be(e->length[i], parts[i].n, 8);
        e->span[2 * i] = qc_span_of(e->length[i], 8);
        e->span[2 * i + 1] = parts[i];
    }
}

qc_rc vault_hmac_enc(uint8_t ret[32], const qc_key *key, const qc_span *parts, size_t count,
                     struct qc_err *err)
{
    struct encoded e = { .span = { { 0 } } };
    encode(&e, parts, count);
    return qc_hmac_sha256(qc_key_open(key), e.span, 2 * count, ret, err);
}

qc_rc vault_sha_enc(uint8_t ret[32], const qc_span *parts, size_t count, struct qc_err *err)
{
    struct encoded e = { .span = { { 0 } } };
    encode(&e, parts, count);
    return qc_sha256(e.span, 2 * count, ret, err);
}

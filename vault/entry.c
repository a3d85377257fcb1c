#include "vault/entry.h"

#include <inttypes.h>

#include "base/crypto.h"
#include "ring.h"
#include "vault/kdf.h"

#define SALT_BYTES        16
#define PRIVATE_BYTES_MIN (SALT_BYTES + 8 + QC_TAG)
#define KIND_KNOWN_MAX    VAULT_ENTRY_TOMBSTONE

static bool all_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

static const char *file_fault(const struct vault_entry *e)
{
    if (e->sequence == 0)
        return "sequence 0";
    if (e->size == 0)
        return "size 0";
    if (e->priv.n < PRIVATE_BYTES_MIN || e->priv.n > QC_VAULT_PRIVATE_MAX)
        return "a private part of a wrong size";
    return NULL;
}

static const char *tombstone_fault(const struct vault_entry *e)
{
    if (!all_zero(e->object, VAULT_ID_BYTES) || !all_zero(e->version, VAULT_ID_BYTES))
        return "ids in a tombstone";
    if (e->sequence != 0 || e->size != 0 || !all_zero(e->M, sizeof e->M) || e->priv.n != 0)
        return "content in a tombstone";
    return NULL;
}

/* What FORMAT 5.2 does not allow in an entry, or NULL. */
static const char *fault_of(const struct vault_entry *e)
{
    if (e->path.n == 0 || e->path.n > QC_VAULT_PATH_MAX)
        return "a path of a wrong size";
    if (e->number == 0)
        return "number 0";
    return e->kind == VAULT_ENTRY_FILE ? file_fault(e) : tombstone_fault(e);
}

static qc_rc check_fields(const struct vault_entry *e, qc_rc rc, struct qc_err *err)
{
    if (e->kind > KIND_KNOWN_MAX)
        return QC_FAIL(err, QC_NEWER, "entry: kind %u needs a newer program", (unsigned)e->kind);
    const char *fault = e->kind == 0 ? "kind 0" : fault_of(e);
    if (fault == NULL)
        return QC_OK;
    qc_err_set(err, rc, QC_HERE, "entry: has %s", fault);
    return rc;
}

static qc_rc seal_of(uint8_t ret[32], const struct vault_entry *e, const struct vault_ring *ring,
                     struct qc_err *err)
{
    uint8_t number[8], sequence[8], size[8];
    qc_put_be(number, e->number, 8);
    qc_put_be(sequence, e->sequence, 8);
    qc_put_be(size, e->size, 8);
    const qc_span parts[] = { QC_LIT("entry"),
                              e->path,
                              qc_span_of(number, 8),
                              qc_span_of(&e->kind, 1),
                              qc_span_of(e->object, VAULT_ID_BYTES),
                              qc_span_of(e->version, VAULT_ID_BYTES),
                              qc_span_of(sequence, 8),
                              qc_span_of(size, 8),
                              qc_span_of(e->M, sizeof e->M),
                              e->priv };
    return vault_hmac_enc(ret, ring->entry, parts, 10, err);
}

qc_rc vault_entry_seal(struct vault_entry *e, const struct vault_ring *ring, struct qc_err *err)
{
    QC_TRY(check_fields(e, QC_USAGE, err));
    return seal_of(e->seal, e, ring, err);
}

qc_rc vault_entry_check(const struct vault_entry *e, const struct vault_ring *ring, qc_span path,
                        struct qc_err *err)
{
    QC_TRY(check_fields(e, QC_FORMAT, err));
    if (path.n > 0 && !qc_span_eq(path, e->path))
        return QC_FAIL(err, QC_INTEGRITY, "entry: answers for another path");
    uint8_t seal[32];
    QC_TRY(seal_of(seal, e, ring, err));
    if (!qc_ct_eq(seal, e->seal, sizeof seal))
        return QC_FAIL(err, QC_INTEGRITY, "entry: seal");
    return QC_OK;
}

/* A fresh salt makes a key that is used once, hence the zero nonce. */
static const uint8_t private_nonce[QC_GCM_NONCE];

/* Key KDF(VS,"entry-private",ids,salt) and AAD enc("private", path, u64 number, object, version). */
static qc_rc private_keys(qc_key **ret_key, qc_buf *ret_aad, const struct vault_entry *e,
                          const struct vault_ring *ring, const uint8_t salt[SALT_BYTES], struct qc_err *err)
{
    QC_TRY(qc_info_add(ret_aad, QC_LIT("private"), err));
    QC_TRY(qc_info_add(ret_aad, e->path, err));
    QC_TRY(qc_info_add_be(ret_aad, e->number, 8, err));
    QC_TRY(qc_info_add(ret_aad, qc_span_of(e->object, VAULT_ID_BYTES), err));
    QC_TRY(qc_info_add(ret_aad, qc_span_of(e->version, VAULT_ID_BYTES), err));
    return vault_kdf_ids(ret_key, ring->VS, "entry-private", &ring->ids, qc_span_of(salt, SALT_BYTES), err);
}

static qc_rc seal_clear(qc_buf *ret, const struct vault_entry *e, const struct vault_ring *ring,
                        const uint8_t salt[SALT_BYTES], qc_span clear, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_VAULT_PRIVATE_MAX },
                                   aad = { .max = QC_VAULT_PATH_MAX + 256 };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_TRY(private_keys(&key, &aad, e, ring, salt, err));
    QC_TRY(qc_buf_add(&b, qc_span_of(salt, SALT_BYTES), err));
    QC_TRY(qc_buf_add(&b, clear, err));
    uint8_t *tag;
    QC_TRY(qc_buf_extend(&b, QC_TAG, &tag, err));
    uint8_t *text = b.p + SALT_BYTES;
    QC_TRY(qc_gcm_seal(
        &(struct qc_gcm){ .key = qc_key_open(key), .nonce = private_nonce, .aad = qc_buf_span(&aad) },
        qc_span_of(text, clear.n), text, tag, err));
    return qc_buf_add(ret, qc_buf_span(&b), err);
}

qc_rc vault_entry_private_seal(qc_buf *ret, const struct vault_entry *e, const struct vault_ring *ring,
                               const struct vault_meta *meta, const uint8_t salt[SALT_BYTES],
                               struct qc_err *err)
{
    struct vault_meta m = *meta;
    m.provenance = m.xattrs = (qc_span){ 0 };
    m.has_from = m.has_stored = m.folder = false;
    QC_CLEANUP(qc_buf_free) qc_buf clear = { .max = QC_VAULT_PRIVATE_MAX };
    QC_TRY(vault_meta_write(&clear, &m, err));
    return seal_clear(ret, e, ring, salt, qc_buf_span(&clear), err);
}

/* clear is the caller's: ret's spans lie in it. */
static qc_rc open_private(struct vault_meta *ret, qc_buf *clear, const struct vault_entry *e,
                          const struct vault_ring *ring, struct qc_err *err)
{
    if (e->priv.n < PRIVATE_BYTES_MIN || e->priv.n > QC_VAULT_PRIVATE_MAX)
        return QC_FAIL(err, QC_FORMAT, "entry private part: %zu bytes, expected %d to %d", e->priv.n,
                       PRIVATE_BYTES_MIN, QC_VAULT_PRIVATE_MAX);
    const size_t n = e->priv.n - SALT_BYTES - QC_TAG;
    QC_CLEANUP(qc_buf_free) qc_buf aad = { .max = QC_VAULT_PATH_MAX + 256 };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_TRY(private_keys(&key, &aad, e, ring, e->priv.p, err));
    uint8_t *text;
    QC_TRY(qc_buf_extend(clear, n, &text, err));
    const qc_rc rc = qc_gcm_open(
        &(struct qc_gcm){ .key = qc_key_open(key), .nonce = private_nonce, .aad = qc_buf_span(&aad) },
        qc_span_sub(e->priv, SALT_BYTES, n), e->priv.p + SALT_BYTES + n, text, err);
    if (rc == QC_INTEGRITY)
        return QC_FAIL(err, QC_INTEGRITY, "entry private part: tag");
    QC_TRY(rc);
    QC_TRY_AS(vault_meta_parse(ret, qc_buf_span(clear), err), err, "entry private part");
    return QC_OK;
}

qc_rc vault_entry_private_open(struct vault_meta *ret, const struct vault_entry *e,
                               const struct vault_ring *ring, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf clear = { .max = QC_VAULT_PRIVATE_MAX };
    struct vault_meta m;
    QC_TRY(open_private(&m, &clear, e, ring, err));
    m.provenance = m.ways = m.xattrs = (qc_span){ 0 }; /* their bytes end with this function */
    m.has_from = m.has_stored = false;
    *ret = m;
    return QC_OK;
}

qc_rc vault_entry_private_move(qc_buf *ret, const struct vault_entry *to, const struct vault_entry *from,
                               const struct vault_ring *ring, const uint8_t salt[SALT_BYTES],
                               struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf clear = { .max = QC_VAULT_PRIVATE_MAX };
    struct vault_meta unused;
    QC_TRY(open_private(&unused, &clear, from, ring, err));
    return seal_clear(ret, to, ring, salt, qc_buf_span(&clear), err);
}

qc_rc vault_entry_ways(qc_buf *ret, const struct vault_entry *e, const struct vault_ring *ring,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf clear = { .max = QC_VAULT_PRIVATE_MAX };
    struct vault_meta m;
    QC_TRY(open_private(&m, &clear, e, ring, err));
    return qc_buf_add(ret, m.ways, err);
}

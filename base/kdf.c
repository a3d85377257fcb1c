/* HKDF-SHA-256 (RFC 5869) and the injective encoding of its contexts (FORMAT 1). */
#include "base/crypto.h"

#include "base/alloc.h"
#include "crypto_internal.h"

struct qc_prk {
    qc_key *key;
};

qc_rc qc_prk_new(struct qc_prk **ret, qc_span salt, qc_span ikm, struct qc_err *err)
{
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = qc_alloc(sizeof *prk);

    if (prk == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a derivation key");
    QC_TRY(qc_key_blank(&prk->key, QC_SHA256_BYTES, err));
    QC_TRY(qc_hmac_sha256(salt, &ikm, 1, qc_key_write(prk->key), err));
    qc_key_seal(prk->key);
    *ret = QC_STEAL(prk);
    return QC_OK;
}

void qc_prk_free(struct qc_prk **prk)
{
    if (*prk == NULL)
        return;
    qc_key_free(&(*prk)->key);
    qc_free(*prk);
    *prk = NULL;
}

/* T(i) = HMAC(PRK, T(i-1) || info || i), i = 1, 2, ..; block holds T(i-1) and is wiped at the end. */
static qc_rc expand(const struct qc_prk *prk, qc_span info, uint8_t *out, size_t len, struct qc_err *err)
{
    uint8_t block[QC_SHA256_BYTES];
    qc_rc rc = QC_OK;
    size_t done = 0;

    QC_ASSERT(len >= 1 && len <= QC_HKDF_MAX);
    for (uint8_t i = 1; done < len && rc == QC_OK; i++) {
        qc_span parts[] = { qc_span_of(block, done == 0 ? 0 : sizeof block), info, qc_span_of(&i, 1) };

        rc = qc_hmac_sha256(qc_key_open(prk->key), parts, 3, block, err);
        size_t n = len - done < sizeof block ? len - done : sizeof block;
        if (rc == QC_OK)
            memcpy(out + done, block, n);
        done += n;
    }
    qc_wipe(block, sizeof block);
    return rc;
}

qc_rc qc_prk_expand(const struct qc_prk *prk, qc_span info, uint8_t *out, size_t len, struct qc_err *err)
{
    return expand(prk, info, out, len, err);
}

qc_rc qc_prk_expand_key(qc_key **ret, const struct qc_prk *prk, qc_span info, size_t len, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *k = NULL;

    QC_TRY(qc_key_blank(&k, len, err));
    QC_TRY(expand(prk, info, qc_key_write(k), len, err));
    qc_key_seal(k);
    *ret = QC_STEAL(k);
    return QC_OK;
}

qc_rc qc_info_add(qc_buf *b, qc_span item, struct qc_err *err)
{
    size_t n;

    if (!qc_add_size(item.n, 8, &n))
        return QC_FAIL(err, QC_LIMIT, "item of %zu bytes", item.n);
    QC_TRY(qc_buf_reserve(b, n, err)); /* both or nothing */
    QC_TRY(qc_buf_add_be(b, item.n, 8, err));
    return qc_buf_add(b, item, err);
}

qc_rc qc_info_add_be(qc_buf *b, uint64_t v, size_t nbytes, struct qc_err *err)
{
    uint8_t t[8];

    qc_put_be(t, v, nbytes);
    return qc_info_add(b, qc_span_of(t, nbytes), err);
}

qc_rc qc_hkdf_sha384(qc_span salt, qc_span ikm, qc_span info, uint8_t out[QC_SHA384_BYTES],
                     struct qc_err *err)
{
    const qc_span parts[] = { info, QC_LIT("\1") };
    uint8_t prk[QC_SHA384_BYTES];
    qc_rc rc = crypto_hmac_sha384(salt, &ikm, 1, prk, err);
    if (rc == QC_OK)
        rc = crypto_hmac_sha384(qc_span_of(prk, sizeof prk), parts, 2, out, err);
    qc_wipe(prk, sizeof prk);
    return rc;
}

/* SHA-256, HMAC-SHA-256, MD5. */
#include "crypto_internal.h"

#include "base/alloc.h"

struct qc_sha256_ctx {
    EVP_MD_CTX *ctx;
};

struct qc_hmac_ctx {
    EVP_MAC_CTX *ctx;
};

static void md_free(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
    *ctx = NULL;
}

static void mac_free(EVP_MAC_CTX **ctx)
{
    EVP_MAC_CTX_free(*ctx); /* wipes the key */
    *ctx = NULL;
}

/* md: one of qc_algorithms, perhaps NULL. */
static qc_rc md_new(EVP_MD_CTX **ret, const EVP_MD *md, struct qc_err *err)
{
    QC_CLEANUP(md_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (ctx == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a hash");
    if (md == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1)
        return QC_FAIL_SSL(err, "hash");
    *ret = QC_STEAL(ctx);
    return QC_OK;
}

static qc_rc md_add(EVP_MD_CTX *ctx, qc_span s, struct qc_err *err)
{
    if (s.n > 0 && EVP_DigestUpdate(ctx, s.p, s.n) != 1)
        return QC_FAIL_SSL(err, "hash");
    return QC_OK;
}

static qc_rc md_final(EVP_MD_CTX *ctx, uint8_t *out, size_t size, struct qc_err *err)
{
    unsigned n = 0;

    if (EVP_DigestFinal_ex(ctx, out, &n) != 1)
        return QC_FAIL_SSL(err, "hash");
    QC_ASSERT(n == size);
    return QC_OK;
}

static qc_rc md_all(const EVP_MD *md, const qc_span *parts, size_t count, uint8_t *out, size_t size,
                    struct qc_err *err)
{
    QC_CLEANUP(md_free) EVP_MD_CTX *ctx = NULL;

    QC_TRY(md_new(&ctx, md, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(md_add(ctx, parts[i], err));
    return md_final(ctx, out, size, err);
}

qc_rc qc_sha256(const qc_span *parts, size_t count, uint8_t out[QC_SHA256_BYTES], struct qc_err *err)
{
    return md_all(qc_algorithms()->sha256, parts, count, out, QC_SHA256_BYTES, err);
}

qc_rc qc_md5(const qc_span *parts, size_t count, uint8_t out[QC_MD5_BYTES], struct qc_err *err)
{
    return md_all(qc_algorithms()->md5, parts, count, out, QC_MD5_BYTES, err);
}

qc_rc qc_sha256_new(struct qc_sha256_ctx **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_sha256_free) struct qc_sha256_ctx *h = qc_alloc(sizeof *h);

    if (h == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a hash");
    QC_TRY(md_new(&h->ctx, qc_algorithms()->sha256, err));
    *ret = QC_STEAL(h);
    return QC_OK;
}

qc_rc qc_sha256_add(struct qc_sha256_ctx *h, qc_span s, struct qc_err *err)
{
    return md_add(h->ctx, s, err);
}

qc_rc qc_sha256_final(struct qc_sha256_ctx *h, uint8_t out[QC_SHA256_BYTES], struct qc_err *err)
{
    QC_TRY(md_final(h->ctx, out, QC_SHA256_BYTES, err));
    if (EVP_DigestInit_ex2(h->ctx, NULL, NULL) != 1)
        return QC_FAIL_SSL(err, "SHA-256");
    return QC_OK;
}

void qc_sha256_free(struct qc_sha256_ctx **h)
{
    if (*h == NULL)
        return;
    md_free(&(*h)->ctx);
    qc_free(*h);
    *h = NULL;
}

/* template: one of qc_algorithms, perhaps NULL. */
static qc_rc mac_new(EVP_MAC_CTX **ret, const EVP_MAC_CTX *template, qc_span key, struct qc_err *err)
{
    QC_ASSERT(key.n >= 1 && key.n <= QC_KEY_MAX);
    if (template == NULL)
        return QC_FAIL_SSL(err, "HMAC");
    QC_CLEANUP(mac_free) EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(template);
    if (ctx == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a MAC");
    if (EVP_MAC_init(ctx, key.p, key.n, NULL) != 1)
        return QC_FAIL_SSL(err, "HMAC");
    *ret = QC_STEAL(ctx);
    return QC_OK;
}

static qc_rc mac_add(EVP_MAC_CTX *ctx, qc_span s, struct qc_err *err)
{
    if (s.n > 0 && EVP_MAC_update(ctx, s.p, s.n) != 1)
        return QC_FAIL_SSL(err, "HMAC");
    return QC_OK;
}

static qc_rc mac_final(EVP_MAC_CTX *ctx, uint8_t *out, size_t size, struct qc_err *err)
{
    size_t n = 0;

    if (EVP_MAC_final(ctx, out, &n, size) != 1)
        return QC_FAIL_SSL(err, "HMAC");
    QC_ASSERT(n == size);
    return QC_OK;
}

static qc_rc mac_all(const EVP_MAC_CTX *template, qc_span key, const qc_span *parts, size_t count,
                     uint8_t *out, size_t size, struct qc_err *err)
{
    QC_CLEANUP(mac_free) EVP_MAC_CTX *ctx = NULL;

    QC_TRY(mac_new(&ctx, template, key, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(mac_add(ctx, parts[i], err));
    return mac_final(ctx, out, size, err);
}

qc_rc qc_hmac_sha256(qc_span key, const qc_span *parts, size_t count, uint8_t out[QC_SHA256_BYTES],
                     struct qc_err *err)
{
    return mac_all(qc_algorithms()->hmac_sha256, key, parts, count, out, QC_SHA256_BYTES, err);
}

qc_rc crypto_hmac_sha384(qc_span key, const qc_span *parts, size_t count, uint8_t out[QC_SHA384_BYTES],
                         struct qc_err *err)
{
    return mac_all(qc_algorithms()->hmac_sha384, key, parts, count, out, QC_SHA384_BYTES, err);
}

qc_rc qc_hmac_new(struct qc_hmac_ctx **ret, qc_span key, struct qc_err *err)
{
    QC_CLEANUP(qc_hmac_free) struct qc_hmac_ctx *h = qc_alloc(sizeof *h);

    if (h == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a MAC");
    QC_TRY(mac_new(&h->ctx, qc_algorithms()->hmac_sha256, key, err));
    *ret = QC_STEAL(h);
    return QC_OK;
}

qc_rc qc_hmac_add(struct qc_hmac_ctx *h, qc_span s, struct qc_err *err)
{
    return mac_add(h->ctx, s, err);
}

qc_rc qc_hmac_final(struct qc_hmac_ctx *h, uint8_t out[QC_SHA256_BYTES], struct qc_err *err)
{
    return mac_final(h->ctx, out, QC_SHA256_BYTES, err);
}

void qc_hmac_free(struct qc_hmac_ctx **h)
{
    if (*h == NULL)
        return;
    mac_free(&(*h)->ctx);
    qc_free(*h);
    *h = NULL;
}

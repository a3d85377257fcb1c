/* SHA-256 and MD5 by OpenSSL; HMAC by nettle, whose contexts lie on the stack: OpenSSL's take seven
 * allocations for each of the some thirty that a small file needs (ADR 80). */
#include "crypto_internal.h"

#include <nettle/hmac.h>

#include "base/alloc.h"

struct qc_sha256_ctx {
    EVP_MD_CTX *ctx;
};

static void md_free(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
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

/* What the hash's code left below: nettle keys an HMAC through a block on its stack. As much as it takes, and
 * more. */
static __attribute__((noinline)) void burn(void)
{
    uint8_t below[1024];
    qc_wipe(below, sizeof below);
}

qc_rc qc_hmac_sha256(qc_span key, const qc_span *parts, size_t count, uint8_t out[QC_SHA256_BYTES],
                     struct qc_err *err)
{
    struct hmac_sha256_ctx ctx;

    (void)err;
    QC_ASSERT(key.n >= 1 && key.n <= QC_KEY_MAX);
    hmac_sha256_set_key(&ctx, key.n, key.p);
    for (size_t i = 0; i < count; i++)
        hmac_sha256_update(&ctx, parts[i].n, parts[i].p);
    hmac_sha256_digest(&ctx, QC_SHA256_BYTES, out);
    qc_wipe(&ctx, sizeof ctx);
    burn();
    return QC_OK;
}

qc_rc crypto_hmac_sha384(qc_span key, const qc_span *parts, size_t count, uint8_t out[QC_SHA384_BYTES],
                         struct qc_err *err)
{
    struct hmac_sha384_ctx ctx;

    (void)err;
    QC_ASSERT(key.n >= 1 && key.n <= QC_KEY_MAX);
    hmac_sha384_set_key(&ctx, key.n, key.p);
    for (size_t i = 0; i < count; i++)
        hmac_sha384_update(&ctx, parts[i].n, parts[i].p);
    hmac_sha384_digest(&ctx, QC_SHA384_BYTES, out);
    qc_wipe(&ctx, sizeof ctx);
    burn();
    return QC_OK;
}

/* AES-256-GCM and GMAC, with a context that is kept. */
#include "crypto_internal.h"

#include <limits.h>

#include "base/alloc.h"

struct qc_aead {
    EVP_CIPHER_CTX *ctx;
};

static void ctx_free(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx); /* wipes the key schedule */
    *ctx = NULL;
}

static qc_rc ctx_new(EVP_CIPHER_CTX **ret, struct qc_err *err)
{
    const EVP_CIPHER *gcm = qc_algorithms()->gcm;
    QC_CLEANUP(ctx_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    if (ctx == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a cipher");
    /* The cipher is named here only: naming it again would rebuild the context at every call. */
    if (gcm == NULL || EVP_EncryptInit_ex2(ctx, gcm, NULL, NULL, NULL) != 1)
        return QC_FAIL_SSL(err, "AES-256-GCM");
    *ret = QC_STEAL(ctx);
    return QC_OK;
}

static qc_rc start(EVP_CIPHER_CTX *ctx, int encrypt, const struct qc_gcm *g, struct qc_err *err)
{
    int n;

    QC_ASSERT(g->key.n == QC_GCM_KEY);
    QC_ASSERT(g->aad.n <= INT_MAX);
    if (EVP_CipherInit_ex2(ctx, NULL, g->key.p, g->nonce, encrypt, NULL) != 1)
        return QC_FAIL_SSL(err, "AES-256-GCM");
    if (g->aad.n > 0 && EVP_CipherUpdate(ctx, NULL, &n, g->aad.p, (int)g->aad.n) != 1)
        return QC_FAIL_SSL(err, "AES-256-GCM");
    return QC_OK;
}

static qc_rc crypt(EVP_CIPHER_CTX *ctx, qc_span in, uint8_t *out, struct qc_err *err)
{
    int n = 0;

    QC_ASSERT(in.n <= INT_MAX);
    if (in.n == 0)
        return QC_OK;
    if (EVP_CipherUpdate(ctx, out, &n, in.p, (int)in.n) != 1)
        return QC_FAIL_SSL(err, "AES-256-GCM");
    QC_ASSERT(n == (int)in.n);
    return QC_OK;
}

static qc_rc finish(EVP_CIPHER_CTX *ctx, uint8_t tag[QC_TAG], struct qc_err *err)
{
    uint8_t none[16];
    int n = 0;

    if (EVP_CipherFinal_ex(ctx, none, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, QC_TAG, tag) != 1)
        return QC_FAIL_SSL(err, "AES-256-GCM");
    QC_ASSERT(n == 0);
    return QC_OK;
}

static qc_rc seal(EVP_CIPHER_CTX *ctx, const struct qc_gcm *g, qc_span in, uint8_t *out, uint8_t tag[QC_TAG],
                  struct qc_err *err)
{
    QC_TRY(start(ctx, 1, g, err));
    QC_TRY(crypt(ctx, in, out, err));
    return finish(ctx, tag, err);
}

static qc_rc unseal_unwiped(EVP_CIPHER_CTX *ctx, const struct qc_gcm *g, qc_span in,
                            const uint8_t tag[QC_TAG], uint8_t *out, struct qc_err *err)
{
    uint8_t expected[QC_TAG], none[16];
    int n = 0;

    memcpy(expected, tag, QC_TAG);
    QC_TRY(start(ctx, 0, g, err));
    QC_TRY(crypt(ctx, in, out, err));
    if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, QC_TAG, expected) != 1)
        return QC_FAIL_SSL(err, "AES-256-GCM");
    if (EVP_CipherFinal_ex(ctx, none, &n) != 1) {
        qc_ssl_reason(); /* empties the queue */
        return QC_FAIL(err, QC_INTEGRITY, "an authentication tag does not hold");
    }
    return QC_OK;
}

static qc_rc unseal(EVP_CIPHER_CTX *ctx, const struct qc_gcm *g, qc_span in, const uint8_t tag[QC_TAG],
                    uint8_t *out, struct qc_err *err)
{
    qc_rc rc = unseal_unwiped(ctx, g, in, tag, out, err);

    if (rc != QC_OK) /* I2: nobody sees what did not verify */
        qc_wipe(out, in.n);
    return rc;
}

static qc_rc mac(EVP_CIPHER_CTX *ctx, const struct qc_gcm *g, const qc_span *parts, size_t count,
                 uint8_t tag[QC_TAG], struct qc_err *err)
{
    int n;

    QC_ASSERT(g->aad.n == 0);
    QC_TRY(start(ctx, 1, g, err));
    for (size_t i = 0; i < count; i++) {
        QC_ASSERT(parts[i].n <= INT_MAX);
        if (parts[i].n > 0 && EVP_CipherUpdate(ctx, NULL, &n, parts[i].p, (int)parts[i].n) != 1)
            return QC_FAIL_SSL(err, "GMAC");
    }
    return finish(ctx, tag, err);
}

qc_rc qc_aead_new(struct qc_aead **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_aead_free) struct qc_aead *a = qc_alloc(sizeof *a);

    if (a == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a cipher");
    QC_TRY(ctx_new(&a->ctx, err));
    *ret = QC_STEAL(a);
    return QC_OK;
}

void qc_aead_free(struct qc_aead **a)
{
    if (*a == NULL)
        return;
    ctx_free(&(*a)->ctx);
    qc_free(*a);
    *a = NULL;
}

qc_rc qc_aead_seal(struct qc_aead *a, const struct qc_gcm *g, qc_span in, uint8_t *out, uint8_t tag[QC_TAG],
                   struct qc_err *err)
{
    return seal(a->ctx, g, in, out, tag, err);
}

qc_rc qc_aead_open(struct qc_aead *a, const struct qc_gcm *g, qc_span in, const uint8_t tag[QC_TAG],
                   uint8_t *out, struct qc_err *err)
{
    return unseal(a->ctx, g, in, tag, out, err);
}

qc_rc qc_aead_mac(struct qc_aead *a, const struct qc_gcm *g, const qc_span *parts, size_t count,
                  uint8_t tag[QC_TAG], struct qc_err *err)
{
    return mac(a->ctx, g, parts, count, tag, err);
}

qc_rc qc_gcm_seal(const struct qc_gcm *g, qc_span in, uint8_t *out, uint8_t tag[QC_TAG], struct qc_err *err)
{
    QC_CLEANUP(ctx_free) EVP_CIPHER_CTX *ctx = NULL;

    QC_TRY(ctx_new(&ctx, err));
    return seal(ctx, g, in, out, tag, err);
}

qc_rc qc_gcm_open(const struct qc_gcm *g, qc_span in, const uint8_t tag[QC_TAG], uint8_t *out,
                  struct qc_err *err)
{
    QC_CLEANUP(ctx_free) EVP_CIPHER_CTX *ctx = NULL;

    QC_TRY(ctx_new(&ctx, err));
    return unseal(ctx, g, in, tag, out, err);
}

qc_rc qc_gmac(const struct qc_gcm *g, const qc_span *parts, size_t count, uint8_t tag[QC_TAG],
              struct qc_err *err)
{
    QC_CLEANUP(ctx_free) EVP_CIPHER_CTX *ctx = NULL;

    QC_TRY(ctx_new(&ctx, err));
    return mac(ctx, g, parts, count, tag, err);
}

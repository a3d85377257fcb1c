/* AES-256-SIV, AES-256 in counter mode, and single AES-256 blocks. A fresh context for each call:
 * OpenSSL 3.0's SIV keeps state between messages that an init does not clear. */
#include "crypto_internal.h"

#include <limits.h>

static void ctx_free(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx); /* wipes the key schedule */
    *ctx = NULL;
}

static qc_rc ctx_new(EVP_CIPHER_CTX **ret, const EVP_CIPHER *cipher, const uint8_t *key, int encrypt,
                     struct qc_err *err)
{
    QC_CLEANUP(ctx_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    if (ctx == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a cipher");
    if (cipher == NULL || EVP_CipherInit_ex2(ctx, cipher, key, NULL, encrypt, NULL) != 1)
        return QC_FAIL_SSL(err, "AES-256");
    *ret = QC_STEAL(ctx);
    return QC_OK;
}

qc_rc qc_siv_seal(qc_span key, qc_span aad, qc_span in, uint8_t *out, struct qc_err *err)
{
    QC_CLEANUP(ctx_free) EVP_CIPHER_CTX *ctx = NULL;
    int n = 0;

    QC_ASSERT(key.n == QC_SIV_KEY);
    QC_ASSERT(aad.n > 0 && aad.n <= INT_MAX);
    QC_ASSERT(in.n > 0 && in.n <= INT_MAX);
    QC_TRY(ctx_new(&ctx, qc_algorithms()->siv, key.p, 1, err));
    if (EVP_CipherUpdate(ctx, NULL, &n, aad.p, (int)aad.n) != 1 ||
        EVP_CipherUpdate(ctx, out + QC_SIV_TAG, &n, in.p, (int)in.n) != 1 || n != (int)in.n ||
        EVP_CipherFinal_ex(ctx, out + QC_SIV_TAG + n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, QC_SIV_TAG, out) != 1)
        return QC_FAIL_SSL(err, "AES-256-SIV");
    return QC_OK;
}

qc_rc qc_siv_open(qc_span key, qc_span aad, qc_span in, uint8_t *out, struct qc_err *err)
{
    QC_CLEANUP(ctx_free) EVP_CIPHER_CTX *ctx = NULL;
    uint8_t siv[QC_SIV_TAG];
    int n = 0;

    QC_ASSERT(key.n == QC_SIV_KEY);
    QC_ASSERT(aad.n > 0 && aad.n <= INT_MAX);
    QC_ASSERT(in.n <= INT_MAX);
    if (in.n <= QC_SIV_TAG)
        return QC_FAIL(err, QC_FORMAT, "sealed text of %zu bytes, expected 17 or more", in.n);
    size_t len = in.n - QC_SIV_TAG;
    memcpy(siv, in.p, sizeof siv);
    QC_TRY(ctx_new(&ctx, qc_algorithms()->siv, key.p, 0, err));
    if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, QC_SIV_TAG, siv) != 1 ||
        EVP_CipherUpdate(ctx, NULL, &n, aad.p, (int)aad.n) != 1)
        return QC_FAIL_SSL(err, "AES-256-SIV");
    /* SIV can only be checked over the whole text: the update is where it fails. */
    if (EVP_CipherUpdate(ctx, out, &n, in.p + QC_SIV_TAG, (int)len) != 1 || n != (int)len ||
        EVP_CipherFinal_ex(ctx, out + len, &n) != 1) {
        qc_ssl_reason(); /* empties the queue */
        qc_wipe(out, len);
        return QC_FAIL(err, QC_INTEGRITY, "an authentication tag does not hold");
    }
    return QC_OK;
}

static qc_rc block(qc_span key, int encrypt, const uint8_t in[16], uint8_t out[16], struct qc_err *err)
{
    QC_CLEANUP(ctx_free) EVP_CIPHER_CTX *ctx = NULL;
    int n = 0;

    QC_ASSERT(key.n == 32);
    QC_TRY(ctx_new(&ctx, qc_algorithms()->ecb, key.p, encrypt, err));
    if (EVP_CIPHER_CTX_set_padding(ctx, 0) != 1 || EVP_CipherUpdate(ctx, out, &n, in, 16) != 1 || n != 16)
        return QC_FAIL_SSL(err, "AES-256");
    return QC_OK;
}

qc_rc qc_aes256_block_enc(qc_span key, const uint8_t in[16], uint8_t out[16], struct qc_err *err)
{
    return block(key, 1, in, out, err);
}

qc_rc qc_aes256_block_dec(qc_span key, const uint8_t in[16], uint8_t out[16], struct qc_err *err)
{
    return block(key, 0, in, out, err);
}

qc_rc qc_aes256_ctr_xor(qc_span key, uint64_t block, uint8_t *p, size_t n, struct qc_err *err)
{
    QC_CLEANUP(ctx_free) EVP_CIPHER_CTX *ctx = NULL;
    uint8_t counter[16] = { 0 };
    int done = 0;

    QC_ASSERT(key.n == 32 && n > 0 && n <= INT_MAX);
    qc_put_be(counter + 8, block, 8);
    QC_TRY(ctx_new(&ctx, qc_algorithms()->ctr, key.p, 1, err));
    if (EVP_CipherInit_ex2(ctx, NULL, NULL, counter, 1, NULL) != 1 ||
        EVP_CipherUpdate(ctx, p, &done, p, (int)n) != 1 || done != (int)n)
        return QC_FAIL_SSL(err, "AES-256-CTR");
    return QC_OK;
}

/* Authentication under keys that are used once: over libsodium, whose Poly1305 takes a raw key and cannot
 * fail, and for long messages over OpenSSL. */
#include "base/onetime.h"

#include <sodium.h>

#include "base/cleanup.h"
#include "crypto_internal.h"

void qc_poly1305(qc_span key, const qc_span *parts, size_t count, uint8_t out[QC_TAG])
{
    crypto_onetimeauth_poly1305_state state;
    QC_ASSERT(key.n == crypto_onetimeauth_poly1305_KEYBYTES && QC_TAG == crypto_onetimeauth_poly1305_BYTES);
    QC_ASSERT(crypto_onetimeauth_poly1305_init(&state, key.p) == 0);
    for (size_t i = 0; i < count; i++)
        QC_ASSERT(crypto_onetimeauth_poly1305_update(&state, parts[i].p, parts[i].n) == 0);
    QC_ASSERT(crypto_onetimeauth_poly1305_final(&state, out) == 0);
    qc_wipe(&state, sizeof state);
}

static void ctx_free(EVP_MAC_CTX **ctx)
{
    EVP_MAC_CTX_free(*ctx);
}

qc_rc qc_poly1305_long(qc_span key, const qc_span *parts, size_t count, uint8_t out[QC_TAG],
                       struct qc_err *err)
{
    QC_ASSERT(key.n == crypto_onetimeauth_poly1305_KEYBYTES);
    EVP_MAC *mac = qc_algorithms()->poly1305;
    QC_CLEANUP(ctx_free) EVP_MAC_CTX *ctx = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
    size_t n = 0;
    bool good = ctx != NULL && EVP_MAC_init(ctx, key.p, key.n, NULL) == 1;
    for (size_t i = 0; i < count && good; i++)
        good = parts[i].n == 0 || EVP_MAC_update(ctx, parts[i].p, parts[i].n) == 1;
    if (!good || EVP_MAC_final(ctx, out, &n, QC_TAG) != 1 || n != QC_TAG)
        return QC_FAIL_SSL(err, "Poly1305");
    return QC_OK;
}

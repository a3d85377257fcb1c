/* Authentication under keys that are used once: over libsodium, whose Poly1305 takes a raw key and cannot
 * fail, and for long messages over OpenSSL. */
#include "base/onetime.h"

#include <sodium.h>

#include "base/cleanup.h"
#include "crypto_internal.h"

enum { SLICE = 16384 }; /* fits a first-level cache, beside what it is made of */

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

struct contexts {
    EVP_MAC_CTX *ctx[QC_POLY1305_KEYS];
    size_t n;
};

static void ctx_free_all(struct contexts *c)
{
    for (size_t k = 0; k < c->n; k++)
        EVP_MAC_CTX_free(c->ctx[k]);
}

/* Through all contexts, a slice of each part at a time: a later one finds it in the cache. */
static bool update_all(EVP_MAC_CTX *const *ctx, size_t keys, const qc_span *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < parts[i].n; at += SLICE) {
            const size_t n = parts[i].n - at < SLICE ? parts[i].n - at : SLICE;
            for (size_t k = 0; k < keys; k++)
                if (EVP_MAC_update(ctx[k], parts[i].p + at, n) != 1)
                    return false;
        }
    return true;
}

qc_rc qc_poly1305_each(const qc_span *key, size_t keys, const qc_span *parts, size_t count,
                       uint8_t out[][QC_TAG], struct qc_err *err)
{
    QC_CLEANUP(ctx_free_all) struct contexts c = { .n = keys };
    QC_ASSERT(keys <= QC_POLY1305_KEYS);
    EVP_MAC *mac = qc_algorithms()->poly1305;
    bool good = mac != NULL;
    for (size_t k = 0; k < keys && good; k++) {
        QC_ASSERT(key[k].n == crypto_onetimeauth_poly1305_KEYBYTES);
        c.ctx[k] = EVP_MAC_CTX_new(mac);
        good = c.ctx[k] != NULL && EVP_MAC_init(c.ctx[k], key[k].p, key[k].n, NULL) == 1;
    }
    good = good && update_all(c.ctx, keys, parts, count);
    for (size_t k = 0; k < keys && good; k++) {
        size_t n = 0;
        good = EVP_MAC_final(c.ctx[k], out[k], &n, QC_TAG) == 1 && n == QC_TAG;
    }
    return good ? QC_OK : QC_FAIL_SSL(err, "Poly1305");
}

qc_rc qc_poly1305_long(qc_span key, const qc_span *parts, size_t count, uint8_t out[QC_TAG],
                       struct qc_err *err)
{
    return qc_poly1305_each(&key, 1, parts, count, (uint8_t(*)[QC_TAG])out, err);
}

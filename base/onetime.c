/* Authentication under keys that are used once: over libsodium, whose Poly1305 takes a raw key. */
#include <sodium.h>

#include "base/crypto.h"

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

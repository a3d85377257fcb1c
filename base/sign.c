/* Ed25519 over libsodium, which takes its secret key from the caller's locked memory; OpenSSL would keep a
 * copy on the heap (I5). */
#include "base/sign.h"

#include <sodium.h>

#include "base/cleanup.h"

_Static_assert(QC_SIGN_SEED == crypto_sign_SEEDBYTES && QC_SIGN_PUBLIC == crypto_sign_PUBLICKEYBYTES &&
                   QC_SIGN_BYTES == crypto_sign_BYTES,
               "sizes of Ed25519");

/* What libsodium signs with: the seed and the public key behind it. */
static qc_rc expand(qc_key **ret, uint8_t public[QC_SIGN_PUBLIC], const qc_key *seed, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *pair = NULL;
    QC_ASSERT(qc_key_len(seed) == QC_SIGN_SEED);
    QC_TRY(qc_key_blank(&pair, crypto_sign_SECRETKEYBYTES, err));
    QC_ASSERT(crypto_sign_seed_keypair(public, qc_key_write(pair), qc_key_open(seed).p) == 0);
    qc_key_seal(pair);
    *ret = QC_STEAL(pair);
    return QC_OK;
}

qc_rc qc_sign_public(uint8_t ret[QC_SIGN_PUBLIC], const qc_key *seed, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *pair = NULL;
    uint8_t public[QC_SIGN_PUBLIC];
    QC_TRY(expand(&pair, public, seed, err));
    memcpy(ret, public, sizeof public);
    return QC_OK;
}

qc_rc qc_sign(uint8_t ret[QC_SIGN_BYTES], const qc_key *seed, qc_span message, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *pair = NULL;
    uint8_t public[QC_SIGN_PUBLIC];
    QC_TRY(expand(&pair, public, seed, err));
    QC_ASSERT(crypto_sign_detached(ret, NULL, message.p, message.n, qc_key_open(pair).p) == 0);
    return QC_OK;
}

bool qc_sign_holds(const uint8_t key[QC_SIGN_PUBLIC], qc_span message, const uint8_t signature[QC_SIGN_BYTES])
{
    return crypto_sign_verify_detached(signature, message.p, message.n, key) == 0;
}

/* unit/base_sign: a signature holds for its key, message and bytes alone; what is not canonical is refused.
 * Values: kat/base_crypto. */
#include "base/sign.h"

#include "qc_check.h"

int main(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *seed = NULL, *short_seed = NULL;
    uint8_t raw[QC_SIGN_SEED] = { 7 }, key[QC_SIGN_PUBLIC], signature[QC_SIGN_BYTES], again[QC_SIGN_BYTES];
    uint8_t text[50] = "what is signed";
    const qc_span message = qc_span_of(text, sizeof text);

    CHECK_OK(qc_key_from(&seed, raw, sizeof raw, &err));
    CHECK_OK(qc_sign_public(key, seed, &err));
    CHECK_OK(qc_sign(signature, seed, message, &err));
    CHECK_OK(qc_sign(again, seed, message, &err));
    CHECK(memcmp(signature, again, sizeof again) == 0);
    CHECK(qc_sign_holds(key, message, signature));
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] ^= 1;
        CHECK(!qc_sign_holds(key, message, signature));
        text[i] ^= 1;
        CHECK(!qc_sign_holds(key, qc_span_sub(message, 0, i), signature));
    }
    for (size_t bit = 0; bit < 8 * sizeof signature; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!qc_sign_holds(key, message, signature));
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof key; bit++) {
        key[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!qc_sign_holds(key, message, signature));
        key[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    /* The same signature with S + L: it would hold, were it not for its range. */
    static const uint8_t L[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                   0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
    unsigned carry = 0;
    memcpy(again, signature, sizeof again);
    for (size_t i = 0; i < sizeof L; i++) {
        carry += (unsigned)again[32 + i] + L[i];
        again[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    CHECK(carry == 0 && !qc_sign_holds(key, message, again));
    /* A key of small order: with it one signature would hold for many messages. */
    memset(key, 0, sizeof key);
    memset(signature, 0, sizeof signature);
    key[0] = signature[0] = 1;
    CHECK(!qc_sign_holds(key, message, signature));

    CHECK_OK(qc_key_blank(&short_seed, 16, &err));
    qc_key_seal(short_seed);
    CHECK_DIES(qc_ignore(qc_sign_public(key, short_seed, &err), "it dies"));
    return 0;
}

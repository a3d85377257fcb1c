/* Hashes, MACs, key derivation, encryption, signatures: the answers of their standards. */
#include <string.h>

#include "base/crypto.h"
#include "base/pwhash.h"
#include "base/sign.h"
#include "selftest_internal.h"

/* Of the GCM specification's cases 13 to 16; and of FIPS 197, C.3. */
#define GCM_KEY   "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define GCM_NONCE "cafebabefacedbaddecaf888"
#define GCM_AAD   "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define GCM_PLAIN                                                                                            \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aed" \
    "f5aa0de657ba637b39"
#define GCM_CIPHER                                                                                           \
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e" \
    "6393ba7a0abcc9f662"
#define GCM_TAG   "76fc6ece0f4e1768cddf8853bb2d551b"
#define BLOCK_KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* An input that stands as hex. */
struct in {
    uint8_t b[SELFTEST_BYTES];
    qc_span s;
};

static qc_span take(struct in *in, const char *hex)
{
    in->s = qc_span_of(in->b, selftest_bytes(hex, in->b));
    return in->s;
}

static qc_rc sha256(const qc_rng *rng, struct qc_err *err)
{
    uint8_t out[QC_SHA256_BYTES];
    const qc_span message = QC_LIT("abc");
    (void)rng;
    QC_TRY(qc_sha256(&message, 1, out, err));
    return selftest_same("hash", out, sizeof out,
                         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", err);
}

static qc_rc md5(const qc_rng *rng, struct qc_err *err)
{
    uint8_t out[QC_MD5_BYTES];
    const qc_span message = QC_LIT("message digest");
    (void)rng;
    QC_TRY(qc_md5(&message, 1, out, err));
    return selftest_same("hash", out, sizeof out, "f96b697d7cb7938d525a2f31aaf161d0", err);
}

static qc_rc hmac(const qc_rng *rng, struct qc_err *err)
{
    uint8_t out[QC_SHA256_BYTES];
    const qc_span message = QC_LIT("what do ya want for nothing?");
    (void)rng;
    QC_TRY(qc_hmac_sha256(QC_LIT("Jefe"), &message, 1, out, err));
    return selftest_same("MAC", out, sizeof out,
                         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", err);
}

static qc_rc hkdf(const qc_rng *rng, struct qc_err *err)
{
    struct in salt, ikm, info;
    uint8_t out[42];
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    (void)rng;
    QC_TRY(qc_prk_new(&prk, take(&salt, "000102030405060708090a0b0c"),
                      take(&ikm, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), err));
    QC_TRY(qc_prk_expand(prk, take(&info, "f0f1f2f3f4f5f6f7f8f9"), out, sizeof out, err));
    return selftest_same(
        "key", out, sizeof out,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865", err);
}

static qc_rc hkdf_sha384(const qc_rng *rng, struct qc_err *err)
{
    struct in salt, ikm, info;
    uint8_t out[QC_SHA384_BYTES];
    (void)rng;
    QC_TRY(qc_hkdf_sha384(take(&salt, "000102030405060708090a0b0c"),
                          take(&ikm, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                          take(&info, "f0f1f2f3f4f5f6f7f8f9"), out, err));
    return selftest_same(
        "key", out, sizeof out,
        "9b5097a86038b805309076a44b3a9f38063e25b516dcbf369f394cfab43685f748b6457763e4f0204fc5d95"
        "d1da3e625",
        err);
}

static qc_rc gcm(const qc_rng *rng, struct qc_err *err)
{
    struct in key, nonce, aad, plain;
    uint8_t out[SELFTEST_BYTES], back[SELFTEST_BYTES], tag[QC_TAG];
    struct qc_err why = { 0 };
    (void)rng;
    take(&nonce, GCM_NONCE);
    const struct qc_gcm g = { .key = take(&key, GCM_KEY), .nonce = nonce.b, .aad = take(&aad, GCM_AAD) };
    const size_t n = take(&plain, GCM_PLAIN).n;
    QC_TRY(qc_gcm_seal(&g, plain.s, out, tag, err));
    QC_TRY(selftest_same("ciphertext", out, n, GCM_CIPHER, err));
    QC_TRY(selftest_same("tag", tag, sizeof tag, GCM_TAG, err));
    QC_TRY(qc_gcm_open(&g, qc_span_of(out, n), tag, back, err));
    QC_TRY(selftest_same("text", back, n, GCM_PLAIN, err));
    tag[5] ^= 1;
    if (qc_gcm_open(&g, qc_span_of(out, n), tag, back, &why) != QC_INTEGRITY)
        return QC_FAIL(err, QC_INTEGRITY, "a tag that is altered by one bit is taken");
    return QC_OK;
}

static qc_rc gmac(const qc_rng *rng, struct qc_err *err)
{
    struct in key, nonce, aad;
    uint8_t tag[QC_TAG];
    (void)rng;
    take(&nonce, GCM_NONCE);
    take(&aad, GCM_AAD);
    const struct qc_gcm g = { .key = take(&key, GCM_KEY), .nonce = nonce.b };
    const qc_span parts[] = { qc_span_sub(aad.s, 0, 7), qc_span_from(aad.s, 7) };
    QC_TRY(qc_gmac(&g, parts, 2, tag, err));
    return selftest_same("tag", tag, sizeof tag, "9f6be07603c0b0bd1272854063e9c9ba", err);
}

static qc_rc poly1305(const qc_rng *rng, struct qc_err *err)
{
    struct in key;
    uint8_t tag[QC_TAG];
    const qc_span message = QC_LIT("Cryptographic Forum Research Group");
    (void)rng;
    qc_poly1305(take(&key, "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b"), &message, 1,
                tag);
    return selftest_same("tag", tag, sizeof tag, "a8061dc1305136c6c22b8baf0c0127a9", err);
}

static qc_rc block(const qc_rng *rng, struct qc_err *err)
{
    struct in key, plain;
    uint8_t out[16], back[16];
    (void)rng;
    take(&plain, "00112233445566778899aabbccddeeff");
    QC_TRY(qc_aes256_block_enc(take(&key, BLOCK_KEY), plain.b, out, err));
    QC_TRY(selftest_same("block", out, sizeof out, "8ea2b7ca516745bfeafc49904b496089", err));
    QC_TRY(qc_aes256_block_dec(key.s, out, back, err));
    return selftest_same("block back", back, sizeof back, "00112233445566778899aabbccddeeff", err);
}

static qc_rc ctr(const qc_rng *rng, struct qc_err *err)
{
    struct in key, text;
    (void)rng;
    take(&text, BLOCK_KEY);
    QC_TRY(qc_aes256_ctr_xor(take(&key, BLOCK_KEY), 1, text.b, text.s.n, err));
    return selftest_same("stream", text.b, text.s.n,
                         "f05c74ad4ebc99e2aeff913a44cf38321eada7cda13995aa10b1b32e04318f86", err);
}

static qc_rc siv(const qc_rng *rng, struct qc_err *err)
{
    struct in key, aad, plain;
    uint8_t out[SELFTEST_BYTES], back[SELFTEST_BYTES];
    struct qc_err why = { 0 };
    (void)rng;
    take(&key,
         "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f06f6e6d6c6b6a69686766656463626160f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
         "000102030405060708090a0b0c0d0e0f");
    take(&aad, "101112131415161718191a1b1c1d1e1f2021222324252627");
    const size_t n = take(&plain, "112233445566778899aabbccddee").n + QC_SIV_TAG;
    QC_TRY(qc_siv_seal(key.s, aad.s, plain.s, out, err));
    QC_TRY(selftest_same("ciphertext", out, n, "f125274c598065cfc26b0e71575029088b035217e380cac8919ee800c126",
                         err));
    QC_TRY(qc_siv_open(key.s, aad.s, qc_span_of(out, n), back, err));
    QC_TRY(selftest_same("text", back, plain.s.n, "112233445566778899aabbccddee", err));
    out[3] ^= 1;
    if (qc_siv_open(key.s, aad.s, qc_span_of(out, n), back, &why) != QC_INTEGRITY)
        return QC_FAIL(err, QC_INTEGRITY, "a tag that is altered by one bit is taken");
    return QC_OK;
}

static qc_rc ed25519(const qc_rng *rng, struct qc_err *err)
{
    uint8_t seed[SELFTEST_BYTES], public[QC_SIGN_PUBLIC], signature[QC_SIGN_BYTES];
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    (void)rng;
    selftest_bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", seed);
    QC_TRY(qc_key_from(&key, seed, QC_SIGN_SEED, err));
    QC_TRY(qc_sign_public(public, key, err));
    QC_TRY(selftest_same("public key", public, sizeof public,
                         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", err));
    QC_TRY(qc_sign(signature, key, QC_LIT("\x72"), err));
    QC_TRY(selftest_same(
        "signature", signature, sizeof signature,
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
        "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        err));
    if (!qc_sign_holds(public, QC_LIT("\x72"), signature))
        return QC_FAIL(err, QC_INTEGRITY, "a good signature is refused");
    signature[9] ^= 1;
    if (qc_sign_holds(public, QC_LIT("\x72"), signature))
        return QC_FAIL(err, QC_INTEGRITY, "a signature that is altered by one bit is taken");
    return QC_OK;
}

static qc_rc argon2id(const qc_rng *rng, struct qc_err *err)
{
    struct qc_pwhash how = { .passes = 2, .kib = 64 };
    uint8_t salt[SELFTEST_BYTES], out[QC_PWHASH_BYTES];
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    (void)rng;
    memcpy(how.salt, salt, selftest_bytes("c4bbcb1fbec99d65bf59d85c8cb62ee2", salt));
    QC_TRY(qc_pwhash(&key, QC_LIT("correct horse battery staple"), &how, NULL, err));
    memcpy(out, qc_key_open(key).p, sizeof out); /* of a passphrase that everybody knows */
    return selftest_same("key", out, sizeof out,
                         "61cf8342f23452dc649cb4e80afa5aef88602f50bae7f123c3d7d8845e96f67c", err);
}

enum { BOTH = SELFTEST_GATEWAY | SELFTEST_CLIENT };

const struct selftest selftest_crypto[] = {
    { "sha256", "FIPS 180-4", BOTH, sha256 },
    { "md5", "RFC 1321", SELFTEST_GATEWAY, md5 },
    { "hmac-sha256", "RFC 4231, case 2", BOTH, hmac },
    { "hkdf-sha256", "RFC 5869, A.1", BOTH, hkdf },
    { "hkdf-sha384", "RFC 5869 with SHA-384, a second implementation", BOTH, hkdf_sha384 },
    { "aes-256-gcm", "GCM specification, case 16", BOTH, gcm },
    { "aes-256-gmac", "a second implementation", BOTH, gmac },
    { "poly1305", "RFC 8439, 2.5.2", BOTH, poly1305 },
    { "aes-256", "FIPS 197, C.3", SELFTEST_GATEWAY, block },
    { "aes-256-ctr", "a second implementation", BOTH, ctr },
    { "aes-256-siv", "RFC 5297 under a key of 512 bits, a second implementation", SELFTEST_CLIENT, siv },
    { "ed25519", "RFC 8032, test 2", SELFTEST_CLIENT, ed25519 },
    { "argon2id", "the reference implementation", SELFTEST_CLIENT, argon2id },
    { 0 },
};

/* unit/base_crypto: refusals, reuse of contexts, in-place work, the injective encoding. Values:
 * kat/base_crypto. */
#include "base/crypto.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/onetime.h"

#include "qc_check.h"

static const uint8_t key[64] = { 1, 2, 3, 4 };
static const uint8_t nonce[QC_GCM_NONCE] = { 9 };

static void check_gcm(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_aead_free) struct qc_aead *a = NULL;
    struct qc_gcm g = { .key = { key, 32 }, .nonce = nonce, .aad = QC_LIT("header") };
    uint8_t text[100], once[100], again[100], tag[QC_TAG], tag2[QC_TAG];

    memset(text, 'd', sizeof text);
    CHECK_OK(qc_aead_new(&a, &err));
    CHECK_OK(qc_gcm_seal(&g, qc_span_of(text, 100), once, tag, &err));
    memcpy(again, text, 100);
    for (int i = 0; i < 3; i++) { /* a context is as new each time, and works in place */
        CHECK_OK(qc_aead_seal(a, &g, qc_span_of(again, 100), again, tag2, &err));
        CHECK(memcmp(again, once, 100) == 0 && memcmp(tag, tag2, QC_TAG) == 0);
        CHECK_OK(qc_aead_open(a, &g, qc_span_of(again, 100), tag, again, &err));
        CHECK(memcmp(again, text, 100) == 0);
    }
    for (int bit = 0; bit < 8 * 100 + 8 * QC_TAG; bit++) { /* every bit of text and tag counts */
        uint8_t bad[100], bad_tag[QC_TAG], out[100];

        memcpy(bad, once, 100);
        memcpy(bad_tag, tag, QC_TAG);
        if (bit < 800)
            bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        else
            bad_tag[(bit - 800) / 8] ^= (uint8_t)(1 << bit % 8);
        memset(out, 1, sizeof out);
        CHECK_RC(qc_aead_open(a, &g, qc_span_of(bad, 100), bad_tag, out, &err), QC_INTEGRITY);
        for (size_t i = 0; i < sizeof out; i++)
            CHECK(out[i] == 0); /* I2 */
    }
    struct qc_gcm other = g;
    other.aad = QC_LIT("headex");
    CHECK_RC(qc_aead_open(a, &other, qc_span_of(once, 100), tag, again, &err), QC_INTEGRITY);
    CHECK_RC(qc_gcm_open(&g, qc_span_of(once, 99), tag, again, &err), QC_INTEGRITY);
    CHECK_OK(
        qc_aead_open(a, &g, qc_span_of(once, 100), tag, again, &err)); /* a failure leaves nothing behind */
    g.key.n = 31;
    CHECK_DIES(qc_ignore(qc_aead_seal(a, &g, QC_LIT("x"), again, tag, &err), "it dies"));
}

static void check_gmac(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_aead_free) struct qc_aead *a = NULL;
    struct qc_gcm g = { .key = { key, 32 }, .nonce = nonce };
    qc_span whole = QC_LIT("all the bytes"), parts[] = { QC_LIT("all "), QC_LIT(""), QC_LIT("the bytes") };
    uint8_t t1[QC_TAG], t2[QC_TAG], t3[QC_TAG];

    CHECK_OK(qc_aead_new(&a, &err));
    CHECK_OK(qc_gmac(&g, &whole, 1, t1, &err));
    CHECK_OK(qc_aead_mac(a, &g, parts, 3, t2, &err));
    CHECK(qc_ct_eq(t1, t2, QC_TAG));
    g.aad = whole; /* GMAC is GCM of the empty text */
    CHECK_OK(qc_gcm_seal(&g, QC_LIT(""), t3, t3, &err));
    CHECK(qc_ct_eq(t1, t3, QC_TAG));
    g.aad = (qc_span){ 0 };
    CHECK_OK(qc_aead_mac(a, &g, parts, 2, t2, &err));
    CHECK(!qc_ct_eq(t1, t2, QC_TAG));
}

static void check_siv(void)
{
    struct qc_err err = { 0 };
    qc_span k = { key, QC_SIV_KEY }, aad = QC_LIT("dir");
    uint8_t sealed[32], out[32] = { 7 };

    CHECK_OK(qc_siv_seal(k, aad, QC_LIT("component 123456"), sealed, &err));
    CHECK_OK(qc_siv_open(k, aad, qc_span_of(sealed, 32), out, &err));
    CHECK(memcmp(out, "component 123456", 16) == 0);
    for (size_t bit = 0; bit < 256; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_RC(qc_siv_open(k, aad, qc_span_of(sealed, 32), out, &err), QC_INTEGRITY);
        CHECK(out[0] == 0 && out[15] == 0);
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_RC(qc_siv_open(k, QC_LIT("Dir"), qc_span_of(sealed, 32), out, &err), QC_INTEGRITY);
    CHECK_RC(qc_siv_open(k, aad, qc_span_of(sealed, 16), out, &err), QC_FORMAT);
    CHECK_DIES(qc_ignore(qc_siv_seal(k, aad, QC_LIT(""), sealed, &err), "it dies"));
    CHECK_DIES(qc_ignore(qc_siv_seal(k, QC_LIT(""), aad, sealed, &err), "it dies"));
}

static void check_pieces(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_sha256_free) struct qc_sha256_ctx *h = NULL;
    qc_span whole = QC_LIT("abcdef");
    uint8_t a[32], b[32];

    CHECK_OK(qc_sha256(&whole, 1, a, &err));
    CHECK_OK(qc_sha256_new(&h, &err));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(qc_sha256_add(h, QC_LIT("abc"), &err));
        CHECK_OK(qc_sha256_add(h, QC_LIT("def"), &err));
        CHECK_OK(qc_sha256_final(h, b, &err));
        CHECK(memcmp(a, b, 32) == 0);
    }
    CHECK_OK(qc_hmac_sha256(qc_span_of(key, 32), &whole, 1, a, &err));
    CHECK_OK(qc_hmac_sha256(qc_span_of(key, 32), (qc_span[]){ QC_LIT("abcd"), QC_LIT(""), QC_LIT("ef") }, 3,
                            b, &err));
    CHECK(memcmp(a, b, 32) == 0);
}

/* A key and what it is under both pads (RFC 2104), written where no thread has its stack. */
static uint8_t burnt[3][32], burnt_mac[32];

/* What was there before: it is overwritten by what wipes, or by nothing. */
static __attribute__((noinline)) void pattern_below(void)
{
    volatile uint8_t below[768];
    for (size_t i = 0; i < sizeof below; i++)
        below[i] = 0xa7;
}

static void *mac_there(void *unused)
{
    struct qc_err err = { 0 };
    (void)unused;
    pattern_below();
    const qc_span message =
        QC_LIT("a message, longer than a block of SHA-256 is: 0123456789012345678901234567890123456789");
    CHECK_OK(qc_hmac_sha256(qc_span_of(burnt[0], 32), &message, 1, burnt_mac, &err));
    return NULL;
}

/* Nothing of a key on the stack of a thread that used it: neither it nor under a pad, and what lay there
 * before is gone, too. */
static void check_burnt(void)
{
    enum { STACK = 256 * 1024 };
    pthread_attr_t attr;
    pthread_t thread;
    uint8_t *stack = aligned_alloc(4096, STACK);
    CHECK(stack != NULL);
    memset(stack, 0, STACK);
    for (size_t i = 0; i < 32; i++) {
        burnt[0][i] = (uint8_t)(17 + 7 * i);
        burnt[1][i] = burnt[0][i] ^ 0x36;
        burnt[2][i] = burnt[0][i] ^ 0x5c;
    }
    CHECK(pthread_attr_init(&attr) == 0 && pthread_attr_setstack(&attr, stack, STACK) == 0);
    CHECK(pthread_create(&thread, &attr, mac_there, NULL) == 0 && pthread_join(thread, NULL) == 0);
    for (size_t i = 0; i < 3; i++)
        for (size_t from = 0; from < 32; from += 4)
            CHECK(memmem(stack, STACK, burnt[i] + from, 4) == NULL);
    uint8_t pattern[48];
    memset(pattern, 0xa7, sizeof pattern);
    CHECK(memmem(stack, STACK, pattern, sizeof pattern) == NULL);
    pthread_attr_destroy(&attr);
    free(stack);
}

static void check_kdf(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    QC_CLEANUP(qc_key_free) qc_key *k = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf one = { .max = 64 }, two = { .max = 64 }, small = { .max = 9 };
    uint8_t out[64];

    CHECK_OK(qc_info_add(&one, QC_LIT("ab"), &err));
    CHECK_OK(qc_info_add(&one, QC_LIT("c"), &err));
    CHECK_OK(qc_info_add(&two, QC_LIT("a"), &err));
    CHECK_OK(qc_info_add(&two, QC_LIT("bc"), &err));
    CHECK(one.n == 19 && !qc_span_eq(qc_buf_span(&one), qc_buf_span(&two)));
    CHECK_OK(qc_info_add_be(&two, 7, 4, &err));
    CHECK(two.n == 31 && two.p[30] == 7 && two.p[26] == 4);
    CHECK_RC(qc_info_add(&small, QC_LIT("ab"), &err), QC_LIMIT);
    CHECK(small.n == 0);
    CHECK_OK(qc_prk_new(&prk, QC_LIT("salt"), QC_LIT("input"), &err));
    CHECK_OK(qc_prk_expand(prk, qc_buf_span(&one), out, 64, &err));
    CHECK_OK(qc_prk_expand_key(&k, prk, qc_buf_span(&one), 32, &err));
    CHECK(memcmp(out, qc_key_open(k).p, 32) == 0); /* a shorter output is the longer one's start */
    CHECK(!qc_ct_eq(out, out + 32, 32) && qc_ct_eq(out, out, 64) && qc_ct_eq(NULL, NULL, 0));
}

/* RFC 8439, 2.5.2, and the two implementations against each other, at lengths about their blocks. */
static void check_poly1305(void)
{
    static const uint8_t k[32] = { 0x85, 0xd6, 0xbe, 0x78, 0x57, 0x55, 0x6d, 0x33, 0x7f, 0x44, 0x52,
                                   0xfe, 0x42, 0xd5, 0x06, 0xa8, 0x01, 0x03, 0x80, 0x8a, 0xfb, 0x0d,
                                   0xb2, 0xfd, 0x4a, 0xbf, 0xf6, 0xaf, 0x41, 0x49, 0xf5, 0x1b };
    static const uint8_t want[QC_TAG] = { 0xa8, 0x06, 0x1d, 0xc1, 0x30, 0x51, 0x36, 0xc6,
                                          0xc2, 0x2b, 0x8b, 0xaf, 0x0c, 0x01, 0x27, 0xa9 };
    static uint8_t text[5000];
    const qc_span parts[2] = { QC_LIT("Cryptographic Forum "), QC_LIT("Research Group") };
    struct qc_err err = { 0 };
    uint8_t tag[QC_TAG], other[QC_TAG];

    CHECK_OK(qc_poly1305_long(qc_span_of(k, 32), parts, 2, tag, &err));
    qc_poly1305(qc_span_of(k, 32), parts, 2, other);
    CHECK(memcmp(tag, want, QC_TAG) == 0 && memcmp(other, want, QC_TAG) == 0);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(255 - i % 7 * 3 - (i >> 5));
    for (size_t n = 0; n <= sizeof text; n += n < 600 ? 1 : 211) {
        const qc_span three[3] = { { text, n / 3 }, { NULL, 0 }, { text + n / 3, n - n / 3 } };
        CHECK_OK(qc_poly1305_long(qc_span_of(k, 32), three, 3, tag, &err));
        qc_poly1305(qc_span_of(k, 32), three, 3, other);
        CHECK(memcmp(tag, other, QC_TAG) == 0);
    }
}

/* Several keys over one message, which is longer than what goes through all of them at a time. */
static void check_poly1305_each(void)
{
    static uint8_t text[50021];
    uint8_t keys[QC_POLY1305_KEYS][32], tag[QC_POLY1305_KEYS][QC_TAG], other[QC_TAG];
    const qc_span parts[2] = { { text, 21 }, { text + 21, sizeof text - 21 } };
    qc_span of[QC_POLY1305_KEYS];
    struct qc_err err = { 0 };
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 31 + (i >> 7));
    for (size_t k = 0; k < QC_POLY1305_KEYS; k++) {
        memset(keys[k], (int)(k + 5), sizeof keys[k]);
        of[k] = qc_span_of(keys[k], sizeof keys[k]);
    }
    CHECK_OK(qc_poly1305_each(of, QC_POLY1305_KEYS, parts, 2, tag, &err));
    for (size_t k = 0; k < QC_POLY1305_KEYS; k++) {
        qc_poly1305(of[k], parts, 2, other);
        CHECK(memcmp(tag[k], other, QC_TAG) == 0);
    }
}

int main(void)
{
    check_poly1305();
    check_poly1305_each();
    check_gcm();
    check_gmac();
    check_siv();
    check_pieces();
    check_kdf();
    check_burnt();
    CHECK(qc_alloc_live() == 0);
    return 0;
}

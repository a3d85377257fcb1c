/* bench/base_crypto: GB/s and microseconds of what every chunk costs, as JSON lines. */
#include "base/crypto.h"
#include "base/time.h"

#include "qc_check.h"

enum { CHUNK = 1 << 20, CHUNKS = 512, SMALL = 20000 };

static uint8_t data[CHUNK], tag[QC_TAG], digest[QC_SHA256_BYTES];
static const uint8_t key[64] = { 1 }, nonce[QC_GCM_NONCE] = { 2 };
static struct qc_err err;

static void rate(const char *what, uint64_t start, double bytes)
{
    printf("{\"bench\":\"%s\",\"gb_per_s\":%.3f}\n", what, bytes / (double)(qc_now_ns() - start));
}

static void each(const char *what, uint64_t start, int count)
{
    printf("{\"bench\":\"%s\",\"us\":%.3f}\n", what, (double)(qc_now_ns() - start) / 1000.0 / count);
}

static void chunks(struct qc_aead *a)
{
    struct qc_gcm g = { .key = { key, 32 }, .nonce = nonce };
    qc_span part = { data, CHUNK };
    uint64_t t = qc_now_ns();

    for (int i = 0; i < CHUNKS; i++)
        CHECK_OK(qc_aead_seal(a, &g, part, data, tag, &err));
    rate("gcm seal 1 MiB", t, (double)CHUNK * CHUNKS);
    t = qc_now_ns();
    for (int i = 0; i < CHUNKS; i++)
        CHECK_OK(qc_aead_mac(a, &g, &part, 1, tag, &err));
    rate("gmac 1 MiB", t, (double)CHUNK * CHUNKS);
    t = qc_now_ns();
    for (int i = 0; i < CHUNKS; i++)
        CHECK_OK(qc_hmac_sha256(g.key, &part, 1, digest, &err));
    rate("hmac-sha-256 1 MiB", t, (double)CHUNK * CHUNKS);
}

static void calls(struct qc_aead *a)
{
    struct qc_gcm g = { .key = { key, 32 }, .nonce = nonce };
    qc_span text = { data, 64 };
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    uint8_t out[128];
    uint64_t t = qc_now_ns();

    for (int i = 0; i < SMALL; i++)
        CHECK_OK(qc_aead_seal(a, &g, text, data, tag, &err));
    each("gcm seal 64 bytes, context kept", t, SMALL);
    t = qc_now_ns();
    for (int i = 0; i < SMALL; i++)
        CHECK_OK(qc_gcm_seal(&g, text, data, tag, &err));
    each("gcm seal 64 bytes", t, SMALL);
    CHECK_OK(qc_prk_new(&prk, text, text, &err));
    t = qc_now_ns();
    for (int i = 0; i < SMALL; i++)
        CHECK_OK(qc_prk_expand(prk, text, out, 32, &err));
    each("hkdf expand 32 bytes", t, SMALL);
    t = qc_now_ns();
    for (int i = 0; i < SMALL; i++) {
        QC_CLEANUP(qc_key_free) qc_key *k = NULL;

        CHECK_OK(qc_prk_expand_key(&k, prk, text, 32, &err));
    }
    each("hkdf expand to a guarded key", t, SMALL);
    t = qc_now_ns();
    for (int i = 0; i < SMALL; i++)
        CHECK_OK(qc_siv_seal(qc_span_of(key, 64), text, text, out, &err));
    each("siv seal 64 bytes", t, SMALL);
}

int main(void)
{
    QC_CLEANUP(qc_aead_free) struct qc_aead *a = NULL;

    CHECK_OK(qc_aead_new(&a, &err));
    chunks(a);
    calls(a);
    return 0;
}

/* unit/qrng_bulk: the two makers of bulk randomness. The generator against the block cipher by which SP
 * 800-38A defines its mode, and against another program (kat/qrng_bulk.py); the old key is gone after each
 * piece; what was drawn is counted; a forked child gets nothing. */
#include "base/crypto.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qrng/bulk.h"
#include "qrng/qrng.h"
#include "qrng_test.h"

static struct qc_err err;

/* 00 01 02 .. */
static uint8_t seeds[256];

static struct qrng_bulk *open_fixed(enum qrng_bulk_maker maker, size_t n, struct qrng **ret_source)
{
    struct qrng_bulk *b = NULL;
    CHECK_OK(qrng_open_fixed(qc_span_of(seeds, n), ret_source, &err));
    const qc_rng source = qrng_rng(*ret_source);
    CHECK_OK(qrng_bulk_open(maker, &source, &b, &err));
    return b;
}

/* SP 800-38A, F.5.5: the four output blocks of AES-256 in counter mode. */
static void cipher(void)
{
    static const uint8_t key[32] = { 0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe, 0x2b, 0x73, 0xae,
                                     0xf0, 0x85, 0x7d, 0x77, 0x81, 0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61,
                                     0x08, 0xd7, 0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4 };
    static const uint8_t output[4][16] = {
        { 0x0b, 0xdf, 0x7d, 0xf1, 0x59, 0x17, 0x16, 0x33, 0x5e, 0x9a, 0x8b, 0x15, 0xc8, 0x60, 0xc5, 0x02 },
        { 0x5a, 0x6e, 0x69, 0x9d, 0x53, 0x61, 0x19, 0x06, 0x54, 0x33, 0x86, 0x3c, 0x8f, 0x65, 0x7b, 0x94 },
        { 0x1b, 0xc1, 0x2c, 0x9c, 0x01, 0x61, 0x0d, 0x5d, 0x0d, 0x8b, 0xd6, 0xa3, 0x37, 0x8e, 0xca, 0x62 },
        { 0x29, 0x56, 0xe1, 0xc8, 0x69, 0x35, 0x36, 0xb1, 0xbe, 0xe9, 0x9c, 0x73, 0xa3, 0x15, 0x76, 0xb6 },
    };
    uint8_t counter[16], out[16];
    for (unsigned i = 0; i < 16; i++)
        counter[i] = (uint8_t)(0xf0 + i);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_OK(qc_aes256_block_enc(qc_span_of(key, 32), counter, out, &err));
        CHECK(memcmp(out, output[i], 16) == 0);
        counter[14] = (uint8_t)(counter[14] + (counter[15] == 0xff));
        counter[15]++;
    }
}

/* Block `i` of a key's stream, from the cipher alone. */
static void block(const uint8_t K[32], uint64_t i, uint8_t out[16])
{
    uint8_t counter[16] = { 0 };
    for (unsigned b = 0; b < 8; b++)
        counter[15 - b] = (uint8_t)(i >> (8 * b));
    CHECK_OK(qc_aes256_block_enc(qc_span_of(K, 32), counter, out, &err));
}

/* What the header says, written again. */
static void model(uint8_t K[32], uint8_t *p, size_t n)
{
    uint8_t next[32];
    for (size_t at = 0; at < n;) {
        const size_t take = n - at < QC_QRNG_CTR_PIECE ? n - at : QC_QRNG_CTR_PIECE;
        block(K, 0, next);
        block(K, 1, next + 16);
        for (size_t i = 0; i < take; i += 16) {
            uint8_t out[16];
            block(K, 2 + i / 16, out);
            memcpy(p + at + i, out, take - i < 16 ? take - i : 16);
        }
        memcpy(K, next, 32);
        at += take;
    }
}

static void against_model(void)
{
    static const size_t sizes[] = { 1, 15, 16, 17, 31, 32, 33, 0, 65535, 65536, 65537, 200001, 5 };
    static uint8_t got[200001], want[200001];
    QC_CLEANUP(qrng_close) struct qrng *source = NULL;
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = open_fixed(QRNG_BULK_GENERATOR, 32, &source);
    uint8_t K[32];
    uint64_t given = 0;
    memcpy(K, seeds, 32);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(got, 0xee, sizeof got);
        CHECK_OK(qrng_bulk_fill(b, got, sizes[i], &err));
        model(K, want, sizes[i]);
        CHECK(memcmp(got, want, sizes[i]) == 0);
        CHECK(sizes[i] == sizeof got || got[sizes[i]] == 0xee);
        given += sizes[i];
    }
    const struct qrng_bulk_told t = qrng_bulk_tell(b);
    CHECK(t.maker == QRNG_BULK_GENERATOR && t.given == given && t.drawn == 32);
}

/* From kat/qrng_bulk.py, whose cipher is the openssl command. */
static void against_program(void)
{
    static const uint8_t want[32] = { 0x28, 0xbc, 0xcb, 0x38, 0x11, 0x50, 0x2d, 0x6c, 0x16, 0x08, 0x10,
                                      0x12, 0xe9, 0x1c, 0x64, 0x3d, 0x9f, 0xef, 0x14, 0xeb, 0x9b, 0xd2,
                                      0x21, 0x50, 0xee, 0x2b, 0xe0, 0x45, 0xd8, 0x93, 0xf8, 0x42 };
    static uint8_t got[200006];
    uint8_t sum[32];
    QC_CLEANUP(qrng_close) struct qrng *source = NULL;
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = open_fixed(QRNG_BULK_GENERATOR, 32, &source);
    CHECK_OK(qrng_bulk_fill(b, got, 200001, &err));
    CHECK_OK(qrng_bulk_fill(b, got + 200001, 5, &err));
    CHECK_OK(qc_sha256(&(qc_span){ got, sizeof got }, 1, sum, &err));
    CHECK(memcmp(sum, want, 32) == 0);
}

/* What the memory holds when a piece was given out: no key that was used, no byte that was given, no seed. */
static void erasure(void)
{
    QC_CLEANUP(qrng_close) struct qrng *source = NULL;
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = open_fixed(QRNG_BULK_GENERATOR, 32, &source);
    uint8_t K[32], out[64];
    size_t n = 0;
    memcpy(K, seeds, 32);
    for (unsigned i = 0; i < 4; i++) {
        uint8_t used[32], want[64];
        memcpy(used, K, 32);
        model(K, want, sizeof want);
        CHECK_OK(qrng_bulk_fill(b, out, sizeof out, &err));
        const uint8_t *m = qrng_bulk_memory(b, &n);
        CHECK(m != NULL && n >= 72);
        unsigned next = 0;
        for (size_t at = 0; at + 32 <= n; at++) {
            CHECK(memcmp(m + at, used, 32) != 0 && memcmp(m + at, out, 32) != 0 &&
                  memcmp(m + at, seeds, 32) != 0);
            next += memcmp(m + at, K, 32) == 0;
        }
        CHECK(next == 1); /* a search that finds nothing at all would prove nothing */
    }
}

/* A seed lasts QC_QRNG_CTR_SEED bytes; a source that ends then ends the generator. With its own counter,
 * since nobody can wait for a GiB in every build. */
static void reseed(void)
{
    static uint8_t out[1 << 20];
    const uint64_t rounds = QC_QRNG_CTR_SEED / sizeof out;
    QC_CLEANUP(qrng_close) struct qrng *source = NULL;
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = open_fixed(QRNG_BULK_GENERATOR, 64, &source);
    if (qc_rand_cases(0, 1) == 0)
        return;
    for (unsigned s = 1; s <= 2; s++) {
        for (uint64_t i = 0; i < rounds; i++)
            CHECK_OK(qrng_bulk_fill(b, out, sizeof out, &err));
        CHECK(qrng_bulk_tell(b).drawn == (uint64_t)s * 32 &&
              qrng_bulk_tell(b).given == s * (uint64_t)QC_QRNG_CTR_SEED);
    }
    CHECK_RC(qrng_bulk_fill(b, out, 1, &err), QC_RANDOM);
}

static void streamed(void)
{
    uint8_t out[100];
    static const uint8_t zeros[100];
    QC_CLEANUP(qrng_close) struct qrng *source = NULL;
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = open_fixed(QRNG_BULK_STREAM, 150, &source);
    size_t n = 1;
    const qc_rng rng = qrng_bulk_rng(b);
    CHECK_OK(qc_rng_fill(&rng, out, 100, &err));
    CHECK(memcmp(out, seeds, 100) == 0 && qrng_bulk_memory(b, &n) == NULL && n == 0);
    CHECK_RC(qrng_bulk_fill(b, out, 100, &err), QC_RANDOM); /* it has 50 */
    CHECK(memcmp(out, zeros, 100) == 0);
    const struct qrng_bulk_told t = qrng_bulk_tell(b);
    CHECK(t.maker == QRNG_BULK_STREAM && t.given == 100 && t.drawn == 100);
}

/* How much a source is asked for at a time. */
static qc_rc note_most(void *ctx, uint8_t *p, size_t n, struct qc_err *e)
{
    size_t *most = ctx;
    (void)e;
    memset(p, 7, n);
    *most = n > *most ? n : *most;
    return QC_OK;
}

static void pieces(void)
{
    static uint8_t out[3 * QC_QRNG_STREAM_PIECE + 1];
    size_t most = 0;
    const qc_rng source = { .fill = note_most, .ctx = &most };
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = NULL;
    CHECK_OK(qrng_bulk_open(QRNG_BULK_STREAM, &source, &b, &err));
    CHECK_OK(qrng_bulk_fill(b, out, sizeof out, &err));
    CHECK(most == QC_QRNG_STREAM_PIECE && out[sizeof out - 1] == 7 && qrng_bulk_tell(b).drawn == sizeof out);
}

/* A source that fails: nothing comes, and what would have been given is zeros. It may come back. */
static void dry(void)
{
    uint8_t out[64];
    static const uint8_t zeros[64];
    QC_CLEANUP(qrng_close) struct qrng *source = NULL;
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = open_fixed(QRNG_BULK_GENERATOR, 31, &source);
    memset(out, 1, sizeof out);
    CHECK_RC(qrng_bulk_fill(b, out, sizeof out, &err), QC_RANDOM);
    CHECK(memcmp(out, zeros, sizeof out) == 0 && qrng_bulk_tell(b).given == 0);
}

static void forked(void)
{
    QC_CLEANUP(qrng_close) struct qrng *source = NULL;
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = open_fixed(QRNG_BULK_GENERATOR, 64, &source);
    uint8_t out[32];
    int status = 0;
    CHECK_OK(qrng_bulk_fill(b, out, sizeof out, &err));
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        size_t n = 0, set = 0;
        const uint8_t *m = qrng_bulk_memory(b, &n);
        for (size_t i = 0; i < n; i++)
            set += m[i] != 0;
        _exit(set == 0 && qrng_bulk_fill(b, out, sizeof out, &err) == QC_RANDOM ? 0 : 1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_OK(qrng_bulk_fill(b, out, sizeof out, &err)); /* here it goes on */
}

static void words(void)
{
    CHECK(qrng_bulk_by(QRNG_POLICY_REQUIRED) == QRNG_BULK_STREAM);
    CHECK(qrng_bulk_by(QRNG_POLICY_PREFERRED) == QRNG_BULK_GENERATOR);
    CHECK(qrng_bulk_by(QRNG_POLICY_OS) == QRNG_BULK_GENERATOR);
    CHECK(strcmp(qrng_bulk_text(QRNG_BULK_STREAM), "stream") == 0);
    CHECK(strcmp(qrng_bulk_text(QRNG_BULK_GENERATOR), "aes-256-ctr") == 0);
}

int main(void)
{
    for (unsigned i = 0; i < sizeof seeds; i++)
        seeds[i] = (uint8_t)i;
    words();
    cipher();
    against_model();
    against_program();
    erasure();
    reseed();
    streamed();
    pieces();
    dry();
    forked();
    return 0;
}

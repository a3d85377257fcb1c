/* prop/vault_xor23_stream: data of any size is shared and restored as a stream, in constant memory: a source
 * that is generated, three files that go through pipes and stand nowhere, a sink that compares and drops. 256
 * MB; 80 GB with QC_FULL: one sample of the papers. Prints the rate; judges none. */
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>

#include "base/time.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qrng/bulk.h"
#include "vault/xor23.h"

enum { BLOCK = SS_XOR23_BLOCK, MEMORY_KIB = 48 * 1024 };

static uint8_t pattern[BLOCK];

/* Byte `at` of the data and those after it, up to the end of its block: a pattern with the block's number. */
static size_t generate(uint64_t at, uint8_t *p, size_t max)
{
    const uint64_t block = at / BLOCK;
    const size_t in = (size_t)(at % BLOCK), n = BLOCK - in < max ? BLOCK - in : max;
    memcpy(p, pattern + in, n);
    for (size_t i = in; i < 8 && i - in < n; i++)
        p[i - in] ^= (uint8_t)(block >> (8 * i));
    return n;
}

struct stream {
    uint64_t size, put, got;
    int to[SS_XOR23_SHARES], from[SS_XOR23_SHARES];
    uint64_t at[SS_XOR23_SHARES]; /* of the reader, in each file */
    struct qc_rand rand;
};

static qc_rc source_read(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct stream *s = ctx;
    const uint64_t left = s->size - s->put;
    (void)err;
    *ret_got = left == 0 ? 0 : generate(s->put, dst, left < max ? (size_t)left : max);
    s->put += *ret_got;
    return QC_OK;
}

/* The third file goes nowhere. */
static qc_rc out_write(void *ctx, enum ss_xor23 letter, qc_span bytes, struct qc_err *err)
{
    const struct stream *s = ctx;
    (void)err;
    for (size_t done = 0; done < bytes.n && s->to[letter] >= 0;) {
        const ssize_t n = write(s->to[letter], bytes.p + done, bytes.n - done);
        CHECK(n > 0 || errno == EINTR);
        done += n > 0 ? (size_t)n : 0;
    }
    return QC_OK;
}

static void *share(void *arg)
{
    struct stream *s = arg;
    struct qc_err err = { 0 };
    uint64_t size = 0;
    const struct vault_source source = { .read = source_read, .ctx = s };
    const struct vault_xor23_out out = { .write = out_write, .ctx = s };
    const struct vault_xor23_header header = { .maker = QRNG_BULK_GENERATOR };
    const qc_rng seed = qc_rand_rng(&s->rand);
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *bulk = NULL;
    CHECK_OK(qrng_bulk_open(QRNG_BULK_GENERATOR, &seed, &bulk, &err));
    const qc_rng rng = qrng_bulk_rng(bulk);
    CHECK_OK(vault_xor23_share(&source, &header, &rng, &out, &size, &err));
    CHECK(size == s->size && qrng_bulk_tell(bulk).given == vault_xor23_random(VAULT_XOR23, size));
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        CHECK(s->to[i] < 0 || close(s->to[i]) == 0);
    return NULL;
}

struct site {
    struct stream *s;
    unsigned letter;
};

/* A restore reads each file from front to back: it could come over a line. */
static qc_rc site_read(void *ctx, uint64_t offset, uint8_t *p, size_t n, size_t *ret_got, struct qc_err *err)
{
    const struct site *site = ctx;
    struct stream *s = site->s;
    size_t got = 0;
    (void)err;
    CHECK(offset == s->at[site->letter]);
    for (ssize_t r = 1; got < n && r != 0;) {
        r = read(s->from[site->letter], p + got, n - got);
        CHECK(r >= 0 || errno == EINTR);
        got += r > 0 ? (size_t)r : 0;
    }
    s->at[site->letter] += got;
    *ret_got = got;
    return QC_OK;
}

static qc_rc sink_write(void *ctx, qc_span bytes, struct qc_err *err)
{
    static uint8_t want[BLOCK];
    struct stream *s = ctx;
    (void)err;
    CHECK(s->got % BLOCK == 0 && generate(s->got, want, bytes.n) == bytes.n);
    CHECK(memcmp(bytes.p, want, bytes.n) == 0);
    s->got += bytes.n;
    return QC_OK;
}

static void restore(struct stream *s)
{
    struct vault_xor23_restore from = { 0 };
    struct vault_xor23_report rep;
    struct site site[SS_XOR23_SHARES];
    const struct vault_sink sink = { .write = sink_write, .ctx = s };
    struct qc_err err = { 0 };
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        site[i] = (struct site){ s, i };
        if (s->to[i] >= 0)
            from.site[i] = (struct vault_xor23_site){ .read = site_read, .ctx = &site[i] };
    }
    CHECK_OK(vault_xor23_restore(&from, &sink, &rep, &err));
    CHECK(s->got == s->size && rep.size == s->size);
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        CHECK(s->to[i] < 0 || s->at[i] == vault_xor23_file_size(s->size));
}

static void run(struct stream *s, unsigned lost)
{
    pthread_t writer;
    struct rusage use;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        int fd[2] = { -1, -1 };
        CHECK(i == lost || pipe(fd) == 0);
        s->from[i] = fd[0];
        s->to[i] = fd[1];
    }
    const uint64_t start = qc_now_ns();
    CHECK(pthread_create(&writer, NULL, share, s) == 0);
    restore(s);
    CHECK(pthread_join(writer, NULL) == 0);
    const double spent = (double)(qc_now_ns() - start);
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        CHECK(s->from[i] < 0 || close(s->from[i]) == 0);
    CHECK(getrusage(RUSAGE_SELF, &use) == 0);
    fprintf(stderr, "%.3f GB without %c: %.2f GB/s through both, %ld KiB at most\n", (double)s->size / 1e9,
            "ABC"[lost], (double)s -> size / spent, use.ru_maxrss);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(use.ru_maxrss < MEMORY_KIB);
#endif
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    qc_rand_fill(&rand, pattern, sizeof pattern);
    for (unsigned lost = 0; lost < SS_XOR23_SHARES; lost++) {
        struct stream s = { .rand = rand };
        s.size = (lost == 2 ? qc_rand_cases_watched(256, 80000) : 4) * 1000000 + lost;
        run(&s, lost);
    }
    return 0;
}

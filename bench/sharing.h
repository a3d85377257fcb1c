/* For benchmarks of xor23: data in memory that is shared among three sites, as the commands run it. A thread
 * of its own shares, under randomness of the bulk generator, and lends what it makes to a thread for each
 * site; it has the first core, those of the sites have the second one (pair_pin). */
#pragma once
#include <pthread.h>
#include <sys/resource.h>

#include "handoff.h"
#include "pair.h"
#include "qrng/bulk.h"
#include "vault/xor23.h"

enum { SHARING_SITES = SS_XOR23_SHARES };

struct sharing {
    uint8_t *data;
    size_t size, given;
    struct handoff to[SHARING_SITES];
};

/* Data that has no pattern of a chunk's length. */
static inline void sharing_new(struct sharing *s, size_t size)
{
    (void)pair_may();
    s->size = size;
    s->data = malloc(size);
    CHECK(s->data != NULL);
    for (size_t i = 0; i < size; i++)
        s->data[i] = (uint8_t)(i * 167 + (i >> 8));
}

static inline qc_rc sharing_read(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *e)
{
    struct sharing *s = ctx;
    const size_t n = s->size - s->given < max ? s->size - s->given : max;
    (void)e;
    memcpy(dst, s->data + s->given, n);
    s->given += n;
    *ret_got = n;
    return QC_OK;
}

static inline qc_rc sharing_write(void *ctx, enum ss_xor23 letter, qc_span bytes, struct qc_err *e)
{
    struct sharing *s = ctx;
    return handoff_lend(&s->to[letter], bytes, e);
}

static inline void sharing_settle(void *ctx, bool failed)
{
    struct sharing *s = ctx;
    CHECK(!failed);
    for (unsigned i = 0; i < SHARING_SITES; i++) {
        handoff_end(&s->to[i], NULL);
        handoff_settle(&s->to[i]);
    }
}

/* Figures are no secret. */
static inline qc_rc sharing_seed(void *ctx, uint8_t *p, size_t n, struct qc_err *e)
{
    (void)ctx;
    (void)e;
    memset(p, 7, n);
    return QC_OK;
}

static inline void *sharing_thread(void *arg)
{
    struct sharing *s = arg;
    struct qc_err err = { 0 };
    const qc_rng seed = { .fill = sharing_seed };
    const struct vault_source source = { .read = sharing_read, .ctx = s };
    const struct vault_xor23_header header = { .maker = QRNG_BULK_GENERATOR };
    const struct vault_xor23_out out = { .write = sharing_write, .settle = sharing_settle, .ctx = s };
    struct qrng_bulk *b = NULL;
    uint64_t n = 0;
    pair_pin(0);
    CHECK_OK(qrng_bulk_open(QRNG_BULK_GENERATOR, &seed, &b, &err));
    const qc_rng rng = qrng_bulk_rng(b);
    CHECK_OK(vault_xor23_share(&source, &header, &rng, &out, &n, &err));
    CHECK(n == s->size);
    qrng_bulk_close(&b);
    return NULL;
}

/* All of it, taken by a thread `site` for each: what it is told is its letter's handoff, and `arg` the member
 * of that site. They begin before anything is shared, and have ended when this returns. */
static inline void sharing_run(struct sharing *s, void *(*site)(void *), void *const arg[SHARING_SITES])
{
    pthread_t sharer, thread[SHARING_SITES];
    s->given = 0;
    for (unsigned i = 0; i < SHARING_SITES; i++) {
        handoff_init(&s->to[i]);
        CHECK(pthread_create(&thread[i], NULL, site, arg[i]) == 0);
    }
    CHECK(pthread_create(&sharer, NULL, sharing_thread, s) == 0 && pthread_join(sharer, NULL) == 0);
    for (unsigned i = 0; i < SHARING_SITES; i++) {
        CHECK(pthread_join(thread[i], NULL) == 0);
        handoff_done(&s->to[i]);
    }
}

/* Of all threads. */
static inline struct spent sharing_spent(void)
{
    struct rusage u;
    CHECK(getrusage(RUSAGE_SELF, &u) == 0);
    return (struct spent){ .clock_ns = qc_now_ns(),
                           .cpu_ns = (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000 +
                                     (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000 };
}

/* Gbit of data a second: by the clock, and by the processor time of two cores that nobody else has. */
struct sharing_rate {
    double clock, cores;
};
static inline struct sharing_rate sharing_rate(const struct sharing *s, struct spent start)
{
    const struct spent end = sharing_spent();
    const double bits = (double)s->size * 8;
    return (struct sharing_rate){ bits / (double)(end.clock_ns - start.clock_ns),
                                  2 * bits / (double)(end.cpu_ns - start.cpu_ns) };
}

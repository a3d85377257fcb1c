/* bench_sample: one sample of the genome storage of 2021 (PAPERS B2, B4, C8) in memory: data is shared by XOR
 * into three share files (FORMAT 13), each byte of which goes through a frame under one-time pad
 * (FORMAT 14.1), and comes back from two of them. One thread shares and seals, another opens and restores
 * what the first has made, so that any size takes the same memory; each is told by the processor time that it
 * took, which is what the clock says of it on a core of its own. Every byte is compared. Without the pad as
 * well: what restoring costs alone. CSV on stdout. Usage: bench_sample MB... (10^6 bytes) */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "handoff.h"
#include "otp_pad.h"
#include "pair.h"
#include "qrng/bulk.h"
#include "vault/xor23.h"

enum { MB = 1000000 };
#define SENT 2U /* shares A and B are read again; C is sealed and dropped */

static struct qc_err err;
static uint8_t *pad;

/* A way to a site: share bytes are sealed here, and opened there. */
struct way {
    struct otp_pad pad[2];
    struct net_otp *seal, *open;
    struct handoff bytes;
    uint8_t frame[NET_OTP_FRAME_MAX], got[NET_OTP_BODY_MAX];
    size_t have, at; /* of got */
    uint64_t offset; /* of the share file */
};
struct sample {
    bool otp;
    uint64_t size, given, restored, restore_ns;
    struct way way[SS_XOR23_SHARES];
};

/* What stands at byte `at`: no two MiB are alike. */
static void fill(uint8_t *p, size_t n, uint64_t at)
{
    for (size_t i = 0; i < n; i += 8) {
        const uint64_t v = (at + i) * UINT64_C(0x9e3779b97f4a7c15);
        memcpy(p + i, &v, n - i < 8 ? n - i : 8);
    }
}

static qc_rc source(void *ctx, uint8_t *p, size_t max, size_t *ret_got, struct qc_err *e)
{
    struct sample *s = ctx;
    (void)e;
    const uint64_t left = s->size - s->given;
    *ret_got = left < max ? (size_t)left : max;
    fill(p, *ret_got, s->given);
    s->given += *ret_got;
    return QC_OK;
}

static qc_rc out(void *ctx, enum ss_xor23 letter, qc_span bytes, struct qc_err *e)
{
    struct sample *s = ctx;
    struct way *w = &s->way[letter];
    if (!s->otp)
        return (unsigned)letter < SENT ? handoff_give(&w->bytes, bytes, e) : QC_OK;
    while (bytes.n > 0) {
        size_t taken = 0, n = 0;
        QC_TRY(net_otp_seal(w->seal, NET_OTP_DATA, bytes, w->frame, &taken, &n, e));
        if ((unsigned)letter < SENT)
            QC_TRY(handoff_give(&w->bytes, qc_span_of(w->frame, n), e));
        bytes = qc_span_sub(bytes, taken, bytes.n - taken);
    }
    return QC_OK;
}

/* The next frame of the wire. */
static qc_rc open_frame(struct way *w, struct qc_err *e)
{
    static _Thread_local uint8_t in[NET_OTP_FRAME_MAX];
    size_t have = 0, used = 0;
    enum net_otp_type type;
    while (used == 0) {
        size_t got = 0;
        QC_TRY(handoff_take(&w->bytes, in + have, sizeof in - have, &got, e));
        have += got;
        w->have = w->at = 0;
        if (got == 0)
            return QC_OK;
        QC_TRY(net_otp_open(w->open, qc_span_of(in, have), &used, &type, w->got, &w->have, e));
    }
    CHECK(used == have); /* a frame is given as one piece */
    return QC_OK;
}

static qc_rc site_read(void *ctx, uint64_t offset, uint8_t *p, size_t n, size_t *ret_got, struct qc_err *e)
{
    struct way *w = ctx;
    size_t got = 0;
    CHECK(offset == w->offset);
    for (size_t one = 1; got < n && one > 0; got += one) {
        if (w->open == NULL) {
            QC_TRY(handoff_take(&w->bytes, p + got, n - got, &one, e));
            continue;
        }
        if (w->at == w->have)
            QC_TRY(open_frame(w, e));
        one = w->have - w->at < n - got ? w->have - w->at : n - got;
        memcpy(p + got, w->got + w->at, one);
        w->at += one;
    }
    w->offset += got;
    *ret_got = got;
    return QC_OK;
}

static qc_rc sink(void *ctx, qc_span bytes, struct qc_err *e)
{
    static uint8_t expected[SS_XOR23_BLOCK];
    struct sample *s = ctx;
    (void)e;
    fill(expected, bytes.n, s->restored);
    CHECK(memcmp(expected, bytes.p, bytes.n) == 0);
    s->restored += bytes.n;
    return QC_OK;
}

static void *restorer(void *arg)
{
    struct sample *s = arg;
    struct qc_err e = { 0 };
    struct vault_xor23_report rep;
    struct vault_xor23_restore from = { 0 };
    const struct vault_sink to = { .write = sink, .ctx = s };
    pair_pin(1);
    for (unsigned i = 0; i < SENT; i++)
        from.site[i] = (struct vault_xor23_site){ .read = site_read, .ctx = &s->way[i] };
    const uint64_t start = pair_cpu_ns();
    CHECK_OK(vault_xor23_restore(&from, &to, &rep, &e));
    s->restore_ns = pair_cpu_ns() - start;
    for (unsigned i = 0; i < SENT; i++)
        handoff_leave(&s->way[i].bytes);
    return NULL;
}

static void begin(struct sample *s)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        struct way *w = &s->way[i];
        w->pad[0] = w->pad[1] = (struct otp_pad){ .bytes = pad };
        w->seal = s->otp ? otp_pad_end(&w->pad[0], 0) : NULL;
        w->open = s->otp ? otp_pad_end(&w->pad[1], 0) : NULL;
        handoff_init(&w->bytes);
    }
}

static void end(struct sample *s)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        net_otp_free(&s->way[i].seal);
        net_otp_free(&s->way[i].open);
        handoff_done(&s->way[i].bytes);
    }
}

/* Figures are no secret. */
static qc_rc public_seed(void *ctx, uint8_t *p, size_t n, struct qc_err *e)
{
    (void)ctx;
    (void)e;
    memset(p, 7, n);
    return QC_OK;
}

static void one(uint64_t mb, bool otp)
{
    static struct sample s;
    const qc_rng seed = { .fill = public_seed };
    const struct vault_source from = { .read = source, .ctx = &s };
    const struct vault_xor23_out to = { .write = out, .ctx = &s };
    const struct vault_xor23_header h = { .maker = 2 };
    struct qrng_bulk *bulk = NULL;
    pthread_t other;
    uint64_t size = 0;
    s = (struct sample){ .otp = otp, .size = mb * MB };
    begin(&s);
    CHECK_OK(qrng_bulk_open(QRNG_BULK_GENERATOR, &seed, &bulk, &err));
    const qc_rng rng = qrng_bulk_rng(bulk);
    CHECK(pthread_create(&other, NULL, restorer, &s) == 0);
    const uint64_t start = qc_now_ns(), start_cpu = pair_cpu_ns();
    CHECK_OK(vault_xor23_share(&from, &h, &rng, &to, &size, &err));
    const uint64_t store_ns = pair_cpu_ns() - start_cpu;
    for (unsigned i = 0; i < SENT; i++)
        handoff_end(&s.way[i].bytes, NULL);
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(size == s.size && s.restored == s.size);
    printf("%d,%" PRIu64 ",%.6f,%.6f,%.6f\n", otp, mb, (double)store_ns / 1e9, (double)s.restore_ns / 1e9,
           (double)(qc_now_ns() - start) / 1e9);
    qrng_bulk_close(&bulk);
    end(&s);
}

int main(int argc, char **argv)
{
    CHECK(argc > 1);
    pair_pin(0);
    pad = otp_pad_new();
    printf("otp,mb,store_s,restore_s,both_s\n");
    for (int i = 1; i < argc; i++) {
        const unsigned long mb = strtoul(argv[i], NULL, 10);
        CHECK(mb >= 1 && mb <= 1000000);
        one(mb, true);
        one(mb, false);
    }
    free(pad);
    return 0;
}

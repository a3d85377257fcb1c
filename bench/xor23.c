/* bench_xor23: store and restore of the profile xor23 with three sites behind links at otp, pads in memory.
 *
 * In: vault_xor23_share and vault_xor23_restore as the commands run them (randomness by the bulk generator,
 * shares, six tags for each chunk, handed to a thread for each site), and the frames of net/otp.h (pad taken,
 * copied, wiped where it lay; xor; tag), at this end alone: what runs on the two cores of the trusted server.
 * Out: sockets, the seal of each site's own vault around its share, the other ends, and their gateways.
 *
 * JSON lines {"name":"store"|"restore","gbit_per_s":..,"two_cores":..,"paper":..}, medians of the rounds, of
 * data, in 10^9 bits: by the clock, and by the processor time of all threads (what two cores do in a second
 * when nobody else has them and neither waits). {"name":..,"round":..} for each. Usage:
 *   bench_xor23 MIB ROUNDS
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/crypto.h"
#include "base/key.h"
#include "handoff.h"
#include "net/otp.h"
#include "pair.h"
#include "qrng/bulk.h"
#include "vault/xor23.h"

enum { MIB = 1 << 20, MOST = 99, SITES = SS_XOR23_SHARES };

static struct qc_err err;
static size_t size; /* bytes of data */
static uint8_t *data;

/* -- pad in memory: each byte goes once, and is wiped where it lay --------------------------------------- */

struct pad {
    uint8_t *p;
    size_t n, at;
};

static qc_rc pad_where(void *ctx, uint64_t least, uint64_t *ret_at, uint64_t *ret_left, struct qc_err *e)
{
    const struct pad *s = ctx;
    if (s->n - s->at < least)
        return QC_FAIL(e, QC_TEMP, "no pad is left");
    *ret_at = s->at;
    *ret_left = s->n - s->at;
    return QC_OK;
}

static qc_rc pad_take(void *ctx, uint8_t *room, size_t n, struct qc_err *e)
{
    struct pad *s = ctx;
    (void)e;
    memcpy(room, s->p + s->at, n);
    qc_wipe(s->p + s->at, n);
    s->at += n;
    return QC_OK;
}

static struct net_otp *new_end(struct pad *s)
{
    struct net_otp *o = NULL;
    CHECK_OK(net_otp_new(
        &o, &(struct net_otp_conf){ .pad = { .ctx = s, .where = pad_where, .take = pad_take } }, &err));
    return o;
}

/* -- a site: this end of its link, and its thread -------------------------------------------------------- */

struct site {
    struct pad tx, rx; /* the same bytes: rx for restoring what tx sealed */
    uint8_t *frames;   /* what goes over the wire */
    size_t sealed, share_n;
    struct handoff bytes;
    uint64_t at; /* of the restore */
    pthread_t thread;
};
static struct site sites[SITES];

static void seal_all(struct site *s, struct net_otp *o, const uint8_t *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        size_t taken = 0, frame = 0;
        struct qc_err e = { 0 };
        CHECK_OK(net_otp_seal(o, NET_OTP_DATA, qc_span_of(p + at, n - at), s->frames + s->sealed, &taken,
                              &frame, &e));
        at += taken;
        s->sealed += frame;
    }
    s->share_n += n;
}

static void *sender(void *arg)
{
    struct site *s = arg;
    struct qc_err e = { 0 };
    struct net_otp *o = new_end(&s->tx);
    uint8_t *room = malloc(MIB);
    CHECK(room != NULL);
    for (size_t got = 1; got > 0;) {
        CHECK_OK(handoff_take(&s->bytes, room, MIB, &got, &e));
        seal_all(s, o, room, got);
    }
    free(room);
    net_otp_free(&o);
    return NULL;
}

static void *receiver(void *arg)
{
    struct site *s = arg;
    struct qc_err e = { 0 };
    struct net_otp *o = new_end(&s->rx);
    uint8_t *room = malloc(MIB + NET_OTP_BODY_MAX);
    size_t have = 0;
    CHECK(room != NULL);
    for (size_t at = 0; at < s->sealed;) {
        size_t used = 0, got = 0;
        enum net_otp_type type;
        CHECK_OK(
            net_otp_open(o, qc_span_of(s->frames + at, s->sealed - at), &used, &type, room + have, &got, &e));
        CHECK(used > 0);
        at += used;
        have += got;
        if (have >= MIB || at == s->sealed) {
            CHECK_OK(handoff_give(&s->bytes, qc_span_of(room, have), &e));
            have = 0;
        }
    }
    handoff_end(&s->bytes, NULL);
    free(room);
    net_otp_free(&o);
    return NULL;
}

/* -- store and restore ----------------------------------------------------------------------------------- */

static size_t given;

static qc_rc source_read(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *e)
{
    const size_t n = size - given < max ? size - given : max;
    (void)ctx;
    (void)e;
    memcpy(dst, data + given, n);
    given += n;
    *ret_got = n;
    return QC_OK;
}

static qc_rc out_write(void *ctx, enum ss_xor23 letter, qc_span bytes, struct qc_err *e)
{
    (void)ctx;
    return handoff_give(&sites[letter].bytes, bytes, e);
}

static void share(const qc_rng *rng)
{
    const struct vault_source source = { .read = source_read };
    const struct vault_xor23_header header = { .maker = QRNG_BULK_GENERATOR };
    const struct vault_xor23_out out = { .write = out_write };
    uint64_t n = 0;
    given = 0;
    for (unsigned i = 0; i < SITES; i++) {
        handoff_init(&sites[i].bytes);
        sites[i].sealed = sites[i].share_n = 0;
        CHECK(pthread_create(&sites[i].thread, NULL, sender, &sites[i]) == 0);
    }
    CHECK_OK(vault_xor23_share(&source, &header, rng, &out, &n, &err));
    for (unsigned i = 0; i < SITES; i++)
        handoff_end(&sites[i].bytes, NULL);
    for (unsigned i = 0; i < SITES; i++) {
        CHECK(pthread_join(sites[i].thread, NULL) == 0);
        handoff_done(&sites[i].bytes);
        CHECK(n == size && sites[i].share_n == vault_xor23_file_size(size));
    }
}

static qc_rc site_read(void *ctx, uint64_t offset, uint8_t *p, size_t n, size_t *ret_got, struct qc_err *e)
{
    struct site *s = ctx;
    size_t have = 0;
    CHECK(offset == s->at);
    for (size_t got = 1; have < n && got > 0; have += got)
        QC_TRY(handoff_take(&s->bytes, p + have, n - have, &got, e));
    s->at += have;
    *ret_got = have;
    return QC_OK;
}

static uint64_t came;

static qc_rc sink_write(void *ctx, qc_span s, struct qc_err *e)
{
    (void)ctx;
    (void)e;
    CHECK(memcmp(s.p, data + came, s.n) == 0);
    came += s.n;
    return QC_OK;
}

static void restore(unsigned without)
{
    const struct vault_sink sink = { .write = sink_write };
    struct vault_xor23_restore from = { 0 };
    struct vault_xor23_report rep;
    came = 0;
    for (unsigned i = 0; i < SITES; i++) {
        if (i == without)
            continue;
        handoff_init(&sites[i].bytes);
        sites[i].at = 0;
        from.site[i] = (struct vault_xor23_site){ .read = site_read, .ctx = &sites[i] };
        CHECK(pthread_create(&sites[i].thread, NULL, receiver, &sites[i]) == 0);
    }
    CHECK_OK(vault_xor23_restore(&from, &sink, &rep, &err));
    CHECK(came == size);
    for (unsigned i = 0; i < SITES; i++)
        if (i != without) {
            CHECK(pthread_join(sites[i].thread, NULL) == 0);
            handoff_done(&sites[i].bytes);
        }
}

/* -- rounds ---------------------------------------------------------------------------------------------- */

static uint64_t process_ns(void)
{
    struct rusage u;
    CHECK(getrusage(RUSAGE_SELF, &u) == 0);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static struct spent now(void)
{
    return (struct spent){ qc_now_ns(), process_ns() };
}

struct rate {
    double clock, cores;
};

static struct rate rate_since(struct spent start)
{
    const struct spent end = now();
    const double bits = (double)size * 8;
    return (struct rate){ bits / (double)(end.clock_ns - start.clock_ns),
                          2 * bits / (double)(end.cpu_ns - start.cpu_ns) };
}

/* New pad for all links, by AES: not for secrets. Every page is written: none is new while it is timed. */
static void fill_pads(unsigned round)
{
    uint8_t key[32] = { 0 };
    for (unsigned i = 0; i < SITES; i++) {
        struct site *s = &sites[i];
        key[0] = (uint8_t)round;
        key[1] = (uint8_t)i;
        memset(s->tx.p, 0, s->tx.n);
        CHECK_OK(qc_aes256_ctr_xor(qc_span_of(key, sizeof key), 0, s->tx.p, s->tx.n, &err));
        memcpy(s->rx.p, s->tx.p, s->rx.n);
        memset(s->frames, 0, s->tx.n + MIB);
        s->tx.at = s->rx.at = 0;
    }
}

static void *take_memory(size_t n)
{
    void *p = malloc(n);
    CHECK(p != NULL);
    return p;
}

static qc_rc public_seed(void *ctx, uint8_t *p, size_t n, struct qc_err *e)
{
    (void)ctx;
    (void)e;
    memset(p, 7, n);
    return QC_OK;
}

enum { STORE, RESTORE, KINDS };

static void one_round(unsigned round, struct rate ret[KINDS])
{
    const qc_rng seed = { .fill = public_seed };
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = NULL;
    CHECK_OK(qrng_bulk_open(QRNG_BULK_GENERATOR, &seed, &b, &err));
    const qc_rng rng = qrng_bulk_rng(b);
    fill_pads(round);
    struct spent start = now();
    share(&rng);
    ret[STORE] = rate_since(start);
    start = now();
    restore(round % SITES);
    ret[RESTORE] = rate_since(start);
}

static void memory(unsigned rounds)
{
    static const char *const names[] = { "store", "restore" };
    static const double paper[] = { 0.356, 0.502 };
    static double by_clock[KINDS][MOST], by_cores[KINDS][MOST];
    const size_t n = vault_xor23_file_size(size),
                 most = n + (n / NET_OTP_BODY_MAX + n / MIB + 2) * NET_OTP_KEY;
    for (unsigned i = 0; i < SITES; i++) {
        sites[i].tx = (struct pad){ .p = take_memory(most), .n = most };
        sites[i].rx = (struct pad){ .p = take_memory(most), .n = most };
        sites[i].frames = take_memory(most + MIB);
    }
    for (unsigned r = 0; r < rounds; r++) {
        struct rate rate[KINDS];
        one_round(r, rate);
        for (unsigned k = 0; k < KINDS; k++) {
            by_clock[k][r] = rate[k].clock;
            by_cores[k][r] = rate[k].cores;
            printf("{\"name\":\"%s\",\"round\":%u,\"gbit_per_s\":%.3f,\"two_cores\":%.3f}\n", names[k], r,
                   rate[k].clock, rate[k].cores);
        }
    }
    for (unsigned k = 0; k < KINDS; k++)
        printf("{\"name\":\"%s\",\"gbit_per_s\":%.3f,\"two_cores\":%.3f,\"paper\":%.3f}\n", names[k],
               pair_median(by_clock[k], rounds), pair_median(by_cores[k], rounds), paper[k]);
    for (unsigned i = 0; i < SITES; i++) {
        free(sites[i].tx.p);
        free(sites[i].rx.p);
        free(sites[i].frames);
    }
}

int main(int argc, char **argv)
{
    const unsigned long mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    const unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    CHECK(argc == 3 && mib > 0 && rounds > 0 && rounds <= MOST);
    size = mib * MIB;
    data = take_memory(size);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 167 + (i >> 8));
    memory(rounds);
    free(data);
    return 0;
}

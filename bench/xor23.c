/* bench_xor23: store and restore of the profile xor23 with three sites behind links at otp, pads in memory.
 *
 * In: vault_xor23_share and vault_xor23_restore as the commands run them (randomness by the bulk generator,
 * shares, six tags for each chunk, lent to a thread for each site), and the frames of net/otp.h (pad taken,
 * copied, wiped where it lay; xor; tag), at this end alone: what runs on the two cores of the trusted server.
 * While it stores one core shares and the other seals (bench/sharing.h); restoring, each thread runs where
 * the system puts it. Out: sockets, the seal of each site's own vault around its share, the other ends, and
 * their gateways.
 *
 * JSON lines {"name":"store"|"restore","gbit_per_s":..,"two_cores":..,"paper":..}, medians of the rounds, of
 * data, in 10^9 bits: by the clock, and by the processor time of all threads (what two cores do in a second
 * when nobody else has them and neither waits). {"name":..,"round":..} for each. Usage:
 *   bench_xor23 MIB ROUNDS
 */
#include <stdio.h>

#include "base/crypto.h"
#include "base/key.h"
#include "net/otp.h"
#include "sharing.h"

enum { MIB = 1 << 20, MOST = 99, SITES = SHARING_SITES };

static struct qc_err err;
static struct sharing all;

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
    struct handoff *shares; /* its letter's, of `all` */
    struct handoff bytes;   /* of the restore */
    uint64_t at;            /* of the restore */
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
    pair_pin(1);
    for (size_t got = 1; got > 0;) {
        CHECK_OK(handoff_take(s->shares, room, MIB, &got, &e));
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

static void store(void)
{
    void *arg[SITES];
    for (unsigned i = 0; i < SITES; i++) {
        arg[i] = &sites[i];
        sites[i].shares = &all.to[i];
        sites[i].sealed = sites[i].share_n = 0;
    }
    sharing_run(&all, sender, arg);
    for (unsigned i = 0; i < SITES; i++)
        CHECK(sites[i].share_n == vault_xor23_file_size(all.size));
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
    CHECK(memcmp(s.p, all.data + came, s.n) == 0);
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
    CHECK(came == all.size);
    for (unsigned i = 0; i < SITES; i++)
        if (i != without) {
            CHECK(pthread_join(sites[i].thread, NULL) == 0);
            handoff_done(&sites[i].bytes);
        }
}

/* -- rounds ---------------------------------------------------------------------------------------------- */

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

enum { STORE, RESTORE, KINDS };

static void one_round(unsigned round, struct sharing_rate ret[KINDS])
{
    fill_pads(round);
    struct spent start = sharing_spent();
    store();
    ret[STORE] = sharing_rate(&all, start);
    start = sharing_spent();
    restore(round % SITES);
    ret[RESTORE] = sharing_rate(&all, start);
}

static void memory(unsigned rounds)
{
    static const char *const names[] = { "store", "restore" };
    static const double paper[] = { 0.356, 0.502 };
    static double by_clock[KINDS][MOST], by_cores[KINDS][MOST];
    const size_t n = vault_xor23_file_size(all.size),
                 most = n + (n / NET_OTP_BODY_MAX + n / MIB + 2) * NET_OTP_KEY;
    for (unsigned i = 0; i < SITES; i++) {
        sites[i].tx = (struct pad){ .p = take_memory(most), .n = most };
        sites[i].rx = (struct pad){ .p = take_memory(most), .n = most };
        sites[i].frames = take_memory(most + MIB);
    }
    for (unsigned r = 0; r < rounds; r++) {
        struct sharing_rate rate[KINDS];
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
    sharing_new(&all, mib * MIB);
    memory(rounds);
    free(all.data);
    return 0;
}

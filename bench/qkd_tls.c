/* bench_qkd_tls: TLS keyed by QKD beside TLS by certificates, both TLS 1.3 with TLS_AES_256_GCM_SHA384
 * through the same socket code over loopback TCP, a thread at each end, each on a core of its own; and keyed
 * by QKD with so many bytes under one key that it is a new one a hundred times a second: another TCP
 * connection and another handshake each time. Keys are in memory: what a KME costs is not in it. JSON lines
 * {"name":..,"gbit_per_s":..,"gbit_per_cpu_s":..}, then
 * {"name":"ratio","of":..,"least":..,"most":..,"by_clock":..} (keyed by QKD over by certificates) and
 * {"name":"rekey",..,"keys_per_s":..} (what 100 keys a second cost, as a part of 1): medians of rounds, by
 * processor time and by the clock. Usage: bench_qkd_tls CA CERT KEY NAME [MIB [ROUNDS]]: PEM files, NAME that
 * of CERT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/cert.h"
#include "net/psk.h"
#include "pair.h"

enum { CERTIFICATES, QKD, REKEYED, KINDS, MOST = 99, PIECE = 65536, PER_SECOND = 100 };

static const char *const names[] = { "tls", "qkd_tls", "qkd_tls_rekeyed" };
static const struct net_psk_id id = {
    .link = "bench", .master = "SAE-A", .slave = "SAE-B", .key_id = "550e8400-e29b-41d4-a716-446655440000"
};
static struct net_cert cert;
static qc_key *key;
static size_t pieces;

/* -- ends ------------------------------------------------------------------------------------------------ */

struct run {
    unsigned kind;
    size_t each; /* pieces under one key */
    struct sockaddr_in at;
    int listener;
    uint64_t receiver_ns;
};

static qc_rc find(void *ctx, const struct net_psk_id *which, qc_key **ret, struct qc_err *err)
{
    (void)ctx, (void)which;
    return qc_key_dup(ret, key, err);
}

static void *receiver(void *arg)
{
    struct run *r = arg;
    static uint8_t room[PIECE];
    struct qc_err err = { 0 };
    pair_pin(1);
    const uint64_t start = pair_cpu_ns();
    for (size_t done = 0; done < pieces; done += r->each) {
        struct net_line *l = NULL;
        const int fd = accept(r->listener, NULL, NULL);
        CHECK(fd >= 0);
        if (r->kind == CERTIFICATES)
            CHECK_OK(net_cert_accept(&l, fd, &cert, QC_NO_DEADLINE, &err));
        else
            CHECK_OK(net_psk_accept(&l, fd, &id, find, NULL, QC_NO_DEADLINE, &err));
        for (size_t got = 1; got > 0;)
            CHECK_OK(net_line_read(l, room, sizeof room, &got, QC_NO_DEADLINE, &err));
        net_line_close(&l);
        close(fd);
    }
    r->receiver_ns = pair_cpu_ns() - start;
    return NULL;
}

static void send_all(const struct run *r)
{
    static uint8_t data[PIECE];
    struct qc_err err = { 0 };
    for (size_t done = 0; done < pieces; done += r->each) {
        struct net_line *l = NULL;
        const int fd = pair_dial(&r->at);
        if (r->kind == CERTIFICATES)
            CHECK_OK(net_cert_connect(&l, fd, &cert, QC_NO_DEADLINE, &err));
        else
            CHECK_OK(net_psk_connect(&l, fd, &id, key, QC_NO_DEADLINE, &err));
        for (size_t i = done; i < done + r->each && i < pieces; i++)
            CHECK_OK(net_line_write(l, qc_span_of(data, sizeof data), QC_NO_DEADLINE, &err));
        net_line_close(&l);
        close(fd);
    }
}

/* For all pieces, from the first connection to the last goodbye. */
static struct spent carry(unsigned kind, size_t each)
{
    struct run r = { .kind = kind, .each = each };
    pthread_t other;
    r.listener = pair_listen(&r.at);
    const uint64_t start = qc_now_ns(), start_cpu = pair_cpu_ns();
    CHECK(pthread_create(&other, NULL, receiver, &r) == 0);
    send_all(&r);
    const uint64_t ours = pair_cpu_ns() - start_cpu;
    CHECK(pthread_join(other, NULL) == 0);
    close(r.listener);
    return (struct spent){ qc_now_ns() - start, ours > r.receiver_ns ? ours : r.receiver_ns };
}

/* -- rounds ---------------------------------------------------------------------------------------------- */

struct rates {
    double clock[KINDS][MOST], cpu[KINDS][MOST]; /* Gbit/s */
    double ratio[MOST], ratio_clock[MOST], cost[MOST], cost_clock[MOST], keys[MOST];
};

/* Pieces of a hundredth of a second, as fast as this round went without new keys. */
static size_t hundredth(const struct spent *t)
{
    const double a_second = (double)pieces * 1e9 / (double)t->cpu_ns;
    const size_t each = (size_t)(a_second / PER_SECOND);
    return each == 0 ? 1 : each;
}

static void one_round(struct rates *r, unsigned i)
{
    struct spent t[KINDS];
    t[CERTIFICATES] = carry(CERTIFICATES, pieces);
    t[QKD] = carry(QKD, pieces);
    const size_t each = hundredth(&t[QKD]);
    t[REKEYED] = carry(REKEYED, each);
    for (unsigned k = 0; k < KINDS; k++) {
        r->clock[k][i] = (double)pieces * PIECE * 8 / (double)t[k].clock_ns;
        r->cpu[k][i] = (double)pieces * PIECE * 8 / (double)t[k].cpu_ns;
    }
    r->ratio[i] = r->cpu[QKD][i] / r->cpu[CERTIFICATES][i];
    r->ratio_clock[i] = r->clock[QKD][i] / r->clock[CERTIFICATES][i];
    r->cost[i] = 1 - r->cpu[REKEYED][i] / r->cpu[QKD][i];
    r->cost_clock[i] = 1 - r->clock[REKEYED][i] / r->clock[QKD][i];
    const size_t keys = (pieces + each - 1) / each;
    r->keys[i] = (double)keys * 1e9 / (double)t[REKEYED].cpu_ns;
}

static void print(struct rates *r, unsigned rounds)
{
    for (unsigned k = 0; k < KINDS; k++)
        printf("{\"name\":\"%s\",\"gbit_per_s\":%.3f,\"gbit_per_cpu_s\":%.3f}\n", names[k],
               pair_median(r->clock[k], rounds), pair_median(r->cpu[k], rounds));
    const double ratio = pair_median(r->ratio, rounds), cost = pair_median(r->cost, rounds); /* sort */
    printf("{\"name\":\"ratio\",\"of\":%.3f,\"least\":%.3f,\"most\":%.3f,\"by_clock\":%.3f}\n", ratio,
           r->ratio[0], r->ratio[rounds - 1], pair_median(r->ratio_clock, rounds));
    printf("{\"name\":\"rekey\",\"of\":%.4f,\"least\":%.4f,\"most\":%.4f,\"by_clock\":%.4f,\"keys_per_s\":%."
           "0f}\n",
           cost, r->cost[0], r->cost[rounds - 1], pair_median(r->cost_clock, rounds),
           pair_median(r->keys, rounds));
}

int main(int argc, char **argv)
{
    static struct rates r;
    struct qc_err err = { 0 };
    uint8_t bytes[32] = { 1, 2, 3 };
    const unsigned long mib = argc > 5 ? strtoul(argv[5], NULL, 10) : 256;
    const unsigned rounds = argc > 6 ? (unsigned)strtoul(argv[6], NULL, 10) : 9;
    if (argc < 5) {
        fprintf(stderr, "usage: %s CA CERT KEY NAME [MIB [ROUNDS]]\n", argv[0]);
        return 2;
    }
    CHECK(mib > 0 && rounds > 0 && rounds <= MOST);
    cert = (struct net_cert){ .ca = argv[1], .cert = argv[2], .key = argv[3], .peer = argv[4] };
    CHECK_OK(qc_key_from(&key, bytes, sizeof bytes, &err));
    pieces = mib << 4;
    pair_pin(0);
    for (unsigned i = 0; i < rounds; i++)
        one_round(&r, i);
    print(&r, rounds);
    qc_key_free(&key);
    return 0;
}

/* bench_qkd_tls: TLS keyed by QKD beside TLS by certificates, both TLS 1.3 with TLS_AES_256_GCM_SHA384
 * through the same socket code over loopback TCP, a thread at each end, each on a core of its own; and keyed
 * by QKD with so many bytes under one key that it is a new one a hundred times a second, as a link does it:
 * handshakes inside the connection that goes on meanwhile (net/psk.h, "the next key"), LINK_NEXT_MAX one
 * after the other. Keys are in memory: what a KME costs is not in it. JSON lines
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

/* What is said is pieces: a head (word, number of a handshake, bytes), and as many bytes. */
enum word { DATA, SHAKE, MOVED };
enum { HEAD = 8 };

struct end {
    struct net_line *now, *next;           /* next: until both directions have gone over */
    bool dials, wrote, heard;              /* our side goes by the next; the other's does */
    struct net_line *ready[LINK_NEXT_MAX]; /* by number, from `first` on */
    bool done[LINK_NEXT_MAX];
    size_t first, last; /* `last` is not there yet */
    uint8_t head[HEAD];
    size_t head_n, left, shake_n; /* of the piece that comes */
    uint8_t shake[PIECE];
    qc_buf out; /* what is said, but data */
};

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

static void put_head(uint8_t *p, enum word word, size_t number, size_t n)
{
    qc_put_be(p, word, 2);
    qc_put_be(p + 2, number % 65536, 2);
    qc_put_be(p + 4, n, 4);
}

static void say(struct end *e, enum word word, size_t number, qc_span s)
{
    uint8_t head[HEAD];
    struct qc_err err = { 0 };
    put_head(head, word, number, s.n);
    CHECK_OK(qc_buf_add(&e->out, qc_span_of(head, sizeof head), &err));
    CHECK_OK(qc_buf_add(&e->out, s, &err));
}

/* It goes at once, as a link's records do. */
static void flush(struct end *e)
{
    struct qc_err err = { 0 };
    if (e->out.n > 0)
        CHECK_OK(net_line_write(e->wrote ? e->next : e->now, qc_buf_span(&e->out), QC_NO_DEADLINE, &err));
    qc_buf_clear(&e->out);
}

static void step(struct end *e, size_t number, qc_span heard)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = LINK_SHAKE_MAX };
    struct qc_err err = { 0 };
    const size_t i = number % LINK_NEXT_MAX;
    CHECK_OK(net_psk_next_step(e->ready[i], heard, &text, &e->done[i], &err));
    if (text.n > 0)
        say(e, SHAKE, number, qc_buf_span(&text));
}

/* What is said from here on goes by the first that is ready. */
static void move(struct end *e)
{
    struct qc_err err = { 0 };
    CHECK(e->first < e->last && e->done[e->first % LINK_NEXT_MAX]);
    say(e, MOVED, e->first, qc_span_of(NULL, 0));
    flush(e);
    for (bool ended = false; !ended;)
        CHECK_OK(net_line_end(e->now, &ended, &err));
    e->next = QC_STEAL(e->ready[e->first % LINK_NEXT_MAX]);
    e->done[e->first++ % LINK_NEXT_MAX] = false;
    CHECK_OK(net_line_write_after(e->next, e->now, &err));
    e->wrote = true;
}

static void settle(struct end *e)
{
    if (!e->wrote || !e->heard)
        return;
    net_line_close(&e->now);
    e->now = QC_STEAL(e->next);
    e->wrote = e->heard = false;
}

/* Another handshake of ours, or of the other end's. */
static void begin(struct end *e)
{
    struct qc_err err = { 0 };
    struct net_line **l = &e->ready[e->last % LINK_NEXT_MAX];
    CHECK(e->last - e->first < LINK_NEXT_MAX && *l == NULL);
    if (e->dials)
        CHECK_OK(net_psk_next_dial(l, e->now, id.key_id, key, &err));
    else
        CHECK_OK(net_psk_next_serve(l, e->now, find, NULL, &err));
    e->last++;
}

/* A piece that is whole. */
static void on_piece(struct end *e)
{
    const size_t word = (size_t)qc_get_be(e->head, 2), number = (size_t)qc_get_be(e->head + 2, 2);
    if (word == MOVED && !e->dials)
        move(e);
    if (word != SHAKE)
        return;
    if (number == e->last % 65536)
        begin(e);
    step(e, e->first + (number - e->first) % 65536, qc_span_of(e->shake, e->shake_n));
}

static void on_bytes(struct end *e, qc_span s)
{
    while (s.n > 0) {
        if (e->head_n < HEAD) {
            e->head[e->head_n++] = s.p[0];
            s = qc_span_from(s, 1);
            e->left = e->head_n < HEAD ? 0 : (size_t)qc_get_be(e->head + 4, 4);
            e->shake_n = 0;
            CHECK(e->left <= PIECE);
        }
        if (e->head_n < HEAD)
            continue;
        const size_t n = s.n < e->left ? s.n : e->left;
        if (qc_get_be(e->head, 2) == SHAKE && n > 0) {
            memcpy(e->shake + e->shake_n, s.p, n);
            e->shake_n += n;
        }
        e->left -= n;
        s = qc_span_from(s, n);
        if (e->left > 0)
            continue;
        e->head_n = 0;
        on_piece(e);
    }
}

/* What comes, by d: false: nothing, or the end of all. */
static bool hear(struct end *e, uint8_t *room, qc_deadline d)
{
    struct qc_err err = { 0 };
    size_t got = 0;
    const qc_rc rc = net_line_read(e->heard ? e->next : e->now, room, PIECE, &got, d, &err);
    if (rc == QC_TIMEOUT)
        return false;
    CHECK(rc == QC_OK);
    if (got == 0 && (e->next == NULL || e->heard))
        return false;
    if (got == 0) {
        CHECK_OK(net_line_read_after(e->next, e->now, &err));
        e->heard = true;
    } else {
        on_bytes(e, qc_span_of(room, got));
        flush(e);
    }
    settle(e);
    return true;
}

static void end(struct end *e)
{
    for (size_t i = 0; i < LINK_NEXT_MAX; i++)
        net_line_close(&e->ready[i]);
    net_line_close(&e->next);
    net_line_close(&e->now);
    qc_buf_free(&e->out);
}

static void *receiver(void *arg)
{
    struct run *r = arg;
    static struct end e;
    static uint8_t room[PIECE];
    struct qc_err err = { 0 };
    pair_pin(1);
    const uint64_t start = pair_cpu_ns();
    const int fd = accept(r->listener, NULL, NULL);
    CHECK(fd >= 0);
    e = (struct end){ .out.max = PIECE };
    if (r->kind == CERTIFICATES)
        CHECK_OK(net_cert_accept(&e.now, fd, &cert, QC_NO_DEADLINE, &err));
    else
        CHECK_OK(net_psk_accept(&e.now, fd, &id, find, NULL, QC_NO_DEADLINE, &err));
    while (hear(&e, room, QC_NO_DEADLINE))
        ;
    end(&e);
    close(fd);
    r->receiver_ns = pair_cpu_ns() - start;
    return NULL;
}

/* For something of the other end's. */
static bool waits(const struct end *e)
{
    return e->next != NULL || (e->last > e->first && !e->done[(e->last - 1) % LINK_NEXT_MAX]);
}

/* What is due before the next piece. Returns whether there is a new key. */
static bool look(struct end *e, bool due, size_t wanted)
{
    static uint8_t room[PIECE];
    const qc_deadline now = { .at_ms = 1 };
    if (e->last - e->first <= LINK_NEXT_MAX / 4)
        for (; e->last < wanted && e->last - e->first < LINK_NEXT_MAX;
             step(e, e->last - 1, qc_span_of(NULL, 0)))
            begin(e);
    flush(e);
    while (waits(e) && hear(e, room, now))
        ;
    const bool moves = due && e->next == NULL && e->last > e->first && e->done[e->first % LINK_NEXT_MAX];
    if (moves)
        move(e);
    return moves;
}

/* Returns how many new keys there were; no handshake is made that is not used. */
static size_t send_all(const struct run *r)
{
    static uint8_t data[PIECE];
    static struct end e;
    struct qc_err err = { 0 };
    size_t keys = 0;
    const int fd = pair_dial(&r->at);
    e = (struct end){ .dials = true, .out.max = PIECE };
    if (r->kind == CERTIFICATES)
        CHECK_OK(net_cert_connect(&e.now, fd, &cert, QC_NO_DEADLINE, &err));
    else
        CHECK_OK(net_psk_connect(&e.now, fd, &id, key, QC_NO_DEADLINE, &err));
    put_head(data, DATA, 0, PIECE - HEAD);
    for (size_t i = 0; i < pieces; i++) {
        keys += look(&e, i >= (keys + 1) * r->each, r->kind == REKEYED ? (pieces - 1) / r->each : 0);
        CHECK_OK(net_line_write(e.wrote ? e.next : e.now, qc_span_of(data, PIECE), QC_NO_DEADLINE, &err));
    }
    while (waits(&e))
        CHECK(hear(&e, data, QC_NO_DEADLINE));
    end(&e);
    close(fd);
    return keys;
}

/* For all pieces, from the first connection to the last goodbye. */
static struct spent carry(unsigned kind, size_t each, size_t *ret_keys)
{
    struct run r = { .kind = kind, .each = each };
    pthread_t other;
    r.listener = pair_listen(&r.at);
    const uint64_t start = qc_now_ns(), start_cpu = pair_cpu_ns();
    CHECK(pthread_create(&other, NULL, receiver, &r) == 0);
    *ret_keys = send_all(&r);
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
    size_t keys = 0;
    t[CERTIFICATES] = carry(CERTIFICATES, pieces, &keys);
    t[QKD] = carry(QKD, pieces, &keys);
    t[REKEYED] = carry(REKEYED, hundredth(&t[QKD]), &keys);
    for (unsigned k = 0; k < KINDS; k++) {
        r->clock[k][i] = (double)pieces * PIECE * 8 / (double)t[k].clock_ns;
        r->cpu[k][i] = (double)pieces * PIECE * 8 / (double)t[k].cpu_ns;
    }
    r->ratio[i] = r->cpu[QKD][i] / r->cpu[CERTIFICATES][i];
    r->ratio_clock[i] = r->clock[QKD][i] / r->clock[CERTIFICATES][i];
    r->cost[i] = 1 - r->cpu[REKEYED][i] / r->cpu[QKD][i];
    r->cost_clock[i] = 1 - r->clock[REKEYED][i] / r->clock[QKD][i];
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

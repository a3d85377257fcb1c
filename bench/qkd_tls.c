/* bench_qkd_tls: TLS keyed by QKD beside TLS by certificates, both TLS 1.3 with TLS_AES_256_GCM_SHA384
 * through the same socket code over loopback TCP, a thread at each end, each on a core of its own; and what a
 * new key a hundred times a second costs, as a link takes them: handshakes inside the connection that goes on
 * meanwhile (net/psk.h, "the next key"), up to LINK_NEXT_MAX one after the other. Keys are in memory: what a
 * KME costs is not in it.
 *
 * With and without certificates: rounds, each of both, in this order and the other. New keys: in
 * CONNECTIONS long connections, in slices of KEYS hundredths of a second, with and without in turns (ABBA),
 * each pair of neighbours compared with itself, so that what else the machine does is in both. What was
 * disturbed is measured anew (pair.h), as often as there are rounds or pairs at most. JSON lines
 * {"name":..,"gbit_per_s":..,"gbit_per_cpu_s":..}, then
 * {"name":"ratio",..} (keyed by QKD over by certificates) and {"name":"rekey",..,"keys_per_s":..} (what 100
 * keys a second cost, as a part of 1): see pair_print. Usage: bench_qkd_tls CA CERT KEY NAME
 * [MIB [ROUNDS [PAIRS]]]: PEM files, NAME that of CERT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/cert.h"
#include "net/psk.h"
#include "pair.h"

enum { CERTIFICATES, QKD, REKEYED, KINDS, PIECE = 65536, PER_SECOND = 100, TRIALS = 8, CONNECTIONS = 40 };
enum {
    KEYS = LINK_NEXT_MAX - LINK_NEXT_MAX / 4
}; /* of a slice: as many as a link makes handshakes for at once */

static const char *const names[] = { "tls", "qkd_tls", "qkd_tls_rekeyed" };
static const struct net_psk_id id = {
    .link = "bench", .master = "SAE-A", .slave = "SAE-B", .key_id = "550e8400-e29b-41d4-a716-446655440000"
};
static struct net_cert cert;
static qc_key *key;
static size_t pieces;

/* -- ends ------------------------------------------------------------------------------------------------ */

/* What is said is pieces: a head (word, number of a handshake, bytes), and as many bytes. */
enum word { DATA, SHAKE, MOVED, MARK }; /* MARK: answered with the processor time of who hears it */
enum { HEAD = 8 };

/* By a thread: processor time, and waiting for a core. */
struct used {
    uint64_t cpu_ns, waited_ns;
};

struct end {
    struct net_line *now, *next;           /* next: until both directions have gone over */
    bool dials, wrote, heard;              /* our side goes by the next; the other's does */
    struct net_line *ready[LINK_NEXT_MAX]; /* by number, from `first` on */
    bool done[LINK_NEXT_MAX];
    size_t first, last; /* `last` is not there yet */
    uint8_t head[HEAD];
    size_t head_n, left, shake_n; /* of the piece that comes */
    uint8_t shake[PIECE];         /* but data */
    struct used began, there;     /* ours when we began; the other end's since then, as it said last */
    size_t marks;                 /* it said so often */
    qc_buf out;                   /* what is said, but data */
    bool held;                    /* the old one's last waits for what follows */
};

struct run {
    unsigned kind;
    struct sockaddr_in at;
    int listener;
    struct used receiver;
};

static qc_rc find(void *ctx, const struct net_psk_id *which, struct net_line *to, struct qc_err *err)
{
    (void)ctx, (void)which;
    return net_psk_give(to, qc_key_open(key), err);
}

static struct used used_since(struct used from)
{
    return (struct used){ pair_cpu_ns() - from.cpu_ns, pair_waited_ns() - from.waited_ns };
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

/* The old one's last, goodbye and what follows go as one piece. */
static void hold(struct end *e, bool holds)
{
    if (e->held != holds)
        net_line_hold(e->now, holds);
    e->held = holds;
}

/* What is said from here on goes by the first that is ready. */
static void move(struct end *e)
{
    struct qc_err err = { 0 };
    CHECK(e->first < e->last && e->done[e->first % LINK_NEXT_MAX]);
    hold(e, true);
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
        CHECK_OK(net_psk_next_dial(l, e->now, id.key_id, qc_key_open(key), &err));
    else
        CHECK_OK(net_psk_next_serve(l, e->now, find, NULL, &err));
    e->last++;
}

static void mark(struct end *e)
{
    uint8_t text[16];
    if (e->dials) {
        CHECK(e->shake_n == sizeof text);
        e->there = (struct used){ qc_get_be(e->shake, 8), qc_get_be(e->shake + 8, 8) };
        e->marks++;
        return;
    }
    const struct used u = used_since(e->began);
    qc_put_be(text, u.cpu_ns, 8);
    qc_put_be(text + 8, u.waited_ns, 8);
    say(e, MARK, 0, qc_span_of(text, sizeof text));
}

/* A piece that is whole. */
static void on_piece(struct end *e)
{
    const size_t word = (size_t)qc_get_be(e->head, 2), number = (size_t)qc_get_be(e->head + 2, 2);
    if (word == MOVED && !e->dials)
        move(e);
    if (word == MARK)
        mark(e);
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
        if (qc_get_be(e->head, 2) != DATA && n > 0) {
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
    if (!e->dials)
        hold(e, false); /* nothing follows of its own */
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
    const struct used start = used_since((struct used){ 0 });
    const int fd = accept(r->listener, NULL, NULL);
    CHECK(fd >= 0);
    e = (struct end){ .out.max = PIECE, .began = start };
    if (r->kind == CERTIFICATES)
        CHECK_OK(net_cert_accept(&e.now, fd, &cert, QC_NO_DEADLINE, &err));
    else
        CHECK_OK(net_psk_accept(&e.now, fd, &id, find, NULL, QC_NO_DEADLINE, &err));
    while (hear(&e, room, QC_NO_DEADLINE))
        ;
    end(&e);
    close(fd);
    r->receiver = used_since(start);
    return NULL;
}

/* For something of the other end's. */
static bool waits(const struct end *e)
{
    return e->next != NULL || (e->last > e->first && !e->done[(e->last - 1) % LINK_NEXT_MAX]);
}

/* What is due before the next piece: handshakes where new keys are taken, as rekey.c makes them, and to go
 * over to the next. Returns whether there is a new key. */
static bool look(struct end *e, bool rekeys, bool due)
{
    static uint8_t room[PIECE];
    const qc_deadline now = { .at_ms = 1 };
    if (rekeys && e->last - e->first <= LINK_NEXT_MAX / 4)
        for (; e->last - e->first < LINK_NEXT_MAX; step(e, e->last - 1, qc_span_of(NULL, 0)))
            begin(e);
    flush(e);
    while (hear(e, room, now)) /* with nothing to come, too, as a link does in each turn */
        ;
    const bool moves = due && e->next == NULL && e->last > e->first && e->done[e->first % LINK_NEXT_MAX];
    if (moves)
        move(e);
    return moves;
}

static void dial(struct end *e, const struct run *r, int fd)
{
    struct qc_err err = { 0 };
    *e = (struct end){ .dials = true, .out.max = PIECE };
    if (r->kind == CERTIFICATES)
        CHECK_OK(net_cert_connect(&e->now, fd, &cert, QC_NO_DEADLINE, &err));
    else
        CHECK_OK(net_psk_connect(&e->now, fd, &id, key, QC_NO_DEADLINE, &err));
}

static void send_piece(struct end *e)
{
    static uint8_t data[PIECE];
    struct qc_err err = { 0 };
    put_head(data, DATA, 0, PIECE - HEAD);
    CHECK_OK(net_line_write(e->wrote ? e->next : e->now, qc_span_of(data, PIECE), QC_NO_DEADLINE, &err));
    hold(e, false);
}

/* -- by certificates and by QKD, in rounds --------------------------------------------------------------- */

static struct spent spent_of(uint64_t clock_ns, struct used here, struct used there)
{
    return (struct spent){ clock_ns, here.cpu_ns > there.cpu_ns ? here.cpu_ns : there.cpu_ns,
                           here.waited_ns + there.waited_ns };
}

/* For all pieces, from the first connection to the last goodbye. */
static struct spent carry(unsigned kind)
{
    static struct end e;
    struct run r = { .kind = kind };
    pthread_t other;
    r.listener = pair_listen(&r.at);
    const uint64_t start = qc_now_ns();
    const struct used from = used_since((struct used){ 0 });
    CHECK(pthread_create(&other, NULL, receiver, &r) == 0);
    const int fd = pair_dial(&r.at);
    dial(&e, &r, fd);
    for (size_t i = 0; i < pieces; i++)
        send_piece(&e);
    end(&e);
    close(fd);
    const struct used ours = used_since(from);
    CHECK(pthread_join(other, NULL) == 0);
    close(r.listener);
    return spent_of(qc_now_ns() - start, ours, r.receiver);
}

static struct {
    double clock[KINDS][PAIR_MOST], cpu[KINDS][PAIR_MOST]; /* Gbit/s */
    double ratio[PAIR_MOST], ratio_clock[PAIR_MOST], cost[PAIR_MOST], cost_clock[PAIR_MOST];
    double keys[PAIR_MOST]; /* in a second, by the clock */
    struct pair_luck rounds, pairs;
} found;

static void rate(unsigned kind, unsigned i, double bits, struct spent t)
{
    found.clock[kind][i] = bits / (double)t.clock_ns;
    found.cpu[kind][i] = bits / (double)t.cpu_ns;
}

/* Returns whether somebody disturbed it. */
static bool one_round(unsigned i)
{
    const double bits = (double)pieces * PIECE * 8;
    const unsigned first = i % 2 == 0 ? CERTIFICATES : QKD, second = QKD - first;
    const struct spent a = carry(first), b = carry(second);
    rate(first, i, bits, a);
    rate(second, i, bits, b);
    found.ratio[i] = found.cpu[QKD][i] / found.cpu[CERTIFICATES][i];
    found.ratio_clock[i] = found.clock[QKD][i] / found.clock[CERTIFICATES][i];
    return pair_disturbed(&a) || pair_disturbed(&b);
}

/* -- new keys, in slices of one connection ----------------------------------------------------------------
 */

/* Up to now, at both ends: all that was said has come. */
struct point {
    uint64_t clock_ns;
    struct used here, there;
};

static struct point point_of(struct end *e)
{
    static uint8_t room[PIECE];
    const size_t marks = e->marks;
    say(e, MARK, 0, qc_span_of(NULL, 0));
    flush(e);
    while (e->marks == marks || waits(e))
        CHECK(hear(e, room, QC_NO_DEADLINE));
    return (struct point){ qc_now_ns(), used_since(e->began), e->there };
}

static struct used between(struct used from, struct used to)
{
    return (struct used){ to.cpu_ns - from.cpu_ns, to.waited_ns - from.waited_ns };
}

/* A slice. Returns how many new keys there were. */
static size_t send_slice(struct end *e, size_t each, bool rekeys, struct spent *ret)
{
    size_t keys = 0;
    const struct point from = point_of(e);
    for (size_t i = 0; i < KEYS * each; i++) {
        keys += look(e, rekeys, rekeys && keys < KEYS && i >= keys * each + each / 2);
        send_piece(e);
    }
    const struct point to = point_of(e);
    *ret = spent_of(to.clock_ns - from.clock_ns, between(from.here, to.here), between(from.there, to.there));
    return keys;
}

/* One with new keys and one without, in this order or the other. Returns whether somebody disturbed them. */
static bool one_pair(struct end *e, size_t each, unsigned i)
{
    struct spent without, with;
    size_t keys = 0;
    if (i % 2 == 0)
        send_slice(e, each, false, &without);
    keys = send_slice(e, each, true, &with);
    if (i % 2 == 1)
        send_slice(e, each, false, &without);
    rate(REKEYED, i, (double)KEYS * (double)each * PIECE * 8, with);
    found.cost[i] = 1 - (double)without.cpu_ns / (double)with.cpu_ns;
    found.cost_clock[i] = 1 - (double)without.clock_ns / (double)with.clock_ns;
    found.keys[i] = (double)keys * 1e9 / (double)with.clock_ns;
    return pair_disturbed(&with) || pair_disturbed(&without);
}

/* Pieces of a hundredth of a second, of the slowest slice of some, for one connection is not as fast as
 * another, nor as when it began; and fewer, for with new keys it takes longer: a hundred keys at least. */
static size_t pieces_of_hundredth(struct end *e, size_t guess)
{
    uint64_t most_ns = 0;
    for (unsigned i = 0; i < TRIALS; i++) {
        struct spent t;
        send_slice(e, guess, i % 2 == 0, &t); /* the first handshakes are more than those of a slice */
        if (i % 2 == 1 && t.cpu_ns > most_ns)
            most_ns = t.cpu_ns;
    }
    const size_t each = (size_t)((double)(guess * KEYS) * 0.95e9 / PER_SECOND / (double)most_ns);
    return each < 2 ? 2 : each;
}

/* From pair `first` on, in one connection. */
static void some_pairs(size_t guess, unsigned first, unsigned behind)
{
    static struct end e;
    struct run r = { .kind = REKEYED };
    pthread_t other;
    r.listener = pair_listen(&r.at);
    CHECK(pthread_create(&other, NULL, receiver, &r) == 0);
    const int fd = pair_dial(&r.at);
    dial(&e, &r, fd);
    const size_t each = pieces_of_hundredth(&e, guess);
    for (unsigned i = first; i < behind; i++)
        while (pair_again(&found.pairs, one_pair(&e, each, i)))
            ;
    end(&e);
    close(fd);
    CHECK(pthread_join(other, NULL) == 0);
    close(r.listener);
}

/* -- all --------------------------------------------------------------------------------------------------
 */

static void print(unsigned rounds, unsigned pairs, unsigned group)
{
    for (unsigned k = 0; k < KINDS; k++)
        pair_print_rate(names[k], found.clock[k], found.cpu[k], k == REKEYED ? pairs : rounds);
    pair_print("ratio", found.ratio, found.ratio_clock, rounds, 1, &found.rounds);
    printf("}\n");
    pair_print("rekey", found.cost, found.cost_clock, pairs, group, &found.pairs);
    printf(",\"keys_per_s\":%.0f}\n", pair_median(found.keys, pairs));
}

int main(int argc, char **argv)
{
    struct qc_err err = { 0 };
    uint8_t bytes[32] = { 1, 2, 3 };
    const unsigned long mib = argc > 5 ? strtoul(argv[5], NULL, 10) : 256;
    const unsigned rounds = argc > 6 ? (unsigned)strtoul(argv[6], NULL, 10) : 9;
    unsigned pairs = argc > 7 ? (unsigned)strtoul(argv[7], NULL, 10) : 60, group = 1;
    if (argc < 5) {
        fprintf(stderr, "usage: %s CA CERT KEY NAME [MIB [ROUNDS [PAIRS]]]\n", argv[0]);
        return 2;
    }
    CHECK(mib > 0 && rounds > 0 && rounds <= PAIR_MOST && pairs > 0 && pairs <= PAIR_MOST);
    group = pairs < CONNECTIONS ? 1 : pairs / CONNECTIONS;
    pairs -= pairs % group;
    cert = (struct net_cert){ .ca = argv[1], .cert = argv[2], .key = argv[3], .peer = argv[4] };
    CHECK_OK(qc_key_from(&key, bytes, sizeof bytes, &err));
    pieces = mib << 4;
    pair_pin(0);
    found.rounds.most = rounds;
    found.pairs.most = pairs;
    for (unsigned i = 0; i < rounds; i++)
        while (pair_again(&found.rounds, one_round(i)))
            ;
    const double a_second = pair_median(found.cpu[QKD], rounds) * 1e9 / (PIECE * 8);
    for (unsigned i = 0; i < pairs; i += group)
        some_pairs((size_t)(a_second / PER_SECOND), i, i + group);
    print(rounds, pairs, group);
    qc_key_free(&key);
    return 0;
}

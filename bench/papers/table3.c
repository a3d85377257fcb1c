/* bench_table3: Table 3 of Fujiwara et al. 2022 (PAPERS C8) with the frames of FORMAT 14.1: one-time pad over
 * TCP and, as an experiment that no program of ours does, over UDP; with the headers of the frames in clear
 * and under the pad, and nothing but the sockets beside it. Loopback, a thread at each end, each on a core of
 * its own, pads in memory. The paper's sizes of packets, 1,470 and 1,454 bytes, and the largest that fit.
 *
 * UDP has no flow control: the receiver tells after each half of a window that it has it, and the sender
 * waits for that, so that no packet finds the socket full. What is lost all the same ends the benchmark:
 * frames are taken in their order only. CSV on stdout. Usage: bench_table3 [--mb MB] [--runs N] */
#include <inttypes.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "otp_pad.h"
#include "pair.h"

enum { WRITE = 65536, WAIT_S = 10 };

static struct qc_err err;
static uint8_t *pad, plain[NET_OTP_BODY_MAX];

static const struct kind {
    bool udp, otp, hidden;
    uint32_t frame; /* bytes of a frame with head and tag */
    unsigned window;
} kinds[] = {
    { false, true, false, 1470, 0 },
    { false, true, true, 1454, 0 },
    { false, false, false, 1470, 0 },
    { false, false, true, 1454, 0 },
    { true, true, false, 1470, 64 },
    { true, true, true, 1454, 64 },
    { true, false, false, 1470, 64 },
    { true, false, true, 1454, 64 },
    { false, true, false, NET_OTP_FRAME_MAX, 0 },
    { false, true, true, NET_OTP_FRAME_MAX, 0 },
    { false, false, false, NET_OTP_FRAME_MAX, 0 },
    { true, true, false, 60000, 2 },
    { true, true, true, 60000, 2 },
    { true, false, false, 60000, 2 },
};

struct run {
    const struct kind *kind;
    int fd[2];
    size_t frames;
    uint64_t receiver_ns;
};

static size_t body_of(const struct kind *k)
{
    return k->frame - NET_OTP_HEAD - NET_OTP_TAG;
}

/* Bytes of data in a frame. */
static size_t carries(const struct kind *k)
{
    return body_of(k) - (k->hidden ? 4 : 0);
}

static struct net_otp *new_end(const struct kind *k, struct otp_pad *s)
{
    *s = (struct otp_pad){ .bytes = pad, .body = body_of(k) };
    return k->otp ? otp_pad_end(s, k->hidden ? (uint32_t)body_of(k) : 0) : NULL;
}

/* Frames go into a stream some at a time, as a program with much to send does it. */
static size_t batch(const struct kind *k)
{
    return k->udp || k->frame > WRITE ? 1 : WRITE / k->frame;
}

static void *receiver(void *arg)
{
    struct run *r = arg;
    const struct kind *k = r->kind;
    static uint8_t in[NET_OTP_FRAME_MAX], room[NET_OTP_BODY_MAX];
    struct qc_err e = { 0 };
    struct otp_pad s;
    struct net_otp *o = new_end(k, &s);
    pair_pin(1);
    const uint64_t start = pair_cpu_ns();
    for (size_t i = 1; i <= r->frames; i++) {
        size_t used = 0, got = 0;
        enum net_otp_type type;
        pair_move(r->fd[1], in, k->frame, false);
        if (k->otp) {
            CHECK_RC(net_otp_open(o, qc_span_of(in, k->frame), &used, &type, room, &got, &e), QC_OK);
            CHECK(used == k->frame && got == carries(k));
        }
        if (k->udp && (i % (k->window / 2) == 0 || i == r->frames))
            CHECK(send(r->fd[1], "", 1, 0) == 1);
    }
    r->receiver_ns = pair_cpu_ns() - start;
    net_otp_free(&o);
    return NULL;
}

/* For a segment of the paper's size over TCP, where the loopback's own is 64 KiB. */
static void limit(int fd, const struct kind *k)
{
    const int most = (int)k->frame;
    const struct timeval wait = { .tv_sec = WAIT_S };
    if (!k->udp && k->frame < WRITE)
        CHECK(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &most, sizeof most) == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0);
}

static void connect_udp(struct run *r)
{
    struct sockaddr_in at[2];
    for (unsigned i = 0; i < 2; i++) {
        socklen_t n = sizeof at[i];
        at[i] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        r->fd[i] = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK(r->fd[i] >= 0 && bind(r->fd[i], (struct sockaddr *)&at[i], n) == 0);
        CHECK(getsockname(r->fd[i], (struct sockaddr *)&at[i], &n) == 0);
        limit(r->fd[i], r->kind);
    }
    for (unsigned i = 0; i < 2; i++)
        CHECK(connect(r->fd[i], (struct sockaddr *)&at[1 - i], sizeof at[0]) == 0);
}

static void connect_tcp(struct run *r)
{
    struct sockaddr_in at;
    const int s = pair_listen(&at);
    limit(s, r->kind);
    r->fd[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(r->fd[0] >= 0);
    limit(r->fd[0], r->kind);
    CHECK(connect(r->fd[0], (struct sockaddr *)&at, sizeof at) == 0);
    r->fd[1] = accept(s, NULL, NULL);
    CHECK(r->fd[1] >= 0);
    close(s);
}

/* All frames; after each half of a window one byte comes back. */
static void send_all(struct run *r, struct net_otp *o)
{
    static uint8_t out[WRITE + NET_OTP_FRAME_MAX];
    const struct kind *k = r->kind;
    size_t heard = 0;
    for (size_t i = 0; i < r->frames;) {
        size_t n = 0;
        for (size_t j = 0; j < batch(k) && i < r->frames; j++, i++) {
            size_t taken = 0, one = k->frame;
            if (k->otp)
                CHECK_OK(net_otp_seal(o, NET_OTP_DATA, qc_span_of(plain, carries(k)), out + n, &taken, &one,
                                      &err));
            CHECK(one == k->frame && (!k->otp || taken == carries(k)));
            n += one;
        }
        pair_move(r->fd[0], out, n, true);
        for (uint8_t told; k->udp && i - heard >= k->window; heard += k->window / 2)
            CHECK(recv(r->fd[0], &told, 1, 0) == 1);
    }
}

static struct spent once(const struct kind *k, uint64_t bytes)
{
    struct run r = { .kind = k, .frames = bytes / carries(k) };
    struct otp_pad s;
    struct net_otp *o = new_end(k, &s);
    pthread_t other;
    (k->udp ? connect_udp : connect_tcp)(&r);
    const uint64_t start = qc_now_ns(), start_cpu = pair_cpu_ns();
    CHECK(pthread_create(&other, NULL, receiver, &r) == 0);
    send_all(&r, o);
    const uint64_t ours = pair_cpu_ns() - start_cpu;
    CHECK(pthread_join(other, NULL) == 0);
    const struct spent t = { .clock_ns = qc_now_ns() - start,
                             .cpu_ns = ours > r.receiver_ns ? ours : r.receiver_ns };
    close(r.fd[0]);
    close(r.fd[1]);
    net_otp_free(&o);
    return t;
}

int main(int argc, char **argv)
{
    unsigned long mb = 256, runs = 5;
    for (int i = 1; i + 1 < argc; i += 2)
        *(strcmp(argv[i], "--mb") == 0 ? &mb : &runs) = strtoul(argv[i + 1], NULL, 10);
    CHECK(mb >= 1 && runs >= 1);
    pair_pin(0);
    pad = otp_pad_new();
    printf("protocol,cipher,headers,frame,run,gbit_per_s,gbit_per_cpu_s\n");
    for (unsigned long run = 1; run <= runs; run++)
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            const struct kind *k = &kinds[i];
            const struct spent t = once(k, mb * 1000000);
            const size_t whole = mb * 1000000 / carries(k) * carries(k);
            const double bits = (double)whole * 8;
            printf("%s,%s,%s,%" PRIu32 ",%lu,%.3f,%.3f\n", k->udp ? "UDP" : "TCP", k->otp ? "OTP" : "plain",
                   k->hidden ? "hidden" : "clear", k->frame, run, bits / (double)t.clock_ns,
                   bits / (double)t.cpu_ns);
        }
    free(pad);
    return 0;
}

/* bench_otp_link: an otp link's frames over loopback TCP, pad in memory, a thread at each end, each on a core
 * of its own, beside what it is made of, in the same rounds: the kernel and plain TCP through the same socket
 * code, pieces of the same size. The kernel is xor and Poly1305 of 64 KiB where they lie, with the code that
 * frames are made by, under pad that is not in the caches: it lies in 64 MiB, as that of each end of the link
 * does. What an end does besides is the link's own cost: it takes the pad into locked memory and wipes it
 * there, and makes and reads headers. JSON lines {"name":..,"gbit_per_s":..,"gbit_per_cpu_s":..}: by the
 * clock, and by the processor time of the end that used more, which is what the clock says where nobody else
 * is. Last {"name":"ratio",..}: link over 1 / (1 / kernel + 1 / TCP), of each round (pair_print). Gbit are
 * 10^9 bits. Usage: bench_otp_link [MIB [ROUNDS]]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "otp_pad.h"
#include "pair.h"

static struct qc_err err;
static uint8_t *pads[2], plain[NET_OTP_BODY_MAX]; /* the same pad for each end, as it has it */
static size_t frames;

/* -- one end's thread ------------------------------------------------------------------------------------ */

struct run {
    int fd[2];
    bool otp;
    uint32_t pad_to;
    uint64_t receiver_ns, receiver_waited_ns;
};

static struct net_otp *new_end(const struct run *r, struct otp_pad *s, const uint8_t *pad)
{
    *s = (struct otp_pad){ .bytes = pad, .body = NET_OTP_BODY_MAX };
    return otp_pad_end(s, r->pad_to);
}

static void *receiver(void *arg)
{
    struct run *r = arg;
    static uint8_t in[NET_OTP_FRAME_MAX], room[NET_OTP_BODY_MAX];
    struct qc_err e = { 0 };
    struct otp_pad s;
    struct net_otp *o = new_end(r, &s, pads[1]);
    const size_t whole = NET_OTP_FRAME_MAX;
    pair_pin(1);
    const uint64_t start = pair_cpu_ns();
    for (size_t i = 0; i < frames; i++) {
        size_t used = 0, got = 0;
        enum net_otp_type type;
        pair_move(r->fd[1], in, whole, false);
        if (r->otp)
            CHECK_RC(net_otp_open(o, qc_span_of(in, whole), &used, &type, room, &got, &e), QC_OK);
        CHECK(!r->otp || used == whole);
    }
    r->receiver_ns = pair_cpu_ns() - start;
    r->receiver_waited_ns = pair_waited_ns();
    net_otp_free(&o);
    return NULL;
}

static void connect_ends(struct run *r)
{
    struct sockaddr_in at;
    const int s = pair_listen(&at);
    r->fd[0] = pair_dial(&at);
    r->fd[1] = accept(s, NULL, NULL);
    CHECK(r->fd[1] >= 0);
    close(s);
}

/* For all frames, from the first to the last that was opened. */
static struct spent link_time(bool otp, uint32_t pad_to)
{
    static uint8_t frame[NET_OTP_FRAME_MAX];
    struct run r = { .otp = otp, .pad_to = pad_to };
    struct otp_pad s;
    struct net_otp *o = new_end(&r, &s, pads[0]);
    pthread_t other;
    connect_ends(&r);
    const uint64_t start = qc_now_ns(), start_cpu = pair_cpu_ns(), waited = pair_waited_ns();
    CHECK(pthread_create(&other, NULL, receiver, &r) == 0);
    for (size_t i = 0; i < frames; i++) {
        size_t taken = 0, n = sizeof frame;
        if (otp)
            CHECK_OK(net_otp_seal(o, NET_OTP_DATA, qc_span_of(plain, sizeof plain), frame, &taken, &n, &err));
        CHECK(n == sizeof frame);
        pair_move(r.fd[0], frame, n, true);
    }
    const uint64_t ours = pair_cpu_ns() - start_cpu;
    CHECK(pthread_join(other, NULL) == 0);
    const struct spent t = { qc_now_ns() - start, ours > r.receiver_ns ? ours : r.receiver_ns,
                             pair_waited_ns() - waited + r.receiver_waited_ns };
    close(r.fd[0]);
    close(r.fd[1]);
    net_otp_free(&o);
    return t;
}

static struct spent kernel_time(void)
{
    static uint8_t head[NET_OTP_HEAD], body[NET_OTP_BODY_MAX];
    uint8_t tag[NET_OTP_TAG];
    const uint64_t start = qc_now_ns(), start_cpu = pair_cpu_ns(), waited = pair_waited_ns();
    for (size_t i = 0; i < frames; i++)
        net_otp_core_seal(pads[0] + i * (NET_OTP_KEY + sizeof body) % (OTP_PAD - 2 * sizeof body),
                          qc_span_of(head, sizeof head), qc_span_of(body, sizeof body), body, tag);
    return (struct spent){ qc_now_ns() - start, pair_cpu_ns() - start_cpu, pair_waited_ns() - waited };
}

/* -- rounds ---------------------------------------------------------------------------------------------- */

enum { KERNEL, TCP, LINK, HIDDEN, KINDS };

/* Gbit/s of the kinds in one round: by the clock, and by processor time. Returns whether somebody disturbed
 * it. */
static bool measure(double by_clock[KINDS], double by_cpu[KINDS])
{
    const struct spent t[] = { kernel_time(), link_time(false, 0), link_time(true, 0),
                               link_time(true, NET_OTP_BODY_MAX) };
    const double bits = (double)frames * NET_OTP_BODY_MAX * 8;
    bool disturbed = false;
    for (unsigned k = 0; k < KINDS; k++) {
        by_clock[k] = bits / (double)t[k].clock_ns;
        by_cpu[k] = bits / (double)t[k].cpu_ns;
        disturbed |= pair_disturbed(&t[k]);
    }
    return disturbed;
}

static double ratio_of(const double rate[KINDS])
{
    return rate[LINK] * (1 / rate[KERNEL] + 1 / rate[TCP]);
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "kernel", "tcp", "otp_link", "otp_link_hidden" };
    static double clock_rate[KINDS][PAIR_MOST], cpu_rate[KINDS][PAIR_MOST];
    static double clock_ratio[PAIR_MOST], cpu_ratio[PAIR_MOST];
    const unsigned long mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 256;
    const unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 9;
    struct pair_luck luck = { .most = rounds };
    CHECK(mib > 0 && rounds > 0 && rounds <= PAIR_MOST);
    pair_pin(0);
    frames = mib << 4;
    pads[0] = otp_pad_new();
    pads[1] = otp_pad_new();
    for (unsigned i = 0; i < rounds; i++) {
        double by_clock[KINDS], by_cpu[KINDS];
        while (pair_again(&luck, measure(by_clock, by_cpu)))
            ;
        for (unsigned k = 0; k < KINDS; k++) {
            clock_rate[k][i] = by_clock[k];
            cpu_rate[k][i] = by_cpu[k];
        }
        clock_ratio[i] = ratio_of(by_clock);
        cpu_ratio[i] = ratio_of(by_cpu);
    }
    for (unsigned k = 0; k < KINDS; k++)
        pair_print_rate(names[k], clock_rate[k], cpu_rate[k], rounds);
    pair_print("ratio", cpu_ratio, clock_ratio, rounds, 1, &luck);
    printf("}\n");
    free(pads[0]);
    free(pads[1]);
    return 0;
}

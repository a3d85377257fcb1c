/* bench_otp_link: an otp link's frames over loopback TCP, pad in memory, a thread at each end, beside what it
 * is made of, in the same rounds: the kernel (xor and Poly1305 of 64 KiB) and plain TCP through the same
 * socket code. JSON lines {"name":..,"gbit_per_s":..}, and last {"name":"ratio","of":..}: link over
 * 1 / (1 / kernel + 1 / TCP). Gbit are 10^9 bits. Usage: bench_otp_link [MIB [ROUNDS]] */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "net/otp.h"
#include "qc_check.h"

enum { PAD = 64 << 20, MOST = 99 };

static struct qc_err err;
static uint8_t *pad, plain[NET_OTP_BODY_MAX];
static size_t frames;

/* -- pad from memory, as long as it takes: not for secrets ----------------------------------------------- */

struct source {
    uint64_t at;
};

static qc_rc where(void *ctx, uint64_t least, uint64_t *ret_at, uint64_t *ret_left, struct qc_err *e)
{
    struct source *s = ctx;
    (void)e;
    const uint64_t one = NET_OTP_BODY_MAX + NET_OTP_KEY + (least > NET_OTP_BODY_MAX ? NET_OTP_HEAD : 0);
    if (PAD - s->at % PAD < one)
        s->at += PAD - s->at % PAD;
    *ret_at = s->at;
    *ret_left = one; /* a frame, so that each is whole */
    return QC_OK;
}

static qc_rc take(void *ctx, uint8_t *room, size_t n, struct qc_err *e)
{
    struct source *s = ctx;
    (void)e;
    memcpy(room, pad + s->at % PAD, n);
    s->at += n;
    return QC_OK;
}

/* -- one end's thread ------------------------------------------------------------------------------------ */

struct run {
    int fd[2];
    bool otp;
    uint32_t pad_to;
};

static struct net_otp *new_end(const struct run *r, struct source *s)
{
    struct net_otp *o = NULL;
    CHECK_OK(net_otp_new(
        &o, &(struct net_otp_conf){ .pad = { .ctx = s, .where = where, .take = take }, .pad_to = r->pad_to },
        &err));
    return o;
}

static void move(int fd, uint8_t *p, size_t n, bool out)
{
    for (size_t done = 0; done < n;) {
        const ssize_t got = out ? write(fd, p + done, n - done) : read(fd, p + done, n - done);
        CHECK(got > 0);
        done += (size_t)got;
    }
}

static void *receiver(void *arg)
{
    const struct run *r = arg;
    static uint8_t in[NET_OTP_FRAME_MAX], room[NET_OTP_BODY_MAX];
    struct qc_err e = { 0 };
    struct source s = { 0 };
    struct net_otp *o = new_end(r, &s);
    const size_t whole = NET_OTP_FRAME_MAX;
    for (size_t i = 0; i < frames; i++) {
        size_t used = 0, got = 0;
        enum net_otp_type type;
        move(r->fd[1], in, whole, false);
        if (r->otp)
            CHECK_RC(net_otp_open(o, qc_span_of(in, whole), &used, &type, room, &got, &e), QC_OK);
        CHECK(!r->otp || used == whole);
    }
    net_otp_free(&o);
    return NULL;
}

static void connect_ends(struct run *r)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(s >= 0 && bind(s, (struct sockaddr *)&at, n) == 0 && listen(s, 1) == 0);
    CHECK(getsockname(s, (struct sockaddr *)&at, &n) == 0);
    r->fd[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(r->fd[0] >= 0 && connect(r->fd[0], (struct sockaddr *)&at, n) == 0);
    r->fd[1] = accept(s, NULL, NULL);
    CHECK(r->fd[1] >= 0);
    close(s);
}

/* ns for all frames, from the first to the last that was opened. */
static uint64_t link_ns(bool otp, uint32_t pad_to)
{
    static uint8_t frame[NET_OTP_FRAME_MAX];
    struct run r = { .otp = otp, .pad_to = pad_to };
    struct source s = { 0 };
    struct net_otp *o = new_end(&r, &s);
    pthread_t other;
    connect_ends(&r);
    const uint64_t start = qc_now_ns();
    CHECK(pthread_create(&other, NULL, receiver, &r) == 0);
    for (size_t i = 0; i < frames; i++) {
        size_t taken = 0, n = sizeof frame;
        if (otp)
            CHECK_OK(net_otp_seal(o, NET_OTP_DATA, qc_span_of(plain, sizeof plain), frame, &taken, &n, &err));
        CHECK(n == sizeof frame);
        move(r.fd[0], frame, n, true);
    }
    CHECK(pthread_join(other, NULL) == 0);
    const uint64_t spent = qc_now_ns() - start;
    close(r.fd[0]);
    close(r.fd[1]);
    net_otp_free(&o);
    return spent;
}

static uint64_t kernel_ns(void)
{
    static uint8_t head[NET_OTP_HEAD], body[NET_OTP_BODY_MAX];
    uint8_t tag[NET_OTP_TAG];
    const uint64_t start = qc_now_ns();
    for (size_t i = 0; i < frames; i++)
        net_otp_core_seal(pad + i * (NET_OTP_KEY + sizeof body) % (PAD - 2 * sizeof body),
                          qc_span_of(head, sizeof head), body, sizeof body, tag);
    return qc_now_ns() - start;
}

/* -- rounds ---------------------------------------------------------------------------------------------- */

enum { KERNEL, TCP, LINK, HIDDEN, KINDS };

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "kernel", "tcp", "otp_link", "otp_link_hidden" };
    static double rate[KINDS][MOST], ratio[MOST];
    const unsigned long mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 256;
    const unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 9;
    CHECK(mib > 0 && rounds > 0 && rounds <= MOST);
    frames = mib << 4;
    pad = malloc(PAD);
    CHECK(pad != NULL);
    for (size_t i = 0; i < PAD; i++)
        pad[i] = (uint8_t)(i * 167 + (i >> 8));
    for (unsigned i = 0; i < rounds; i++) {
        const uint64_t ns[] = { kernel_ns(), link_ns(false, 0), link_ns(true, 0),
                                link_ns(true, NET_OTP_BODY_MAX) };
        for (unsigned k = 0; k < KINDS; k++)
            rate[k][i] = (double)frames * NET_OTP_BODY_MAX * 8 / (double)ns[k];
        ratio[i] = rate[LINK][i] * (1 / rate[KERNEL][i] + 1 / rate[TCP][i]);
    }
    for (unsigned k = 0; k < KINDS; k++)
        printf("{\"name\":\"%s\",\"gbit_per_s\":%.3f}\n", names[k], median(rate[k], rounds));
    printf("{\"name\":\"ratio\",\"of\":%.3f}\n", median(ratio, rounds));
    free(pad);
    return 0;
}

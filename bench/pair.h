/* For benchmarks of connections: two threads of one process, each on a core of its own, over loopback TCP.
 * Time by the clock, and by the processor time of the end that used more: on a machine that others use, too,
 * that is what the clock would say on one of our own. What was measured while others had our cores is
 * measured anew: how long a thread that could run did not is what the kernel says of it (schedstat). */
#pragma once
#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "qc_check.h"

struct spent {
    uint64_t clock_ns, cpu_ns; /* cpu_ns: of the end that used more */
    uint64_t waited_ns;        /* for a core, at both ends */
};

/* Of this thread. */
static inline uint64_t pair_cpu_ns(void)
{
    struct timespec t;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* How long this thread could have run and did not, since it began. 0 where the kernel does not say. */
static inline uint64_t pair_waited_ns(void)
{
    char text[128] = "";
    uint64_t ran = 0, waited = 0;
    const int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    return n > 0 && sscanf(text, "%" SCNu64 " %" SCNu64, &ran, &waited) == 2 ? waited : 0;
}

/* A thirty-second part of the time. */
static inline bool pair_disturbed(const struct spent *t)
{
    return t->waited_ns > t->clock_ns / 32;
}

/* What was disturbed: measured anew up to `most` times in all, then taken as it is. */
struct pair_luck {
    unsigned most, again, taken;
};
static inline bool pair_again(struct pair_luck *l, bool disturbed)
{
    const bool again = disturbed && l->again < l->most;
    l->again += again;
    l->taken += disturbed && !again;
    return again;
}

/* The cores of the process. The first call is main's, before it is pinned itself and there are others. */
static inline const cpu_set_t *pair_may(void)
{
    static cpu_set_t may;
    if (CPU_COUNT(&may) == 0)
        CHECK(sched_getaffinity(0, sizeof may, &may) == 0);
    return &may;
}

/* This thread runs on the core of that number alone, of those of the process. */
static inline void pair_pin(unsigned number)
{
    const cpu_set_t *may = pair_may();
    cpu_set_t one;
    number %= (unsigned)CPU_COUNT(may);
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, may) && number-- == 0)
            CPU_SET(i, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
}

/* Little pieces go at once, as a link's do. Reno is what every Linux has: another machine's default, as BBR,
 * may pace, and take loopback for a slow line. */
static inline int pair_socket(void)
{
    const int on = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(s >= 0 && setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    CHECK(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) == 0);
    return s;
}

/* A socket that listens, and where. */
static inline int pair_listen(struct sockaddr_in *ret_at)
{
    socklen_t n = sizeof *ret_at;
    const int s = pair_socket(); /* what is accepted has its options */
    *ret_at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    CHECK(bind(s, (struct sockaddr *)ret_at, n) == 0 && listen(s, 1) == 0);
    CHECK(getsockname(s, (struct sockaddr *)ret_at, &n) == 0);
    return s;
}

static inline int pair_dial(const struct sockaddr_in *at)
{
    const int fd = pair_socket();
    CHECK(connect(fd, (const struct sockaddr *)at, sizeof *at) == 0);
    return fd;
}

/* All n bytes, out of p or into it. */
static inline void pair_move(int fd, uint8_t *p, size_t n, bool out)
{
    for (size_t done = 0; done < n;) {
        const ssize_t got = out ? write(fd, p + done, n - done) : read(fd, p + done, n - done);
        CHECK(got > 0);
        done += (size_t)got;
    }
}

static inline int pair_by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* v is sorted afterwards. */
static inline double pair_median(double *v, unsigned n)
{
    qsort(v, n, sizeof *v, pair_by_value);
    return v[n / 2];
}

enum { PAIR_MOST = 2000, PAIR_DRAWS = 2000 };

/* Where the median lies, with 95 %: of medians of as many of v, drawn with each put back (bootstrap), `group`
 * neighbours at a time: those of one connection may be alike, and count as one. n is so many groups. */
static inline void pair_interval(const double *v, unsigned n, unsigned group, double *ret_low,
                                 double *ret_high)
{
    static double medians[PAIR_DRAWS], drawn[PAIR_MOST];
    uint64_t state = 1; /* of a generator (Knuth's MMIX): the same draws in each run */
    CHECK(group > 0 && n % group == 0);
    for (unsigned i = 0; i < PAIR_DRAWS; i++) {
        for (unsigned k = 0; k < n; k += group) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            memcpy(drawn + k, v + (state >> 33) % (n / group) * group, group * sizeof *v);
        }
        medians[i] = pair_median(drawn, n);
    }
    qsort(medians, PAIR_DRAWS, sizeof *medians, pair_by_value);
    *ret_low = medians[PAIR_DRAWS / 40];
    *ret_high = medians[PAIR_DRAWS - 1 - PAIR_DRAWS / 40];
}

/* A line of JSON: Gbit/s, medians. Both are sorted afterwards. */
static inline void pair_print_rate(const char *name, double *by_clock, double *by_cpu, unsigned n)
{
    printf("{\"name\":\"%s\",\"gbit_per_s\":%.3f,\"gbit_per_cpu_s\":%.3f}\n", name, pair_median(by_clock, n),
           pair_median(by_cpu, n));
}

/* All but the end of a line of JSON: the median and its interval by processor time, how many they are of, and
 * the same by the clock (group: pair_interval); how many were measured anew, and how many taken although they
 * were disturbed. Both are sorted afterwards. */
static inline void pair_print(const char *name, double *by_cpu, double *by_clock, unsigned n, unsigned group,
                              const struct pair_luck *luck)
{
    double low = 0, high = 0, clock_low = 0, clock_high = 0;
    pair_interval(by_cpu, n, group, &low, &high);
    pair_interval(by_clock, n, group, &clock_low, &clock_high);
    printf("{\"name\":\"%s\",\"of\":%.4f,\"low\":%.4f,\"high\":%.4f,\"times\":%u", name,
           pair_median(by_cpu, n), low, high, n);
    printf(",\"by_clock\":%.4f,\"clock_low\":%.4f,\"clock_high\":%.4f", pair_median(by_clock, n), clock_low,
           clock_high);
    printf(",\"again\":%u,\"disturbed\":%u", luck->again, luck->taken);
}

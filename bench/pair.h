/* For benchmarks of connections: two threads of one process, each on a core of its own, over loopback TCP.
 * Time by the clock, and by the processor time of the end that used more: on a machine that others use, too,
 * that is what the clock would say on one of our own. */
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "qc_check.h"

struct spent {
    uint64_t clock_ns, cpu_ns; /* cpu_ns: of the end that used more */
};

/* Of this thread. */
static inline uint64_t pair_cpu_ns(void)
{
    struct timespec t;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
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

/* A socket that listens, and where. */
static inline int pair_listen(struct sockaddr_in *ret_at)
{
    socklen_t n = sizeof *ret_at;
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    *ret_at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    CHECK(s >= 0 && bind(s, (struct sockaddr *)ret_at, n) == 0 && listen(s, 1) == 0);
    CHECK(getsockname(s, (struct sockaddr *)ret_at, &n) == 0);
    return s;
}

static inline int pair_dial(const struct sockaddr_in *at)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof *at) == 0);
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

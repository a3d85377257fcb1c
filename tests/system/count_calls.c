/* Preloaded into both programs by system/calls: counts the calls that cost time and must not grow by
 * accident, and writes them to $QC_COUNT_DIR/PROGRAM.PID when the program ends. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FSYNC, FDATASYNC, THREAD, CONNECT, DIRECT_KIB, MPROTECT, LOCK, COUNTERS };
static const char *const names[COUNTERS] = { "fsync",      "fdatasync", "thread", "connect",
                                             "direct_kib", "mprotect",  "lock" };
static atomic_ulong counts[COUNTERS];

/* The function that the program would have called without us. */
#define NEXT(type, name)                                                                                     \
    static type next;                                                                                        \
    if (next == NULL)                                                                                        \
        *(void **)&next = dlsym(RTLD_NEXT, name);

typedef int (*sync_fn)(int);
typedef int (*thread_fn)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef int (*connect_fn)(int, const struct sockaddr *, socklen_t);
typedef int (*mprotect_fn)(void *, size_t, int);
typedef int (*fcntl_fn)(int, int, ...);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);

int fsync(int fd)
{
    NEXT(sync_fn, "fsync")
    counts[FSYNC]++;
    return next(fd);
}

int fdatasync(int fd)
{
    NEXT(sync_fn, "fdatasync")
    counts[FDATASYNC]++;
    return next(fd);
}

int pthread_create(pthread_t *restrict t, const pthread_attr_t *restrict a, void *(*run)(void *),
                   void *restrict arg)
{
    NEXT(thread_fn, "pthread_create")
    counts[THREAD]++;
    return next(t, a, run, arg);
}

int connect(int fd, const struct sockaddr *to, socklen_t n)
{
    NEXT(connect_fn, "connect")
    counts[CONNECT]++;
    return next(fd, to, n);
}

int mprotect(void *p, size_t n, int how)
{
    NEXT(mprotect_fn, "mprotect")
    counts[MPROTECT]++;
    return next(p, n, how);
}

/* The argument is a pointer or a number of no more than its size: as such it is passed on. */
static int count_fcntl(fcntl_fn next, int fd, int what, void *arg)
{
    if (what == F_SETLK || what == F_SETLKW || what == F_OFD_SETLK || what == F_OFD_SETLKW)
        counts[LOCK]++;
    return next(fd, what, arg);
}

int fcntl(int fd, int what, ...)
{
    va_list list;
    NEXT(fcntl_fn, "fcntl")
    va_start(list, what);
    void *arg = va_arg(list, void *);
    va_end(list);
    return count_fcntl(next, fd, what, arg);
}

int fcntl64(int fd, int what, ...)
{
    va_list list;
    NEXT(fcntl_fn, "fcntl64")
    va_start(list, what);
    void *arg = va_arg(list, void *);
    va_end(list);
    return count_fcntl(next, fd, what, arg);
}

static ssize_t count_pwrite(pwrite_fn next, int fd, const void *p, size_t n, off_t at)
{
    const ssize_t w = next(fd, p, n, at);
    const int os = errno;
    const int flags = fcntl(fd, F_GETFL);
    if (w > 0 && flags >= 0 && (flags & O_DIRECT) != 0)
        counts[DIRECT_KIB] += (unsigned long)w / 1024;
    errno = os;
    return w;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    NEXT(pwrite_fn, "pwrite")
    return count_pwrite(next, fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    NEXT(pwrite_fn, "pwrite64")
    return count_pwrite(next, fd, p, n, at);
}

__attribute__((destructor)) static void report(void)
{
    const char *dir = getenv("QC_COUNT_DIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%ld", dir, program_invocation_short_name, (long)getpid());
    FILE *f = dir == NULL ? NULL : fopen(path, "w");
    if (f == NULL)
        return;
    for (int i = 0; i < COUNTERS; i++)
        fprintf(f, "%s %lu\n", names[i], atomic_load(&counts[i]));
    fclose(f);
}

/*
 * libqc_disk.so, preloaded into the programs under test: every change that they make on one file system, and
 * every sync that they ask for, goes into one trace, in one order for all processes. tests/disk/trace.py
 * reads it, tests/disk/model.py plays power loss on it.
 *
 *   QC_DISK_TRACE=FILE    the trace: a file that the test made, with a struct head at its beginning
 *
 * R1: a call and its record are one step: both happen under the one lock that all processes share. R2: what
 * is durable is for the model to say: a sync is recorded and not done. R3: only what lies on the device that
 * the head names is recorded. A call that changes files and has no record here would make the trace lie by
 * omission: tests/system/power_trace.py compares it with what the kernel saw.
 *
 * The head also says which call shall fail, and how (struct head). Calls fail before they do anything. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct head *rec_head;

void rec_lock(void)
{
    if (pthread_mutex_lock(&rec_head->lock) ==
        EOWNERDEAD) /* killed by the test: its call is not in the trace */
        pthread_mutex_consistent(&rec_head->lock);
}

void rec_unlock(void)
{
    pthread_mutex_unlock(&rec_head->lock);
}

static uint8_t *put(uint8_t *to, const void *from, size_t n)
{
    if (n > 0)
        memcpy(to, from, n);
    return to + n;
}

void rec_emit(struct event e, const char *name, const char *name2, const struct iovec *parts)
{
    e.name_n = (uint16_t)(name != NULL ? strlen(name) : 0);
    e.name2_n = (uint16_t)(name2 != NULL ? strlen(name2) : 0);
    const size_t bytes = (sizeof e + e.name_n + e.name2_n + e.data_n + 7) & ~(size_t)7;
    if (bytes > rec_head->size - EVENTS - rec_head->used) {
        rec_head->full = 1;
        return;
    }
    e.bytes = (uint32_t)bytes;
    e.pid = getpid();
    uint8_t *to = (uint8_t *)rec_head + EVENTS + rec_head->used;
    to = put(to, &e, sizeof e);
    to = put(to, name, e.name_n);
    to = put(to, name2, e.name2_n);
    for (size_t left = e.data_n; left > 0; parts++) {
        const size_t n = parts->iov_len < left ? parts->iov_len : left;
        to = put(to, parts->iov_base, n);
        left -= n;
    }
    rec_head->used += bytes;
    rec_head->count++;
    if (rec_head->count == rec_head->kill_at)
        syscall(SYS_kill, getpid(), SIGKILL);
}

int rec_strike(unsigned kind, uint64_t ino, const char *name)
{
    if ((rec_head->fail_kinds & kind) == 0)
        return 0;
    rec_head->fail_seen++;
    const bool hit = rec_head->fail_from != 0 ? rec_head->fail_seen >= rec_head->fail_at
                                              : rec_head->fail_seen == rec_head->fail_at;
    if (!hit)
        return 0;
    rec_head->fail_struck++;
    rec_emit((struct event){ .op = OP_STRUCK, .ino = ino, .n = kind, .os = (int32_t)rec_head->fail_os }, name,
             NULL, NULL);
    return (int)rec_head->fail_os;
}

void rec_foreign(const char *call)
{
    rec_lock();
    rec_emit((struct event){ .op = OP_FOREIGN }, call, NULL, NULL);
    rec_unlock();
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("QC_DISK_TRACE");
    pthread_mutexattr_t a;
    struct stat st;

    const int fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) != 0 || st.st_size <= EVENTS || flock(fd, LOCK_EX) != 0)
        abort();
    void *p = (void *)syscall(SYS_mmap, NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED || ((struct head *)p)->magic != MAGIC ||
        ((struct head *)p)->size != (uint64_t)st.st_size)
        abort();
    rec_head = p;
    if (rec_head->ready == 0) {
        pthread_mutexattr_init(&a);
        pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&rec_head->lock, &a);
        rec_head->ready = 1;
    }
    flock(fd, LOCK_UN); /* the mapping would keep it */
    close(fd);
    rec_lock();
    rec_emit((struct event){ .op = OP_START }, program_invocation_short_name, NULL, NULL);
    rec_unlock();
}

__attribute__((destructor)) static void end(void)
{
    if (rec_head == NULL)
        return;
    rec_lock();
    rec_emit((struct event){ .op = OP_END }, NULL, NULL, NULL);
    rec_unlock();
}

#include "base/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/fault.h"

#include "file_internal.h"

enum { TMP_TRIES = 8, TMP_RANDOM = 8 };

void qc_fd_close(struct qc_fd *fd)
{
    int kept = errno;

    if (qc_fd_is(fd))
        close(qc_fd_get(fd));
    *fd = (struct qc_fd){ 0 };
    errno = kept;
}

struct qc_path_text qc_path_of(int fd)
{
    struct qc_path_text t = { "a file" };
    char link[32], path[PATH_MAX];
    const int kept = errno;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    if (n > 0 && path[0] == '/') { /* no pipe, no socket */
        path[n] = '\0';
        const size_t skip = (size_t)n < sizeof t.s ? 0 : (size_t)n - (sizeof t.s - 1) + 2;
        snprintf(t.s, sizeof t.s, "%s%s", skip > 0 ? ".." : "", path + skip);
    }
    errno = kept;
    return t;
}

qc_rc qc_open_at(struct qc_fd *ret, int dirfd, const char *path, int flags, mode_t mode, struct qc_err *err)
{
    int fd;

    QC_ASSERT(!qc_fd_is(ret));
    do {
        fd = openat(dirfd, path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0 && dirfd != AT_FDCWD && (errno == ENOSPC || errno == EDQUOT || errno == EROFS || errno == EIO))
        return QC_FAIL_OS(err, "%s in %s", path, qc_path_of(dirfd).s); /* which disk is it? */
    if (fd < 0)
        return QC_FAIL_OS(err, "%s", path);
    *ret = qc_fd_own(fd);
    return QC_OK;
}

/* Drop the first done bytes of iov; the number of entries used up. */
static size_t skip(struct iovec *iov, size_t count, size_t done)
{
    size_t i = 0;

    for (; i < count && done >= iov[i].iov_len; i++)
        done -= iov[i].iov_len;
    if (i < count) {
        iov[i].iov_base = (uint8_t *)iov[i].iov_base + done;
        iov[i].iov_len -= done;
    }
    return i;
}

qc_rc qc_write_all(int fd, const qc_span *parts, size_t count, struct qc_err *err)
{
    struct iovec iov[QC_FILE_PARTS_MAX];
    size_t used = 0;

    QC_ASSERT(count <= QC_FILE_PARTS_MAX);
    for (size_t i = 0; i < count; i++) {
        iov[i].iov_base = (void *)(uintptr_t)parts[i].p; /* writev takes no const */
        iov[i].iov_len = parts[i].n;
    }
    used += skip(iov, count, 0);
    for (int tries = 0; used < count; tries++) {
        ssize_t n = writev(fd, iov + used, (int)(count - used));

        if (n < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "writing %s", qc_path_of(fd).s);
        if (tries >= QC_WRITE_RETRY_MAX)
            return QC_FAIL(err, QC_IO, "writing: still not done after %d writes", tries);
        used += skip(iov + used, count - used, n < 0 ? 0 : (size_t)n);
    }
    return QC_OK;
}

qc_rc qc_pwrite_all(int fd, qc_span s, uint64_t off, struct qc_err *err)
{
    size_t done = 0;

    for (int tries = 0; done < s.n; tries++) {
        ssize_t n = pwrite(fd, s.p + done, s.n - done, (off_t)(off + done));

        if (n < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "writing %s at %" PRIu64, qc_path_of(fd).s, off + done);
        if (tries >= QC_WRITE_RETRY_MAX)
            return QC_FAIL(err, QC_IO, "writing: still not done after %d writes", tries);
        done += n < 0 ? 0 : (size_t)n;
    }
    return QC_OK;
}

/* The file's flags before, or -1. */
static int direct_begin(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_DIRECT) != 0 ? -1 : flags;
}

static ssize_t direct_end(int fd, int flags, ssize_t done)
{
    const int os = errno;
    if (fcntl(fd, F_SETFL, flags) != 0)
        return -1;
    errno = os;
    return done;
}

ssize_t qc_pwrite_direct(int fd, qc_span s, uint64_t off)
{
    QC_ASSERT((uintptr_t)s.p % QC_PAGE == 0);
    QC_ASSERT(s.n % QC_PAGE == 0 && off % QC_PAGE == 0);
    const int flags = direct_begin(fd);
    return flags < 0 ? -1 : direct_end(fd, flags, pwrite(fd, s.p, s.n, (off_t)off));
}

ssize_t qc_pread_direct(int fd, uint8_t *dst, size_t n, uint64_t off)
{
    QC_ASSERT((uintptr_t)dst % QC_PAGE == 0);
    QC_ASSERT(n % QC_PAGE == 0 && off % QC_PAGE == 0);
    const int flags = direct_begin(fd);
    return flags < 0 ? -1 : direct_end(fd, flags, pread(fd, dst, n, (off_t)off));
}

qc_rc qc_read_full(int fd, uint8_t *dst, size_t want, size_t *ret_got, struct qc_err *err)
{
    size_t got = 0;

    while (got < want) {
        ssize_t n = read(fd, dst + got, want - got);

        if (n < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "reading %s", qc_path_of(fd).s);
        if (n == 0)
            break;
        got += n < 0 ? 0 : (size_t)n;
    }
    *ret_got = got;
    return QC_OK;
}

qc_rc qc_path_read(const char *path, int flags, size_t most, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    const size_t before = ret->n;
    uint8_t *to = NULL;
    size_t n = 0;
    QC_TRY(qc_open_at(&fd, AT_FDCWD, path, O_RDONLY | O_NOCTTY | flags, 0, err));
    QC_TRY(qc_buf_extend(ret, most, &to, err));
    const qc_rc rc = qc_read_full(qc_fd_get(&fd), to, most, &n, err);
    ret->n = before + n;
    return rc;
}

qc_rc qc_pread_full(int fd, uint8_t *dst, size_t want, uint64_t off, size_t *ret_got, struct qc_err *err)
{
    size_t got = 0;

    while (got < want) {
        ssize_t n = pread(fd, dst + got, want - got, (off_t)(off + got));

        if (n < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "reading %s at %" PRIu64, qc_path_of(fd).s, off + got);
        if (n == 0)
            break;
        got += n < 0 ? 0 : (size_t)n;
    }
    *ret_got = got;
    return QC_OK;
}

qc_rc qc_sync(int fd, struct qc_err *err)
{
    if (fsync(fd) != 0)
        return QC_FAIL_OS(err, "fsync of %s", qc_path_of(fd).s);
    return QC_OK;
}

qc_rc qc_sync_all(int fd, struct qc_err *err)
{
    if (syncfs(fd) != 0)
        return QC_FAIL_OS(err, "syncing what holds %s", qc_path_of(fd).s);
    return QC_OK;
}

/* A temporary file: held by an flock while its writer lives, so that a sweep knows the dead ones. */
struct tmp {
    int dirfd; /* borrowed */
    struct qc_fd fd;
    char name[QC_TMP_NAME]; /* empty: it has got its final name, or there is none */
};

static void tmp_unname(struct tmp *t)
{
    if (t->name[0] != '\0')
        unlinkat(t->dirfd, t->name, 0); /* what stays behind is swept later */
    t->name[0] = '\0';
}

static void tmp_done(struct tmp *t)
{
    tmp_unname(t);
    qc_fd_close(&t->fd);
}

static qc_rc tmp_name(char name[QC_TMP_NAME], struct qc_err *err)
{
    uint8_t random[TMP_RANDOM];
    char hex[2 * TMP_RANDOM + 1];

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return QC_FAIL_OS(err, "naming a temporary file");
    qc_hex(qc_span_of(random, sizeof random), hex);
    snprintf(name, QC_TMP_NAME, QC_TMP_PREFIX "%ld-%s", (long)getpid(), hex);
    return QC_OK;
}

/* Between the making and the lock a sweep may take the file for a dead one: then it has no name, and we try
 * again. */
static qc_rc tmp_open(struct tmp *ret, int dirfd, mode_t mode, struct qc_err *err)
{
    for (int tries = 0; tries < TMP_TRIES; tries++) {
        QC_CLEANUP(tmp_done) struct tmp t = { .dirfd = dirfd };
        struct stat st;
        char name[QC_TMP_NAME];

        QC_TRY(tmp_name(name, err));
        QC_TRY(qc_open_at(&t.fd, dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, err));
        memcpy(t.name, name, sizeof name);
        if (flock(qc_fd_get(&t.fd), LOCK_EX | LOCK_NB) != 0)
            continue;
        if (fchmod(qc_fd_get(&t.fd), mode) != 0 || fstat(qc_fd_get(&t.fd), &st) != 0)
            return QC_FAIL_OS(err, "%s", name);
        if (st.st_nlink == 0)
            continue;
        *ret = QC_STEAL(t);
        return QC_OK;
    }
    return QC_FAIL(err, QC_TEMP, "a temporary file was swept away %d times", TMP_TRIES);
}

static qc_rc write_file(int dirfd, const char *name, const qc_span *parts, size_t count, mode_t mode,
                        bool replace, struct qc_err *err)
{
    QC_CLEANUP(tmp_done) struct tmp t = { 0 };

    QC_ASSERT(qc_name_ok(name));
    QC_TRY(tmp_open(&t, dirfd, mode, err));
    QC_TRY(qc_write_all(qc_fd_get(&t.fd), parts, count, err));
    QC_TRY(qc_fault(file_tmp_written, err));
    QC_TRY(qc_sync(qc_fd_get(&t.fd), err));
    QC_TRY(qc_fault(file_tmp_synced, err));
    if (replace) {
        if (renameat(dirfd, t.name, dirfd, name) != 0)
            return QC_FAIL_OS(err, "renaming in %s", qc_path_of(dirfd).s);
        t.name[0] = '\0';
    } else if (linkat(dirfd, t.name, dirfd, name, 0) != 0) { /* unlike rename, refuses a name in use */
        return QC_FAIL_OS(err, "naming in %s", qc_path_of(dirfd).s);
    }
    tmp_unname(&t); /* before the fsync, or the second name could outlive it: of a key, say */
    QC_TRY(qc_fault(file_renamed, err));
    return qc_dir_sync(dirfd, err);
}

qc_rc qc_file_write_atomic(int dirfd, const char *name, const qc_span *parts, size_t count, mode_t mode,
                           struct qc_err *err)
{
    QC_TRY_AS(write_file(dirfd, name, parts, count, mode, true, err), err, "%s", name);
    return QC_OK;
}

qc_rc qc_file_write_new(int dirfd, const char *name, const qc_span *parts, size_t count, mode_t mode,
                        struct qc_err *err)
{
    QC_TRY_AS(write_file(dirfd, name, parts, count, mode, false, err), err, "%s", name);
    return QC_OK;
}

qc_rc qc_file_read(int dirfd, const char *name, size_t max, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = max };
    struct stat st;
    uint8_t more;
    size_t got = 1;

    QC_ASSERT(qc_name_ok(name));
    QC_ASSERT(max <= QC_FILE_READ_MAX);
    QC_TRY(qc_open_at(&fd, dirfd, name, O_RDONLY | O_NOCTTY, 0, err));
    if (fstat(qc_fd_get(&fd), &st) != 0)
        return QC_FAIL_OS(err, "%s", name);
    if (S_ISDIR(st.st_mode))
        return QC_FAIL_ERRNO(err, EISDIR, "%s", name);
    if ((uint64_t)st.st_size > max)
        return QC_FAIL(err, QC_LIMIT, "%s: %" PRIu64 " bytes, over the limit of %zu", name,
                       (uint64_t)st.st_size, max);
    while (got > 0) { /* st_size is a hint: the file may grow, and /proc says 0 */
        size_t want = b.n == 0 && st.st_size > 0 ? (size_t)st.st_size : 4096;

        if (want > max - b.n)
            want = max - b.n;
        if (want == 0)
            break;
        QC_TRY_AS(qc_buf_reserve(&b, want, err), err, "%s", name);
        QC_TRY_AS(qc_read_full(qc_fd_get(&fd), b.p + b.n, want, &got, err), err, "%s", name);
        b.n += got;
    }
    QC_TRY_AS(qc_read_full(qc_fd_get(&fd), &more, 1, &got, err), err, "%s", name);
    if (got > 0)
        return QC_FAIL(err, QC_LIMIT, "%s: over the limit of %zu bytes", name, max);
    *ret = QC_STEAL(b);
    return QC_OK;
}

qc_rc qc_file_private(int fd, struct qc_err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return QC_FAIL_OS(err, "looking at it");
    if (!S_ISREG(st.st_mode))
        return QC_FAIL(err, QC_USAGE, "not a file");
    if (st.st_uid != geteuid())
        return QC_FAIL(err, QC_AUTH, "the file belongs to user %lu, expected %lu, which this program runs as",
                       (unsigned long)st.st_uid, (unsigned long)geteuid());
    unsigned bits = (unsigned)st.st_mode & 07777;
    if ((bits & 077) != 0)
        return QC_FAIL(err, QC_AUTH,
                       "mode %04o lets %s%s%s touch the file (bits %03o); expected 0600 or 0400", bits,
                       (bits & 070) != 0 ? "its group" : "",
                       (bits & 070) != 0 && (bits & 7) != 0 ? " and " : "",
                       (bits & 7) != 0 ? "everybody" : "", bits & 077);
    return QC_OK;
}

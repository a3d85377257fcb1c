/* libqc_disk.so: the calls of the C library that change files, or sync them, each with its record. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* -- what is where --------------------------------------------------------------------------------------- */

static bool is_ours(const struct stat *st)
{
    return (S_ISDIR(st->st_mode) && st->st_dev == rec_head->dev) ||
           (S_ISREG(st->st_mode) && st->st_dev == rec_head->file_dev);
}

/* A descriptor of ours, and its number. Leaves errno alone. */
static bool fd_ours(int fd, uint64_t *ret_ino)
{
    struct stat st;
    const int kept = errno;

    if (rec_head == NULL || fd < 0)
        return false;
    const bool ours = fstat(fd, &st) == 0 && is_ours(&st);
    errno = kept;
    *ret_ino = ours ? st.st_ino : 0;
    return ours;
}

/* A path: its directory and its last component. */
struct place {
    bool ours;
    uint64_t dir;
    char name[NAME_MAX + 1];
};

static struct place place_of(int at, const char *path)
{
    char dir[PATH_MAX];
    struct place p = { 0 };
    struct stat st;
    const int kept = errno;
    size_t n = strnlen(path, PATH_MAX - 2);

    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t cut = n;
    while (cut > 0 && path[cut - 1] != '/')
        cut--;
    if (rec_head == NULL || n - cut == 0 || n - cut > NAME_MAX)
        return p;
    memcpy(p.name, path + cut, n - cut);
    snprintf(dir, sizeof dir, "%.*s", (int)cut, path);
    if (fstatat(at, cut == 0 ? "." : dir, &st, 0) == 0 && st.st_dev == rec_head->dev) {
        p.ours = true;
        p.dir = st.st_ino;
    }
    errno = kept;
    return p;
}

/* The number of what a path names, and whether it is there. */
static bool ino_of(int at, const char *path, int flags, uint64_t *ret)
{
    struct stat st;
    const int kept = errno;
    const bool there = fstatat(at, path, &st, flags) == 0;

    errno = kept;
    *ret = there ? st.st_ino : 0;
    return there;
}

static int failed(int os)
{
    errno = os;
    return -1;
}

/* -- opening --------------------------------------------------------------------------------------------- */

static bool makes(int flags)
{
    return (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

static void record_open(int fd, int flags, bool there, const struct place *p)
{
    struct stat st;
    const int kept = errno;

    if (fd >= 0 && fstat(fd, &st) == 0 && is_ours(&st)) {
        struct event e = { .ino = st.st_ino, .dir = p->dir, .n = st.st_mode & 07777 };
        if ((flags & O_TMPFILE) == O_TMPFILE) {
            e.op = OP_NAMELESS;
            rec_emit(e, NULL, NULL, NULL);
        } else if (!there) {
            e.op = OP_MAKE;
            rec_emit(e, p->name, NULL, NULL);
        } else if ((flags & O_TRUNC) != 0) {
            e.op = OP_SIZE;
            e.n = 0;
            rec_emit(e, NULL, NULL, NULL);
        }
    }
    errno = kept;
}

static int open_at(int at, const char *path, int flags, mode_t mode)
{
    if (rec_head == NULL || !makes(flags))
        return (int)syscall(SYS_openat, at, path, flags, mode);
    const struct place p = place_of(at, path);
    uint64_t ino;
    rec_lock();
    const bool there = ino_of(at, path, (flags & O_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0, &ino);
    const int os = p.ours && !there ? rec_strike(FAIL_SPACE, p.dir, p.name) : 0;
    const int fd = os != 0 ? failed(os) : (int)syscall(SYS_openat, at, path, flags, mode);
    record_open(fd, flags, there, &p);
    rec_unlock();
    return fd;
}

#define OPEN_MODE(flags)                                                                                     \
    mode_t mode = 0;                                                                                         \
    if (makes(flags)) {                                                                                      \
        va_list ap;                                                                                          \
        va_start(ap, flags);                                                                                 \
        mode = va_arg(ap, mode_t);                                                                           \
        va_end(ap);                                                                                          \
    }

int open(const char *path, int flags, ...)
{
    OPEN_MODE(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    OPEN_MODE(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    OPEN_MODE(flags)
    return open_at(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
    OPEN_MODE(flags)
    return open_at(at, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode)
{
    return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* -- bytes ----------------------------------------------------------------------------------------------- */

/* off < 0: at the file's offset. */
static ssize_t write_parts(int fd, const struct iovec *iov, int count, off_t off)
{
    uint64_t ino;

    if (!fd_ours(fd, &ino))
        return off < 0 ? syscall(SYS_writev, fd, iov, count) : syscall(SYS_pwritev, fd, iov, count, off, 0L);
    rec_lock();
    const int os = rec_strike(FAIL_SPACE, ino, NULL);
    const ssize_t n = os != 0   ? failed(os)
                      : off < 0 ? syscall(SYS_writev, fd, iov, count)
                                : syscall(SYS_pwritev, fd, iov, count, off, 0L);
    const int kept = errno;
    if (n > 0) {
        const off_t at = off < 0 ? lseek(fd, 0, SEEK_CUR) - n : off;
        rec_emit((struct event){ .op = OP_WRITE, .ino = ino, .off = (uint64_t)at, .data_n = (uint32_t)n },
                 NULL, NULL, iov);
    }
    rec_unlock();
    errno = kept;
    return n;
}

static struct iovec part(const void *p, size_t n)
{
    return (struct iovec){ .iov_base = (void *)(uintptr_t)p, .iov_len = n }; /* read only */
}

ssize_t write(int fd, const void *p, size_t n)
{
    const struct iovec iov = part(p, n);
    return write_parts(fd, &iov, 1, -1);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
    return write_parts(fd, iov, count, -1);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t off)
{
    const struct iovec iov = part(p, n);
    return off < 0 ? failed(EINVAL) : write_parts(fd, &iov, 1, off);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t off)
{
    return pwrite(fd, p, n, off);
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t off)
{
    return off < 0 ? failed(EINVAL) : write_parts(fd, iov, count, off);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int count, off64_t off)
{
    return pwritev(fd, iov, count, off);
}

static void record_size(uint64_t ino, off_t n)
{
    rec_emit((struct event){ .op = OP_SIZE, .ino = ino, .n = (uint64_t)n }, NULL, NULL, NULL);
}

int ftruncate(int fd, off_t n)
{
    uint64_t ino;

    if (!fd_ours(fd, &ino))
        return (int)syscall(SYS_ftruncate, fd, n);
    rec_lock();
    const int r = (int)syscall(SYS_ftruncate, fd, n);
    if (r == 0)
        record_size(ino, n);
    rec_unlock();
    return r;
}

int ftruncate64(int fd, off64_t n)
{
    return ftruncate(fd, n);
}

int truncate(const char *path, off_t n)
{
    const struct place p = place_of(AT_FDCWD, path);
    uint64_t ino;

    if (!p.ours)
        return (int)syscall(SYS_truncate, path, n);
    rec_lock();
    const int r = (int)syscall(SYS_truncate, path, n);
    if (r == 0 && ino_of(AT_FDCWD, path, 0, &ino))
        record_size(ino, n);
    rec_unlock();
    return r;
}

int truncate64(const char *path, off64_t n)
{
    return truncate(path, n);
}

int fallocate(int fd, int mode, off_t off, off_t n)
{
    uint64_t ino;

    if (!fd_ours(fd, &ino))
        return (int)syscall(SYS_fallocate, fd, mode, off, n);
    if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0)
        rec_foreign("fallocate of another kind");
    rec_lock();
    const int os = rec_strike(FAIL_SPACE, ino, NULL);
    const int r = os != 0 ? failed(os) : (int)syscall(SYS_fallocate, fd, mode, off, n);
    if (r == 0)
        rec_emit((struct event){ .op = OP_RESERVE,
                                 .ino = ino,
                                 .dir = (mode & FALLOC_FL_KEEP_SIZE) != 0,
                                 .off = (uint64_t)off,
                                 .n = (uint64_t)n },
                 NULL, NULL, NULL);
    rec_unlock();
    return r;
}

int fallocate64(int fd, int mode, off64_t off, off64_t n)
{
    return fallocate(fd, mode, off, n);
}

int posix_fallocate(int fd, off_t off, off_t n)
{
    const int kept = errno;
    const int r = fallocate(fd, 0, off, n) == 0 ? 0 : errno;

    errno = kept;
    return r;
}

int posix_fallocate64(int fd, off64_t off, off64_t n)
{
    return posix_fallocate(fd, off, n);
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
    uint64_t ino;

    if ((flags & MAP_TYPE) != MAP_PRIVATE && (prot & PROT_WRITE) != 0 && fd_ours(fd, &ino)) {
        rec_lock();
        rec_emit((struct event){ .op = OP_MAP, .ino = ino }, NULL, NULL, NULL);
        rec_unlock();
    }
    return (void *)syscall(SYS_mmap, at, n, prot, flags, fd, off); /* NOLINT(performance-no-int-to-ptr) */
}

void *mmap64(void *at, size_t n, int prot, int flags, int fd, off64_t off)
{
    return mmap(at, n, prot, flags, fd, off);
}

/* -- modes ----------------------------------------------------------------------------------------------- */

static void record_mode(uint64_t ino, mode_t mode)
{
    rec_emit((struct event){ .op = OP_MODE, .ino = ino, .n = mode & 07777 }, NULL, NULL, NULL);
}

int fchmod(int fd, mode_t mode)
{
    uint64_t ino;

    if (!fd_ours(fd, &ino))
        return (int)syscall(SYS_fchmod, fd, mode);
    rec_lock();
    const int r = (int)syscall(SYS_fchmod, fd, mode);
    if (r == 0)
        record_mode(ino, mode);
    rec_unlock();
    return r;
}

int fchmodat(int at, const char *path, mode_t mode, int flags)
{
    const struct place p = place_of(at, path);
    uint64_t ino;

    if (!p.ours)
        return (int)syscall(SYS_fchmodat, at, path, mode, flags);
    rec_lock();
    const int r = (int)syscall(SYS_fchmodat, at, path, mode, flags);
    if (r == 0 && ino_of(at, path, 0, &ino))
        record_mode(ino, mode);
    rec_unlock();
    return r;
}

int chmod(const char *path, mode_t mode)
{
    return fchmodat(AT_FDCWD, path, mode, 0);
}

/* -- names ----------------------------------------------------------------------------------------------- */

int mkdirat(int at, const char *path, mode_t mode)
{
    const struct place p = place_of(at, path);
    uint64_t ino;

    if (!p.ours)
        return (int)syscall(SYS_mkdirat, at, path, mode);
    rec_lock();
    const int os = ino_of(at, path, AT_SYMLINK_NOFOLLOW, &ino) ? 0 : rec_strike(FAIL_SPACE, p.dir, p.name);
    const int r = os != 0 ? failed(os) : (int)syscall(SYS_mkdirat, at, path, mode);
    if (r == 0 && ino_of(at, path, AT_SYMLINK_NOFOLLOW, &ino))
        rec_emit((struct event){ .op = OP_MKDIR, .ino = ino, .dir = p.dir, .n = mode & 07777 }, p.name, NULL,
                 NULL);
    rec_unlock();
    return r;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int linkat(int at, const char *path, int at2, const char *path2, int flags)
{
    const struct place p = place_of(at2, path2);
    uint64_t ino;

    if (!p.ours)
        return (int)syscall(SYS_linkat, at, path, at2, path2, flags);
    rec_lock();
    const int os = ino_of(at2, path2, AT_SYMLINK_NOFOLLOW, &ino) ? 0 : rec_strike(FAIL_SPACE, p.dir, p.name);
    const int r = os != 0 ? failed(os) : (int)syscall(SYS_linkat, at, path, at2, path2, flags);
    if (r == 0 && ino_of(at2, path2, AT_SYMLINK_NOFOLLOW, &ino))
        rec_emit((struct event){ .op = OP_LINK, .ino = ino, .dir = p.dir }, p.name, NULL, NULL);
    rec_unlock();
    return r;
}

int link(const char *path, const char *path2)
{
    return linkat(AT_FDCWD, path, AT_FDCWD, path2, 0);
}

int renameat2(int at, const char *path, int at2, const char *path2, unsigned flags)
{
    const struct place p = place_of(at, path);
    const struct place p2 = place_of(at2, path2);
    uint64_t ino;

    if (!p.ours && !p2.ours)
        return (int)syscall(SYS_renameat2, at, path, at2, path2, flags);
    if ((flags & ~(unsigned)RENAME_NOREPLACE) != 0)
        rec_foreign("renameat2 of another kind");
    rec_lock();
    const int os = rec_strike(FAIL_SPACE, p2.dir, p2.name);
    const int r = os != 0 ? failed(os) : (int)syscall(SYS_renameat2, at, path, at2, path2, flags);
    if (r == 0 && ino_of(at2, path2, AT_SYMLINK_NOFOLLOW, &ino))
        rec_emit((struct event){ .op = OP_RENAME, .ino = ino, .dir = p.dir, .dir2 = p2.dir }, p.name, p2.name,
                 NULL);
    rec_unlock();
    return r;
}

int renameat(int at, const char *path, int at2, const char *path2)
{
    return renameat2(at, path, at2, path2, 0);
}

int rename(const char *path, const char *path2)
{
    return renameat2(AT_FDCWD, path, AT_FDCWD, path2, 0);
}

int unlinkat(int at, const char *path, int flags)
{
    const struct place p = place_of(at, path);

    if (!p.ours)
        return (int)syscall(SYS_unlinkat, at, path, flags);
    rec_lock();
    const int r = (int)syscall(SYS_unlinkat, at, path, flags);
    if (r == 0)
        rec_emit((struct event){ .op = (flags & AT_REMOVEDIR) != 0 ? OP_RMDIR : OP_UNLINK, .dir = p.dir },
                 p.name, NULL, NULL);
    rec_unlock();
    return r;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
    const int r = unlink(path);

    return r == 0 || errno != EISDIR ? r : rmdir(path);
}

/* -- syncs ----------------------------------------------------------------------------------------------- */

static int sync_fd(int fd, bool data)
{
    uint64_t ino;

    if (!fd_ours(fd, &ino))
        return (int)syscall(data ? SYS_fdatasync : SYS_fsync, fd);
    rec_lock();
    const int os = rec_strike(FAIL_SYNC, ino, NULL);
    rec_emit((struct event){ .op = OP_SYNC, .ino = ino, .n = data, .os = os }, NULL, NULL, NULL);
    rec_unlock();
    return os != 0 ? failed(os) : 0; /* R2 */
}

int fsync(int fd)
{
    return sync_fd(fd, false);
}

int fdatasync(int fd)
{
    return sync_fd(fd, true);
}

int syncfs(int fd)
{
    uint64_t ino;

    if (!fd_ours(fd, &ino))
        return (int)syscall(SYS_syncfs, fd);
    rec_lock();
    const int os = rec_strike(FAIL_SYNC, ino, NULL);
    rec_emit((struct event){ .op = OP_SYNC_ALL, .os = os }, NULL, NULL, NULL);
    rec_unlock();
    return os != 0 ? failed(os) : 0; /* R2 */
}

/* -- dying ------------------------------------------------------------------------------------------------
 */

/* A fault point kills its own process: not while another thread stands between a call and its record. */
int kill(pid_t pid, int signal)
{
    if (rec_head != NULL && pid == getpid() && signal == SIGKILL)
        rec_lock();
    return (int)syscall(SYS_kill, pid, signal);
}

/* -- what nobody of ours calls --------------------------------------------------------------------------- */

int symlinkat(const char *to, int at, const char *path)
{
    const struct place p = place_of(at, path);

    if (p.ours)
        rec_foreign("symlink");
    return (int)syscall(SYS_symlinkat, to, at, path);
}

int symlink(const char *to, const char *path)
{
    return symlinkat(to, AT_FDCWD, path);
}

ssize_t copy_file_range(int from, off64_t *from_off, int to, off64_t *to_off, size_t n, unsigned flags)
{
    uint64_t ino;

    if (fd_ours(to, &ino))
        rec_foreign("copy_file_range");
    return syscall(SYS_copy_file_range, from, from_off, to, to_off, n, flags);
}

ssize_t sendfile(int to, int from, off_t *off, size_t n)
{
    uint64_t ino;

    if (fd_ours(to, &ino))
        rec_foreign("sendfile");
    return syscall(SYS_sendfile, to, from, off, n);
}

ssize_t sendfile64(int to, int from, off64_t *off, size_t n)
{
    return sendfile(to, from, off, n);
}

/* The product's calls for files and directories, on the machine's disk. */
#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/uio.h>
#include <unistd.h>

#include "wrap.h"

SIM_FILE_CALLS(SIM_WRAPPED)

static struct sim_fd *fd_of(int fd)
{
    if (fd < SIM_FD_FIRST || fd >= SIM_FD_FIRST + SIM_FDS || sim_fds[fd - SIM_FD_FIRST].f == NULL)
        return NULL;
    return &sim_fds[fd - SIM_FD_FIRST];
}

static int answer(int e)
{
    if (e == 0)
        return 0;
    errno = e;
    return -1;
}

static struct sim_inode *base_of(int dirfd)
{
    const struct sim_fd *d = dirfd == AT_FDCWD ? NULL : fd_of(dirfd);

    return d == NULL ? sim_root : d->f;
}

static int fd_new(struct sim_inode *f)
{
    for (int i = 0; i < SIM_FDS; i++)
        if (sim_fds[i].f == NULL) {
            sim_fds[i] = (struct sim_fd){ .f = f, .proc = sim_current() };
            return SIM_FD_FIRST + i;
        }
    return answer(EMFILE);
}

int __wrap_openat(int dirfd, const char *path, int flags, ...)
{
    struct sim_inode *f = NULL;
    mode_t mode = 0;

    if ((flags & O_CREAT) != 0) {
        va_list ap;
        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
    }
    int e = sim_fs_look_up(base_of(dirfd), path, &f);
    if (e == 0 && (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        e = EEXIST;
    else if (e == ENOENT && (flags & O_CREAT) != 0)
        e = sim_fs_make(base_of(dirfd), path, mode, &f);
    if (e == 0 && (flags & O_DIRECTORY) != 0 && !f->dir)
        e = ENOTDIR;
    return e != 0 ? answer(e) : fd_new(f);
}

int __wrap_close(int fd)
{
    struct sim_fd *d = fd_of(fd);

    if (d == NULL)
        return __real_close(fd);
    if (d->f->locked_by == fd)
        d->f->locked_by = 0;
    *d = (struct sim_fd){ 0 };
    return 0;
}

static void stat_of(const struct sim_inode *f, struct stat *st)
{
    *st = (struct stat){ .st_ino = f->number,
                         .st_dev = 1,
                         .st_nlink = 1,
                         .st_mode = f->mode | (f->dir ? S_IFDIR : S_IFREG),
                         .st_size = (off_t)f->seen.n,
                         .st_uid = geteuid() };
}

int __wrap_fstat(int fd, struct stat *st)
{
    const struct sim_fd *d = fd_of(fd);

    if (d == NULL)
        return answer(EBADF);
    stat_of(d->f, st);
    return 0;
}

int __wrap_fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
    struct sim_inode *f = NULL;
    const int e = sim_fs_look_up(base_of(dirfd), path, &f);

    (void)flags;
    if (e == 0)
        stat_of(f, st);
    return answer(e);
}

int __wrap_fchmod(int fd, mode_t mode)
{
    struct sim_fd *d = fd_of(fd);

    if (d == NULL)
        return answer(EBADF);
    d->f->mode = mode;
    return 0;
}

int __wrap_flock(int fd, int how)
{
    struct sim_fd *d = fd_of(fd);

    (void)how;
    if (d == NULL)
        return answer(EBADF);
    if (d->f->locked_by != 0 && d->f->locked_by != fd)
        return answer(EWOULDBLOCK);
    d->f->locked_by = fd;
    return 0;
}

int __wrap_fsync(int fd)
{
    struct sim_fd *d = fd_of(fd);

    if (d == NULL)
        return answer(EBADF);
    return answer(d->f->dir ? sim_fs_dir_sync(d->f) : sim_file_sync(d->f));
}

int __wrap_ftruncate(int fd, off_t size)
{
    struct sim_fd *d = fd_of(fd);

    if (d == NULL)
        return answer(EBADF);
    sim_file_truncate(d->f, (uint64_t)size);
    return 0;
}

ssize_t __wrap_pread(int fd, void *dst, size_t n, off_t at)
{
    const struct sim_fd *d = fd_of(fd);

    return d == NULL ? answer(EBADF) : (ssize_t)sim_file_read(d->f, (uint64_t)at, dst, n);
}

ssize_t __wrap_read(int fd, void *dst, size_t n)
{
    struct sim_fd *d = fd_of(fd);

    if (d == NULL)
        return __real_read(fd, dst, n);
    const size_t got = sim_file_read(d->f, d->at, dst, n);
    d->at += got;
    return (ssize_t)got;
}

ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
    struct sim_fd *d = fd_of(fd);

    if (d == NULL)
        return answer(EBADF);
    const int e = sim_file_write(d->f, (uint64_t)at, p, n);
    return e != 0 ? answer(e) : (ssize_t)n;
}

ssize_t __wrap_writev(int fd, const struct iovec *iov, int count)
{
    struct sim_fd *d = fd_of(fd);
    size_t done = 0;

    if (d == NULL)
        return answer(EBADF);
    for (int i = 0; i < count; i++) {
        const int e = sim_file_write(d->f, d->at, iov[i].iov_base, iov[i].iov_len);
        if (e != 0)
            return done > 0 ? (ssize_t)done : answer(e);
        d->at += iov[i].iov_len;
        done += iov[i].iov_len;
    }
    return (ssize_t)done;
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    return fd_of(fd) == NULL ? __real_write(fd, p, n) : __wrap_pwrite(fd, p, n, (off_t)fd_of(fd)->at);
}

int __wrap_unlinkat(int dirfd, const char *path, int flags)
{
    struct sim_inode *dir;
    char leaf[SIM_NAME_MAX];
    const int e = sim_fs_walk(base_of(dirfd), path, &dir, leaf);

    (void)flags;
    if (e != 0)
        return answer(e);
    struct sim_entry *found = sim_fs_find(dir, leaf);
    if (found == NULL)
        return answer(ENOENT);
    sim_step("removing a name");
    sim_fs_drop_name(dir, found);
    return 0;
}

int __wrap_mkdirat(int dirfd, const char *path, mode_t mode)
{
    struct sim_inode *dir;
    char leaf[SIM_NAME_MAX];
    const int e = sim_fs_walk(base_of(dirfd), path, &dir, leaf);

    if (e != 0)
        return answer(e);
    if (sim_fs_find(dir, leaf) != NULL)
        return answer(EEXIST);
    sim_step("making a directory");
    sim_fs_add_name(dir, leaf, sim_fs_inode_new(true, mode));
    return 0;
}

/* One step for the new name and the old one, in one directory: all that the product does. */
static int rename_in(int fromfd, const char *from, int tofd, const char *to, bool replace)
{
    struct sim_inode *dir, *other;
    char leaf[SIM_NAME_MAX], new_leaf[SIM_NAME_MAX];
    int e = sim_fs_walk(base_of(fromfd), from, &dir, leaf);

    if (e == 0)
        e = sim_fs_walk(base_of(tofd), to, &other, new_leaf);
    if (e != 0)
        return answer(e);
    QC_ASSERT(dir == other);
    struct sim_entry *found = sim_fs_find(dir, leaf);
    if (found == NULL)
        return answer(ENOENT);
    if (!replace && sim_fs_find(dir, new_leaf) != NULL)
        return answer(EEXIST);
    sim_step("renaming");
    struct sim_inode *f = found->f;
    sim_fs_remember(dir);
    *found = dir->names->v[--dir->names->count];
    const unsigned kept = dir->history_count;
    sim_fs_add_name(dir, new_leaf, f);
    free(dir->history[dir->history_count - 1]); /* the state between the two does not exist */
    dir->history_count = dir->history_count > kept ? kept : dir->history_count - 1;
    return 0;
}

int __wrap_renameat(int fromfd, const char *from, int tofd, const char *to)
{
    return rename_in(fromfd, from, tofd, to, true);
}

int __wrap_renameat2(int fromfd, const char *from, int tofd, const char *to, unsigned flags)
{
    return rename_in(fromfd, from, tofd, to, (flags & RENAME_NOREPLACE) == 0);
}

int __wrap_linkat(int fromfd, const char *from, int tofd, const char *to, int flags)
{
    struct sim_inode *f = NULL, *dir;
    char leaf[SIM_NAME_MAX];
    int e = sim_fs_look_up(base_of(fromfd), from, &f);

    (void)flags;
    if (e == 0)
        e = sim_fs_walk(base_of(tofd), to, &dir, leaf);
    if (e != 0)
        return answer(e);
    if (sim_fs_find(dir, leaf) != NULL)
        return answer(EEXIST);
    sim_step("naming");
    sim_fs_add_name(dir, leaf, f);
    return 0;
}

/* -- listing a directory --------------------------------------------------------------------------------- */

struct listing {
    int fd;
    unsigned at;
    struct sim_names names;
    struct dirent e;
};

DIR *__wrap_fdopendir(int fd)
{
    const struct sim_fd *d = fd_of(fd);
    struct listing *l = calloc(1, sizeof *l);

    QC_ASSERT(d != NULL && l != NULL);
    l->fd = fd;
    l->names = *d->f->names;
    return (DIR *)(void *)l;
}

struct dirent *__wrap_readdir(DIR *dir)
{
    struct listing *l = (struct listing *)(void *)dir;

    if (l->at == l->names.count)
        return NULL;
    snprintf(l->e.d_name, sizeof l->e.d_name, "%s", l->names.v[l->at++].name);
    return &l->e;
}

int __wrap_closedir(DIR *dir)
{
    struct listing *l = (struct listing *)(void *)dir;
    const int rc = __wrap_close(l->fd);

    free(l);
    return rc;
}

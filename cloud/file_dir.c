#include "file.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void file_at_close(struct file_at *at)
{
    qc_fd_close(&at->dir);
}

static bool out_of_reach(int os)
{
    switch (os) {
    case ENODEV:
    case ENXIO:
    case ESTALE:
    case ENOTCONN:
    case ETIMEDOUT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
    case ESHUTDOWN:
        return true;
    default:
        return false;
    }
}

qc_rc file_fail_os(struct qc_err *err, int os, const char *where, const char *fmt, ...)
{
    char what[QC_ERR_MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    qc_rc rc = qc_err_set_os(err, os, where, "%s", what);
    if (out_of_reach(os))
        rc = err->rc = QC_TEMP;
    if (rc == QC_OK)
        __builtin_unreachable();
    return rc;
}

qc_rc file_mark(int dir, struct file_id *ret, struct qc_err *err)
{
    struct stat st;
    if (fstatat(dir, FILE_MARK, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return FILE_FAIL(err, "mark " FILE_MARK);
    if (!S_ISREG(st.st_mode))
        return QC_FAIL(err, QC_NOTFOUND, "mark " FILE_MARK " is not a file");
    *ret = (struct file_id){ .dev = st.st_dev, .ino = st.st_ino };
    return QC_OK;
}

qc_rc file_here(struct file_cloud *f, struct qc_err *err)
{
    struct stat st;
    if (stat(f->path, &st) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return FILE_FAIL(err, "cloud lost: directory");
        return QC_FAIL(err, QC_TEMP, "cloud lost: its directory is gone");
    }
    if (st.st_dev != f->dir_id.dev || st.st_ino != f->dir_id.ino)
        return QC_FAIL(err, QC_TEMP,
                       "cloud lost: another directory is in its place, or nothing is mounted there");
    struct file_id mark = { 0 };
    qc_rc rc = file_mark(qc_fd_get(&f->dir), &mark, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_TEMP, "cloud lost: its mark " FILE_MARK " is gone");
    QC_TRY(rc);
    if (mark.dev != f->mark_id.dev || mark.ino != f->mark_id.ino)
        return QC_FAIL(err, QC_TEMP, "cloud lost: its mark " FILE_MARK " was replaced");
    return QC_OK;
}

qc_rc file_dir_sync(int dir, struct qc_err *err)
{
    if (fsync(dir) != 0)
        return FILE_FAIL(err, "fsync of the directory");
    return QC_OK;
}

static _Atomic uint64_t *durable_slot(struct file_cloud *f, uint64_t ino)
{
    /* Fibonacci hashing: inode numbers come in runs. */
    uint64_t h = ino * UINT64_C(0x9E3779B97F4A7C15);
    return &f->durable[(h >> 32) % CLOUD_DIRS_KNOWN];
}

/*
 * F1: the entry of directory `dir` in `parent` is durable. It may have been made by us just now, by another
 * thread that has not come to its fsync yet, or by a process that was killed before it: so the first to use
 * it syncs, whoever made it.
 */
static qc_rc entry_durable(struct file_cloud *f, int parent, int dir, bool made, struct qc_err *err)
{
    struct stat st;
    if (fstat(dir, &st) != 0)
        return FILE_FAIL(err, "stat of a directory");
    _Atomic uint64_t *slot = durable_slot(f, st.st_ino);
    if (!made && atomic_load(slot) == st.st_ino)
        return QC_OK;
    QC_TRY(file_dir_sync(parent, err));
    atomic_store(slot, st.st_ino);
    return QC_OK;
}

/* One step of the walk: from the directory `parent` into `name`. */
static qc_rc step(struct file_cloud *f, int parent, const char *name, bool make, struct qc_fd *ret,
                  struct qc_err *err)
{
    enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
    bool made = false;
    int fd = openat(parent, name, DIR_FLAGS);
    if (fd < 0 && errno == ENOENT && make) {
        made = mkdirat(parent, name, 0700) == 0;
        if (!made && errno != EEXIST)
            return FILE_FAIL(err, "making directory %s", name);
        fd = openat(parent, name, DIR_FLAGS);
    }
    if (fd < 0) {
        if (errno == ENOTDIR || errno == ELOOP)
            return QC_FAIL(err, make ? QC_CONFLICT : QC_NOTFOUND, "%s is not a directory", name);
        return FILE_FAIL(err, "directory %s", name);
    }
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = qc_fd_own(fd);
    if (make)
        QC_TRY(entry_durable(f, parent, fd, made, err));
    *ret = QC_STEAL(dir);
    return QC_OK;
}

qc_rc file_walk(struct file_cloud *f, const char *key, bool make, struct file_at *ret, struct qc_err *err)
{
    int fd = fcntl(qc_fd_get(&f->dir), F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return FILE_FAIL(err, "directory");
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = qc_fd_own(fd);
    const char *at = key;
    for (const char *slash = strchr(at, '/'); slash != NULL; slash = strchr(at, '/')) {
        char name[CLOUD_KEY_SIZE_MAX + 1];
        size_t n = (size_t)(slash - at);
        QC_ASSERT(n < sizeof name);
        memcpy(name, at, n);
        name[n] = '\0';
        QC_CLEANUP(qc_fd_close) struct qc_fd next = { 0 };
        QC_TRY(step(f, qc_fd_get(&dir), name, make, &next, err));
        qc_fd_close(&dir);
        dir = QC_STEAL(next);
        at = slash + 1;
    }
    *ret = (struct file_at){ .dir = QC_STEAL(dir), .leaf = at };
    return QC_OK;
}

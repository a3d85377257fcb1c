#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/limits.h"

static qc_rc file_get(struct cloud *c, const struct cloud_get_job *job, size_t *ret_got,
                      const struct cloud_op *op, struct qc_err *err);
static qc_rc file_head(struct cloud *c, const char *key, uint64_t *ret_size, const struct cloud_op *op,
                       struct qc_err *err);
static qc_rc file_delete(struct cloud *c, const char *key, const struct cloud_op *op, struct qc_err *err);
static qc_rc file_space(struct cloud *c, struct cloud_space *ret, const struct cloud_op *op,
                        struct qc_err *err);
static qc_rc file_alive(struct cloud *c, const struct cloud_op *op, struct qc_err *err);
static void file_close(struct cloud *c);

static const struct cloud_vt file_vt = {
    .put = file_put,
    .get = file_get,
    .head = file_head,
    .delete = file_delete,
    .list = file_list,
    .space = file_space,
    .alive = file_alive,
    .examine = file_examine,
    .close = file_close,
};

struct file_cloud *file_of(struct cloud *c)
{
    QC_ASSERT(c->vt == &file_vt);
    return (struct file_cloud *)c; /* base is the first member */
}

/* The directory that a URL names. */
static qc_rc url_dir(const struct cloud_url *url, const char **ret, struct qc_err *err)
{
    if (url->authority[0] != '\0')
        return QC_FAIL(err, QC_USAGE, "file URL with a host; write file:///absolute/directory");
    if (url->query[0] != '\0')
        return QC_FAIL(err, QC_USAGE, "file URL with a '?': this driver has no options");
    if (url->path[0] != '/')
        return QC_FAIL(err, QC_USAGE, "file URL without a path; write file:///absolute/directory");
    if (strlen(url->path) >= CLOUD_URL_SIZE_MAX)
        return QC_FAIL(err, QC_USAGE, "file URL: the path is too long");
    *ret = url->path;
    return QC_OK;
}

static qc_rc file_check(const struct cloud_url *url, struct qc_err *err)
{
    const char *dir = NULL;
    return url_dir(url, &dir, err);
}

static qc_rc dir_open(const char *path, struct qc_fd *ret, struct qc_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOTDIR)
            return QC_FAIL(err, QC_USAGE, "not a directory");
        return FILE_FAIL(err, "opening the directory");
    }
    *ret = qc_fd_own(fd);
    return QC_OK;
}

static void file_close(struct cloud *c)
{
    struct file_cloud *f = file_of(c);
    qc_fd_close(&f->lock);
    qc_fd_close(&f->dir);
    qc_free(f->path);
    qc_free(f);
}

static void file_free(struct file_cloud **f)
{
    if (*f != NULL)
        file_close(&(*f)->base);
    *f = NULL;
}

static qc_rc lock_take(struct file_cloud *f, struct qc_err *err)
{
    int fd = openat(qc_fd_get(&f->dir), FILE_MARK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return FILE_FAIL(err, "mark " FILE_MARK);
    f->lock = qc_fd_own(fd);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return QC_FAIL(err, QC_LOCKED, "another gateway uses this directory");
        return FILE_FAIL(err, "locking " FILE_MARK);
    }
    return QC_OK;
}

/* What the handle holds for its life: directory, mark, lock. */
static qc_rc file_attach(struct file_cloud *f, bool exclusive, struct qc_err *err)
{
    QC_TRY(dir_open(f->path, &f->dir, err));
    struct stat st;
    if (fstat(qc_fd_get(&f->dir), &st) != 0)
        return FILE_FAIL(err, "stat of the directory");
    f->dir_id = (struct file_id){ .dev = st.st_dev, .ino = st.st_ino };
    qc_rc rc = file_mark(qc_fd_get(&f->dir), &f->mark_id, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_NOTFOUND,
                       "no " FILE_MARK " in the directory: its disk is not mounted, or it is not a cloud");
    QC_TRY(rc);
    if (exclusive)
        QC_TRY(lock_take(f, err));
    return QC_OK;
}

/* Whoever gives keys for a directory has mixed up two clouds. */
static qc_rc no_credentials(const struct cloud_opts *opts, struct qc_err *err)
{
    if (opts->credentials != NULL)
        return QC_FAIL(err, QC_USAGE, "credentials for a directory, which takes none");
    return QC_OK;
}

static qc_rc file_open(struct cloud **ret, const struct cloud_url *url, const struct cloud_opts *opts,
                       struct qc_err *err)
{
    const char *path = NULL;
    QC_TRY(url_dir(url, &path, err));
    QC_TRY(no_credentials(opts, err));
    QC_CLEANUP(file_free) struct file_cloud *f = NULL;
    f = qc_alloc(sizeof *f);
    if (f == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *f);
    *f = (struct file_cloud){
        .base = { .vt = &file_vt,
                  .caps = { .driver = "file",
                            .object_size_max = CLOUD_OBJECT_SIZE_MAX,
                            .put_new_atomic = true,
                            .list_strong = true,
                            .space_known = true,
                            .parallel_hint = CLOUD_FILE_PARALLEL } },
    };
    f->path = qc_strdup(path);
    if (f->path == NULL)
        return QC_FAIL(err, QC_NOMEM, "path");
    QC_TRY(file_attach(f, opts->exclusive, err));
    qc_rc rc = file_sweep(f, err);
    if (rc != QC_OK && rc != QC_AUTH) /* a read-only cloud is still good to read from */
        return rc;
    *ret = &QC_STEAL(f)->base;
    return QC_OK;
}

/* Nothing that a user put there: names with a dot and what mkfs leaves do not count. */
static qc_rc dir_unused(int dir, bool *ret, struct qc_err *err)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        qc_rc rc = FILE_FAIL(err, "listing the directory");
        if (fd >= 0)
            close(fd);
        return rc;
    }
    bool unused = true;
    const struct dirent *e = NULL;
    while (errno = 0, unused && (e = readdir(d)) != NULL)
        unused = e->d_name[0] == '.' || strcmp(e->d_name, "lost+found") == 0;
    qc_rc rc = e == NULL && errno != 0 ? FILE_FAIL(err, "listing the directory") : QC_OK;
    closedir(d);
    if (rc == QC_OK)
        *ret = unused;
    return rc;
}

/* The entry of the new directory in its parent, durable. */
static qc_rc parent_sync(const char *path, struct qc_err *err)
{
    char parent[CLOUD_URL_SIZE_MAX + 4];
    int n = snprintf(parent, sizeof parent, "%s/..", path);
    QC_ASSERT(n > 0 && (size_t)n < sizeof parent);
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_TRY(dir_open(parent, &dir, err));
    return file_dir_sync(qc_fd_get(&dir), err);
}

static qc_rc mark_write(int dir, struct qc_err *err)
{
    static const char text[] =
        "This directory is a qcloud cloud. Nothing here is for reading or editing by hand;\n"
        "without this file qcloud takes the cloud for lost.\n";
    int fd = openat(dir, FILE_MARK, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return FILE_FAIL(err, "making " FILE_MARK);
    QC_CLEANUP(qc_fd_close) struct qc_fd own = qc_fd_own(fd);
    fd = qc_fd_get(&own);
    /* Only its presence counts: a text cut short by a crash harms nothing. */
    if (pwrite(fd, text, sizeof text - 1, 0) != (ssize_t)(sizeof text - 1))
        return FILE_FAIL(err, "writing " FILE_MARK);
    if (fsync(fd) != 0)
        return FILE_FAIL(err, "fsync of " FILE_MARK);
    return file_dir_sync(dir, err);
}

static qc_rc file_create(const struct cloud_url *url, const struct cloud_opts *opts, struct qc_err *err)
{
    const char *path = NULL;
    QC_TRY(url_dir(url, &path, err));
    QC_TRY(no_credentials(opts, err));
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return FILE_FAIL(err, "making the directory");
    QC_CLEANUP(qc_fd_close) struct qc_fd own = { 0 };
    QC_TRY(dir_open(path, &own, err));
    int dir = qc_fd_get(&own);
    QC_TRY(parent_sync(path, err));
    struct file_id mark = { 0 };
    qc_rc rc = file_mark(dir, &mark, err);
    if (rc == QC_OK)
        return file_dir_sync(dir, err); /* made before, perhaps by a program that died before its fsync */
    if (rc != QC_NOTFOUND)
        return rc;
    bool unused = false;
    QC_TRY(dir_unused(dir, &unused, err));
    if (!unused)
        return QC_FAIL(err, QC_CONFLICT, "the directory holds other things; a cloud needs one of its own");
    return mark_write(dir, err);
}

qc_rc file_open_at(const struct file_at *at, struct qc_fd *ret, struct stat *ret_st, struct qc_err *err)
{
    /* O_NONBLOCK: somebody's FIFO of that name shall not hold us. */
    int fd = openat(qc_fd_get(&at->dir), at->leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOENT)
            return FILE_FAIL(err, "no such object");
        if (errno == ELOOP)
            return QC_FAIL(err, QC_IO, "a symbolic link, not an object");
        return FILE_FAIL(err, "opening");
    }
    QC_CLEANUP(qc_fd_close) struct qc_fd own = qc_fd_own(fd);
    struct stat st;
    if (fstat(fd, &st) != 0)
        return FILE_FAIL(err, "stat");
    if (S_ISDIR(st.st_mode))
        return QC_FAIL(err, QC_NOTFOUND, "no such object: other keys lie below this one");
    if (!S_ISREG(st.st_mode))
        return QC_FAIL(err, QC_IO, "not a regular file");
    *ret_st = st;
    *ret = QC_STEAL(own);
    return QC_OK;
}

qc_rc file_read(int fd, uint64_t off, uint8_t *dst, size_t n, size_t *ret_got, const struct cloud_op *op,
                struct qc_err *err)
{
    size_t got = 0;
    while (got < n) {
        QC_TRY(cloud_op_check(op, err));
        size_t want = n - got < CLOUD_SLICE ? n - got : CLOUD_SLICE;
        ssize_t r = pread(fd, dst + got, want, (off_t)(off + got));
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return FILE_FAIL(err, "reading at %llu", (unsigned long long)(off + got));
        if (r == 0)
            break;
        got += (size_t)r;
    }
    *ret_got = got;
    return QC_OK;
}

/* F3, then the object of a key, open. */
static qc_rc object_open(struct file_cloud *f, const char *key, struct qc_fd *ret, struct stat *ret_st,
                         struct qc_err *err)
{
    QC_TRY(file_here(f, err));
    QC_CLEANUP(file_at_close) struct file_at at = { 0 };
    QC_TRY(file_walk(f, key, false, &at, err));
    return file_open_at(&at, ret, ret_st, err);
}

static qc_rc file_get(struct cloud *c, const struct cloud_get_job *job, size_t *ret_got,
                      const struct cloud_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct stat st;
    QC_TRY(object_open(file_of(c), job->key, &fd, &st, err));
    uint64_t size = (uint64_t)st.st_size;
    if (job->range.off >= size) {
        *ret_got = 0;
        return QC_OK;
    }
    uint64_t left = size - job->range.off;
    size_t n = left < job->range.n ? (size_t)left : job->range.n;
    return file_read(qc_fd_get(&fd), job->range.off, job->dst, n, ret_got, op, err);
}

static qc_rc file_head(struct cloud *c, const char *key, uint64_t *ret_size, const struct cloud_op *op,
                       struct qc_err *err)
{
    (void)op;
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct stat st;
    QC_TRY(object_open(file_of(c), key, &fd, &st, err));
    *ret_size = (uint64_t)st.st_size;
    return QC_OK;
}

static qc_rc file_delete(struct cloud *c, const char *key, const struct cloud_op *op, struct qc_err *err)
{
    struct file_cloud *f = file_of(c);
    QC_TRY(file_here(f, err));
    QC_CLEANUP(file_at_close) struct file_at at = { 0 };
    qc_rc rc = file_walk(f, key, false, &at, err);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    QC_TRY(rc);
    QC_TRY(cloud_op_check(op, err));
    /* EISDIR: there is a directory of that name, so no object. */
    if (unlinkat(qc_fd_get(&at.dir), at.leaf, 0) != 0 && errno != ENOENT && errno != EISDIR)
        return FILE_FAIL(err, "unlink");
    QC_TRY(qc_fault(cloud_unlinked, err));
    QC_TRY(file_dir_sync(qc_fd_get(&at.dir),
                         err)); /* also after ENOENT: who unlinked it may not have come so far */
    return file_here(f, err);
}

static qc_rc file_space(struct cloud *c, struct cloud_space *ret, const struct cloud_op *op,
                        struct qc_err *err)
{
    (void)op;
    struct file_cloud *f = file_of(c);
    QC_TRY(file_here(f, err));
    struct statvfs v;
    if (fstatvfs(qc_fd_get(&f->dir), &v) != 0)
        return FILE_FAIL(err, "statvfs");
    *ret = (struct cloud_space){ .total = (uint64_t)v.f_blocks * v.f_frsize,
                                 .avail = (uint64_t)v.f_bavail * v.f_frsize };
    return QC_OK;
}

static qc_rc file_alive(struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    (void)op;
    return file_here(file_of(c), err);
}

const struct cloud_driver cloud_file_driver = {
    .scheme = "file", .test_objects = 4, .open = file_open, .create = file_create, .check = file_check
};

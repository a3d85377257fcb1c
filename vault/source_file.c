#include "vault/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

struct vault_source_file {
    struct vault_source source;
    struct qc_fd own;
    int fd;
    struct stat before;
};

void vault_source_file_free(struct vault_source_file **f)
{
    if (*f == NULL)
        return;
    qc_fd_close(&(*f)->own);
    qc_free(*f);
    *f = NULL;
}

const struct vault_source *vault_source_file_source(const struct vault_source_file *f)
{
    return &f->source;
}

static qc_rc read_bytes(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    const struct vault_source_file *f = ctx;
    for (;;) {
        ssize_t n = read(f->fd, dst, max);
        if (n >= 0) {
            *ret_got = (size_t)n;
            return QC_OK;
        }
        if (errno != EINTR)
            return QC_FAIL_OS(err, "cannot read the input");
    }
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static qc_rc unchanged(void *ctx, uint64_t bytes_read, struct qc_err *err)
{
    const struct vault_source_file *f = ctx;
    struct stat now;
    if (fstat(f->fd, &now) != 0)
        return QC_FAIL_OS(err, "cannot look at the input again");
    const struct stat *was = &f->before;
    if (now.st_dev != was->st_dev || now.st_ino != was->st_ino || now.st_size != was->st_size ||
        !same_time(now.st_mtim, was->st_mtim) || !same_time(now.st_ctim, was->st_ctim))
        return QC_FAIL(err, QC_CHANGED, "the file changed while it was read");
    if (bytes_read != (uint64_t)now.st_size)
        return QC_FAIL(err, QC_CHANGED, "%" PRIu64 " bytes were read of a file of %" PRIu64, bytes_read,
                       (uint64_t)now.st_size);
    return QC_OK;
}

static qc_rc source_new(struct vault_source_file **ret, struct qc_err *err)
{
    struct vault_source_file *f = qc_alloc(sizeof(*f));
    if (f == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for an input");
    f->source = (struct vault_source){ .read = read_bytes, .ctx = f, .size = VAULT_SIZE_UNKNOWN };
    *ret = f;
    return QC_OK;
}

qc_rc vault_source_file_open(struct vault_source_file **ret, int dirfd, const char *path, struct qc_err *err)
{
    QC_CLEANUP(vault_source_file_free) struct vault_source_file *f = NULL;
    QC_TRY(source_new(&f, err));
    QC_TRY(qc_open_at(&f->own, dirfd, path, O_RDONLY | O_NONBLOCK, 0, err)); /* a FIFO must not hang us */
    f->fd = qc_fd_get(&f->own);
    if (fstat(f->fd, &f->before) != 0)
        return QC_FAIL_OS(err, "cannot look at the input");
    if (!S_ISREG(f->before.st_mode))
        return QC_FAIL(err, QC_USAGE, "not a regular file");
    (void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    f->source.unchanged = unchanged;
    f->source.size = (uint64_t)f->before.st_size;
    f->source.has_mtime = f->source.has_mode = true;
    f->source.mtime_s = f->before.st_mtim.tv_sec;
    f->source.mtime_ns = (uint32_t)f->before.st_mtim.tv_nsec;
    f->source.mode = f->before.st_mode & 07777;
    *ret = QC_STEAL(f);
    return QC_OK;
}

qc_rc vault_source_file_fd(struct vault_source_file **ret, int fd, struct qc_err *err)
{
    QC_CLEANUP(vault_source_file_free) struct vault_source_file *f = NULL;
    QC_TRY(source_new(&f, err));
    f->fd = fd;
    *ret = QC_STEAL(f);
    return QC_OK;
}

#include "vault/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "vault/xattrs.h"

struct vault_source_file {
    struct vault_source source;
    struct qc_fd own;
    int fd;
    struct vault_source_id id; /* before */
    bool regular;              /* else a descriptor of the caller's: a pipe, a terminal */
    struct stat before;
    uint64_t done; /* bytes read */
    qc_buf xattrs;
    unsigned left_out; /* of them, that are not kept */
    /* Of a link, and of a file that is opened later: where it is. */
    int dirfd, at; /* at: flags of looking, 0 or AT_SYMLINK_NOFOLLOW */
    char *path;
    qc_buf target; /* of a link, as it was */
};

void vault_source_file_free(struct vault_source_file **f)
{
    if (*f == NULL)
        return;
    qc_fd_close(&(*f)->own);
    qc_free((*f)->path);
    qc_buf_free(&(*f)->target);
    qc_buf_free(&(*f)->xattrs);
    qc_free(*f);
    *f = NULL;
}

const struct vault_source *vault_source_file_source(const struct vault_source_file *f)
{
    return &f->source;
}

unsigned vault_source_file_left_out(const struct vault_source_file *f)
{
    return f->left_out;
}

/* More than there was at first: a file that somebody goes on writing to might never end. */
static qc_rc check_growth(const struct vault_source_file *f, struct qc_err *err)
{
    if (!f->regular || f->done <= (uint64_t)f->before.st_size)
        return QC_OK;
    if (f->before.st_size > 0)
        return QC_FAIL(err, QC_CHANGED, "the file grew while it was read");
    qc_err_set(err, QC_CHANGED, QC_HERE, "a file that was empty gives bytes");
    err->next = "if it is a file of the kernel, which has no size: qcloud put - NAME < FILE";
    return QC_CHANGED;
}

static qc_rc read_bytes(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct vault_source_file *f = ctx;
    for (;;) {
        ssize_t n = read(f->fd, dst, max);
        if (n >= 0) {
            f->done += (size_t)n;
            *ret_got = (size_t)n;
            return check_growth(f, err);
        }
        if (errno != EINTR)
            return QC_FAIL_OS(err, "cannot read the input");
    }
}

static struct vault_source_id id_of(const struct stat *st)
{
    return (struct vault_source_id){ .device = st->st_dev,
                                     .inode = st->st_ino,
                                     .size = (uint64_t)st->st_size,
                                     .mtime_s = st->st_mtim.tv_sec,
                                     .mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
                                     .ctime_s = st->st_ctim.tv_sec,
                                     .ctime_ns = (uint32_t)st->st_ctim.tv_nsec };
}

bool vault_source_same(const struct vault_source_id *a, const struct vault_source_id *b)
{
    return a->device == b->device && vault_source_same_elsewhere(a, b);
}

bool vault_source_same_elsewhere(const struct vault_source_id *a, const struct vault_source_id *b)
{
    return a->inode == b->inode && a->size == b->size && a->mtime_s == b->mtime_s &&
           a->mtime_ns == b->mtime_ns && a->ctime_s == b->ctime_s && a->ctime_ns == b->ctime_ns;
}

static qc_rc seek_to(void *ctx, uint64_t offset, struct qc_err *err)
{
    struct vault_source_file *f = ctx;
    if (lseek(f->fd, (off_t)offset, SEEK_SET) < 0)
        return QC_FAIL_OS(err, "cannot go on in the input");
    f->done = offset;
    return QC_OK;
}

/* What was read is open no longer: what has its name by now must be the same file. */
static qc_rc look_again(const struct vault_source_file *f, struct stat *ret, struct qc_err *err)
{
    const bool open = f->path == NULL || qc_fd_is(&f->own);
    if ((open ? fstat(f->fd, ret) : fstatat(f->dirfd, f->path, ret, f->at)) == 0)
        return QC_OK;
    if (!open && errno == ENOENT)
        return QC_FAIL(err, QC_CHANGED, "the file went away while it was stored");
    return QC_FAIL_OS(err, "cannot look at the input again");
}

static qc_rc unchanged(void *ctx, uint64_t bytes_read, struct qc_err *err)
{
    const struct vault_source_file *f = ctx;
    struct stat now;
    QC_TRY(look_again(f, &now, err));
    const struct vault_source_id id = id_of(&now);
    if (!vault_source_same(&id, &f->id))
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

/* What is no file to store, by its kind. A directory is told from a pipe by what the user can do about it. */
static qc_rc check_kind(mode_t mode, const char *path, struct qc_err *err)
{
    const char *kind = S_ISFIFO(mode)                   ? "a pipe"
                       : S_ISLNK(mode)                  ? "a symbolic link"
                       : S_ISSOCK(mode)                 ? "a socket"
                       : S_ISDIR(mode)                  ? "a directory"
                       : S_ISBLK(mode) || S_ISCHR(mode) ? "a device"
                                                        : "something else";
    if (S_ISREG(mode))
        return QC_OK;
    qc_err_set(err, QC_USAGE, QC_HERE, "'%s' is %s, not a regular file", path, kind);
    if (!S_ISDIR(mode) && !S_ISSOCK(mode) && !S_ISLNK(mode))
        err->next = "to store what comes through it: qcloud put - NAME < FILE";
    return QC_USAGE;
}

/* Before it is opened: that alone rewinds a tape, and is refused for a socket. */
static qc_rc check_place(int dirfd, const char *path, int at, struct qc_err *err)
{
    struct stat st;
    if (fstatat(dirfd, path, &st, at) != 0)
        return QC_FAIL_OS(err, "%s", path);
    return check_kind(st.st_mode, path, err);
}

static qc_rc open_file(struct vault_source_file *f, int dirfd, const char *path, struct qc_err *err)
{
    const int flags = O_RDONLY | O_NONBLOCK | (f->at != 0 ? O_NOFOLLOW : 0); /* a FIFO must not hang us */
    QC_TRY(check_place(dirfd, path, f->at, err));
    QC_TRY(qc_open_at(&f->own, dirfd, path, flags, 0, err));
    f->fd = qc_fd_get(&f->own);
    if (fstat(f->fd, &f->before) != 0)
        return QC_FAIL_OS(err, "cannot look at the input");
    QC_TRY(check_kind(f->before.st_mode, path, err)); /* it may have been exchanged meanwhile */
    f->regular = true;
    if (f->before.st_size > QC_VAULT_BUNDLED_MAX) /* a small one is read at once */
        (void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    f->id = id_of(&f->before);
    f->source.unchanged = unchanged;
    f->source.id = &f->id;
    f->source.seek = seek_to;
    f->source.size = (uint64_t)f->before.st_size;
    f->source.has_mtime = f->source.has_mode = true;
    f->source.mtime_s = f->before.st_mtim.tv_sec;
    f->source.mtime_ns = (uint32_t)f->before.st_mtim.tv_nsec;
    f->source.mode = f->before.st_mode & 07777;
    f->xattrs.max = QC_VAULT_XATTRS_MAX;
    QC_TRY(vault_xattrs_read(f->fd, &f->xattrs, &f->left_out, err));
    f->source.xattrs = qc_buf_span(&f->xattrs);
    return QC_OK;
}

qc_rc vault_source_file_open(struct vault_source_file **ret, int dirfd, const char *path, bool follow,
                             struct qc_err *err)
{
    QC_CLEANUP(vault_source_file_free) struct vault_source_file *f = NULL;
    QC_TRY(source_new(&f, err));
    f->at = follow ? 0 : AT_SYMLINK_NOFOLLOW;
    QC_TRY(open_file(f, dirfd, path, err));
    *ret = QC_STEAL(f);
    return QC_OK;
}

static qc_rc open_now(void *ctx, struct qc_err *err)
{
    struct vault_source_file *f = ctx;
    f->done = 0;
    qc_buf_free(&f->xattrs);
    const qc_rc rc = open_file(f, f->dirfd, f->path, err);
    if (rc != QC_OK)
        qc_fd_close(&f->own);
    return rc;
}

static void close_again(void *ctx)
{
    struct vault_source_file *f = ctx;
    qc_fd_close(&f->own);
}

/* Of what is looked for again later. */
static qc_rc source_at(struct vault_source_file **ret, int dirfd, const char *path, struct qc_err *err)
{
    QC_CLEANUP(vault_source_file_free) struct vault_source_file *f = NULL;
    QC_TRY(source_new(&f, err));
    f->dirfd = dirfd;
    f->path = qc_strdup(path);
    if (f->path == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for an input");
    *ret = QC_STEAL(f);
    return QC_OK;
}

qc_rc vault_source_file_later(struct vault_source_file **ret, int dirfd, const char *path, bool follow,
                              struct qc_err *err)
{
    QC_CLEANUP(vault_source_file_free) struct vault_source_file *f = NULL;
    QC_TRY(source_at(&f, dirfd, path, err));
    f->at = follow ? 0 : AT_SYMLINK_NOFOLLOW;
    f->source.open = open_now;
    f->source.close = close_again;
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

/* -- symbolic links ----------------------------------------------------------------------------------------
 */

static qc_rc read_target(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct vault_source_file *f = ctx;
    const size_t left = f->target.n - (size_t)f->done;
    const size_t n = left < max ? left : max;
    (void)err;
    if (n > 0)
        memcpy(dst, f->target.p + f->done, n);
    f->done += n;
    *ret_got = n;
    return QC_OK;
}

/* A link cannot be written to: another target is another inode. */
static qc_rc link_unchanged(void *ctx, uint64_t bytes_read, struct qc_err *err)
{
    const struct vault_source_file *f = ctx;
    struct stat now;
    if (fstatat(f->dirfd, f->path, &now, AT_SYMLINK_NOFOLLOW) != 0)
        return QC_FAIL_OS(err, "cannot look at the link again");
    const struct vault_source_id was = id_of(&f->before), is = id_of(&now);
    if (!vault_source_same(&was, &is) || bytes_read != f->target.n)
        return QC_FAIL(err, QC_CHANGED, "the link changed while it was read");
    return QC_OK;
}

static qc_rc take_target(struct vault_source_file *f, struct qc_err *err)
{
    char target[QC_VAULT_LINK_MAX + 1];
    const ssize_t n = readlinkat(f->dirfd, f->path, target, sizeof target);
    if (n < 0)
        return QC_FAIL_OS(err, "cannot read the link");
    if (n > QC_VAULT_LINK_MAX)
        return QC_FAIL(err, QC_LIMIT, "its target is longer than %d bytes", QC_VAULT_LINK_MAX);
    f->target.max = QC_VAULT_LINK_MAX;
    return qc_buf_add(&f->target, qc_span_of(target, (size_t)n), err);
}

qc_rc vault_source_link_open(struct vault_source_file **ret, int dirfd, const char *path, struct qc_err *err)
{
    QC_CLEANUP(vault_source_file_free) struct vault_source_file *f = NULL;
    QC_TRY(source_at(&f, dirfd, path, err));
    if (fstatat(dirfd, path, &f->before, AT_SYMLINK_NOFOLLOW) != 0)
        return QC_FAIL_OS(err, "%s", path);
    if (!S_ISLNK(f->before.st_mode))
        return QC_FAIL(err, QC_CHANGED, "it is no symbolic link any more");
    QC_TRY(take_target(f, err));
    f->source = (struct vault_source){ .read = read_target,
                                       .unchanged = link_unchanged,
                                       .ctx = f,
                                       .size = f->target.n,
                                       .has_mtime = true,
                                       .has_mode = true,
                                       .mtime_s = f->before.st_mtim.tv_sec,
                                       .mtime_ns = (uint32_t)f->before.st_mtim.tv_nsec,
                                       .mode = S_IFLNK | 0777 };
    *ret = QC_STEAL(f);
    return QC_OK;
}

/* -- folders ----------------------------------------------------------------------------------------------
 */

static qc_rc read_nothing(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    (void)ctx;
    (void)dst;
    (void)max;
    (void)err;
    *ret_got = 0;
    return QC_OK;
}

qc_rc vault_source_folder_new(struct vault_source_file **ret, uint32_t mode, int64_t mtime_s,
                              uint32_t mtime_ns, struct qc_err *err)
{
    QC_CLEANUP(vault_source_file_free) struct vault_source_file *f = NULL;
    QC_TRY(source_new(&f, err));
    f->source = (struct vault_source){ .read = read_nothing,
                                       .ctx = f,
                                       .has_mtime = true,
                                       .has_mode = true,
                                       .mtime_s = mtime_s,
                                       .mtime_ns = mtime_ns,
                                       .mode = S_IFDIR | (mode & 07777) };
    *ret = QC_STEAL(f);
    return QC_OK;
}

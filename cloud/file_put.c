#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/limits.h"

/*  A put:  make --> write --> fdatasync --> final name --> fsync of the directory
 *
 * The file is nameless (O_TMPFILE) where the file system can, and gets its final name by linkat. Only to
 * replace an object it needs a temporary name, in FILE_TMP, that is then renamed over it; where O_TMPFILE is
 * missing it has that name from the start. A named one is under an flock from before its first byte until its
 * writer is done or dead.
 */
struct tmp {
    struct qc_fd fd;
    struct qc_fd dir; /* FILE_TMP, once needed */
    char name[64];    /* in dir; "" while it has none */
};

static void tmp_drop(struct tmp *t)
{
    if (t->name[0] != '\0')
        unlinkat(qc_fd_get(&t->dir), t->name, 0); /* what stays is swept at the next opening */
    t->name[0] = '\0';
    qc_fd_close(&t->fd);
    qc_fd_close(&t->dir);
}

static qc_rc tmp_dir(struct file_cloud *f, struct tmp *t, struct qc_err *err)
{
    if (qc_fd_is(&t->dir))
        return QC_OK;
    int root = qc_fd_get(&f->dir);
    if (mkdirat(root, FILE_TMP, 0700) != 0 && errno != EEXIST)
        return FILE_FAIL(err, "making " FILE_TMP);
    int fd = openat(root, FILE_TMP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return FILE_FAIL(err, "directory " FILE_TMP);
    t->dir = qc_fd_own(fd);
    return QC_OK;
}

/* A name that nobody guesses, so that nobody takes it first. */
static qc_rc tmp_name(char name[static 64], struct qc_err *err)
{
    uint64_t r = 0;
    if (getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r)
        return QC_FAIL(err, QC_RANDOM, "getrandom for a temporary name");
    int n = snprintf(name, 64, ".tmp-%ld-%016" PRIx64, (long)getpid(), r);
    QC_ASSERT(n > 0 && n < 64);
    return QC_OK;
}

/*
 * One try to make a named temporary file. *ret_made is false where a sweeper was faster between making and
 * locking; the next try has another name.
 */
static qc_rc tmp_named_try(struct tmp *t, bool *ret_made, struct qc_err *err)
{
    char name[64];
    QC_TRY(tmp_name(name, err));
    int dir = qc_fd_get(&t->dir);
    int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        *ret_made = false;
        return QC_OK;
    }
    if (fd < 0)
        return FILE_FAIL(err, "making a temporary file");
    t->fd = qc_fd_own(fd);
    memcpy(t->name, name, sizeof name); /* from here on tmp_drop removes it */
    struct stat st;
    bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno != EWOULDBLOCK)
        return FILE_FAIL(err, "locking a temporary file");
    if (fstat(fd, &st) != 0)
        return FILE_FAIL(err, "stat of a temporary file");
    *ret_made = locked && st.st_nlink > 0;
    if (!*ret_made) { /* the sweeper has removed it, or is about to */
        qc_fd_close(&t->fd);
        t->name[0] = '\0';
    }
    return QC_OK;
}

static qc_rc tmp_named(struct file_cloud *f, struct tmp *t, struct qc_err *err)
{
    QC_TRY(tmp_dir(f, t, err));
    bool made = false;
    for (int i = 0; !made && i < CLOUD_TMP_TRIES; i++)
        QC_TRY(tmp_named_try(t, &made, err));
    if (!made)
        return QC_FAIL(err, QC_TEMP, "no temporary file after %d names", CLOUD_TMP_TRIES);
    return QC_OK;
}

static qc_rc tmp_make(struct file_cloud *f, const struct file_at *at, struct tmp *t, struct qc_err *err)
{
    if (!atomic_load(&f->no_tmpfile)) {
        int fd = openat(qc_fd_get(&at->dir), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
        if (fd >= 0) {
            t->fd = qc_fd_own(fd);
            return qc_fault(cloud_tmp_made, err);
        }
        /* What the man page says of kernels and file systems without it. */
        if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
            return FILE_FAIL(err, "making a temporary file");
        atomic_store(&f->no_tmpfile, true);
    }
    QC_TRY(tmp_named(f, t, err));
    return qc_fault(cloud_tmp_made, err);
}

/* "No space" before the work rather than in the middle; file systems that cannot reserve say so, and that is
 * all right. */
static qc_rc reserve(int fd, uint64_t size, struct qc_err *err)
{
    if (size == 0)
        return QC_OK;
    int r = 0;
    do {
        r = fallocate(fd, 0, 0, (off_t)size);
    } while (r != 0 && errno == EINTR);
    if (r != 0 && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
        return FILE_FAIL(err, "reserving %" PRIu64 " bytes", size);
    return QC_OK;
}

/* Where we are in the parts. */
struct cursor {
    const qc_span *parts;
    size_t count;
    size_t i;
    size_t off; /* in parts[i] */
};

enum { IOV_AT_ONCE = 64 };

/* Up to `room` bytes from the cursor, without moving it. Returns the number of entries; 0: none. */
static int gather(const struct cursor *at, uint64_t room, struct iovec iov[static IOV_AT_ONCE])
{
    int n = 0;
    size_t off = at->off;
    for (size_t i = at->i; i < at->count && n < IOV_AT_ONCE && room > 0; i++, off = 0) {
        size_t len = at->parts[i].n - off;
        if (len > room)
            len = (size_t)room;
        if (len > 0) /* writev reads only: the cast drops a const that iovec cannot express */
            iov[n++] =
                (struct iovec){ .iov_base = (void *)(uintptr_t)(at->parts[i].p + off), .iov_len = len };
        room -= len;
    }
    return n;
}

static void advance(struct cursor *at, uint64_t n)
{
    while (at->i < at->count && n >= at->parts[at->i].n - at->off) {
        n -= at->parts[at->i].n - at->off;
        at->i++;
        at->off = 0;
    }
    at->off += (size_t)n;
}

/* Bytes [from, to) of the object, as any file is written. */
static qc_rc write_plain(int fd, const struct cloud_put_job *job, uint64_t from, uint64_t to,
                         const struct cloud_op *op, struct qc_err *err)
{
    struct cursor at = { .parts = job->parts, .count = job->count };
    struct iovec iov[IOV_AT_ONCE];
    advance(&at, from);
    while (from < to) {
        const int n = gather(&at, to - from < CLOUD_SLICE ? to - from : CLOUD_SLICE, iov);
        QC_TRY(cloud_op_check(op, err));
        ssize_t w = pwritev(fd, iov, n, (off_t)from);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return FILE_FAIL(err, "writing");
        if (w == 0)
            return QC_FAIL(err, QC_IO, "writing: the file system takes no bytes");
        advance(&at, (uint64_t)w);
        from += (uint64_t)w;
    }
    return QC_OK;
}

/*
 * Past the page cache (docs/adr/0011): whole pages of the object that are whole pages of a part's memory go
 * to the disk from where they lie. They were written to be stored, not to be read soon, and their way through
 * the cache costs more processor time than coding, sealing and transport together.
 */
struct stretch {
    uint64_t from, to; /* in the object; none: 0, 0 */
    const uint8_t *p;  /* of byte `from` */
};

enum {
    PAGE = 4096
}; /* a multiple of every logical block size but those that refuse us, and are written plainly */

/* The longest one. */
static struct stretch direct_stretch(const struct cloud_put_job *job)
{
    struct stretch best = { 0 };
    uint64_t off = 0;
    for (size_t i = 0; i < job->count; off += job->parts[i].n, i++) {
        const uint64_t from = (off + QC_PAGE - 1) / QC_PAGE * QC_PAGE,
                       to = (off + job->parts[i].n) / QC_PAGE * QC_PAGE;
        if (to < from + CLOUD_DIRECT_MIN || to - from <= best.to - best.from)
            continue;
        const uint8_t *p = job->parts[i].p + (from - off);
        if ((uintptr_t)p % QC_PAGE == 0)
            best = (struct stretch){ from, to, p };
    }
    return best;
}

/* *ret_at: how far it came, s->to or where the file system refused: then it is not asked again. */
static qc_rc write_direct(struct file_cloud *f, int fd, const struct stretch *s, uint64_t *ret_at,
                          const struct cloud_op *op, struct qc_err *err)
{
    uint64_t at = s->from;
    while (at < s->to && at % QC_PAGE == 0 && !atomic_load(&f->no_direct)) {
        const size_t n = s->to - at < CLOUD_SLICE ? (size_t)(s->to - at) : CLOUD_SLICE;
        QC_TRY(cloud_op_check(op, err));
        const ssize_t w = qc_pwrite_direct(fd, qc_span_of(s->p + (at - s->from), n), at);
        if (w < 0 && errno != EINTR && errno != EINVAL)
            return FILE_FAIL(err, "writing");
        if (w < 0 && errno == EINVAL)
            atomic_store(&f->no_direct, true);
        at += w > 0 ? (uint64_t)w : 0;
    }
    *ret_at = at;
    return QC_OK;
}

static qc_rc write_parts(struct file_cloud *f, int fd, const struct cloud_put_job *job,
                         const struct cloud_op *op, struct qc_err *err)
{
    struct stretch s = { 0 };
    if (!atomic_load(&f->no_direct))
        s = direct_stretch(job);
    uint64_t at = s.from;
    QC_TRY(write_plain(fd, job, 0, s.from, op, err));
    if (s.to > s.from)
        QC_TRY(write_direct(f, fd, &s, &at, op, err));
    return write_plain(fd, job, at, job->size, op, err);
}

static qc_rc tmp_fill(struct file_cloud *f, struct tmp *t, const struct cloud_put_job *job,
                      const struct cloud_op *op, struct qc_err *err)
{
    int fd = qc_fd_get(&t->fd);
    QC_TRY(reserve(fd, job->size, err));
    QC_TRY(write_parts(f, fd, job, op, err));
    QC_TRY(qc_fault(cloud_tmp_written, err));
    if (fdatasync(fd) != 0) /* F2: the caller drops the file */
        return FILE_FAIL(err, "fdatasync");
    QC_TRY(qc_fault(cloud_tmp_synced, err));
    return cloud_op_check(op, err);
}

/* The nameless file gets a name. False with errno. */
static bool link_fd(int fd, int dir, const char *name)
{
    char self[32];
    int n = snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    QC_ASSERT(n > 0 && (size_t)n < sizeof self);
    return linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW) == 0;
}

/* A temporary name for the nameless file, so that it can be renamed. It is under the lock before it has the
 * name. */
static qc_rc tmp_link(struct file_cloud *f, struct tmp *t, struct qc_err *err)
{
    int fd = qc_fd_get(&t->fd);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return FILE_FAIL(err, "locking a temporary file");
    QC_TRY(tmp_dir(f, t, err));
    char name[64];
    QC_TRY(tmp_name(name, err));
    if (!link_fd(fd, qc_fd_get(&t->dir), name))
        return FILE_FAIL(err, "naming a temporary file");
    memcpy(t->name, name, sizeof name);
    return qc_fault(cloud_tmp_linked, err);
}

/* Final name for a named temporary file that must not replace. *ret_taken: somebody has the name. */
static qc_rc rename_new(struct tmp *t, const struct file_at *at, bool *ret_taken, struct qc_err *err)
{
    int tmp = qc_fd_get(&t->dir);
    int dir = qc_fd_get(&at->dir);
    *ret_taken = false;
    if (renameat2(tmp, t->name, dir, at->leaf, RENAME_NOREPLACE) == 0) {
        t->name[0] = '\0';
        return QC_OK;
    }
    /* Network file systems do not know the flag; they do know that link never replaces. */
    if ((errno == EINVAL || errno == ENOSYS) && linkat(tmp, t->name, dir, at->leaf, 0) == 0)
        return QC_OK;
    if (errno != EEXIST)
        return FILE_FAIL(err, "final name");
    *ret_taken = true;
    return QC_OK;
}

/* There is O_TMPFILE, but no way to link what it gives: no /proc, or a file system without hard links. */
static bool cannot_link(int os)
{
    return os == ENOENT || os == EPERM || os == EOPNOTSUPP || os == EXDEV;
}

static qc_rc publish_new(struct file_cloud *f, struct tmp *t, const struct file_at *at, bool *ret_taken,
                         struct qc_err *err)
{
    if (t->name[0] != '\0')
        return rename_new(t, at, ret_taken, err);
    *ret_taken = false;
    if (link_fd(qc_fd_get(&t->fd), qc_fd_get(&at->dir), at->leaf))
        return QC_OK;
    if (cannot_link(errno)) {
        atomic_store(&f->no_tmpfile, true);
        return QC_FAIL(err, QC_TEMP, "nameless files cannot be linked here"); /* file_put tries again */
    }
    if (errno != EEXIST)
        return FILE_FAIL(err, "final name");
    *ret_taken = true;
    return QC_OK;
}

static qc_rc publish_over(struct file_cloud *f, struct tmp *t, const struct file_at *at, struct qc_err *err)
{
    if (t->name[0] == '\0') {
        bool taken = false;
        QC_TRY(publish_new(f, t, at, &taken, err));
        if (!taken)
            return QC_OK;
        QC_TRY(tmp_link(f, t, err));
    }
    if (renameat(qc_fd_get(&t->dir), t->name, qc_fd_get(&at->dir), at->leaf) != 0) {
        if (errno == EISDIR)
            return QC_FAIL(err, QC_CONFLICT, "other keys lie below this one");
        return FILE_FAIL(err, "final name");
    }
    t->name[0] = '\0';
    return QC_OK;
}

/* Does the open object hold exactly these bytes? */
static qc_rc same_bytes(int fd, const struct cloud_put_job *job, bool *ret, const struct cloud_op *op,
                        struct qc_err *err)
{
    enum { PIECE = 256 * 1024 };
    QC_CLEANUP(qc_free_ptr) uint8_t *piece = qc_alloc(PIECE);
    if (piece == NULL)
        return QC_FAIL(err, QC_NOMEM, "%d bytes", PIECE);
    uint64_t at = 0;
    for (size_t i = 0; i < job->count; i++) {
        for (size_t off = 0; off < job->parts[i].n;) {
            size_t n = job->parts[i].n - off < PIECE ? job->parts[i].n - off : PIECE;
            size_t got = 0;
            QC_TRY(file_read(fd, at, piece, n, &got, op, err));
            if (!qc_span_eq(qc_span_of(piece, got), qc_span_of(job->parts[i].p + off, n))) {
                *ret = false;
                return QC_OK;
            }
            off += n;
            at += n;
        }
    }
    *ret = true;
    return QC_OK;
}

/*
 * CLOUD_NEW and the name may be taken. *ret_held: by these very bytes, which are durable now, whoever wrote
 * them. QC_CONFLICT: by others.
 */
static qc_rc held_already(const struct file_at *at, const struct cloud_put_job *job, bool *ret_held,
                          const struct cloud_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct stat st;
    qc_rc rc = file_open_at(at, &fd, &st, err);
    if (rc == QC_NOTFOUND && err->os == ENOENT) {
        qc_err_clear(err);
        *ret_held = false;
        return QC_OK;
    }
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_CONFLICT, "other keys lie below this one");
    QC_TRY(rc);
    bool same = (uint64_t)st.st_size == job->size;
    if (same)
        QC_TRY(same_bytes(qc_fd_get(&fd), job, &same, op, err));
    if (!same)
        return QC_FAIL(err, QC_CONFLICT, "the key holds another object of %lld bytes", (long long)st.st_size);
    if (fdatasync(qc_fd_get(&fd)) != 0)
        return FILE_FAIL(err, "fdatasync");
    *ret_held = true;
    return QC_OK;
}

/* After the final name: durable, still in the right place, and closed without a complaint. */
static qc_rc settle(struct file_cloud *f, struct tmp *t, const struct file_at *at, struct qc_err *err)
{
    QC_TRY(qc_fault(cloud_published, err));
    QC_TRY(file_dir_sync(qc_fd_get(&at->dir), err));
    if (qc_fd_is(&t->fd)) {
        int fd = qc_fd_get(&t->fd);
        t->fd = (struct qc_fd){ 0 };
        if (close(fd) != 0 && errno != EINTR) /* NFS tells here what a write met */
            return FILE_FAIL(err, "close");
    }
    return file_here(f, err); /* F3: an fsync in a directory that was taken away proves nothing */
}

static qc_rc put_once(struct file_cloud *f, const struct cloud_put_job *job, const struct cloud_op *op,
                      struct qc_err *err)
{
    QC_TRY(file_here(f, err));
    QC_CLEANUP(file_at_close) struct file_at at = { 0 };
    QC_TRY(file_walk(f, job->key, true, &at, err));
    QC_CLEANUP(tmp_drop) struct tmp t = { 0 };
    bool held = false;
    if (job->mode == CLOUD_NEW)
        QC_TRY(held_already(&at, job, &held, op, err));
    if (held)
        return settle(f, &t, &at, err);
    QC_TRY(tmp_make(f, &at, &t, err));
    QC_TRY(tmp_fill(f, &t, job, op, err));
    if (job->mode == CLOUD_REPLACE) {
        QC_TRY(publish_over(f, &t, &at, err));
        return settle(f, &t, &at, err);
    }
    bool taken = false;
    QC_TRY(publish_new(f, &t, &at, &taken, err));
    if (taken) {
        QC_TRY(held_already(&at, job, &held, op, err));
        if (!held)
            return QC_FAIL(err, QC_TEMP, "the object appeared and went again while it was put");
    }
    return settle(f, &t, &at, err);
}

qc_rc file_put(struct cloud *c, const struct cloud_put_job *job, const struct cloud_op *op,
               struct qc_err *err)
{
    struct file_cloud *f = file_of(c);
    bool nameless = !atomic_load(&f->no_tmpfile);
    qc_rc rc = put_once(f, job, op, err);
    if (rc == QC_TEMP && nameless && atomic_load(&f->no_tmpfile)) {
        qc_err_clear(err);
        rc = put_once(f, job, op, err);
    }
    if (rc ==
        QC_NOTFOUND) /* somebody takes directories away under our feet: nothing that a put is asked for */
        return QC_FAIL(err, QC_TEMP, "the directory of the object went while it was put");
    return rc;
}

/* Remove one temporary file if its writer is gone: the lock is free. */
static qc_rc sweep_one(int dir, const char *name, struct qc_err *err)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? QC_OK : FILE_FAIL(err, "temporary file %s", name);
    QC_CLEANUP(qc_fd_close) struct qc_fd own = qc_fd_own(fd); /* closing it lets the lock go */
    if (flock(qc_fd_get(&own), LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? QC_OK : FILE_FAIL(err, "temporary file %s", name);
    if (unlinkat(dir, name, 0) != 0 && errno != ENOENT)
        return FILE_FAIL(err, "removing temporary file %s", name);
    return QC_OK;
}

qc_rc file_sweep(struct file_cloud *f, struct qc_err *err)
{
    int fd = openat(qc_fd_get(&f->dir), FILE_TMP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? QC_OK : FILE_FAIL(err, "directory " FILE_TMP);
    QC_CLEANUP(qc_list_close) DIR *d = fdopendir(fd);
    if (d == NULL) {
        close(fd);
        return QC_FAIL(err, QC_NOMEM, "listing " FILE_TMP);
    }
    for (int i = 0; i < CLOUD_SWEEP_MAX; i++) {
        errno = 0;
        const struct dirent *e = readdir(d);
        if (e == NULL && errno != 0)
            return FILE_FAIL(err, "listing " FILE_TMP);
        if (e == NULL)
            break;
        if (strncmp(e->d_name, ".tmp-", 5) == 0)
            QC_TRY(sweep_one(fd, e->d_name, err));
    }
    return QC_OK;
}

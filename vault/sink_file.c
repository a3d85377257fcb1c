#include "vault/sink_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/file.h"
#include "vault/xattrs.h"

struct vault_sink_file {
    struct vault_sink sink;
    int dir;                  /* own's, or the caller's */
    struct qc_fd own, file;   /* file: NAME.part, locked */
    char *name, *part, *path; /* path: as it was given; for messages */
    bool replace;
    bool no_direct;     /* the file system refuses O_DIRECT */
    bool made;          /* NAME.part is ours */
    bool looked, found; /* for one that an earlier get left; and there was one */
    bool stays;         /* it is left for a later get */
    uint64_t left;      /* its size when it was found */
    vault_left_fn tell;
    void *tell_ctx;
    vault_last_fn last; /* or NULL */
    void *last_ctx;
    uint64_t size, pushed; /* written; of it given to the disk */
    bool has_mode, has_mtime;
    bool links, link; /* links are made; and what comes is one */
    bool sparse;
    bool later, ended; /* it is finished with others; and all of it has come */
    mode_t mode;
    struct timespec mtime;
    qc_buf xattrs;
    unsigned missed; /* of them, that the file system did not take */
    int missed_os;   /* and why */
};

/* Does the name still stand for this file, which is locked? Else another get has renamed or removed it in
 * between: whoever holds the lock of the file that has the name does so under it. */
static bool is_named(const struct vault_sink_file *f, const struct qc_fd *file)
{
    struct stat mine, named;
    return fstat(qc_fd_get(file), &mine) == 0 && fstatat(f->dir, f->part, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

void vault_sink_file_free(struct vault_sink_file **fp)
{
    struct vault_sink_file *f = *fp;
    if (f == NULL)
        return;
    if (f->made && !f->stays && is_named(f, &f->file))
        (void)unlinkat(f->dir, f->part, 0);
    qc_fd_close(&f->file);
    qc_fd_close(&f->own);
    qc_free(f->name);
    qc_free(f->part);
    qc_free(f->path);
    qc_buf_free(&f->xattrs);
    qc_free(f);
    *fp = NULL;
}

const struct vault_sink *vault_sink_file_sink(const struct vault_sink_file *f)
{
    return &f->sink;
}

/* A NAME.part that nobody holds: a get that was interrupted left it. Ours has the mode 0600 until it is
 * renamed; any other file of that name is the user's, and stays. QC_NOTFOUND: there is none. */
static qc_rc open_left(const struct vault_sink_file *f, struct qc_fd *ret, uint64_t *ret_size,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd old = { 0 };
    struct stat st;
    QC_TRY(qc_open_at(&old, f->dir, f->part, O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0, err));
    if (fstat(qc_fd_get(&old), &st) != 0)
        return QC_FAIL_OS(err, "cannot look at '%s'", f->part);
    if (!S_ISREG(st.st_mode))
        return QC_FAIL(err, QC_CONFLICT, "'%s' is in the way and is no regular file", f->part);
    if ((st.st_mode & 07777) != 0600 || st.st_nlink != 1 || st.st_uid != geteuid())
        return QC_FAIL(err, QC_CONFLICT, "'%s' is in the way and was not left by a get: move it away",
                       f->part);
    if (flock(qc_fd_get(&old), LOCK_EX | LOCK_NB) != 0 || !is_named(f, &old))
        return QC_FAIL(err, QC_LOCKED, "another command is writing '%s'", f->part);
    *ret_size = (uint64_t)st.st_size;
    *ret = QC_STEAL(old);
    return QC_OK;
}

/* --- What an earlier get left: vault_left --- */

static qc_rc find_left(void *ctx, uint64_t *ret, struct qc_err *err)
{
    struct vault_sink_file *f = ctx;
    struct qc_err why = { 0 };
    const qc_rc rc = open_left(f, &f->file, &f->left, &why);
    *ret = 0;
    f->looked = rc == QC_OK || rc == QC_NOTFOUND;
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    f->found = f->made = true;
    *ret = f->left;
    return QC_OK;
}

static qc_rc read_left(void *ctx, uint64_t offset, uint8_t *p, size_t n, struct qc_err *err)
{
    const struct vault_sink_file *f = ctx;
    size_t got = 0;
    QC_TRY_AS(qc_pread_full(qc_fd_get(&f->file), p, n, offset, &got, err), err, "%s", f->part);
    return got == n ? QC_OK : QC_FAIL(err, QC_IO, "'%s' became shorter while it was read", f->part);
}

static qc_rc keep_left(void *ctx, uint64_t bytes, struct qc_err *err)
{
    struct vault_sink_file *f = ctx;
    if (f->tell != NULL && f->left > 0)
        f->tell(f->tell_ctx, f->part, bytes);
    if (f->found && (ftruncate(qc_fd_get(&f->file), (off_t)bytes) != 0 ||
                     lseek(qc_fd_get(&f->file), (off_t)bytes, SEEK_SET) < 0))
        return QC_FAIL_OS(err, "%s", f->part);
    f->size = f->pushed = bytes;
    f->left = 0;
    return QC_OK;
}

static const struct vault_left left_ops = { .find = find_left, .read = read_left, .keep = keep_left };

void vault_sink_file_tell(struct vault_sink_file *f, vault_left_fn fn, void *ctx)
{
    f->tell = fn;
    f->tell_ctx = ctx;
}

void vault_sink_file_last(struct vault_sink_file *f, vault_last_fn fn, void *ctx)
{
    f->last = fn;
    f->last_ctx = ctx;
}

void vault_sink_file_sparse(struct vault_sink_file *f)
{
    f->sparse = true;
}

void vault_sink_file_links(struct vault_sink_file *f)
{
    f->links = true;
}

unsigned vault_sink_file_missed(const struct vault_sink_file *f, int *ret_os)
{
    *ret_os = f->missed_os;
    return f->missed;
}

const char *vault_sink_file_leave(struct vault_sink_file *f, uint64_t *ret_bytes)
{
    const uint64_t bytes = f->size > 0 ? f->size : f->left;
    if (!f->made || bytes < QC_VAULT_LEFT_MIN)
        return NULL;
    f->stays = true;
    *ret_bytes = bytes;
    return f->part;
}

/* --- The output --- */

static qc_rc drop_left(struct vault_sink_file *f, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd old = { 0 };
    struct qc_err why = { 0 };
    uint64_t size = 0;
    const qc_rc rc = open_left(f, &old, &size, &why);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    if (unlinkat(f->dir, f->part, 0) != 0 && errno != ENOENT)
        return QC_FAIL_OS(err, "cannot remove the stale '%s'", f->part);
    return QC_OK;
}

static qc_rc make_part(struct vault_sink_file *f, struct qc_err *err)
{
    if (!f->looked)
        QC_TRY(drop_left(f, err));
    QC_TRY(qc_open_at(&f->file, f->dir, f->part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, err));
    /* Another get may have taken it for one that was left, before it was locked. */
    if (flock(qc_fd_get(&f->file), LOCK_EX | LOCK_NB) != 0 || !is_named(f, &f->file))
        return QC_FAIL(err, QC_LOCKED, "another command is writing '%s'", f->part);
    f->made = true;
    return QC_OK;
}

static qc_rc begin(void *ctx, const struct vault_stat *what, struct qc_err *err)
{
    struct vault_sink_file *f = ctx;
    if (what->has_mode && S_ISDIR(what->mode))
        return QC_FAIL(err, QC_USAGE, "it is a folder: get -r makes such");
    f->has_mode = what->has_mode;
    f->mode = (mode_t)(what->mode & 07777);
    f->link = f->links && what->has_mode && S_ISLNK(what->mode);
    f->has_mtime = what->has_mtime;
    f->mtime = (struct timespec){ .tv_sec = what->mtime_s, .tv_nsec = what->mtime_ns };
    f->xattrs.max = QC_VAULT_XATTRS_MAX;
    qc_buf_clear(&f->xattrs);
    QC_TRY(qc_buf_add(&f->xattrs, what->xattrs, err));
    return f->found ? QC_OK : make_part(f, err);
}

/* Past the page cache, as it is durable at once and not pushed out again from there (docs/adr/0011). False:
 * not these bytes, or not on this file system. */
static bool write_direct(struct vault_sink_file *f, qc_span bytes)
{
    if (f->no_direct || bytes.n < QC_VAULT_DIRECT_MIN || bytes.n % QC_PAGE != 0 || f->size % QC_PAGE != 0 ||
        (uintptr_t)bytes.p % QC_PAGE != 0)
        return false;
    const bool all = qc_pwrite_direct(qc_fd_get(&f->file), bytes, f->size) == (ssize_t)bytes.n &&
                     lseek(qc_fd_get(&f->file), (off_t)(f->size + bytes.n), SEEK_SET) >= 0;
    f->no_direct = !all; /* what hinders it, a full disk say, is told by the usual way */
    return all;
}

static bool all_zeros(qc_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != 0)
            return false;
    return true;
}

/* Piece by piece, at places that are multiples of one: a hole has whole pages. */
static qc_rc write_sparse(struct vault_sink_file *f, qc_span bytes, struct qc_err *err)
{
    while (bytes.n > 0) {
        const size_t room = QC_VAULT_HOLE - (size_t)(f->size % QC_VAULT_HOLE);
        const qc_span piece = qc_span_sub(bytes, 0, bytes.n < room ? bytes.n : room);
        const bool hole = piece.n == QC_VAULT_HOLE && all_zeros(piece);
        if (hole && lseek(qc_fd_get(&f->file), (off_t)piece.n, SEEK_CUR) < 0)
            return QC_FAIL_OS(err, "%s", f->part);
        if (!hole)
            QC_TRY_AS(qc_write_all(qc_fd_get(&f->file), &piece, 1, err), err, "%s", f->part);
        f->size += piece.n;
        bytes = qc_span_from(bytes, piece.n);
    }
    return QC_OK;
}

static qc_rc write_bytes(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct vault_sink_file *f = ctx;
    QC_TRY(qc_fault(client_wrote, err));
    if (f->sparse)
        return write_sparse(f, bytes, err);
    if (write_direct(f, bytes)) {
        f->size += bytes.n;
        return QC_OK;
    }
    QC_TRY_AS(qc_write_all(qc_fd_get(&f->file), &bytes, 1, err), err, "%s", f->part);
    f->size += bytes.n;
    if (f->size - f->pushed >= QC_VAULT_RANGE) {
        /* The disk works while the next bytes come, instead of all at once at the end. A hint: what fails
         * here fails again at the sync. */
        (void)sync_file_range(qc_fd_get(&f->file), (off_t)f->pushed, (off_t)(f->size - f->pushed),
                              SYNC_FILE_RANGE_WRITE);
        f->pushed = f->size;
    }
    return QC_OK;
}

/* Set-id bits are not restored: a vault must not be able to hand out privileges. What came from a pipe has no
 * mode and stays its owner's. */
static qc_rc restore(struct vault_sink_file *f, struct qc_err *err)
{
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, f->mtime };
    if (f->has_mtime && futimens(qc_fd_get(&f->file), times) != 0)
        return QC_FAIL_OS(err, "%s: cannot set the time", f->part);
    return QC_OK;
}

/* After the rename: a NAME.part with any mode but 0600 would look like a file of the user's (drop_stale). A
 * crash in between leaves the whole file, readable by its owner alone. */
static bool has_other_mode(const struct vault_sink_file *f)
{
    return f->has_mode && (f->mode & 0777) != 0600;
}

static qc_rc restore_mode(struct vault_sink_file *f, struct qc_err *err)
{
    if (has_other_mode(f) && fchmod(qc_fd_get(&f->file), f->mode & 0777) != 0)
        return QC_FAIL_OS(err, "'%s' is whole, but its mode cannot be set", f->name);
    return QC_OK;
}

static qc_rc look_last(const struct vault_sink_file *f, struct qc_err *err)
{
    return f->last == NULL ? QC_OK : f->last(f->last_ctx, err);
}

/* Another file that has the name by now, an object NAME.part say, is neither renamed nor removed. One that is
 * gone is told of by the rename. */
static qc_rc check_named(struct vault_sink_file *f, struct qc_err *err)
{
    struct stat st;
    if (is_named(f, &f->file) || fstatat(f->dir, f->part, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return QC_OK;
    f->made = false;
    return QC_FAIL(err, QC_CONFLICT, "another file has taken the place of '%s', which was to become '%s'",
                   f->part, f->path);
}

/* Its final name. 0, or -1 and errno. */
static int rename_to(const struct vault_sink_file *f, const char *part)
{
    const int dir = f->dir;
    int rc =
        f->replace ? renameat(dir, part, dir, f->name) : renameat2(dir, part, dir, f->name, RENAME_NOREPLACE);
    if (rc != 0 && !f->replace &&
        errno == EINVAL) { /* a file system without it: link fails on an existing name as well */
        rc = linkat(dir, part, dir, f->name, 0);
        if (rc == 0)
            (void)unlinkat(dir, part, 0);
    }
    return rc;
}

/* The target, whose every byte was verified, out of NAME.part. */
static qc_rc target_of(const struct vault_sink_file *f, char ret[QC_VAULT_LINK_MAX + 1], struct qc_err *err)
{
    size_t got = 0;
    if (f->size == 0 || f->size > QC_VAULT_LINK_MAX)
        return QC_FAIL(err, QC_LIMIT, "a symbolic link with a target of %" PRIu64 " bytes", f->size);
    QC_TRY(qc_pread_full(qc_fd_get(&f->file), (uint8_t *)ret, (size_t)f->size, 0, &got, err));
    ret[got] = '\0';
    if (got != f->size || strlen(ret) != got)
        return QC_FAIL(err, QC_FORMAT, "a symbolic link whose target has a NUL byte");
    return QC_OK;
}

/* A link beside it, then its name: what stood under the name is a whole file, or the link, at each instant.
 * One that was left beside it by a crash is ours. Where the link leads is nobody's business here. */
static qc_rc finish_link(struct vault_sink_file *f, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 512 };
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, f->mtime };
    char target[QC_VAULT_LINK_MAX + 1];
    const char *beside = NULL;
    const int dir = f->dir;
    struct stat st;
    QC_TRY_AS(target_of(f, target, err), err, "'%s'", f->path);
    QC_TRY(look_last(f, err));
    QC_TRY(check_named(f, err));
    QC_TRY(qc_buf_addf(&text, err, "%s-link", f->part));
    QC_TRY(qc_buf_cstr(&text, &beside, err));
    if (fstatat(dir, beside, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        (void)unlinkat(dir, beside, 0);
    if (symlinkat(target, dir, beside) != 0)
        return QC_FAIL_OS(err, "cannot make the link '%s'", beside);
    int rc = f->has_mtime ? utimensat(dir, beside, times, AT_SYMLINK_NOFOLLOW) : 0;
    const qc_rc fault = qc_fault(client_linked, err);
    if (rc == 0 && fault == QC_OK)
        rc = rename_to(f, beside);
    if (rc != 0 || fault != QC_OK) {
        const qc_rc why = rc != 0 ? QC_FAIL_OS(err, "cannot rename '%s' to '%s'", beside, f->path) : fault;
        (void)unlinkat(dir, beside, 0);
        return why;
    }
    QC_TRY(qc_fault(client_renamed, err));
    if (is_named(f, &f->file))
        (void)unlinkat(dir, f->part, 0);
    f->made = false;
    return qc_dir_sync(dir, err);
}

/* All that has to be there before it is synced. */
static qc_rc end_part(struct vault_sink_file *f, struct qc_err *err)
{
    if (f->sparse && ftruncate(qc_fd_get(&f->file), (off_t)f->size) != 0) /* it may end in a hole */
        return QC_FAIL_OS(err, "%s", f->part);
    f->missed = vault_xattrs_write(qc_fd_get(&f->file), qc_buf_span(&f->xattrs), &f->missed_os);
    return QC_OK;
}

static qc_rc sync_part(struct vault_sink_file *f, struct qc_err *err)
{
    QC_TRY(end_part(f, err));
    QC_TRY_AS(qc_sync(qc_fd_get(&f->file), err), err, "%s", f->part);
    return qc_fault(client_part, err);
}

static qc_rc name_part(struct vault_sink_file *f, struct qc_err *err)
{
    QC_TRY(restore(f, err));
    QC_TRY(look_last(f, err));
    QC_TRY(check_named(f, err));
    const int rc = rename_to(f, f->part);
    if (rc != 0 && errno == ENOENT) /* not "no such object" */
        return QC_FAIL(err, QC_IO, "cannot rename '%s' to '%s': somebody took it away", f->part, f->path);
    if (rc != 0)
        return QC_FAIL_OS(err, "cannot rename '%s' to '%s'", f->part, f->path);
    f->made = false;
    QC_TRY(qc_fault(client_renamed, err));
    return restore_mode(f, err);
}

static qc_rc sync_mode(struct vault_sink_file *f, struct qc_err *err)
{
    return has_other_mode(f) ? qc_sync(qc_fd_get(&f->file), err) : QC_OK;
}

static qc_rc finish(void *ctx, struct qc_err *err)
{
    struct vault_sink_file *f = ctx;
    if (f->link)
        return finish_link(f, err);
    f->ended = true;
    if (f->later)
        return QC_OK;
    QC_TRY(sync_part(f, err));
    QC_TRY(name_part(f, err));
    QC_TRY(sync_mode(f, err));
    return qc_dir_sync(f->dir, err);
}

/* --- Many, together --- */

void vault_sink_file_later(struct vault_sink_file *f)
{
    f->later = true;
}

static bool is_live(const struct vault_sink_file *f, const struct vault_sink_outcome *o)
{
    return f != NULL && f->later && f->ended && o->rc == QC_OK;
}

static bool same_dir(const struct vault_sink_file *a, const struct vault_sink_file *b)
{
    struct stat x, y;
    if (a->dir == b->dir)
        return true;
    return fstat(a->dir, &x) == 0 && fstat(b->dir, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

typedef qc_rc (*step_fn)(struct vault_sink_file *f, struct qc_err *err);

static void step(struct vault_sink_file *const *files, struct vault_sink_outcome *outcomes, size_t count,
                 step_fn fn)
{
    for (size_t i = 0; i < count; i++)
        if (is_live(files[i], &outcomes[i]))
            outcomes[i].rc = fn(files[i], &outcomes[i].why);
}

static qc_rc push(struct vault_sink_file *f, struct qc_err *err)
{
    (void)err;
    (void)sync_file_range(qc_fd_get(&f->file), 0, 0, SYNC_FILE_RANGE_WRITE); /* a hint */
    return QC_OK;
}

/* A directory that several share is synced behind the last of them. */
static void sync_dirs(struct vault_sink_file *const *files, struct vault_sink_outcome *outcomes, size_t count)
{
    const struct vault_sink_file *before = NULL;
    struct vault_sink_outcome last = { 0 };
    for (size_t i = 0; i < count; i++) {
        const struct vault_sink_file *f = files[i];
        if (!is_live(f, &outcomes[i]))
            continue;
        if (before == NULL || !same_dir(before, f))
            last.rc = qc_dir_sync(f->dir, &last.why);
        before = f;
        outcomes[i] = last;
    }
}

/* One wait for all that lie on a file system: docs/adr/0055. */
static void sync_all(struct vault_sink_file *const *files, struct vault_sink_outcome *outcomes, size_t count)
{
    struct vault_sink_outcome last = { 0 };
    bool any = false;
    dev_t device = 0;
    int before = -1;
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        if (!is_live(files[i], &outcomes[i]))
            continue;
        const int dir = files[i]->dir; /* opened before the first byte: errors since then are seen */
        if (dir == before) {
            outcomes[i] = last;
            continue;
        }
        if (fstat(dir, &st) != 0) {
            outcomes[i].rc = QC_FAIL_OS(&outcomes[i].why, "%s", files[i]->path);
            continue;
        }
        before = dir;
        if (!any || st.st_dev != device)
            last.rc = qc_sync_all(dir, &last.why);
        any = true;
        device = st.st_dev;
        outcomes[i] = last;
    }
}

static qc_rc part_is_safe(struct vault_sink_file *f, struct qc_err *err)
{
    (void)f;
    return qc_fault(client_part, err);
}

static size_t live(struct vault_sink_file *const *files, const struct vault_sink_outcome *outcomes,
                   size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += is_live(files[i], &outcomes[i]);
    return n;
}

/* Each step for all before the next one. Of few: the first sync finds the blocks of all on their way, and the
 * file system writes its journal once. */
void vault_sink_files_finish(struct vault_sink_file *const *files, struct vault_sink_outcome *outcomes,
                             size_t count)
{
    if (live(files, outcomes, count) >= QC_VAULT_BUNDLE_LEAST) {
        step(files, outcomes, count, end_part);
        sync_all(files, outcomes, count);
        step(files, outcomes, count, part_is_safe);
        step(files, outcomes, count, name_part);
        sync_all(files, outcomes, count);
        return;
    }
    step(files, outcomes, count, push);
    step(files, outcomes, count, sync_part);
    step(files, outcomes, count, name_part);
    step(files, outcomes, count, sync_mode);
    sync_dirs(files, outcomes, count);
}

/* Directory, unless the caller has it open, and last component of path. */
static qc_rc split(struct vault_sink_file *f, const char *path, struct qc_err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return QC_FAIL(err, QC_USAGE, "'%s' names no file", path);
    if (strlen(name) + sizeof(".part") > QC_FILE_NAME_MAX)
        return QC_FAIL(err, QC_USAGE, "'%s': the name is too long by some bytes for '.part' behind it", path);
    QC_CLEANUP(qc_buf_free) qc_buf dir = { .max = 65536 };
    QC_CLEANUP(qc_buf_free) qc_buf part = { .max = 512 };
    const char *text = NULL;
    if (slash == NULL)
        QC_TRY(qc_buf_add_str(&dir, ".", err));
    else if (f->dir < 0)
        QC_TRY(qc_buf_add(&dir, qc_span_of(path, slash == path ? 1 : (size_t)(slash - path)), err));
    if (f->dir < 0) {
        QC_TRY(qc_buf_cstr(&dir, &text, err));
        QC_TRY(qc_dir_open(&f->own, text, err));
        f->dir = qc_fd_get(&f->own);
    }
    QC_TRY(qc_buf_addf(&part, err, "%s.part", name));
    QC_TRY(qc_buf_cstr(&part, &text, err));
    f->name = qc_strdup(name);
    f->part = qc_strdup(text);
    f->path = qc_strdup(path);
    return f->name != NULL && f->part != NULL && f->path != NULL
               ? QC_OK
               : QC_FAIL(err, QC_NOMEM, "no memory for a file name");
}

qc_rc vault_sink_file_in(struct vault_sink_file **ret, int dir, const char *path, bool replace,
                         struct qc_err *err)
{
    QC_CLEANUP(vault_sink_file_free) struct vault_sink_file *f = qc_alloc(sizeof(*f));
    if (f == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a file");
    f->sink = (struct vault_sink){
        .begin = begin, .write = write_bytes, .finish = finish, .left = &left_ops, .ctx = f
    };
    f->replace = replace;
    f->dir = dir;
    QC_TRY(split(f, path, err));
    struct stat st;
    if (fstatat(f->dir, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (!replace)
            return QC_FAIL(err, QC_CONFLICT, "'%s' exists", path);
        if (S_ISDIR(st.st_mode))
            return QC_FAIL(err, QC_USAGE, "'%s' is a directory", path);
        if (!S_ISREG(st.st_mode) &&
            !S_ISLNK(st.st_mode)) { /* root could put a file in the place of /dev/null */
            qc_err_set(err, QC_USAGE, QC_HERE, "'%s' is no regular file, which --force could replace", path);
            err->next = "to write into it: qcloud get NAME - > FILE";
            return QC_USAGE;
        }
    } else if (errno != ENOENT)
        return QC_FAIL_OS(err, "cannot look at '%s'", path);
    *ret = QC_STEAL(f);
    return QC_OK;
}

qc_rc vault_sink_file_new(struct vault_sink_file **ret, const char *path, bool replace, struct qc_err *err)
{
    return vault_sink_file_in(ret, -1, path, replace, err);
}

static bool ends_in(qc_span s, qc_span end)
{
    return s.n >= end.n && qc_span_eq(qc_span_from(s, s.n - end.n), end);
}

bool vault_sink_file_beside(qc_span name)
{
    return ends_in(name, QC_LIT(".part")) || ends_in(name, QC_LIT(".part-link"));
}

qc_rc vault_sink_file_range(struct vault_sink_file *f, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf part = { .max = 512 };
    const char *text = NULL;
    QC_ASSERT(!f->looked && !f->made);
    if (strlen(f->name) + sizeof(".range.part") > QC_FILE_NAME_MAX)
        return QC_FAIL(err, QC_USAGE, "'%s': the name is too long by some bytes for '.range.part' behind it",
                       f->path);
    QC_TRY(qc_buf_addf(&part, err, "%s.range.part", f->name));
    QC_TRY(qc_buf_cstr(&part, &text, err));
    char *named = qc_strdup(text);
    if (named == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a file name");
    qc_free(f->part);
    f->part = named;
    return QC_OK;
}

static qc_rc fd_write(void *ctx, qc_span bytes, struct qc_err *err)
{
    const int *fd = ctx;
    QC_TRY_AS(qc_write_all(*fd, &bytes, 1, err), err, "output");
    return QC_OK;
}

struct vault_sink vault_sink_fd(int *fd)
{
    return (struct vault_sink){ .write = fd_write, .ctx = fd };
}

#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "vault/xattrs.h"

#define OUR_DIR ".qcloud-salvage"
#define INSTEAD "qcloud-unnamed"

enum { COMPARE = 65536, NAME_ROOM = QC_VAULT_NAME_MAX + 64 };

struct out {
    struct qc_fd top, ours, lock;
    char scratch[QC_SALVAGE_PATH_MAX + 64];
};

struct out_file {
    struct out *o;
    struct qc_fd tmp;
    bool made;
    unsigned without; /* attributes that the file system did not take */
    char as[NAME_ROOM], name[NAME_ROOM], instead[NAME_ROOM];
};

static const char tmp_name[] = "file";

/* -- the directory --------------------------------------------------------------------------------------- */

void out_close(struct out **op)
{
    struct out *o = *op;

    *op = NULL;
    if (o == NULL)
        return;
    if (qc_fd_is(&o->lock)) { /* what a run left is of no use to the next one */
        (void)unlinkat(qc_fd_get(&o->ours), "index.db", 0);
        (void)unlinkat(qc_fd_get(&o->ours), "index.db-journal", 0);
        (void)unlinkat(qc_fd_get(&o->ours), tmp_name, 0);
        (void)unlinkat(qc_fd_get(&o->ours), "lock", 0);
        (void)unlinkat(qc_fd_get(&o->top), OUR_DIR, AT_REMOVEDIR);
    }
    qc_fd_close(&o->lock);
    qc_fd_close(&o->ours);
    qc_fd_close(&o->top);
    qc_free(o);
}

/* What a run that was killed has left. */
static qc_rc sweep(const struct out *o, struct qc_err *err)
{
    static const char *const names[] = { "index.db", "index.db-journal", tmp_name };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (unlinkat(qc_fd_get(&o->ours), names[i], 0) != 0 && errno != ENOENT)
            return QC_FAIL_OS(err, "%s/%s", o->scratch, names[i]);
    return QC_OK;
}

qc_rc out_open(struct out **ret, const char *path, struct qc_err *err)
{
    QC_CLEANUP(out_close) struct out *o = qc_alloc(sizeof *o);

    if (o == NULL)
        return QC_FAIL(err, QC_NOMEM, "output");
    if (snprintf(o->scratch, sizeof o->scratch, "%s/" OUR_DIR, path) >= (int)sizeof o->scratch)
        return QC_FAIL(err, QC_USAGE, "the path of the output directory is too long");
    QC_TRY_AS(qc_dir_make_path(path, 0700, err), err, "%s", path);
    QC_TRY_AS(qc_dir_open(&o->top, path, err), err, "%s", path);
    QC_TRY(qc_dir_make_durable(qc_fd_get(&o->top), OUR_DIR, 0700, err));
    QC_TRY(qc_open_at(&o->ours, qc_fd_get(&o->top), OUR_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, err));
    QC_TRY(qc_lock_file(&o->lock, qc_fd_get(&o->ours), "lock", err));
    QC_TRY(sweep(o, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

const char *out_scratch(const struct out *o)
{
    return o->scratch;
}

/* -- a file ---------------------------------------------------------------------------------------------- */

void out_file_free(struct out_file **fp)
{
    struct out_file *f = *fp;

    *fp = NULL;
    if (f == NULL)
        return;
    if (f->made)
        (void)unlinkat(qc_fd_get(&f->o->ours), tmp_name, 0);
    qc_fd_close(&f->tmp);
    qc_free(f);
}

const char *out_file_as(const struct out_file *f)
{
    return f->as;
}

qc_rc out_file_new(struct out_file **ret, struct out *o, const struct out_name *name, struct qc_err *err)
{
    QC_CLEANUP(out_file_free) struct out_file *f = qc_alloc(sizeof *f);

    if (f == NULL)
        return QC_FAIL(err, QC_NOMEM, "output");
    f->o = o;
    QC_ASSERT(name->name.n < sizeof f->name - 32);
    if (name->name.n > 0)
        memcpy(f->name, name->name.p, name->name.n);
    (void)snprintf(f->instead, sizeof f->instead, INSTEAD "/%s", name->instead);
    QC_TRY(qc_open_at(&f->tmp, qc_fd_get(&o->ours), tmp_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600,
                      err));
    f->made = true;
    QC_TRY(out_file_suffix(f, name->suffix, err));
    *ret = QC_STEAL(f);
    return QC_OK;
}

qc_rc out_file_suffix(struct out_file *f, const char *suffix, struct qc_err *err)
{
    const size_t a = strlen(f->name), b = strlen(f->instead), n = strlen(suffix);

    if (a + n >= sizeof f->name || b + n >= sizeof f->instead)
        return QC_FAIL(err, QC_LIMIT, "name: too long");
    if (a > 0)
        memcpy(f->name + a, suffix, n + 1);
    memcpy(f->instead + b, suffix, n + 1);
    return QC_OK;
}

qc_rc out_file_write(struct out_file *f, uint64_t at, qc_span bytes, struct qc_err *err)
{
    return qc_pwrite_all(qc_fd_get(&f->tmp), bytes, at, err);
}

/* -- names ----------------------------------------------------------------------------------------------- */

/* The directory of a name, made where it is missing, and the last component. Errors as errno. */
static int parent_of(const struct out *o, const char *name, struct qc_fd *ret, const char **ret_last)
{
    struct qc_fd at = qc_fd_own(dup(qc_fd_get(&o->top)));
    char part[QC_FILE_NAME_MAX + 1];

    for (const char *slash; (slash = strchr(name, '/')) != NULL; name = slash + 1) {
        const size_t n = (size_t)(slash - name);
        if (n > QC_FILE_NAME_MAX) {
            qc_fd_close(&at);
            return ENAMETOOLONG;
        }
        memcpy(part, name, n);
        part[n] = '\0';
        if (mkdirat(qc_fd_get(&at), part, 0700) == 0)
            (void)fsync(
                qc_fd_get(&at)); /* a directory that is lost in a crash is made again by the next run */
        const int next = openat(qc_fd_get(&at), part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        const int e = errno;
        qc_fd_close(&at);
        if (next < 0)
            return e;
        at = qc_fd_own(next);
    }
    *ret = at;
    *ret_last = name;
    return 0;
}

static qc_rc same_bytes(int a, int b, uint64_t size, bool *ret, struct qc_err *err)
{
    uint8_t x[COMPARE], y[COMPARE];

    *ret = true;
    for (uint64_t at = 0; at < size && *ret; at += sizeof x) {
        size_t n = 0, m = 0;
        QC_TRY(qc_pread_full(a, x, sizeof x, at, &n, err));
        QC_TRY(qc_pread_full(b, y, sizeof y, at, &m, err));
        *ret = n == m && memcmp(x, y, n) == 0;
    }
    return QC_OK;
}

/* Is what stands there what we would put there? */
static qc_rc compare(const struct out_file *f, int dir, const char *last, uint64_t size, bool *ret_same,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct stat st;

    *ret_same = false;
    QC_TRY(qc_open_at(&fd, dir, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, err));
    if (fstat(qc_fd_get(&fd), &st) != 0)
        return QC_FAIL_OS(err, "stat");
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
        return QC_OK;
    return same_bytes(qc_fd_get(&fd), qc_fd_get(&f->tmp), size, ret_same, err);
}

/* The file system does not take this name; another one it does. */
static bool does_not_fit(int e)
{
    return e == ENOTDIR || e == ELOOP || e == ENAMETOOLONG || e == EISDIR || e == EILSEQ || e == EINVAL;
}

/* *ret_fits false: the file system does not take this name, or a directory stands there. */
static qc_rc settle(struct out_file *f, const char *name, uint64_t size, bool *ret_fits, bool *ret_present,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    const char *last = name;
    struct stat st;
    int e = parent_of(f->o, name, &dir, &last);

    *ret_fits = true;
    (void)snprintf(f->as, sizeof f->as, "%s", name);
    if (e == 0 && fstatat(qc_fd_get(&dir), last, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
        e = EISDIR;
    if (e == 0 && renameat2(qc_fd_get(&f->o->ours), tmp_name, qc_fd_get(&dir), last, RENAME_NOREPLACE) != 0)
        e = errno;
    if (e == EINVAL &&
        linkat(qc_fd_get(&f->o->ours), tmp_name, qc_fd_get(&dir), last, 0) == 0) /* without NOREPLACE */
        e = unlinkat(qc_fd_get(&f->o->ours), tmp_name, 0) == 0 ? 0 : errno;
    *ret_fits = !does_not_fit(e);
    if (!*ret_fits)
        return QC_OK;
    if (e == EEXIST) {
        QC_TRY_AS(compare(f, qc_fd_get(&dir), last, size, ret_present, err), err, "%s", name);
        return *ret_present ? QC_OK
                            : QC_FAIL(err, QC_CONFLICT, "something else stands under its name in the output");
    }
    if (e != 0)
        return QC_FAIL_ERRNO(err, e, "giving '%s' its name", name);
    f->made = false;
    return qc_dir_sync(qc_fd_get(&dir), err);
}

/* Whatever stands under the name of a folder that is one already may stay. Its owner may write to it: more
 * may come. Errors as errno. */
static int make_folder(struct out_file *f, const struct vault_meta *meta)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd made = { 0 };
    const char *last = f->name;
    int e = parent_of(f->o, f->name, &dir, &last);

    if (e == 0 && mkdirat(qc_fd_get(&dir), last, 0700) != 0 && errno != EEXIST)
        e = errno;
    if (e == 0) {
        made = qc_fd_own(openat(qc_fd_get(&dir), last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        e = qc_fd_get(&made) < 0 ? errno : 0;
    }
    if (e == 0 && (fchmod(qc_fd_get(&made), 0700 | (meta->mode & 0777)) != 0 || fsync(qc_fd_get(&dir)) != 0))
        e = errno;
    (void)snprintf(f->as, sizeof f->as, "%s", f->name);
    return e;
}

qc_rc out_file_finish(struct out_file *f, uint64_t size, const struct vault_meta *meta, bool *ret_present,
                      struct qc_err *err)
{
    const int fd = qc_fd_get(&f->tmp);
    bool fits = false;
    int unused = 0;

    *ret_present = false;
    if (meta->has_mode && S_ISDIR(meta->mode) && f->name[0] != '\0') {
        const int e = make_folder(f, meta);
        if (e == 0 || !does_not_fit(e))
            return e == 0 ? QC_OK : QC_FAIL_ERRNO(err, e, "making the folder '%s'", f->name);
        f->name[0] = '\0';
    }
    if (ftruncate(fd, (off_t)size) != 0)
        return QC_FAIL_OS(err, "output");
    f->without = vault_xattrs_write(fd, meta->xattrs, &unused);
    if (meta->has_mtime) {
        const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { meta->mtime_s, meta->mtime_ns } };
        if (futimens(fd, times) != 0)
            return QC_FAIL_OS(err, "output: its time");
    }
    if (meta->has_mode && !S_ISLNK(meta->mode) && fchmod(fd, meta->mode & 0777) != 0) /* never a set-id bit */
        return QC_FAIL_OS(err, "output: its mode");
    QC_TRY_AS(qc_sync(fd, err), err, "output");
    if (f->name[0] != '\0')
        QC_TRY(settle(f, f->name, size, &fits, ret_present, err));
    if (!fits)
        QC_TRY(settle(f, f->instead, size, &fits, ret_present, err));
    return fits ? QC_OK : QC_FAIL(err, QC_IO, "the output takes no name for it");
}

unsigned out_file_without(const struct out_file *f)
{
    return f->without;
}

/* Directories and lock files of base/file.h. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "file_internal.h"

qc_rc qc_dir_open(struct qc_fd *ret, const char *path, struct qc_err *err)
{
    return qc_open_at(ret, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, err);
}

qc_rc qc_dir_sync(int dirfd, struct qc_err *err)
{
    if (fsync(dirfd) != 0)
        return QC_FAIL_OS(err, "fsync of %s", qc_path_of(dirfd).s);
    return QC_OK;
}

qc_rc qc_file_remove(int dirfd, const char *name, struct qc_err *err)
{
    QC_ASSERT(qc_name_ok(name));
    if (unlinkat(dirfd, name, 0) != 0 && errno != ENOENT)
        return QC_FAIL_OS(err, "removing %s in %s", name, qc_path_of(dirfd).s);
    /* Also where it was gone already: the earlier removal may not have been synced. */
    QC_TRY_AS(qc_dir_sync(dirfd, err), err, "removing %s", name);
    return QC_OK;
}

/* Remove one temporary file, unless its writer lives (holds the flock). */
static void sweep_one(int dirfd, const char *name)
{
    struct qc_err unused = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };

    if (qc_open_at(&fd, dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &unused) != QC_OK)
        return; /* gone, or not ours */
    if (flock(qc_fd_get(&fd), LOCK_EX | LOCK_NB) == 0)
        unlinkat(dirfd, name, 0);
}

void qc_list_close(DIR **d)
{
    if (*d != NULL)
        closedir(*d);
    *d = NULL;
}

qc_rc qc_tmp_sweep(int dirfd, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };

    QC_TRY(qc_open_at(&fd, dirfd, ".", O_RDONLY | O_DIRECTORY, 0, err));
    QC_CLEANUP(qc_list_close) DIR *d = fdopendir(qc_fd_get(&fd));
    if (d == NULL)
        return QC_FAIL_OS(err, "listing a directory");
    fd = (struct qc_fd){ 0 }; /* d owns it now */
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(d);
        if (e == NULL)
            break;
        if (strncmp(e->d_name, QC_TMP_PREFIX, sizeof QC_TMP_PREFIX - 1) == 0)
            sweep_one(dirfd, e->d_name);
    }
    if (errno != 0)
        return QC_FAIL_OS(err, "listing a directory");
    return QC_OK;
}

qc_rc qc_dir_make_durable(int dirfd, const char *name, mode_t mode, struct qc_err *err)
{
    struct stat st;

    QC_ASSERT(qc_name_ok(name));
    if (mkdirat(dirfd, name, mode) != 0 && errno != EEXIST)
        return QC_FAIL_OS(err, "making the directory %s in %s", name, qc_path_of(dirfd).s);
    if (fstatat(dirfd, name, &st, 0) != 0)
        return QC_FAIL_OS(err, "%s", name);
    if (!S_ISDIR(st.st_mode))
        return QC_FAIL_ERRNO(err, ENOTDIR, "%s", name);
    QC_TRY_AS(qc_dir_sync(dirfd, err), err, "making the directory %s", name);
    return QC_OK;
}

/* The next component of *path into name; false at the end. */
static bool next_component(const char **path, char name[QC_FILE_NAME_MAX + 1], bool *ret_fits)
{
    *path += strspn(*path, "/");
    size_t n = strcspn(*path, "/");

    *ret_fits = n <= QC_FILE_NAME_MAX;
    if (n == 0 || !*ret_fits)
        return false;
    memcpy(name, *path, n);
    name[n] = '\0';
    *path += n;
    return true;
}

/* One component below at: made, durably; or it is there, and last: whoever made it may have been killed
 * before his fsync. What exists is not touched: a parent that we may not write to, or not even read, is no
 * failure. */
static qc_rc make_component(int at, const char *name, mode_t mode, bool last, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    struct stat st;
    const bool there = fstatat(at, name, &st, 0) == 0;

    if (there && !last)
        return QC_OK;
    const qc_rc rc = qc_open_at(&dir, at, ".", O_RDONLY | O_DIRECTORY, 0, err); /* at does not sync */
    if (there && rc == QC_AUTH) {
        qc_err_clear(err);
        return QC_OK;
    }
    QC_TRY(rc);
    return there ? qc_dir_sync(qc_fd_get(&dir), err) : qc_dir_make_durable(qc_fd_get(&dir), name, mode, err);
}

qc_rc qc_dir_make_path(const char *path, mode_t mode, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd at = { 0 };
    char name[QC_FILE_NAME_MAX + 1];
    const char *rest = path;
    bool fits = true;

    QC_TRY(qc_open_at(&at, AT_FDCWD, path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY, 0, err));
    while (next_component(&rest, name, &fits)) {
        QC_CLEANUP(qc_fd_close) struct qc_fd below = { 0 };
        const bool last = rest[strspn(rest, "/")] == '\0';

        QC_TRY_AS(make_component(qc_fd_get(&at), name, mode, last, err), err, "%s", path);
        QC_TRY_AS(qc_open_at(&below, qc_fd_get(&at), name, O_PATH | O_DIRECTORY, 0, err), err, "%s", path);
        qc_fd_close(&at);
        at = QC_STEAL(below);
    }
    if (!fits)
        return QC_FAIL(err, QC_LIMIT, "%s: a name of more than %d bytes", path, QC_FILE_NAME_MAX);
    return QC_OK;
}

enum { HOLDER_MAX = 160 };

/* "4121 qcloud lab2 2026-11-03T09:14:02Z": words, for people; the process first, and all of it may be
 * missing. */
static int holder_of(char out[HOLDER_MAX])
{
    char host[64] = "", since[QC_TIME_TEXT];
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        (void)snprintf(host, sizeof host, "?");
    qc_time_text(qc_wall_s(), since);
    return snprintf(out, HOLDER_MAX, "%ld %.40s %.63s %s\n", (long)getpid(), program_invocation_short_name,
                    host, since);
}

/* The next word, and nothing that could move a terminal. */
static void take_word(const char **text, char *out, size_t size)
{
    size_t n = 0;
    *text += strspn(*text, " ");
    for (; **text > ' ' && **text < 0x7f; (*text)++)
        if (n + 1 < size)
            out[n++] = **text;
    out[n] = '\0';
}

static qc_rc held(const char *name, const char *text, struct qc_err *err)
{
    char pid[24], program[41], host[64], since[32];
    take_word(&text, pid, sizeof pid);
    take_word(&text, program, sizeof program);
    take_word(&text, host, sizeof host);
    take_word(&text, since, sizeof since);
    if (since[0] == '\0')
        return QC_FAIL(err, QC_LOCKED, "%s is locked by process %s", name,
                       pid[0] != '\0' ? pid : "(unknown)");
    return QC_FAIL(err, QC_LOCKED, "%s is locked by %s (process %s on host %s, since %s)", name, program, pid,
                   host, since);
}

qc_rc qc_lock_file(struct qc_fd *ret, int dirfd, const char *name, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    char text[HOLDER_MAX] = { 0 };
    struct qc_err unused = { 0 };
    size_t n = 0;

    QC_ASSERT(qc_name_ok(name));
    QC_TRY(qc_open_at(&fd, dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, err));
    if (flock(qc_fd_get(&fd), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return QC_FAIL_OS(err, "locking %s", name);
        qc_ignore(qc_pread_full(qc_fd_get(&fd), (uint8_t *)text, sizeof text - 1, 0, &n, &unused),
                  "who it is is a courtesy");
        return held(name, text, err);
    }
    const int len = holder_of(text);
    QC_ASSERT(len > 0 && len < HOLDER_MAX);
    if (ftruncate(qc_fd_get(&fd), 0) != 0)
        return QC_FAIL_OS(err, "locking %s", name);
    QC_TRY_AS(qc_pwrite_all(qc_fd_get(&fd), qc_span_of(text, (size_t)len), 0, err), err, "locking %s", name);
    *ret = QC_STEAL(fd);
    return QC_OK;
}

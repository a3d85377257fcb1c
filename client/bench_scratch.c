/* bench: the one folder in which all that is measured lies. Its lock is on the folder itself, so that what a
 * bench that was killed has left is told from one that lives. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bench.h"
#include "home/gateway_start.h"
#include "signals.h"
#include "text.h"

#define PREFIX "qcloud-bench-"
#define MARK   "made-by-qcloud-bench" /* without it nothing in a folder is touched */
enum { DEPTH = 64, NAME_TRIES = 16, PIECE = 1024 * 1024 };

/* -- trees ----------------------------------------------------------------------------------------------- */

enum what { REMOVE, FORGET, ADD_UP };
struct walk {
    enum what what;
    uint64_t bytes;
    int error; /* the first one that matters */
};

static void visit(struct walk *w, int dirfd, const char *name, const struct stat *st)
{
    if (w->what == ADD_UP) {
        w->bytes += (uint64_t)st->st_size;
    } else if (w->what == REMOVE) {
        if (unlinkat(dirfd, name, 0) != 0 && w->error == 0)
            w->error = errno;
    } else if (S_ISREG(st->st_mode)) {
        QC_CLEANUP(qc_fd_close)
        struct qc_fd fd = qc_fd_own(openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (qc_fd_is(&fd)) /* else it has gone meanwhile: a gateway's journal, say */
            (void)posix_fadvise(qc_fd_get(&fd), 0, 0, POSIX_FADV_DONTNEED);
    }
}

/* All that is beneath, no link followed; of a scratch folder not its mark, which goes last: what is left of a
 * removal that is broken off is still known for what it is. */
static void walk(struct walk *w, int dirfd, unsigned depth)
{
    const int own = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* the list closes it */
    QC_CLEANUP(qc_list_close) DIR *d = own < 0 ? NULL : fdopendir(own);
    if (d == NULL && w->error == 0)
        w->error = errno;
    for (const struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            (w->what == REMOVE && depth == DEPTH && strcmp(e->d_name, MARK) == 0) ||
            fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (!S_ISDIR(st.st_mode)) {
            visit(w, dirfd, e->d_name, &st);
            continue;
        }
        QC_CLEANUP(qc_fd_close)
        struct qc_fd sub =
            qc_fd_own(openat(dirfd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (qc_fd_is(&sub) && depth > 0)
            walk(w, qc_fd_get(&sub), depth - 1);
        if (w->what == REMOVE && unlinkat(dirfd, e->d_name, AT_REMOVEDIR) != 0 && w->error == 0)
            w->error = errno;
    }
}

qc_rc bench_scratch_drop(const struct bench_scratch *s, const char *name, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct walk w = { .what = REMOVE };
    const int dir = qc_fd_get(&s->dir);
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return QC_OK;
    QC_TRY(qc_open_at(&fd, dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, err));
    walk(&w, qc_fd_get(&fd), DEPTH);
    if (w.error == 0 && unlinkat(dir, name, AT_REMOVEDIR) != 0)
        w.error = errno;
    return w.error == 0 ? QC_OK : QC_FAIL_ERRNO(err, w.error, "removing %s/%s", s->path, name);
}

qc_rc bench_scratch_cold(const struct bench_scratch *s, struct qc_err *err)
{
    struct walk w = { .what = FORGET };
    QC_TRY(qc_sync_all(qc_fd_get(&s->dir), err)); /* what is dirty stays in memory */
    walk(&w, qc_fd_get(&s->dir), DEPTH);
    return w.error == 0 ? QC_OK : QC_FAIL_ERRNO(err, w.error, "reading %s", s->path);
}

qc_rc bench_scratch_size(const struct bench_scratch *s, const char *name, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct walk w = { .what = ADD_UP };
    QC_TRY(qc_open_at(&fd, qc_fd_get(&s->dir), name, O_RDONLY | O_DIRECTORY, 0, err));
    walk(&w, qc_fd_get(&fd), DEPTH);
    *ret = w.bytes;
    return w.error == 0 ? QC_OK : QC_FAIL_ERRNO(err, w.error, "reading %s/%s", s->path, name);
}

/* -- the folder ------------------------------------------------------------------------------------------ */

static const char *place(void)
{
    const char *dir = getenv("TMPDIR");
    return dir != NULL && dir[0] == '/' ? dir : "/var/tmp";
}

/* Ours alone, and locked now: whoever made it is dead. */
static bool is_left(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0700 && st.st_uid == geteuid() &&
           flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* With what was not removed there is nothing to be done here: the next bench tries again. */
static void sweep_one(int dirfd, const char *name)
{
    struct qc_err none = { 0 };
    struct bench_scratch s = { 0 };
    QC_CLEANUP(qc_fd_close)
    struct qc_fd fd = qc_fd_own(openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!qc_fd_is(&fd) || !is_left(qc_fd_get(&fd)))
        return;
    if (faccessat(qc_fd_get(&fd), MARK, F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
        (void)unlinkat(dirfd, name, AT_REMOVEDIR); /* of one that had come no further, and is empty */
        return;
    }
    if (places_join(place(), name, s.path, &none) != QC_OK)
        return;
    s.dir = QC_STEAL(fd);
    qc_ignore(bench_scratch_remove(&s, &none), "the next bench tries again");
}

static void sweep(int dirfd)
{
    const int own = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* the list closes it */
    QC_CLEANUP(qc_list_close) DIR *d = own < 0 ? NULL : fdopendir(own);
    for (const struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d))
        if (strncmp(e->d_name, PREFIX, sizeof PREFIX - 1) == 0)
            sweep_one(dirfd, e->d_name);
}

/* Another bench may sweep it before it is locked: then it is another one's turn. */
static qc_rc make_locked(struct bench_scratch *ret, struct qc_err *err)
{
    for (unsigned i = 0; i < NAME_TRIES; i++) {
        QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
        struct stat here, there;
        QC_TRY(places_join(place(), PREFIX "XXXXXX", ret->path, err));
        if (mkdtemp(ret->path) == NULL)
            return QC_FAIL_OS(err, "a folder in %s (TMPDIR says another place)", place());
        if (qc_dir_open(&fd, ret->path, err) != QC_OK || flock(qc_fd_get(&fd), LOCK_EX | LOCK_NB) != 0 ||
            fstat(qc_fd_get(&fd), &here) != 0 || stat(ret->path, &there) != 0 ||
            here.st_ino != there.st_ino) {
            qc_err_clear(err);
            continue;
        }
        ret->dir = QC_STEAL(fd);
        return QC_OK;
    }
    return QC_FAIL(err, QC_TEMP, "no folder of one's own in %s", place());
}

static qc_rc has_room(const char *dir, uint64_t bytes, struct qc_err *err)
{
    struct statfs v;
    char room[TEXT_SIZE], wanted[TEXT_SIZE];
    if (statfs(dir, &v) != 0)
        return QC_FAIL_OS(err, "%s", dir);
    const uint64_t free_bytes = (uint64_t)v.f_bavail * (uint64_t)v.f_bsize;
    if (free_bytes >= bytes)
        return QC_OK;
    text_size(free_bytes, room);
    text_size(bytes, wanted);
    return QC_FAIL(err, QC_FULL,
                   "%s has %s left, and up to %s are needed; --size takes less, TMPDIR says another place",
                   dir, room, wanted);
}

qc_rc bench_scratch_make(struct bench_scratch *ret, uint64_t bytes, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd mark = { 0 };
    if (qc_dir_open(&dir, place(), err) != QC_OK) {
        qc_err_clear(err);
        return QC_FAIL(err, QC_USAGE, "%s is no directory that can be opened; TMPDIR says another one",
                       place());
    }
    sweep(qc_fd_get(&dir));
    QC_TRY(has_room(place(), bytes, err));
    QC_TRY(make_locked(ret, err));
    return qc_open_at(&mark, qc_fd_get(&ret->dir), MARK, O_WRONLY | O_CREAT | O_EXCL, 0600, err);
}

qc_rc bench_scratch_remove(struct bench_scratch *s, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = QC_STEAL(s->dir);
    struct places p;
    char home[QC_CLIENT_PATH_MAX];
    struct walk w = { .what = REMOVE };
    if (!qc_fd_is(&dir))
        return QC_OK;
    QC_TRY(places_join(s->path, "home", home, err));
    QC_TRY(places_beneath(home, &p, err));
    if (access(p.gateway, F_OK) == 0)
        QC_TRY(gateway_stop(p.gateway, NULL, err)); /* after a Ctrl-C, too */
    walk(&w, qc_fd_get(&dir), DEPTH);
    if (w.error == 0 && ((unlinkat(qc_fd_get(&dir), MARK, 0) != 0 && errno != ENOENT) || rmdir(s->path) != 0))
        w.error = errno;
    return w.error == 0 ? QC_OK : QC_FAIL_ERRNO(err, w.error, "removing %s", s->path);
}

qc_rc bench_scratch_path(const struct bench_scratch *s, const char *name, char ret[QC_CLIENT_PATH_MAX],
                         struct qc_err *err)
{
    return places_join(s->path, name, ret, err);
}

bool bench_scratch_in_memory(const struct bench_scratch *s)
{
    struct statfs v;
    return fstatfs(qc_fd_get(&s->dir), &v) == 0 && (v.f_type == TMPFS_MAGIC || v.f_type == RAMFS_MAGIC);
}

qc_rc bench_scratch_fill(const struct bench_scratch *s, const char *name, uint64_t size, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) uint8_t *room = qc_alloc(PIECE);
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct bench_made made = { .left = size, .next = qc_now_ns() };
    char path[QC_CLIENT_PATH_MAX];
    size_t got = 0;
    if (room == NULL)
        return QC_FAIL(err, QC_NOMEM, "%d bytes", PIECE);
    QC_TRY(bench_scratch_path(s, name, path, err));
    QC_TRY(qc_open_at(&fd, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600, err));
    while (made.left > 0) {
        QC_TRY(qc_go_on(QC_NO_DEADLINE, signals_cancel(), "bench", err));
        QC_TRY(bench_make(&made, room, PIECE, &got, err));
        const qc_span part = qc_span_of(room, got);
        QC_TRY(qc_write_all(qc_fd_get(&fd), &part, 1, err));
    }
    return QC_OK;
}

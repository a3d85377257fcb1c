/* doctor: what commands and gateways that were killed left behind.
 *
 * Nothing is removed that may hold a byte of anybody's: a file of a replacement that never got its name is
 * (what it should have replaced is whole), a socket is. A put in the journal is settled as the next put
 * would, by what the gateway says of it; one that can go on stays. NAME.part has verified bytes, and may be a
 * file of the user's own: it is named.
 *
 * Locks are the system's (flock): they go with the process that has them, however it ends, and no boot
 * outlives them. A lock's file that nobody holds is none, and stays: to remove it would give the next two
 * commands a file each. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "bench.h"
#include "doctor.h"
#include "home/gateway_start.h"
#include "remote.h"
#include "text.h"

/* -- our own directories --------------------------------------------------------------------------------- */

/* Files with this beginning; a directory that is not there has none. */
static uint64_t count_named(const char *path, const char *beginning)
{
    QC_CLEANUP(qc_list_close) DIR *d = opendir(path);
    uint64_t n = 0;
    for (const struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d))
        n += strncmp(e->d_name, beginning, strlen(beginning)) == 0;
    return n;
}

/* Of replacements that a kill or a power cut stopped: swept but those that a living process holds. */
static qc_rc sweep(struct doctor *d, const char *path, uint64_t *ret_there, uint64_t *ret_gone,
                   struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    const uint64_t there = path[0] != '\0' ? count_named(path, ".tmp-") : 0;
    if (there == 0)
        return QC_OK;
    *ret_there += there;
    if (!d->fix)
        return QC_OK;
    QC_TRY(qc_dir_open(&dir, path, err));
    QC_TRY_AS(qc_tmp_sweep(qc_fd_get(&dir), err), err, "%s", path);
    bench_sweep(qc_fd_get(&dir));
    *ret_gone += there - count_named(path, ".tmp-");
    return QC_OK;
}

/* The socket of a gateway that is not there any more. The lock shuts out one that is about to start. */
static qc_rc dead_socket(struct doctor *d, bool *ret_there, bool *ret_gone, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd lock = { 0 };
    struct qc_err why = { 0 };
    struct stat st;
    if (remote_is(d->c) || qc_dir_open(&dir, d->c->places.gateway, &why) != QC_OK ||
        fstatat(qc_fd_get(&dir), GATEWAY_SOCKET, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISSOCK(st.st_mode) ||
        gateway_answers(qc_fd_get(&dir), &why) != QC_TEMP)
        return QC_OK;
    *ret_there = true;
    if (!d->fix || qc_lock_file(&lock, qc_fd_get(&dir), "lock", &why) != QC_OK ||
        gateway_answers(qc_fd_get(&dir), &why) != QC_TEMP)
        return QC_OK;
    QC_TRY_AS(qc_file_remove(qc_fd_get(&dir), GATEWAY_SOCKET, err), err, "%s", d->c->places.gateway);
    *ret_gone = true;
    return QC_OK;
}

/* -- the user's folders ---------------------------------------------------------------------------------- */

struct parts {
    uint64_t count, seen;
    char named[QC_CLIENT_LEFT_NAMED][QC_CLIENT_PATH_MAX];
};

/* As a get leaves it (vault/sink_file.c). */
static bool is_part(const FTSENT *e)
{
    static const char end[] = ".part";
    enum { END = sizeof end - 1 };
    return e->fts_info == FTS_F && e->fts_namelen > END &&
           strcmp(e->fts_name + e->fts_namelen - END, end) == 0 && (e->fts_statp->st_mode & 07777) == 0600 &&
           e->fts_statp->st_nlink == 1 && e->fts_statp->st_uid == geteuid();
}

static void tree_close(FTS **t)
{
    if (*t != NULL)
        fts_close(*t);
}

static qc_rc look_through(const char *path, struct parts *p, struct qc_err *err)
{
    char root[QC_CLIENT_PATH_MAX];
    struct stat st;
    QC_TRY(places_absolute(path, root, err));
    if (stat(root, &st) != 0)
        return QC_FAIL_OS(err, "%s", root);
    char *const roots[] = { root, NULL };
    QC_CLEANUP(tree_close) FTS *t = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    if (t == NULL)
        return QC_FAIL_OS(err, "%s", root);
    for (FTSENT *e = fts_read(t); e != NULL && p->seen < QC_CLIENT_LEFT_SEEN; e = fts_read(t)) {
        p->seen++;
        if (!is_part(e))
            continue;
        if (p->count < QC_CLIENT_LEFT_NAMED)
            (void)snprintf(p->named[p->count], sizeof p->named[0], "%s", e->fts_path);
        p->count++;
    }
    return QC_OK;
}

static qc_rc tell_parts(struct doctor *d, const struct parts *p, struct qc_err *err)
{
    for (uint64_t i = 0; i < p->count && i < QC_CLIENT_LEFT_NAMED; i++)
        QC_TRY(doctor_tell(d, QC_OK, NULL, err,
                           "%.300s was left by a get that was interrupted, or is a file of yours: the same "
                           "get goes on from there; nothing needs it",
                           p->named[i]));
    if (p->count > QC_CLIENT_LEFT_NAMED)
        QC_TRY(doctor_tell(d, QC_OK, NULL, err, "and %" PRIu64 " more such files",
                           p->count - QC_CLIENT_LEFT_NAMED));
    if (p->seen >= QC_CLIENT_LEFT_SEEN)
        QC_TRY(doctor_tell(d, QC_DEGRADED, "name a smaller folder", err, "only %d files were looked at",
                           QC_CLIENT_LEFT_SEEN));
    return QC_OK;
}

qc_rc doctor_leftovers(struct doctor *d, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct parts *parts = qc_alloc(sizeof *parts);
    const struct client *c = d->c;
    char certificates[QC_CLIENT_PATH_MAX];
    const char *const places[] = { c->places.conf_dir, c->places.state, certificates, c->conf.share[0],
                                   c->conf.share[1] };
    uint64_t there = 0, gone = 0;
    bool is_socket = false, is_removed = false;
    if (parts == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *parts);
    QC_TRY(places_join(c->places.state, "certificates", certificates, err));
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        QC_TRY(sweep(d, places[i], &there, &gone, err));
    QC_TRY(dead_socket(d, &is_socket, &is_removed, err));
    for (int i = 0; i < d->args->argc; i++)
        QC_TRY(look_through(d->args->argv[i], parts, err));
    QC_TRY(tell_parts(d, parts, err));
    if (gone > 0)
        QC_TRY(doctor_tell(d, QC_OK, NULL, err,
                           "%" PRIu64 " file%s removed that never got %s name: of writes that were killed",
                           gone, text_s(gone), gone == 1 ? "its" : "their"));
    else if (there > 0)
        QC_TRY(doctor_tell(d, QC_OK, NULL, err,
                           "%" PRIu64
                           " file%s of writes that were killed, or are under way, beside what they "
                           "should have replaced, which is whole; --fix removes those of the dead",
                           there, text_s(there)));
    if (is_socket)
        QC_TRY(doctor_tell(d, QC_OK, NULL, err, "the socket of a gateway that was killed %s",
                           is_removed ? "was removed" : "is there; the next start, or --fix, removes it"));
    return there > 0 || is_socket || parts->count > 0
               ? QC_OK
               : doctor_tell(d, QC_OK, NULL, err, "no command that was killed left anything");
}

/* -- puts ------------------------------------------------------------------------------------------------ */

/* By what the gateway says of each, as the next put would do it. *ret: those that are left. */
static qc_rc settle(struct doctor *d, uint64_t *ret, struct qc_err *err)
{
    struct client *c = d->c;
    struct vault_conf conf;
    struct vault_local_status now = { 0 };
    if (c->vault == NULL)
        QC_TRY(client_open(c, err));
    struct vault_call call = client_call(c);
    const qc_rc rc = vault_settle(c->vault, &call, err);
    client_tell_notes(c, rc, (qc_span){ 0 });
    QC_TRY(rc);
    QC_TRY(client_vault_conf(c, &conf, err));
    QC_TRY(vault_status_local(&now, &conf, err));
    *ret = now.unfinished - now.waiting;
    return QC_OK;
}

/* Erasures that were cut off: their drafts. Nothing of them is for --fix: who says what goes is the user. */
static qc_rc tell_drafts(struct doctor *d, struct qc_err *err)
{
    static const char end[] = ".draft";
    char folder[QC_CLIENT_PATH_MAX];
    uint64_t n = 0;
    QC_TRY(places_join(d->c->places.state, "certificates", folder, err));
    QC_CLEANUP(qc_list_close) DIR *list = opendir(folder);
    for (const struct dirent *e = list != NULL ? readdir(list) : NULL; e != NULL; e = readdir(list)) {
        const size_t length = strlen(e->d_name);
        n += length > sizeof end - 1 && strcmp(e->d_name + length - (sizeof end - 1), end) == 0;
    }
    if (n == 0)
        return QC_OK;
    return doctor_tell(d, QC_DEGRADED, "qcloud certificate ls names them; the same rm --erase ends each", err,
                       "%" PRIu64 " erasure%s cut off, and not certified", n, n == 1 ? " was" : "s were");
}

qc_rc doctor_unfinished(struct doctor *d, struct qc_err *err)
{
    const struct vault_local_status *l = &d->s.local;
    const uint64_t before = l->unfinished - l->waiting;
    uint64_t left = before;
    struct qc_err why = { 0 };
    QC_TRY(tell_drafts(d, err));
    if (before > 0 && d->fix) {
        const qc_rc rc = settle(d, &left, &why);
        if (rc == QC_CANCELLED) {
            *err = why;
            return rc;
        }
        if (rc != QC_OK)
            return doctor_tell_error(d, &why, err);
        if (left < before)
            QC_TRY(doctor_tell(d, QC_OK, NULL, err,
                               "%" PRIu64
                               " interrupted put%s settled: committed whole, or nothing of it is seen",
                               before - left, text_s(before - left)));
    }
    if (left > 0)
        QC_TRY(doctor_tell(d, QC_DEGRADED, "qcloud doctor --fix, or any put", err,
                           "%" PRIu64 " interrupted put%s not settled yet", left,
                           left == 1 ? " is" : "s are"));
    if (l->waiting > 0)
        QC_TRY(doctor_tell(d, QC_OK, NULL, err,
                           "%" PRIu64 " interrupted put%s for the same command, which goes on with what is "
                           "stored; rm of the name gives it up",
                           l->waiting, l->waiting == 1 ? " waits" : "s wait"));
    return before > 0 || l->waiting > 0 ? QC_OK : doctor_tell(d, QC_OK, NULL, err, "no put was interrupted");
}

/* -- locks ----------------------------------------------------------------------------------------------- */

struct held {
    qc_buf locks; /* the system's table */
    uint64_t count, orphans;
};

static void held_done(struct held *h)
{
    qc_buf_free(&h->locks);
}

/* Who has a file locked, by the system's own table; 0: nobody. -1: another machine, or another container. */
static long holder_of(const struct held *h, const struct stat *st)
{
    char want[64];
    const qc_span all = qc_buf_span(&h->locks);
    const int n = snprintf(want, sizeof want, " %02x:%02x:%" PRIu64 " ", major(st->st_dev), minor(st->st_dev),
                           (uint64_t)st->st_ino);
    const uint8_t *at = all.n > 0 ? memmem(all.p, all.n, want, (size_t)n) : NULL;
    long pid = 0;
    if (at == NULL)
        return 0;
    const uint8_t *from = at;
    while (from > all.p && from[-1] != ' ')
        from--;
    while (from < at && *from >= '0' && *from <= '9' && pid < 100000000)
        pid = pid * 10 + (*from++ - '0');
    return from == at && pid > 0 ? pid : -1;
}

static bool is_lock(const char *name)
{
    const size_t n = strlen(name);
    return strcmp(name, "lock") == 0 || (n > 5 && strcmp(name + n - 5, ".lock") == 0);
}

/* The command's name, for people. */
static void name_of(long pid, char ret[32])
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    char path[32];
    struct qc_err none = { 0 };
    (void)snprintf(path, sizeof path, "/proc/%ld", pid);
    (void)snprintf(ret, 32, "?");
    if (qc_dir_open(&dir, path, &none) == QC_OK &&
        qc_file_read(qc_fd_get(&dir), "comm", QC_LOG_LINE_MAX, &text, &none) == QC_OK)
        (void)snprintf(ret, 32, "%.*s", (int)strcspn((const char *)text.p, "\n"), (const char *)text.p);
}

static qc_rc tell_lock(struct doctor *d, struct held *h, const char *path, long pid, struct qc_err *err)
{
    char name[32], next[QC_CLIENT_PATH_MAX + 32];
    h->count++;
    if (pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM)) {
        name_of(pid, name);
        return doctor_tell(d, QC_OK, NULL, err, "%.300s is held by process %ld (%s), which runs", path, pid,
                           name);
    }
    h->orphans++;
    (void)snprintf(next, sizeof next, "see who has it open: lsof %s", path);
    return doctor_tell(d, QC_DEGRADED, next, err,
                       "%.300s is held, and not by a process that is seen here: by a child of one that "
                       "ended, or on another machine",
                       path);
}

static qc_rc look_at_locks(struct doctor *d, struct held *h, const char *dir, struct qc_err *err)
{
    char path[QC_CLIENT_PATH_MAX];
    struct stat st;
    QC_CLEANUP(qc_list_close) DIR *list = dir[0] != '\0' ? opendir(dir) : NULL;
    for (const struct dirent *e = list != NULL ? readdir(list) : NULL; e != NULL; e = readdir(list)) {
        if (!is_lock(e->d_name))
            continue;
        QC_TRY(places_join(dir, e->d_name, path, err));
        const long pid = lstat(path, &st) == 0 ? holder_of(h, &st) : 0;
        if (pid != 0)
            QC_TRY(tell_lock(d, h, path, pid, err));
    }
    return QC_OK;
}

qc_rc doctor_locks(struct doctor *d, struct qc_err *err)
{
    QC_CLEANUP(held_done) struct held h = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd proc = { 0 };
    const struct client *c = d->c;
    char sync[QC_CLIENT_PATH_MAX], certificates[QC_CLIENT_PATH_MAX];
    struct qc_err none = { 0 };
    QC_TRY(places_join(c->places.state, "sync", sync, err));
    QC_TRY(places_join(c->places.state, "certificates", certificates, err));
    if (qc_dir_open(&proc, "/proc", &none) != QC_OK ||
        qc_file_read(qc_fd_get(&proc), "locks", QC_JSON_MAX, &h.locks, &none) != QC_OK)
        return doctor_tell(d, QC_OK, NULL, err, "this system does not say who holds which");
    const char *const places[] = { c->places.state, sync, certificates, c->places.gateway, c->conf.share[0],
                                   c->conf.share[1] };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        QC_TRY(look_at_locks(d, &h, places[i], err));
    return h.count > 0 ? QC_OK
                       : doctor_tell(d, QC_OK, NULL, err,
                                     "no command holds any; a lock goes with whoever has it, also at a boot");
}

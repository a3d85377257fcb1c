#include "base/unix.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

enum { BACKLOG = 64 };

qc_rc qc_unix_address(int dirfd, const char *name, struct sockaddr_un *ret, struct qc_err *err)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const int n = snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/%s", dirfd, name);
    if (n < 0 || n >= (int)sizeof at.sun_path)
        return QC_FAIL(err, QC_USAGE, "the socket's name '%s' is too long", name);
    *ret = at;
    return QC_OK;
}

qc_rc qc_unix_listen(int dirfd, const char *name, mode_t mode, struct qc_fd *ret, struct qc_err *err)
{
    struct sockaddr_un at;
    QC_CLEANUP(qc_fd_close) struct qc_fd s = qc_fd_own(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!qc_fd_is(&s))
        return QC_FAIL_OS(err, "socket");
    QC_TRY(qc_unix_address(dirfd, name, &at, err));
    if (bind(qc_fd_get(&s), (const struct sockaddr *)&at, sizeof at) != 0)
        return QC_FAIL_OS(err, "bind %s", name);
    if (fchmodat(dirfd, name, mode, 0) != 0)
        return QC_FAIL_OS(err, "mode of %s", name);
    if (listen(qc_fd_get(&s), BACKLOG) != 0)
        return QC_FAIL_OS(err, "listen on %s", name);
    *ret = QC_STEAL(s);
    return QC_OK;
}

const char *qc_unix_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static qc_rc connect_at(int dirfd, const char *name, struct qc_fd *ret, struct qc_err *err)
{
    struct sockaddr_un at;
    QC_TRY(qc_unix_address(dirfd, name, &at, err));
    QC_CLEANUP(qc_fd_close) struct qc_fd s =
        qc_fd_own(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!qc_fd_is(&s))
        return QC_FAIL_OS(err, "socket");
    if (connect(qc_fd_get(&s), (const struct sockaddr *)&at, sizeof at) != 0)
        return QC_FAIL(err, errno == ECONNREFUSED || errno == ENOENT ? QC_TEMP : QC_LOCKED, "%s",
                       strerror(errno));
    *ret = QC_STEAL(s);
    return QC_OK;
}

/* A name that is left over from a crash goes; nothing else does. */
static qc_rc make_free(int dirfd, const char *name, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd s = { 0 };
    struct stat st;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return QC_OK;
        return QC_FAIL_OS(err, "%s", name);
    }
    if (!S_ISSOCK(st.st_mode))
        return QC_FAIL(err, QC_CONFLICT, "there is something that is no socket");
    const qc_rc rc = connect_at(dirfd, name, &s, err);
    if (rc == QC_OK || rc == QC_LOCKED)
        return QC_FAIL(err, QC_LOCKED, "another program listens there");
    if (rc != QC_TEMP)
        return rc;
    if (unlinkat(dirfd, name, 0) != 0 && errno != ENOENT)
        return QC_FAIL_OS(err, "the old %s", name);
    return QC_OK;
}

/* The directory of an absolute path. */
static qc_rc dir_of(const char *path, struct qc_fd *ret, struct qc_err *err)
{
    const char *name = qc_unix_name(path);
    QC_ASSERT(path[0] == '/');
    QC_CLEANUP(qc_free_ptr) char *dir = qc_strdup(path);
    if (dir == NULL)
        return QC_FAIL(err, QC_NOMEM, "a path");
    dir[name - path > 1 ? name - path - 1 : 1] = '\0';
    return qc_dir_open(ret, dir, err);
}

qc_rc qc_unix_listen_path(const char *path, mode_t mode, struct qc_fd *ret, struct qc_fd *ret_dir,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd d = { 0 };
    const char *name = qc_unix_name(path);
    QC_TRY_AS(dir_of(path, &d, err), err, "socket '%s'", path);
    QC_TRY_AS(make_free(qc_fd_get(&d), name, err), err, "socket '%s'", path);
    QC_TRY_AS(qc_unix_listen(qc_fd_get(&d), name, mode, ret, err), err, "socket '%s'", path);
    *ret_dir = QC_STEAL(d);
    return QC_OK;
}

qc_rc qc_unix_connect_path(const char *path, struct qc_fd *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd d = { 0 };
    qc_rc rc = dir_of(path, &d, err);
    if (rc == QC_OK)
        rc = connect_at(qc_fd_get(&d), qc_unix_name(path), ret, err);
    if (rc == QC_NOTFOUND || rc == QC_LOCKED)
        rc = err->rc = QC_TEMP;
    QC_TRY_AS(rc, err, "socket '%s'", path);
    return QC_OK;
}

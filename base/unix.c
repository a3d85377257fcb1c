#include "base/unix.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

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

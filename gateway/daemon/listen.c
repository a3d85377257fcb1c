#include "listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/unix.h"

enum { BACKLOG = 64 };

void listen_remove(int dirfd, const char *name)
{
    if (unlinkat(dirfd, name, 0) != 0 && errno != ENOENT)
        QC_LOG(QC_LOG_WARN, "the socket's name stays", QC_S("name", name), QC_I("errno", errno));
}

qc_rc listen_in_state(int dirfd, const char *name, struct qc_fd *ret, struct qc_err *err)
{
    if (unlinkat(dirfd, name, 0) != 0 && errno != ENOENT)
        return QC_FAIL_OS(err, "the old %s", name);
    return qc_unix_listen(dirfd, name, S_IRUSR | S_IWUSR, ret, err);
}

qc_rc listen_at_address(const struct conf_address *a, struct qc_fd *ret, struct qc_err *err)
{
    const struct sockaddr_in v4 = { .sin_family = AF_INET,
                                    .sin_port = htons(a->port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
                                     .sin6_port = htons(a->port),
                                     .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    const int yes = 1;
    QC_CLEANUP(qc_fd_close)
    struct qc_fd s = qc_fd_own(socket(a->v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!qc_fd_is(&s) || setsockopt(qc_fd_get(&s), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
        return QC_FAIL_OS(err, "socket");
    const int rc = a->v6 ? bind(qc_fd_get(&s), (const struct sockaddr *)&v6, sizeof v6)
                         : bind(qc_fd_get(&s), (const struct sockaddr *)&v4, sizeof v4);
    if (rc != 0 && errno == EADDRINUSE)
        return QC_FAIL(err, QC_LOCKED, "port %u of this machine: another program listens there",
                       (unsigned)a->port);
    if (rc != 0)
        return QC_FAIL_OS(err, "port %u of this machine", (unsigned)a->port);
    if (listen(qc_fd_get(&s), BACKLOG) != 0)
        return QC_FAIL_OS(err, "listen at port %u", (unsigned)a->port);
    *ret = QC_STEAL(s);
    return QC_OK;
}

#include "manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/time.h"

/* A leading '@' stands for the abstract name space. */
void manager_tell(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const size_t n = path == NULL ? 0 : strlen(path);
    if (n < 2 || n >= sizeof at.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(at.sun_path, path, n);
    if (path[0] == '@')
        at.sun_path[0] = '\0';
    QC_CLEANUP(qc_fd_close) struct qc_fd s = qc_fd_own(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    if (!qc_fd_is(&s) ||
        sendto(qc_fd_get(&s), state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&at, size) < 0)
        QC_LOG(QC_LOG_WARN, "the service manager cannot be told", QC_S("state", state), QC_I("errno", errno));
}

void manager_reloading(void)
{
    char text[64];

    (void)snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, qc_now_ns() / 1000);
    manager_tell(text);
}

/* WATCHDOG_PID is another's where a parent of ours is meant. */
void manager_begin(struct manager *m)
{
    const char *pid = getenv("WATCHDOG_PID"), *usec = getenv("WATCHDOG_USEC");
    struct qc_err unused = { 0 };
    uint64_t n = 0;

    *m = (struct manager){ 0 };
    if (usec == NULL || qc_parse_u64(usec, "WATCHDOG_USEC", false, &n, &unused) != QC_OK)
        return;
    m->watchdog_ms = n / 2000;
    if (pid != NULL &&
        (qc_parse_u64(pid, "WATCHDOG_PID", false, &n, &unused) != QC_OK || n != (uint64_t)getpid()))
        m->watchdog_ms = 0;
}

void manager_tick(struct manager *m)
{
    if (m->watchdog_ms == 0 || qc_now_ms() < m->next_ms)
        return;
    m->next_ms = qc_now_ms() + m->watchdog_ms;
    manager_tell("WATCHDOG=1");
}

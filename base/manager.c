#include "base/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/opt.h"

enum { FIRST = 3 }; /* SD_LISTEN_FDS_START */

/* fd -1: none. */
static bool send_to(struct sockaddr_un *at, socklen_t size, const char *state, int fd)
{
    union {
        char room[CMSG_SPACE(sizeof fd)];
        struct cmsghdr align;
    } control = { 0 };
    char text[256];
    const size_t n = strlen(state);
    QC_ASSERT(n < sizeof text);
    memcpy(text, state, n);
    struct iovec v = { .iov_base = text, .iov_len = n };
    struct msghdr m = { .msg_name = at, .msg_namelen = size, .msg_iov = &v, .msg_iovlen = 1 };
    if (fd >= 0) {
        m.msg_control = control.room;
        m.msg_controllen = sizeof control.room;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    QC_CLEANUP(qc_fd_close) struct qc_fd s = qc_fd_own(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return qc_fd_is(&s) && sendmsg(qc_fd_get(&s), &m, MSG_NOSIGNAL) >= 0;
}

/* A leading '@' stands for the abstract name space. */
qc_rc qc_manager_give(const char *state, int fd, struct qc_err *err)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const size_t n = path == NULL ? 0 : strlen(path);
    if (n < 2 || n >= sizeof at.sun_path || (path[0] != '/' && path[0] != '@'))
        return QC_OK;
    memcpy(at.sun_path, path, n);
    if (path[0] == '@')
        at.sun_path[0] = '\0';
    if (!send_to(&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n), state, fd))
        return QC_FAIL_OS(err, "the service manager cannot be told '%s'", state);
    return QC_OK;
}

qc_rc qc_manager_tell(const char *state, struct qc_err *err)
{
    return qc_manager_give(state, -1, err);
}

static uint64_t number_of(const char *name)
{
    const char *text = getenv(name);
    struct qc_err unused = { 0 };
    uint64_t n = 0;
    return text != NULL && qc_parse_u64(text, name, false, &n, &unused) == QC_OK ? n : 0;
}

/* LISTEN_FDNAMES is a list with ':' between; LISTEN_PID is another's where a parent of ours is meant. */
struct qc_fd qc_manager_kept(const char *name)
{
    static bool taken[QC_MANAGER_FDS];
    const uint64_t count = number_of("LISTEN_PID") == (uint64_t)getpid() ? number_of("LISTEN_FDS") : 0;
    const char *names = getenv("LISTEN_FDNAMES");
    for (unsigned i = 0; i < count && i < QC_MANAGER_FDS && names != NULL; i++) {
        const size_t n = strcspn(names, ":");
        const int fd = FIRST + (int)i;
        const bool is = n == strlen(name) && strncmp(names, name, n) == 0 && !taken[i];
        if (is && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) {
            taken[i] = true;
            return qc_fd_own(fd);
        }
        names = names[n] == ':' ? names + n + 1 : NULL;
    }
    return (struct qc_fd){ 0 };
}

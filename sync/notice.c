#include "sync/notice.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/limits.h"

enum {
    EVENTS = IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MODIFY | IN_MOVE |
             IN_MOVE_SELF,
    HOW = IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK,
    PAGE = 65536,
    SLICE_MS = 1000, /* a signal that comes right before the wait is heard after it */
};

void sync_notice_done(struct sync_notice *n)
{
    qc_fd_close(&n->fd);
    qc_fd_close(&n->next);
}

void sync_notice_begin(struct sync_notice *n)
{
    qc_fd_close(&n->next);
    n->next = qc_fd_own(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    n->now_folders = n->now_unwatched = 0;
}

/* A folder that is gone again needs no watch: the one above it has the event. */
void sync_notice_folder(struct sync_notice *n, const char *path)
{
    struct qc_err unused = { 0 };
    const bool may = qc_fd_is(&n->next) && qc_fault(watch_limit, &unused) == QC_OK;
    n->now_folders++;
    if (may && inotify_add_watch(qc_fd_get(&n->next), path, EVENTS | HOW) >= 0)
        return;
    n->now_unwatched += !may || errno != ENOENT;
}

void sync_notice_end(struct sync_notice *n, bool whole)
{
    if (whole) {
        qc_fd_close(&n->fd);
        n->fd = QC_STEAL(n->next);
        n->folders = n->now_folders;
        n->unwatched = n->now_unwatched;
    }
    qc_fd_close(&n->next);
}

static void take(const uint8_t *page, size_t n, struct sync_noticed *ret)
{
    for (size_t at = 0; at + sizeof(struct inotify_event) <= n;) {
        struct inotify_event e;
        memcpy(&e, page + at, sizeof e);
        ret->overflow |= (e.mask & IN_Q_OVERFLOW) != 0;
        ret->unmounted |= (e.mask & IN_UNMOUNT) != 0;
        ret->changed |= (e.mask & IN_IGNORED) == 0;
        at += sizeof e + e.len;
    }
}

/* All that is there, so that what comes in a burst is one change. */
static qc_rc drain(int fd, struct sync_noticed *ret, struct qc_err *err)
{
    static const unsigned pages_max = 1024;
    uint8_t page[PAGE];
    for (unsigned i = 0; i < pages_max; i++) {
        const ssize_t got = read(fd, page, sizeof page);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return QC_OK;
        if (got < 0)
            return QC_FAIL_OS(err, "inotify");
        take(page, (size_t)got, ret);
    }
    return QC_OK;
}

qc_rc sync_notice_wait(struct sync_notice *n, uint64_t ms, struct sync_noticed *ret, struct qc_err *err)
{
    struct pollfd p = { .fd = qc_fd_is(&n->fd) ? qc_fd_get(&n->fd) : -1, .events = POLLIN };
    struct qc_err why = { 0 };
    *ret = (struct sync_noticed){ 0 };
    const int got = poll(&p, 1, (int)(ms < SLICE_MS ? ms : SLICE_MS));
    if (got < 0 && errno != EINTR)
        return QC_FAIL_OS(err, "inotify");
    if (got > 0)
        QC_TRY(drain(p.fd, ret, err));
    if (ret->changed && qc_fault(watch_overflow, &why) != QC_OK)
        ret->overflow = true;
    return QC_OK;
}

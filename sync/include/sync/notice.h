/* What changes in a folder and all below it, by inotify. Layer 4; uses base. One thread.
 *
 * Nothing is believed of what the events say but that something has changed: each look at the folder arms all
 * that it walks through anew, each folder before it is read, so that what changes behind the look is an event
 * and what changed before it is seen; folders that come, go, are moved, and a queue that ran over, need no
 * care of their own. */
#pragma once
#include "base/file.h"
#include "base/time.h"

struct sync_notice {
    struct qc_fd fd;           /* of the last whole look */
    struct qc_fd next;         /* of the one under way */
    size_t folders, unwatched; /* of the last look: seen, and of them not watched */
    size_t now_folders, now_unwatched;
};
void sync_notice_done(struct sync_notice *n);

/* A look begins; folders are given before they are read; it came to its end, or did not. What cannot be
 * watched is counted: the system has limits of its own. */
void sync_notice_begin(struct sync_notice *n);
void sync_notice_folder(struct sync_notice *n, const char *path);
void sync_notice_end(struct sync_notice *n, bool whole);

struct sync_noticed {
    bool changed;
    bool overflow;  /* some events are lost */
    bool unmounted; /* something that was mounted in the folder */
};
/* Until something has changed, at most ms, or until a signal comes. QC_IO */
QC_MUST qc_rc sync_notice_wait(struct sync_notice *n, uint64_t ms, struct sync_noticed *ret,
                               struct qc_err *err);

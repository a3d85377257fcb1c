/* Descriptors, durable files, lock files. Layer 0; uses err, buf.
 *
 * "Durable" means: survives power loss, as far as the disk keeps what fsync says. A failed fsync is never
 * tried again: the kernel may have dropped the pages, so a second success would say nothing. Names are single
 * components relative to an open directory (asserted: no '/', not empty). Errors: base/err.h for errno. */
#pragma once
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* An owned descriptor; all-zero is empty, which a bare int could not say. */
struct qc_fd {
    int plus_one;
};
static inline struct qc_fd qc_fd_own(int fd)
{
    return (struct qc_fd){ fd + 1 };
}
static inline int qc_fd_get(const struct qc_fd *fd)
{
    return fd->plus_one - 1;
}
static inline bool qc_fd_is(const struct qc_fd *fd)
{
    return fd->plus_one > 0;
}
/* Close what is open; the error of close is of no use to anybody who wrote with fsync. Keeps errno. */
void qc_fd_close(struct qc_fd *fd);

/* openat with O_CLOEXEC added; EINTR is repeated. dirfd may be AT_FDCWD. ret must be empty. */
QC_MUST qc_rc qc_open_at(struct qc_fd *ret, int dirfd, const char *path, int flags, mode_t mode,
                         struct qc_err *err);
/* A directory, for use as dirfd. */
QC_MUST qc_rc qc_dir_open(struct qc_fd *ret, const char *path, struct qc_err *err);

/* For QC_CLEANUP of what opendir or fdopendir gave; NULL is allowed. */
void qc_list_close(DIR **d);

/* All bytes, over short writes and EINTR; at the file's offset, or (pwrite) at off. */
QC_MUST qc_rc qc_write_all(int fd, const qc_span *parts, size_t count, struct qc_err *err);
QC_MUST qc_rc qc_pwrite_all(int fd, qc_span s, uint64_t off, struct qc_err *err);
/* Past the page cache (docs/adr/0011): one pwrite with O_DIRECT, for this call alone. All is in multiples of
 * QC_PAGE, memory too (asserted). Returns what was written, or -1 with errno; EINVAL: the file system has no
 * O_DIRECT, or wants larger multiples, and the bytes go another way. */
enum { QC_PAGE = 4096 };
QC_MUST ssize_t qc_pwrite_direct(int fd, qc_span s, uint64_t off);
/* The same for reading up to n bytes. */
QC_MUST ssize_t qc_pread_direct(int fd, uint8_t *dst, size_t n, uint64_t off);
/* The first `most` bytes of a file, behind what ret has: whoever wants to know of more asks for one more than
 * there may be. flags: those of open beside O_RDONLY and O_NOCTTY. */
QC_MUST qc_rc qc_path_read(const char *path, int flags, size_t most, qc_buf *ret, struct qc_err *err);
/* Up to want bytes; fewer at the end of the file only. */
QC_MUST qc_rc qc_read_full(int fd, uint8_t *dst, size_t want, size_t *ret_got, struct qc_err *err);
QC_MUST qc_rc qc_pread_full(int fd, uint8_t *dst, size_t want, uint64_t off, size_t *ret_got,
                            struct qc_err *err);
/* fsync, once. */
QC_MUST qc_rc qc_sync(int fd, struct qc_err *err);
/* syncfs, once: all of the file system that the file lies on, whoever wrote it. */
QC_MUST qc_rc qc_sync_all(int fd, struct qc_err *err);
/* fsync of a directory: names in it are durable. */
QC_MUST qc_rc qc_dir_sync(int dirfd, struct qc_err *err);

/*
 * Replace (or make) the file `name` with the parts: a temporary file, all bytes, fsync, rename, fsync of the
 * directory. After QC_OK the new content is durable; after a failure or a crash the name holds the old or the
 * new content, whole. A crash may leave `.tmp-*` in the directory (qc_tmp_sweep).
 */
QC_MUST qc_rc qc_file_write_atomic(int dirfd, const char *name, const qc_span *parts, size_t count,
                                   mode_t mode, struct qc_err *err);
/* The same, but only if the name is free: QC_CONFLICT. */
QC_MUST qc_rc qc_file_write_new(int dirfd, const char *name, const qc_span *parts, size_t count, mode_t mode,
                                struct qc_err *err);
/* Is it a file of ours that nobody else may touch? For what holds a secret. QC_USAGE: no regular file;
 * QC_AUTH: another owner, or bits for group or others. */
QC_MUST qc_rc qc_file_private(int fd, struct qc_err *err);
/* The whole file; QC_LIMIT when it has more than max bytes. ret must own nothing; it gets max as its max. */
QC_MUST qc_rc qc_file_read(int dirfd, const char *name, size_t max, qc_buf *ret, struct qc_err *err);
/* Remove the name, durably. A name that does not exist is QC_OK. */
QC_MUST qc_rc qc_file_remove(int dirfd, const char *name, struct qc_err *err);
/* Remove `.tmp-*` files that no living process of ours holds (flock). */
QC_MUST qc_rc qc_tmp_sweep(int dirfd, struct qc_err *err);

/* mkdir, durable: the parent is synced. An existing directory is QC_OK (and its mode is left alone). */
QC_MUST qc_rc qc_dir_make_durable(int dirfd, const char *name, mode_t mode, struct qc_err *err);
/* The same for each missing component of a path, from the root or the working directory, and for the last one
 * in any case. */
QC_MUST qc_rc qc_dir_make_path(const char *path, mode_t mode, struct qc_err *err);

/*
 * An exclusive lock (flock) on `name`, which is made if missing; who holds it stands in it as text: process,
 * program, host, since when. Held while *ret is open: one that died holds nothing. QC_LOCKED at once when
 * another holds it, with who that is in the message.
 */
QC_MUST qc_rc qc_lock_file(struct qc_fd *ret, int dirfd, const char *name, struct qc_err *err);

/* The directory cloud: objects are files below a directory, keys are their paths as they stand. Internal to
 * cloud/. Files: file.c (open, create, read, delete), file_dir.c (places, the mark, errors), file_put.c,
 * file_list.c.
 *
 *   DIR/.qcloud-cloud    the mark; its file is also the lock of an exclusive handle
 *   DIR/.qcloud-tmp/     named temporary files, `.tmp-<pid>-<random>`, each under an flock while its writer
 *                        lives
 *   DIR/f/3c/3c41..      objects
 *
 * F1 (I1): a put returns QC_OK only after fdatasync of the file, fsync of its directory, and fsync of the
 *          parent of every directory on the way that this process has not yet seen durable.
 * F2 (I2): a final name appears in one step, with all its bytes behind it. After a failed fsync the file is
 *          dropped and never synced again: the kernel forgets dirty pages once it has reported them.
 * F3 (I1): nothing is read or written unless the mark is the one that was there at the opening, and the path
 *          still leads to the directory that is held open. An unmounted disk leaves an empty directory: to
 *          write there would succeed.
 * F4     : no symbolic link below DIR is followed.
 */
#pragma once
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/file.h"
#include "driver.h"

#define FILE_MARK ".qcloud-cloud"
#define FILE_TMP  ".qcloud-tmp"

struct file_id {
    dev_t dev;
    ino_t ino;
};

struct file_cloud {
    struct cloud base;
    char *path;
    struct qc_fd dir;  /* DIR, O_DIRECTORY */
    struct qc_fd lock; /* the mark, held under flock when exclusive; else empty */
    struct file_id dir_id;
    struct file_id mark_id;
    atomic_bool no_tmpfile; /* the file system has no O_TMPFILE, or no link to one */
    atomic_bool no_direct;  /* the file system refuses O_DIRECT */
    /* Directories whose entry in their parent is known to be durable (F1), by inode number; a hash slot each,
     * 0: empty. A collision costs an fsync. Never removed: this driver removes no directory. */
    _Atomic uint64_t durable[CLOUD_DIRS_KNOWN];
};

/* The handle, which must be one of this driver (asserted). */
struct file_cloud *file_of(struct cloud *c);

/* A directory of the cloud and the last component of a key in it. Close with file_at_close. */
struct file_at {
    struct qc_fd dir;
    const char *leaf; /* within the key */
};
void file_at_close(struct file_at *at);

/*
 * Fail with the code for errno by the table of cloud.h: as QC_FAIL_OS, but what says that the place is gone
 * or out of reach (ENODEV, ESTALE, ...) is QC_TEMP.
 */
#define FILE_FAIL(err, ...)                                                                                  \
    __extension__({                                                                                          \
        qc_rc rc_os_ = file_fail_os((err), errno, QC_HERE, __VA_ARGS__);                                     \
        if (rc_os_ == QC_OK)                                                                                 \
            __builtin_unreachable(); /* as in QC_FAIL_OS: analysers see that it is a failure */              \
        rc_os_;                                                                                              \
    })
QC_MUST qc_rc file_fail_os(struct qc_err *err, int os, const char *where, const char *fmt, ...)
    QC_PRINTF(4, 5);

/* F3. QC_TEMP: the cloud is lost. */
QC_MUST qc_rc file_here(struct file_cloud *f, struct qc_err *err);

/* The identity of the mark in an open directory. QC_NOTFOUND: there is none. */
QC_MUST qc_rc file_mark(int dir, struct file_id *ret, struct qc_err *err);

/*
 * Walk to the directory of a key. With make, missing directories are made, and all on the way are durable
 * (F1). QC_NOTFOUND: a directory is missing (never with make). QC_CONFLICT: an object is in the way (make);
 * QC_NOTFOUND without make.
 */
QC_MUST qc_rc file_walk(struct file_cloud *f, const char *key, bool make, struct file_at *ret,
                        struct qc_err *err);

/* fsync of a directory, checked. */
QC_MUST qc_rc file_dir_sync(int dir, struct qc_err *err);

/* Open the object at a place for reading. QC_NOTFOUND: none (err->os is ENOENT), or a directory (it is not).
 * QC_IO: not a regular file. */
QC_MUST qc_rc file_open_at(const struct file_at *at, struct qc_fd *ret, struct stat *ret_st,
                           struct qc_err *err);

/* Read up to n bytes at off, in slices, asking op between them. *ret_got < n only at the end of the file. */
QC_MUST qc_rc file_read(int fd, uint64_t off, uint8_t *dst, size_t n, size_t *ret_got,
                        const struct cloud_op *op, struct qc_err *err);

/* The calls of the table that have files of their own. */
qc_rc file_put(struct cloud *c, const struct cloud_put_job *job, const struct cloud_op *op,
               struct qc_err *err);
qc_rc file_list(struct cloud *c, const struct cloud_list_job *job, struct cloud_page *ret,
                const struct cloud_op *op, struct qc_err *err);

qc_rc file_examine(struct cloud *c, struct cloud_exam *x, const struct cloud_op *op, struct qc_err *err);

/* Remove the temporary files of writers that are gone. */
QC_MUST qc_rc file_sweep(struct file_cloud *f, struct qc_err *err);

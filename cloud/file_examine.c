/* What only the directory's driver can look at (cloud_validate): the file system beneath, and who else may
 * write. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/limits.h"
#include "exam.h"

enum { A, B, PROBES };

/* Two files in FILE_TMP, under an flock as every temporary file, so that no sweep takes them for left over.
 */
struct probe {
    struct qc_fd dir;
    struct qc_fd fd[PROBES];
    char name[PROBES][64];
};

static void probe_done(struct probe *p)
{
    for (int i = 0; i < PROBES; i++) {
        if (qc_fd_is(&p->fd[i]))
            (void)unlinkat(qc_fd_get(&p->dir), p->name[i], 0);
        qc_fd_close(&p->fd[i]);
    }
    qc_fd_close(&p->dir);
}

static qc_rc probe_begin(struct file_cloud *f, const struct cloud_exam *x, struct probe *ret,
                         struct qc_err *err)
{
    int root = qc_fd_get(&f->dir);
    if (mkdirat(root, FILE_TMP, 0700) != 0 && errno != EEXIST)
        return FILE_FAIL(err, "making " FILE_TMP);
    int fd = openat(root, FILE_TMP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return FILE_FAIL(err, "directory " FILE_TMP);
    ret->dir = qc_fd_own(fd);
    for (int i = 0; i < PROBES; i++)
        (void)snprintf(ret->name[i], sizeof ret->name[i], ".tmp-%ld-%s%c", (long)getpid(), x->run, 'a' + i);
    return QC_OK;
}

/* Make file i with one byte, synced. 0, or an errno; *ret_us: how long the sync took. */
static int probe_write(struct probe *p, int i, uint64_t *ret_us)
{
    int fd =
        openat(qc_fd_get(&p->dir), p->name[i], O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    p->fd[i] = qc_fd_own(fd);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || write(fd, "q", 1) != 1)
        return errno;
    uint64_t from = qc_now_ns();
    if (fsync(fd) != 0)
        return errno;
    *ret_us = (qc_now_ns() - from) / 1000 + 1;
    return 0;
}

/* File A gets the name of B, and is gone: what a replacing put does, and its sync of the directory. */
static int probe_rename(struct probe *p)
{
    int dir = qc_fd_get(&p->dir);
    if (renameat(dir, p->name[A], dir, p->name[B]) != 0)
        return errno;
    if (fsync(dir) != 0)
        return errno;
    qc_fd_close(&p->fd[A]);
    return unlinkat(dir, p->name[B], 0) != 0 ? errno : 0;
}

static void examine_durable(struct probe *p, struct cloud_exam *x)
{
    uint64_t best_us = UINT64_MAX;
    for (int i = 0; i < (x->deep ? CLOUD_TEST_SYNCS_DEEP : 1); i++) {
        uint64_t us = 0;
        int e = probe_write(p, A, &us);
        if (e == 0)
            e = probe_rename(p);
        if (e != 0) {
            cloud_exam_bad(x, CLOUD_CHECK_DURABLE, "a file cannot be written, synced and renamed: %s",
                           strerror(e));
            return;
        }
        best_us = us < best_us ? us : best_us;
    }
    x->report->sync_us = best_us;
    struct statfs fs;
    if (fstatfs(qc_fd_get(&p->dir), &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC))
        cloud_exam_warn(x, CLOUD_CHECK_DURABLE, "the directory lies in memory: a power cut empties it");
    cloud_exam_good(x, CLOUD_CHECK_DURABLE);
}

/* Two ways to name a file without taking another's name; the driver needs one, and neither may lie. */
static void examine_noreplace(struct probe *p, struct cloud_exam *x)
{
    int dir = qc_fd_get(&p->dir);
    uint64_t us = 0;
    int e = probe_write(p, A, &us);
    if (e == 0)
        e = probe_write(p, B, &us);
    if (e != 0) {
        cloud_exam_bad(x, CLOUD_CHECK_NOREPLACE, "two files cannot be written: %s", strerror(e));
        return;
    }
    int by_link = linkat(dir, p->name[A], dir, p->name[B], 0) == 0 ? 0 : errno;
    int by_rename = renameat2(dir, p->name[A], dir, p->name[B], RENAME_NOREPLACE) == 0 ? 0 : errno;
    if (by_link == 0 || by_rename == 0)
        cloud_exam_bad(x, CLOUD_CHECK_NOREPLACE, "a file was put over another although that was forbidden");
    else if (by_link != EEXIST && by_rename != EEXIST)
        cloud_exam_bad(x, CLOUD_CHECK_NOREPLACE, "the file system has neither links nor RENAME_NOREPLACE: %s",
                       strerror(by_rename));
    cloud_exam_good(x, CLOUD_CHECK_NOREPLACE);
}

static void examine_private(int dir, struct cloud_exam *x)
{
    struct stat st;
    if (fstat(dir, &st) == 0 && (st.st_mode & 022) != 0)
        cloud_exam_bad(x, CLOUD_CHECK_PRIVATE, "mode %03o: other users of this machine may write there",
                       (unsigned)st.st_mode & 0777);
    cloud_exam_good(x, CLOUD_CHECK_PRIVATE);
}

qc_rc file_examine(struct cloud *c, struct cloud_exam *x, const struct cloud_op *op, struct qc_err *err)
{
    struct file_cloud *f = file_of(c);
    QC_CLEANUP(probe_done) struct probe p = { 0 };
    QC_TRY(file_here(f, err));
    QC_TRY(probe_begin(f, x, &p, err));
    examine_durable(&p, x);
    QC_TRY(cloud_op_check(op, err));
    examine_noreplace(&p, x);
    examine_private(qc_fd_get(&f->dir), x);
    return file_here(f, err);
}

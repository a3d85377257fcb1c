/* fault/cloud_syscalls: each system call of the directory cloud fails with what real disks and file systems
 * answer.
 *
 * A child puts itself under a seccomp filter by which one system call fails with one errno, and does one call
 * of the cloud; nothing of the driver is replaced. The parent then looks at what is left. */
#include "cloud/cloud.h"

#include "base/limits.h"
#include "file.h"
#include "qc_check.h"
#include "qc_expect.h"
#include "qc_tmpdir.h"

#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct cloud_op forever = { .deadline = { 0 } };
static const qc_span old_bytes = { (const uint8_t *)"old bytes", 9 };
static const qc_span new_bytes = { (const uint8_t *)"new bytes, more of them", 23 };

/* 1 MiB and some, of which whole pages lie on whole pages: they go past the page cache. */
enum { PAGE = 4096, LARGE = (1 << 20) + 1000 };
static uint8_t large[LARGE + PAGE] __attribute__((aligned(PAGE)));

static qc_rc put_large(struct cloud *c, struct qc_err *err)
{
    const qc_span parts[] = { { new_bytes.p, 3 }, { large + 3, LARGE - 3 } };
    return cloud_put(c, "l/key", parts, 2, CLOUD_NEW, &forever, err);
}

static bool filter(long call, int os)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)os & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = { .len = sizeof code / sizeof code[0], .filter = code };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0;
}

static qc_rc ignore_item(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    (void)ctx;
    (void)item;
    (void)err;
    return QC_OK;
}

/* What is done: put onto a free name, over an object, each with and without O_TMPFILE; the rest on an object.
 */
enum deed { NEW, NEW_NAMED, OVER, OVER_NAMED, LARGE_NEW, GET, DELETE, LIST, SPACE };

static qc_rc act(struct cloud *c, enum deed deed, struct qc_err *err)
{
    uint8_t b[64];
    size_t got = 0;
    struct cloud_page page;
    struct cloud_space space;
    struct cloud_list_query q = { .prefix = "", .after = "", .limit = 10 };
    atomic_store(&file_of(c)->no_tmpfile, deed == NEW_NAMED || deed == OVER_NAMED);
    switch (deed) {
    case NEW:
    case NEW_NAMED:
        return cloud_put(c, "n/key", &new_bytes, 1, CLOUD_NEW, &forever, err);
    case OVER:
    case OVER_NAMED:
        return cloud_put(c, "o/key", &new_bytes, 1, CLOUD_REPLACE, &forever, err);
    case LARGE_NEW:
        return put_large(c, err);
    case GET:
        return cloud_get(c, "o/key", (struct cloud_range){ 0, sizeof b }, b, &got, &forever, err);
    case DELETE:
        return cloud_delete(c, "o/key", &forever, err);
    case LIST:
        return cloud_list(c, &q, ignore_item, NULL, &page, &forever, err);
    case SPACE:
        return cloud_space(c, &space, &forever, err);
    }
    return QC_GENERAL;
}

static const struct row {
    enum deed deed;
    const char *name;
    long call;
    int os;
    qc_rc rc;
} rows[] = {
#define ROW(deed, call, os, rc)                                                                              \
    {                                                                                                        \
        deed, #deed " " #call " " #os, SYS_##call, os, rc                                                    \
    }
    ROW(NEW, fallocate, ENOSPC, QC_FULL),
    ROW(NEW, fallocate, EOPNOTSUPP, QC_OK),
    ROW(NEW, fallocate, ENOSYS, QC_OK),
    ROW(NEW, fallocate, EIO, QC_IO),
    ROW(NEW, pwritev, EIO, QC_IO),
    ROW(NEW, pwritev, ENOSPC, QC_FULL),
    ROW(NEW, pwritev, EDQUOT, QC_FULL),
    ROW(NEW, pwritev, EFBIG, QC_LIMIT),
    ROW(NEW, pwritev, ESTALE, QC_TEMP),
    ROW(LARGE_NEW, pwrite64, EINVAL, QC_OK), /* a file system that does not know O_DIRECT */
    ROW(LARGE_NEW, pwrite64, EIO, QC_IO),
    ROW(LARGE_NEW, pwrite64, ENOSPC, QC_FULL),
    ROW(LARGE_NEW, pwrite64, ESTALE, QC_TEMP),
    ROW(LARGE_NEW, pwritev, EIO, QC_IO),
    ROW(LARGE_NEW, fdatasync, EIO, QC_IO),
    ROW(NEW, fdatasync, EIO, QC_IO),
    ROW(NEW, fdatasync, ENOSPC, QC_FULL),
    ROW(NEW_NAMED, fdatasync, EIO, QC_IO),
    ROW(OVER, fdatasync, EIO, QC_IO),
    ROW(OVER_NAMED, fdatasync, EIO, QC_IO),
    ROW(NEW, fsync, EIO, QC_IO),
    ROW(OVER, fsync, EIO, QC_IO),
    ROW(NEW, linkat, EPERM, QC_OK), /* no hard links: goes on with a named file */
    ROW(OVER, linkat, EOPNOTSUPP, QC_OK),
    ROW(NEW, linkat, ENOENT, QC_OK), /* no /proc */
    ROW(NEW, linkat, EIO, QC_IO),
    ROW(NEW_NAMED, renameat2, EINVAL, QC_OK), /* network file systems: goes on with link */
    ROW(NEW_NAMED, renameat2, ENOSYS, QC_OK),
    ROW(NEW_NAMED, renameat2, EIO, QC_IO),
    ROW(OVER, renameat, EIO, QC_IO),
    ROW(OVER_NAMED, renameat, EROFS, QC_AUTH),
    ROW(NEW, mkdirat, ENOSPC, QC_FULL),
    ROW(NEW, mkdirat, EROFS, QC_AUTH),
    ROW(NEW_NAMED, flock, ENOLCK, QC_IO),
    ROW(GET, pread64, EIO, QC_IO),
    ROW(GET, pread64, ESTALE, QC_TEMP),
    ROW(DELETE, unlinkat, EIO, QC_IO),
    ROW(DELETE, unlinkat, EROFS, QC_AUTH),
    ROW(DELETE, fsync, EIO, QC_IO),
    ROW(LIST, getdents64, EIO, QC_IO),
    ROW(SPACE, fstatfs, EIO, QC_IO),
};

static unsigned left_over(const struct qc_tmpdir *dir)
{
    char path[400];
    snprintf(path, sizeof path, "%s/cloud/" FILE_TMP, dir->path);
    DIR *d = opendir(path);
    unsigned n = 0;
    if (d == NULL)
        return 0;
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += e->d_name[0] == '.' && e->d_name[1] == 't';
    closedir(d);
    return n;
}

/* The object is old, new or, where that may be, absent. After an error of fsync the new one may be seen,
 * never half. */
static void whole(struct cloud *c, const char *key, bool may_lack)
{
    uint8_t b[64];
    size_t got = 0;
    struct qc_err err = { 0 };
    qc_rc rc = cloud_get(c, key, (struct cloud_range){ 0, sizeof b }, b, &got, &forever, &err);
    qc_span s = qc_span_of(b, got);
    CHECK(rc == QC_OK ? qc_span_eq(s, old_bytes) || qc_span_eq(s, new_bytes) : rc == QC_NOTFOUND && may_lack);
}

/* The large object has all its bytes, or is not there. */
static void whole_large(struct cloud *c, bool there)
{
    static uint8_t b[LARGE + 1];
    size_t got = 0;
    struct qc_err err = { 0 };
    qc_rc rc = cloud_get(c, "l/key", (struct cloud_range){ 0, sizeof b }, b, &got, &forever, &err);
    CHECK(rc == (there ? QC_OK : QC_NOTFOUND));
    CHECK(!there ||
          (got == LARGE && memcmp(b, new_bytes.p, 3) == 0 && memcmp(b + 3, large + 3, LARGE - 3) == 0));
}

/* Do the deed in a child under the filter; returns its code. */
static qc_rc in_child(const struct row *row, const char *url)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct cloud *c = NULL;
        struct qc_err err = { 0 };
        if (cloud_open(&c, url, &err) != QC_OK || !filter(row->call, row->os))
            _exit(100);
        qc_rc rc = act(c, row->deed, &err);
        _exit((rc == QC_OK) == (err.msg[0] == '\0') ? (int)rc : 101);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) < 100);
    return (qc_rc)WEXITSTATUS(status);
}

int main(void)
{
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i * 131 + (i >> 8) * 17);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir dir = qc_tmpdir_new();
        char url[400];
        struct cloud *c = NULL;
        snprintf(url, sizeof url, "file://%s/cloud", dir.path);
        OK(cloud_create(url, &err));
        OK(cloud_open(&c, url, &err));
        OK(cloud_put(c, "o/key", &old_bytes, 1, CLOUD_NEW, &forever, &err));
        qc_rc rc = in_child(&rows[i], url);
        if (rc != rows[i].rc) {
            fprintf(stderr, "%s: got %s, expected %s\n", rows[i].name, qc_rc_name(rc),
                    qc_rc_name(rows[i].rc));
            return 1;
        }
        if (left_over(&dir) > 0) {
            fprintf(stderr, "%s: a temporary file is left\n", rows[i].name);
            return 1;
        }
        whole(c, "o/key", rows[i].deed == DELETE);
        whole(c, "n/key", rows[i].deed > NEW_NAMED || rc != QC_OK);
        whole_large(c, rows[i].deed == LARGE_NEW && rc == QC_OK);
        OK(cloud_put(c, "n/key", &new_bytes, 1, CLOUD_NEW, &forever,
                     &err)); /* the same again is always good */
        cloud_close(&c);
    }
    printf("%zu failures of system calls\n", sizeof rows / sizeof rows[0]);
    return 0;
}

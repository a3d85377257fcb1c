/* unit/vault_xattrs: extended attributes go from a file to another one as they are, in order, without those
 * of the system, up to the limit; what is malformed is refused. */
#include "vault/xattrs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "qc_check.h"
#include "qc_tmpdir.h"

static void check(qc_span in, qc_rc want)
{
    struct qc_err err = { 0 };
    CHECK_RC(vault_xattrs_check(in, &err), want);
}

static void bytes(void)
{
    const qc_span two = QC_LIT("\6user.a\0\0\0\1x\7user.bc\0\0\0\0");
    qc_span name, value;
    size_t at = 0;
    for (size_t n = 0; n <= two.n; n++)
        check(qc_span_sub(two, 0, n), n == 0 || n == 12 || n == two.n ? QC_OK : QC_FORMAT);
    CHECK(vault_xattrs_next(two, &at, &name, &value));
    CHECK(qc_span_eq(name, QC_LIT("user.a")) && qc_span_eq(value, QC_LIT("x")));
    CHECK(vault_xattrs_next(two, &at, &name, &value));
    CHECK(qc_span_eq(name, QC_LIT("user.bc")) && value.n == 0);
    CHECK(!vault_xattrs_next(two, &at, &name, &value));
    check(QC_LIT("\6user.a\0\0\0\0\6user.a\0\0\0\0"), QC_FORMAT); /* twice */
    check(QC_LIT("\6user.b\0\0\0\0\6user.a\0\0\0\0"), QC_FORMAT); /* out of order */
    check(QC_LIT("\5user.\0\0\0\0"), QC_FORMAT);
    check(QC_LIT("\7user.\0a\0\0\0\0"), QC_FORMAT);
    check(QC_LIT("\x10security.selinux\0\0\0\0"), QC_FORMAT);
    static const uint8_t large[QC_VAULT_XATTRS_MAX + 1];
    check(qc_span_of(large, sizeof large), QC_LIMIT);
}

static int file(const struct qc_tmpdir *tmp, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", tmp->path, name);
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    return fd;
}

static void files(const struct qc_tmpdir *tmp)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_VAULT_XATTRS_MAX }, c = { .max = QC_VAULT_XATTRS_MAX };
    static uint8_t value[1024];
    const int from = file(tmp, "from"), to = file(tmp, "to");
    unsigned left = 9;
    int os = 0;
    CHECK_OK(vault_xattrs_read(from, &b, &left, &err));
    CHECK(b.n == 0 && left == 0);
    if (fsetxattr(from, "user.z", "1\0002", 3, 0) != 0) {
        CHECK(errno == ENOTSUP);
        printf("no extended attributes below %s: files are left out\n", tmp->path);
        CHECK(vault_xattrs_write(to, QC_LIT("\6user.a\0\0\0\1x"), &os) == 1 && os == ENOTSUP);
        return;
    }
    CHECK(fsetxattr(from, "user.b", "", 0, 0) == 0);
    CHECK_OK(vault_xattrs_read(from, &b, &left, &err));
    CHECK(left == 0 && qc_span_eq(qc_buf_span(&b), QC_LIT("\6user.b\0\0\0\0\6user.z\0\0\0\0031\0002")));
    check(qc_buf_span(&b), QC_OK);
    CHECK(vault_xattrs_write(to, qc_buf_span(&b), &os) == 0);
    CHECK_OK(vault_xattrs_read(to, &c, &left, &err));
    CHECK(qc_span_eq(qc_buf_span(&b), qc_buf_span(&c)));
    /* What is over the limit is counted, and what is under it is kept. */
    for (unsigned i = 0; i < 70; i++) {
        char name[24];
        snprintf(name, sizeof name, "user.c%02u", i);
        if (fsetxattr(to, name, value, sizeof value, 0) != 0) { /* a file system with room for few */
            CHECK(errno == ENOSPC || errno == E2BIG);
            return;
        }
    }
    qc_buf_clear(&c);
    CHECK_OK(vault_xattrs_read(to, &c, &left, &err));
    CHECK(left == 70 - QC_VAULT_XATTRS_MAX / 1037 && c.n <= QC_VAULT_XATTRS_MAX);
    check(qc_buf_span(&c), QC_OK);
}

int main(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir tmp = qc_tmpdir_new();
    bytes();
    files(&tmp);
    return 0;
}

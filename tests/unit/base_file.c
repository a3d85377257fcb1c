/* unit/base_file: files and directories that appear whole, limits, sweeps, locks. */
#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/alloc.h"

#include "qc_check.h"
#include "qc_tmpdir.h"

static struct qc_err err;

static void check_content(int dir, const char *name, qc_span want)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { 0 };

    CHECK_OK(qc_file_read(dir, name, 4096, &b, &err));
    CHECK(qc_span_eq(qc_buf_span(&b), want));
}

static void check_write(int dir)
{
    qc_span parts[] = { QC_LIT("one "), QC_LIT(""), QC_LIT("two"), QC_LIT("") };
    struct stat st;

    CHECK_OK(qc_file_write_atomic(dir, "f", parts, 4, 0640, &err));
    check_content(dir, "f", QC_LIT("one two"));
    CHECK(fstatat(dir, "f", &st, 0) == 0 && (st.st_mode & 0777) == 0640);
    CHECK_OK(qc_file_write_atomic(dir, "f", NULL, 0, 0600, &err));
    check_content(dir, "f", QC_LIT(""));
    CHECK_OK(qc_file_write_new(dir, "g", parts, 1, 0600, &err));
    CHECK_RC(qc_file_write_new(dir, "g", parts, 3, 0600, &err), QC_CONFLICT);
    check_content(dir, "g", QC_LIT("one "));
    CHECK_OK(qc_file_remove(dir, "g", &err));
    CHECK_OK(qc_file_remove(dir, "g", &err));
    CHECK_DIES(qc_ignore(qc_file_remove(dir, "../g", &err), "it dies"));
    CHECK_DIES(qc_ignore(qc_file_remove(dir, "..", &err), "it dies"));
    CHECK_DIES(qc_ignore(qc_file_write_new(dir, "", parts, 1, 0600, &err), "it dies"));
}

static void check_read(int dir)
{
    static uint8_t big[10000];
    qc_span part = { big, sizeof big };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 3 };

    memset(big, 7, sizeof big);
    CHECK_OK(qc_file_write_atomic(dir, "big", &part, 1, 0600, &err));
    CHECK_RC(qc_file_read(dir, "big", sizeof big - 1, &b, &err), QC_LIMIT);
    CHECK_RC(qc_file_read(dir, "none", 100, &b, &err), QC_NOTFOUND);
    CHECK_RC(qc_file_read(dir, ".tmp", 100, &b, &err), QC_NOTFOUND);
    CHECK(b.p == NULL && b.max == 3); /* untouched */
    CHECK_OK(qc_file_read(dir, "big", sizeof big, &b, &err));
    CHECK(b.n == sizeof big && memcmp(b.p, big, sizeof big) == 0);

    /* A file whose size is not known beforehand. */
    QC_CLEANUP(qc_fd_close) struct qc_fd proc = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    CHECK_OK(qc_dir_open(&proc, "/proc/self", &err));
    CHECK_OK(qc_file_read(qc_fd_get(&proc), "status", 65536, &text, &err));
    CHECK(text.n > 100);
    qc_buf_free(&text);
    CHECK_RC(qc_file_read(qc_fd_get(&proc), "status", 10, &text, &err), QC_LIMIT);
}

static void check_offsets(int dir)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    uint8_t got[8];
    size_t n = 0;

    CHECK(!qc_fd_is(&fd));
    CHECK_OK(qc_open_at(&fd, dir, "p", O_RDWR | O_CREAT | O_EXCL, 0600, &err));
    CHECK_OK(qc_pwrite_all(qc_fd_get(&fd), QC_LIT("abcdef"), 3, &err));
    CHECK_OK(qc_sync(qc_fd_get(&fd), &err));
    CHECK_OK(qc_pread_full(qc_fd_get(&fd), got, 8, 2, &n, &err));
    CHECK(n == 7 && memcmp(got, "\0abcdef", 7) == 0);
    CHECK_OK(qc_read_full(qc_fd_get(&fd), got, 2, &n, &err));
    CHECK(n == 2 && got[0] == 0);
    qc_fd_close(&fd);
    CHECK(!qc_fd_is(&fd));
    CHECK_RC(qc_open_at(&fd, dir, "p", O_RDWR | O_CREAT | O_EXCL, 0600, &err), QC_CONFLICT);
}

/* Who reads "no space" or "input or output error" wants to know which disk it is. */
static void check_messages(int dir, const char *path)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    char want[600], deep[512];
    int ends[2];

    CHECK(close(openat(dir, "told", O_CREAT | O_WRONLY, 0600)) == 0);
    CHECK_OK(qc_open_at(&fd, dir, "told", O_RDONLY, 0, &err));
    CHECK(qc_pwrite_all(qc_fd_get(&fd), QC_LIT("x"), 7, &err) != QC_OK);
    snprintf(want, sizeof want, "writing %s/told at 7: ", path);
    CHECK(strncmp(err.msg, want, strlen(want)) == 0);
    qc_err_clear(&err);
    memset(deep, 'd', 251);
    deep[251] = '\0';
    qc_fd_close(&fd);
    CHECK(mkdirat(dir, deep, 0700) == 0);
    CHECK_OK(qc_open_at(&fd, dir, deep, O_RDONLY | O_DIRECTORY, 0, &err));
    CHECK(qc_write_all(qc_fd_get(&fd), &QC_LIT("x"), 1, &err) != QC_OK);
    CHECK(strncmp(err.msg, "writing ..ddd", 13) == 0 &&
          strstr(err.msg, "ddd: ") != NULL); /* the end, and the cause */
    qc_err_clear(&err);
    CHECK(unlinkat(dir, deep, AT_REMOVEDIR) == 0 && unlinkat(dir, "told", 0) == 0);
    CHECK(pipe(ends) == 0);
    CHECK(qc_sync(ends[0], &err) != QC_OK && strncmp(err.msg, "fsync of a file: ", 17) == 0);
    qc_err_clear(&err);
    close(ends[0]);
    close(ends[1]);
}

static void check_directories(int dir, const char *path)
{
    char deep[512];
    struct stat st;

    CHECK_OK(qc_dir_make_durable(dir, "d", 0700, &err));
    CHECK_OK(qc_dir_make_durable(dir, "d", 0700, &err));
    CHECK_RC(qc_dir_make_durable(dir, "f", 0700, &err), QC_NOTFOUND); /* a file */
    CHECK_DIES(qc_ignore(qc_dir_make_durable(dir, "x/y", 0700, &err), "it dies"));
    snprintf(deep, sizeof deep, "%s//d/e/f/", path);
    CHECK_OK(qc_dir_make_path(deep, 0700, &err));
    CHECK_OK(qc_dir_make_path(deep, 0700, &err));
    CHECK(fstatat(dir, "d/e/f", &st, 0) == 0 && S_ISDIR(st.st_mode));
    snprintf(deep, sizeof deep, "%s/f/x", path);
    CHECK_RC(qc_dir_make_path(deep, 0700, &err), QC_NOTFOUND);
    CHECK_OK(qc_dir_make_path("/", 0700, &err));
}

static void check_sweep(int dir)
{
    struct stat st;
    int held = openat(dir, ".tmp-1-held", O_CREAT | O_WRONLY, 0600);

    CHECK(held >= 0 && flock(held, LOCK_EX) == 0);
    close(openat(dir, ".tmp-2-dead", O_CREAT | O_WRONLY, 0600));
    CHECK_OK(qc_tmp_sweep(dir, &err));
    CHECK(fstatat(dir, ".tmp-1-held", &st, 0) == 0);
    CHECK(fstatat(dir, ".tmp-2-dead", &st, 0) != 0 && errno == ENOENT);
    CHECK(fstatat(dir, "f", &st, 0) == 0);
    close(held);
    CHECK_OK(qc_tmp_sweep(dir, &err));
    CHECK(fstatat(dir, ".tmp-1-held", &st, 0) != 0);
}

static void check_lock(int dir)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd a = { 0 }, b = { 0 };
    char who[160], host[64] = "";
    const char hostile[] = "7 \x1b[2Jx ho\nst";

    CHECK_OK(qc_lock_file(&a, dir, "lock", &err));
    CHECK(qc_lock_file(&b, dir, "lock", &err) == QC_LOCKED && !qc_fd_is(&b));
    CHECK(gethostname(host, sizeof host - 1) == 0);
    snprintf(who, sizeof who, "lock is locked by %s (process %ld on host %s, since 20",
             program_invocation_short_name, (long)getpid(), host);
    CHECK(strstr(err.msg, who) == err.msg && err.msg[strlen(err.msg) - 2] == 'Z');
    qc_err_clear(&err);
    /* Written by a program of before, by a power cut, by somebody else. */
    CHECK(ftruncate(qc_fd_get(&a), 0) == 0 && pwrite(qc_fd_get(&a), "4121\n", 5, 0) == 5);
    CHECK(qc_lock_file(&b, dir, "lock", &err) == QC_LOCKED &&
          strcmp(err.msg, "lock is locked by process 4121") == 0);
    CHECK(ftruncate(qc_fd_get(&a), 0) == 0);
    CHECK(qc_lock_file(&b, dir, "lock", &err) == QC_LOCKED &&
          strcmp(err.msg, "lock is locked by process (unknown)") == 0);
    CHECK(pwrite(qc_fd_get(&a), hostile, sizeof hostile, 0) == sizeof hostile);
    CHECK(qc_lock_file(&b, dir, "lock", &err) == QC_LOCKED &&
          strcmp(err.msg, "lock is locked by process 7") == 0);
    qc_err_clear(&err);
    qc_fd_close(&a);
    CHECK_OK(qc_lock_file(&b, dir, "lock", &err));
}

int main(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir t = qc_tmpdir_new();
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };

    CHECK_OK(qc_dir_open(&dir, t.path, &err));
    check_write(qc_fd_get(&dir));
    check_read(qc_fd_get(&dir));
    check_offsets(qc_fd_get(&dir));
    check_messages(qc_fd_get(&dir), t.path);
    check_directories(qc_fd_get(&dir), t.path);
    check_sweep(qc_fd_get(&dir));
    check_lock(qc_fd_get(&dir));
    CHECK(qc_alloc_live() == 0);
    return 0;
}

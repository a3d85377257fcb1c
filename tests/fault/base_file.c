/* fault/base_file: an atomic write that fails, or is killed, at each of its points leaves the old or the new
 * content, whole, and nothing that a sweep does not remove. Also the script syntax of base/fault.h. */
#include "base/file.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/fault.h"

#include "qc_check.h"
#include "qc_tmpdir.h"

static struct qc_err err;

static int names_in(const char *path)
{
    DIR *d = opendir(path);
    int n = 0;

    CHECK(d != NULL);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static bool holds(int dir, const char *text)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { 0 };

    CHECK_OK(qc_file_read(dir, "f", 100, &b, &err));
    return qc_span_eq(qc_buf_span(&b), qc_span_str(text));
}

static qc_rc write_text(int dir, const char *text)
{
    qc_span part = qc_span_str(text);

    return qc_file_write_atomic(dir, "f", &part, 1, 0600, &err);
}

static void check_errors(int dir, const char *path, const char *point, bool renamed)
{
    char script[64];

    CHECK_OK(write_text(dir, "old"));
    snprintf(script, sizeof script, "%s:error:1", point);
    qc_fault_script(script);
    CHECK_RC(write_text(dir, "new"), QC_IO);
    CHECK(holds(dir, renamed ? "new" : "old"));
    CHECK(names_in(path) == 1);       /* no temporary file stays */
    CHECK_OK(write_text(dir, "new")); /* the second pass is free */
    qc_fault_script(NULL);
}

static void check_kill(int dir, const char *path, const char *point, bool renamed)
{
    char script[64];
    int status = 0;

    CHECK_OK(write_text(dir, "old"));
    snprintf(script, sizeof script, "%s:kill:1", point);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        qc_fault_script(script);
        qc_ignore(write_text(dir, "new"), "killed on the way");
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(holds(dir, renamed ? "new" : "old"));
    CHECK(names_in(path) == (renamed ? 1 : 2));
    CHECK_OK(qc_tmp_sweep(dir, &err));
    CHECK(names_in(path) == 1);
}

static void check_scripts(void)
{
    static const char *const bad[] = { "nonsense",
                                       "no_such_point:kill:1",
                                       "file_renamed:explode:1",
                                       "file_renamed:kill:",
                                       "file_renamed:kill:0",
                                       "file_renamed:kill:1x",
                                       "file_renamed:kill:-1" };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_DIES(qc_fault_script(bad[i]));
    qc_fault_script("file_renamed:error:2,db_commit:error+:2,db_committed:pause_ms:1");
    CHECK_OK(qc_fault(file_renamed, &err));
    CHECK_RC(qc_fault(file_renamed, &err), QC_IO);
    CHECK_OK(qc_fault(file_renamed, &err));
    CHECK_OK(qc_fault(db_commit, &err));
    CHECK_RC(qc_fault(db_commit, &err), QC_IO);
    CHECK_RC(qc_fault(db_commit, &err), QC_IO);
    CHECK_OK(qc_fault(db_committed, &err));
    CHECK(qc_fault_passes(QC_FP_db_commit) == 3 && qc_fault_passes(QC_FP_file_tmp_synced) == 0);
    qc_fault_script("");
    CHECK(qc_fault_passes(QC_FP_db_commit) == 0);
    CHECK(strcmp(qc_fault_name(QC_FP_db_commit), "db_commit") == 0 &&
          qc_fault_where(QC_FP_db_commit)[0] != '\0');
}

/* QC_FAULT_LOG has a line per pass. */
static void check_log(int dir, const char *path)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { 0 };
    char name[300];

    snprintf(name, sizeof name, "%s/log", path);
    CHECK(setenv("QC_FAULT_LOG", name, 1) == 0);
    qc_fault_script(NULL);
    CHECK_OK(write_text(dir, "new"));
    CHECK(unsetenv("QC_FAULT_LOG") == 0);
    qc_fault_script(NULL);
    CHECK_OK(qc_file_read(dir, "log", 1000, &b, &err));
    CHECK(qc_span_eq(qc_buf_span(&b), QC_LIT("file_tmp_written\nfile_tmp_synced\nfile_renamed\n")));
}

int main(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir t = qc_tmpdir_new();
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };

    CHECK_OK(qc_dir_open(&dir, t.path, &err));
    check_errors(qc_fd_get(&dir), t.path, "file_tmp_written", false);
    check_errors(qc_fd_get(&dir), t.path, "file_tmp_synced", false);
    check_errors(qc_fd_get(&dir), t.path, "file_renamed", true);
    check_kill(qc_fd_get(&dir), t.path, "file_tmp_written", false);
    check_kill(qc_fd_get(&dir), t.path, "file_tmp_synced", false);
    check_kill(qc_fd_get(&dir), t.path, "file_renamed", true);
    check_scripts();
    check_log(qc_fd_get(&dir), t.path);
    return 0;
}

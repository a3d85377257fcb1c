/* bench: other programs as children, timed. Each has a process group of its own, which a time limit or a
 * Ctrl-C ends as a whole, and dies with this program. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bench.h"
#include "home/gateway_start.h"
#include "signals.h"

extern char **environ;

enum { POLL_MS = 50, SAID_MOST = 300, OWN_VARIABLES = 12, ARGS = 24 };
#define SAID "said"

/* -- the environment ------------------------------------------------------------------------------------- */

/* "bench", as `rclone obscure` writes it: it protects nothing. */
#define OBSCURED "hFyPZ-Mc3_kiVgQm0o6V7xRI_E6a"

struct variables {
    char text[OWN_VARIABLES][QC_CLIENT_PATH_MAX + 64];
    size_t count;
    char **all; /* these, and those of our own that name no place and no key */
};

static void variables_free(struct variables **v)
{
    if (*v != NULL)
        qc_free((*v)->all);
    qc_free(*v);
    *v = NULL;
}

static bool stays(const char *variable)
{
    static const char *const others[] = { "QCLOUD", "RESTIC", "RCLONE", "XDG_", "HOME=", "TMPDIR=" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strncmp(variable, others[i], strlen(others[i])) == 0)
            return false;
    return true;
}

/* Each name with a place in the scratch folder, or with what stands here. */
static qc_rc variables_new(struct variables **ret, const struct bench_scratch *s, struct qc_err *err)
{
    static const char *const places[][2] = { { "HOME", "" },
                                             { "TMPDIR", "/tmp" },
                                             { "QCLOUD_HOME", "/home" },
                                             { "RESTIC_REPOSITORY", "/restic" },
                                             { "RCLONE_CONFIG_CRYPT_REMOTE", "/rclone" } };
    static const char *const fixed[] = { "RESTIC_PASSWORD=bench", "RCLONE_CONFIG_CRYPT_TYPE=crypt",
                                         ("RCLONE_CONFIG_CRYPT_PASSWORD=" OBSCURED) };
    QC_CLEANUP(variables_free) struct variables *v = qc_alloc(sizeof *v);
    size_t n = 0, kept = 0;
    while (environ[n] != NULL)
        n++;
    if (v != NULL)
        v->all = qc_alloc((n + OWN_VARIABLES + 1) * sizeof v->all[0]);
    if (v == NULL || v->all == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for an environment");
    for (size_t i = 0; i < n; i++)
        if (stays(environ[i]))
            v->all[kept++] = environ[i];
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        (void)snprintf(v->text[v->count++], sizeof v->text[0], "%s=%s%s", places[i][0], s->path,
                       places[i][1]);
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        (void)snprintf(v->text[v->count++], sizeof v->text[0], "%s", fixed[i]);
    for (size_t i = 0; i < v->count; i++)
        v->all[kept++] = v->text[i];
    *ret = QC_STEAL(v);
    return QC_OK;
}

/* -- one program ----------------------------------------------------------------------------------------- */

qc_rc bench_program(const char *name, char ret[QC_CLIENT_PATH_MAX], struct qc_err *err)
{
    if (strcmp(name, "qcloud") == 0)
        return places_join("/proc/self", "exe", ret, err);
    for (const char *p = getenv("PATH"); p != NULL && *p != '\0';) {
        const size_t n = strcspn(p, ":");
        char path[QC_CLIENT_PATH_MAX];
        const int made = snprintf(path, sizeof path, "%.*s/%s", (int)n, p, name);
        if (p[0] == '/' && made > 0 && made < (int)sizeof path && access(path, X_OK) == 0) {
            memcpy(ret, path, sizeof path);
            return QC_OK;
        }
        p += n + (p[n] == ':');
    }
    return QC_FAIL(err, QC_NOTFOUND, "%s is not installed", name);
}

/* Never returns. Between fork and exec: nothing but system calls. */
static void become(const char *program, const char *const *argv, char *const *env, const int fds[3],
                   const char *dir, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent || setpgid(0, 0) != 0 ||
        chdir(dir) != 0)
        _exit(127);
    for (int i = 0; i < 3; i++)
        if (dup2(fds[i], i) < 0)
            _exit(127);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    if (close_range(3, ~0U, 0) == 0)
        (void)execve(program, (char *const *)(uintptr_t)argv, env);
    _exit(127);
}

struct child {
    pid_t pid;
    struct qc_fd pidfd;
};

/* It, and all of its group that still live. */
static void child_end(struct child *ch)
{
    if (ch->pid > 0 && kill(-ch->pid, SIGKILL) != 0)
        (void)kill(ch->pid, SIGKILL);
    while (ch->pid > 0 && waitpid(ch->pid, NULL, 0) < 0 && errno == EINTR) {}
    ch->pid = 0;
    qc_fd_close(&ch->pidfd);
}

static qc_rc child_wait(struct child *ch, int *ret_status, struct qc_err *err)
{
    const qc_deadline deadline = qc_deadline_in(QC_BENCH_CHILD_MS);
    struct pollfd p = { .fd = qc_fd_get(&ch->pidfd), .events = POLLIN };
    int ready = 0;
    while (ready <= 0) {
        QC_TRY(qc_go_on(deadline, signals_cancel(), "bench", err));
        ready = poll(&p, 1, POLL_MS);
        if (ready < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "poll");
    }
    while (waitpid(ch->pid, ret_status, 0) < 0)
        if (errno != EINTR)
            return QC_FAIL_OS(err, "waitpid");
    ch->pid = 0;
    return QC_OK;
}

/* The last line of what it said on its standard error. */
static qc_rc failed(const struct bench_scratch *s, const char *name, int status, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    struct qc_err none = { 0 };
    const char *line = "";
    if (qc_file_read(qc_fd_get(&s->dir), SAID, QC_CLIENT_TEXT_MAX / 2, &text, &none) == QC_OK &&
        qc_buf_cstr(&text, &line, &none) == QC_OK)
        for (const char *p = line; (p = strchr(p, '\n')) != NULL && *++p != '\0';)
            line = p;
    if (WIFSIGNALED(status))
        return QC_FAIL(err, QC_GENERAL, "%s was ended by signal %d", name, WTERMSIG(status));
    return QC_FAIL(err, QC_GENERAL, "%s ended with status %d: %.*s", name, WEXITSTATUS(status),
                   (int)(strcspn(line, "\n") < SAID_MOST ? strcspn(line, "\n") : SAID_MOST), line);
}

static qc_rc child_start(struct child *ret, const struct bench_scratch *s, const char *program,
                         const char *const *argv, const char *to, struct qc_err *err)
{
    QC_CLEANUP(variables_free) struct variables *v = NULL;
    QC_CLEANUP(qc_fd_close) struct qc_fd null = { 0 }, out = { 0 }, said = { 0 };
    const pid_t parent = getpid();
    QC_TRY(variables_new(&v, s, err));
    QC_TRY(qc_open_at(&null, AT_FDCWD, "/dev/null", O_RDWR, 0, err));
    QC_TRY(qc_open_at(&said, qc_fd_get(&s->dir), SAID, O_WRONLY | O_CREAT | O_TRUNC, 0600, err));
    if (to != NULL)
        QC_TRY(qc_open_at(&out, AT_FDCWD, to, O_WRONLY | O_CREAT | O_TRUNC, 0600, err));
    const int fds[3] = { qc_fd_get(&null), qc_fd_get(to != NULL ? &out : &null), qc_fd_get(&said) };
    ret->pid = fork();
    if (ret->pid == 0)
        become(program, argv, v->all, fds, s->path, parent);
    if (ret->pid < 0)
        return QC_FAIL_OS(err, "fork");
    ret->pidfd = qc_fd_own(pidfd_open(ret->pid, 0));
    return qc_fd_is(&ret->pidfd) ? QC_OK : QC_FAIL_OS(err, "pidfd_open");
}

qc_rc bench_child(const struct bench_scratch *s, const char *program, const char *const *argv, const char *to,
                  uint64_t *ret_ns, struct qc_err *err)
{
    QC_CLEANUP(child_end) struct child ch = { 0 };
    int status = 0;
    const uint64_t began = qc_now_ns();
    QC_TRY(child_start(&ch, s, program, argv, to, err));
    QC_TRY_AS(child_wait(&ch, &status, err), err, "%s", argv[0]);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return failed(s, argv[0], status, err);
    *ret_ns = qc_now_ns() - began;
    return QC_OK;
}

/* -- a vault to measure ---------------------------------------------------------------------------------- */

qc_rc bench_vault(const struct bench_scratch *s, struct qc_err *err)
{
    static const char *const names[] = { "a", "b", "c", "d", "e" };
    char clouds[5][QC_CLIENT_PATH_MAX + 16], share[2][QC_CLIENT_PATH_MAX];
    const char *argv[ARGS] = { "qcloud", "-q",       "init",   "--local",  "--no-passphrase", "--k",
                               "3",      "--share1", share[0], "--share2", share[1] };
    size_t n = 11;
    uint64_t ns = 0;
    if (mkdirat(qc_fd_get(&s->dir), "clouds", 0700) != 0 || mkdirat(qc_fd_get(&s->dir), "tmp", 0700) != 0)
        return QC_FAIL_OS(err, "%s", s->path);
    QC_TRY(bench_scratch_path(s, "share1", share[0], err));
    QC_TRY(bench_scratch_path(s, "share2", share[1], err));
    for (size_t i = 0; i < 5; i++) {
        (void)snprintf(clouds[i], sizeof clouds[i], "%s=file://%s/clouds/%s", names[i], s->path, names[i]);
        argv[n++] = "--cloud";
        argv[n++] = clouds[i];
    }
    QC_ASSERT(n < ARGS);
    QC_TRY_AS(bench_child(s, "/proc/self/exe", argv, NULL, &ns, err), err, "a vault to measure");
    return QC_OK;
}

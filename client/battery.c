#include "battery.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

extern char **environ;

struct battery {
    const char *name, *package;
    const char *argv[6];
};

static const struct battery batteries[] = {
    { "rngtest", "rng-tools5", { "/usr/bin/rngtest", "-c", "1000", NULL } },
    { "dieharder", "dieharder", { "/usr/bin/dieharder", "-a", "-g", "200", NULL } },
};

/* What it has said so far. */
struct verdict {
    uint64_t good, bad;       /* blocks of rngtest */
    uint64_t results, failed; /* of dieharder */
    bool ended;               /* the bytes did, before dieharder had what it reads */
};

static void listen_to(struct verdict *v, const char *line)
{
    unsigned long long n = 0;
    if (sscanf(line, "rngtest: FIPS 140-2 successes: %llu", &n) == 1)
        v->good = n;
    if (sscanf(line, "rngtest: FIPS 140-2 failures: %llu", &n) == 1)
        v->bad = n;
    v->failed += strstr(line, "FAILED") != NULL;
    v->results +=
        strstr(line, "PASSED") != NULL || strstr(line, "WEAK") != NULL || strstr(line, "FAILED") != NULL;
    v->ended = v->ended || strstr(line, "stdin_input_raw(): Error") != NULL;
}

/* A block of ideal bits fails with probability 0.0008: so many of them do not in a lifetime. */
static bool is_bad(const struct verdict *v)
{
    return v->failed > 0 || v->bad > 5 + (v->good + v->bad) / 100;
}

/* argv with these as standard input, output and errors; nothing else of ours is open there. */
static qc_rc start(pid_t *ret, const char *const *argv, int in, int out, int errors, struct qc_err *err)
{
    posix_spawn_file_actions_t acts;
    int e = posix_spawn_file_actions_init(&acts);
    QC_ASSERT(e == 0); /* glibc's allocates nothing here */
    e = posix_spawn_file_actions_adddup2(&acts, in, 0);
    if (e == 0)
        e = posix_spawn_file_actions_adddup2(&acts, out, 1);
    if (e == 0)
        e = posix_spawn_file_actions_adddup2(&acts, errors, 2);
    if (e == 0)
        e = posix_spawn_file_actions_addclosefrom_np(&acts, 3);
    if (e == 0)
        e = posix_spawn(ret, argv[0], &acts, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&acts);
    return e == 0 ? QC_OK : QC_FAIL_ERRNO(err, e, "starting %s", argv[0]);
}

/* Its exit status; -1: it had to be ended, which is what becomes of a reader's writer. */
static int end(pid_t pid)
{
    int status = -1;
    if (pid <= 0 || kill(pid, SIGTERM) != 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static qc_rc pipe_of(struct qc_fd ends[2], struct qc_err *err)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return QC_FAIL_OS(err, "a pipe");
    ends[0] = qc_fd_own(fds[0]);
    ends[1] = qc_fd_own(fds[1]);
    return QC_OK;
}

static void close_both(struct qc_fd (*ends)[2])
{
    qc_fd_close(&(*ends)[0]);
    qc_fd_close(&(*ends)[1]);
}

/* Its lines, as they come, until it has no more. */
static qc_rc show(struct client *c, struct qc_fd *from, struct verdict *v, struct qc_err *err)
{
    char line[1024];
    FILE *f = fdopen(qc_fd_get(from), "r");
    if (f == NULL)
        return QC_FAIL_OS(err, "a pipe");
    *from = (struct qc_fd){ 0 }; /* the stream's now */
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        listen_to(v, line);
        out_line(&c->out, "%s", line);
    }
    fclose(f);
    return QC_OK;
}

/* The bytes: of the file, or of a command of our own that reads the source. */
static qc_rc feed(const struct battery_of *of, struct qc_fd *ret, pid_t *ret_pid, struct qc_err *err)
{
    QC_CLEANUP(close_both) struct qc_fd ends[2] = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd null = { 0 };
    if (of->source == NULL)
        return qc_open_at(ret, AT_FDCWD, of->file, O_RDONLY, 0, err);
    const char *const argv[] = { "/proc/self/exe",         "rng", "read", of->source, "--bytes", "1024G",
                                 of->raw ? "--raw" : NULL, NULL };
    QC_TRY(pipe_of(ends, err));
    QC_TRY(qc_open_at(&null, AT_FDCWD, "/dev/null", O_RDWR, 0, err));
    QC_TRY(start(ret_pid, argv, qc_fd_get(&null), qc_fd_get(&ends[1]), qc_fd_get(&null), err));
    *ret = ends[0];
    ends[0] = (struct qc_fd){ 0 };
    return QC_OK;
}

static qc_rc run(struct client *c, const struct battery *b, struct qc_fd *in, struct verdict *v,
                 struct qc_err *err)
{
    QC_CLEANUP(close_both) struct qc_fd ends[2] = { 0 };
    pid_t pid = 0;
    QC_TRY(pipe_of(ends, err));
    QC_TRY(start(&pid, b->argv, qc_fd_get(in), qc_fd_get(&ends[1]), qc_fd_get(&ends[1]), err));
    qc_fd_close(&ends[1]);
    qc_fd_close(in); /* it has the only end: when it has enough, the writer ends */
    const qc_rc rc = show(c, &ends[0], v, err);
    (void)end(pid); /* what it said is its verdict: rngtest ends with 1 for a single block */
    return rc;
}

/* dieharder:100 is that test of it alone, by its number (dieharder -l). *ret borrows the name. */
static qc_rc find(const char *name, struct battery *ret, struct qc_err *err)
{
    const size_t n = strcspn(name, ":");
    const char *number = name[n] == ':' ? name + n + 1 : NULL;
    for (size_t i = 0; i < sizeof batteries / sizeof batteries[0]; i++)
        if (strlen(batteries[i].name) == n && strncmp(batteries[i].name, name, n) == 0)
            *ret = batteries[i];
    const bool one = number != NULL && strlen(number) >= 1 && strlen(number) <= 3 &&
                     number[strspn(number, "0123456789")] == '\0';
    if (ret->name == NULL || (number != NULL && (ret->name != batteries[1].name || !one)))
        return QC_FAIL(err, QC_USAGE, "--battery is rngtest, dieharder or dieharder:NUMBER, not '%.40s'",
                       name);
    if (one)
        memcpy(ret->argv, (const char *[]){ ret->argv[0], "-d", number, "-g", "200", NULL },
               sizeof ret->argv);
    return QC_OK;
}

/* What it said, as an outcome. Bytes that ended before it had a result prove nothing. */
static qc_rc judge(const struct battery *b, const struct verdict *v, struct qc_err *err)
{
    if (is_bad(v))
        return QC_FAIL(err, QC_RANDOM, "%s: these bytes fail its tests", b->name);
    if (b->name == batteries[0].name && v->good + v->bad == 0)
        return QC_FAIL(err, QC_RANDOM, "rngtest got no block to test");
    if (b->name == batteries[1].name && (v->ended || v->results == 0))
        return QC_FAIL(err, QC_USAGE,
                       "the bytes ended, or there is no such test, after %" PRIu64
                       " results of dieharder: one test reads 40 MB and more, all of them 230 GB",
                       v->results);
    return QC_OK;
}

qc_rc battery_run(struct client *c, const char *name, const struct battery_of *of, struct qc_err *err)
{
    struct battery b = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd in = { 0 };
    struct verdict v = { 0 };
    pid_t feeder = 0;
    QC_TRY(find(name, &b, err));
    if (access(b.argv[0], X_OK) != 0)
        return QC_FAIL(err, QC_NOTFOUND, "%s is not there; Debian's package is %s", b.argv[0], b.package);
    QC_TRY(feed(of, &in, &feeder, err));
    const qc_rc rc = run(c, &b, &in, &v, err);
    const int fed = end(feeder);
    QC_TRY(rc);
    if (fed == qc_rc_exit(QC_RANDOM))
        return QC_FAIL(err, QC_RANDOM, "the source %s is not in health", of->source);
    return judge(&b, &v, err);
}

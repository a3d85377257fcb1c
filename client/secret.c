#include "secret.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crypto.h"

enum {
    ROOM = QC_PASSPHRASE_MAX + QC_KEY_STEP, /* the longest line, and room to see that it is longer */
    POLL_MS = 100,
    FIRST_FREE = 3, /* descriptor */
};

void secret_done(struct secret *s)
{
    qc_key_free(&s->bytes);
    s->n = 0;
}

bool secret_same(const struct secret *a, const struct secret *b)
{
    return a->n == b->n && (a->n == 0 || qc_ct_eq(qc_key_open(a->bytes).p, qc_key_open(b->bytes).p, a->n));
}

/* Up to max bytes; *ret_got 0: the end. */
static qc_rc read_some(int fd, uint8_t *dst, size_t max, const struct qc_cancel *cancel, size_t *ret_got,
                       struct qc_err *err)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    for (;;) {
        QC_TRY(qc_go_on(QC_NO_DEADLINE, cancel, "waiting for a secret", err));
        int ready = poll(&p, 1, POLL_MS);
        if (ready < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "poll");
        if (ready <= 0)
            continue;
        ssize_t n = read(fd, dst, max);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return QC_FAIL_OS(err, "reading a secret");
        if (n < 0)
            continue;
        *ret_got = (size_t)n;
        return QC_OK;
    }
}

qc_rc secret_read(int fd, const struct qc_cancel *cancel, struct secret *ret, bool *ret_end,
                  struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *bytes = NULL;
    size_t n = 0, got = 1;
    QC_TRY(qc_key_blank(&bytes, ROOM, err));
    for (;;) { /* byte by byte: what follows the newline is somebody else's */
        QC_TRY(read_some(fd, qc_key_write(bytes) + n, 1, cancel, &got, err));
        if (got == 0 || qc_key_write(bytes)[n] == '\n')
            break;
        if (++n > QC_PASSPHRASE_MAX)
            return QC_FAIL(err, QC_USAGE, "the line is longer than %d bytes", QC_PASSPHRASE_MAX);
    }
    qc_key_seal(bytes);
    ret->bytes = QC_STEAL(bytes);
    ret->n = n;
    *ret_end = got == 0;
    return QC_OK;
}

/* A command that runs: done, it is gone. */
struct running {
    pid_t pid;
    struct qc_fd out;
};

static int wait_for(struct running *r)
{
    int status = 0;
    while (waitpid(r->pid, &status, 0) < 0)
        if (errno != EINTR)
            break;
    r->pid = 0;
    return status;
}

static void running_done(struct running *r)
{
    qc_fd_close(&r->out);
    if (r->pid > 0 && kill(r->pid, SIGKILL) == 0)
        (void)wait_for(r);
}

static int spawn_with(pid_t *ret, const char *command, int out, posix_spawn_file_actions_t *acts,
                      posix_spawnattr_t *attributes)
{
    const char *const argv[] = { "sh", "-c", command, NULL };
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    int e = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF);
    if (e == 0)
        e = posix_spawnattr_setsigdefault(attributes, &defaults);
    if (e == 0)
        e = posix_spawn_file_actions_addopen(acts, 0, "/dev/null", O_RDONLY, 0);
    if (e == 0)
        e = posix_spawn_file_actions_adddup2(acts, out, 1);
    if (e == 0)
        e = posix_spawn_file_actions_addclosefrom_np(acts, FIRST_FREE);
    return e != 0 ? e
                  : posix_spawn(ret, "/bin/sh", acts, attributes, (char *const *)(uintptr_t)argv, environ);
}

static qc_rc run(struct running *ret, const char *command, struct qc_err *err)
{
    posix_spawn_file_actions_t acts;
    posix_spawnattr_t attributes;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return QC_FAIL_OS(err, "pipe");
    QC_CLEANUP(qc_fd_close) struct qc_fd there = qc_fd_own(ends[1]);
    ret->out = qc_fd_own(ends[0]);
    int e = posix_spawn_file_actions_init(&acts);
    QC_ASSERT(e == 0); /* glibc's allocate nothing here */
    e = posix_spawnattr_init(&attributes);
    QC_ASSERT(e == 0);
    e = spawn_with(&ret->pid, command, ends[1], &acts, &attributes);
    posix_spawn_file_actions_destroy(&acts);
    posix_spawnattr_destroy(&attributes);
    if (e != 0)
        return QC_FAIL_ERRNO(err, e, "starting the command");
    return QC_OK;
}

/* What the command says beyond its first line: read, so that it can end, and wiped. */
static qc_rc drain(int fd, const struct qc_cancel *cancel, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *rest = NULL;
    size_t got = 1;
    QC_TRY(qc_key_blank(&rest, QC_KEY_MAX, err));
    while (got > 0)
        QC_TRY(read_some(fd, qc_key_write(rest), QC_KEY_MAX, cancel, &got, err));
    return QC_OK;
}

qc_rc secret_from_command(const char *command, const struct qc_cancel *cancel, struct secret *ret,
                          struct qc_err *err)
{
    QC_CLEANUP(running_done) struct running r = { 0 };
    QC_CLEANUP(secret_done) struct secret s = { 0 };
    bool end = false;
    QC_TRY(run(&r, command, err));
    QC_TRY(secret_read(qc_fd_get(&r.out), cancel, &s, &end, err));
    if (!end)
        QC_TRY(drain(qc_fd_get(&r.out), cancel, err));
    int status = wait_for(&r);
    QC_TRY(qc_go_on(QC_NO_DEADLINE, cancel, "waiting for a secret",
                    err)); /* the terminal's Ctrl-C reached it, too */
    if (WIFSIGNALED(status))
        return QC_FAIL(err, QC_PASSPHRASE, "the command was ended by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return QC_FAIL(err, QC_PASSPHRASE, "the command ended with status %d", WEXITSTATUS(status));
    *ret = QC_STEAL(s);
    return QC_OK;
}

qc_rc secret_none_in_environment(struct qc_err *err)
{
    static const char *const names[] = { "QCLOUD_PASSPHRASE", "QCLOUD_NEW_PASSPHRASE", "QCLOUD_TOKEN" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (getenv(names[i]) != NULL)
            return QC_FAIL(err, QC_USAGE,
                           "%s is set: a secret is never taken from the environment, where other "
                           "programs can read it. Unset it",
                           names[i]);
    return QC_OK;
}

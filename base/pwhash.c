#include "base/pwhash.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

enum { POLL_MS = 100, STACK_WIPED = 64 * 1024 };
/* How the child ends: it has no other way to say why. */
enum { CHILD_OK, CHILD_NOMEM, CHILD_BROKEN };

/* A signal that was meant for the caller's command must not run the caller's handler here. What is ignored
 * stays so. */
static void forget_handlers(void)
{
    struct sigaction is, plain = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int s = 1; s < NSIG; s++) {
        bool ignored =
            sigaction(s, NULL, &is) == 0 && (is.sa_flags & SA_SIGINFO) == 0 && is.sa_handler == SIG_IGN;
        if (!ignored)
            sigaction(s, &plain, NULL); /* refused for SIGKILL and SIGSTOP, and for those of the C library */
    }
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

static int hash(uint8_t out[QC_PWHASH_BYTES], qc_span passphrase, const struct qc_pwhash *how)
{
    return crypto_pwhash_argon2id(out, QC_PWHASH_BYTES, (const char *)passphrase.p, passphrase.n, how->salt,
                                  how->passes, (size_t)how->kib * 1024,
                                  crypto_pwhash_argon2id_ALG_ARGON2ID13);
}

/* The child: from fork to _exit it uses memory, one pipe and nothing of ours that could be locked. */
static _Noreturn void work(int pipe, pid_t parent, qc_span passphrase, const struct qc_pwhash *how)
{
    uint8_t out[QC_PWHASH_BYTES];

    forget_handlers();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
        _exit(CHILD_BROKEN); /* killed when the parent is; it may have died before this was said */
    if ((pipe > 0 && close_range(0, (unsigned)pipe - 1, 0) != 0) ||
        close_range((unsigned)pipe + 1, ~0U, 0) != 0)
        _exit(CHILD_BROKEN);
    /* Off the swap, where so much may be locked; libsodium gives the memory back without wiping it, and the
     * kernel hands it to nobody before it is zeros. */
    int rc = mlockall(MCL_FUTURE) == 0 ? hash(out, passphrase, how) : -1;
    if (rc != 0) {
        munlockall();
        rc = hash(out, passphrase, how);
    }
    if (rc == 0 && write(pipe, out, sizeof out) != (ssize_t)sizeof out) /* less than PIPE_BUF: at once */
        rc = -2;
    sodium_memzero(out, sizeof out);
    sodium_stackzero(STACK_WIPED);
    _exit(rc == 0 ? CHILD_OK : rc == -1 ? CHILD_NOMEM : CHILD_BROKEN);
}

/* The child, and our end of its pipe; done: neither is left. */
struct worker {
    pid_t pid;
    struct qc_fd pipe;
};

static int reap(struct worker *w)
{
    int status = 0;
    pid_t got;

    do {
        got = waitpid(w->pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    w->pid = 0;
    return got < 0 ? CHILD_OK << 8 : status; /* somebody else waits for children here: the answer decides */
}

static void worker_done(struct worker *w)
{
    qc_fd_close(&w->pipe);
    if (w->pid > 0 && kill(w->pid, SIGKILL) == 0)
        reap(w);
}

static qc_rc start(struct worker *ret, qc_span passphrase, const struct qc_pwhash *how, struct qc_err *err)
{
    int ends[2];
    sigset_t all, before;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return QC_FAIL_OS(err, "pipe");
    QC_CLEANUP(qc_fd_close) struct qc_fd there = qc_fd_own(ends[1]);
    ret->pipe = qc_fd_own(ends[0]);
    sigfillset(&all);
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    pid_t parent = getpid();
    ret->pid = fork();
    if (ret->pid == 0)
        work(ends[1], parent, passphrase, how);
    int e = errno;
    QC_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return ret->pid > 0 ? QC_OK : QC_FAIL_ERRNO(err, e, "fork");
}

/* The answer, straight into a key; *ret_got is less than all of it when the child ended without. */
static qc_rc listen_to(const struct worker *w, qc_key *out, size_t *ret_got, const struct qc_cancel *cancel,
                       struct qc_err *err)
{
    struct pollfd p = { .fd = qc_fd_get(&w->pipe), .events = POLLIN };
    size_t got = 0;

    while (got < QC_PWHASH_BYTES) {
        QC_TRY(qc_go_on(QC_NO_DEADLINE, cancel, "passphrase", err));
        int ready = poll(&p, 1, POLL_MS);
        if (ready < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "poll");
        if (ready <= 0)
            continue;
        ssize_t n = read(p.fd, qc_key_write(out) + got, QC_PWHASH_BYTES - got);
        if (n < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "passphrase: reading from the child");
        if (n == 0)
            break;
        got += n < 0 ? 0 : (size_t)n;
    }
    *ret_got = got;
    return QC_OK;
}

static qc_rc without_answer(int status, const struct qc_pwhash *how, const struct qc_cancel *cancel,
                            struct qc_err *err)
{
    QC_TRY(qc_go_on(QC_NO_DEADLINE, cancel, "passphrase", err)); /* the terminal's Ctrl-C reached both */
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (killed || (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_NOMEM))
        return QC_FAIL(
            err, QC_NOMEM,
            "the passphrase needs %u MiB of memory for a moment, and this machine does not give so much%s",
            (how->kib + 1023) / 1024, killed ? " (the child was killed)" : "");
    if (WIFSIGNALED(status))
        return QC_FAIL(err, QC_TEMP, "the child that works on the passphrase was ended by signal %d",
                       WTERMSIG(status));
    return QC_FAIL(err, QC_TEMP, "the child that works on the passphrase ended with status %d and no answer",
                   WEXITSTATUS(status));
}

qc_rc qc_pwhash(qc_key **ret, qc_span passphrase, const struct qc_pwhash *how, const struct qc_cancel *cancel,
                struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *out = NULL;
    QC_CLEANUP(worker_done) struct worker w = { 0 };
    size_t got = 0;

    QC_ASSERT(passphrase.n >= 1 && passphrase.n <= QC_PASSPHRASE_MAX);
    QC_ASSERT(how->passes >= crypto_pwhash_argon2id_OPSLIMIT_MIN);
    QC_ASSERT(how->kib >= crypto_pwhash_argon2id_MEMLIMIT_MIN / 1024);
    QC_TRY(qc_key_blank(&out, QC_PWHASH_BYTES, err));
    QC_TRY(start(&w, passphrase, how, err));
    QC_TRY(listen_to(&w, out, &got, cancel, err));
    int status = reap(&w);
    if (got < QC_PWHASH_BYTES)
        return without_answer(status, how, cancel, err);
    qc_key_seal(out);
    *ret = QC_STEAL(out);
    return QC_OK;
}

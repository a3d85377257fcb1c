#include "home/gateway_start.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "home/places.h"

extern char **environ; /* POSIX declares it nowhere */

enum { READY_FD = 3, GATEWAY_ARGS = 12 };

static bool runs(const char *path)
{
    return access(path, X_OK) == 0;
}

qc_rc gateway_program(char ret[QC_CLIENT_PATH_MAX], struct qc_err *err)
{
    char self[QC_CLIENT_PATH_MAX];
    char path[QC_CLIENT_PATH_MAX];
    struct qc_err why = { 0 };
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = '\0';
        char *slash = strrchr(self, '/');
        QC_ASSERT(slash != NULL);
        *slash = '\0';
        if (places_join(self, "qcloud-gateway", path, &why) == QC_OK && runs(path)) {
            memcpy(ret, path, sizeof path);
            return QC_OK;
        }
    }
    const char *all = getenv("PATH");
    for (const char *p = all; p != NULL && *p != '\0';) {
        size_t len = strcspn(p, ":");
        int made = snprintf(path, sizeof path, "%.*s/qcloud-gateway", (int)len, p);
        if (len > 0 && p[0] == '/' && made > 0 && made < (int)sizeof path && runs(path)) {
            memcpy(ret, path, sizeof path);
            return QC_OK;
        }
        p += len + (p[len] == ':');
    }
    return QC_FAIL(err, QC_NOTCONF, "the program qcloud-gateway is neither beside qcloud nor on PATH");
}

/* Connect to the socket in a state directory. QC_TEMP: nobody listens. */
static qc_rc reach(int dirfd, struct qc_fd *ret, struct qc_err *err)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    /* Through the descriptor: the directory's own path may be longer than a socket address. */
    int n = snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/" GATEWAY_SOCKET, dirfd);
    QC_ASSERT(n > 0 && n < (int)sizeof at.sun_path);
    QC_CLEANUP(qc_fd_close)
    struct qc_fd s = qc_fd_own(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!qc_fd_is(&s))
        return QC_FAIL_OS(err, "socket");
    if (connect(qc_fd_get(&s), (const struct sockaddr *)&at, sizeof at) == 0) {
        *ret = QC_STEAL(s);
        return QC_OK;
    }
    if (errno == ECONNREFUSED || errno == ENOENT)
        return QC_FAIL(err, QC_TEMP, "no gateway is running");
    return QC_FAIL_OS(err, "the gateway's socket");
}

qc_rc gateway_answers(int dirfd, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd s = { 0 };
    return reach(dirfd, &s, err);
}

/* Wait until a process is gone. */
static qc_rc await_end(int pidfd, const struct qc_cancel *cancel, struct qc_err *err)
{
    qc_deadline until = qc_deadline_in(QC_CLIENT_START_MS);
    struct pollfd p = { .fd = pidfd, .events = POLLIN };
    for (;;) {
        QC_TRY(qc_go_on(until, cancel, "waiting for the gateway to end", err));
        int n = poll(&p, 1, QC_CLIENT_START_PAUSE_MS);
        if (n < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "poll");
        if (n > 0)
            return QC_OK;
    }
}

qc_rc gateway_stop(const char *state, const struct qc_cancel *cancel, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd s = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd process = { 0 };
    struct ucred peer = { 0 };
    socklen_t size = sizeof peer;
    struct qc_err why = { 0 };
    qc_rc rc = qc_dir_open(&dir, state, &why);
    if (rc == QC_OK)
        rc = reach(qc_fd_get(&dir), &s, &why);
    if (rc == QC_NOTFOUND || rc == QC_TEMP)
        return QC_OK; /* nobody to end */
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    if (getsockopt(qc_fd_get(&s), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return QC_FAIL_OS(err, "the gateway's process");
    if (peer.uid != geteuid())
        return QC_FAIL(err, QC_AUTH, "the gateway of %s runs as another user", state);
    /* A descriptor of the process: its number may be given to another one at any time. */
    process = qc_fd_own(pidfd_open(peer.pid, 0));
    if (!qc_fd_is(&process) && errno == ESRCH)
        return QC_OK;
    if (!qc_fd_is(&process) ||
        (pidfd_send_signal(qc_fd_get(&process), SIGTERM, NULL, 0) != 0 && errno != ESRCH))
        return QC_FAIL_OS(err, "ending the gateway");
    qc_fd_close(&s);
    return await_end(qc_fd_get(&process), cancel, err);
}

/* Codes that share their exit status with others, by the case in "Eeenn" of qcloud-gateway's messages. */
static const struct told {
    char nn[3];
    qc_rc rc;
} tolds[] = {
    { "51", QC_CONFLICT }, { "56", QC_FENCED }, { "63", QC_CONFLICT }, { "67", QC_UNFIT }, { "69", QC_UNFIT }
};

/* The first code of an exit status, unless the message says which. */
static qc_rc code_of(int status, qc_span message_code)
{
    for (size_t i = 0; i < sizeof tolds / sizeof tolds[0]; i++)
        if (message_code.n > 2 && qc_rc_exit(tolds[i].rc) == status &&
            qc_span_eq(qc_span_from(message_code, message_code.n - 2), qc_span_str(tolds[i].nn)))
            return tolds[i].rc;
    for (int rc = QC_OK + 1; rc < QC_RC_COUNT; rc++)
        if (qc_rc_exit((qc_rc)rc) == status)
            return (qc_rc)rc;
    return QC_GENERAL;
}

/*
 * What a program of ours said on stderr: of the line "qcloud-gateway: Eeenn text" the text and *ret_code,
 * "Eeenn"; without such a line, the first one. Its second and third line are about the gateway; ours come
 * from this program's table.
 */
static qc_span first_line_of(const qc_buf *said, qc_span *ret_code)
{
    static const char lead[] = "qcloud-gateway: ";
    enum { LEAD = sizeof lead - 1 };
    qc_span left = qc_buf_span(said);
    qc_span first = { 0 };
    while (left.n > 0) {
        const uint8_t *end = memchr(left.p, '\n', left.n);
        qc_span line = qc_span_sub(left, 0, end == NULL ? left.n : (size_t)(end - left.p));
        if (first.n == 0)
            first = line;
        const uint8_t *blank = line.n <= LEAD ? NULL : memchr(line.p + LEAD, ' ', line.n - LEAD);
        if (blank != NULL && memcmp(line.p, lead, LEAD) == 0 && line.p[LEAD] == 'E') {
            *ret_code = qc_span_sub(line, LEAD, (size_t)(blank - line.p) - LEAD);
            return qc_span_from(line, (size_t)(blank - line.p) + 1);
        }
        left = qc_span_from(left, end == NULL ? left.n : line.n + 1);
    }
    return first;
}

/* The configuration says that there is one: it is not mounted, or lost. */
static const char gateway_absent[] =
    "mount the place that line one names; if it is lost: qcloud gateway rebuild";

static qc_rc fail_as(int wait_status, const qc_buf *said, const char *what, struct qc_err *err)
{
    qc_span code = { 0 };
    qc_span line = first_line_of(said, &code);
    if (WIFSIGNALED(wait_status)) {
        qc_err_set(err, QC_GENERAL, QC_HERE, "%s was killed by signal %d", what, WTERMSIG(wait_status));
        return QC_GENERAL;
    }
    qc_rc rc = code_of(WEXITSTATUS(wait_status), code);
    if (line.n == 0)
        qc_err_set(err, rc, QC_HERE, "%s ended with status %d and said nothing", what,
                   WEXITSTATUS(wait_status));
    else
        qc_err_set(err, rc, QC_HERE, "%.*s", (int)(line.n > 400 ? 400 : line.n), (const char *)line.p);
    if (rc == QC_INTEGRITY || rc == QC_FENCED)
        err->next = "qcloud gateway rebuild";
    if (rc == QC_NOTCONF)
        err->next = gateway_absent;
    if (rc == QC_FULL)
        err->next = "free space on the disk that line one names, then the same command again";
    return rc;
}

static qc_rc wait_for(pid_t pid, int *ret, struct qc_err *err)
{
    while (waitpid(pid, ret, 0) < 0)
        if (errno != EINTR)
            return QC_FAIL_OS(err, "waiting for qcloud-gateway");
    return QC_OK;
}

/* Append what fd still gives, up to its end or the buffer's limit. */
static qc_rc drain(int fd, qc_buf *ret, struct qc_err *err)
{
    uint8_t piece[4096];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return QC_FAIL_OS(err, "reading from qcloud-gateway");
        if (n == 0)
            return QC_OK;
        if (ret->n + (size_t)n <=
            ret->max) /* beyond: read on, so that the writer does not block, and forget */
            QC_TRY(qc_buf_add(ret, qc_span_of(piece, (size_t)n), err));
    }
}

static void actions_free(posix_spawn_file_actions_t *a)
{
    posix_spawn_file_actions_destroy(a);
}

static void attributes_free(posix_spawnattr_t *a)
{
    posix_spawnattr_destroy(a);
}

/* Where a child's descriptors 0 to 3 come from; -1: /dev/null for 0 and 1, closed for 3. */
struct child_fds {
    int out, err, ready;
    bool session; /* its own session: a terminal's Ctrl-C does not reach it */
};

/* Without what the service manager has told this program alone: a child's READY=1 would be taken for its own.
 */
static qc_rc child_environ(char ***ret, struct qc_err *err)
{
    static const char *const own[] = { "NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID=", "LISTEN_" };
    size_t n = 0, kept = 0;
    while (environ[n] != NULL)
        n++;
    char **list = qc_alloc((n + 1) * sizeof *list);
    if (list == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for an environment");
    for (size_t i = 0; i < n; i++) {
        bool keep = true;
        for (size_t o = 0; o < sizeof own / sizeof own[0]; o++)
            keep = keep && strncmp(environ[i], own[o], strlen(own[o])) != 0;
        if (keep)
            list[kept++] = environ[i];
    }
    *ret = list;
    return QC_OK;
}

static void environ_free(char ***list)
{
    qc_free(*list);
    *list = NULL;
}

static qc_rc spawn(pid_t *ret, const char *program, const char *const *argv, const struct child_fds *fds,
                   struct qc_err *err)
{
    QC_CLEANUP(actions_free) posix_spawn_file_actions_t acts;
    QC_CLEANUP(attributes_free) posix_spawnattr_t attributes;
    QC_CLEANUP(environ_free) char **env = NULL;
    sigset_t defaults;
    int e = posix_spawn_file_actions_init(&acts);
    QC_ASSERT(e == 0); /* glibc's allocate nothing here */
    e = posix_spawnattr_init(&attributes);
    QC_ASSERT(e == 0);
    QC_TRY(child_environ(&env, err));
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGTERM);
    short flags = POSIX_SPAWN_SETSIGDEF;
    if (fds->session)
        flags = (short)(flags | POSIX_SPAWN_SETSID);
    e = posix_spawnattr_setflags(&attributes, flags);
    if (e == 0)
        e = posix_spawnattr_setsigdefault(&attributes, &defaults);
    if (e == 0)
        e = posix_spawn_file_actions_addopen(&acts, 0, "/dev/null", O_RDONLY, 0);
    if (e == 0)
        e = fds->out < 0 ? posix_spawn_file_actions_addopen(&acts, 1, "/dev/null", O_WRONLY, 0)
                         : posix_spawn_file_actions_adddup2(&acts, fds->out, 1);
    if (e == 0)
        e = posix_spawn_file_actions_adddup2(&acts, fds->err, 2);
    if (e == 0 && fds->ready >= 0)
        e = posix_spawn_file_actions_adddup2(&acts, fds->ready, READY_FD);
    if (e == 0) /* a lock or pipe of our caller's must not live on in a daemon */
        e = posix_spawn_file_actions_addclosefrom_np(&acts, fds->ready >= 0 ? READY_FD + 1 : READY_FD);
    if (e == 0)
        e = posix_spawn(ret, program, &acts, &attributes, (char *const *)(uintptr_t)argv, env);
    if (e != 0)
        return QC_FAIL_ERRNO(err, e, "starting %s", program);
    return QC_OK;
}

/* A pipe whose ends lie above the numbers that a child's are moved to. */
static qc_rc pipe_high(struct qc_fd ends[2], struct qc_err *err)
{
    int raw[2];
    if (pipe2(raw, O_CLOEXEC) != 0)
        return QC_FAIL_OS(err, "pipe");
    for (size_t i = 0; i < 2; i++) {
        QC_CLEANUP(qc_fd_close) struct qc_fd low = qc_fd_own(raw[i]);
        ends[i] = qc_fd_own(fcntl(raw[i], F_DUPFD_CLOEXEC, READY_FD + 1));
        if (!qc_fd_is(&ends[i]))
            return QC_FAIL_OS(err, "pipe");
    }
    return QC_OK;
}

/* Read until "ready", the child's end, the deadline, or the user's wish. */
static qc_rc await_ready(int fd, qc_deadline deadline, const struct qc_cancel *cancel, bool *ret_ready,
                         struct qc_err *err)
{
    qc_deadline until = qc_deadline_min(deadline, qc_deadline_in(QC_CLIENT_START_MS));
    for (;;) {
        QC_TRY(qc_go_on(until, cancel, "waiting for the gateway to start", err));
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int n = poll(&p, 1, QC_CLIENT_START_PAUSE_MS);
        if (n < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "poll");
        if (n <= 0)
            continue;
        char line[16];
        ssize_t got = read(fd, line, sizeof line);
        if (got < 0 && errno == EINTR)
            continue;
        *ret_ready = got >= 5 && memcmp(line, "ready", 5) == 0;
        return QC_OK;
    }
}

/* One attempt. */
struct attempt {
    const char *state;
    int dirfd;
    uint32_t idle_s;
    qc_deadline deadline;
    const struct qc_cancel *cancel;
    bool ready;
    int status;  /* not ready: how it ended */
    qc_buf said; /* and what it said; owned */
};

static void attempt_done(struct attempt *a)
{
    qc_buf_free(&a->said);
}

static qc_rc launch(const struct attempt *a, int talk, int ready, pid_t *ret, struct qc_err *err)
{
    char program[QC_CLIENT_PATH_MAX];
    char log[QC_CLIENT_PATH_MAX];
    char idle[16];
    QC_TRY(gateway_program(program, err));
    QC_TRY(places_join(a->state, GATEWAY_LOG, log, err));
    snprintf(idle, sizeof idle, "%u", a->idle_s);
    const char *argv[GATEWAY_ARGS] = { "qcloud-gateway", "serve", "--state",    a->state, "--idle", idle,
                                       "--log-file",     log,     "--ready-fd", "3" };
    struct child_fds fds = { .out = -1, .err = talk, .ready = ready, .session = true };
    return spawn(ret, program, argv, &fds, err);
}

static qc_rc start(struct attempt *a, struct qc_err *err)
{
    struct qc_fd ends[2] = { 0 };
    pid_t pid = 0;
    /* What it says is kept in memory: the disk that it cannot start on may be full. */
    QC_CLEANUP(qc_fd_close) struct qc_fd talk = qc_fd_own(memfd_create("qcloud-gateway", MFD_CLOEXEC));
    if (!qc_fd_is(&talk))
        return QC_FAIL_OS(err, "memory for messages");
    QC_TRY(pipe_high(ends, err));
    QC_CLEANUP(qc_fd_close) struct qc_fd here = ends[0];
    QC_CLEANUP(qc_fd_close) struct qc_fd there = ends[1];
    QC_TRY(launch(a, qc_fd_get(&talk), qc_fd_get(&there), &pid, err));
    qc_fd_close(&there); /* or its end would never show */
    QC_TRY(await_ready(qc_fd_get(&here), a->deadline, a->cancel, &a->ready, err));
    if (a->ready)
        return QC_OK;
    QC_TRY(wait_for(pid, &a->status, err));
    qc_buf_clear(&a->said);
    if (lseek(qc_fd_get(&talk), 0, SEEK_SET) == 0)
        QC_TRY(drain(qc_fd_get(&talk), &a->said, err));
    return QC_OK;
}

qc_rc gateway_ensure(const char *state, uint32_t idle_s, qc_deadline deadline, const struct qc_cancel *cancel,
                     struct qc_fd *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(attempt_done)
    struct attempt a = {
        .state = state,
        .idle_s = idle_s,
        .deadline = deadline,
        .cancel = cancel,
        .said = { .max = QC_CLIENT_TEXT_MAX },
    };
    qc_rc rc = qc_dir_open(&dir, state, err);
    if (rc == QC_NOTFOUND) {
        rc = QC_FAIL(err, QC_NOTCONF, "the gateway's state %s does not exist", state);
        err->next = gateway_absent;
        return rc;
    }
    QC_TRY_AS(rc, err, "gateway state");
    a.dirfd = qc_fd_get(&dir);
    for (int i = 0; i < QC_CLIENT_START_TRIES; i++) {
        struct qc_err why = { 0 };
        rc = gateway_answers(a.dirfd, &why);
        if (rc == QC_OK) {
            *ret = QC_STEAL(dir);
            return QC_OK;
        }
        if (rc != QC_TEMP) {
            *err = why;
            return rc;
        }
        QC_TRY(start(&a, err));
        if (a.ready)
            continue;
        if (WIFEXITED(a.status) && WEXITSTATUS(a.status) != qc_rc_exit(QC_LOCKED))
            return fail_as(a.status, &a.said, "qcloud-gateway", err);
        /* Another one holds the lock: it starts (then it answers soon) or leaves (then the next try serves).
         * Or a signal ended it, which may have been meant for the one before. */
        if (i + 1 == QC_CLIENT_START_TRIES)
            break;
        const long ms = QC_CLIENT_START_PAUSE_MS << i;
        struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
        nanosleep(&pause, NULL);
    }
    if (!a.ready)
        return fail_as(a.status, &a.said, "qcloud-gateway", err);
    return QC_FAIL(err, QC_TEMP, "the gateway started and does not answer; its log is %s/" GATEWAY_LOG,
                   state);
}

qc_rc gateway_run(const char *const *argv, qc_buf *said, struct qc_err *err)
{
    char program[QC_CLIENT_PATH_MAX];
    struct qc_fd out[2] = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd talk = qc_fd_own(memfd_create("qcloud-gateway", MFD_CLOEXEC));
    QC_CLEANUP(qc_buf_free) qc_buf words = { .max = QC_CLIENT_TEXT_MAX };
    int status = 0;
    pid_t pid = 0;
    QC_TRY(gateway_program(program, err));
    if (!qc_fd_is(&talk))
        return QC_FAIL_OS(err, "memory for messages");
    QC_TRY(pipe_high(out, err));
    QC_CLEANUP(qc_fd_close) struct qc_fd here = out[0];
    QC_CLEANUP(qc_fd_close) struct qc_fd there = out[1];
    struct child_fds fds = { .out = said == NULL ? STDOUT_FILENO : qc_fd_get(&there),
                             .err = qc_fd_get(&talk),
                             .ready = -1 };
    QC_TRY(spawn(&pid, program, argv, &fds, err));
    qc_fd_close(&there);
    qc_rc rc = QC_OK;
    if (said != NULL)
        rc = drain(qc_fd_get(&here), said, err);
    QC_TRY(wait_for(pid, &status, err));
    QC_TRY(rc);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return QC_OK;
    if (lseek(qc_fd_get(&talk), 0, SEEK_SET) == 0)
        QC_TRY(drain(qc_fd_get(&talk), &words, err));
    return fail_as(status, &words, "qcloud-gateway", err);
}

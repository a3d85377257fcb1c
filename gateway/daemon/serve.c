#include "serve.h"

#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "gateway/engine.h"
#include "http.h"
#include "qrng/qrng.h"

#define SOCKET_NAME "gateway.sock"

enum {
    TICK_MS = 200,  /* between two looks at signals and idleness */
    TIDY_MS = 2000, /* between two rounds of housekeeping when there is nothing to do */
    BACKLOG = 64,
    GOODBYE_MS = 300, /* for clients that connected while the socket's name went away */
};

/* Bound through the directory's descriptor: the path itself may be longer than a socket address. */
static qc_rc listen_at(int dirfd, struct qc_fd *ret, struct qc_err *err)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int n = snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/" SOCKET_NAME, dirfd);
    QC_ASSERT(n > 0 && n < (int)sizeof at.sun_path);
    QC_CLEANUP(qc_fd_close) struct qc_fd s = qc_fd_own(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!qc_fd_is(&s))
        return QC_FAIL_OS(err, "socket");
    /* Under the engine's lock nobody else serves here: what stands there is left over from a crash. */
    if (unlinkat(dirfd, SOCKET_NAME, 0) != 0 && errno != ENOENT)
        return QC_FAIL_OS(err, "the old " SOCKET_NAME);
    if (bind(qc_fd_get(&s), (const struct sockaddr *)&at, sizeof at) != 0)
        return QC_FAIL_OS(err, "bind " SOCKET_NAME);
    if (fchmodat(dirfd, SOCKET_NAME, S_IRUSR | S_IWUSR, 0) != 0)
        return QC_FAIL_OS(err, "mode of " SOCKET_NAME);
    if (listen(qc_fd_get(&s), BACKLOG) != 0)
        return QC_FAIL_OS(err, "listen on " SOCKET_NAME);
    *ret = QC_STEAL(s);
    return QC_OK;
}

static void stop_daemon(struct MHD_Daemon **d)
{
    if (*d != NULL)
        MHD_stop_daemon(*d);
    *d = NULL;
}

static qc_rc start_http(struct http_server *server, struct qc_fd *listening, struct MHD_Daemon **ret,
                        struct qc_err *err)
{
    struct MHD_Daemon *d =
        MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0,
                         NULL, NULL, http_handle, server, MHD_OPTION_LISTEN_SOCKET, qc_fd_get(listening),
                         MHD_OPTION_NOTIFY_COMPLETED, http_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
                         http_connection, server, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         (size_t)HTTP_CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                         (unsigned)HTTP_TIMEOUT_S, MHD_OPTION_END);
    if (d == NULL)
        return QC_FAIL(err, QC_TEMP, "the HTTP server does not start");
    (void)QC_STEAL(*listening); /* microhttpd closes it */
    *ret = d;
    return QC_OK;
}

static qc_rc tell_ready(int fd, struct qc_err *err)
{
    if (fd < 0)
        return QC_OK;
    QC_CLEANUP(qc_fd_close) struct qc_fd own = qc_fd_own(fd);
    return qc_write_all(fd, &QC_LIT("ready\n"), 1, err);
}

/* Housekeeping, where it is due. A failure is told once per round and tried again: requests must not suffer.
 */
static void tidy(struct http_server *server, uint64_t *next_ms, bool *more)
{
    struct qc_err err = { 0 };
    if (qc_now_ms() < *next_ms)
        return;
    *more = false;
    if (gw_engine_tidy(server->engine, more, &err) != QC_OK)
        qc_log_err(QC_LOG_WARN, "housekeeping", &err);
    *next_ms = qc_now_ms() + (*more ? TICK_MS : TIDY_MS);
}

/* A job is work, though nobody may be connected. */
static bool idle(struct http_server *server, uint64_t idle_s)
{
    return idle_s > 0 && !jobs_run(&server->jobs) && atomic_load(&server->connections) == 0 &&
           qc_now_ms() - atomic_load(&server->last_ms) >= idle_s * 1000;
}

static int wait_signal(const sigset_t *set)
{
    const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
    return sigtimedwait(set, NULL, &tick);
}

/* The catalogue's disk failed: only a new process, which reads what is on it, can tell what stands. */
static bool broken(struct http_server *server)
{
    struct gw_health health;
    gw_engine_health(server->engine, &health);
    return health.broken;
}

static qc_rc run(struct http_server *server, const struct serve_options *o, const sigset_t *set,
                 struct qc_err *err)
{
    uint64_t next_ms = qc_now_ms();
    bool more = false;
    for (;;) {
        int sig = wait_signal(set);
        if (sig == SIGTERM || sig == SIGINT) {
            QC_LOG(QC_LOG_INFO, "stopping", QC_I("signal", sig));
            return QC_OK;
        }
        streams_rest(server);
        tidy(server, &next_ms, &more);
        if (broken(server))
            return QC_FAIL(err, QC_IO, "the disk under '%s' failed to write the catalogue", o->state);
        if (!more && idle(server, o->idle_s)) {
            QC_LOG(QC_LOG_INFO, "leaving: idle", QC_U("seconds", o->idle_s));
            return QC_OK;
        }
    }
}

/* The socket's name goes first, while the lock is held: whoever comes later starts a gateway of their own and
 * waits for the lock; whoever connected just before is still served. */
static void say_goodbye(struct http_server *server, int dirfd)
{
    qc_deadline until = qc_deadline_in(GOODBYE_MS);
    if (unlinkat(dirfd, SOCKET_NAME, 0) != 0 && errno != ENOENT)
        QC_LOG(QC_LOG_WARN, "the socket's name stays", QC_I("errno", errno));
    while (atomic_load(&server->connections) > 0 && !qc_deadline_over(until))
        (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000L }, NULL);
}

/* Only this thread takes signals; those that microhttpd and the engine start inherit the mask. */
static qc_rc block_signals(sigset_t *set, struct qc_err *err)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, set, NULL) != 0)
        return QC_FAIL(err, QC_GENERAL, "signal mask");
    return QC_OK;
}

/* After microhttpd's threads: they are stopped first. */
static void server_done(struct http_server *server)
{
    jobs_done(&server->jobs);
    qc_mutex_done(&server->lock);
}

static qc_rc serve_engine(struct gw_engine *engine, const struct serve_options *o, const sigset_t *set,
                          struct qc_err *err)
{
    QC_CLEANUP(server_done) struct http_server server = { .engine = engine };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd listening = { 0 };
    QC_CLEANUP(stop_daemon) struct MHD_Daemon *daemon = NULL;
    qc_mutex_init(&server.lock);
    jobs_init(&server.jobs);
    atomic_store(&server.last_ms, qc_now_ms());
    QC_TRY(qc_dir_open(&dir, o->state, err));
    QC_TRY(listen_at(qc_fd_get(&dir), &listening, err));
    QC_TRY(start_http(&server, &listening, &daemon, err));
    QC_TRY_AS(tell_ready(o->ready_fd, err), err, "--ready-fd");
    QC_LOG(QC_LOG_INFO, "serving", QC_S("version", QC_VERSION));
    const qc_rc rc = run(&server, o, set, err);
    say_goodbye(&server, qc_fd_get(&dir));
    return rc;
}

qc_rc serve(const struct serve_options *o, struct qc_err *err)
{
    sigset_t set;
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    QC_CLEANUP(gw_engine_close) struct gw_engine *engine = NULL;
    QC_TRY(block_signals(&set, err));
    QC_TRY(qrng_open("os", &q, err));
    const qc_rng rng = qrng_rng(q);
    QC_TRY(gw_engine_open(&engine, o->state, &rng, err));
    return serve_engine(engine, o, &set, err);
}

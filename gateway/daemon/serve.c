#include "serve.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "doors.h"
#include "gateway/engine.h"
#include "http.h"
#include "qrng/qrng.h"

enum {
    TICK_MS = 200,    /* between two looks at signals and idleness */
    SOON_MS = 20,     /* between two looks at a crowded door */
    TIDY_MS = 2000,   /* between two rounds of housekeeping when there is nothing to do */
    GOODBYE_MS = 300, /* for clients that connected while the socket's name went away */
};

/* -- the service manager --------------------------------------------------------------------------------- */

/* The service manager's socket (sd_notify(3)); a leading '@' stands for the abstract name space. Who does not
 * listen there does not miss it. */
static void tell_manager(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const size_t n = path == NULL ? 0 : strlen(path);
    if (n < 2 || n >= sizeof at.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(at.sun_path, path, n);
    if (path[0] == '@')
        at.sun_path[0] = '\0';
    QC_CLEANUP(qc_fd_close) struct qc_fd s = qc_fd_own(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    if (!qc_fd_is(&s) ||
        sendto(qc_fd_get(&s), state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&at, size) < 0)
        QC_LOG(QC_LOG_WARN, "the service manager cannot be told", QC_S("state", state), QC_I("errno", errno));
}

static qc_rc tell_ready(int fd, struct qc_err *err)
{
    tell_manager("READY=1");
    if (fd < 0)
        return QC_OK;
    QC_CLEANUP(qc_fd_close) struct qc_fd own = qc_fd_own(fd);
    return qc_write_all(fd, &QC_LIT("ready\n"), 1, err);
}

/* -- the configuration anew ------------------------------------------------------------------------------ */

qc_rc serve_log(const struct conf *conf, struct qc_fd *log, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    if (conf->log_file[0] != '\0')
        QC_TRY_AS(qc_open_at(&fd, AT_FDCWD, conf->log_file,
                             O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600, err),
                  err, "log");
    qc_log_setup(qc_fd_is(&fd) ? qc_fd_get(&fd) : STDERR_FILENO, QC_LOG_INFO, conf->json_log);
    qc_fd_close(log);
    *log = QC_STEAL(fd);
    return QC_OK;
}

qc_rc serve_check_tls(const struct conf *conf, struct qc_err *err)
{
    return doors_check_tls(conf, err);
}

/* A log that was moved away goes on under its old name: other threads write to it now. So the new file takes
 * the descriptor's number. */
static qc_rc renew_log(const struct serve_options *o, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    if (o->conf->log_file[0] == '\0' || !qc_fd_is(o->log))
        return QC_OK;
    QC_TRY_AS(qc_open_at(&fd, AT_FDCWD, o->conf->log_file,
                         O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600, err),
              err, "log");
    if (dup3(qc_fd_get(&fd), qc_fd_get(o->log), O_CLOEXEC) < 0)
        return QC_FAIL_OS(err, "log");
    return QC_OK;
}

static bool same_address(const struct conf_address *a, const struct conf_address *b)
{
    return a->is == b->is && a->v6 == b->v6 && a->port == b->port;
}

static bool same_doors(const struct conf *a, const struct conf *b)
{
    return strcmp(a->state, b->state) == 0 && strcmp(a->socket, b->socket) == 0 &&
           a->socket_mode == b->socket_mode && same_address(&a->address, &b->address) &&
           same_address(&a->monitor, &b->monitor) && a->connections == b->connections &&
           strcmp(a->log_file, b->log_file) == 0 && a->json_log == b->json_log &&
           (a->certificate[0] == '\0') == (b->certificate[0] == '\0');
}

static qc_rc reload(const struct serve_options *o, struct doors *doors, struct qc_err *err)
{
    static struct conf conf;
    QC_TRY(renew_log(o, err));
    QC_TRY(conf_load(o->config, &conf, err));
    if (!same_doors(&conf, o->conf))
        QC_LOG_MSG(QC_LOG_WARN, "the configuration changed in what needs a restart");
    return doors_renew(doors, &conf, err);
}

/* SIGHUP: the log's file, certificate and key. What cannot be used leaves everything as it was. */
static void on_hangup(const struct serve_options *o, struct doors *doors)
{
    struct qc_err err = { 0 };
    if (o->config == NULL)
        return;
    if (reload(o, doors, &err) != QC_OK)
        qc_log_err(QC_LOG_ERROR, "the configuration is not used", &err);
    else
        QC_LOG(QC_LOG_INFO, "read again", QC_S("configuration", o->config));
}

/* -- running --------------------------------------------------------------------------------------------- */

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

static int wait_signal(const sigset_t *set, long ms)
{
    const struct timespec tick = { .tv_nsec = ms * 1000000L };
    return sigtimedwait(set, NULL, &tick);
}

/* The catalogue's disk failed: only a new process, which reads what is on it, can tell what stands. */
static qc_rc check_whole(struct http_server *server, const struct serve_options *o, struct qc_err *err)
{
    struct gw_health health;
    gw_engine_health(server->engine, &health);
    if (health.over)
        return QC_FAIL(err, QC_TEMP,
                       "another gateway of this catalogue took this one for dead, and goes on with its work");
    if (health.broken)
        return QC_FAIL(err, QC_IO, "the disk under '%s' failed to write the catalogue", o->state);
    return QC_OK;
}

static qc_rc run(struct http_server *server, const struct serve_options *o, struct doors *doors,
                 const sigset_t *set, struct qc_err *err)
{
    uint64_t next_ms = qc_now_ms();
    bool more = false, crowded = false;
    for (;;) {
        int sig = wait_signal(set, crowded ? SOON_MS : TICK_MS);
        if (sig == SIGTERM || sig == SIGINT) {
            QC_LOG(QC_LOG_INFO, "stopping", QC_I("signal", sig));
            return QC_OK;
        }
        if (sig == SIGHUP)
            on_hangup(o, doors);
        streams_rest(server);
        crowded = visitors_tick(&server->visitors, gw_engine_units_wanted(server->engine), &server->quiet);
        quiet_tick(&server->quiet);
        doors_tick(doors);
        tidy(server, &next_ms, &more);
        QC_TRY(check_whole(server, o, err));
        if (!more && idle(server, o->idle_s)) {
            QC_LOG(QC_LOG_INFO, "leaving: idle", QC_U("seconds", o->idle_s));
            return QC_OK;
        }
    }
}

/* The sockets' names go first, while the lock is held: whoever comes later starts a gateway of their own and
 * waits for the lock; whoever connected just before is still served. */
static void say_goodbye(struct http_server *server, struct doors *doors)
{
    qc_deadline until = qc_deadline_in(GOODBYE_MS);
    tell_manager("STOPPING=1");
    doors_hide(doors);
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
    visitors_done(&server->visitors);
    watch_done(&server->watch);
    quiet_done(&server->quiet);
    qc_mutex_done(&server->lock);
}

static qc_rc serve_engine(struct gw_engine *engine, const struct serve_options *o, const sigset_t *set,
                          struct qc_err *err)
{
    QC_CLEANUP(server_done) struct http_server server = { .engine = engine };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(doors_close) struct doors doors = { 0 };
    qc_mutex_init(&server.lock);
    jobs_init(&server.jobs);
    visitors_init(&server.visitors);
    quiet_init(&server.quiet);
    watch_init(&server.watch);
    atomic_store(&server.last_ms, qc_now_ms());
    QC_TRY(qc_dir_open(&dir, o->state, err));
    QC_TRY(doors_open(&doors, &server, qc_fd_get(&dir), o->conf, err));
    QC_TRY_AS(tell_ready(o->ready_fd, err), err, "--ready-fd");
    QC_LOG(QC_LOG_INFO, "serving", QC_S("version", QC_VERSION));
    const qc_rc rc = run(&server, o, &doors, set, err);
    say_goodbye(&server, &doors);
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
    QC_TRY(gw_engine_work(engine, err));
    return serve_engine(engine, o, &set, err);
}

#include "serve.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/program.h"
#include "chronicle.h"
#include "doors.h"
#include "gateway/engine.h"
#include "gateway/scrub.h"
#include "http.h"
#include "manager.h"
#include "qrng/qrng.h"
#include "reload.h"

enum {
    TICK_MS = 200,    /* between two looks at signals and idleness */
    SOON_MS = 20,     /* between two looks at a crowded door */
    TIDY_MS = 2000,   /* between two rounds of housekeeping when there is nothing to do */
    GOODBYE_MS = 300, /* for clients that connected while the socket's name went away */
};

/* -- beginning --------------------------------------------------------------------------------------------
 */

static qc_rc tell_ready(int fd, struct qc_err *err)
{
    manager_tell("READY=1");
    return qc_ready_tell(fd, err);
}

qc_rc serve_log(const struct conf *conf, struct qc_fd *log, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    if (conf->log_file[0] != '\0')
        QC_TRY_AS(qc_open_at(&fd, AT_FDCWD, conf->log_file,
                             O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600, err),
                  err, "log");
    qc_log_setup(qc_fd_is(&fd) ? qc_fd_get(&fd) : STDERR_FILENO, conf->log_level, conf->json_log);
    qc_fd_close(log);
    *log = QC_STEAL(fd);
    return QC_OK;
}

qc_rc serve_check_tls(const struct conf *conf, struct qc_err *err)
{
    return doors_check_tls(conf, err);
}

/* -- signals --------------------------------------------------------------------------------------------- */

/* SIGHUP. */
static void on_hangup(const struct serve_options *o, struct http_server *server, struct doors *doors)
{
    char restart[RELOAD_NAMES] = "";
    struct qc_err err = { 0 };
    if (o->config == NULL)
        return;
    manager_reloading();
    const qc_rc rc = reload_config(o, doors, restart, &err);
    if (rc != QC_OK)
        qc_log_err(QC_LOG_ERROR, "the configuration is not used", &err);
    else
        QC_LOG(QC_LOG_INFO, "read again", QC_S("configuration", o->config));
    if (restart[0] != '\0')
        QC_LOG(QC_LOG_WARN, "the configuration changed in what needs a restart", QC_S("keys", restart));
    GW_AUDIT(gw_engine_audit(server->engine), "reload", QC_S("rc", qc_rc_name(rc)), QC_S("restart", restart));
    manager_tell("READY=1");
}

/* SIGUSR1: the log was moved away. */
static void on_user(const struct serve_options *o)
{
    struct qc_err err = { 0 };
    if (reload_log(o, &err) != QC_OK)
        qc_log_err(QC_LOG_ERROR, "the log goes on where it was", &err);
    else
        QC_LOG_MSG(QC_LOG_INFO, "the log was opened again");
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
    return idle_s > 0 && !jobs_run(&server->jobs) && !moves_run(&server->moves) &&
           !drills_run(&server->drills) && atomic_load(&server->connections) == 0 &&
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
                       "another gateway of this catalogue changed the clouds, or took this one for dead");
    if (health.broken)
        return QC_FAIL(err, QC_IO, "the disk under '%s' failed to write the catalogue", o->state);
    return QC_OK;
}

/* What is to be done now and then, while requests are served. *crowded: again soon. */
struct loop {
    struct chronicle chronicle;
    struct manager manager;
    uint64_t next_ms;
    bool more, crowded;
};

static void turn(struct loop *l, struct http_server *server, struct doors *doors)
{
    streams_rest(server);
    l->crowded = visitors_tick(&server->visitors, gw_engine_units_wanted(server->engine), &server->quiet);
    quiet_tick(&server->quiet);
    doors_tick(doors);
    tidy(server, &l->next_ms, &l->more);
    chronicle_tick(&l->chronicle, server);
    manager_tick(&l->manager);
    moves_tick(&server->moves, server->engine);
}

static qc_rc run(struct loop *l, struct http_server *server, const struct serve_options *o,
                 struct doors *doors, const sigset_t *set, struct qc_err *err)
{
    for (;;) {
        int sig = wait_signal(set, l->crowded ? SOON_MS : TICK_MS);
        if (sig == SIGTERM || sig == SIGINT) {
            QC_LOG(QC_LOG_INFO, "stopping", QC_I("signal", sig));
            return QC_OK;
        }
        if (sig == SIGHUP)
            on_hangup(o, server, doors);
        if (sig == SIGUSR1)
            on_user(o);
        turn(l, server, doors);
        QC_TRY(check_whole(server, o, err));
        if (!l->more && idle(server, o->idle_s)) {
            QC_LOG(QC_LOG_INFO, "leaving: idle", QC_U("seconds", o->idle_s));
            return QC_OK;
        }
    }
}

/* Requests that are under way end, and no other begins. Another signal, or the end of stop_s: what still runs
 * is broken off where it may be, as by a crash, which loses nothing. */
static void drain(struct loop *l, struct http_server *server, const struct serve_options *o,
                  struct doors *doors, const sigset_t *set)
{
    const qc_deadline until = qc_deadline_in(o->conf == NULL ? 0 : (uint64_t)o->conf->stop_s * 1000);
    atomic_store(&server->leaving, o->conf != NULL);
    while (atomic_load(&server->requests) > 0 && !qc_deadline_over(until)) {
        const int sig = wait_signal(set, SOON_MS);
        if (sig == SIGTERM || sig == SIGINT)
            break;
        turn(l, server, doors);
    }
    const unsigned left = atomic_load(&server->requests);
    if (left == 0 || o->conf == NULL)
        return;
    QC_LOG(QC_LOG_WARN, "requests are broken off", QC_U("count", left));
    gw_engine_hurry(server->engine);
}

/* The sockets' names go first, while the lock is held: whoever comes later starts a gateway of their own and
 * waits for the lock; whoever connected just before is still served. */
static void say_goodbye(struct http_server *server)
{
    qc_deadline until = qc_deadline_in(GOODBYE_MS);
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
    sigaddset(set, SIGUSR1);
    if (pthread_sigmask(SIG_BLOCK, set, NULL) != 0)
        return QC_FAIL(err, QC_GENERAL, "signal mask");
    return QC_OK;
}

/* After microhttpd's threads: they are stopped first. */
static void server_done(struct http_server *server)
{
    moves_done(&server->moves);
    drills_done(&server->drills);
    jobs_done(&server->jobs);
    visitors_done(&server->visitors);
    watch_done(&server->watch);
    quiet_done(&server->quiet);
    levels_done(&server->levels);
    qc_mutex_done(&server->lock);
}

static qc_rc serve_engine(struct gw_engine *engine, const struct serve_options *o, const sigset_t *set,
                          struct qc_err *err)
{
    QC_CLEANUP(server_done) struct http_server server = { .engine = engine, .since_s = qc_wall_s() };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(doors_close) struct doors doors = { 0 };
    struct loop loop = { .next_ms = qc_now_ms() };
    qc_mutex_init(&server.lock);
    manager_begin(&loop.manager);
    jobs_init(&server.jobs);
    moves_init(&server.moves);
    drills_init(&server.drills);
    visitors_init(&server.visitors);
    quiet_init(&server.quiet);
    watch_init(&server.watch);
    atomic_store(&server.last_ms, qc_now_ms());
    QC_TRY(levels_init(&server.levels, o->conf == NULL ? NULL : &o->conf->levels, err));
    QC_TRY(qc_dir_open(&dir, o->state, err));
    QC_TRY(doors_open(&doors, &server, qc_fd_get(&dir), o->conf, err));
    QC_TRY(tell_ready(o->ready_fd, err));
    QC_LOG(QC_LOG_INFO, "serving", QC_S("version", QC_VERSION));
    chronicle_begin(&loop.chronicle, &server);
    const qc_rc rc = run(&loop, &server, o, &doors, set, err);
    manager_tell("STOPPING=1");
    doors_hide(&doors);
    if (rc == QC_OK)
        drain(&loop, &server, o, &doors, set);
    say_goodbye(&server);
    chronicle_end(&loop.chronicle, &server, rc == QC_OK ? "told to, or idle" : err->msg);
    return rc;
}

static void scrub_by(struct gw_engine *e, const struct conf_scrub *c)
{
    const struct gw_scrub_conf conf = { .presence_s = c->presence_s,
                                        .content_s = c->content_s,
                                        .bytes_per_s = c->bytes_per_s,
                                        .requests_per_s = c->requests_per_s };
    gw_engine_scrub_conf(e, &conf);
}

qc_rc serve(const struct serve_options *o, struct qc_err *err)
{
    sigset_t set;
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    QC_CLEANUP(gw_engine_close) struct gw_engine *engine = NULL;
    QC_TRY(block_signals(&set, err));
    QC_TRY(qrng_open("os", &q, err));
    const qc_rng rng = qrng_rng(q);
    const struct gw_audit_opts audit = { .rotate = o->conf != NULL ? o->conf->audit_rotate : 0,
                                         .keep = o->conf != NULL ? o->conf->audit_keep : 0 };
    QC_TRY(gw_engine_open_audited(&engine, o->state, &rng, o->conf != NULL && o->conf->audit ? &audit : NULL,
                                  err));
    if (o->conf != NULL)
        scrub_by(engine, &o->conf->scrub);
    QC_TRY(gw_engine_work(engine, err));
    return serve_engine(engine, o, &set, err);
}

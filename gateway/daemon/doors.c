#include "doors.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/key.h"
#include "base/log.h"
#include "base/unix.h"
#include "listen.h"
#include "serve.h"

enum {
    PEM_MAX = 65536,      /* a certificate and those above it */
    KEY_MAX = QC_KEY_MAX, /* an RSA key of 4,096 bits has 3,272 */
    OLD_MS = 300000,      /* for requests that run when a certificate is renewed */
};

/* A certificate and its key, as texts with a NUL. */
struct tls {
    qc_buf cert;
    qc_key *key;
};

static void tls_done(struct tls *t)
{
    qc_buf_free(&t->cert);
    qc_key_free(&t->key);
}

static qc_rc read_cert(const char *path, qc_buf *ret, struct qc_err *err)
{
    const char *text = NULL;

    qc_buf_init(ret, PEM_MAX + 2);
    QC_TRY(qc_path_read(path, 0, PEM_MAX + 1, ret, err));
    if (ret->n > PEM_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d bytes", PEM_MAX);
    return qc_buf_cstr(ret, &text, err);
}

/* Into secret memory (I5); what is left of it stays zero, which ends the text. */
static qc_rc read_key(const char *path, qc_key **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    size_t n = 0;

    QC_TRY(qc_open_at(&fd, AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0, err));
    QC_TRY(qc_file_private(qc_fd_get(&fd), err));
    QC_TRY(qc_key_blank(&key, KEY_MAX, err));
    QC_TRY(qc_read_full(qc_fd_get(&fd), qc_key_write(key), KEY_MAX, &n, err));
    qc_key_seal(key);
    if (n == KEY_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d bytes", KEY_MAX - 1);
    *ret = QC_STEAL(key);
    return QC_OK;
}

static qc_rc tls_read(const struct conf *conf, struct tls *ret, struct qc_err *err)
{
    QC_TRY_AS(read_cert(conf->certificate, &ret->cert, err), err, "certificate '%s'", conf->certificate);
    QC_TRY_AS(read_key(conf->key, &ret->key, err), err, "key '%s'", conf->key);
    return QC_OK;
}

/* listening: taken when the server starts; empty: none, for a trial, or where connections are given to it.
 * tls NULL: in clear. */
static qc_rc start(const struct http_door *http, struct qc_fd *listening, const struct tls *tls,
                   struct MHD_Daemon **ret, struct qc_err *err)
{
    void *const cls = (void *)(uintptr_t)http;
    const bool deaf = !qc_fd_is(listening);
    const unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC |
                           (tls != NULL ? MHD_USE_TLS : 0U) | (deaf ? MHD_USE_NO_LISTEN_SOCKET : 0U);
    const struct MHD_OptionItem options[] = {
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)http_completed, cls },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)http_connection, cls },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_CONNECTION_MEMORY, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)http->max, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, http->monitor ? HTTP_WATCHER_S : HTTP_TIMEOUT_S, NULL },
        { deaf ? MHD_OPTION_END : MHD_OPTION_LISTEN_SOCKET, deaf ? 0 : qc_fd_get(listening), NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_Daemon *d =
        tls == NULL
            ? MHD_start_daemon(flags, 0, NULL, NULL, http_handle, cls, MHD_OPTION_ARRAY, options,
                               MHD_OPTION_END)
            : MHD_start_daemon(flags, 0, NULL, NULL, http_handle, cls, MHD_OPTION_ARRAY, options,
                               MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3",
                               MHD_OPTION_HTTPS_MEM_CERT, (const char *)tls->cert.p, MHD_OPTION_HTTPS_MEM_KEY,
                               (const char *)qc_key_open(tls->key).p, MHD_OPTION_END);
    if (d == NULL && tls != NULL)
        return QC_FAIL(err, QC_FORMAT, "the certificate and its key cannot be used together");
    if (d == NULL)
        return QC_FAIL(err, QC_TEMP, "the HTTP server does not start");
    (void)QC_STEAL(*listening); /* microhttpd closes it */
    *ret = d;
    return QC_OK;
}

static qc_rc open_owner(struct doors *d, int statefd, struct qc_err *err)
{
    struct door *door = &d->v[DOOR_OWNER];
    QC_CLEANUP(qc_fd_close) struct qc_fd listening = { 0 };

    door->http = (struct http_door){ .server = d->server, .owner = true, .max = HTTP_CONNECTIONS_MAX };
    door->dir = qc_fd_own(fcntl(statefd, F_DUPFD_CLOEXEC, 3));
    if (!qc_fd_is(&door->dir))
        return QC_FAIL_OS(err, "state directory");
    QC_TRY(listen_in_state(statefd, SERVE_SOCKET, &listening, err));
    door->name = SERVE_SOCKET;
    return start(&door->http, &listening, NULL, &door->daemon, err);
}

static qc_rc open_socket(struct doors *d, const struct conf *conf, struct qc_err *err)
{
    struct door *door = &d->v[DOOR_SOCKET];
    QC_CLEANUP(qc_fd_close) struct qc_fd listening = { 0 };

    door->http = (struct http_door){ .server = d->server, .max = conf->connections };
    QC_TRY(qc_unix_listen_path(conf->socket, conf->socket_mode, &listening, &door->dir, err));
    door->name = qc_unix_name(conf->socket);
    return start(&door->http, &listening, NULL, &door->daemon, err);
}

static qc_rc open_address(struct doors *d, const struct conf *conf, struct qc_err *err)
{
    struct door *door = &d->v[DOOR_ADDRESS];
    QC_CLEANUP(qc_fd_close) struct qc_fd listening = { 0 };
    QC_CLEANUP(tls_done) struct tls tls = { 0 };
    const bool secure = conf->certificate[0] != '\0';

    door->http = (struct http_door){ .server = d->server, .max = conf->connections };
    if (secure)
        QC_TRY(tls_read(conf, &tls, err));
    QC_TRY(listen_at_address(&conf->address, &listening, err));
    return start(&door->http, &listening, secure ? &tls : NULL, &door->daemon, err);
}

static qc_rc open_keyed(struct doors *d, const struct conf *conf, struct qc_err *err)
{
    struct door *door = &d->v[DOOR_KEYED];
    struct qc_fd none = { 0 };

    door->http = (struct http_door){ .server = d->server, .max = conf->connections };
    QC_TRY(keyed_open(&d->keyed, conf, &door->http, err));
    QC_TRY(start(&door->http, &none, NULL, &door->daemon, err));
    atomic_store(&d->server->keyed, d->keyed);
    return keyed_start(d->keyed, door->daemon, err);
}

static qc_rc open_monitor(struct doors *d, const struct conf *conf, struct qc_err *err)
{
    struct door *door = &d->v[DOOR_MONITOR];
    QC_CLEANUP(qc_fd_close) struct qc_fd listening = { 0 };

    door->http = (struct http_door){ .server = d->server, .monitor = true, .max = HTTP_WATCHERS_MAX };
    QC_TRY_AS(listen_at_address(&conf->monitor, &listening, err), err, "monitor");
    return start(&door->http, &listening, NULL, &door->daemon, err);
}

qc_rc doors_open(struct doors *d, struct http_server *server, int statefd, const struct conf *conf,
                 struct qc_err *err)
{
    d->server = server;
    QC_TRY(open_owner(d, statefd, err));
    if (conf != NULL && conf->socket[0] != '\0')
        QC_TRY(open_socket(d, conf, err));
    if (conf != NULL && conf->address.is)
        QC_TRY(open_address(d, conf, err));
    if (conf != NULL && conf->qkd.address.port != 0)
        QC_TRY(open_keyed(d, conf, err));
    if (conf != NULL && conf->monitor.is)
        QC_TRY(open_monitor(d, conf, err));
    return QC_OK;
}

/* -- another certificate --------------------------------------------------------------------------------- */

qc_rc doors_check_tls(const struct conf *conf, struct qc_err *err)
{
    QC_CLEANUP(tls_done) struct tls tls = { 0 };
    struct http_server server = { 0 };
    const struct http_door http = { .server = &server, .max = 1 };
    struct qc_fd none = { 0 };
    struct MHD_Daemon *trial = NULL;

    QC_TRY(tls_read(conf, &tls, err));
    QC_TRY(start(&http, &none, &tls, &trial, err));
    MHD_stop_daemon(trial);
    return QC_OK;
}

/* A place for one more server with an old certificate; the oldest ends for it. */
static unsigned old_place(struct doors *d)
{
    unsigned at = 0;

    for (unsigned i = 0; i < DOORS_OLD; i++) {
        if (d->old[i].daemon == NULL)
            return i;
        if (d->old[i].until_ms < d->old[at].until_ms)
            at = i;
    }
    MHD_stop_daemon(d->old[at].daemon);
    d->old[at].daemon = NULL;
    return at;
}

qc_rc doors_renew(struct doors *d, const struct conf *conf, struct qc_err *err)
{
    struct door *door = &d->v[DOOR_ADDRESS];
    QC_CLEANUP(qc_fd_close) struct qc_fd listening = { 0 };
    QC_CLEANUP(tls_done) struct tls tls = { 0 };

    if (door->daemon == NULL || conf->certificate[0] == '\0')
        return QC_OK;
    QC_TRY(doors_check_tls(conf, err)); /* before the old one lets the socket go */
    QC_TRY(tls_read(conf, &tls, err));
    listening = qc_fd_own(MHD_quiesce_daemon(door->daemon));
    if (!qc_fd_is(&listening))
        return QC_FAIL(err, QC_GENERAL, "the server does not give its socket back");
    const unsigned at = old_place(d);
    d->old[at].daemon = QC_STEAL(door->daemon);
    d->old[at].until_ms = qc_now_ms() + OLD_MS;
    return start(&door->http, &listening, &tls, &door->daemon, err);
}

void doors_tick(struct doors *d)
{
    for (unsigned i = 0; i < DOORS_OLD; i++) {
        if (d->old[i].daemon == NULL)
            continue;
        const union MHD_DaemonInfo *info =
            MHD_get_daemon_info(d->old[i].daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
        if ((info != NULL && info->num_connections > 0) && qc_now_ms() < d->old[i].until_ms)
            continue;
        MHD_stop_daemon(d->old[i].daemon);
        d->old[i].daemon = NULL;
    }
}

/* -- the end --------------------------------------------------------------------------------------------- */

void doors_hide(struct doors *d)
{
    for (unsigned i = 0; i < DOORS; i++)
        if (d->v[i].name != NULL) {
            listen_remove(qc_fd_get(&d->v[i].dir), d->v[i].name);
            d->v[i].name = NULL;
        }
}

void doors_close(struct doors *d)
{
    doors_hide(d);
    if (d->keyed != NULL)
        keyed_stop(d->keyed);
    for (unsigned i = 0; i < DOORS_OLD; i++)
        if (d->old[i].daemon != NULL)
            MHD_stop_daemon(d->old[i].daemon);
    for (unsigned i = 0; i < DOORS; i++) {
        if (d->v[i].daemon != NULL)
            MHD_stop_daemon(d->v[i].daemon);
        qc_fd_close(&d->v[i].dir);
    }
    keyed_close(&d->keyed);
    *d = (struct doors){ 0 };
}

#include "keyed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "net/keyed.h"
#include "net/psk.h"
#include "pump.h"
#include "qkd/tls_keys.h"

enum { BACKLOG = 64 };

struct peer {
    char name[NET_PSK_NAME_MAX + 1];
    struct qkd_tls_keys *keys;
};

/* A connection: its thread's own. In the list so long as it lives. */
struct guest {
    struct guest *next;
    struct keyed *at;
    struct qc_fd fd;
    uint32_t source;
    uint64_t since_ms;
    qc_deadline deadline; /* of the handshake */
    bool named;           /* a key: the client has said what it has to say first */
    bool known;           /* the handshake is over, and good */
    bool asked;           /* to leave, which its thread will see */
};

struct keyed {
    const struct http_door *door;
    struct net_psk_id us;  /* master "": any that is named */
    struct net_keyed ages; /* of keys */
    unsigned count;
    struct peer *peers;
    struct qc_fd listener;
    struct MHD_Daemon *http;
    pthread_t thread;
    bool runs;
    atomic_bool stop;      /* no connection begins */
    atomic_bool end;       /* and those that are there go */
    struct qc_cancel asks; /* of the KME: none any more */
    pthread_mutex_t lock;  /* first, its guests' flags, counts; once stop is set under it, nobody comes in and
                              http is given nothing */
    pthread_cond_t left;
    struct guest *first;
    struct keyed_counts counts;
};

/* -- opening --------------------------------------------------------------------------------------------- */

static qc_rc open_peers(struct keyed *k, const struct conf *conf, struct qc_err *err)
{
    k->peers = qc_alloc(conf->qkd.count * sizeof *k->peers);
    if (k->peers == NULL)
        return QC_FAIL(err, QC_NOMEM, "%u SAEs", conf->qkd.count);
    for (; k->count < conf->qkd.count; k->count++) {
        struct peer *p = &k->peers[k->count];
        memcpy(p->name, conf->qkd.peers[k->count], sizeof p->name);
        QC_TRY(qkd_keyed_open(&conf->qkd.way, p->name, &p->keys, err));
    }
    return QC_OK;
}

static qc_rc listen_at(const struct net_address *a, struct qc_fd *ret, struct qc_err *err)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(a->port) };
    const int yes = 1;
    QC_CLEANUP(qc_fd_close)
    struct qc_fd s = qc_fd_own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!qc_fd_is(&s) || inet_pton(AF_INET, a->host, &at.sin_addr) != 1 ||
        setsockopt(qc_fd_get(&s), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
        return QC_FAIL_OS(err, "socket");
    const int rc = bind(qc_fd_get(&s), (const struct sockaddr *)&at, sizeof at);
    if (rc != 0 && errno == EADDRINUSE)
        return QC_FAIL(err, QC_LOCKED, "%s:%u: another program listens there", a->host, (unsigned)a->port);
    if (rc != 0 || listen(qc_fd_get(&s), BACKLOG) != 0)
        return QC_FAIL_OS(err, "%s:%u", a->host, (unsigned)a->port);
    *ret = QC_STEAL(s);
    return QC_OK;
}

void keyed_close(struct keyed **k)
{
    if (*k == NULL)
        return;
    keyed_stop(*k);
    atomic_store(&(*k)->end, true);
    {
        QC_LOCK(&(*k)->lock);
        while ((*k)->first != NULL)
            (void)qc_cond_wait(&(*k)->left, &(*k)->lock, qc_deadline_in(LINK_POLL_MS));
    }
    for (unsigned i = 0; i < (*k)->count; i++)
        qkd_tls_keys_free(&(*k)->peers[i].keys);
    qc_free((*k)->peers);
    qc_fd_close(&(*k)->listener);
    qc_cond_done(&(*k)->left);
    qc_mutex_done(&(*k)->lock);
    qc_free(*k);
    *k = NULL;
}

qc_rc keyed_open(struct keyed **ret, const struct conf *conf, const struct http_door *door,
                 struct qc_err *err)
{
    QC_CLEANUP(keyed_close) struct keyed *k = qc_alloc(sizeof *k);
    if (k == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *k);
    qc_mutex_init(&k->lock);
    qc_cond_init(&k->left);
    k->door = door;
    memcpy(k->us.link, conf->qkd.way.link, sizeof k->us.link);
    memcpy(k->us.slave, conf->qkd.way.me, sizeof k->us.slave);
    qkd_keyed_ages(&conf->qkd.way, &k->ages);
    QC_TRY(open_peers(k, conf, err));
    QC_TRY_AS(listen_at(&conf->qkd.address, &k->listener, err), err, "section [qkd]: 'address'");
    *ret = QC_STEAL(k);
    return QC_OK;
}

qc_rc keyed_check(const struct conf *conf, struct qc_err *err)
{
    for (unsigned i = 0; i < conf->qkd.count; i++) {
        const char *peer = conf->qkd.peers[i];
        uint64_t stored = 0;
        QC_TRY_AS(qkd_keyed_look(&conf->qkd.way, peer, qc_deadline_in(LINK_KME_MS), &stored, err), err,
                  "section [qkd]: peer %s", peer);
    }
    return QC_OK;
}

/* -- guests ---------------------------------------------------------------------------------------------- */

static void guest_leave(struct guest *g)
{
    struct keyed *k = g->at;
    QC_LOCK(&k->lock);
    qc_fd_close(&g->fd); /* under the lock: somebody may be asking it to leave */
    for (struct guest **at = &k->first; *at != NULL; at = &(*at)->next)
        if (*at == g) {
            *at = g->next;
            break;
        }
    k->counts.connections -= g->known;
    qc_cond_wake_all(&k->left);
    qc_free(g);
}

/* Its thread reads the end of the connection. Under the lock. */
static void ask_to_leave(struct guest *g)
{
    g->asked = true;
    (void)shutdown(qc_fd_get(&g->fd), SHUT_RDWR);
}

/* net_psk_find_fn: whose key it is says which of our ways at the KME has it. */
static qc_rc find(void *ctx, const struct net_psk_id *id, struct net_line *to, struct qc_err *err)
{
    struct guest *g = ctx;
    {
        QC_LOCK(&g->at->lock);
        g->named = true;
    }
    for (unsigned i = 0; i < g->at->count; i++) {
        struct qkd_asker who = {
            .keys = g->at->peers[i].keys, .source = g->source, .deadline = g->deadline, .cancel = &g->at->asks
        };
        if (strcmp(g->at->peers[i].name, id->master) == 0)
            return qkd_tls_keys_find(&who, id, to, err);
    }
    return QC_FAIL(err, QC_AUTH, "an SAE that is not named here");
}

static void used(struct guest *g, const struct net_psk_id *id)
{
    struct keyed *k = g->at;
    for (unsigned i = 0; i < k->count; i++) {
        struct qkd_asker who = { .keys = k->peers[i].keys, .source = g->source };
        if (strcmp(k->peers[i].name, id->master) == 0)
            qkd_tls_keys_used(&who, id->key_id);
    }
    QC_LOCK(&k->lock);
    g->known = true;
    k->counts.connections++;
    k->counts.keys++;
    memcpy(k->counts.peer, id->master, sizeof k->counts.peer);
    memcpy(k->counts.key_id, id->key_id, sizeof k->counts.key_id);
}

static void refused(struct guest *g, const struct qc_err *why)
{
    struct keyed *k = g->at;
    bool asked = false;
    if (atomic_load(&k->stop)) /* by us */
        return;
    {
        QC_LOCK(&k->lock);
        k->counts.refused++;
        asked = g->asked;
    }
    if (quiet_may(&k->door->server->quiet))
        QC_LOG(QC_LOG_WARN, "a handshake at the door keyed by QKD failed",
               QC_S("why", asked ? "it came to no end, and others wait" : why->msg));
}

/* One end of a pair to the HTTP server, the other one is ours. */
static qc_rc enter(struct guest *g, struct qc_fd *ret, struct qc_err *err)
{
    struct keyed *k = g->at;
    const struct sockaddr_un nobody = { .sun_family = AF_UNIX };
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return QC_FAIL_OS(err, "a pair of sockets");
    *ret = qc_fd_own(pair[0]);
    QC_LOCK(&k->lock);
    if (atomic_load(&k->stop)) {
        close(pair[1]);
        return QC_FAIL(err, QC_CANCELLED, "the gateway stops");
    }
    if (MHD_add_connection(k->http, pair[1], (const struct sockaddr *)&nobody, sizeof nobody.sun_family) !=
        MHD_YES) /* it closes the socket, whatever it says */
        return QC_FAIL(err, QC_TEMP, "the HTTP server has too many connections");
    return QC_OK;
}

static qc_rc serve(struct guest *g, struct qc_err *err)
{
    struct keyed *k = g->at;
    QC_CLEANUP(net_line_close) struct net_line *line = NULL;
    QC_CLEANUP(qc_fd_close) struct qc_fd http = { 0 };
    const qc_rc rc = net_psk_accept(&line, qc_fd_get(&g->fd), &k->us, find, g, g->deadline, err);
    if (rc != QC_OK) {
        refused(g, err);
        return rc;
    }
    used(g, net_psk_id_of(line));
    QC_TRY(enter(g, &http, err));
    const struct pump p = { .line = line,
                            .fd = qc_fd_get(&g->fd),
                            .http = qc_fd_get(&http),
                            .until_ms = qc_now_ms() + 1000 * (uint64_t)k->ages.key_max_s,
                            .most = k->ages.key_max_bytes,
                            .stop = &k->end };
    return pump_run(&p, err);
}

static void *guest_main(void *arg)
{
    struct guest *g = arg;
    struct qc_err err = { 0 };
    const qc_rc rc = serve(g, &err);
    if (rc != QC_OK && g->known)
        QC_LOG(QC_LOG_DEBUG, "a connection at the door keyed by QKD ended", QC_S("why", err.msg));
    guest_leave(g);
    return NULL;
}

/* -- the door -------------------------------------------------------------------------------------------- */

static bool is_stranger(const struct guest *g)
{
    return !g->known && !g->asked;
}

static unsigned strangers_of(const struct keyed *k, uint32_t source)
{
    unsigned n = 0;
    for (const struct guest *g = k->first; g != NULL; g = g->next)
        n += is_stranger(g) && g->source == source;
    return n;
}

/* The one that came first, of the address with the most of them. NULL: there is none */
static struct guest *who_gives_way(const struct keyed *k)
{
    struct guest *best = NULL;
    unsigned most = 0;
    for (struct guest *g = k->first; g != NULL; g = g->next) { /* the newest is first */
        const unsigned n = is_stranger(g) ? strangers_of(k, g->source) : 0;
        if (n > 0 && n >= most) {
            best = g;
            most = n;
        }
    }
    return best;
}

static struct guest *first_of(const struct keyed *k, uint32_t source)
{
    struct guest *first = NULL;
    for (struct guest *g = k->first; g != NULL; g = g->next)
        if (is_stranger(g) && g->source == source)
            first = g;
    return first;
}

/* For one more from there. Those who have not shown a key yet have little, and the oldest of those gives way.
 * false: so many that were asked to leave are not gone yet. */
static bool make_room(struct keyed *k, uint32_t source)
{
    unsigned all = 0, strangers = 0, leaving = 0;
    for (const struct guest *g = k->first; g != NULL; g = g->next) {
        all++;
        strangers += is_stranger(g);
        leaving += !g->known && g->asked;
    }
    if (atomic_load(&k->stop) || all >= k->door->max + 2 * KEYED_STRANGERS || leaving >= KEYED_STRANGERS)
        return false;
    if (strangers_of(k, source) >= KEYED_STRANGERS / 4)
        ask_to_leave(first_of(k, source));
    else if (strangers >= KEYED_STRANGERS)
        ask_to_leave(who_gives_way(k));
    return true;
}

/* Who connects, and says nothing. */
static void close_silent(struct keyed *k)
{
    const uint64_t now = qc_now_ms();
    QC_LOCK(&k->lock);
    for (struct guest *g = k->first; g != NULL; g = g->next)
        if (is_stranger(g) && !g->named && now - g->since_ms >= KEYED_HELLO_MS)
            ask_to_leave(g);
}

static void tune(int fd)
{
    const struct {
        int level, name, value;
    } options[] = { { IPPROTO_TCP, TCP_NODELAY, 1 },
                    { SOL_SOCKET, SO_KEEPALIVE, 1 },
                    { IPPROTO_TCP, TCP_USER_TIMEOUT, LINK_DEAD_S * 1000 } };
    for (unsigned i = 0; i < 3; i++)
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof options[i].value);
}

/* A thread of its own; nobody waits for it but keyed_close. false: there is no room, or no memory. */
static bool let_in(struct keyed *k, struct qc_fd *fd, uint32_t source)
{
    pthread_t thread;
    QC_LOCK(&k->lock);
    struct guest *g = make_room(k, source) ? qc_alloc(sizeof *g) : NULL;
    if (g != NULL) {
        *g = (struct guest){ .next = k->first,
                             .at = k,
                             .fd = QC_STEAL(*fd),
                             .source = source,
                             .since_ms = qc_now_ms(),
                             .deadline = qc_deadline_in(LINK_HANDSHAKE_MS) };
        if (pthread_create(&thread, NULL, guest_main, g) == 0) {
            pthread_detach(thread);
            k->first = g; /* under the lock: it cannot leave before */
            return true;
        }
        qc_fd_close(&g->fd);
        qc_free(g);
    }
    k->counts.refused++;
    return false;
}

static void *door_main(void *arg)
{
    struct keyed *k = arg;
    while (!atomic_load(&k->stop)) {
        struct pollfd p = { .fd = qc_fd_get(&k->listener), .events = POLLIN };
        struct sockaddr_in from = { 0 };
        socklen_t n = sizeof from;
        const int came = poll(&p, 1, LINK_POLL_MS);
        close_silent(k);
        if (came <= 0)
            continue;
        QC_CLEANUP(qc_fd_close)
        struct qc_fd fd =
            qc_fd_own(accept4(p.fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!qc_fd_is(&fd)) {
            (void)nanosleep(&(struct timespec){ .tv_nsec = 20000000L }, NULL); /* too many are open */
            continue;
        }
        tune(qc_fd_get(&fd));
        if (!let_in(k, &fd, ntohl(from.sin_addr.s_addr)) && quiet_may(&k->door->server->quiet))
            QC_LOG_MSG(QC_LOG_WARN, "no room for a connection at the door keyed by QKD");
    }
    return NULL;
}

qc_rc keyed_start(struct keyed *k, struct MHD_Daemon *daemon, struct qc_err *err)
{
    k->http = daemon;
    if (pthread_create(&k->thread, NULL, door_main, k) != 0)
        return QC_FAIL(err, QC_NOMEM, "a thread for the door keyed by QKD");
    k->runs = true;
    return QC_OK;
}

void keyed_stop(struct keyed *k)
{
    {
        QC_LOCK(&k->lock);
        atomic_store(&k->stop, true);
        qc_cancel_set(&k->asks);
        for (struct guest *g = k->first; g != NULL; g = g->next)
            if (!g->known)
                ask_to_leave(g);
    }
    if (k->runs)
        pthread_join(k->thread, NULL);
    k->runs = false;
}

void keyed_look(struct keyed *k, struct keyed_counts *ret)
{
    QC_LOCK(&k->lock);
    *ret = k->counts;
    ret->link = k->us.link;
}

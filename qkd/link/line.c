#include "line.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "net/cert.h"
#include "streams.h"
#include "wire.h"

void link_line_close(struct link_line *l)
{
    net_line_close(&l->tls);
    qc_fd_close(&l->fd);
    *l = (struct link_line){ 0 };
}

const char *link_line_key_id(const struct link_line *l)
{
    const struct net_psk_id *id = net_psk_id_of(l->tls);
    return id == NULL ? "" : id->key_id;
}

static struct net_psk_id id_of(const struct link_conf *c, bool dials)
{
    struct net_psk_id id = { 0 };
    memcpy(id.link, c->name, sizeof id.link);
    memcpy(id.master, dials ? c->me : c->peer, sizeof id.master);
    memcpy(id.slave, dials ? c->peer : c->me, sizeof id.slave);
    return id;
}

/* -- dial ------------------------------------------------------------------------------------------------ */

static qc_rc reach(const struct net_address *to, struct qc_fd *ret, struct qc_err *err)
{
    struct pollfd p = { .events = POLLOUT };
    int e = 0;
    socklen_t n = sizeof e;
    QC_TRY(link_connect(ret, to, err));
    p.fd = qc_fd_get(ret);
    const int got = poll(&p, 1, LINK_HANDSHAKE_MS);
    if (got <= 0 || getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0 || e != 0)
        return QC_FAIL(err, QC_TEMP, "%s:%u cannot be reached: %s", to->host, (unsigned)to->port,
                       got <= 0 ? "no answer" : strerror(e));
    return QC_OK;
}

static qc_rc say_begin(const struct link_line *l, qc_deadline d, struct qc_err *err)
{
    uint8_t text[LINK_HEAD];
    link_head_print(&(struct link_head){ .kind = LINK_BEGIN }, text);
    return net_line_write(l->tls, qc_span_of(text, sizeof text), d, err);
}

static struct net_cert cert_of(const struct link_conf *c)
{
    return (struct net_cert){ .ca = c->tls_ca, .cert = c->tls_cert, .key = c->tls_key, .peer = c->tls_peer };
}

/* Keyed by QKD. */
static qc_rc connect_keyed(struct link_line *l, const struct link_conf *conf, struct link_keys *keys,
                           struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    struct net_psk_id id = id_of(conf, true);
    QC_TRY_AS(qkd_tls_keys_draw(link_keys_tls(keys), QC_NO_DEADLINE, NULL, id.key_id, &key, err), err, "KME");
    return net_psk_connect(&l->tls, qc_fd_get(&l->fd), &id, key, qc_deadline_in(LINK_HANDSHAKE_MS), err);
}

qc_rc link_line_dial(struct link_line *ret, const struct link_conf *conf, struct link_keys *keys,
                     struct qc_err *err)
{
    QC_CLEANUP(link_line_close) struct link_line l = { 0 };
    const struct net_cert cert = cert_of(conf);
    QC_TRY(reach(&conf->to, &l.fd, err));
    const qc_deadline d = qc_deadline_in(LINK_HANDSHAKE_MS);
    if (conf->level >= NET_QKD_TLS)
        QC_TRY(connect_keyed(&l, conf, keys, err));
    else if (conf->level == NET_TLS)
        QC_TRY(net_cert_connect(&l.tls, qc_fd_get(&l.fd), &cert, d, err));
    else
        QC_TRY(net_line_plain(&l.tls, qc_fd_get(&l.fd), err));
    QC_TRY(say_begin(&l, qc_deadline_in(LINK_HANDSHAKE_MS), err));
    l.began_ms = qc_now_ms();
    *ret = QC_STEAL(l);
    return QC_OK;
}

/* -- serve ----------------------------------------------------------------------------------------------- */

/* The IPv4 address that a connection comes from. */
static uint32_t source_of(const struct qc_fd *fd)
{
    struct sockaddr_in at = { 0 };
    socklen_t n = sizeof at;
    return getpeername(qc_fd_get(fd), (struct sockaddr *)&at, &n) == 0 ? ntohl(at.sin_addr.s_addr) : 0;
}

static qc_rc read_whole(struct net_line *tls, uint8_t *room, size_t n, qc_deadline d, struct qc_err *err)
{
    for (size_t done = 0; done < n;) {
        size_t got = 0;
        QC_TRY(net_line_read(tls, room + done, n - done, &got, d, err));
        if (got == 0)
            return QC_FAIL(err, QC_TEMP, "the other end closed the link");
        done += got;
    }
    return QC_OK;
}

static qc_rc hear_begin(struct link_line *l, qc_deadline d, struct qc_err *err)
{
    uint8_t room[LINK_HEAD];
    struct link_head h;
    QC_TRY(read_whole(l->tls, room, sizeof room, d, err));
    QC_TRY(link_head_parse(&h, qc_span_of(room, sizeof room), err));
    if (h.kind != LINK_BEGIN || h.n > 0)
        return QC_FAIL(err, QC_FORMAT, "the other end does not begin");
    return QC_OK;
}

static qc_rc accept_keyed(struct link_line *l, const struct link_conf *conf, struct link_keys *keys, int fd,
                          uint32_t source, qc_deadline d, struct qc_err *err)
{
    const struct net_psk_id us = id_of(conf, false);
    struct qkd_asker asker = { .keys = link_keys_tls(keys), .source = source, .deadline = d };
    QC_TRY(net_psk_accept(&l->tls, fd, &us, qkd_tls_keys_find, &asker, d, err));
    qkd_tls_keys_used(&asker, link_line_key_id(l));
    return QC_OK;
}

qc_rc link_line_accept(struct link_line *ret, const struct link_conf *conf, struct link_keys *keys,
                       struct qc_fd *fd, struct qc_err *err)
{
    QC_CLEANUP(link_line_close) struct link_line l = { 0 };
    const struct net_cert cert = cert_of(conf);
    const qc_deadline d = qc_deadline_in(LINK_HANDSHAKE_MS);
    if (conf->level >= NET_QKD_TLS)
        QC_TRY(accept_keyed(&l, conf, keys, qc_fd_get(fd), source_of(fd), d, err));
    else if (conf->level == NET_TLS)
        QC_TRY(net_cert_accept(&l.tls, qc_fd_get(fd), &cert, d, err));
    else
        QC_TRY(net_line_plain(&l.tls, qc_fd_get(fd), err));
    QC_TRY(hear_begin(&l, d, err));
    l.began_ms = qc_now_ms();
    l.fd = QC_STEAL(*fd);
    *ret = QC_STEAL(l);
    return QC_OK;
}

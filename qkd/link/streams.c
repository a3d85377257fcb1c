#include "streams.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"

/* -- bytes ----------------------------------------------------------------------------------------------- */

qc_rc link_bytes_new(struct link_bytes *ret, size_t size, struct qc_err *err)
{
    uint8_t *p = qc_alloc(size);
    if (p == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", size);
    *ret = (struct link_bytes){ .p = p, .size = size };
    return QC_OK;
}

void link_bytes_free(struct link_bytes *b)
{
    qc_free(b->p);
    *b = (struct link_bytes){ 0 };
}

qc_rc link_bytes_add(struct link_bytes *b, qc_span s, struct qc_err *err)
{
    if (s.n > b->size - b->n)
        return QC_FAIL(err, QC_LIMIT, "more than %zu bytes wait", b->size);
    if (s.n > 0)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    return QC_OK;
}

void link_bytes_drop(struct link_bytes *b, size_t n)
{
    QC_ASSERT(n <= b->n);
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

/* -- sockets --------------------------------------------------------------------------------------------- */

static struct sockaddr_in address_of(const struct net_address *a)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(a->port) };
    QC_ASSERT(inet_pton(AF_INET, a->host, &in.sin_addr) == 1);
    return in;
}

/* What is said goes at once; a peer that is gone is noticed. */
static void tune(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = { { IPPROTO_TCP, TCP_NODELAY, 1 },
                    { SOL_SOCKET, SO_KEEPALIVE, 1 },
                    { IPPROTO_TCP, TCP_KEEPIDLE, LINK_DEAD_S / 2 },
                    { IPPROTO_TCP, TCP_KEEPINTVL, LINK_DEAD_S / 6 },
                    { IPPROTO_TCP, TCP_KEEPCNT, 3 },
                    { IPPROTO_TCP, TCP_USER_TIMEOUT, LINK_DEAD_S * 1000 } };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

qc_rc link_connect(struct qc_fd *ret, const struct net_address *to, struct qc_err *err)
{
    const struct sockaddr_in at = address_of(to);
    QC_CLEANUP(qc_fd_close)
    struct qc_fd fd = qc_fd_own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!qc_fd_is(&fd))
        return QC_FAIL_OS(err, "socket");
    tune(qc_fd_get(&fd));
    if (connect(qc_fd_get(&fd), (const struct sockaddr *)&at, sizeof at) != 0 && errno != EINPROGRESS)
        return QC_FAIL(err, QC_TEMP, "%s:%u cannot be reached: %s", to->host, (unsigned)to->port,
                       strerror(errno));
    *ret = QC_STEAL(fd);
    return QC_OK;
}

qc_rc link_listen(struct qc_fd *ret, const struct net_address *where, struct qc_err *err)
{
    const struct sockaddr_in at = address_of(where);
    const int yes = 1;
    QC_CLEANUP(qc_fd_close)
    struct qc_fd fd = qc_fd_own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!qc_fd_is(&fd) || setsockopt(qc_fd_get(&fd), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
        return QC_FAIL_OS(err, "socket");
    if (bind(qc_fd_get(&fd), (const struct sockaddr *)&at, sizeof at) != 0 ||
        listen(qc_fd_get(&fd), LINK_BACKLOG) != 0)
        return QC_FAIL(err, QC_LOCKED, "listen: %s:%u: %s", where->host, (unsigned)where->port,
                       strerror(errno));
    *ret = QC_STEAL(fd);
    return QC_OK;
}

qc_rc link_accept(struct qc_fd *ret, int listener, struct qc_err *err)
{
    const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
        return QC_OK;
    if (fd < 0)
        return QC_FAIL_OS(err, "accept");
    tune(fd);
    *ret = qc_fd_own(fd);
    return QC_OK;
}

/* -- connections ----------------------------------------------------------------------------------------- */

qc_rc link_streams_new(struct link_streams *s, const struct net_address *to, struct qc_err *err)
{
    *s = (struct link_streams){ .to = to, .next = 1 };
    QC_TRY(link_bytes_new(&s->out, LINK_QUEUE, err));
    return link_bytes_new(&s->in, LINK_QUEUE, err);
}

void link_close_hard(struct qc_fd *fd)
{
    const struct linger now = { .l_onoff = 1 };
    (void)setsockopt(qc_fd_get(fd), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    qc_fd_close(fd);
}

/* Unless both sides ended it, it breaks here, too: what was cut must not look like a whole answer. */
static void drop(struct link_streams *s, struct link_stream *v)
{
    if (v->eof_sent && v->shut)
        qc_fd_close(&v->fd);
    else
        link_close_hard(&v->fd);
    link_bytes_free(&v->in);
    *v = (struct link_stream){ 0 };
    s->open--;
}

void link_streams_reset(struct link_streams *s)
{
    for (unsigned i = 0; i < LINK_STREAMS; i++)
        if (s->v[i].id != 0)
            drop(s, &s->v[i]);
    s->out.n = s->in.n = 0;
    s->next = 1;
}

void link_streams_free(struct link_streams *s)
{
    link_streams_reset(s);
    link_bytes_free(&s->out);
    link_bytes_free(&s->in);
}

static struct link_stream *find(struct link_streams *s, uint32_t id)
{
    for (unsigned i = 0; i < LINK_STREAMS; i++)
        if (s->v[i].id == id)
            return &s->v[i];
    return NULL;
}

static qc_rc say(struct link_streams *s, enum link_word word, uint32_t id, uint32_t n, struct qc_err *err)
{
    uint8_t head[LINK_MESSAGE];
    link_message_print(&(struct link_message){ .word = word, .id = id, .n = n }, head);
    s->moved = true;
    s->sent.messages++;
    s->sent.bytes += word == LINK_DATA ? n : 0;
    return link_bytes_add(&s->out, qc_span_of(head, sizeof head), err);
}

static qc_rc begin(struct link_streams *s, uint32_t id, struct qc_fd *fd, bool connecting, struct qc_err *err)
{
    struct link_stream *v = find(s, 0);
    if (v == NULL)
        return QC_FAIL(err, QC_LIMIT, "a link carries %d connections", LINK_STREAMS);
    QC_TRY(link_bytes_new(&v->in, LINK_WINDOW, err));
    v->id = id;
    v->fd = QC_STEAL(*fd);
    v->connecting = connecting;
    v->credit = LINK_WINDOW;
    s->open++;
    return QC_OK;
}

qc_rc link_streams_open(struct link_streams *s, struct qc_fd *fd, struct qc_err *err)
{
    QC_TRY(begin(s, s->next, fd, false, err));
    return say(s, LINK_OPEN, s->next++, 0, err);
}

/* The other end opens one: to the service. */
static qc_rc opened(struct link_streams *s, uint32_t id, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct qc_err why = { 0 };
    if (s->to == NULL || find(s, id) != NULL)
        return QC_FAIL(err, QC_FORMAT, "a connection that nobody may open");
    qc_rc rc = link_connect(&fd, s->to, &why);
    if (rc == QC_OK)
        rc = begin(s, id, &fd, true, &why);
    return rc == QC_OK ? QC_OK : say(s, LINK_RESET, id, 0, err);
}

static qc_rc reset(struct link_streams *s, struct link_stream *v, struct qc_err *err)
{
    const uint32_t id = v->id;
    drop(s, v);
    return say(s, LINK_RESET, id, 0, err);
}

/* -- what comes from the other end ----------------------------------------------------------------------- */

static qc_rc handle(struct link_streams *s, const struct link_message *m, qc_span data, struct qc_err *err)
{
    struct link_stream *v = find(s, m->id);
    if (m->word == LINK_OPEN)
        return opened(s, m->id, err);
    if (v == NULL)
        return QC_OK; /* it ended here while that was on its way */
    if (m->word == LINK_RESET) {
        drop(s, v);
        return QC_OK;
    }
    if (m->word == LINK_CREDIT) {
        if (m->n > LINK_WINDOW - v->credit)
            return QC_FAIL(err, QC_FORMAT, "more credit than there is");
        v->credit += m->n;
        return QC_OK;
    }
    if (v->eof_there)
        return QC_FAIL(err, QC_FORMAT, "bytes behind the end of a connection");
    if (m->word == LINK_EOF)
        v->eof_there = true;
    else if (link_bytes_add(&v->in, data, err) != QC_OK)
        return QC_FAIL(err, QC_FORMAT, "more bytes than a connection's window");
    return QC_OK;
}

static qc_rc come_in(struct link_streams *s, struct qc_err *err)
{
    size_t at = 0;
    while (s->in.n - at >= LINK_MESSAGE) {
        struct link_message m;
        QC_TRY(link_message_parse(&m, qc_span_of(s->in.p + at, LINK_MESSAGE), err));
        const size_t n = m.word == LINK_DATA ? m.n : 0;
        if (s->in.n - at - LINK_MESSAGE < n)
            break;
        s->received.messages++;
        s->received.bytes += n;
        QC_TRY(handle(s, &m, qc_span_of(s->in.p + at + LINK_MESSAGE, n), err));
        at += LINK_MESSAGE + n;
    }
    s->moved |= at > 0;
    link_bytes_drop(&s->in, at);
    return QC_OK;
}

/* -- local sockets --------------------------------------------------------------------------------------- */

static bool later(ssize_t got)
{
    return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/* true: it is there, or still on its way. */
static bool connected(struct link_stream *v)
{
    int e = 0;
    socklen_t n = sizeof e;
    struct pollfd p = { .fd = qc_fd_get(&v->fd), .events = POLLOUT };
    if (poll(&p, 1, 0) == 0)
        return true;
    v->connecting = false;
    return getsockopt(qc_fd_get(&v->fd), SOL_SOCKET, SO_ERROR, &e, &n) == 0 && e == 0;
}

/* false: the connection broke. */
static bool write_out(struct link_streams *s, struct link_stream *v)
{
    if (v->in.n > 0) {
        const ssize_t done = send(qc_fd_get(&v->fd), v->in.p, v->in.n, MSG_NOSIGNAL);
        if (done < 0)
            return later(done);
        link_bytes_drop(&v->in, (size_t)done);
        v->owed += (uint32_t)done;
        s->moved = true;
    }
    if (v->in.n == 0 && v->eof_there && !v->shut) {
        v->shut = true;
        return shutdown(qc_fd_get(&v->fd), SHUT_WR) == 0;
    }
    return true;
}

/* Data is read while messages have room: so much that what must be said besides always has. */
static bool may_read(const struct link_streams *s, const struct link_stream *v)
{
    return !v->connecting && !v->eof_sent && v->credit > 0 && s->out.n < LINK_QUEUE / 2;
}

static qc_rc read_in(struct link_streams *s, struct link_stream *v, struct qc_err *err)
{
    uint8_t room[LINK_DATA_MAX];
    const size_t most = v->credit < sizeof room ? v->credit : sizeof room;
    const ssize_t got = recv(qc_fd_get(&v->fd), room, most, 0);
    if (later(got))
        return QC_OK;
    if (got < 0)
        return reset(s, v, err);
    if (got == 0) {
        v->eof_sent = true;
        return say(s, LINK_EOF, v->id, 0, err);
    }
    v->credit -= (uint32_t)got;
    QC_TRY(say(s, LINK_DATA, v->id, (uint32_t)got, err));
    return link_bytes_add(&s->out, qc_span_of(room, (size_t)got), err);
}

static qc_rc turn(struct link_streams *s, struct link_stream *v, struct qc_err *err)
{
    if (v->connecting && !connected(v))
        return reset(s, v, err);
    if (v->connecting)
        return QC_OK;
    if (!write_out(s, v))
        return reset(s, v, err);
    if (v->owed >= LINK_WINDOW / 4) {
        const uint32_t n = v->owed;
        v->owed = 0;
        QC_TRY(say(s, LINK_CREDIT, v->id, n, err));
    }
    if (may_read(s, v))
        QC_TRY(read_in(s, v, err));
    if (v->id != 0 && v->eof_sent && v->shut)
        drop(s, v);
    return QC_OK;
}

qc_rc link_streams_turn(struct link_streams *s, struct qc_err *err)
{
    QC_TRY(come_in(s, err));
    for (unsigned i = 0; i < LINK_STREAMS && s->open > 0; i++)
        if (s->v[i].id != 0)
            QC_TRY(turn(s, &s->v[i], err));
    return QC_OK;
}

unsigned link_streams_poll(const struct link_streams *s, struct pollfd *ret)
{
    unsigned n = 0;
    for (unsigned i = 0; i < LINK_STREAMS; i++) {
        const struct link_stream *v = &s->v[i];
        short events = 0;
        if (v->id == 0)
            continue;
        if (may_read(s, v))
            events |= POLLIN;
        if (v->connecting || v->in.n > 0)
            events |= POLLOUT;
        if (events != 0)
            ret[n++] = (struct pollfd){ .fd = qc_fd_get(&v->fd), .events = events };
    }
    return n;
}

#include "pump.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/time.h"

/* What waits to go one way. Nothing more is read before it is gone: so who is slow slows the other down. */
struct half {
    uint8_t bytes[KEYED_PUMP];
    size_t at, n;
    bool over; /* no more comes */
};
struct state {
    const struct pump *p;
    struct half in, out; /* to HTTP; from it */
    uint64_t bytes;
    bool moved; /* something did, in this turn */
};

static bool has(const struct half *h)
{
    return h->at < h->n;
}

static void came(struct state *s, struct half *h, size_t n)
{
    h->at = 0;
    h->n = n;
    h->over = n == 0;
    s->moved = true;
    s->bytes += n;
}

static void went(struct state *s, struct half *h, size_t n)
{
    h->at += n;
    s->moved = s->moved || n > 0;
}

/* -- the other end --------------------------------------------------------------------------------------- */

static qc_rc hear(struct state *s, struct qc_err *err)
{
    const qc_deadline now = { .at_ms = 1 };
    struct qc_err none = { 0 };
    size_t n = 0;
    if (has(&s->in) || s->in.over)
        return QC_OK;
    const qc_rc rc = net_line_read(s->p->line, s->in.bytes, sizeof s->in.bytes, &n, now, &none);
    if (rc == QC_TIMEOUT)
        return QC_OK;
    if (rc != QC_OK) {
        *err = none;
        return rc;
    }
    came(s, &s->in, n);
    if (n == 0)
        (void)shutdown(s->p->http, SHUT_WR);
    return QC_OK;
}

static qc_rc say(struct state *s, struct qc_err *err)
{
    size_t n = 0;
    if (!has(&s->out))
        return QC_OK;
    QC_TRY(
        net_line_write_some(s->p->line, qc_span_of(s->out.bytes + s->out.at, s->out.n - s->out.at), &n, err));
    went(s, &s->out, n);
    return QC_OK;
}

/* -- HTTP ------------------------------------------------------------------------------------------------ */

static bool is_later(ssize_t got)
{
    return got < 0 && (errno == EAGAIN || errno == EINTR);
}

static void take(struct state *s)
{
    if (has(&s->out) || s->out.over)
        return;
    const ssize_t got = recv(s->p->http, s->out.bytes, sizeof s->out.bytes, MSG_DONTWAIT);
    if (!is_later(got))
        came(s, &s->out, got < 0 ? 0 : (size_t)got);
}

static void give(struct state *s)
{
    if (!has(&s->in))
        return;
    const ssize_t got =
        send(s->p->http, s->in.bytes + s->in.at, s->in.n - s->in.at, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (is_later(got))
        return;
    went(s, &s->in, got < 0 ? s->in.n - s->in.at : (size_t)got);
    s->out.over = s->out.over || got < 0; /* it does not listen: what it said goes out, and then it is over */
}

/* -- both ------------------------------------------------------------------------------------------------ */

static void wait_for(const struct state *s)
{
    struct pollfd v[] = {
        { .fd = s->p->fd,
          .events = (short)((has(&s->in) || s->in.over ? 0 : POLLIN) | (has(&s->out) ? POLLOUT : 0)) },
        { .fd = s->p->http,
          .events = (short)((has(&s->out) || s->out.over ? 0 : POLLIN) | (has(&s->in) ? POLLOUT : 0)) },
    };
    for (unsigned i = 0; i < 2; i++)
        if (v[i].events == 0)
            v[i].fd = -1; /* an end that hung up is told of again and again */
    (void)poll(v, 2, LINK_POLL_MS);
}

static qc_rc turn(struct state *s, struct qc_err *err)
{
    s->moved = false;
    QC_TRY(hear(s, err));
    give(s);
    take(s);
    return say(s, err);
}

qc_rc pump_run(const struct pump *p, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct state *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *s);
    s->p = p;
    while (!s->out.over || has(&s->out)) {
        if (atomic_load(p->stop))
            return QC_FAIL(err, QC_CANCELLED, "the gateway stops");
        if (qc_now_ms() >= p->until_ms || s->bytes >= p->most)
            return QC_FAIL(err, QC_LIMIT, "the key of a connection is old");
        QC_TRY(turn(s, err));
        if (!s->moved)
            wait_for(s);
    }
    return QC_OK;
}

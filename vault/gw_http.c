#include "gw_http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "gw_json.h"

void vault_gw_close(struct vault_gw **gw)
{
    if (*gw != NULL)
        (*gw)->ops->close(*gw);
    *gw = NULL;
}

void gw_http_close(struct vault_gw *gw)
{
    struct gw_http *h = (struct gw_http *)gw;
    net_client_free(&h->net);
    if (h->dirfd > 0)
        close(h->dirfd - 1);
    qc_free(h->name);
    qc_free(h->ca);
    qc_free(h->link);
    net_watch_free(&h->watch);
    gw_keyed_free(&h->keyed);
    qc_free(h);
}

void gw_http_free(struct gw_http **h)
{
    if (*h != NULL)
        gw_http_close(&(*h)->gw);
    *h = NULL;
}

qc_rc gw_http_blank(struct gw_http **ret, const char *name, struct qc_err *err)
{
    QC_CLEANUP(gw_http_free) struct gw_http *h = qc_alloc(sizeof(*h));
    if (h == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a connection");
    h->gw.ops = &gw_http_ops;
    h->jitter = qc_now_ns();
    if ((h->name = qc_strdup(name)) == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a connection");
    *ret = QC_STEAL(h);
    return QC_OK;
}

qc_rc vault_gw_http_new(struct vault_gw **ret, int dirfd, const char *name, struct qc_err *err)
{
    QC_CLEANUP(gw_http_free) struct gw_http *h = NULL;
    QC_TRY(gw_http_blank(&h, name, err));
    int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return QC_FAIL_OS(err, "cannot keep the gateway's directory open");
    h->dirfd = fd + 1;
    QC_TRY(net_client_new_unix(&h->net, fd, name, err));
    *ret = &QC_STEAL(h)->gw;
    return QC_OK;
}

qc_rc gw_http_clone(struct vault_gw *gw, struct vault_gw **ret, struct qc_err *err)
{
    struct gw_http *h = (struct gw_http *)gw;
    struct vault_gw *copy = NULL;
    QC_TRY(h->token != NULL ? gw_remote_clone(h, &copy, err)
                            : vault_gw_http_new(&copy, h->dirfd - 1, h->name, err));
    gw_http_set_request(copy, h->request);
    vault_gw_http_revive(copy, h->revive);
    vault_gw_http_count(copy, h->traffic);
    vault_gw_http_waits(copy, h->waits);
    vault_gw_http_rate(copy, h->rate);
    *ret = copy;
    return QC_OK;
}

void vault_gw_http_revive(struct vault_gw *gw, struct vault_gw_revive revive)
{
    struct gw_http *h = (struct gw_http *)gw;
    h->revive = revive;
}

void vault_gw_http_count(struct vault_gw *gw, struct vault_gw_traffic *to)
{
    struct gw_http *h = (struct gw_http *)gw;
    h->traffic = to;
}

void vault_gw_waits_init(struct vault_gw_waits *w)
{
    *w = (struct vault_gw_waits){ 0 };
    qc_mutex_init(&w->lock);
}

void vault_gw_waits_read(struct vault_gw_waits *w, char out[QC_ERR_MSG_MAX])
{
    QC_LOCK(&w->lock);
    memcpy(out, w->why, sizeof w->why);
}

void vault_gw_http_waits(struct vault_gw *gw, struct vault_gw_waits *to)
{
    struct gw_http *h = (struct gw_http *)gw;
    h->waits = to;
}

static void waits_for(struct gw_http *h, const char *why)
{
    struct vault_gw_waits *w = h->waits;
    if (w == NULL)
        return;
    QC_LOCK(&w->lock);
    if (w->by != NULL && w->by != &h->gw) /* one that asks meanwhile how things are does not hide it */
        return;
    w->by = why[0] != '\0' ? &h->gw : NULL;
    (void)snprintf(w->why, sizeof w->why, "%s", why);
}

void vault_gw_http_rate(struct vault_gw *gw, struct net_rate *rate)
{
    struct gw_http *h = (struct gw_http *)gw;
    h->rate = rate;
    net_client_rate(h->net, rate);
}

void vault_gw_http_aside(struct vault_gw *gw, void (*fn)(void *ctx), void *ctx)
{
    const struct gw_http *h = (const struct gw_http *)gw;
    net_client_aside(h->net, (struct net_aside){ .fn = fn, .ctx = ctx });
}

/* A streamed answer on its way to whoever asked for it. */
struct counted {
    net_write_fn write;
    void *ctx;
    struct vault_gw_traffic *traffic; /* or NULL */
};

static qc_rc write_counted(void *ctx, qc_span bytes, struct qc_err *err)
{
    const struct counted *c = ctx;
    if (c->traffic != NULL)
        c->traffic->received += bytes.n;
    return c->write(c->ctx, bytes, err);
}

void gw_http_set_request(struct vault_gw *gw, const char *id)
{
    struct gw_http *h = (struct gw_http *)gw;
    QC_ASSERT(strlen(id) < sizeof(h->request));
    memcpy(h->request, id, strlen(id) + 1);
}

/* Not for secrets: spreads the retries of several commands. */
static uint64_t jitter(struct gw_http *h, uint64_t below)
{
    h->jitter = h->jitter * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return below == 0 ? 0 : (h->jitter >> 33) % below;
}

/* Wait before the next try, in slices, so that a cancel is seen. QC_OK: try again. */
static qc_rc pause_before(struct gw_http *h, unsigned attempt, const char *retry_after, qc_deadline patience,
                          const struct vault_op *op, struct qc_err *err)
{
    uint64_t ms = QC_VAULT_PAUSE_MS;
    for (unsigned i = 0; i < attempt && ms < QC_VAULT_PAUSE_MAX_MS; i++)
        ms *= 2;
    if (retry_after != NULL) {
        long s = strtol(retry_after, NULL, 10);
        if (s > 0 && s < 1000 && (uint64_t)s * 1000 > ms)
            ms = (uint64_t)s * 1000;
    }
    if (ms > QC_VAULT_PAUSE_MAX_MS)
        ms = QC_VAULT_PAUSE_MAX_MS;
    ms = ms / 2 + jitter(h, ms);
    if (qc_deadline_left_ms(patience) <= ms)
        return err->rc; /* no time for another try: the failure that we have stands */
    for (qc_deadline until = qc_deadline_in(ms); !qc_deadline_over(until);) {
        uint64_t left = qc_deadline_left_ms(until);
        long slice = (long)(left < 50 ? left : 50);
        struct qc_err stop = { 0 };
        qc_rc rc = qc_go_on(op->deadline, op->cancel, "waiting for the gateway", &stop);
        if (rc == QC_TIMEOUT)
            return err->rc;
        if (rc != QC_OK) {
            *err = stop;
            return rc;
        }
        nanosleep(&(struct timespec){ .tv_nsec = slice * 1000000 }, NULL);
    }
    return QC_OK;
}

static size_t make_headers(struct net_header v[4], const struct gw_http *h, const struct gw_http_call *call)
{
    size_t n = 0;
    if (h->request[0] != '\0')
        v[n++] = (struct net_header){ "X-Qcloud-Request", h->request };
    if (call->body.n > 0)
        v[n++] = (struct net_header){ "Content-Type", call->type != NULL ? call->type : "application/json" };
    if (call->range != NULL)
        v[n++] = (struct net_header){ "Range", call->range };
    return n;
}

/* What a failed try leaves to be done. */
struct again {
    bool may;          /* it may go away */
    bool nobody;       /* nobody took the connection: the gateway is not there */
    const char *after; /* the Retry-After header, until the next request; NULL: none */
};

/* A request failed without an answer. */
static qc_rc no_answer(const struct gw_http *h, const struct gw_http_call *call, qc_rc rc,
                       struct again *ret_again, struct qc_err *err)
{
    const bool remote = h->token != NULL;
    if (rc == QC_NOTFOUND) { /* the socket, not the object */
        *ret_again = (struct again){ .may = true, .nobody = true };
        return QC_FAIL(err, QC_TEMP, "the gateway is not running (no socket '%s')", h->name);
    }
    if (remote) /* the socket's mode, the server's certificate, a key from QKD */
        gw_remote_advise(h, err, 0);
    if (rc != QC_CANCELLED && remote)
        qc_err_wrap(err, "the gateway at %s", h->name);
    /* A stream that breaks has a reason, which the gateway remembers: its reader asks before it tries again.
     */
    const bool nothing_sent = net_client_reach(h->net) == NET_NOTHING_SENT;
    ret_again->may = rc == QC_LINK || (rc == QC_TEMP && (call->write == NULL || nothing_sent));
    ret_again->nobody = rc == QC_TEMP && nothing_sent;
    return rc;
}

static qc_rc try_once(struct gw_http *h, const struct gw_http_call *call, qc_buf *ret,
                      const struct vault_op *op, struct again *ret_again, struct qc_err *err)
{
    static const char *const keep[] = { "Retry-After" };
    struct net_header headers[4];
    struct net_response answer = { .body = { .max = call->answer_max } };
    QC_CLEANUP(qc_buf_free) qc_buf body = { 0 };
    *ret_again = (struct again){ 0 };
    if (h->watch != NULL)
        QC_TRY_AS(net_watch_allowed(h->watch, &ret_again->may, err), err, "the gateway at %s", h->name);
    size_t header_count = make_headers(headers, h, call);
    struct counted counted = { call->write, call->ctx, h->traffic };
    qc_rc rc = net_request(h->net,
                           &(struct net_request){ .method = call->method,
                                                  .path = call->path,
                                                  .headers = headers,
                                                  .header_count = header_count,
                                                  .keep = keep,
                                                  .keep_count = 1,
                                                  .body = call->body,
                                                  .sent = call->wire.sent,
                                                  .sent_ctx = call->wire.ctx,
                                                  .write = call->write != NULL ? write_counted : NULL,
                                                  .write_ctx = &counted,
                                                  .repeatable = true, /* all calls of the API are */
                                                  .deadline = op->deadline,
                                                  .stall_ms = QC_VAULT_STALL_MS,
                                                  .cancel = op->cancel },
                           &answer, err);
    body = answer.body;
    if (h->traffic != NULL) {
        h->traffic->requests++;
        h->traffic->sent += net_client_reach(h->net) == NET_NOTHING_SENT ? 0 : call->body.n;
        h->traffic->received += body.n;
    }
    if (rc != QC_OK)
        return no_answer(h, call, rc, ret_again, err);
    if (answer.status >= 200 && answer.status < 300)
        return ret == NULL ? QC_OK : qc_buf_add(ret, qc_buf_span(&body), err);
    rc = gw_json_error(answer.status, qc_buf_span(&body), call->ret_current, err);
    if (h->token != NULL)
        gw_remote_advise(h, err, answer.status);
    ret_again->may = rc == QC_TEMP || rc == QC_LOCKED || rc == QC_NOMEM;
    ret_again->after = answer.kept[0];
    return rc;
}

static void is_to_go(const struct gw_http_call *call)
{
    if (call->wire.begins != NULL)
        call->wire.begins(call->wire.ctx);
}

static qc_rc call_again(struct gw_http *h, const struct gw_http_call *call, qc_buf *ret,
                        const struct vault_op *op, struct qc_err *err)
{
    qc_deadline patience = op->deadline.at_ms != 0 ? op->deadline : qc_deadline_in(QC_VAULT_PATIENCE_MS);
    struct qc_err last = { 0 };
    for (unsigned attempt = 0;; attempt++) {
        struct again again;
        is_to_go(call);
        qc_rc rc = try_once(h, call, ret, op, &again, err);
        if (rc == QC_TIMEOUT && attempt > 0 && net_client_reach(h->net) == NET_NOTHING_SENT) {
            *err = last; /* this try had no time: why the one before failed says more */
            return last.rc;
        }
        if (rc == QC_OK || !again.may)
            return rc;
        waits_for(h, err->msg);
        last = *err;
        is_to_go(call); /* what was out counts no more */
        bool revived = again.nobody && h->revive.fn != NULL;
        if (revived)
            QC_TRY(h->revive.fn(h->revive.ctx, op, err));
        if (!revived || attempt > 0) /* a gateway that came and went at once is not asked in a tight loop */
            QC_TRY(pause_before(h, attempt, again.after, patience, op, err));
    }
}

qc_rc gw_http_call(struct gw_http *h, const struct gw_http_call *call, qc_buf *ret, const struct vault_op *op,
                   struct qc_err *err)
{
    const qc_rc rc = call_again(h, call, ret, op, err);
    waits_for(h, "");
    return rc;
}

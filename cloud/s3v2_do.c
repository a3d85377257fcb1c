#include "s3v2.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>

#include "base/limits.h"
#include "base/thread.h"

/* ---- the library: one call at a time ---- */

static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER; /* every call of libs3, and users */
static unsigned users;

qc_rc s3v2_library_enter(struct qc_err *err)
{
    QC_LOCK(&library_lock);
    if (users == 0 && S3_initialize("qcloud", S3_INIT_ALL, "localhost") != S3StatusOK)
        return QC_FAIL(err, QC_NOMEM, "libs3 does not start");
    users++;
    return QC_OK;
}

void s3v2_library_leave(void)
{
    QC_LOCK(&library_lock);
    QC_ASSERT(users > 0);
    users--;
    if (users == 0)
        S3_deinitialize();
}

void s3v2_contexts_drop(struct s3v2_cloud *c)
{
    QC_LOCK(&library_lock);
    while (c->idle_count > 0)
        S3_destroy_request_context(c->idle[--c->idle_count]);
}

static qc_rc context_take(struct s3v2_cloud *c, S3RequestContext **ret, struct qc_err *err)
{
    {
        QC_LOCK(&c->lock);
        if (c->idle_count > 0) {
            *ret = c->idle[--c->idle_count];
            return QC_OK;
        }
    }
    QC_LOCK(&library_lock);
    if (S3_create_request_context(ret) != S3StatusOK)
        return QC_FAIL(err, QC_NOMEM, "no request context");
    return QC_OK;
}

/* With its connection, which is good for the next request; else both end here. */
static void context_give(struct s3v2_cloud *c, S3RequestContext *x, bool good)
{
    {
        QC_LOCK(&c->lock);
        if (good && c->idle_count < CLOUD_S3V2_IDLE_MAX) {
            c->idle[c->idle_count++] = x;
            return;
        }
    }
    QC_LOCK(&library_lock);
    S3_destroy_request_context(x); /* ends a request that is under way, too: its completion is called */
}

/* ---- what libs3's statuses mean ---- */

static const struct {
    S3Status status;
    enum s3v2_fate fate;
} fates[] = {
    { S3StatusOK, S3V2_DONE },
    { S3StatusOutOfMemory, S3V2_LOCAL },
    { S3StatusAbortedByCallback, S3V2_LOCAL },
    { S3StatusInternalError, S3V2_BROKEN }, /* libcurl's errors that it does not name */
    { S3StatusInterrupted, S3V2_BROKEN },
    { S3StatusConnectionFailed, S3V2_BROKEN },
    { S3StatusNameLookupError, S3V2_DOWN },
    { S3StatusFailedToConnect, S3V2_DOWN },
    { S3StatusXmlParseFailure, S3V2_REFUSED },
    { S3StatusErrorNoSuchKey, S3V2_MISSING },
    { S3StatusHttpErrorNotFound, S3V2_MISSING },
    { S3StatusErrorInvalidRange, S3V2_BEYOND },
    { S3StatusErrorNoSuchBucket, S3V2_NO_BUCKET },
    { S3StatusErrorSlowDown, S3V2_BUSY },
    { S3StatusErrorInternalError, S3V2_BUSY },
    { S3StatusErrorRequestTimeout, S3V2_BUSY },
    { S3StatusErrorIncompleteBody, S3V2_BUSY },
    { S3StatusErrorOperationAborted, S3V2_BUSY },
    { S3StatusHttpErrorConflict, S3V2_BUSY },
    { S3StatusErrorAccessDenied, S3V2_KEYS },
    { S3StatusErrorAccountProblem, S3V2_KEYS },
    { S3StatusErrorExpiredToken, S3V2_KEYS },
    { S3StatusErrorInvalidAccessKeyId, S3V2_KEYS },
    { S3StatusErrorInvalidSecurity, S3V2_KEYS },
    { S3StatusErrorRequestTimeTooSkewed, S3V2_KEYS },
    { S3StatusErrorSignatureDoesNotMatch, S3V2_KEYS },
    { S3StatusHttpErrorForbidden, S3V2_KEYS },
    { S3StatusErrorEntityTooLarge, S3V2_LARGE },
    { S3StatusErrorBadDigest, S3V2_CHANGED },
    { S3StatusErrorUnknown, S3V2_UNNAMED },
    { S3StatusHttpErrorUnknown, S3V2_BUSY }, /* 502, 504 and their like: proxies */
};

static const struct {
    qc_rc rc;
    unsigned tries;
    const char *says;
} rows[S3V2_FATES] = {
    [S3V2_DONE] = { QC_OK, 1, "done" },
    [S3V2_LOCAL] = { QC_NOMEM, 1, "out of memory" },
    [S3V2_MISSING] = { QC_OK, 1, "no such object" },
    [S3V2_BEYOND] = { QC_OK, 1, "past the end" },
    [S3V2_DOWN] = { QC_TEMP, 2, "cannot be reached" },
    [S3V2_BROKEN] = { QC_TEMP, QC_RETRY_MAX, "the connection broke or fell silent" },
    [S3V2_BUSY] = { QC_TEMP, QC_RETRY_MAX, "the cloud cannot serve it now" },
    [S3V2_NO_BUCKET] = { QC_TEMP, 1, "the bucket is not there" },
    [S3V2_KEYS] = { QC_AUTH, 1, "the cloud refuses these credentials" },
    [S3V2_FULL] = { QC_FULL, 2, "the cloud stores nothing more: a quota, perhaps" },
    [S3V2_LARGE] = { QC_LIMIT, 1, "larger than the cloud takes" },
    [S3V2_CHANGED] = { QC_IO, 2, "bytes changed on the way: suspect memory or network" },
    [S3V2_UNNAMED] = { QC_AUTH, 1, "the cloud refuses everything: look at the account" },
    [S3V2_REFUSED] = { QC_IO, 1, "the cloud refuses the request" },
};

static enum s3v2_fate fate_of(S3Status status)
{
    for (size_t i = 0; i < sizeof fates / sizeof fates[0]; i++)
        if (fates[i].status == status)
            return fates[i].fate;
    return S3V2_REFUSED;
}

/* ---- one attempt ---- */

struct run {
    const struct s3v2_call *call;
    struct s3v2_answer answer;
    S3Status status;
    bool done;       /* libs3 has told the end */
    bool answered;   /* headers of a success came */
    uint64_t moved;  /* bytes of the object, either way */
    uint64_t beats;  /* grows whenever libs3 calls: something moves */
    size_t part, at; /* of a put: what is sent next */
    qc_rc stop;      /* why we ended it; QC_OK: we did not */
    struct qc_err err;
};

static S3Status on_properties(const S3ResponseProperties *p, void *ctx)
{
    struct run *r = ctx;
    r->answered = true;
    r->beats++;
    r->answer.length = p->contentLength;
    if (p->eTag != NULL && strlen(p->eTag) == sizeof r->answer.etag - 1)
        memcpy(r->answer.etag, p->eTag, sizeof r->answer.etag);
    return S3StatusOK;
}

static void on_complete(S3Status status, const S3ErrorDetails *details, void *ctx)
{
    (void)details; /* a text from outside that says no more than the status */
    struct run *r = ctx;
    r->status = status;
    r->done = true;
}

static int on_send(int size, char *dst, void *ctx)
{
    struct run *r = ctx;
    const struct s3v2_call *call = r->call;
    size_t room = size > 0 ? (size_t)size : 0;
    size_t n = 0;
    while (n < room && r->part < call->count) {
        qc_span rest = qc_span_from(call->parts[r->part], r->at);
        size_t take = rest.n < room - n ? rest.n : room - n;
        if (take > 0)
            memcpy(dst + n, rest.p, take);
        n += take;
        r->at += take;
        if (r->at == call->parts[r->part].n) {
            r->part++;
            r->at = 0;
        }
    }
    r->moved += n;
    r->beats++;
    return (int)n;
}

static S3Status on_receive(int size, const char *bytes, void *ctx)
{
    struct run *r = ctx;
    qc_span s = qc_span_of(bytes, size > 0 ? (size_t)size : 0);
    r->beats++;
    if (s.n > r->call->range.n - r->moved) {
        r->stop = QC_FAIL(&r->err, QC_IO, "more than %zu bytes for a range of that size", r->call->range.n);
        return S3StatusAbortedByCallback;
    }
    r->stop = r->call->take(r->call->ctx, r->moved, s, &r->err);
    r->moved += s.n;
    return r->stop == QC_OK ? S3StatusOK : S3StatusAbortedByCallback;
}

static qc_rc key_add(qc_buf *keys, const S3ListBucketContent *item, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(keys, item->size, 8, err));
    return qc_buf_add(keys, qc_span_of(item->key, strlen(item->key) + 1), err);
}

static S3Status on_list(int truncated, const char *next, int count, const S3ListBucketContent *items,
                        int prefixes, const char **prefix, void *ctx)
{
    (void)truncated, (void)next, (void)prefixes, (void)prefix;
    struct run *r = ctx;
    r->beats++;
    for (int i = 0; i < count && r->stop == QC_OK; i++)
        r->stop = key_add(r->call->keys, &items[i], &r->err);
    return r->stop == QC_OK ? S3StatusOK : S3StatusAbortedByCallback;
}

static const S3PutObjectHandler put_handler = { { on_properties, on_complete }, on_send };
static const S3GetObjectHandler get_handler = { { on_properties, on_complete }, on_receive };
static const S3ListBucketHandler list_handler = { { on_properties, on_complete }, on_list };
static const S3ResponseHandler plain_handler = { on_properties, on_complete };

/* Signs, and hands the request to libcurl; nothing is sent yet. */
static void request_begin(const struct s3v2_cloud *c, struct run *r, S3RequestContext *x, qc_span secret)
{
    const struct s3v2_call *call = r->call;
    S3BucketContext bucket = {
        .hostName = c->host,
        .bucketName = c->url.bucket,
        .protocol = c->url.tls ? S3ProtocolHTTPS : S3ProtocolHTTP,
        .uriStyle = c->url.virtual_host ? S3UriStyleVirtualHost : S3UriStylePath,
        .accessKeyId = c->access,
        .secretAccessKey = (const char *)secret.p,
    };
    S3PutProperties put = { .md5 = call->md5, .expires = -1, .cannedAcl = S3CannedAclPrivate };
    switch (call->kind) {
    case S3V2_PUT:
        S3_put_object(&bucket, call->key, call->size, &put, x, &put_handler, r);
        break;
    case S3V2_GET:
        S3_get_object(&bucket, call->key, NULL, call->range.off, call->range.n, x, &get_handler, r);
        break;
    case S3V2_HEAD:
        S3_head_object(&bucket, call->key, x, &plain_handler, r);
        break;
    case S3V2_DELETE:
        S3_delete_object(&bucket, call->key, x, &plain_handler, r);
        break;
    case S3V2_LIST:
        S3_list_bucket(&bucket, NULL, call->after, NULL, (int)call->max, x, &list_handler, r);
        break;
    }
}

/* I5: libs3 leaves the secret in its dead stack frames. They lay where this one lies. */
__attribute__((noinline)) static void stack_wipe(void)
{
    uint8_t below[CLOUD_S3V2_STACK];
    qc_wipe(below, sizeof below);
    __asm__ volatile("" : : "r"(below) : "memory");
}

/* The descriptors that libs3 waits for, as poll wants them. */
static qc_rc sockets_of(S3RequestContext *x, struct pollfd fds[CLOUD_S3V2_SOCKETS], nfds_t *ret_n,
                        int64_t *ret_ms, struct qc_err *err)
{
    fd_set rd;
    fd_set wr;
    fd_set ex;
    int max = -1;
    FD_ZERO(&rd);
    FD_ZERO(&wr);
    FD_ZERO(&ex);
    QC_LOCK(&library_lock);
    if (S3_get_request_context_fdsets(x, &rd, &wr, &ex, &max) != S3StatusOK)
        return QC_FAIL(err, QC_NOMEM, "libs3 does not tell its sockets");
    *ret_ms = S3_get_request_context_timeout(x);
    nfds_t n = 0;
    for (int fd = 0; fd <= max && n < CLOUD_S3V2_SOCKETS; fd++) {
        bool in = FD_ISSET(fd, &rd);
        bool out = FD_ISSET(fd, &wr);
        if (in || out)
            fds[n++] =
                (struct pollfd){ .fd = fd, .events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0)) };
    }
    *ret_n = n;
    return QC_OK;
}

/* Until a socket is ready or it is time to look again. No socket: libcurl looks up a name, or connects on a
 * descriptor beyond an fd_set. */
static qc_rc socket_wait(S3RequestContext *x, const struct cloud_op *op, struct qc_err *err)
{
    struct pollfd fds[CLOUD_S3V2_SOCKETS];
    nfds_t n = 0;
    int64_t ms = 0;
    QC_TRY(sockets_of(x, fds, &n, &ms, err));
    uint64_t most = n == 0 ? CLOUD_S3V2_TICK_MS : CLOUD_S3V2_POLL_MS;
    uint64_t left = qc_deadline_left_ms(op->deadline);
    if (ms >= 0 && (uint64_t)ms < most)
        most = (uint64_t)ms;
    (void)poll(fds, n, (int)(most < left ? most : left));
    return QC_OK;
}

static qc_rc request_drive(struct run *r, S3RequestContext *x, const struct cloud_op *op, struct qc_err *err)
{
    qc_deadline quiet = qc_deadline_in(CLOUD_S3V2_QUIET_MS);
    uint64_t beats = 0;
    while (!r->done) {
        int left = 0;
        {
            QC_LOCK(&library_lock);
            if (S3_runonce_request_context(x, &left) != S3StatusOK)
                return QC_FAIL(err, QC_NOMEM, "libs3 cannot go on");
        }
        if (r->done)
            break;
        QC_TRY(cloud_op_check(op, err));
        if (r->beats != beats) {
            beats = r->beats;
            quiet = qc_deadline_in(CLOUD_S3V2_QUIET_MS);
        } else if (qc_deadline_over(quiet)) {
            return QC_OK; /* not done: the context ends it */
        }
        QC_TRY(socket_wait(x, op, err));
    }
    return QC_OK;
}

/* What libs3 calls a success and is none. */
static enum s3v2_fate fate_checked(const struct run *r)
{
    enum s3v2_fate fate = r->done ? fate_of(r->status) : S3V2_BROKEN;
    /* It takes the status of a PUT when the body begins: 100, which it calls good, or none, which it calls a
     * broken connection. Only an error's text is heard. Whether the object is there the caller must look. */
    if (r->call->kind == S3V2_PUT && r->done &&
        (r->status == S3StatusOK || r->status == S3StatusConnectionFailed))
        return r->moved == r->call->size ? S3V2_DONE : S3V2_BROKEN;
    if (fate == S3V2_MISSING && r->call->kind == S3V2_LIST) /* Ceph, while it removes the bucket */
        return S3V2_NO_BUCKET;
    if (fate != S3V2_DONE)
        return fate;
    if (!r->answered)
        return S3V2_BROKEN;
    if (r->call->kind == S3V2_GET && r->moved != r->answer.length)
        return S3V2_BROKEN;
    return S3V2_DONE;
}

static qc_rc attempt(struct s3v2_cloud *c, struct run *r, const struct cloud_op *op, struct qc_err *err)
{
    S3RequestContext *x = NULL;
    QC_TRY(context_take(c, &x, err));
    if (r->call->keys != NULL)
        qc_buf_clear(r->call->keys);
    {
        QC_LOCK(&library_lock);
        request_begin(c, r, x, qc_key_open(c->secret));
        stack_wipe();
    }
    qc_rc rc = request_drive(r, x, op, err);
    r->answer.fate = fate_checked(r);
    bool good = rc == QC_OK && r->done && r->answer.fate != S3V2_BROKEN && r->answer.fate != S3V2_DOWN &&
                r->stop == QC_OK;
    context_give(c, x, good); /* from here on nothing calls back */
    QC_TRY(rc);
    if (r->stop != QC_OK)
        *err = r->err;
    return r->stop;
}

/* A refusal without a name: of everything, of writing, or an error of the moment? libs3 does not even tell
 * the status. */
static qc_rc unnamed(struct s3v2_cloud *c, enum s3v2_kind kind, enum s3v2_fate *ret,
                     const struct cloud_op *op, struct qc_err *err)
{
    struct s3v2_call probe = { .kind = S3V2_HEAD, .key = S3V2_MARK };
    struct run r = { .call = &probe };
    QC_TRY(attempt(c, &r, op, err));
    if (r.answer.fate == S3V2_DONE)
        *ret = kind == S3V2_PUT ? S3V2_FULL : S3V2_BUSY;
    return QC_OK;
}

/* Twice as long each time, and never two clients in step. Looks at the cancel flag. */
static qc_rc pause_before(unsigned try, const struct cloud_op *op, struct qc_err *err)
{
    uint64_t span = (uint64_t)CLOUD_S3V2_BACKOFF_MS << try;
    qc_deadline until = qc_deadline_in(1 + qc_now_ns() % span);
    while (!qc_deadline_over(until)) {
        QC_TRY(cloud_op_check(op, err));
        uint64_t ms = qc_deadline_left_ms(until);
        (void)poll(NULL, 0, (int)(ms < CLOUD_S3V2_POLL_MS ? ms : CLOUD_S3V2_POLL_MS));
    }
    return QC_OK;
}

qc_rc s3v2_do(struct s3v2_cloud *c, const struct s3v2_call *call, struct s3v2_answer *ret,
              const struct cloud_op *op, struct qc_err *err)
{
    for (unsigned try = 1;; try++) {
        struct run r = { .call = call };
        QC_TRY(attempt(c, &r, op, err));
        enum s3v2_fate fate = r.answer.fate;
        if (fate == S3V2_UNNAMED)
            QC_TRY(unnamed(c, call->kind, &fate, op, err));
        if (rows[fate].rc == QC_OK) {
            *ret = r.answer;
            return QC_OK;
        }
        qc_rc rc = fate == S3V2_NO_BUCKET && call->opening ? QC_NOTFOUND : rows[fate].rc;
        if (try >= rows[fate].tries)
            return QC_FAIL(err, rc, "%s (libs3: %s)", rows[fate].says,
                           r.done ? S3_get_status_name(r.status) : "silent");
        QC_TRY(pause_before(try, op, err));
    }
}

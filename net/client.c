#include "net/client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "keyed.h"
#include "request.h"

/*  Each request: check --> set the handle's options --> drive the multi handle until done, deadline, stall or
 * cancel
 *
 * The multi interface, with a single easy handle in it, because curl_easy_perform looks up only once a second
 * while the socket is quiet. libcurl keeps the connection in the multi handle between requests.
 */
struct net_client {
    CURLM *multi;
    CURL *easy;
    struct net_target to;
    struct qc_fd dir;
    char socket[64 + QC_FILE_NAME_MAX]; /* /proc/self/fd/N/name */
    char *ca, *cert, *key;              /* owned, or NULL */
    struct net_keyed_run keyed;         /* of a client that is keyed by QKD */
    struct net_run run;                 /* of the request under way, or the last one */
    struct net_aside aside;             /* fn NULL: nothing to be done */
    struct net_rate *rate;              /* borrowed; NULL: no limit */
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_init_rc;

/* libcurl is set up once and for ever; its memory at exit is the system's to take back. I5: a request, with
 * the token in it, stands in memory that libcurl does not wipe when it lets go of it. */
static void curl_init(void)
{
    curl_init_rc =
        curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, qc_free_wiped, qc_realloc_wiped, strdup, calloc);
}

void net_client_aside(struct net_client *c, struct net_aside aside)
{
    c->aside = aside;
}

void net_client_rate(struct net_client *c, struct net_rate *rate)
{
    c->rate = rate;
}

void net_client_free(struct net_client **c)
{
    if (*c == NULL)
        return;
    if ((*c)->easy != NULL)
        curl_easy_cleanup((*c)->easy);
    if ((*c)->multi != NULL)
        curl_multi_cleanup((*c)->multi);
    net_run_done(&(*c)->run);
    net_keyed_done(&(*c)->keyed);
    qc_fd_close(&(*c)->dir);
    qc_free((*c)->ca);
    qc_free((*c)->cert);
    qc_free((*c)->key);
    qc_free(*c);
    *c = NULL;
}

/* What every client has. */
static qc_rc client_new(struct net_client **ret, struct qc_err *err)
{
    pthread_once(&curl_once, curl_init);
    if (curl_init_rc != CURLE_OK)
        return QC_FAIL(err, QC_GENERAL, "libcurl: %s", curl_easy_strerror(curl_init_rc));
    QC_CLEANUP(net_client_free) struct net_client *c = qc_alloc(sizeof *c);
    if (c == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *c);
    c->multi = curl_multi_init();
    c->easy = curl_easy_init();
    if (c->multi == NULL || c->easy == NULL)
        return QC_FAIL(err, QC_NOMEM, "libcurl");
    /* Where one is made, the old goes: the easy handle's option counts for nothing here. */
    if (curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, 1L) != CURLM_OK)
        return QC_FAIL(err, QC_GENERAL, "libcurl: one connection");
    *ret = QC_STEAL(c);
    return QC_OK;
}

qc_rc net_client_new_unix(struct net_client **ret, int dirfd, const char *name, struct qc_err *err)
{
    size_t n = strnlen(name, QC_FILE_NAME_MAX + 1);
    if (n == 0 || n > QC_FILE_NAME_MAX || strchr(name, '/') != NULL)
        return QC_FAIL(err, QC_USAGE, "a socket's name is one component of 1 to %d bytes", QC_FILE_NAME_MAX);
    QC_CLEANUP(net_client_free) struct net_client *c = NULL;
    QC_TRY(client_new(&c, err));
    int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return QC_FAIL_OS(err, "directory of the socket");
    c->dir = qc_fd_own(fd);
    /* sockaddr_un ends at 108 bytes; through the descriptor the directory's own path does not count. */
    int len = snprintf(c->socket, sizeof c->socket, "/proc/self/fd/%d/%s", fd, name);
    QC_ASSERT(len > 0 && (size_t)len < sizeof c->socket);
    if (len > NET_SOCKET_PATH_MAX)
        return QC_FAIL(err, QC_USAGE, "the socket's name is longer than %d bytes", NET_SOCKET_PATH_MAX - 24);
    c->to = (struct net_target){ .base = "http://localhost", .socket = c->socket };
    *ret = QC_STEAL(c);
    return QC_OK;
}

qc_rc net_client_new_url(struct net_client **ret, const struct net_url *url, const char *ca,
                         struct qc_err *err)
{
    QC_CLEANUP(net_client_free) struct net_client *c = NULL;
    QC_TRY(client_new(&c, err));
    net_url_base(url, c->to.base);
    c->to.tls = url->tls;
    if (ca != NULL) {
        c->ca = qc_strdup(ca);
        if (c->ca == NULL)
            return QC_FAIL(err, QC_NOMEM, "%zu bytes", strlen(ca));
        c->to.ca = c->ca;
    }
    *ret = QC_STEAL(c);
    return QC_OK;
}

qc_rc net_client_mutual(struct net_client *c, const char *cert, const char *key, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_ASSERT(c->to.tls && c->cert == NULL);
    QC_TRY(qc_open_at(&fd, AT_FDCWD, key, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, err));
    QC_TRY_AS(qc_file_private(qc_fd_get(&fd), err), err, "%s", key);
    c->cert = qc_strdup(cert);
    c->key = qc_strdup(key);
    if (c->cert == NULL || c->key == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", strlen(cert) + strlen(key));
    c->to.cert = c->cert;
    c->to.key = c->key;
    return QC_OK;
}

void net_client_keyed(struct net_client *c, const struct net_keyed *k)
{
    QC_ASSERT(c->to.tls && c->cert == NULL && k->rekey_s >= 1 && k->rekey_s <= k->key_max_s &&
              k->rekey_bytes >= 1 && k->rekey_bytes <= k->key_max_bytes);
    c->keyed = (struct net_keyed_run){ .conf = k, .easy = c->easy };
    c->to.keyed = &c->keyed;
}

void net_client_key(const struct net_client *c, struct net_key_use *ret)
{
    *ret = c->keyed.use;
}

void net_client_bearer(struct net_client *c, const qc_key *token)
{
    c->to.bearer = token;
}

enum net_reach net_client_reach(const struct net_client *c)
{
    return c->run.reach;
}

int net_client_status(const struct net_client *c)
{
    return c->run.reach == NET_ANSWERED ? c->run.status : 0;
}

/* How far it came, from libcurl's own counters; before the handle is reset. */
static enum net_reach reach(const struct net_client *c)
{
    if (c->run.status != 0)
        return NET_ANSWERED;
    long request = 0;
    curl_off_t sent = 0;
    curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &request);
    curl_easy_getinfo(c->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    return request > 0 || sent > 0 ? NET_NO_ANSWER : NET_NOTHING_SENT;
}

/* Bytes moved so far, either way. */
static uint64_t moved(const struct net_client *c)
{
    curl_off_t up = 0;
    curl_off_t down = 0;
    curl_easy_getinfo(c->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(c->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    return (uint64_t)up + (uint64_t)down + c->run.calls;
}

/* What libcurl counts has left its buffers, and TLS's. */
static void tell_sent(struct net_client *c, const struct net_request *rq)
{
    curl_off_t up = 0;
    if (rq->sent == NULL || c->run.sent_told)
        return;
    curl_easy_getinfo(c->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    if ((uint64_t)up < rq->body.n)
        return;
    c->run.sent_told = true;
    rq->sent(rq->sent_ctx);
}

/* Heads, too: all of it goes under the key. */
static qc_rc keyed_go_on(struct net_client *c, struct qc_err *err)
{
    long request = 0, head = 0;
    if (c->to.keyed == NULL)
        return QC_OK;
    curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &request);
    curl_easy_getinfo(c->easy, CURLINFO_HEADER_SIZE, &head);
    c->run.waited = c->run.waited || c->keyed.waited;
    c->keyed.waited = false;
    return net_keyed_go_on(&c->keyed, moved(c) - c->run.calls + (uint64_t)request + (uint64_t)head, err);
}

/* One turn: *ret_done with libcurl's verdict. */
static qc_rc turn(struct net_client *c, bool *ret_done, CURLcode *ret_code, struct qc_err *err)
{
    int running = 0;
    CURLMcode m = curl_multi_perform(c->multi, &running);
    if (m != CURLM_OK)
        return QC_FAIL(err, m == CURLM_OUT_OF_MEMORY ? QC_NOMEM : QC_GENERAL, "libcurl: %s",
                       curl_multi_strerror(m));
    int left = 0;
    const CURLMsg *msg = curl_multi_info_read(c->multi, &left);
    *ret_done = msg != NULL && msg->msg == CURLMSG_DONE;
    if (*ret_done)
        *ret_code = msg->data.result;
    return QC_OK;
}

static int poll_ms(const struct net_request *rq)
{
    uint64_t left = qc_deadline_left_ms(rq->deadline);
    return left < NET_POLL_MS ? (int)left + 1 : NET_POLL_MS;
}

/* What somebody had to do anyway, while nothing else can be done. */
static void use_wait(struct net_client *c)
{
    const struct net_aside aside = c->aside;
    c->aside = (struct net_aside){ 0 };
    if (aside.fn != NULL)
        aside.fn(aside.ctx);
}

/* Drive the request to its end. */
static qc_rc drive(struct net_client *c, const struct net_request *rq, CURLcode *ret_code, struct qc_err *err)
{
    uint64_t seen = 0;
    uint64_t since = qc_now_ms();
    for (;;) {
        QC_TRY(qc_go_on(rq->deadline, rq->cancel, "request", err));
        bool done = false;
        QC_TRY(turn(c, &done, ret_code, err));
        tell_sent(c, rq);
        const qc_rc keyed = keyed_go_on(c, err);
        if (done)
            return QC_OK; /* under whatever key */
        QC_TRY(keyed);
        uint64_t now = qc_now_ms(); /* after the callbacks: waiting for the caller's own data is no stall */
        if (moved(c) != seen || c->run.waited) {
            seen = moved(c);
            since = now;
            c->run.waited = false;
        }
        if (rq->stall_ms > 0 && now - since >= rq->stall_ms)
            return QC_FAIL(err, QC_TIMEOUT, "no byte moved for %" PRIu32 " ms", rq->stall_ms);
        use_wait(c);
        CURLMcode m = curl_multi_poll(c->multi, NULL, 0, poll_ms(rq), NULL);
        if (m != CURLM_OK)
            return QC_FAIL(err, QC_GENERAL, "libcurl: %s", curl_multi_strerror(m));
    }
}

/* libcurl's verdict as a code of ours. */
static qc_rc verdict(const struct net_client *c, CURLcode code, struct qc_err *err)
{
    const char *text = c->run.curl_text[0] != '\0' ? c->run.curl_text : curl_easy_strerror(code);
    long os = 0;
    if (code == CURLE_OK)
        return QC_OK;
    if (c->run.rc != QC_OK) { /* a callback of the caller, or a limit of ours, broke it off */
        *err = c->run.err;
        return c->run.rc;
    }
    if (c->to.keyed != NULL)
        QC_TRY(net_keyed_verdict(&c->keyed, code, text, err));
    if (code == CURLE_COULDNT_CONNECT && c->to.socket == NULL)
        return QC_FAIL(err, QC_TEMP, "nobody listens at %s: %s", c->to.base, text);
    if (code == CURLE_COULDNT_CONNECT) {
        curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &os);
        if (os == ENOENT || os == EACCES || os == EPERM)
            return QC_FAIL_ERRNO(err, (int)os, "connecting to the socket");
        return QC_FAIL(err, QC_TEMP, "nobody listens on the socket: %s", text);
    }
    switch ((int)code) { /* int: of some hundred codes a few matter here */
    case CURLE_OUT_OF_MEMORY:
        return QC_FAIL(err, QC_NOMEM, "libcurl: %s", text);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return QC_FAIL(err, QC_FORMAT, "not an HTTP answer: %s", text);
    case CURLE_PEER_FAILED_VERIFICATION:
        return QC_FAIL(err, QC_AUTH, "the certificate of %s is refused: %s", c->to.base, text);
    case CURLE_SSL_CACERT_BADFILE:
        return QC_FAIL(err, QC_AUTH, "certificates to trust: %s: %s",
                       c->to.ca != NULL ? c->to.ca : "the system's", text);
    case CURLE_SSL_CERTPROBLEM:
        return QC_FAIL(err, QC_AUTH, "our own certificate %s and its key: %s",
                       c->to.cert != NULL ? c->to.cert : "-", text);
    case CURLE_COULDNT_RESOLVE_HOST:
        return QC_FAIL(err, QC_TEMP, "no address for %s: %s", c->to.base, text);
    case CURLE_READ_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
        return QC_FAIL(err, QC_IO, "request body: %s", text);
    default: /* 18, 52, 55, 56, 65: the connection broke */
        return QC_FAIL(err, QC_TEMP, "connection broke: %s", text);
    }
}

/* The heads, whose bytes no callback of ours could hold back. */
static void pay_heads(const struct net_client *c)
{
    long request = 0, head = 0;
    curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &request);
    curl_easy_getinfo(c->easy, CURLINFO_HEADER_SIZE, &head);
    net_rate_spend(c->rate, NET_RATE_UP, (uint64_t)request);
    net_rate_spend(c->rate, NET_RATE_DOWN, (uint64_t)head);
}

/* Request under way, inside the multi handle. */
static qc_rc transfer(struct net_client *c, const struct net_request *rq, struct qc_err *err)
{
    CURLMcode m = curl_multi_add_handle(c->multi, c->easy);
    if (m != CURLM_OK)
        return QC_FAIL(err, QC_NOMEM, "libcurl: %s", curl_multi_strerror(m));
    CURLcode code = CURLE_OK;
    qc_rc rc = drive(c, rq, &code, err);
    if (rc == QC_OK)
        rc = verdict(c, code, err);
    if (rc == QC_OK)
        rc = net_run_end(&c->run, err);
    c->run.reach = reach(c);
    pay_heads(c);
    curl_multi_remove_handle(c->multi, c->easy); /* of an unfinished request, this closes the connection */
    return rc;
}

qc_rc net_request(struct net_client *c, const struct net_request *rq, struct net_response *ret,
                  struct qc_err *err)
{
    QC_TRY(net_request_check(rq, err));
    net_run_done(&c->run);
    c->run = (struct net_run){ .rq = rq, .body = { .max = ret->body.max }, .rate = c->rate };
    curl_easy_reset(c->easy);
    c->run.fresh = c->to.keyed != NULL && net_keyed_begin(&c->keyed, rq);
    qc_rc rc = net_run_options(&c->run, c->easy, &c->to, err);
    if (rc == QC_OK)
        rc = transfer(c, rq, err);
    net_run_sent(&c->run);
    net_keyed_done(&c->keyed); /* of a handshake that came to nothing */
    c->run.rq = NULL;
    if (rc != QC_OK) {
        qc_buf_free(&c->run.body);
        return rc;
    }
    size_t max = ret->body.max;
    qc_buf_free(&ret->body);
    ret->body = QC_STEAL(c->run.body);
    ret->body.max = max;
    ret->status = c->run.status;
    memcpy(ret->kept, c->run.kept, sizeof ret->kept);
    return QC_OK;
}

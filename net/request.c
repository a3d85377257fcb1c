#include "request.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "keyed.h"

#define BEARER "Authorization: Bearer "

/* --- What may stand in a request --- */

static bool token(const char *s)
{
    size_t n = 0;
    for (; s[n] != '\0'; n++) {
        char ch = s[n];
        bool alnum = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        if (!alnum && strchr("!#$%&'*+-.^_`|~", ch) == NULL)
            return false;
    }
    return n > 0 && n < 128;
}

static bool own_header(const char *name)
{
    static const char *const own[] = { "Host",   "Content-Length", "Transfer-Encoding",
                                       "Expect", "Connection",     "Authorization" };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strcasecmp(own[i], name) == 0)
            return true;
    return false;
}

static qc_rc headers_check(const struct net_request *rq, struct qc_err *err)
{
    if (rq->header_count > NET_HEADERS_MAX || rq->keep_count > NET_KEEP_MAX)
        return QC_FAIL(err, QC_USAGE, "too many headers");
    for (size_t i = 0; i < rq->header_count; i++) {
        const struct net_header *h = &rq->headers[i];
        if (!token(h->name) || own_header(h->name))
            return QC_FAIL(err, QC_USAGE, "header %zu: its name cannot be sent", i);
        for (const char *v = h->value; *v != '\0';
             v++) /* no line break gets in: it would begin another header */
            if ((*v < 0x20 && *v != '\t') || *v == 0x7f)
                return QC_FAIL(err, QC_USAGE, "header %s: a control character", h->name);
    }
    return QC_OK;
}

qc_rc net_request_check(const struct net_request *rq, struct qc_err *err)
{
    size_t n = 0;
    while (n < 16 && rq->method[n] >= 'A' && rq->method[n] <= 'Z')
        n++;
    if (n == 0 || rq->method[n] != '\0')
        return QC_FAIL(err, QC_USAGE, "a method is 1 to 15 upper-case letters");
    if (rq->path[0] != '/')
        return QC_FAIL(err, QC_USAGE, "the path of a request begins with '/'");
    size_t len = strnlen(rq->path, NET_PATH_SIZE_MAX + 1);
    if (len > NET_PATH_SIZE_MAX)
        return QC_FAIL(err, QC_USAGE, "the path of a request is longer than %d bytes", NET_PATH_SIZE_MAX);
    for (size_t i = 0; i < len; i++)
        if (rq->path[i] <= 0x20 || rq->path[i] >= 0x7f || rq->path[i] == '#')
            return QC_FAIL(err, QC_USAGE, "byte %zu of the path must be encoded", i);
    QC_ASSERT(rq->read == NULL || rq->body.n == 0);
    return headers_check(rq, err);
}

/* --- Callbacks: libcurl calls these in the middle of curl_multi_perform --- */

static size_t broken(struct net_run *run, qc_rc rc, size_t sign)
{
    run->rc = rc;
    return sign;
}

/* Waits here until n bytes may go, or may have come: the connection is this thread's alone, and what is not
 * read from it holds the other end back. */
static qc_rc keep_pace(struct net_run *run, enum net_rate_way way, size_t n)
{
    if (run->rate == NULL || n == 0)
        return QC_OK;
    run->waited = true; /* a limit of ours is no stall */
    return net_rate_wait(run->rate, way, n, run->rq->deadline, run->rq->cancel, &run->err);
}

/* The next bytes of a callback's body, and whether it keeps its word about its length. */
static size_t body_read(struct net_run *run, uint8_t *dst, size_t max)
{
    const struct net_request *rq = run->rq;
    size_t got = 0;
    qc_rc rc = rq->read(rq->read_ctx, dst, max, &got, &run->err);
    run->waited = true;
    if (rc != QC_OK)
        return broken(run, rc, CURL_READFUNC_ABORT);
    QC_ASSERT(got <= max);
    run->sent += got;
    bool known = rq->body_size != NET_SIZE_UNKNOWN;
    if (known && (run->sent > rq->body_size || (got == 0 && run->sent < rq->body_size))) {
        rc = QC_FAIL(&run->err, QC_IO, "request body: %llu bytes %s the %llu said",
                     (unsigned long long)run->sent, got == 0 ? "are less than" : "are more than",
                     (unsigned long long)rq->body_size);
        return broken(run, rc, CURL_READFUNC_ABORT);
    }
    return got;
}

static size_t span_read(struct net_run *run, uint8_t *dst, size_t max)
{
    size_t left = run->rq->body.n - (size_t)run->sent;
    size_t n = left < max ? left : max;
    if (n > 0)
        memcpy(dst, run->rq->body.p + run->sent, n);
    run->sent += n;
    return n;
}

static size_t on_read(char *dst, size_t size, size_t count, void *ctx)
{
    struct net_run *run = ctx;
    const size_t max = net_rate_piece(run->rate, NET_RATE_UP, size * count);
    run->calls++;
    const size_t n =
        run->rq->read != NULL ? body_read(run, (uint8_t *)dst, max) : span_read(run, (uint8_t *)dst, max);
    const qc_rc rc = run->rc == QC_OK ? keep_pace(run, NET_RATE_UP, n) : QC_OK;
    return rc == QC_OK ? n : broken(run, rc, CURL_READFUNC_ABORT);
}

/* A kept connection was dead: libcurl wants to send the body again. Only a span can. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct net_run *run = ctx;
    if (run->rq->read != NULL || origin != SEEK_SET || offset < 0 || (uint64_t)offset > run->rq->body.n)
        return run->sent == 0 && offset == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
    run->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* Keep a header's value, if it is asked for. The last of several of one name counts. */
static qc_rc header_keep(struct net_run *run, qc_span name, qc_span value)
{
    for (size_t i = 0; i < run->rq->keep_count; i++) {
        const char *want = run->rq->keep[i];
        if (strlen(want) != name.n || strncasecmp(want, (const char *)name.p, name.n) != 0)
            continue;
        run->kept_at[i] = run->kept_bytes.n + 1;
        QC_TRY(qc_buf_add(&run->kept_bytes, value, &run->err));
        QC_TRY(qc_buf_add_zero(&run->kept_bytes, 1, &run->err));
    }
    return QC_OK;
}

/* A status line begins a new head: what an interim one (1xx) said is forgotten. */
static void head_begin(struct net_run *run)
{
    run->kept_bytes.n = 0;
    memset(run->kept_at, 0, sizeof run->kept_at);
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct net_run *run = ctx;
    size_t n = size * count;
    qc_span s = qc_span_of(line, n);
    run->calls++;
    run->head_size += n;
    if (run->head_size > NET_HEAD_SIZE_MAX)
        return broken(run,
                      QC_FAIL(&run->err, QC_LIMIT, "the answer has more than %d bytes of headers",
                              NET_HEAD_SIZE_MAX),
                      0);
    if (n >= 12 && strncmp(line, "HTTP/", 5) == 0) {
        head_begin(run);
        /* "HTTP/1.1 200": libcurl has checked the line before it comes here. */
        int status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
        run->status = status >= 200 && status <= 999 ? status : 0;
        return n;
    }
    const uint8_t *colon = n > 0 ? memchr(s.p, ':', n) : NULL;
    if (colon == NULL)
        return n;
    size_t at = (size_t)(colon - s.p);
    qc_rc rc = header_keep(run, qc_span_sub(s, 0, at), qc_span_trim(qc_span_from(s, at + 1)));
    return rc == QC_OK ? n : broken(run, rc, 0);
}

static void kept_fix(struct net_run *run)
{
    for (size_t i = 0; i < NET_KEEP_MAX; i++)
        run->kept[i] = run->kept_at[i] == 0 ? NULL : (const char *)run->kept_bytes.p + run->kept_at[i] - 1;
}

static bool streams(const struct net_run *run)
{
    return run->rq->write != NULL && run->status >= 200 && run->status <= 299;
}

/* Tell the caller status and headers, once. */
static qc_rc head_tell(struct net_run *run)
{
    if (run->head_told || run->rq->head == NULL || run->status < 200 || run->status > 299)
        return QC_OK;
    run->head_told = true;
    kept_fix(run);
    struct net_response head = { .status = run->status };
    memcpy(head.kept, run->kept, sizeof head.kept);
    run->waited = true;
    return run->rq->head(run->rq->write_ctx, &head, &run->err);
}

static size_t on_write(char *bytes, size_t size, size_t count, void *ctx)
{
    struct net_run *run = ctx;
    qc_span s = qc_span_of(bytes, size * count);
    run->calls++;
    qc_rc rc = keep_pace(run, NET_RATE_DOWN, s.n);
    if (rc == QC_OK)
        rc = head_tell(run);
    if (rc == QC_OK && streams(run)) {
        rc = run->rq->write(run->rq->write_ctx, s, &run->err);
        run->waited = true;
    } else if (rc == QC_OK) {
        rc = qc_buf_add(&run->body, s, &run->err);
    }
    return rc == QC_OK ? s.n : broken(run, rc, CURL_WRITEFUNC_ERROR);
}

qc_rc net_run_end(struct net_run *run, struct qc_err *err)
{
    qc_rc rc = head_tell(run);
    if (rc != QC_OK) {
        *err = run->err;
        return rc;
    }
    kept_fix(run);
    return QC_OK;
}

void net_run_sent(struct net_run *run)
{
    for (struct curl_slist *h = run->headers; h != NULL; h = h->next)
        if (strncmp(h->data, BEARER, sizeof BEARER - 1) == 0)
            qc_wipe(h->data, strlen(h->data)); /* I5 */
    if (run->headers != NULL)
        curl_slist_free_all(run->headers);
    run->headers = NULL;
}

void net_run_done(struct net_run *run)
{
    net_run_sent(run);
    qc_buf_free(&run->body);
    qc_buf_free(&run->kept_bytes);
}

/* --- Options --- */

/* The key's bytes as a header. libcurl takes a C string and copies it: the copy is wiped by net_run_sent. */
static qc_rc bearer_add(struct net_run *run, qc_span token, struct qc_err *err)
{
    char line[sizeof BEARER + NET_BEARER_MAX] = BEARER;
    QC_ASSERT(token.n <= NET_BEARER_MAX);
    memcpy(line + sizeof BEARER - 1, token.p, token.n);
    line[sizeof BEARER - 1 + token.n] = '\0';
    struct curl_slist *more = curl_slist_append(run->headers, line);
    qc_wipe(line, sizeof line);
    if (more == NULL)
        return QC_FAIL(err, QC_NOMEM, "headers");
    run->headers = more;
    return QC_OK;
}

static qc_rc header_add(struct net_run *run, const char *name, const char *value, struct qc_err *err)
{
    char line[NET_HEADER_LINE_MAX + 1];
    int n = 0; /* libcurl's way to say "an empty value" is a semicolon, and "leave it out" a bare colon */
    if (value == NULL || value[0] == '\0')
        n = snprintf(line, sizeof line, value == NULL ? "%s:" : "%s;", name);
    else
        n = snprintf(line, sizeof line, "%s: %s", name, value);
    if (n < 0 || (size_t)n >= sizeof line)
        return QC_FAIL(err, QC_USAGE, "header %s is longer than %d bytes", name, NET_HEADER_LINE_MAX);
    struct curl_slist *more = curl_slist_append(run->headers, line);
    if (more == NULL)
        return QC_FAIL(err, QC_NOMEM, "header %s", name);
    run->headers = more;
    return QC_OK;
}

static qc_rc headers_set(struct net_run *run, const struct net_target *to, struct qc_err *err)
{
    if (to->bearer != NULL)
        QC_TRY(bearer_add(run, qc_key_open(to->bearer), err));
    for (size_t i = 0; i < run->rq->header_count; i++)
        QC_TRY(header_add(run, run->rq->headers[i].name, run->rq->headers[i].value, err));
    QC_TRY(
        header_add(run, "Expect", NULL, err)); /* no 100-continue: it would cost a round trip or a second */
    return QC_OK;
}

/* Is it safe to send it twice? (RFC 9110, 9.2.2) */
static bool idempotent(const char *method)
{
    static const char *const safe[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS" };
    for (size_t i = 0; i < sizeof safe / sizeof safe[0]; i++)
        if (strcmp(safe[i], method) == 0)
            return true;
    return false;
}

/* curl_easy_setopt with the first failure kept. */
#define SET(...) (bad = bad != CURLE_OK ? bad : curl_easy_setopt(easy, __VA_ARGS__))

static CURLcode set_body(const struct net_run *run, CURL *easy)
{
    const struct net_request *rq = run->rq;
    CURLcode bad = CURLE_OK;
    bool sends = rq->read != NULL || rq->body.n > 0 || strcmp(rq->method, "PUT") == 0 ||
                 strcmp(rq->method, "POST") == 0;
    if (strcmp(rq->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
    } else if (sends) {
        uint64_t size = rq->read != NULL ? rq->body_size : rq->body.n;
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_INFILESIZE_LARGE, size == NET_SIZE_UNKNOWN ? (curl_off_t)-1 : (curl_off_t)size);
        SET(CURLOPT_CUSTOMREQUEST, rq->method);
    } else {
        SET(CURLOPT_CUSTOMREQUEST, rq->method);
    }
    /* libcurl repeats a request by itself when a kept connection turns out dead: not where that could do a
     * thing twice. */
    if (run->fresh || rq->once || (!rq->repeatable && !idempotent(rq->method)))
        SET(CURLOPT_FRESH_CONNECT, 1L);
    return bad;
}

static CURLcode set_callbacks(struct net_run *run, CURL *easy)
{
    CURLcode bad = CURLE_OK;
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_READDATA, run);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_SEEKDATA, run);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, run);
    SET(CURLOPT_WRITEFUNCTION, on_write);
    SET(CURLOPT_WRITEDATA, run);
    return bad;
}

/* A larger send buffer means fewer, longer turns of sender and receiver; the system's limit still holds. Of a
 * UNIX socket: TCP sizes its own. */
static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    const int size = NET_SEND_BUFFER;
    (void)ctx;
    (void)purpose;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return CURL_SOCKOPT_OK;
}

/* The certificate is verified, name and all; by the authorities that were named, and then by no others. */
static CURLcode set_tls(CURL *easy, const struct net_target *to)
{
    CURLcode bad = CURLE_OK;
    SET(CURLOPT_SSLVERSION, (long)(to->cert != NULL ? CURL_SSLVERSION_TLSv1_2 : CURL_SSLVERSION_TLSv1_3));
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (to->ca != NULL) {
        SET(CURLOPT_CAINFO, to->ca);
        SET(CURLOPT_CAPATH, NULL);
    }
    if (to->cert != NULL) {
        SET(CURLOPT_SSLCERT, to->cert);
        SET(CURLOPT_SSLKEY, to->key);
        SET(CURLOPT_SSL_CTX_FUNCTION, net_tls_wiping);
    }
    return bad;
}

/* Nobody's certificate counts: whose key it is, he is at the other end (keyed.c). */
static CURLcode set_keyed(CURL *easy, struct net_keyed_run *keyed)
{
    CURLcode bad = CURLE_OK;
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    SET(CURLOPT_SSL_VERIFYPEER, 0L);
    SET(CURLOPT_SSL_VERIFYHOST, 0L);
    SET(CURLOPT_CAINFO, NULL);
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
    SET(CURLOPT_SSL_CTX_FUNCTION, net_keyed_context);
    SET(CURLOPT_SSL_CTX_DATA, keyed);
    SET(CURLOPT_PREREQFUNCTION, net_keyed_look);
    SET(CURLOPT_PREREQDATA, keyed);
    return bad;
}

static CURLcode set_link(struct net_run *run, CURL *easy, const struct net_target *to)
{
    CURLcode bad = to->keyed != NULL ? set_keyed(easy, to->keyed) : to->tls ? set_tls(easy, to) : CURLE_OK;
    SET(CURLOPT_ERRORBUFFER, run->curl_text);
    SET(CURLOPT_URL, run->url);
    if (to->socket != NULL) {
        SET(CURLOPT_UNIX_SOCKET_PATH, to->socket);
        SET(CURLOPT_SOCKOPTFUNCTION, on_socket);
    }
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)NET_CONNECT_MS + (to->keyed != NULL ? LINK_KME_MS : 0));
    SET(CURLOPT_PROTOCOLS_STR, to->tls ? "https" : "http");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_NOPROGRESS, 1L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    SET(CURLOPT_HTTPHEADER, run->headers);
    SET(CURLOPT_BUFFERSIZE, (long)net_rate_piece(run->rate, NET_RATE_DOWN, NET_BUFFER_SIZE));
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)NET_BUFFER_SIZE);
    return bad;
}

qc_rc net_run_options(struct net_run *run, CURL *easy, const struct net_target *to, struct qc_err *err)
{
    int n = snprintf(run->url, sizeof run->url, "%s%s", to->base, run->rq->path);
    QC_ASSERT(n > 0 && (size_t)n < sizeof run->url);
    run->kept_bytes.max = NET_HEAD_SIZE_MAX + NET_KEEP_MAX;
    QC_TRY(headers_set(run, to, err));
    CURLcode bad = set_link(run, easy, to);
    bad = bad != CURLE_OK ? bad : set_callbacks(run, easy);
    bad = bad != CURLE_OK ? bad : set_body(run, easy);
    if (bad != CURLE_OK)
        return QC_FAIL(err, bad == CURLE_OUT_OF_MEMORY ? QC_NOMEM : QC_GENERAL, "libcurl: %s",
                       curl_easy_strerror(bad));
    return QC_OK;
}

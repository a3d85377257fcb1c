/* One request and its answer, by libcurl's multi interface: curl_easy_perform would look up from a quiet
 * socket but once a second. The only file of cloud/ that knows libcurl's options. */
#include "s3.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* --- Handles --- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_init_rc;

static void curl_init(void)
{
    curl_init_rc = curl_global_init(CURL_GLOBAL_DEFAULT);
}

void s3_conn_free(struct s3_conn **c)
{
    if (*c == NULL)
        return;
    if ((*c)->easy != NULL)
        curl_easy_cleanup((*c)->easy);
    if ((*c)->multi != NULL)
        curl_multi_cleanup((*c)->multi);
    qc_free(*c);
    *c = NULL;
}

struct s3_conn *s3_conn_new(void)
{
    pthread_once(&curl_once, curl_init);
    QC_CLEANUP(s3_conn_free) struct s3_conn *c = curl_init_rc == CURLE_OK ? qc_alloc(sizeof *c) : NULL;
    if (c == NULL)
        return NULL;
    c->easy = curl_easy_init();
    c->multi = curl_multi_init();
    return c->easy != NULL && c->multi != NULL ? QC_STEAL(c) : NULL;
}

/* --- Callbacks: libcurl calls these in the middle of curl_multi_perform --- */

struct run {
    const struct s3_attempt *a;
    struct s3_reply *reply;
    size_t part, part_at; /* of the body, what is sent next */
    size_t head_size;
    uint64_t got;      /* bytes of a good answer's body */
    enum s3_fate fate; /* why a callback broke it off; S3_DONE: none did */
    bool enough;       /* no more of the body is wanted */
    char curl_text[CURL_ERROR_SIZE];
    struct curl_slist *headers;
};

static bool good(const struct run *run)
{
    const struct s3_call *call = run->a->call;
    return run->reply->status == call->good[0] || run->reply->status == call->good[1];
}

static size_t on_read(char *dst, size_t size, size_t count, void *ctx)
{
    struct run *run = ctx;
    const struct s3_call *call = run->a->call;
    const size_t max = size * count;
    size_t n = 0;
    while (n < max && run->part < call->count) {
        const qc_span s = call->parts[run->part];
        const size_t left = s.n - run->part_at;
        const size_t take = left < max - n ? left : max - n;
        if (take > 0)
            memcpy(dst + n, s.p + run->part_at, take);
        n += take;
        run->part_at += take;
        if (run->part_at == s.n) {
            run->part++;
            run->part_at = 0;
        }
    }
    return n;
}

/* A kept connection was dead: libcurl sends the body again. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct run *run = ctx;
    const struct s3_call *call = run->a->call;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > call->size)
        return CURL_SEEKFUNC_FAIL;
    size_t left = (size_t)offset;
    for (run->part = 0; run->part < call->count && left >= call->parts[run->part].n; run->part++)
        left -= call->parts[run->part].n;
    run->part_at = left;
    return CURL_SEEKFUNC_OK;
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct run *run = ctx;
    const size_t n = size * count;
    run->head_size += n;
    if (run->head_size > CLOUD_S3_HEAD_SIZE_MAX) {
        run->fate = S3_STRANGE;
        return 0;
    }
    s3_reply_header(run->reply, qc_span_of(line, n));
    return n;
}

static size_t on_write(char *bytes, size_t size, size_t count, void *ctx)
{
    struct run *run = ctx;
    const struct s3_call *call = run->a->call;
    qc_span s = qc_span_of(bytes, size * count);
    const bool text = good(run) && call->body_max > 0;
    const size_t max = text ? call->body_max : CLOUD_S3_ERROR_SIZE_MAX;
    if (good(run) && call->sink != NULL) {
        run->fate = call->sink->take(call->sink->ctx, run->reply, run->got, s, &run->enough);
        run->got += s.n;
        return run->fate == S3_DONE && !run->enough ? s.n : CURL_WRITEFUNC_ERROR;
    }
    if (s.n > max - run->reply->body.n) { /* of an error the first 64 KiB say all; a listing is not so long */
        run->fate = text ? S3_STRANGE : S3_DONE;
        run->enough = true;
        s = qc_span_sub(s, 0, max - run->reply->body.n);
    }
    struct qc_err ignored = { 0 };
    if (qc_buf_add(&run->reply->body, s, &ignored) != QC_OK)
        run->fate = S3_LOCAL;
    return run->fate == S3_DONE && !run->enough ? s.n : CURL_WRITEFUNC_ERROR;
}

/* --- Options --- */

static qc_rc headers_make(struct run *run, struct qc_err *err)
{
    for (size_t i = 0; i < run->a->count; i++) {
        char line[S3_AUTHORIZATION_SIZE + 64];
        int n = snprintf(line, sizeof line, "%s: %s", run->a->headers[i].name, run->a->headers[i].value);
        QC_ASSERT(n > 0 && (size_t)n < sizeof line);
        struct curl_slist *more = curl_slist_append(run->headers, line);
        qc_wipe(line, sizeof line);
        if (more == NULL)
            return QC_FAIL(err, QC_NOMEM, "headers");
        run->headers = more;
    }
    /* Without this line libcurl asks before it sends more than 1 MB, which costs a round trip. */
    struct curl_slist *more =
        curl_slist_append(run->headers, run->a->expect ? "Expect: 100-continue" : "Expect:");
    if (more == NULL)
        return QC_FAIL(err, QC_NOMEM, "headers");
    run->headers = more;
    return QC_OK;
}

/* A signature is no secret for long, but it is one until the server's clock has moved on: 15 minutes. */
static void headers_wipe(struct run *run)
{
    for (struct curl_slist *h = run->headers; h != NULL; h = h->next)
        qc_wipe(h->data, strlen(h->data));
    curl_slist_free_all(run->headers);
    run->headers = NULL;
}

#define SET(option, value)                                                                                   \
    do {                                                                                                     \
        if (curl_easy_setopt(easy, (option), (value)) != CURLE_OK)                                           \
            return QC_FAIL(err, QC_NOMEM, "libcurl refuses " #option);                                       \
    } while (0)

/* Who may answer, and for how long. */
static qc_rc options_guard(const struct s3_place *p, const struct s3_attempt *a, CURL *easy,
                           struct qc_err *err)
{
    const struct s3_call *call = a->call;
    const uint64_t bytes = call->size + call->expected;
    SET(CURLOPT_PROTOCOLS_STR, p->url.tls ? "https" : "http");
    SET(CURLOPT_FOLLOWLOCATION, 0L); /* another host would need another signature */
    SET(CURLOPT_PROXY, "");          /* whatever the environment says */
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (p->url.ca[0] != '\0') {
        SET(CURLOPT_CAINFO, p->url.ca);
        SET(CURLOPT_CAPATH, NULL); /* this CA, and not the system's beside it */
    }
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CLOUD_S3_CONNECT_MS);
    SET(CURLOPT_LOW_SPEED_LIMIT, (long)CLOUD_S3_STALL_RATE);
    SET(CURLOPT_LOW_SPEED_TIME, (long)CLOUD_S3_STALL_S);
    SET(CURLOPT_TIMEOUT_MS, (long)(CLOUD_S3_TOTAL_MS + bytes / CLOUD_S3_LEAST_RATE));
    SET(CURLOPT_EXPECT_100_TIMEOUT_MS, 1000L);
    SET(CURLOPT_MAXAGE_CONN, (long)CLOUD_S3_IDLE_S);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_FRESH_CONNECT, a->fresh ? 1L : 0L);
    return QC_OK;
}

static qc_rc options_body(struct run *run, CURL *easy, struct qc_err *err)
{
    const struct s3_call *call = run->a->call;
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, run);
    SET(CURLOPT_WRITEFUNCTION, on_write);
    SET(CURLOPT_WRITEDATA, run);
    SET(CURLOPT_BUFFERSIZE, (long)CLOUD_S3_BUFFER_SIZE);
    if (strcmp(call->method, "HEAD") == 0)
        SET(CURLOPT_NOBODY, 1L);
    if (strcmp(call->method, "PUT") == 0) {
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->size);
        SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)CLOUD_S3_BUFFER_SIZE);
        SET(CURLOPT_READFUNCTION, on_read);
        SET(CURLOPT_READDATA, run);
        SET(CURLOPT_SEEKFUNCTION, on_seek);
        SET(CURLOPT_SEEKDATA, run);
    } else {
        SET(CURLOPT_CUSTOMREQUEST, call->method);
    }
    return QC_OK;
}

static qc_rc options_set(const struct s3_place *p, struct run *run, CURL *easy, struct qc_err *err)
{
    curl_easy_reset(easy);
    QC_TRY(headers_make(run, err));
    SET(CURLOPT_URL, run->a->url);
    SET(CURLOPT_PATH_AS_IS, 1L); /* what is signed is what is sent */
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_HTTPHEADER, run->headers);
    SET(CURLOPT_USERAGENT, "qcloud/" QC_VERSION);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a request that is cancelled does not wait for a name server */
    SET(CURLOPT_ERRORBUFFER, run->curl_text);
    QC_TRY(options_guard(p, run->a, easy, err));
    return options_body(run, easy, err);
}

/* --- The run --- */

static int poll_ms(qc_deadline d)
{
    const uint64_t left = qc_deadline_left_ms(d);
    return left < CLOUD_S3_POLL_MS ? (int)left + 1 : CLOUD_S3_POLL_MS;
}

static qc_rc multi_check(CURLMcode m, struct qc_err *err)
{
    if (m == CURLM_OK)
        return QC_OK;
    return QC_FAIL(err, m == CURLM_OUT_OF_MEMORY ? QC_NOMEM : QC_GENERAL, "libcurl: %s",
                   curl_multi_strerror(m));
}

/* Until libcurl has a verdict, or op says stop. */
static qc_rc drive(CURLM *multi, CURLcode *ret_code, const struct cloud_op *op, struct qc_err *err)
{
    for (;;) {
        int running = 0;
        int left = 0;
        QC_TRY(cloud_op_check(op, err));
        QC_TRY(multi_check(curl_multi_perform(multi, &running), err));
        const CURLMsg *msg = curl_multi_info_read(multi, &left);
        if (msg != NULL && msg->msg == CURLMSG_DONE) {
            *ret_code = msg->data.result;
            return QC_OK;
        }
        QC_TRY(multi_check(curl_multi_poll(multi, NULL, 0, poll_ms(op->deadline), NULL), err));
    }
}

/* An answer is whole, or as whole as we want it. */
static enum s3_fate judge_answer(struct run *run, struct s3_end *end)
{
    const struct s3_call *call = run->a->call;
    struct s3_reply *r = run->reply;
    if (good(run) && call->sink != NULL)
        return call->sink->end(call->sink->ctx, r, run->got);
    if (good(run) && (call->body_max > 0 || r->body.n == 0))
        return S3_DONE;
    /* A refusal; or a success with an error in it, which some servers begin to send before they know. */
    s3_reply_error(r, qc_buf_span(&r->body));
    if (good(run) && r->code[0] == '\0')
        return S3_DONE;
    enum s3_fate fate = s3_fate_of_reply(r, &end->says);
    /* Ceph says "no such key" while it removes the bucket, and later where a gateway of its remembers one
     * that is gone. */
    if (fate == S3_MISSING && (call->key == NULL || strcmp(call->method, "PUT") == 0)) {
        fate = S3_NO_BUCKET;
        end->says = s3_fate_row(fate)->says;
    }
    if (fate == S3_DONE) {
        fate = good(run) ? S3_TRANSIENT : S3_STRANGE;
        end->says = s3_fate_row(fate)->says;
    }
    return fate;
}

/* Did a connection stand, with TLS where it is wanted? */
static bool connected(CURL *easy)
{
    curl_off_t us = 0;
    return curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &us) == CURLE_OK && us > 0;
}

static enum s3_fate judge(struct run *run, CURL *easy, CURLcode code, struct s3_end *end)
{
    if (run->fate != S3_DONE)
        return run->fate;
    if (code == CURLE_OK || run->enough || run->reply->status >= 300) /* what was refused, was answered */
        return run->reply->status == 0 ? S3_STRANGE : judge_answer(run, end);
    snprintf(end->text, sizeof end->text, "%s",
             run->curl_text[0] != '\0' ? run->curl_text : curl_easy_strerror(code));
    /* A TLS alert is a refusal; a handshake that breaks off otherwise is a broken connection. */
    if (code == CURLE_SSL_CONNECT_ERROR && strstr(end->text, "alert") != NULL)
        code = CURLE_PEER_FAILED_VERIFICATION;
    return s3_fate_of_curl((int)code, connected(easy), &end->says);
}

static qc_rc run_it(struct s3_place *p, struct s3_conn *c, struct run *run, struct s3_end *end,
                    const struct cloud_op *op, struct qc_err *err)
{
    CURLcode code = CURLE_OK;
    QC_TRY(options_set(p, run, c->easy, err));
    QC_TRY(multi_check(curl_multi_add_handle(c->multi, c->easy), err));
    qc_rc rc = drive(c->multi, &code, op, err);
    if (rc == QC_OK)
        end->fate = judge(run, c->easy, code, end);
    curl_multi_remove_handle(c->multi, c->easy); /* of an unfinished request, this closes the connection */
    if (rc == QC_OK && end->fate == S3_LOCAL)
        rc = QC_FAIL(err, QC_NOMEM, "the answer of the cloud");
    return rc;
}

void s3_attempt_run(struct s3_place *p, struct s3_conn *c, const struct s3_attempt *a, struct s3_reply *reply,
                    const struct cloud_op *op, struct s3_end *end, struct qc_err *err)
{
    struct run run = { .a = a, .reply = reply, .fate = S3_DONE };
    *end = (struct s3_end){ .fate = S3_LOCAL };
    s3_reply_reset(reply);
    end->rc = run_it(p, c, &run, end, op, err);
    if (end->rc != QC_OK)
        end->fate = S3_LOCAL;
    if (end->says == NULL)
        end->says = s3_fate_row(end->fate)->says;
    headers_wipe(&run);
    /* The handle keeps pointers into this frame otherwise. */
    curl_easy_reset(c->easy);
}

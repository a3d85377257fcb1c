#include "s3.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/log.h"

enum { URL_MAX = 4 * CLOUD_S3_TEXT_MAX + 4 * CLOUD_KEY_SIZE_MAX + 1024, TRIES_MAX = 8, NAP_MS = 50 };

/* A request on its way: what was sent and what came of it. */
struct work {
    struct s3_place *p;
    const struct s3_call *call;
    struct s3_reply *reply;
    const struct cloud_op *op;
    unsigned seen[S3_FATES]; /* attempts that ended so */
    unsigned tries;
    struct s3_end end; /* of the last one */
};

void s3_reply_done(struct s3_reply *r)
{
    qc_buf_free(&r->body);
}

/* --- One attempt: sign, send, take the answer --- */

static void add(struct s3_attempt *a, const char *name, const char *value)
{
    if (value == NULL)
        return;
    QC_ASSERT(a->count < S3_HEADERS_MAX);
    a->headers[a->count++] = (struct s3_header){ name, value };
}

static qc_rc attempt(struct work *w, const char *uri, const char *url, struct qc_err *err)
{
    const struct s3_call *call = w->call;
    char date[S3_DATE_SIZE];
    char authorization[S3_AUTHORIZATION_SIZE];
    struct s3_conn *c = NULL;
    struct s3_attempt a = { .call = call, .url = url };
    /* A body that was refused or cut off is announced first the next time: then the reason comes through. */
    a.expect = w->tries > 0 && call->size > 0;
    a.fresh = w->seen[S3_BROKEN] + w->seen[S3_STALE] > 0;
    s3_date(qc_wall_s() + atomic_load(&w->p->clock_off_s), date);
    add(&a, "content-md5", call->md5); /* ascending: they are signed in this order */
    add(&a, "host", w->p->host);
    add(&a, "if-none-match", call->if_none_match ? "*" : NULL);
    add(&a, "range", call->range);
    add(&a, "x-amz-content-sha256", "UNSIGNED-PAYLOAD"); /* Content-MD5 is signed, and TLS does the rest */
    add(&a, "x-amz-date", date);
    const struct s3_sign_job job = { .method = call->method,
                                     .uri = uri,
                                     .query = call->query,
                                     .headers = a.headers,
                                     .count = a.count,
                                     .payload = "UNSIGNED-PAYLOAD",
                                     .date = date };
    QC_TRY(s3_sign(&w->p->signer, &job, authorization, err));
    if (call->auth == S3_FORGED) { /* the last digit of the signature */
        char *last = authorization + strlen(authorization) - 1;
        *last = *last == '0' ? '1' : '0';
    }
    if (call->auth != S3_UNSIGNED)
        add(&a, "authorization", authorization);
    QC_TRY(s3_conn_take(w->p, &c, w->op, err));
    s3_attempt_run(w->p, c, &a, w->reply, w->op, &w->end, err);
    qc_wipe(authorization, sizeof authorization);
    /* Without an answer the handle is of no more use: libcurl 7.88 keeps a buffer where a name was not found.
     */
    s3_conn_give(w->p, c,
                 w->reply->status == 0 || w->end.fate == S3_LOCAL || w->end.fate == S3_BROKEN ||
                     w->end.fate == S3_STALE);
    return w->end.rc;
}

/* --- What to say --- */

static qc_rc fail(const struct work *w, struct qc_err *err)
{
    const struct s3_fate_row *row = s3_fate_row(w->end.fate);
    const struct s3_reply *r = w->reply;
    char detail[S3_MESSAGE_SIZE + S3_WORD_SIZE + 64] = "";
    if (w->end.fate == S3_MOVED && r->region[0] != '\0')
        snprintf(detail, sizeof detail, "; the cloud says region=%s", r->region);
    else if (w->end.fate == S3_CLOCK && r->date_known)
        snprintf(detail, sizeof detail, ": by %" PRId64 " s", r->date - qc_wall_s());
    else if (w->end.text[0] != '\0')
        snprintf(detail, sizeof detail, ": %.*s", S3_MESSAGE_SIZE, w->end.text);
    else if (r->message[0] != '\0')
        snprintf(detail, sizeof detail, " (\"%s\")", r->message);
    qc_rc rc = w->call->opening ? row->open_rc : row->rc;
    QC_ASSERT(rc != QC_OK);
    if (r->status == 0 || w->end.text[0] != '\0') {
        qc_err_set(err, rc, QC_HERE, "%s%s", w->end.says, detail);
        return rc;
    }
    qc_err_set(err, rc, QC_HERE, "%s%s (%d%s%s%s%s)", w->end.says, detail, r->status,
               r->code[0] != '\0' ? " " : "", r->code, r->request_id[0] != '\0' ? ", request " : "",
               r->request_id);
    return rc;
}

/* --- What to do next --- */

static qc_rc nap(uint64_t ms, const struct cloud_op *op, struct qc_err *err)
{
    for (uint64_t end = qc_now_ms() + ms, now = qc_now_ms(); now < end; now = qc_now_ms()) {
        QC_TRY(cloud_op_check(op, err));
        const uint64_t n = end - now < NAP_MS ? end - now : NAP_MS;
        (void)nanosleep(&(struct timespec){ .tv_nsec = (long)n * 1000000 }, NULL);
    }
    return QC_OK;
}

/* Full jitter, so that those who failed together do not come back together. What the server asks for wins. */
static uint64_t pause_ms(const struct work *w)
{
    uint64_t max = CLOUD_S3_BACKOFF_MS;
    uint32_t r = 0;
    if (w->reply->retry_after_s > 0)
        return w->reply->retry_after_s < CLOUD_S3_BACKOFF_MAX_MS / 1000
                   ? w->reply->retry_after_s * UINT64_C(1000)
                   : CLOUD_S3_BACKOFF_MAX_MS;
    for (unsigned i = 1; i < w->tries && max < CLOUD_S3_BACKOFF_MAX_MS; i++)
        max *= 2;
    if (getrandom(&r, sizeof r, GRND_NONBLOCK) != (ssize_t)sizeof r)
        r = (uint32_t)qc_now_ns(); /* early after boot; good enough to scatter */
    return r % ((max < CLOUD_S3_BACKOFF_MAX_MS ? max : CLOUD_S3_BACKOFF_MAX_MS) + 1);
}

/* Take the server's clock for ours in what is signed from now on. false: that is too far off to be believed.
 */
static bool clock_correct(struct work *w)
{
    if (!w->reply->date_known)
        return false;
    const int64_t off = w->reply->date - qc_wall_s();
    if (off > CLOUD_S3_SKEW_MAX_S || off < -CLOUD_S3_SKEW_MAX_S)
        return false;
    atomic_store(&w->p->clock_off_s, off);
    QC_LOG(QC_LOG_WARN, "this machine's clock is not the cloud's: requests are dated by the cloud's",
           QC_S("cloud", w->p->base), QC_S("bucket", w->p->url.bucket), QC_I("seconds", off));
    return true;
}

/* May it be tried again, and has the pause before that gone by? */
static qc_rc again(struct work *w, bool *ret, struct qc_err *err)
{
    const struct s3_fate_row *row = s3_fate_row(w->end.fate);
    *ret = false;
    if (w->seen[w->end.fate] >= row->tries || w->tries >= TRIES_MAX || !s3_place_retry(w->p))
        return QC_OK;
    if (w->end.fate == S3_CLOCK && !clock_correct(w))
        return QC_OK;
    const uint64_t ms = row->wait ? pause_ms(w) : 0;
    if (ms >=
        qc_deadline_left_ms(w->op->deadline)) /* what is known says more than "the deadline has passed" */
        return QC_OK;
    QC_TRY(nap(ms, w->op, err));
    *ret = true;
    return QC_OK;
}

static qc_rc until_done(struct work *w, const char *uri, const char *url, struct qc_err *err)
{
    for (bool more = true; more;) {
        const qc_rc rc = attempt(w, uri, url, err);
        if (rc != QC_OK) {
            w->end.fate = S3_LOCAL;
            return rc;
        }
        w->tries++;
        w->seen[w->end.fate]++;
        s3_place_learn(w->p, w->end.fate);
        if (w->end.fate == S3_DONE)
            return QC_OK;
        QC_TRY(again(w, &more, err));
    }
    return fail(w, err);
}

qc_rc s3_do(struct s3_place *p, const struct s3_call *call, struct s3_reply *reply, enum s3_fate *ret_fate,
            const struct cloud_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf uri = { .max = URL_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf url = { .max = URL_MAX };
    const char *uri_text = NULL;
    const char *url_text = NULL;
    struct work w = { .p = p, .call = call, .reply = reply, .op = op, .end = { .fate = S3_LOCAL } };

    qc_buf_clear(&reply->body);
    reply->body.max = call->body_max > CLOUD_S3_ERROR_SIZE_MAX ? call->body_max : CLOUD_S3_ERROR_SIZE_MAX;
    QC_TRY(qc_buf_add_str(&uri, p->root, err));
    if (call->key != NULL || p->root[0] == '\0')
        QC_TRY(qc_buf_add_str(&uri, "/", err));
    if (call->key != NULL)
        QC_TRY(s3_encode(&uri, call->key, true, err));
    QC_TRY(qc_buf_cstr(&uri, &uri_text, err));
    QC_TRY(qc_buf_addf(&url, err, "%s%s%s%s", p->base, uri_text, call->query[0] != '\0' ? "?" : "",
                       call->query));
    QC_TRY(qc_buf_cstr(&url, &url_text, err));
    const qc_rc rc = until_done(&w, uri_text, url_text, err);
    if (ret_fate != NULL)
        *ret_fate = rc == QC_OK ? S3_DONE : w.end.fate;
    return rc;
}

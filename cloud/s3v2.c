#include "s3v2.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/limits.h"
#include "base/thread.h"
#include "credentials.h"
#include "exam.h"

enum { TEST_OBJECTS = 8 };

static const struct cloud_vt s3v2_vt;

struct s3v2_cloud *s3v2_of(struct cloud *c)
{
    QC_ASSERT(c->vt == &s3v2_vt);
    return (struct s3v2_cloud *)c; /* base is the first member */
}

/* ---- head ---- */

static qc_rc nothing_take(void *ctx, uint64_t at, qc_span s, struct qc_err *err)
{
    (void)ctx, (void)at, (void)s, (void)err;
    return QC_OK;
}

struct head {
    const char *key;
    bool opening;
};

static qc_rc head_of(struct s3v2_cloud *c, const struct head *h, uint64_t *ret_size, bool *ret_there,
                     const struct cloud_op *op, struct qc_err *err)
{
    struct s3v2_call head = { .kind = S3V2_HEAD, .key = h->key, .opening = h->opening };
    struct s3v2_answer answer;
    QC_TRY(s3v2_do(c, &head, &answer, op, err));
    *ret_there = answer.fate == S3V2_DONE;
    *ret_size = answer.length;
    if (*ret_there)
        return QC_OK;
    /* Object or bucket? An answer to HEAD has no text; one to GET has. */
    struct s3v2_call ask = { .kind = S3V2_GET, .key = h->key, .range = { 0, 1 }, .take = nothing_take };
    ask.opening = h->opening;
    return s3v2_do(c, &ask, &answer, op, err);
}

static qc_rc s3v2_head(struct cloud *cloud, const char *key, uint64_t *ret_size, const struct cloud_op *op,
                       struct qc_err *err)
{
    uint64_t size = 0;
    bool there = false;
    QC_TRY(head_of(s3v2_of(cloud), &(struct head){ key, false }, &size, &there, op, err));
    if (!there)
        return QC_FAIL(err, QC_NOTFOUND, "no such object");
    *ret_size = size;
    return QC_OK;
}

/* ---- put ---- */

/* Are these the bytes that we would write? */
struct compare {
    const struct cloud_put_job *job;
    size_t part, at;
};

static qc_rc compare_take(void *ctx, uint64_t at, qc_span s, struct qc_err *err)
{
    struct compare *m = ctx;
    if (at == 0)
        m->part = m->at = 0; /* anew, after an attempt that broke off */
    while (s.n > 0) {
        QC_ASSERT(m->part < m->job->count); /* the range is as long as the parts */
        qc_span rest = qc_span_from(m->job->parts[m->part], m->at);
        size_t n = s.n < rest.n ? s.n : rest.n;
        if (n > 0 && memcmp(s.p, rest.p, n) != 0)
            return QC_FAIL(err, QC_CONFLICT, "the key holds other bytes");
        s = qc_span_from(s, n);
        m->at += n;
        if (m->at == m->job->parts[m->part].n) {
            m->part++;
            m->at = 0;
        }
    }
    return QC_OK;
}

/* QC_OK: the key holds these bytes; QC_CONFLICT: others; QC_NOTFOUND: none. md5: text with quotes, as in an
 * ETag; NULL: read them. */
static qc_rc holds(struct s3v2_cloud *c, const struct cloud_put_job *job, const char *md5,
                   const struct cloud_op *op, struct qc_err *err)
{
    struct s3v2_call head = { .kind = S3V2_HEAD, .key = job->key };
    struct s3v2_answer answer;
    QC_TRY(s3v2_do(c, &head, &answer, op, err));
    if (answer.fate != S3V2_DONE)
        return QC_FAIL(err, QC_NOTFOUND, "no such object");
    if (answer.length != job->size)
        return QC_FAIL(err, QC_CONFLICT, "the key holds %llu bytes, not %llu",
                       (unsigned long long)answer.length, (unsigned long long)job->size);
    if (job->size == 0 || (md5 != NULL && strcmp(answer.etag, md5) == 0))
        return QC_OK;
    struct compare m = { .job = job };
    struct s3v2_call call = { .kind = S3V2_GET, .key = job->key, .take = compare_take, .ctx = &m };
    call.range = (struct cloud_range){ .off = 0, .n = (size_t)job->size };
    QC_TRY(s3v2_do(c, &call, &answer, op, err));
    if (answer.fate != S3V2_DONE || answer.length != job->size)
        return QC_FAIL(err, QC_CONFLICT, "the object changes while it is read");
    return QC_OK;
}

/* The MD5 of a body, as Content-MD5 and ETag have it. */
struct sums {
    char base64[4 * (QC_MD5_BYTES + 2) / 3 + 1];
    char etag[2 * QC_MD5_BYTES + 3];
};

static qc_rc sums_of(const struct cloud_put_job *job, struct sums *ret, struct qc_err *err)
{
    uint8_t md5[QC_MD5_BYTES];
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = sizeof ret->base64 };
    QC_TRY(qc_md5(job->parts, job->count, md5, err));
    QC_TRY(qc_b64_enc(qc_span_of(md5, sizeof md5), &text, err));
    for (size_t i = 0; i < text.n; i++) /* base64url differs in two letters, and has no padding */
        text.p[i] = text.p[i] == '-' ? '+' : text.p[i] == '_' ? '/' : text.p[i];
    (void)snprintf(ret->base64, sizeof ret->base64, "%.*s==", (int)text.n, (const char *)text.p);
    ret->etag[0] = '"';
    qc_hex(qc_span_of(md5, sizeof md5), ret->etag + 1);
    ret->etag[sizeof ret->etag - 2] = '"';
    ret->etag[sizeof ret->etag - 1] = '\0';
    return QC_OK;
}

/* libs3 does not know how a PUT ended: what is stored is looked at. */
static qc_rc put_send(struct s3v2_cloud *c, const struct cloud_put_job *job, const struct cloud_op *op,
                      struct qc_err *err)
{
    struct s3v2_call call = { .kind = S3V2_PUT, .key = job->key, .parts = job->parts, .count = job->count };
    struct sums sums;
    QC_TRY(sums_of(job, &sums, err));
    call.md5 = sums.base64;
    call.size = job->size;
    for (unsigned tries = 0; tries < CLOUD_S3V2_PUT_TRIES; tries++) {
        struct s3v2_answer answer;
        struct qc_err why = { 0 };
        QC_TRY(s3v2_do(c, &call, &answer, op, err));
        if (answer.fate != S3V2_DONE)
            break;
        qc_rc rc = holds(c, job, sums.etag, op, &why);
        if (rc == QC_CONFLICT || rc == QC_NOTFOUND)
            continue;
        if (rc != QC_OK)
            *err = why;
        return rc;
    }
    return QC_FAIL(err, QC_TEMP, "it was sent, and is not there afterwards");
}

/* Of two threads with one key the second waits until the first is done: what it looks at is its own. */
static qc_rc hold(struct s3v2_cloud *c, struct s3v2_hold *h, const struct cloud_op *op, struct qc_err *err)
{
    QC_LOCK(&c->lock);
    for (const struct s3v2_hold *o = c->held; o != NULL;) {
        if (strcmp(o->key, h->key) != 0) {
            o = o->next;
            continue;
        }
        QC_TRY(cloud_op_check(op, err));
        qc_deadline look = qc_deadline_in(CLOUD_S3V2_POLL_MS); /* at the cancel flag */
        (void)qc_cond_wait(&c->released, &c->lock, qc_deadline_min(look, op->deadline));
        o = c->held;
    }
    h->next = c->held;
    c->held = h;
    return QC_OK;
}

static void release(struct s3v2_cloud *c, struct s3v2_hold *h)
{
    QC_LOCK(&c->lock);
    struct s3v2_hold **at = &c->held;
    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    qc_cond_wake_all(&c->released);
}

static qc_rc put_new(struct s3v2_cloud *c, const struct cloud_put_job *job, const struct cloud_op *op,
                     struct qc_err *err)
{
    struct qc_err why = { 0 };
    qc_rc rc = holds(c, job, NULL, op, &why);
    if (rc == QC_NOTFOUND)
        return put_send(c, job, op, err);
    if (rc != QC_OK)
        *err = why;
    return rc;
}

static qc_rc s3v2_put(struct cloud *cloud, const struct cloud_put_job *job, const struct cloud_op *op,
                      struct qc_err *err)
{
    struct s3v2_cloud *c = s3v2_of(cloud);
    struct s3v2_hold h = { .key = job->key };
    QC_TRY(hold(c, &h, op, err));
    qc_rc rc = job->mode == CLOUD_NEW ? put_new(c, job, op, err) : put_send(c, job, op, err);
    release(c, &h);
    return rc;
}

/* ---- get, delete, alive ---- */

static qc_rc copy_take(void *ctx, uint64_t at, qc_span s, struct qc_err *err)
{
    (void)err;
    uint8_t *dst = ctx;
    memcpy(dst + at, s.p, s.n); /* s3v2_do has seen that it fits */
    return QC_OK;
}

static qc_rc s3v2_get(struct cloud *cloud, const struct cloud_get_job *job, size_t *ret_got,
                      const struct cloud_op *op, struct qc_err *err)
{
    struct s3v2_cloud *c = s3v2_of(cloud);
    uint64_t size = 0;
    if (job->range.n == 0 || job->range.off > INT64_MAX - job->range.n) { /* no such range in HTTP */
        QC_TRY(s3v2_head(cloud, job->key, &size, op, err));
        *ret_got = 0;
        return QC_OK;
    }
    /* A GET that meets an overwrite may see neither the old object nor the new one (Swift); HEAD knows. */
    for (unsigned tries = 0; tries < QC_RETRY_MAX; tries++) {
        struct s3v2_call call = { .kind = S3V2_GET, .key = job->key, .take = copy_take, .ctx = job->dst };
        struct s3v2_answer answer;
        call.range = job->range;
        QC_TRY(s3v2_do(c, &call, &answer, op, err));
        if (answer.fate != S3V2_MISSING) {
            *ret_got = answer.fate == S3V2_BEYOND ? 0 : (size_t)answer.length;
            return QC_OK;
        }
        QC_TRY(s3v2_head(cloud, job->key, &size, op, err));
    }
    return QC_FAIL(err, QC_NOTFOUND, "no such object, though there is one");
}

static qc_rc s3v2_delete(struct cloud *cloud, const char *key, const struct cloud_op *op, struct qc_err *err)
{
    struct s3v2_call call = { .kind = S3V2_DELETE, .key = key };
    struct s3v2_answer answer;
    return s3v2_do(s3v2_of(cloud), &call, &answer, op, err); /* one that is missing is gone */
}

static qc_rc s3v2_space(struct cloud *cloud, struct cloud_space *ret, const struct cloud_op *op,
                        struct qc_err *err)
{
    (void)cloud, (void)ret, (void)op;
    return QC_FAIL(err, QC_USAGE, "S3 does not tell how much room there is");
}

/* QC_NOTFOUND: no mark, or, while opening, no bucket. */
static qc_rc mark_look(struct s3v2_cloud *c, bool opening, const struct cloud_op *op, struct qc_err *err)
{
    uint64_t size = 0;
    bool there = false;
    QC_TRY(head_of(c, &(struct head){ S3V2_MARK, opening }, &size, &there, op, err));
    if (!there)
        return QC_FAIL(err, QC_NOTFOUND, "no mark %s in the bucket: it was wiped, or never made a cloud",
                       S3V2_MARK);
    return QC_OK;
}

static qc_rc s3v2_alive(struct cloud *cloud, const struct cloud_op *op, struct qc_err *err)
{
    qc_rc rc = mark_look(s3v2_of(cloud), false, op, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_TEMP, "the mark of a cloud is gone from the bucket");
    return rc;
}

/* ---- open and close ---- */

static void s3v2_close(struct cloud *cloud)
{
    struct s3v2_cloud *c = s3v2_of(cloud);
    QC_ASSERT(c->held == NULL);
    s3v2_contexts_drop(c);
    s3v2_library_leave();
    qc_key_free(&c->secret);
    qc_cond_done(&c->released);
    qc_mutex_done(&c->lock);
    qc_free(c);
}

static void s3v2_free(struct s3v2_cloud **c)
{
    if (*c != NULL)
        s3v2_close(&(*c)->base);
    *c = NULL;
}

/* libs3 wants a C string: the secret with at least one zero after it. */
static qc_rc secret_take(struct s3v2_cloud *c, const char *spec, struct qc_err *err)
{
    QC_CLEANUP(cloud_credentials_done) struct cloud_credentials keys = { 0 };
    QC_TRY(cloud_credentials_read(&keys, spec, err));
    size_t n = (keys.secret_size / QC_KEY_STEP + 1) * QC_KEY_STEP;
    QC_TRY(qc_key_blank(&c->secret, n, err));
    memcpy(qc_key_write(c->secret), cloud_credentials_open(&keys).p, keys.secret_size);
    qc_key_seal(c->secret);
    memcpy(c->access, keys.access, sizeof c->access);
    return QC_OK;
}

static qc_rc url_take(const struct cloud_url *url, struct s3v2_cloud *c, struct qc_err *err)
{
    char unverified[CLOUD_REGION_SIZE_MAX + 1];
    struct cloud_url_key more = { "unverified", unverified, sizeof unverified };
    QC_TRY(s3_url_parse(url, &more, 1, &c->url, err));
    if (unverified[0] != '\0' && (strcmp(unverified, "yes") != 0 || !c->url.tls))
        return QC_FAIL(err, QC_USAGE, "cloud URL: unverified=yes, with s3v2+https alone, or leave it out");
    if (c->url.ca[0] != '\0')
        return QC_FAIL(err, QC_USAGE, "cloud URL: ca= is of no use here: libs3 checks no certificate");
    if (c->url.tls && unverified[0] == '\0')
        return QC_FAIL(err, QC_USAGE,
                       "s3v2+https checks no certificate: whoever is on the way can pose as the cloud. Use "
                       "s3+https, or add unverified=yes to accept that");
    if (c->url.port == 0)
        (void)snprintf(c->host, sizeof c->host, "%s", c->url.host);
    else
        (void)snprintf(c->host, sizeof c->host, "%s:%u", c->url.host, c->url.port);
    return QC_OK;
}

/* A handle to nowhere, for s3v2_free. */
static qc_rc handle_blank(struct s3v2_cloud **ret, struct qc_err *err)
{
    struct s3v2_cloud *c = qc_alloc(sizeof *c);
    if (c == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *c);
    *c = (struct s3v2_cloud){
        .base = { .vt = &s3v2_vt,
                  .caps = { .driver = "s3v2",
                            .object_size_max = CLOUD_OBJECT_SIZE_MAX,
                            .list_strong = true,
                            .parallel_hint = CLOUD_S3V2_PARALLEL } },
    };
    qc_rc rc = s3v2_library_enter(err);
    if (rc != QC_OK) {
        qc_free(c);
        return rc;
    }
    qc_mutex_init(&c->lock);
    qc_cond_init(&c->released);
    *ret = c;
    return QC_OK;
}

static qc_rc handle_new(struct s3v2_cloud **ret, const struct cloud_url *url, const struct cloud_opts *opts,
                        struct qc_err *err)
{
    if (opts->credentials == NULL)
        return QC_FAIL(err, QC_USAGE, "no credentials");
    QC_CLEANUP(s3v2_free) struct s3v2_cloud *c = NULL;
    QC_TRY(handle_blank(&c, err));
    QC_TRY(url_take(url, c, err));
    QC_TRY(secret_take(c, opts->credentials, err));
    *ret = QC_STEAL(c);
    return QC_OK;
}

static qc_rc s3v2_open(struct cloud **ret, const struct cloud_url *url, const struct cloud_opts *opts,
                       struct qc_err *err)
{
    QC_CLEANUP(s3v2_free) struct s3v2_cloud *c = NULL;
    QC_TRY(handle_new(&c, url, opts, err));
    QC_TRY(mark_look(c, true, &opts->op, err));
    *ret = &QC_STEAL(c)->base;
    return QC_OK;
}

/* Is there anything in the bucket that no gateway wrote? The first page tells. */
static qc_rc bucket_used(struct s3v2_cloud *c, bool *ret, const struct cloud_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf keys = { .max = CLOUD_S3V2_PAGE_SIZE_MAX };
    struct s3v2_call call = {
        .kind = S3V2_LIST, .max = CLOUD_S3V2_PAGE_KEYS, .keys = &keys, .opening = true
    };
    struct s3v2_answer answer;
    QC_TRY(s3v2_do(c, &call, &answer, op, err));
    bool used = answer.fate != S3V2_DONE;
    for (size_t at = 0; at < keys.n && !used;) {
        const char *key = (const char *)keys.p + at + 8;
        used = !cloud_key_ours(key);
        at += 8 + strlen(key) + 1;
    }
    *ret = used;
    return QC_OK;
}

/* The bucket is made by its provider's tools; here it only has to be there. */
static qc_rc s3v2_create(const struct cloud_url *url, const struct cloud_opts *opts, struct qc_err *err)
{
    static const char text[] =
        "This bucket is a qcloud cloud; without this object qcloud takes it for lost.\n";
    QC_CLEANUP(s3v2_free) struct s3v2_cloud *c = NULL;
    QC_TRY(handle_new(&c, url, opts, err));
    struct qc_err why = { 0 };
    if (mark_look(c, true, &opts->op, &why) == QC_OK)
        return QC_OK;
    bool used = true;
    QC_TRY(bucket_used(c, &used, &opts->op, err));
    if (used)
        return QC_FAIL(err, QC_CONFLICT, "the bucket holds other things; a cloud needs one of its own");
    qc_span mark = qc_span_str(text);
    struct cloud_put_job job = { .key = S3V2_MARK, .parts = &mark, .count = 1, .size = mark.n };
    return put_send(c, &job, &opts->op, err);
}

/* The same bucket, asked with a secret that is not its own. */
static qc_rc forger_new(const struct s3v2_cloud *c, struct s3v2_cloud **ret, struct qc_err *err)
{
    static const char wrong[QC_KEY_STEP * 4] = "nobody chose this secret";
    QC_CLEANUP(s3v2_free) struct s3v2_cloud *f = NULL;
    QC_TRY(handle_blank(&f, err));
    f->url = c->url;
    memcpy(f->host, c->host, sizeof f->host);
    memcpy(f->access, c->access, sizeof f->access);
    QC_TRY(qc_key_blank(&f->secret, sizeof wrong, err));
    memcpy(qc_key_write(f->secret), wrong, sizeof wrong);
    qc_key_seal(f->secret);
    *ret = QC_STEAL(f);
    return QC_OK;
}

static qc_rc examine_secret(struct s3v2_cloud *c, struct cloud_exam *x, const struct cloud_op *op,
                            struct qc_err *err)
{
    QC_CLEANUP(s3v2_free) struct s3v2_cloud *f = NULL;
    struct qc_err why = { 0 };
    QC_TRY(forger_new(c, &f, err));
    qc_rc rc = mark_look(f, false, op, &why);
    if (rc == QC_OK || rc == QC_NOTFOUND)
        cloud_exam_bad(x, CLOUD_CHECK_WRONG_SECRET, "a request with a wrong signature was answered");
    else if (rc != QC_AUTH)
        *err = why;
    cloud_exam_good(x, CLOUD_CHECK_WRONG_SECRET);
    return rc == QC_OK || rc == QC_NOTFOUND || rc == QC_AUTH ? QC_OK : rc;
}

static qc_rc examine_md5(struct s3v2_cloud *c, struct cloud_exam *x, const struct cloud_op *op,
                         struct qc_err *err)
{
    char key[CLOUD_TEST_KEY_SIZE];
    const qc_span text = QC_LIT("qcloud looks at this cloud");
    struct s3v2_call call = { .kind = S3V2_PUT, .key = key, .parts = &text, .count = 1, .size = text.n };
    struct s3v2_answer answer;
    cloud_exam_key(x, key);
    call.md5 = "xUNcGnf4aw59JZZvQu+n2g=="; /* of another text */
    qc_rc rc = s3v2_do(c, &call, &answer, op, err);
    if (rc != QC_OK && rc != QC_IO)
        return rc;
    qc_err_clear(err);
    if (rc == QC_OK)
        cloud_exam_bad(x, CLOUD_CHECK_CONTENT_MD5, "a write with a wrong Content-MD5 was taken");
    cloud_exam_good(x, CLOUD_CHECK_CONTENT_MD5);
    return QC_OK;
}

/* libs3 sends no request without a signature, and reads no settings of a bucket. */
static qc_rc s3v2_examine(struct cloud *cloud, struct cloud_exam *x, const struct cloud_op *op,
                          struct qc_err *err)
{
    QC_TRY(examine_secret(s3v2_of(cloud), x, op, err));
    return examine_md5(s3v2_of(cloud), x, op, err);
}

static const struct cloud_vt s3v2_vt = {
    .put = s3v2_put,
    .get = s3v2_get,
    .head = s3v2_head,
    .delete = s3v2_delete,
    .list = s3v2_list,
    .space = s3v2_space,
    .alive = s3v2_alive,
    .examine = s3v2_examine,
    .close = s3v2_close,
};

const struct cloud_driver cloud_s3v2_http_driver = {
    .scheme = "s3v2+http",
    .wants_credentials = true,
    .test_objects = TEST_OBJECTS,
    .open = s3v2_open,
    .create = s3v2_create,
};
const struct cloud_driver cloud_s3v2_https_driver = {
    .scheme = "s3v2+https",
    .wants_credentials = true,
    .test_objects = TEST_OBJECTS,
    .open = s3v2_open,
    .create = s3v2_create,
};

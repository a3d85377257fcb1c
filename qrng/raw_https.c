/* Services: the ANU quantum numbers interface, the Quantis appliance, and any URL that gives octets. */
#include "raw.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "anu.h"
#include "base/alloc.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/key.h"
#include "base/secret.h"
#include "net/client.h"
#include "url.h"

enum {
    ITEMS = 128,
    ITEM_WORDS = 10,
    BYTES = 4096,
    PATH_ROOM = QC_QRNG_PATH_MAX + 64,
    KEY_ROOM = QC_QRNG_API_KEY_MAX + QC_KEY_STEP
};

struct service {
    const struct qrng_source_conf *conf;
    struct qrng_raw *raw; /* has what was seen last */
    struct net_client *client;
    qc_key *key; /* a C string; NULL: none */
    char path[PATH_ROOM];
    struct qc_secret memory; /* QC_QRNG_BODY_MAX: an answer, then its bytes */
    size_t body;             /* bytes of the answer so far */
    size_t at, have;         /* bytes that were given, that there are */
};

qc_rc qrng_url_split(const char *text, struct net_url *ret, struct qrng_url *ret_path, struct qc_err *err)
{
    char base[NET_URL_SIZE_MAX + 1];
    const char *host = strstr(text, "://");
    const char *slash = host == NULL ? NULL : strchr(host + 3, '/');
    const size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
    if (n > NET_URL_SIZE_MAX)
        return QC_FAIL(err, QC_USAGE, "the host's name is too long");
    memcpy(base, text, n);
    base[n] = '\0';
    QC_TRY(net_url_parse(base, ret, err));
    ret_path->path = slash == NULL ? "" : slash;
    return QC_OK;
}

static qc_rc on_body(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct service *s = ctx;
    if (bytes.n > QC_QRNG_BODY_MAX - s->body)
        return QC_FAIL(err, QC_LIMIT, "its answer has more than %d bytes", QC_QRNG_BODY_MAX);
    memcpy((uint8_t *)s->memory.p + s->body, bytes.p, bytes.n);
    s->body += bytes.n;
    return QC_OK;
}

static bool is_html(const char *type)
{
    return type != NULL && strncasecmp(type, "text/", 5) == 0;
}

/* An answer of status 200 into memory. */
static qc_rc fetch(struct service *s, const struct qc_cancel *cancel, struct qc_err *err)
{
    static const char *const keep[] = { "Content-Type" };
    QC_CLEANUP(qc_buf_free) qc_buf other = { .max = QC_QRNG_BODY_MAX };
    struct net_header header = { .name = "x-api-key" };
    struct net_response r = { .body = other };
    const struct net_request rq = { .method = "GET",
                                    .path = s->path,
                                    .headers = &header,
                                    .header_count = s->key != NULL,
                                    .keep = keep,
                                    .keep_count = 1,
                                    .write = on_body,
                                    .write_ctx = s,
                                    .deadline = qc_deadline_in(QC_QRNG_DRAW_MS),
                                    .stall_ms = s->conf->stall_ms,
                                    .cancel = cancel };
    s->body = s->at = s->have = 0;
    header.value =
        s->key != NULL ? (const char *)qc_key_open(s->key).p : NULL; /* for this call: borrowed by rq */
    const qc_rc rc = net_request(s->client, &rq, &r, err);
    other = r.body; /* freed with the answer of another status in it */
    QC_TRY(rc);
    if (r.status >= 300 && r.status < 400)
        return QC_FAIL(err, QC_RANDOM, "it answers with a redirect (%d), which is never followed", r.status);
    if (r.status != 200)
        return QC_FAIL(err, QC_RANDOM, "it answers with status %d", r.status);
    if (is_html(r.kept[0]))
        return QC_FAIL(err, QC_RANDOM, "it answers with text, as a page about an error");
    return QC_OK;
}

/* The same answer again is a cache's. */
static qc_rc check_new(struct service *s, struct qc_err *err)
{
    uint8_t digest[QC_SHA256_BYTES];
    const qc_span body = qc_span_of(s->memory.p, s->body);
    QC_TRY(qc_sha256(&body, 1, digest, err));
    if (s->raw->has_seen && qc_ct_eq(digest, s->raw->seen, sizeof digest))
        return QC_FAIL(err, QC_RANDOM, "it gave the same answer as before");
    memcpy(s->raw->seen, digest, sizeof digest);
    s->raw->has_seen = true;
    return QC_OK;
}

static qc_rc take_answer(struct service *s, const struct qc_cancel *cancel, struct qc_err *err)
{
    QC_TRY(fetch(s, cancel, err));
    QC_TRY(check_new(s, err));
    if (s->conf->kind == QRNG_KIND_ANU)
        return qrng_anu_take(s->memory.p, s->body, ITEMS, &s->have, err);
    if (s->conf->kind == QRNG_KIND_QUANTIS && s->body != BYTES)
        return QC_FAIL(err, QC_RANDOM, "it gave %zu bytes, and %d were asked for", s->body, BYTES);
    if (s->body == 0)
        return QC_FAIL(err, QC_RANDOM, "its answer is empty");
    s->have = s->body;
    return QC_OK;
}

static qc_rc next_answer(struct service *s, const struct qc_cancel *cancel, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const qc_rc rc = take_answer(s, cancel, &why);
    if (rc == QC_OK)
        return QC_OK;
    qc_wipe(s->memory.p, s->memory.n);
    s->at = s->have = 0;
    if (rc == QC_NOMEM || rc == QC_CANCELLED)
        return QC_FAIL(err, rc, "%s", why.msg);
    return QC_FAIL(err, QC_RANDOM, "%s: %s", s->conf->url, why.msg);
}

static qc_rc service_read(void *ctx, uint8_t *p, size_t n, const struct qc_cancel *cancel, struct qc_err *err)
{
    struct service *s = ctx;
    while (n > 0) {
        if (s->at == s->have)
            QC_TRY(next_answer(s, cancel, err));
        uint8_t *from = (uint8_t *)s->memory.p + s->at;
        const size_t take = n < s->have - s->at ? n : s->have - s->at;
        memcpy(p, from, take);
        qc_wipe(from, take);
        s->at += take;
        p += take;
        n -= take;
    }
    return QC_OK;
}

static void service_close(void *ctx)
{
    struct service *s = ctx;
    net_client_free(&s->client);
    qc_key_free(&s->key);
    qc_secret_free(&s->memory);
    qc_free(s);
}

static const struct qrng_raw_ops service_ops = { .read = service_read, .close = service_close };

/* The first line of a private file, as a C string in a key. */
static qc_rc load_key(struct service *s, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    size_t n = 0, got = 0;
    if (s->conf->key_file[0] == '\0')
        return QC_OK;
    QC_TRY(qc_open_at(&fd, AT_FDCWD, s->conf->key_file, O_RDONLY | O_NOFOLLOW, 0, err));
    QC_TRY_AS(qc_file_private(qc_fd_get(&fd), err), err, "%s", s->conf->key_file);
    QC_TRY(qc_key_blank(&key, KEY_ROOM, err));
    QC_TRY(qc_read_full(qc_fd_get(&fd), qc_key_write(key), QC_QRNG_API_KEY_MAX + 1, &got, err));
    while (n < got && qc_key_write(key)[n] > 0x20 && qc_key_write(key)[n] < 0x7f)
        n++;
    if (n == 0 || got > QC_QRNG_API_KEY_MAX || (n < got && qc_key_write(key)[n] != '\n'))
        return QC_FAIL(err, QC_RANDOM, "%s is not one line of 1 to %d visible bytes", s->conf->key_file,
                       QC_QRNG_API_KEY_MAX);
    qc_wipe(qc_key_write(key) + n, KEY_ROOM - n);
    qc_key_seal(key);
    s->key = QC_STEAL(key);
    return QC_OK;
}

static qc_rc attach(struct service *s, struct qc_err *err)
{
    struct net_url url;
    struct qrng_url parts;
    int n = 0;
    QC_TRY(qrng_url_split(s->conf->url, &url, &parts, err));
    const char *path = parts.path[0] == '\0' ? "/" : parts.path;
    if (s->conf->kind == QRNG_KIND_ANU)
        n = snprintf(s->path, sizeof s->path, "%s?length=%d&type=hex16&size=%d", path, ITEMS, ITEM_WORDS);
    else if (s->conf->kind == QRNG_KIND_QUANTIS)
        n = snprintf(s->path, sizeof s->path, "%s%sapi/2.0/streambytes?size=%d", path,
                     path[strlen(path) - 1] == '/' ? "" : "/", BYTES);
    else
        n = snprintf(s->path, sizeof s->path, "%s", path);
    QC_ASSERT(n > 0 && (size_t)n < sizeof s->path);
    QC_TRY(load_key(s, err));
    QC_TRY(qc_secret_new(&s->memory, QC_QRNG_BODY_MAX, err));
    return net_client_new_url(&s->client, &url, s->conf->ca[0] == '\0' ? NULL : s->conf->ca, err);
}

qc_rc qrng_https_open(struct qrng_raw *ret, const struct qrng_source_conf *conf, struct qc_err *err)
{
    struct qc_err why = { 0 };
    struct service *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a source");
    s->conf = conf;
    s->raw = ret;
    const qc_rc rc = attach(s, &why);
    if (rc != QC_OK) {
        service_close(s);
        if (rc == QC_NOMEM)
            return QC_FAIL(err, QC_NOMEM, "%s", why.msg);
        return QC_FAIL(err, QC_RANDOM, "%s: %s", conf->url, why.msg);
    }
    ret->ops = &service_ops;
    ret->ctx = s;
    return QC_OK;
}

/* A cloud at a liar's (qc_liar.h), and tables of what it says and what shall come of it. For tests of the S3
 * driver. Nothing here can tell a right signature from a wrong one. */
#pragma once
#include "cloud/cloud.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/time.h"
#include "qc_check.h"
#include "qc_expect.h"
#include "qc_liar.h"
#include "qc_tmpdir.h"

#include <fcntl.h>
#include <stdarg.h>

/* A reply that is its text alone keeps the connection: the zero that is left out. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define SECRET "canary/secret+of+the+test"

static struct qc_tmpdir tmp;
static char credentials[300];
static struct liar liar;
static const struct cloud_op forever = { .deadline = { 0 } };

/* --- Texts; all of a test live until its end --- */

enum { TEXTS = 256 };
static char *texts[TEXTS];
static size_t text_count;

static inline const char *keep(char *text)
{
    CHECK(text != NULL && text_count < TEXTS);
    texts[text_count++] = text;
    return text;
}

static inline void texts_free(void)
{
    while (text_count > 0)
        free(texts[--text_count]);
}

__attribute__((format(printf, 1, 2))) static inline const char *say(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    CHECK(vasprintf(&text, fmt, args) >= 0);
    va_end(args);
    return keep(text);
}

/* An answer whose length is right. */
static inline const char *http(const char *status, const char *headers, const char *body)
{
    return say("HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers, strlen(body), body);
}

static inline const char *error(const char *status, const char *headers, const char *code)
{
    return http(status, headers,
                say("<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>a \n bell</Message>"
                    "<RequestId>tx17</RequestId></Error>",
                    code));
}

#define LIST_HEAD                                                                                            \
    "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
#define LIST_END  "</ListBucketResult>"
#define ITEM(key) "<Contents><Key>" key "</Key><Size>5</Size></Contents>"

static inline const char *list(const char *inside)
{
    return http("200 OK", "", say("%s%s%s", LIST_HEAD, inside, LIST_END));
}

/* A date header: now and some seconds. */
static inline const char *date(int64_t off)
{
    char text[64];
    const time_t t = (time_t)(qc_wall_s() + off);
    struct tm tm;
    CHECK(gmtime_r(&t, &tm) != NULL);
    CHECK(strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm) > 0);
    return say("%s", text);
}

/* --- A cloud at the liar's --- */

static inline const char *url(void)
{
    return say("s3+http://127.0.0.1:%u/bucket?region=somewhere", liar.port);
}

static inline struct cloud *opened(void)
{
    const struct liar_reply ok[] = { { list("<IsTruncated>false</IsTruncated>"), LIAR_KEEP } };
    const struct cloud_opts opts = { .name = "liar", .credentials = credentials };
    struct cloud *c = NULL;
    liar_script(&liar, ok, 1);
    OK(cloud_open_opts(&c, url(), &opts, &err));
    return c;
}

enum op { GET, GET_FROM_5, HEAD, PUT, PUT_NEW, DELETE, LIST, ALIVE, OPEN };

static inline qc_rc see(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    (void)err;
    CHECK(cloud_key_ok(item->key));
    ++*(unsigned *)ctx;
    return QC_OK;
}

static inline qc_rc run(struct cloud *c, enum op op, const struct cloud_op *limits, struct qc_err *err)
{
    const struct cloud_opts opts = { .name = "liar", .credentials = credentials, .op = *limits };
    const qc_span ten = QC_LIT("0123456789");
    struct cloud_page page;
    uint8_t dst[16];
    uint64_t size = 0;
    size_t got = 0;
    unsigned seen = 0;
    qc_rc rc = QC_OK;

    switch (op) {
    case GET:
        rc = cloud_get(c, "k/x", (struct cloud_range){ 0, 10 }, dst, &got, limits, err);
        CHECK(rc != QC_OK || (got <= 10 && memcmp(dst, "0123456789", got) == 0));
        return rc;
    case GET_FROM_5:
        rc = cloud_get(c, "k/x", (struct cloud_range){ 5, 10 }, dst, &got, limits, err);
        CHECK(rc != QC_OK || (got <= 5 && memcmp(dst, "56789", got) == 0));
        return rc;
    case HEAD:
        rc = cloud_head(c, "k/x", &size, limits, err);
        CHECK(rc != QC_OK || size == 10);
        return rc;
    case PUT:
        return cloud_put(c, "k/x", &ten, 1, CLOUD_REPLACE, limits, err);
    case PUT_NEW:
        return cloud_put(c, "k/x", &ten, 1, CLOUD_NEW, limits, err);
    case DELETE:
        return cloud_delete(c, "k/x", limits, err);
    case LIST:
        return cloud_list(c, &(struct cloud_list_query){ "k", "", 100 }, see, &seen, &page, limits, err);
    case ALIVE:
        return cloud_alive(c, limits, err);
    case OPEN:
        return cloud_create_opts(url(), &opts, err);
    }
    abort();
}

enum { REPLIES = 5 };

struct row {
    const char *name;
    enum op op;
    struct liar_reply replies[REPLIES];
    qc_rc rc;
    const char *words; /* in the message */
    unsigned requests; /* that came; 0: not looked at */
};

static inline void check(const struct row *row)
{
    struct qc_err err = { 0 };
    struct cloud *c = opened();
    size_t count = 0;
    while (count < REPLIES && row->replies[count].text != NULL)
        count++;
    liar_script(&liar, row->replies, count);
    const qc_rc rc = run(c, row->op, &forever, &err);
    const unsigned requests = liar_requests(&liar);
    const bool good = rc == row->rc && (rc == QC_OK || strstr(err.msg, row->words) != NULL) &&
                      (row->requests == 0 || requests == row->requests) &&
                      strpbrk(err.msg, "\a\r\n") == NULL && strstr(err.msg, SECRET) == NULL;
    if (!good)
        fprintf(stderr, "%s: %s after %u requests: %s\n", row->name, qc_rc_name(rc), requests, err.msg);
    CHECK(good);
    cloud_close(&c);
}

#define ALL(rows)                                                                                            \
    for (size_t i_ = 0; i_ < sizeof(rows) / sizeof(rows)[0]; i_++)                                           \
        check(&(rows)[i_]);                                                                                  \
    texts_free()

#define TEN_OK           http("206 Partial Content", "Content-Range: bytes 0-9/10\r\n", "0123456789")
#define PUT_OK           http("200 OK", "ETag: \"@MD5@\"\r\n", "")
#define LIST_OK          list("<IsTruncated>false</IsTruncated>")
#define GONE             error("404 Not Found", "", "NoSuchKey")

#define CUT(range, body) http("206 Partial Content", "Content-Range: bytes " range "\r\n", body)

static inline void rig_start(void)
{
    tmp = qc_tmpdir_new();
    snprintf(credentials, sizeof credentials, "%s/keys", tmp.path);
    const int fd = open(credentials, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(dprintf(fd, "[default]\naws_access_key_id = ID\naws_secret_access_key = %s\n", SECRET) > 0);
    close(fd);
    liar_start(&liar);
}

static inline void rig_stop(void)
{
    liar_stop(&liar);
    texts_free();
    qc_tmpdir_remove(&tmp);
    CHECK(qc_alloc_live() == 0);
}

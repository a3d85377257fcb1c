/* kat/cloud_s3_curl: our signer and libcurl's (CURLOPT_AWS_SIGV4) give the same signature for the same
 * request.
 *
 * libcurl sends real requests, with keys of random bytes, to a server that only writes down what came
 * (qc_liar.h); we sign the same with the date that libcurl chose. */
#include "s3_sign.h"

#include "qc_check.h"
#include "qc_liar.h"
#include "qc_seed.h"

#include <curl/curl.h>

enum { ROUNDS = 60, KEY = 40 };

static struct liar liar;

struct request {
    const char *method;
    char access[32], secret[64], region[32];
    char uri[4 * KEY + 16], query[4 * KEY + 64], hash[80];
    bool range;
};

static void random_text(struct qc_rand *rand, const char *set, char *ret, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = set[qc_rand_below(rand, strlen(set))];
    ret[n] = '\0';
}

/* Any bytes but NUL; in a path no "." or ".." between slashes, which libcurl would sign but RFC 3986 forbids.
 */
static void random_key(struct qc_rand *rand, char ret[KEY + 1])
{
    const size_t n = 1 + (size_t)qc_rand_below(rand, KEY - 1);
    for (size_t i = 0; i < n; i++)
        ret[i] = (char)(1 + qc_rand_below(rand, 255));
    ret[n] = '\0';
}

static void encoded(const char *text, bool slashes, char *ret, size_t size)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = size - 1 };
    const char *s = NULL;
    CHECK_OK(s3_encode(&b, text, slashes, &err));
    CHECK_OK(qc_buf_cstr(&b, &s, &err));
    memcpy(ret, s, strlen(s) + 1);
}

static void request_make(struct qc_rand *rand, struct request *r)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char *const methods[] = { "GET", "PUT", "DELETE" };
    char key[KEY + 1];
    char text[4 * KEY];
    memset(r, 0, sizeof *r);
    r->method = methods[qc_rand_below(rand, 3)];
    random_text(rand, letters, r->access, 4 + (size_t)qc_rand_below(rand, 20));
    random_text(rand, "abcXYZ0189/+=", r->secret, 1 + (size_t)qc_rand_below(rand, 60));
    random_text(rand, "abcdef-019", r->region, 1 + (size_t)qc_rand_below(rand, 20));
    random_key(rand, key);
    encoded(key, true, text, sizeof text);
    snprintf(r->uri, sizeof r->uri, "/bucket/k%s", text);
    if (qc_rand_below(rand, 2) == 0) {
        random_key(rand, key);
        encoded(key, false, text, sizeof text);
        snprintf(r->query, sizeof r->query, "list-type=2&prefix=%s&start-after=", text);
    }
    if (qc_rand_below(rand, 2) == 0)
        snprintf(r->hash, sizeof r->hash, "UNSIGNED-PAYLOAD");
    else
        random_text(rand, "0123456789abcdef", r->hash, 64);
    r->range = qc_rand_below(rand, 2) == 0;
}

static size_t nothing(char *bytes, size_t size, size_t count, void *ctx)
{
    (void)bytes, (void)ctx;
    return size * count;
}

/* libcurl's opinion; what it sent is liar.heads[0]. */
static void send_by_curl(const struct request *r)
{
    static const struct liar_reply ok[] = { { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", LIAR_KEEP } };
    char url[2 * sizeof r->uri + sizeof r->query];
    char how[64];
    char hash[128];
    CURL *easy = curl_easy_init();
    CHECK(easy != NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s%s%s", liar.port, r->uri, r->query[0] != '\0' ? "?" : "",
             r->query);
    snprintf(how, sizeof how, "aws:amz:%s:s3", r->region);
    snprintf(hash, sizeof hash, "x-amz-content-sha256: %s", r->hash);
    struct curl_slist *headers = curl_slist_append(NULL, hash);
    if (r->range)
        headers = curl_slist_append(headers, "range: bytes=0-9");
    liar_script(&liar, ok, 1);
    CHECK(curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK);
    CHECK(curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK);
    CHECK(curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, how) == CURLE_OK);
    CHECK(curl_easy_setopt(easy, CURLOPT_USERNAME, r->access) == CURLE_OK);
    CHECK(curl_easy_setopt(easy, CURLOPT_PASSWORD, r->secret) == CURLE_OK);
    CHECK(curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK);
    CHECK(curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK);
    CHECK(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, nothing) == CURLE_OK);
    CHECK(curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK);
    CHECK(curl_easy_perform(easy) == CURLE_OK);
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    CHECK(liar_requests(&liar) == 1);
}

/* The value of a header of what was sent, alone. */
static void value(const char *name, char *ret, size_t size)
{
    const char *v = liar_value(liar.heads[0], name);
    CHECK(v != NULL && strchr(v, '\r') != NULL);
    snprintf(ret, size, "%.*s", (int)(strchr(v, '\r') - v), v);
}

static void sign_it(const struct request *r, const char *date, const char *host,
                    char ret[S3_AUTHORIZATION_SIZE])
{
    struct qc_err err = { 0 };
    struct s3_signer s;
    struct cloud_credentials keys = { .secret_size = strlen(r->secret) };
    uint8_t raw[64];
    struct s3_header headers[4] = { { "host", host } };
    size_t n = 1;
    memcpy(raw, r->secret, sizeof raw);
    memcpy(keys.access, r->access, strlen(r->access));
    CHECK_OK(qc_key_from(&keys.secret, raw, sizeof raw, &err));
    s3_signer_init(&s, &keys, r->region, "s3");
    if (r->range)
        headers[n++] = (struct s3_header){ "range", "bytes=0-9" };
    headers[n++] = (struct s3_header){ "x-amz-content-sha256", r->hash };
    headers[n++] = (struct s3_header){ "x-amz-date", date };
    const struct s3_sign_job job = { .method = r->method,
                                     .uri = r->uri,
                                     .query = r->query,
                                     .headers = headers,
                                     .count = n,
                                     .payload = r->hash,
                                     .date = date };
    CHECK_OK(s3_sign(&s, &job, ret, &err));
    s3_signer_done(&s);
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    char date[64];
    char host[64];
    char theirs[S3_AUTHORIZATION_SIZE];
    char ours[S3_AUTHORIZATION_SIZE];
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    liar_start(&liar);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct request r;
        request_make(&rand, &r);
        send_by_curl(&r);
        value("x-amz-date", date, sizeof date);
        value("host", host, sizeof host);
        value("authorization", theirs, sizeof theirs);
        sign_it(&r, date, host, ours);
        if (strcmp(ours, theirs) != 0)
            fprintf(stderr, "%s %s?%s\n  ours   %s\n  theirs %s\n", r.method, r.uri, r.query, ours, theirs);
        CHECK(strcmp(ours, theirs) == 0);
    }
    liar_stop(&liar);
    curl_global_cleanup();
    return 0;
}

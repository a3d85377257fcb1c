/* kat/cloud_s3_sign: the signer gives the published signatures.
 *
 * Sources: the "AWS Signature Version 4 test suite" of the AWS General Reference (names as there), and the
 * examples of "Authenticating Requests: Using the Authorization Header" of the Amazon S3 API Reference. Where
 * that suite tests how a client tidies up a request first (folded headers, "." in paths), we have nothing to
 * test: what is signed here is the request as it is sent. */
#include "s3_sign.h"

#include "base/codec.h"
#include "base/crypto.h"
#include "qc_check.h"

#include <stdio.h>
#include <string.h>

#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct account {
    const char *access, *secret, *date, *region, *service;
};

static const struct account suite = { "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                      "20150830T123600Z", "us-east-1", "service" };
static const struct account book = { "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                     "20130524T000000Z", "us-east-1", "s3" };

#define HOST                                                                                                 \
    {                                                                                                        \
        "host", "example.amazonaws.com"                                                                      \
    }
#define WHEN                                                                                                 \
    {                                                                                                        \
        "x-amz-date", "20150830T123600Z"                                                                     \
    }
#define BOOK_HOST                                                                                            \
    {                                                                                                        \
        "host", "examplebucket.s3.amazonaws.com"                                                             \
    }
#define BOOK_WHEN                                                                                            \
    {                                                                                                        \
        "x-amz-date", "20130524T000000Z"                                                                     \
    }

static const struct vector {
    const char *name;
    const struct account *as;
    const char *method, *uri, *query;
    struct s3_header headers[6];
    const char *payload, *signature;
} vectors[] = {
    { "get-vanilla",
      &suite,
      "GET",
      "/",
      "",
      { HOST, WHEN },
      NOTHING,
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-vanilla-empty-query-key",
      &suite,
      "GET",
      "/",
      "Param1=value1",
      { HOST, WHEN },
      NOTHING,
      "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb" },
    { "get-vanilla-query-order-key-case",
      &suite,
      "GET",
      "/",
      "Param1=value1&Param2=value2",
      { HOST, WHEN },
      NOTHING,
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
    { "get-vanilla-query-unreserved",
      &suite,
      "GET",
      "/",
      "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz="
      "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
      { HOST, WHEN },
      NOTHING,
      "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
    { "get-vanilla-utf8-query",
      &suite,
      "GET",
      "/",
      "%E1%88%B4=bar",
      { HOST, WHEN },
      NOTHING,
      "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
    { "get-utf8",
      &suite,
      "GET",
      "/%E1%88%B4",
      "",
      { HOST, WHEN },
      NOTHING,
      "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
    { "get-unreserved",
      &suite,
      "GET",
      "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
      "",
      { HOST, WHEN },
      NOTHING,
      "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
    { "get-header-key-duplicate",
      &suite,
      "GET",
      "/",
      "",
      { HOST, { "my-header1", "value2,value2,value1" }, WHEN },
      NOTHING,
      "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
    { "get-header-value-order",
      &suite,
      "GET",
      "/",
      "",
      { HOST, { "my-header1", "value4,value1,value3,value2" }, WHEN },
      NOTHING,
      "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01" },
    { "get-header-value-trim",
      &suite,
      "GET",
      "/",
      "",
      { HOST, { "my-header1", "value1" }, { "my-header2", "\"a b c\"" }, WHEN },
      NOTHING,
      "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
    { "post-vanilla",
      &suite,
      "POST",
      "/",
      "",
      { HOST, WHEN },
      NOTHING,
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
    { "post-header-key-sort",
      &suite,
      "POST",
      "/",
      "",
      { HOST, { "my-header1", "value1" }, WHEN },
      NOTHING,
      "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" },
    { "post-x-www-form-urlencoded",
      &suite,
      "POST",
      "/",
      "",
      { { "content-type", "application/x-www-form-urlencoded" }, HOST, WHEN },
      "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" },
    { "S3: GET Object",
      &book,
      "GET",
      "/test.txt",
      "",
      { BOOK_HOST, { "range", "bytes=0-9" }, { "x-amz-content-sha256", NOTHING }, BOOK_WHEN },
      NOTHING,
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
    { "S3: PUT Object",
      &book,
      "PUT",
      "/test%24file.text",
      "",
      { { "date", "Fri, 24 May 2013 00:00:00 GMT" },
        BOOK_HOST,
        { "x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072" },
        BOOK_WHEN,
        { "x-amz-storage-class", "REDUCED_REDUNDANCY" } },
      "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
    { "S3: GET Bucket Lifecycle",
      &book,
      "GET",
      "/",
      "lifecycle=",
      { BOOK_HOST, { "x-amz-content-sha256", NOTHING }, BOOK_WHEN },
      NOTHING,
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
    { "S3: List Objects",
      &book,
      "GET",
      "/",
      "max-keys=2&prefix=J",
      { BOOK_HOST, { "x-amz-content-sha256", NOTHING }, BOOK_WHEN },
      NOTHING,
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
};
enum { COUNT = sizeof vectors / sizeof vectors[0] };

static void signer_for(const struct account *as, struct s3_signer *ret)
{
    struct qc_err err = { 0 };
    struct cloud_credentials keys = { .secret_size = strlen(as->secret) };
    uint8_t raw[64] = { 0 };
    CHECK(keys.secret_size <= sizeof raw);
    memcpy(raw, as->secret, keys.secret_size);
    memcpy(keys.access, as->access, strlen(as->access));
    CHECK_OK(qc_key_from(&keys.secret, raw, sizeof raw, &err));
    s3_signer_init(ret, &keys, as->region, as->service);
    CHECK(keys.secret == NULL);
}

static void check(struct s3_signer *s, const struct vector *v)
{
    struct qc_err err = { 0 };
    char got[S3_AUTHORIZATION_SIZE];
    char names[256] = "";
    char want[600];
    struct s3_sign_job job = { .method = v->method,
                               .uri = v->uri,
                               .query = v->query,
                               .headers = v->headers,
                               .payload = v->payload,
                               .date = v->as->date };
    for (; job.count < 6 && v->headers[job.count].name != NULL; job.count++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", job.count > 0 ? ";" : "",
                 v->headers[job.count].name);
    CHECK_OK(s3_sign(s, &job, got, &err));
    snprintf(want, sizeof want,
             "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
             v->as->access, v->as->date, v->as->region, v->as->service, names, v->signature);
    if (strcmp(got, want) != 0)
        fprintf(stderr, "%s\n  got  %s\n  want %s\n", v->name, got, want);
    CHECK(strcmp(got, want) == 0);
}

/* A signer goes from day to day and back; what it kept of another day is of no harm. */
static void days(struct s3_signer *s)
{
    static const char *const dates[] = { "20150831T000000Z", "20150830T123600Z", "20240229T235959Z" };
    struct qc_err err = { 0 };
    char got[S3_AUTHORIZATION_SIZE];
    char first[S3_AUTHORIZATION_SIZE] = "";
    for (size_t i = 0; i < 3; i++) {
        const struct s3_header headers[] = { HOST, { "x-amz-date", dates[i] } };
        struct s3_sign_job job = { .method = "GET",
                                   .uri = "/",
                                   .query = "",
                                   .headers = headers,
                                   .count = 2,
                                   .payload = NOTHING,
                                   .date = dates[i] };
        CHECK_OK(s3_sign(s, &job, got, &err));
        CHECK(strcmp(got, first) != 0);
        memcpy(first, got, sizeof first);
        check(s, &vectors[0]);
    }
}

/* Every way to name a request otherwise gives another signature. */
static void all_is_signed(struct s3_signer *s)
{
    struct qc_err err = { 0 };
    const struct s3_header plain[] = { HOST, { "range", "bytes=0-9" }, WHEN };
    const struct s3_header other[] = { HOST, { "range", "bytes=0-8" }, WHEN };
    const struct s3_sign_job base = { .method = "GET",
                                      .uri = "/a/b",
                                      .query = "x=1",
                                      .headers = plain,
                                      .count = 3,
                                      .payload = NOTHING,
                                      .date = "20150830T123600Z" };
    struct s3_sign_job jobs[6] = { base, base, base, base, base, base };
    char got[6][S3_AUTHORIZATION_SIZE];
    jobs[1].method = "PUT";
    jobs[2].uri = "/a/c";
    jobs[3].query = "x=2";
    jobs[4].headers = other;
    jobs[5].payload = "UNSIGNED-PAYLOAD";
    for (size_t i = 0; i < 6; i++) {
        CHECK_OK(s3_sign(s, &jobs[i], got[i], &err));
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(got[i], got[k]) != 0);
    }
}

static void encoding(void)
{
    static const struct {
        const char *in, *path, *query;
    } rows[] = {
        { "a/b-c.d_e~f", "a/b-c.d_e~f", "a%2Fb-c.d_e~f" },
        { " +=&:*'();,@$!%", "%20%2B%3D%26%3A%2A%27%28%29%3B%2C%40%24%21%25",
          "%20%2B%3D%26%3A%2A%27%28%29%3B%2C%40%24%21%25" },
        { "\xc3\xa4\x7f\x01\xff", "%C3%A4%7F%01%FF", "%C3%A4%7F%01%FF" },
        { "", "", "" },
    };
    struct qc_err err = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf path = { .max = 256 };
        QC_CLEANUP(qc_buf_free) qc_buf query = { .max = 256 };
        CHECK_OK(s3_encode(&path, rows[i].in, true, &err));
        CHECK_OK(s3_encode(&query, rows[i].in, false, &err));
        CHECK(qc_span_eq(qc_buf_span(&path), qc_span_str(rows[i].path)));
        CHECK(qc_span_eq(qc_buf_span(&query), qc_span_str(rows[i].query)));
    }
    qc_buf small = { .max = 5 };
    CHECK_RC(s3_encode(&small, "a+b", true, &err), QC_OK);
    CHECK_RC(s3_encode(&small, "c", true, &err), QC_LIMIT);
    qc_buf_free(&small);
    char date[S3_DATE_SIZE];
    s3_date(1440938160, date);
    CHECK(strcmp(date, "20150830T123600Z") == 0);
}

int main(void)
{
    struct s3_signer of_suite;
    struct s3_signer of_book;
    signer_for(&suite, &of_suite);
    signer_for(&book, &of_book);
    for (size_t i = 0; i < COUNT; i++)
        check(vectors[i].as == &suite ? &of_suite : &of_book, &vectors[i]);
    days(&of_suite);
    all_is_signed(&of_suite);
    encoding();
    s3_signer_done(&of_suite);
    s3_signer_done(&of_book);
    return 0;
}

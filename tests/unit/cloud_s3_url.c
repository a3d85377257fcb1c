/* unit/cloud_s3_url: where an S3 bucket is: every part of the URL, taken and refused. */
#include "s3_url.h"

#include "cloud/cloud.h"
#include "qc_check.h"
#include "qc_expect.h"

#include <stdio.h>
#include <string.h>

static qc_rc parse(const char *text, struct s3_url *ret, struct qc_err *err)
{
    struct cloud_url u;
    QC_TRY(cloud_url_parse(text, &u, err));
    return s3_url_parse(&u, NULL, 0, ret, err);
}

/* Refused, with these words in the message, and ret left alone. */
static void refused(const char *text, const char *words)
{
    struct s3_url u = { .host = "untouched", .port = 77 };
    struct qc_err err = { 0 };
    qc_rc rc = parse(text, &u, &err);
    if (rc != QC_USAGE || strstr(err.msg, words) == NULL)
        fprintf(stderr, "%s: %s\n", text, err.msg);
    CHECK(rc == QC_USAGE && strstr(err.msg, words) != NULL);
    CHECK(strcmp(u.host, "untouched") == 0 && u.port == 77 && u.bucket[0] == '\0');
}

static struct s3_url taken(const char *text)
{
    struct s3_url u;
    OK(parse(text, &u, &err));
    return u;
}

static void parts(void)
{
    struct s3_url u = taken("s3+https://S3.Example.org:8443/my-bucket?region=eu-west-3&ca=/etc/ca%20x.pem");
    CHECK(u.tls && !u.loopback && !u.virtual_host && u.port == 8443);
    CHECK(strcmp(u.host, "s3.example.org") == 0 && strcmp(u.bucket, "my-bucket") == 0);
    CHECK(strcmp(u.region, "eu-west-3") == 0 && strcmp(u.ca, "/etc/ca x.pem") == 0);
    u = taken("s3+https://[2001:db8::1]/abc/");
    CHECK(strcmp(u.host, "[2001:db8::1]") == 0 && u.port == 0 && strcmp(u.bucket, "abc") == 0);
    CHECK(strcmp(u.region, "us-east-1") == 0 && u.ca[0] == '\0');
    u = taken("s3+http://127.0.0.1:7480/abc?region=r-1");
    CHECK(!u.tls && u.loopback && u.port == 7480);
    u = taken("s3v2+https://h/abc");
    CHECK(u.tls);
}

/* Plain HTTP stays on this machine unless the operator says otherwise. */
static void plain(void)
{
    static const char *const here[] = { "127.0.0.1",   "127.9.8.7",         "[::1]",    "localhost",
                                        "c.localhost", "[0:0:0:0:0:0:0:1]", "LOCALHOST" };
    static const char *const away[] = { "10.0.0.1",
                                        "128.0.0.1",
                                        "[::2]",
                                        "localhost.example.org",
                                        "127.example.org",
                                        "local",
                                        "evil-localhost",
                                        "127.0.0.1.evil.org",
                                        "127.0.0.1.5",
                                        "127.1",
                                        "[::ffff:127.0.0.1]" };
    char text[200];
    for (size_t i = 0; i < sizeof here / sizeof here[0]; i++) {
        snprintf(text, sizeof text, "s3+http://%s/abc", here[i]);
        CHECK(taken(text).loopback);
    }
    for (size_t i = 0; i < sizeof away / sizeof away[0]; i++) {
        snprintf(text, sizeof text, "s3+http://%s/abc", away[i]);
        refused(text, "not this machine");
        snprintf(text, sizeof text, "s3+http://%s/abc?plain=yes", away[i]);
        CHECK(!taken(text).loopback && !taken(text).tls);
    }
    refused("s3+http://h/abc?plain=no", "expected plain=yes");
    refused("s3+https://h/abc?plain=yes", "for http alone");
    refused("s3+http://127.0.0.1/abc?ca=/x", "no certificates");
}

static void styles(void)
{
    CHECK(taken("s3+https://s3.eu-west-1.amazonaws.com/abc").virtual_host);
    CHECK(!taken("s3+https://s3.eu-west-1.amazonaws.com/a.bc")
               .virtual_host); /* no certificate for a.bc.s3... */
    CHECK(!taken("s3+https://s3.eu-west-1.amazonaws.com/abc?style=path").virtual_host);
    CHECK(!taken("s3+https://notamazonaws.com/abc").virtual_host);
    CHECK(taken("s3+https://h.example.org/abc?style=virtual").virtual_host);
    refused("s3+https://h/abc?style=virtul", "expected path or virtual");
    refused("s3+https://10.0.0.1/abc?style=virtual", "needs a host with a name");
    refused("s3+https://[::1]/abc?style=virtual", "needs a host with a name");
}

static void refusals(void)
{
    static const struct {
        const char *url, *words;
    } bad[] = {
        { "s3+https:///abc", "is no host" },
        { "s3+https://h:/abc", "is no port" },
        { "s3+https://h:0/abc", "is no port" },
        { "s3+https://h:65536/abc", "is no port" },
        { "s3+https://h:8k/abc", "is no port" },
        { "s3+https://h:99999999999999999999/abc", "is no port" },
        { "s3+https://h:1:2/abc", "is no port" },
        { "s3+https://[::1/abc", "is no host" },
        { "s3+https://[]/abc", "is no host" },
        { "s3+https://[::1]x/abc", "is no host" },
        { "s3+https://h_x/abc", "is no host" },
        { "s3+https://h\r\nx/abc", "is no host" },
        { "s3+https://u:secret@h/abc", "credentials do not belong in a URL" },
        { "s3+https://h", "a bucket is missing" },
        { "s3+https://h/", "a bucket is missing" },
        { "s3+https://h/ab", "is no bucket" },
        { "s3+https://h/Abc", "is no bucket" },
        { "s3+https://h/-abc", "is no bucket" },
        { "s3+https://h/abc-", "is no bucket" },
        { "s3+https://h/a..b", "is no bucket" },
        { "s3+https://h/a_b", "is no bucket" },
        { "s3+https://h/abc/def", "one bucket follows" },
        { "s3+https://h/abc//", "one bucket follows" },
        { "s3+https://h/abc?regoin=x", "unknown option 'regoin'; did you mean 'region'?" },
        { "s3+https://h/abc?key=x", "unknown option 'key'" },
        { "s3+https://h/abc?region", "needs a value" },
        { "s3+https://h/abc?region=", "needs a value" },
        { "s3+https://h/abc?region=a&region=a", "given twice" },
        { "s3+https://h/abc?region=a%0ab", "expected letters" },
        { "s3+https://h/abc?region=a/b", "expected letters" },
        { "s3+https://h/abc?region=%00", "%00 in the query" },
        { "s3+https://h/abc?region=%4", "two hex digits" },
        { "s3+https://h/abc?ca=rel/ative.pem", "absolute path" },
        { "s3+https://h/abc#x", "'#' has no meaning" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused(bad[i].url, bad[i].words);
    (void)taken("s3+https://h/abc?"); /* an empty query is none */
    char text[600];
    snprintf(text, sizeof text, "s3+https://%0254d/abc", 1);
    refused(text, "is no host");
    snprintf(text, sizeof text, "s3+https://h/%064d", 1);
    refused(text, "is no bucket");
    snprintf(text, sizeof text, "s3+https://h/abc?region=%064d", 1);
    refused(text, "longer than 63 bytes");
    snprintf(text, sizeof text, "s3+https://%0200d.org/%063d?style=virtual", 1, 1);
    refused(text, "longer than 253 bytes");
}

/* A driver's own option stands beside the common ones. */
static void own_options(void)
{
    char own[8];
    struct cloud_url_key more = { "insecure", own, sizeof own };
    struct cloud_url u;
    struct s3_url s;
    OK(cloud_url_parse("s3v2+https://h/abc?insecure=yes&region=r", &u, &err));
    OK(s3_url_parse(&u, &more, 1, &s, &err));
    CHECK(strcmp(own, "yes") == 0 && strcmp(s.region, "r") == 0);
    FAILS(QC_USAGE, s3_url_parse(&u, NULL, 0, &s, &err));
    struct qc_err why = { 0 };
    CHECK(cloud_url_query(&u, NULL, 0, &why) == QC_USAGE && strstr(why.msg, "has no options") != NULL);
}

/* One bucket, however the way to it is written. */
static void same(void)
{
    static const struct {
        const char *a, *b;
        bool is;
    } pairs[] = {
        { "s3+https://h.example.org/abc?region=x", "s3+https://H.example.org:443/abc/", true },
        { "s3+https://h.example.org/abc", "s3+http://h.example.org/abc?plain=yes", true },
        { "s3+https://h.example.org/abc", "s3v2+https://h.example.org/abc?unverified=yes", true },
        { "s3+https://s3.eu-west-3.amazonaws.com/abc?region=eu-west-3", "s3+https://s3.amazonaws.com/abc",
          true },
        { "s3+https://h.example.org/abc", "s3+https://h.example.org/abcd", false },
        { "s3+https://h.example.org/abc", "s3+https://g.example.org/abc", false },
        { "s3+http://127.0.0.1:9000/abc", "s3+http://127.0.0.1:9001/abc", false },
        { "s3+https://xamazonaws.com/abc", "s3+https://s3.amazonaws.com/abc", false },
        { "s3+https://h.example.org/abc", "file:///abc", false },
        { "file:///abc", "file:///abc", false },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        CHECK(cloud_same_bucket(pairs[i].a, pairs[i].b) == pairs[i].is);
        CHECK(cloud_same_bucket(pairs[i].b, pairs[i].a) == pairs[i].is);
    }
}

int main(void)
{
    parts();
    plain();
    styles();
    refusals();
    own_options();
    same();
    return 0;
}

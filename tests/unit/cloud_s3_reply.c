/* unit/cloud_s3_reply: heads, errors and listings of S3 servers, right ones and others. */
#include "s3_reply.h"

#include "base/alloc.h"
#include "qc_check.h"
#include "s3_fate.h"

#include <curl/curl.h>

static struct s3_reply head(const char *line)
{
    struct s3_reply r = { .status = 0 };
    s3_reply_header(&r, qc_span_str(line));
    return r;
}

static void lengths_and_ranges(void)
{
    static const char *const no_range[] = {
        "Content-Range: bytes",
        "Content-Range: bytes ",
        "Content-Range: bytes 0-",
        "Content-Range: bytes -5/10",
        "Content-Range: bytes 9-0/10",
        "Content-Range: bytes 0-9/9",
        "Content-Range: bytes 0-9/10x",
        "Content-Range: bytes 0-9",
        "Content-Range: lines 0-9/10",
        "Content-Range: bytes 0-9/",
        "Content-Range: bytes 0 -9/10",
        "Content-Range: bytes +0-9/10",
        "Content-Range: bytes 0-18446744073709551616/*",
    };
    struct s3_reply r = head("Content-Length: 18446744073709551615\r\n");
    CHECK(r.length_known && r.length == UINT64_MAX);
    CHECK(!head("Content-Length: 18446744073709551616").length_known);
    CHECK(!head("Content-Length: -1").length_known && !head("Content-Length: 1 2").length_known);
    CHECK(!head("Content-Length:").length_known && !head("Content-Lengt: 1").length_known);
    r = head("cOnTeNt-RaNgE:  Bytes 7-9/10 \r\n");
    CHECK(r.range_known && r.first == 7 && r.last == 9 && r.total_known && r.total == 10);
    r = head("Content-Range: bytes 0-0/*");
    CHECK(r.range_known && !r.total_known);
    r = head("Content-Range: bytes */123");
    CHECK(!r.range_known && r.total_known && r.total == 123);
    for (size_t i = 0; i < sizeof no_range / sizeof no_range[0]; i++)
        CHECK(!head(no_range[i]).range_known && !head(no_range[i]).total_known);
}

static void etags(void)
{
    static const char *const not_md5[] = { "ETag: \"781e5e245d69b566979b86e28d23f2c7-3\"",
                                           "ETag: \"781e5e245d69b566979b86e28d23f2c\"",
                                           "ETag: \"781e5e245d69b566979b86e28d23f2cg\"",
                                           "ETag: \"\"",
                                           "ETag: \"",
                                           "ETag:",
                                           "ETag: W/\"781e5e245d69b566979b86e28d23f2c7\"" };
    const uint8_t want[] = { 0x78, 0x1e, 0x5e, 0x24, 0x5d, 0x69, 0xb5, 0x66,
                             0x97, 0x9b, 0x86, 0xe2, 0x8d, 0x23, 0xf2, 0xc7 };
    struct s3_reply r = head("ETag: \"781e5e245d69b566979b86e28d23f2c7\"");
    CHECK(r.etag_md5 && memcmp(r.md5, want, sizeof want) == 0);
    r = head("etag: 781E5E245D69B566979B86E28D23F2C7\r\n"); /* Swift's own has no quotation marks */
    CHECK(r.etag_md5 && memcmp(r.md5, want, sizeof want) == 0);
    for (size_t i = 0; i < sizeof not_md5 / sizeof not_md5[0]; i++)
        CHECK(!head(not_md5[i]).etag_md5);
}

static void dates(void)
{
    static const char *const no_date[] = { "Sun, 06 Nov 1994 08:49:37",      "Sun, 06 Nov 1994 08:49:37 UTC",
                                           "Sun, 6 Nov 1994 08:49:37 GMT",   "Sun, 06 nov 1994 08:49:37 GMT",
                                           "Sun, 31 Feb 1994 08:49:37 GMT",  "Sun, 06 Nov 1994 24:00:00 GMT",
                                           "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                                           "Sun, 06 Nov 0000 08:49:37 GMT",  "" };
    struct s3_reply r = head("Date: Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(r.date_known && r.date == 784111777);
    for (size_t i = 0; i < sizeof no_date / sizeof no_date[0]; i++) {
        int64_t t = 7;
        CHECK(!s3_http_date(qc_span_str(no_date[i]), &t));
    }
    CHECK(head("Retry-After: 120").retry_after_s == 120);
    CHECK(head("Retry-After: 99999999999").retry_after_s == UINT32_MAX);
    CHECK(head("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT").retry_after_s == 0);
}

static void heads(void)
{
    struct s3_reply r = { .body = { .max = 5 } };
    char id[200];
    s3_reply_header(&r, QC_LIT("HTTP/1.1 100 Continue\r\n"));
    s3_reply_header(&r, QC_LIT("Content-Length: 5\r\n"));
    CHECK(r.status == 0 && r.length == 5);
    s3_reply_header(&r, QC_LIT("HTTP/1.1 200 OK\r\n")); /* what came before does not count */
    CHECK(r.status == 200 && !r.length_known && r.body.max == 5);
    s3_reply_header(&r, QC_LIT("HTTP/2 503\r\n"));
    CHECK(r.status == 503);
    s3_reply_header(&r, QC_LIT("HTTP/1.1 999 What\r\n"));
    CHECK(r.status == 0);
    snprintf(id, sizeof id, "x-amz-request-id: %s%100d", "a\x01\xff b", 7);
    r = head(id);
    CHECK(strncmp(r.request_id, "a???b", 5) == 0 && strlen(r.request_id) == sizeof r.request_id - 1);
    s3_reply_header(&r, (qc_span){ 0 });
    s3_reply_header(&r, QC_LIT(":"));
    s3_reply_header(&r, QC_LIT("\r\n"));
}

static struct s3_reply error(const char *xml)
{
    struct s3_reply r = { .status = 400 };
    s3_reply_error(&r, qc_span_str(xml));
    return r;
}

static void errors(void)
{
    struct s3_reply r =
        error("<Error><Code>NoSuchKey</Code><Message>a\nb\xc3\xa4</Message><Region>eu</Region>"
              "<RequestId>t1</RequestId></Error>");
    CHECK(strcmp(r.code, "NoSuchKey") == 0 && strcmp(r.message, "a?b??") == 0);
    CHECK(strcmp(r.region, "eu") == 0 && strcmp(r.request_id, "t1") == 0);
    r = error("<ErrorResponse><Error><Code>X</Code></Error></ErrorResponse>");
    CHECK(strcmp(r.code, "X") == 0);
    CHECK(strcmp(error("<Error><Code>First</Code><Code>Second</Code></Error>").code, "First") == 0);
    CHECK(strcmp(error("<Error><Code>Cut</Code><Mess").code, "Cut") == 0); /* as far as it came */
    CHECK(error("<html><body><p>Code</p></body></html>").code[0] == '\0');
    CHECK(error("").code[0] == '\0' && error("\x01\x02").code[0] == '\0');
    char text[8];
    CHECK(s3_xml_find(QC_LIT("<V><Status>Enabled</Status></V>"), "Status", text, sizeof text));
    CHECK(strcmp(text, "Enabled") == 0);
    CHECK(!s3_xml_find(QC_LIT("<V/>"), "Status", text, sizeof text));
}

/* The keys of a page as "key:size ..". */
static qc_rc page(const char *xml, char text[256], struct s3_page *ret, struct qc_err *err)
{
    size_t n = 0;
    QC_TRY(s3_page_parse(qc_span_str(xml), ret, err));
    text[0] = '\0';
    for (size_t at = 0; at < ret->keys.n;) {
        const char *key = (const char *)ret->keys.p + at + 8;
        n += (size_t)snprintf(text + n, 256 - n, "%s:%llu ", key,
                              (unsigned long long)qc_get_be(ret->keys.p + at, 8));
        at += 8 + strlen(key) + 1;
    }
    return QC_OK;
}

#define LIST(inside)    "<ListBucketResult>" inside "</ListBucketResult>"
#define ITEM(key, size) "<Contents><Key>" key "</Key><Size>" size "</Size></Contents>"

static void listings(void)
{
    static const char *const bad[] = {
        "",
        "<Error><Code>X</Code></Error>",
        LIST(ITEM("k", "")),
        LIST(ITEM("k", "1.5")),
        LIST(ITEM("k", "18446744073709551616")),
        LIST(ITEM("", "1")),
        LIST("<Contents><Size>1</Size></Contents>"),
        LIST("<Contents><Key>k</Key></Contents>"),
        LIST("<EncodingType>url</EncodingType>" ITEM("a%", "1")),
        LIST("<EncodingType>url</EncodingType>" ITEM("a%4", "1")),
        LIST("<EncodingType>url</EncodingType>" ITEM("a%zz", "1")),
        LIST("<EncodingType>url</EncodingType>" ITEM("a%00", "1")),
        LIST(ITEM("k", "1")) "x",
        LIST("<a><b><c><d><e><f><g><h/></g></f></e></d></c></b></a>"),
        "<!DOCTYPE x>" LIST(""),
        LIST("&unknown;"),
    };
    struct qc_err err = { 0 };
    struct s3_page p;
    char text[256];
    CHECK_OK(page(
        LIST("<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>" ITEM(
            "a%2Fb+c", "18446744073709551615") ITEM("d", "0") "<EncodingType>url</EncodingType>"),
        text, &p, &err));
    CHECK(strcmp(text, "a/b+c:18446744073709551615 d:0 ") == 0 && p.count == 2);
    CHECK(p.truncated && !p.v1 && strcmp(p.token, "a&b") == 0);
    s3_page_done(&p);
    CHECK_OK(page(LIST("<Marker>x</Marker>" ITEM("a%2Fb", "1")), text, &p, &err));
    CHECK(strcmp(text, "a%2Fb:1 ") == 0 && p.v1 && !p.truncated); /* not said to be encoded */
    s3_page_done(&p);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_RC(page(bad[i], text, &p, &err), QC_IO);
    /* Every shorter one is none, and leaves ret alone. */
    static const char whole[] = LIST(ITEM("a", "1"));
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        p = (struct s3_page){ .count = 77 };
        CHECK_RC(s3_page_parse(qc_span_of(whole, n), &p, &err), QC_IO);
        CHECK(p.count == 77 && p.keys.p == NULL);
    }
}

/* A text that is too long, in whatever element it stands. */
static void long_texts(void)
{
    struct qc_err err = { 0 };
    struct s3_page p;
    static char xml[2 * CLOUD_S3_TEXT_MAX];
    for (size_t n = CLOUD_S3_TEXT_MAX - 1; n <= CLOUD_S3_TEXT_MAX + 1; n++) {
        const size_t at = (size_t)snprintf(xml, sizeof xml, "<ListBucketResult><Prefix>");
        memset(xml + at, 'k', n);
        snprintf(xml + at + n, sizeof xml - at - n, "</Prefix></ListBucketResult>");
        const qc_rc rc = s3_page_parse(qc_span_str(xml), &p, &err);
        CHECK(rc == (n <= CLOUD_S3_TEXT_MAX ? QC_OK : QC_IO));
        if (rc == QC_OK)
            s3_page_done(&p);
        qc_err_clear(&err);
    }
}

/* Fates of libcurl's verdicts: did it get there, and is it worth another try? */
static void verdicts(void)
{
    static const struct {
        CURLcode code;
        bool connected;
        enum s3_fate fate;
    } rows[] = {
        { CURLE_COULDNT_CONNECT, false, S3_DOWN },      { CURLE_COULDNT_RESOLVE_HOST, false, S3_DOWN },
        { CURLE_OPERATION_TIMEDOUT, false, S3_DOWN },   { CURLE_OPERATION_TIMEDOUT, true, S3_BROKEN },
        { CURLE_SSL_CONNECT_ERROR, false, S3_DOWN },    { CURLE_PARTIAL_FILE, true, S3_BROKEN },
        { CURLE_GOT_NOTHING, true, S3_BROKEN },         { CURLE_SEND_ERROR, true, S3_BROKEN },
        { CURLE_RECV_ERROR, true, S3_BROKEN },          { CURLE_PEER_FAILED_VERIFICATION, false, S3_CERT },
        { CURLE_SSL_CACERT_BADFILE, false, S3_CERT },   { CURLE_OUT_OF_MEMORY, false, S3_LOCAL },
        { CURLE_OUT_OF_MEMORY, true, S3_STRANGE },      { CURLE_UNSUPPORTED_PROTOCOL, true, S3_STRANGE },
        { CURLE_WEIRD_SERVER_REPLY, true, S3_STRANGE },
    };
    const char *says = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(s3_fate_of_curl((int)rows[i].code, rows[i].connected, &says) == rows[i].fate);
        CHECK(says != NULL && says[0] != '\0');
    }
    for (unsigned f = 0; f < S3_FATES; f++) {
        const struct s3_fate_row *row = s3_fate_row((enum s3_fate)f);
        CHECK(row->says != NULL && row->tries >= 1 && row->tries <= QC_RETRY_MAX);
        CHECK((row->rc == QC_OK) == (f == S3_DONE) && (row->open_rc == QC_OK) == (f == S3_DONE));
    }
    for (int status = 200; status <= 599; status++) {
        struct s3_reply r = { .status = status };
        const enum s3_fate fate = s3_fate_of_reply(&r, &says);
        CHECK((fate == S3_DONE) == (status < 300) && says != NULL);
        CHECK(fate != S3_LOCAL && fate != S3_MISSING); /* without a code no object is said to be missing */
    }
}

int main(void)
{
    lengths_and_ranges();
    etags();
    dates();
    heads();
    errors();
    listings();
    long_texts();
    verdicts();
    CHECK(qc_alloc_live() == 0);
    return 0;
}

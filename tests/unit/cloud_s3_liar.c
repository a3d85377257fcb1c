/* unit/cloud_s3_liar: the S3 driver against answers that no real server gives on demand: refusals, redirects,
 * cuts that were not asked for, listings that are none, what is not even HTTP. Writes, clocks and silence are
 * in unit/cloud_s3_liar_ways. The server is written by hand (qc_liar.h) and proves nothing of signing,
 * encoding or races: those are asked of real ones (system/s3_*). */
#include "s3_liar.h"

/* --- Refusals: the retry table, row by row --- */

static void refusals(void)
{
    const struct row rows[] = {
        { "500 once", GET, { { error("500 Oops", "", "InternalError") }, { TEN_OK } }, QC_OK, "", 2 },
        { "502 in HTML", GET, { { http("502 Bad", "", "<html><p>oops") }, { TEN_OK } }, QC_OK, "", 2 },
        { "503", PUT, { { error("503 Busy", "", "ServiceUnavailable") }, { PUT_OK } }, QC_OK, "", 2 },
        { "429", PUT, { { http("429 Busy", "", "") }, { PUT_OK } }, QC_OK, "", 2 },
        { "503 for ever",
          GET,
          { { error("503 Busy", "", "SlowDown") } },
          QC_TEMP,
          "the cloud asks for fewer requests (\"a ? bell\") (503 SlowDown, request tx17)",
          5 },
        { "request timeout", PUT, { { error("400 Bad", "", "RequestTimeout") }, { PUT_OK } }, QC_OK, "", 2 },
        { "request timeout twice",
          PUT,
          { { error("400 Bad", "", "RequestTimeout") } },
          QC_TEMP,
          "too slowly",
          2 },
        { "409", PUT, { { error("409 Conflict", "", "OperationAborted") }, { PUT_OK } }, QC_OK, "", 2 },
    };
    ALL(rows);
}

static void refusals_for_good(void)
{
    const struct row rows[] = {
        { "secret",
          GET,
          { { error("403 No", "", "SignatureDoesNotMatch") } },
          QC_AUTH,
          "the secret key is wrong",
          1 },
        { "key",
          GET,
          { { error("403 No", "", "InvalidAccessKeyId") } },
          QC_AUTH,
          "access key is not known",
          1 },
        { "suspended",
          GET,
          { { error("403 No", "", "UserSuspended") } },
          QC_AUTH,
          "account is suspended",
          1 },
        { "right", DELETE, { { error("403 No", "", "AccessDenied") } }, QC_AUTH, "lack the right", 1 },
        { "401", GET, { { http("401 No", "", "") } }, QC_AUTH, "refuses these credentials (401)", 1 },
        { "quota", PUT, { { error("403 No", "", "QuotaExceeded") } }, QC_FULL, "the quota is used up", 1 },
        { "507", PUT, { { http("507 Full", "", "") } }, QC_FULL, "no space", 1 },
    };
    ALL(rows);
}

static void refusals_of_places(void)
{
    const struct row rows[] = {
        { "archive", GET, { { error("403 No", "", "InvalidObjectState") } }, QC_IO, "lifecycle", 1 },
        { "key gone",
          GET,
          { { GONE } },
          QC_NOTFOUND,
          "no such object (\"a ? bell\") (404 NoSuchKey, request tx17)",
          1 },
        { "key gone, size", HEAD, { { GONE } }, QC_NOTFOUND, "no such object", 1 },
        { "key gone, delete", DELETE, { { GONE } }, QC_OK, "", 1 },
        { "bucket gone",
          GET,
          { { error("404 Gone", "", "NoSuchBucket") } },
          QC_TEMP,
          "the bucket is not there",
          1 },
        { "bucket gone, open",
          OPEN,
          { { error("404 Gone", "", "NoSuchBucket") } },
          QC_NOTFOUND,
          "bucket",
          1 },
        { "bucket that is going, list", LIST, { { GONE } }, QC_TEMP, "the bucket is not there", 1 },
        { "bucket that is going, open", OPEN, { { GONE } }, QC_NOTFOUND, "the bucket is not there", 1 },
        { "bucket that is going, put", PUT, { { GONE } }, QC_TEMP, "the bucket is not there", 1 },
        { "404 of no S3",
          GET,
          { { http("404 Not Found", "", "<html>nginx</html>") } },
          QC_IO,
          "knows nothing of S3",
          1 },
        { "too large",
          PUT,
          { { error("400 No", "", "EntityTooLarge") } },
          QC_LIMIT,
          "larger than the cloud takes",
          1 },
        { "digest twice",
          PUT,
          { { error("400 No", "", "BadDigest") } },
          QC_IO,
          "the bytes are not what their MD5 says",
          2 },
        { "digest once", PUT, { { error("400 No", "", "BadDigest") }, { PUT_OK } }, QC_OK, "", 2 },
        { "nonsense", PUT, { { error("400 No", "", "MalformedXML") } }, QC_IO, "refuses the request", 1 },
        { "501", DELETE, { { error("501 No", "", "NotImplemented") } }, QC_IO, "lacks a feature", 1 },
        { "error in a 200", PUT, { { error("200 OK", "", "InternalError") }, { PUT_OK } }, QC_OK, "", 2 },
        { "wrong region",
          OPEN,
          { { http("400 No", "",
                   "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-3</Region></Error>") } },
          QC_USAGE,
          "region in the cloud's URL is wrong; the cloud says region=eu-3",
          1 },
    };
    ALL(rows);
}

/* --- Redirects lead nowhere --- */

static struct liar elsewhere; /* nobody may come here */

static void redirects(void)
{
    liar_start(&elsewhere);
    const char *there = say("Location: http://127.0.0.1:%u/bucket/k/x\r\n", elsewhere.port);
    const struct row rows[] = {
        { "301",
          GET,
          { { error("301 Moved", there, "PermanentRedirect") } },
          QC_AUTH,
          "another region or endpoint",
          1 },
        { "307", PUT, { { http("307 Moved", there, "") } }, QC_AUTH, "another region or endpoint", 1 },
        { "302, open",
          OPEN,
          { { http("302 Found", there, "") } },
          QC_USAGE,
          "another region or endpoint",
          1 },
        { "304", GET, { { http("304 Same", there, "") } }, QC_IO, "no S3 server", 1 },
    };
    ALL(rows);
    CHECK(liar_requests(&elsewhere) == 0);
    liar_stop(&elsewhere);
}

/* --- Answers to a read that are not what was asked for --- */

static void reads(void)
{
    const struct row rows[] = {
        { "as asked", GET, { { TEN_OK } }, QC_OK, "", 1 },
        { "short object", GET, { { CUT("0-4/5", "01234") } }, QC_OK, "", 1 },
        { "end unknown", GET, { { CUT("0-9/*", "0123456789") } }, QC_OK, "", 1 },
        { "past the end", GET, { { http("416 No", "Content-Range: bytes */0\r\n", "") } }, QC_OK, "", 1 },
        { "no ranges here", GET, { { http("200 OK", "", "0123456789 and more") } }, QC_OK, "", 1 },
        { "no ranges here, cut",
          GET_FROM_5,
          { { http("200 OK", "", "0123456789") } },
          QC_IO,
          "no S3 server",
          1 },
        { "cut elsewhere", GET, { { CUT("1-9/10", "123456789") } }, QC_IO, "no S3 server", 1 },
        { "no range said",
          GET,
          { { http("206 Partial Content", "", "0123456789") } },
          QC_IO,
          "no S3 server",
          1 },
        { "range is nonsense", GET, { { CUT("9-0/10", "0123456789") } }, QC_IO, "no S3 server", 1 },
        { "range beyond its object", GET, { { CUT("0-9/5", "0123456789") } }, QC_IO, "no S3 server", 1 },
        { "more than asked", GET, { { CUT("0-10/11", "0123456789a") } }, QC_IO, "no S3 server", 1 },
        { "less than there is", GET, { { CUT("0-4/10", "01234") } }, QC_IO, "no S3 server", 1 },
        { "length and range differ", GET, { { CUT("0-9/10", "01234") } }, QC_IO, "no S3 server", 1 },
        { "cut short",
          GET,
          { { "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n01234",
              LIAR_CLOSE },
            { TEN_OK } },
          QC_OK,
          "",
          2 },
        { "without length, cut short",
          GET,
          { { "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/10\r\n\r\n01234", LIAR_CLOSE }, { TEN_OK } },
          QC_OK,
          "",
          2 },
        { "without length, more than said",
          GET,
          { { "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/10\r\n\r\n0123456789abc", LIAR_CLOSE } },
          QC_IO,
          "no S3 server",
          1 },
    };
    ALL(rows);
}

static void reads_otherwise(void)
{
    const struct row rows[] = {
        { "no answer", GET, { { "", LIAR_CLOSE }, { TEN_OK } }, QC_OK, "", 2 },
        { "size", HEAD, { { CUT("0-0/10", "0") } }, QC_OK, "", 1 },
        { "size without ranges", HEAD, { { http("200 OK", "", "0123456789") } }, QC_OK, "", 1 },
        { "size, endless",
          HEAD,
          { { "HTTP/1.1 206 P\r\nContent-Range: bytes 0-0/10\r\n\r\n0\n", LIAR_ENDLESS } },
          QC_IO,
          "no S3 server",
          1 },
        { "size not said", HEAD, { { CUT("0-0/*", "0") } }, QC_IO, "no S3 server", 1 },
        { "size of nothing",
          HEAD,
          { { http("416 No", "", "") }, { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" } },
          QC_OK,
          "",
          2 },
        { "endless error", GET, { { "HTTP/1.1 403 No\r\n\r\n<Error>\n", LIAR_ENDLESS } }, QC_AUTH, "403", 1 },
        { "endless cut",
          GET,
          { { "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/10\r\n\r\n0123456789\n", LIAR_ENDLESS } },
          QC_IO,
          "no S3 server",
          1 },
    };
    ALL(rows);
}

/* --- No HTTP, no S3 --- */

static void strangers(void)
{
    char *line = malloc(200001);
    CHECK(line != NULL);
    memset(line, 'x', 200000);
    line[200000] = '\0';
    (void)keep(line);
    const struct row rows[] = {
        { "SSH", OPEN, { { "SSH-2.0-OpenSSH_9.2p1\r\n", LIAR_CLOSE } }, QC_IO, "no S3 server", 1 },
        { "HTTP/0.9", OPEN, { { "<html>hello</html>\r\n", LIAR_CLOSE } }, QC_IO, "no S3 server", 1 },
        { "a web page",
          OPEN,
          { { http("200 OK", "", "<html><body>hello</body></html>") } },
          QC_IO,
          "the answer is 'html', expected ListBucketResult",
          1 },
        { "nothing", OPEN, { { http("200 OK", "", "") } }, QC_IO, "no XML", 1 },
        { "no content", OPEN, { { "HTTP/1.1 204 No\r\n\r\n" } }, QC_IO, "no S3 server (204)", 1 },
        { "one endless header",
          GET,
          { { say("HTTP/1.1 200 OK\r\nx: %s\r\n\r\n", line), LIAR_CLOSE } },
          QC_IO,
          "no S3 server",
          1 },
        { "headers without end",
          GET,
          { { "HTTP/1.1 200 OK\r\nx-filler: 0123456789\r\n", LIAR_ENDLESS } },
          QC_IO,
          "no S3 server",
          1 },
    };
    ALL(rows);
}

/* --- Listings --- */

static void listings(void)
{
    const struct row rows[] = {
        { "one", LIST, { { list(ITEM("k/a")) } }, QC_OK, "", 1 },
        { "pages",
          LIST,
          { { list(ITEM("k/a") "<IsTruncated>true</IsTruncated><NextContinuationToken>t/1+</"
                               "NextContinuationToken>") },
            { list("<IsTruncated>true</IsTruncated><NextContinuationToken>t2</NextContinuationToken>") },
            { list(ITEM("k/b")) } },
          QC_OK,
          "",
          3 },
        { "pages without tokens",
          LIST,
          { { list(ITEM("k/a") "<IsTruncated>true</IsTruncated>") }, { list(ITEM("k/b")) } },
          QC_OK,
          "",
          2 },
        { "no second version",
          LIST,
          { { error("501 No", "", "NotImplemented") }, { list(ITEM("k/a")) } },
          QC_OK,
          "",
          2 },
        { "the first version unasked",
          LIST,
          { { list("<Marker></Marker>" ITEM("k/a")) }, { list(ITEM("k/a")) } },
          QC_OK,
          "",
          2 },
    };
    ALL(rows);
}

static void listings_refused(void)
{
    const char *bomb =
        "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
        "<ListBucketResult><Name>&b;</Name></ListBucketResult>";
    const struct row rows[] = {
        { "backwards", LIST, { { list(ITEM("k/b") ITEM("k/a")) } }, QC_IO, "not in order", 1 },
        { "twice", LIST, { { list(ITEM("k/a") ITEM("k/a")) } }, QC_IO, "not in order", 1 },
        { "the same page for ever",
          LIST,
          { { list(ITEM("k/a") "<IsTruncated>true</IsTruncated>") } },
          QC_IO,
          "not in order",
          2 },
        { "empty pages for ever",
          LIST,
          { { list("<IsTruncated>true</IsTruncated>") } },
          QC_IO,
          "empty page",
          1 },
        { "of another prefix", LIST, { { list(ITEM("l/a")) } }, QC_IO, "not of what was asked for", 1 },
        { "garbage",
          LIST,
          { { http("200 OK", "", LIST_HEAD "<Contents><Key>k/a</Ke") } },
          QC_IO,
          "no XML",
          1 },
        { "document type", LIST, { { http("200 OK", "", bomb) } }, QC_IO, "document type", 1 },
        { "deep", LIST, { { list("<a><a><a><a><a><a><a><a>") } }, QC_IO, "levels", 1 },
        { "size missing",
          LIST,
          { { list("<Contents><Key>k/a</Key></Contents>") } },
          QC_IO,
          "without key or size",
          1 },
        { "size is no number",
          LIST,
          { { list("<Contents><Key>k/a</Key><Size>-1</Size></Contents>") } },
          QC_IO,
          "no size",
          1 },
        { "wrong encoding",
          LIST,
          { { list("<EncodingType>url</EncodingType>" ITEM("k/%4")) } },
          QC_IO,
          "encoded wrongly",
          1 },
        { "encoded",
          LIST,
          { { list("<EncodingType>url</EncodingType>" ITEM("k/%41 not ours") ITEM("k%2Fa")) } },
          QC_OK,
          "",
          1 },
        { "endless",
          LIST,
          { { "HTTP/1.1 200 OK\r\n\r\n" LIST_HEAD "\n<Prefix>lorem ipsum dolor</Prefix>\n", LIAR_ENDLESS } },
          QC_IO,
          "no S3 server",
          1 },
        { "alive", ALIVE, { { LIST_OK } }, QC_OK, "", 1 },
        { "not alive",
          ALIVE,
          { { error("404 Gone", "", "NoSuchBucket") } },
          QC_TEMP,
          "the bucket is not there",
          1 },
    };
    ALL(rows);
}

int main(void)
{
    rig_start();
    refusals();
    refusals_for_good();
    refusals_of_places();
    redirects();
    reads();
    reads_otherwise();
    strangers();
    listings();
    listings_refused();
    rig_stop();
    return 0;
}

#include "s3_fate.h"

#include <curl/curl.h>
#include <string.h>

static const struct s3_fate_row fates[S3_FATES] = {
    [S3_DONE] = { QC_OK, QC_OK, 1, false, "done" },
    [S3_LOCAL] = { QC_GENERAL, QC_GENERAL, 1, false, "given up" },
    [S3_MISSING] = { QC_NOTFOUND, QC_IO, 1, false, "no such object" },
    [S3_TAKEN] = { QC_CONFLICT, QC_IO, 1, false, "the key is taken" },
    [S3_BEYOND] = { QC_IO, QC_IO, 1, false, "a range that the object does not have" },
    [S3_TRANSIENT] = { QC_TEMP, QC_TEMP, QC_RETRY_MAX, true, "the cloud cannot serve it now" },
    [S3_SLOW] = { QC_TEMP, QC_TEMP, QC_RETRY_MAX, true, "the cloud asks for fewer requests" },
    [S3_STALE] = { QC_TEMP, QC_TEMP, 2, false, "the request came too slowly" },
    [S3_DOWN] = { QC_TEMP, QC_TEMP, 2, true, "cannot be reached" },
    [S3_BROKEN] = { QC_TEMP, QC_TEMP, QC_RETRY_MAX, true, "the connection broke or fell silent" },
    [S3_CHANGED] = { QC_IO, QC_IO, 2, false,
                     "the bytes are not what their MD5 says: changed on the way, or rotten there" },
    [S3_CLOCK] = { QC_AUTH, QC_AUTH, 2, false,
                   "the clocks of this machine and of the cloud are too far apart" },
    [S3_KEYS] = { QC_AUTH, QC_AUTH, 1, false, "the cloud refuses these credentials" },
    [S3_NO_BUCKET] = { QC_TEMP, QC_NOTFOUND, 1, false, "the bucket is not there" },
    [S3_MOVED] = { QC_AUTH, QC_USAGE, 1, false, "the bucket belongs to another region or endpoint" },
    [S3_FULL] = { QC_FULL, QC_FULL, 1, false, "no space, or the quota is used up" },
    [S3_LARGE] = { QC_LIMIT, QC_LIMIT, 1, false, "larger than the cloud takes" },
    [S3_UNABLE] = { QC_IO, QC_IO, 1, false, "the cloud lacks a feature that this needs" },
    [S3_REFUSED] = { QC_IO, QC_IO, 1, false, "the cloud refuses the request" },
    [S3_CERT] = { QC_AUTH, QC_AUTH, 1, false, "TLS: the cloud does not prove who it is" },
    [S3_STRANGE] = { QC_IO, QC_IO, 1, false, "what answers is no S3 server" },
};

const struct s3_fate_row *s3_fate_row(enum s3_fate f)
{
    QC_ASSERT(f < S3_FATES);
    return &fates[f];
}

/* An answer: the first row that fits. code NULL: any; status 0: any. */
static const struct {
    const char *code;
    int status;
    enum s3_fate fate;
    const char *says; /* NULL: the fate's */
} answers[] = {
    { "SlowDown", 0, S3_SLOW, NULL },
    { "TooManyRequests", 0, S3_SLOW, NULL },
    { "RequestTimeout", 0, S3_STALE, NULL },
    { "IncompleteBody", 0, S3_STALE, "the body came cut short" },
    { "RequestTimeTooSkewed", 0, S3_CLOCK, NULL },
    { "SignatureDoesNotMatch", 0, S3_KEYS, "the secret key is wrong, or the access key is unknown there" },
    { "InvalidAccessKeyId", 0, S3_KEYS, "the access key is not known there" },
    { "ExpiredToken", 0, S3_KEYS, "the credentials have expired" },
    { "InvalidToken", 0, S3_KEYS, NULL },
    { "UserSuspended", 0, S3_KEYS, "the account is suspended" },
    { "AllAccessDisabled", 0, S3_KEYS, "the provider has closed access to the bucket" },
    { "AccountProblem", 0, S3_KEYS, "the account has a problem that only its provider can tell" },
    { "InvalidObjectState", 403, S3_REFUSED,
      "the object was moved to an archive: a lifecycle rule is at work" },
    { "QuotaExceeded", 0, S3_FULL, "the quota is used up" },
    { "InsufficientStorage", 0, S3_FULL, NULL },
    { "XMinioStorageFull", 0, S3_FULL, NULL },
    { "AccessDenied", 403, S3_KEYS, "the credentials lack the right to do this" },
    { "NoSuchBucket", 0, S3_NO_BUCKET, NULL },
    { "NoSuchKey", 404, S3_MISSING, NULL },
    { "PermanentRedirect", 0, S3_MOVED, NULL },
    { "AuthorizationHeaderMalformed", 0, S3_MOVED, "the region in the cloud's URL is wrong" },
    { "AuthorizationQueryParametersError", 0, S3_MOVED, "the region in the cloud's URL is wrong" },
    { "IllegalLocationConstraintException", 0, S3_MOVED, "the region in the cloud's URL is wrong" },
    { "BadDigest", 0, S3_CHANGED, NULL },
    { "XAmzContentSHA256Mismatch", 0, S3_CHANGED, NULL },
    { "PreconditionFailed", 412, S3_TAKEN, NULL },
    { "OperationAborted", 409, S3_TRANSIENT, NULL },
    { "ConditionalRequestConflict", 409, S3_TRANSIENT, NULL },
    { "EntityTooLarge", 0, S3_LARGE, NULL },
    { NULL, 301, S3_MOVED, NULL },
    { NULL, 302, S3_MOVED, NULL },
    { NULL, 307, S3_MOVED, NULL },
    { NULL, 308, S3_MOVED, NULL },
    { NULL, 401, S3_KEYS, NULL },
    { NULL, 403, S3_KEYS, NULL },
    { NULL, 404, S3_STRANGE, "what answers knows nothing of S3" },
    { NULL, 408, S3_STALE, NULL },
    { NULL, 412, S3_TAKEN, NULL },
    { NULL, 413, S3_LARGE, NULL },
    { NULL, 416, S3_BEYOND, NULL },
    { NULL, 429, S3_SLOW, NULL },
    { NULL, 501, S3_UNABLE, NULL },
    { NULL, 507, S3_FULL, NULL },
};

enum s3_fate s3_fate_of_reply(const struct s3_reply *r, const char **ret_says)
{
    enum s3_fate fate = r->status < 300   ? S3_DONE
                        : r->status < 400 ? S3_STRANGE
                        : r->status < 500 ? S3_REFUSED
                                          : S3_TRANSIENT;
    const char *says = NULL;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (answers[i].code != NULL && strcmp(answers[i].code, r->code) != 0)
            continue;
        if (answers[i].status != 0 && answers[i].status != r->status)
            continue;
        fate = answers[i].fate;
        says = answers[i].says;
        break;
    }
    *ret_says = says != NULL ? says : fates[fate].says;
    return fate;
}

/* libcurl's verdicts; those that are not here broke the connection. */
static const struct {
    CURLcode code;
    enum s3_fate fate;
    const char *says;
} verdicts[] = {
    { CURLE_COULDNT_RESOLVE_HOST, S3_DOWN, "its name cannot be looked up" },
    { CURLE_COULDNT_CONNECT, S3_DOWN, NULL },
    { CURLE_PEER_FAILED_VERIFICATION, S3_CERT, NULL },
    { CURLE_SSL_CACERT_BADFILE, S3_CERT, "the file of trusted certificates (ca=) cannot be used" },
    { CURLE_SSL_ISSUER_ERROR, S3_CERT, NULL },
    { CURLE_SSL_INVALIDCERTSTATUS, S3_CERT, NULL },
    { CURLE_UNSUPPORTED_PROTOCOL, S3_STRANGE, NULL }, /* "HTTP/0.9", too */
    { CURLE_WEIRD_SERVER_REPLY, S3_STRANGE, NULL },
    { CURLE_BAD_CONTENT_ENCODING, S3_STRANGE, NULL },
};

enum s3_fate s3_fate_of_curl(int code, bool connected, const char **ret_says)
{
    enum s3_fate fate = connected ? S3_BROKEN : S3_DOWN;
    const char *says = NULL;
    if (code == CURLE_OUT_OF_MEMORY) /* libcurl says so of a header line without end, too */
        fate = connected ? S3_STRANGE : S3_LOCAL;
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        if ((int)verdicts[i].code == code) {
            fate = verdicts[i].fate;
            says = verdicts[i].says;
        }
    }
    *ret_says = says != NULL ? says : fates[fate].says;
    return fate;
}

/* What an S3 server answered: headers and XML, taken from bytes that nobody has checked. Internal to cloud/.
 * Pure functions on the caller's memory. Keeps I6, I7: every field is bounded, both parsers are fuzzed. */
#pragma once
#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/limits.h"
#include <stdbool.h>

enum { S3_WORD_SIZE = 65, S3_MESSAGE_SIZE = 129 };

struct s3_reply {
    int status; /* 200..599; 0: no answer began */
    bool length_known, range_known, total_known, etag_md5, date_known;
    uint64_t length;               /* Content-Length */
    uint64_t first, last, total;   /* Content-Range: bytes first-last/total; both ends are inside */
    uint8_t md5[QC_MD5_BYTES];     /* the ETag, where it has the form of one */
    int64_t date;                  /* Date, seconds since 1970 */
    uint32_t retry_after_s;        /* 0: not said */
    char request_id[S3_WORD_SIZE]; /* what the provider's support asks for; printable, "" not said */

    /* From the XML of an error; "" not said. Printable. */
    char code[S3_WORD_SIZE];   /* "NoSuchKey" */
    char region[S3_WORD_SIZE]; /* the right one, after AuthorizationHeaderMalformed */
    char message[S3_MESSAGE_SIZE];

    qc_buf body; /* what no sink took: an error's text, or a listing; max is set by the caller */
};

/* Forget all but body.max; the body's memory is kept for the next answer. */
void s3_reply_reset(struct s3_reply *r);

/* Take one header line, with or without its end. What does not parse counts as not said. A status line
 * ("HTTP/1.1 200 OK") begins anew: what an interim answer (1xx) said is forgotten, and its status is not
 * kept. */
void s3_reply_header(struct s3_reply *r, qc_span line);

/* "Sat, 28 Nov 2026 03:35:22 GMT" (RFC 9110, 5.6.7, the form that is sent today). false: not one. */
QC_MUST bool s3_http_date(qc_span text, int64_t *ret);

/* Take code, message, region and request id from an error's XML, as far as it parses: proxies send HTML, or
 * nothing. */
void s3_reply_error(struct s3_reply *r, qc_span xml);

/* A page of a listing. */
struct s3_page {
    qc_buf keys; /* each: its size (8 bytes), the key, a NUL; in the order of the answer */
    size_t count;
    bool truncated;                    /* there are more */
    bool v1;                           /* an answer of the first version of the call */
    char token[CLOUD_S3_TEXT_MAX + 1]; /* how to go on, opaque; "" not said */
};

void s3_page_done(struct s3_page *p);

/*
 * The XML of a listing, both versions of the call.
 *
 *   ret   must own nothing; s3_page_done it. Keys are what the store holds, decoded: any bytes but NUL.
 *
 * QC_IO (no XML, not a listing, deeper or longer than allowed, with a document type, an entry without key or
 * size), QC_NOMEM. Keys are not checked for their order.
 */
QC_MUST qc_rc s3_page_parse(qc_span xml, struct s3_page *ret, struct qc_err *err);

/* The text of the first element of this name, wherever it stands, printable and cut to size; false: there is
 * none, or no XML up to there. */
bool s3_xml_find(qc_span xml, const char *name, char *ret, size_t size);

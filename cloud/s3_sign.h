/* AWS Signature Version 4 (the request in headers), by our own hand: the Authorization header of a request
 * that is finished. Internal to cloud/. Keeps I5.
 *
 * Source: "Signature Version 4 signing process" of the AWS documentation; the canonical URI is S3's, which is
 * the path as it is sent, neither normalised nor encoded again. Why not libcurl's: ADR 0006.
 *
 * Threads: any number may sign with one signer. The day's signing key is derived once and kept in secret
 * memory.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"
#include "credentials.h"

#include <pthread.h>

/* "AWS4-HMAC-SHA256 Credential=ACCESS/DAY/REGION/SERVICE/aws4_request, SignedHeaders=.., Signature=HEX" */
enum { S3_AUTHORIZATION_SIZE = CLOUD_ACCESS_SIZE_MAX + CLOUD_REGION_SIZE_MAX + 512, S3_DATE_SIZE = 17 };

struct s3_signer {
    struct cloud_credentials keys; /* owned */
    char region[CLOUD_REGION_SIZE_MAX + 1];
    const char *service;  /* "s3"; static text */
    pthread_mutex_t lock; /* guards day, day_key. A last lock. */
    char day[9];          /* YYYYMMDD of day_key; "" none yet */
    qc_key *day_key;
};

/* keys goes over to the signer. Ended by s3_signer_done. */
void s3_signer_init(struct s3_signer *s, struct cloud_credentials *keys, const char *region,
                    const char *service);
void s3_signer_done(struct s3_signer *s);

struct s3_header {
    const char *name;  /* lower case */
    const char *value; /* no blanks at its ends, none in a row */
};

/* A request, as it is sent. */
struct s3_sign_job {
    const char *method;
    const char *uri;   /* the path, encoded: s3_encode with slashes kept */
    const char *query; /* name=value&.., both encoded, sorted by name, "=" also after a name alone; "" none */
    const struct s3_header *headers; /* all that are signed: `host` and every x-amz-*, ascending by name */
    size_t count;                    /* up to S3_HEADERS_MAX */
    const char *payload;             /* the value of x-amz-content-sha256 */
    const char *date;                /* the value of x-amz-date: YYYYMMDDTHHMMSSZ */
};

enum { S3_HEADERS_MAX = 12 };

/* ret: a C string. QC_NOMEM, QC_GENERAL (the crypto library). Costs some microseconds; 4 HMACs more at the
 * first request of a day. */
QC_MUST qc_rc s3_sign(struct s3_signer *s, const struct s3_sign_job *job, char ret[S3_AUTHORIZATION_SIZE],
                      struct qc_err *err);

/* x-amz-date for an instant (seconds since 1970; years 1..9999, asserted). */
void s3_date(int64_t t, char ret[S3_DATE_SIZE]);

/* Append s percent-encoded as SigV4 demands: A-Z a-z 0-9 - . _ ~ stay, `/` too where slashes is true; every
 * other byte becomes %XX in upper case. QC_LIMIT, QC_NOMEM. */
QC_MUST qc_rc s3_encode(qc_buf *ret, const char *s, bool slashes, struct qc_err *err);

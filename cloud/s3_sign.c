#include "s3_sign.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "base/thread.h"
#include "base/time.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define ENDING    "aws4_request"

void s3_signer_init(struct s3_signer *s, struct cloud_credentials *keys, const char *region,
                    const char *service)
{
    memset(s, 0, sizeof *s);
    s->keys = QC_STEAL(*keys);
    s->service = service;
    QC_ASSERT(strlen(region) < sizeof s->region);
    memcpy(s->region, region, strlen(region) + 1);
    qc_mutex_init(&s->lock);
}

void s3_signer_done(struct s3_signer *s)
{
    qc_key_free(&s->day_key);
    cloud_credentials_done(&s->keys);
    qc_mutex_done(&s->lock);
}

void s3_date(int64_t t, char ret[S3_DATE_SIZE])
{
    char text[QC_TIME_TEXT]; /* 2015-08-30T12:36:00Z */
    qc_time_text(t, text);
    size_t n = 0;
    for (size_t i = 0; text[i] != '\0'; i++)
        if (text[i] != '-' && text[i] != ':')
            ret[n++] = text[i];
    ret[n] = '\0';
}

qc_rc s3_encode(qc_buf *ret, const char *s, bool slashes, struct qc_err *err)
{
    static const char hex[] = "0123456789ABCDEF";
    for (; *s != '\0'; s++) {
        unsigned char ch = (unsigned char)*s;
        bool plain = (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') ||
                     strchr("-._~", ch) != NULL || (slashes && ch == '/');
        const uint8_t text[3] = { plain ? ch : '%', (uint8_t)hex[ch >> 4], (uint8_t)hex[ch & 15] };
        QC_TRY(qc_buf_add(ret, qc_span_of(text, plain ? 1 : 3), err));
    }
    return QC_OK;
}

/* HMAC(key, text) as a key: one link of the chain. */
static qc_rc link_make(qc_key **ret, qc_span key, const char *text, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *k = NULL;
    const qc_span message = qc_span_str(text);
    QC_TRY(qc_key_blank(&k, QC_SHA256_BYTES, err));
    QC_TRY(qc_hmac_sha256(key, &message, 1, qc_key_write(k), err));
    qc_key_seal(k);
    *ret = QC_STEAL(k);
    return QC_OK;
}

/* "AWS4" and the secret, with zeros after them up to the steps that keys come in. */
static qc_rc first_key(qc_key **ret, const struct cloud_credentials *keys, struct qc_err *err)
{
    const size_t n = 4 + keys->secret_size;
    QC_CLEANUP(qc_key_free) qc_key *k = NULL;
    QC_TRY(qc_key_blank(&k, (n + QC_KEY_STEP - 1) / QC_KEY_STEP * QC_KEY_STEP, err));
    memcpy(qc_key_write(k), "AWS4", 4);
    memcpy(qc_key_write(k) + 4, cloud_credentials_open(keys).p, keys->secret_size);
    qc_key_seal(k);
    *ret = QC_STEAL(k);
    return QC_OK;
}

/* HMAC(HMAC(HMAC(HMAC("AWS4" secret, day), region), service), "aws4_request") */
static qc_rc day_key_make(qc_key **ret, const struct s3_signer *s, const char *day, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *first = NULL;
    QC_CLEANUP(qc_key_free) qc_key *k_date = NULL;
    QC_CLEANUP(qc_key_free) qc_key *k_region = NULL;
    QC_CLEANUP(qc_key_free) qc_key *k_service = NULL;
    QC_TRY(first_key(&first, &s->keys, err));
    QC_TRY(link_make(&k_date, qc_span_sub(qc_key_open(first), 0, 4 + s->keys.secret_size), day, err));
    QC_TRY(link_make(&k_region, qc_key_open(k_date), s->region, err));
    QC_TRY(link_make(&k_service, qc_key_open(k_region), s->service, err));
    return link_make(ret, qc_key_open(k_service), ENDING, err);
}

/* HMAC under the day's key. */
static qc_rc day_mac(struct s3_signer *s, const char *day, const qc_span *parts, size_t count,
                     uint8_t ret[QC_SHA256_BYTES], struct qc_err *err)
{
    QC_LOCK(&s->lock);
    if (strcmp(s->day, day) != 0) {
        qc_key *fresh = NULL;
        QC_TRY(day_key_make(&fresh, s, day, err));
        qc_key_free(&s->day_key);
        s->day_key = fresh;
        memcpy(s->day, day, sizeof s->day);
    }
    return qc_hmac_sha256(qc_key_open(s->day_key), parts, count, ret, err);
}

/* The names, with semicolons between them. */
static void names_join(const struct s3_sign_job *job, char *ret, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < job->count; i++) {
        const size_t len = strlen(job->headers[i].name);
        QC_ASSERT(i == 0 || strcmp(job->headers[i - 1].name, job->headers[i].name) < 0);
        QC_ASSERT(n + len + 2 <= size);
        if (i > 0)
            ret[n++] = ';';
        memcpy(ret + n, job->headers[i].name, len);
        n += len;
    }
    ret[n] = '\0';
}

/* SHA-256 of the canonical request, in hex. */
static qc_rc request_hash(const struct s3_sign_job *job, const char *names, char ret[2 * QC_SHA256_BYTES + 1],
                          struct qc_err *err)
{
    const qc_span line = QC_LIT("\n");
    qc_span parts[10 + 4 * S3_HEADERS_MAX] = {
        qc_span_str(job->method), line, qc_span_str(job->uri), line, qc_span_str(job->query), line,
    };
    size_t n = 6;
    uint8_t hash[QC_SHA256_BYTES];
    QC_ASSERT(job->count >= 1 && job->count <= S3_HEADERS_MAX);
    for (size_t i = 0; i < job->count; i++) {
        parts[n++] = qc_span_str(job->headers[i].name);
        parts[n++] = QC_LIT(":");
        parts[n++] = qc_span_str(job->headers[i].value);
        parts[n++] = line;
    }
    parts[n++] = line;
    parts[n++] = qc_span_str(names);
    parts[n++] = line;
    parts[n++] = qc_span_str(job->payload);
    QC_TRY(qc_sha256(parts, n, hash, err));
    qc_hex(qc_span_of(hash, sizeof hash), ret);
    return QC_OK;
}

qc_rc s3_sign(struct s3_signer *s, const struct s3_sign_job *job, char ret[S3_AUTHORIZATION_SIZE],
              struct qc_err *err)
{
    char names[256];
    char scope[CLOUD_REGION_SIZE_MAX + 64];
    char day[sizeof s->day];
    char hash[2 * QC_SHA256_BYTES + 1];
    char signature[2 * QC_SHA256_BYTES + 1];
    uint8_t mac[QC_SHA256_BYTES];

    QC_ASSERT(strlen(job->date) == S3_DATE_SIZE - 1);
    memcpy(day, job->date, sizeof day - 1);
    day[sizeof day - 1] = '\0';
    int n = snprintf(scope, sizeof scope, "%s/%s/%s/" ENDING, day, s->region, s->service);
    QC_ASSERT(n > 0 && (size_t)n < sizeof scope);
    names_join(job, names, sizeof names);
    QC_TRY(request_hash(job, names, hash, err));
    const qc_span parts[] = { QC_LIT(ALGORITHM "\n"), qc_span_str(job->date), QC_LIT("\n"),
                              qc_span_str(scope),     QC_LIT("\n"),           qc_span_str(hash) };
    QC_TRY(day_mac(s, day, parts, sizeof parts / sizeof parts[0], mac, err));
    qc_hex(qc_span_of(mac, sizeof mac), signature);
    n = snprintf(ret, S3_AUTHORIZATION_SIZE, ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                 s->keys.access, scope, names, signature);
    QC_ASSERT(n > 0 && n < S3_AUTHORIZATION_SIZE);
    return QC_OK;
}

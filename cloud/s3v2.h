/* The driver for S3 servers that know only the old signature (SigV2), by libs3. Internal to cloud/.
 *
 *   s3v2.c        a handle: open, put, get, head, delete, alive, examine
 *   s3v2_list.c   listing
 *   s3v2_do.c     one request by libs3, until it is done
 *
 * libs3 checks no certificate, and its way to a cloud is `plain` whatever the URL says: s3v2+https needs
 * unverified=yes, s3v2+http to another machine plain=yes (ADR 0012). What else is known of it, and how this
 * driver meets it:
 *   - it has globals and uses gmtime: every call of it in this process is made under one lock, never two at
 * once;
 *   - a request without a context cannot be stopped: each has one, which is kept with its connection for the
 * next;
 *   - it does not know whether a PUT succeeded, so the object is looked at after each;
 *   - an answer that breaks off in the middle is a success to it, and a page of HTML an empty listing: bytes
 * are counted, what was written is looked at, and a listing has ended only where a later name was seen. The
 * mark S3V2_MARK, which cloud_create writes, comes after all names;
 *   - it has no If-None-Match: CLOUD_NEW looks first, and keys are held against each other within this
 * process.
 */
#pragma once
#include <pthread.h>
#include <libs3.h>

#include "base/crypto.h"
#include "base/key.h"
#include "driver.h"
#include "s3_url.h"

/* No key, so that nobody else writes it; sorts after all keys. */
#define S3V2_MARK "~qcloud-cloud"

/* A key that a CLOUD_NEW is at; lives on its stack. */
struct s3v2_hold {
    const char *key;
    struct s3v2_hold *next;
};

struct s3v2_cloud {
    struct cloud base;
    struct s3_url url;
    char host[CLOUD_HOST_SIZE_MAX + 8]; /* name, or name:port */
    char access[CLOUD_ACCESS_SIZE_MAX + 1];
    qc_key *secret; /* a C string: zeros stand after it */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t released;
    struct s3v2_hold *held;
    S3RequestContext *idle[CLOUD_S3V2_IDLE_MAX];
    size_t idle_count;
};
struct s3v2_cloud *s3v2_of(struct cloud *c);

enum s3v2_kind { S3V2_PUT, S3V2_GET, S3V2_HEAD, S3V2_DELETE, S3V2_LIST };

/* What became of a request. */
enum s3v2_fate {
    S3V2_DONE,
    S3V2_LOCAL,     /* our own: no memory, cancelled, the deadline, what the sink said */
    S3V2_MISSING,   /* no such object */
    S3V2_BEYOND,    /* a range past the end */
    S3V2_DOWN,      /* nobody there: nothing was sent */
    S3V2_BROKEN,    /* it broke off or fell silent: the outcome is unknown */
    S3V2_BUSY,      /* try again later */
    S3V2_NO_BUCKET, /* the bucket is not there */
    S3V2_KEYS,      /* credentials, rights, clock */
    S3V2_FULL,      /* it refuses to store, and answers otherwise */
    S3V2_LARGE,     /* larger than it takes */
    S3V2_CHANGED,   /* bytes changed on the way */
    S3V2_UNNAMED,   /* refused, and libs3 keeps the reason to itself */
    S3V2_REFUSED,   /* any other refusal */
    S3V2_FATES
};

struct s3v2_call {
    enum s3v2_kind kind;
    const char *key;

    const qc_span *parts; /* put */
    size_t count;
    uint64_t size;
    const char *md5; /* base64, or NULL */

    struct cloud_range range; /* get; n > 0 */
    /* Takes a piece of the object, in order. Anything but QC_OK ends the request with that code. */
    qc_rc (*take)(void *ctx, uint64_t at, qc_span bytes, struct qc_err *err);
    void *ctx;

    const char *after; /* list; raw bytes of the last key */
    unsigned max;
    qc_buf *keys; /* ret: for each its size (8 bytes), the key, a NUL */

    bool opening; /* codes are those of an opening */
};

struct s3v2_answer {
    enum s3v2_fate fate;
    uint64_t length;                 /* Content-Length; 0: not said, or empty */
    char etag[2 * QC_MD5_BYTES + 3]; /* head: with its quotes; "" where it is no MD5 */
};

/*
 * One request and its repetitions. QC_OK with fate DONE, MISSING or BEYOND, which the caller tells apart;
 * else the code and message of the last fate.
 */
QC_MUST qc_rc s3v2_do(struct s3v2_cloud *c, const struct s3v2_call *call, struct s3v2_answer *ret,
                      const struct cloud_op *op, struct qc_err *err);

/* libs3 is there as long as a handle is. exclusive: no other handle of this process has host and bucket so.
 */
QC_MUST qc_rc s3v2_library_enter(struct qc_err *err);
void s3v2_library_leave(void);
void s3v2_contexts_drop(struct s3v2_cloud *c);

qc_rc s3v2_list(struct cloud *cloud, const struct cloud_list_job *job, struct cloud_page *ret,
                const struct cloud_op *op, struct qc_err *err);

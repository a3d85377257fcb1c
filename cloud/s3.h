/* The S3 driver's inside: places, requests, attempts. Internal to cloud/ (s3*.c).
 *
 *   s3.c        a handle: open, create, delete, alive
 *   s3_put.c, s3_get.c, s3_list.c   what the names say
 *   s3_do.c     one request until it is done: sign, attempt, judge, wait, again
 *   s3_http.c   one attempt, by libcurl
 *   s3_place.c  what all handles of one bucket share
 *
 * A place is a bucket, the keys to it and what was learnt of it. All handles of a process to one place share
 * it: the number of requests at once, the tokens for repeated ones, the clock's correction and the kept
 * connections are matters of the cloud, not of a handle.
 *
 * Locks: `places` of s3_place.c, then a place's, then its signer's; none is held while a request runs.
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "driver.h"
#include "s3_fate.h"
#include "s3_reply.h"
#include "s3_sign.h"
#include "s3_url.h"

/* A connection, or none yet, and libcurl's two handles around it (s3_http.c). */
struct s3_conn {
    struct s3_conn *next;
    uint64_t idle_ms; /* since when it is not in use */
    void *easy, *multi;
};

enum s3_known { S3_UNKNOWN, S3_YES, S3_NO };

struct s3_place {
    /* Fixed. */
    struct s3_url url;
    char host[2 * CLOUD_HOST_SIZE_MAX + 8];  /* the Host header: name, or name:port */
    char base[2 * CLOUD_HOST_SIZE_MAX + 16]; /* https://host */
    char root[CLOUD_BUCKET_SIZE_MAX + 2];    /* "/bucket", or "" for virtual hosts */
    struct s3_signer signer;

    /* Under the lock of s3_place.c. */
    struct s3_place *next;
    unsigned refs;
    bool exclusive; /* an exclusive handle is open */

    /* Learnt; any value is safe to act on, a newer one is better. */
    _Atomic int64_t clock_off_s; /* the cloud's clock less ours, once it refused ours */
    _Atomic int put_new;         /* s3_known: If-None-Match is obeyed */
    _Atomic int etag_md5;        /* s3_known: an ETag is the MD5 */
    atomic_bool list_v1;         /* the server knows only the first version of the listing */
    _Atomic uint64_t proved_ms;  /* when it last answered well; 0: not since it last failed */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t freed; /* busy fell, or limit rose */
    struct s3_conn *idle; /* the one used last is the first */
    unsigned busy, limit; /* requests at once: now, at most */
    unsigned calm;        /* successes since limit changed */
    unsigned tokens;
    uint64_t halved_ms; /* when limit was last halved */
};

/* The place of a URL for the keys that opts name: one that is open, or a new one. *ret is given back by
 * s3_place_leave. QC_LOCKED when opts->exclusive and another exclusive handle of this process has it. */
QC_MUST qc_rc s3_place_enter(struct s3_place **ret, const struct s3_url *url, const struct cloud_opts *opts,
                             struct qc_err *err);
void s3_place_leave(struct s3_place **p, bool exclusive);

/* A connection for one request: waits until fewer than `limit` run. s3_conn_give gives it back; broken: it is
 * of no more use. */
QC_MUST qc_rc s3_conn_take(struct s3_place *p, struct s3_conn **ret, const struct cloud_op *op,
                           struct qc_err *err);
void s3_conn_give(struct s3_place *p, struct s3_conn *c, bool broken);

/* What a request's fate means for those to come. */
void s3_place_learn(struct s3_place *p, enum s3_fate fate);
/* May a request be repeated? Takes the tokens for it. */
bool s3_place_retry(struct s3_place *p);

struct s3_conn *s3_conn_new(void);
void s3_conn_free(struct s3_conn **c);

/* --- One attempt --- */

/* Where the body of a good answer goes. */
struct s3_sink {
    void *ctx;
    /*
     * Bytes from offset `at` of the body; 0 begins anew, also after an attempt that failed. r has the
     * headers. *ret_enough: the rest is not wanted. Anything but S3_DONE ends the attempt with that fate.
     */
    enum s3_fate (*take)(void *ctx, const struct s3_reply *r, uint64_t at, qc_span bytes, bool *ret_enough);
    /* The body has ended, after `size` bytes, or was enough. */
    enum s3_fate (*end)(void *ctx, const struct s3_reply *r, uint64_t size);
};

/* The last two must be refused. */
enum s3_auth { S3_SIGNED, S3_FORGED, S3_UNSIGNED };

/* A request, as it does not change from attempt to attempt. */
struct s3_call {
    const char *method;
    const char *key;   /* the object; NULL: the bucket itself */
    const char *query; /* as struct s3_sign_job has it */
    const char *range; /* "bytes=0-9", or NULL */
    const char *md5;   /* Content-MD5: base64, or NULL */
    bool if_none_match;
    int good[2];          /* statuses that mean success; others of 2xx are no answer to this */
    const qc_span *parts; /* the body of a PUT */
    size_t count;
    uint64_t size;
    uint64_t expected; /* bytes of the answer's body that are worth waiting for */
    size_t body_max;   /* a good answer's body goes to reply.body up to here, where there is no sink */
    const struct s3_sink *sink; /* or NULL */
    bool opening;               /* codes are those of an opening */
    enum s3_auth auth;
};

/* An attempt, as s3_http.c needs it. */
struct s3_attempt {
    const struct s3_call *call;
    const char *url;
    struct s3_header headers[S3_HEADERS_MAX + 2]; /* all that are sent */
    size_t count;
    bool expect; /* ask before the body is sent (100-continue) */
    bool fresh;  /* on a new connection */
};

struct s3_end {
    enum s3_fate fate;
    qc_rc rc;         /* of S3_LOCAL */
    const char *says; /* what happened; static text */
    char text[256];   /* libcurl's words; "" none */
};

/*
 * Send it, take the answer. The fate is in *end; reply is filled as far as an answer came. Ends at op's
 * deadline and cancel flag (S3_LOCAL), and when nothing moves (S3_BROKEN). err is set for S3_LOCAL only.
 */
void s3_attempt_run(struct s3_place *p, struct s3_conn *c, const struct s3_attempt *a, struct s3_reply *reply,
                    const struct cloud_op *op, struct s3_end *end, struct qc_err *err);

/* --- A request until it is done --- */

/*
 * QC_OK: a status of call->good came, and the sink is content. Else the code of the last fate, *ret_fate it
 * (it may be NULL), and a message that names status, code and request id. reply is the caller's, from
 * s3_reply_init on; it holds the last answer.
 */
QC_MUST qc_rc s3_do(struct s3_place *p, const struct s3_call *call, struct s3_reply *reply,
                    enum s3_fate *ret_fate, const struct cloud_op *op, struct qc_err *err);

void s3_reply_done(struct s3_reply *r);

/* --- The driver --- */

struct s3_cloud {
    struct cloud base;
    struct s3_place *place;
    bool exclusive;
};
struct s3_cloud *s3_of(struct cloud *c);

/* Does the object hold exactly the bytes of job? */
enum s3_held { S3_ABSENT, S3_SAME, S3_OTHER };
QC_MUST qc_rc s3_held(struct s3_place *p, const struct cloud_put_job *job, enum s3_held *ret,
                      const struct cloud_op *op, struct qc_err *err);

QC_MUST qc_rc s3_size(struct s3_place *p, const char *key, uint64_t *ret, const struct cloud_op *op,
                      struct qc_err *err);

/* Is a request with a wrong signature, or with none, refused? */
QC_MUST qc_rc s3_refuses(struct s3_place *p, enum s3_auth auth, bool *ret, const struct cloud_op *op,
                         struct qc_err *err);

qc_rc s3_examine(struct cloud *c, struct cloud_exam *x, const struct cloud_op *op, struct qc_err *err);
qc_rc s3_put(struct cloud *c, const struct cloud_put_job *job, const struct cloud_op *op, struct qc_err *err);
qc_rc s3_get(struct cloud *c, const struct cloud_get_job *job, size_t *ret_got, const struct cloud_op *op,
             struct qc_err *err);
qc_rc s3_list(struct cloud *c, const struct cloud_list_job *job, struct cloud_page *ret,
              const struct cloud_op *op, struct qc_err *err);

/* One page of a listing. */
struct s3_list_ask {
    const char *prefix, *after, *token; /* "" none; a token wins over `after` */
    unsigned max;                       /* keys */
    bool opening;                       /* as in struct s3_call */
};
/* ret must own nothing; s3_page_done it. Codes as s3_do, and those of s3_page_parse. */
QC_MUST qc_rc s3_list_page(struct s3_place *p, const struct s3_list_ask *ask, struct s3_page *ret,
                           const struct cloud_op *op, struct qc_err *err);

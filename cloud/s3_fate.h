/* What became of a request, and what that means: the retry table (s3.md 2.9) as data. Internal to cloud/.
 * Pure.
 *
 * An answer, or libcurl's verdict where none came, has a fate; a fate has a code, a number of tries and a
 * sentence. */
#pragma once
#include "base/err.h"
#include "s3_reply.h"

enum s3_fate {
    S3_DONE,      /* 2xx, whole */
    S3_LOCAL,     /* our own: no memory, cancelled, the call's deadline; the code says which */
    S3_MISSING,   /* no such key */
    S3_TAKEN,     /* If-None-Match: there is an object already */
    S3_BEYOND,    /* a range past the end */
    S3_TRANSIENT, /* try again later */
    S3_SLOW,      /* the same, and send less at once */
    S3_STALE,     /* the connection was too old or too slow: try again at once on a fresh one */
    S3_DOWN,      /* nobody there: nothing was sent */
    S3_BROKEN,    /* it broke off or fell silent: the outcome is unknown */
    S3_CHANGED,   /* bytes changed on the way */
    S3_CLOCK,     /* the request's time is too far from the server's */
    S3_KEYS,      /* credentials or rights */
    S3_NO_BUCKET, /* the bucket is not there */
    S3_MOVED,     /* wrong region, wrong endpoint */
    S3_FULL,      /* quota or space */
    S3_LARGE,     /* larger than the server takes */
    S3_UNABLE,    /* a feature that the server lacks */
    S3_REFUSED,   /* any other refusal: a bug of one of us */
    S3_CERT,      /* TLS: not who it says it is */
    S3_STRANGE,   /* not an answer of an S3 server */
    S3_FATES
};

struct s3_fate_row {
    qc_rc rc;         /* of a call on an open cloud */
    qc_rc open_rc;    /* of opening or making one */
    unsigned tries;   /* requests in all, when this is the last one's fate */
    bool wait;        /* pause before the next */
    const char *says; /* what happened, for people; a row of the codes may say it better */
};
const struct s3_fate_row *s3_fate_row(enum s3_fate f);

/* The fate of an answer of status 200..599. *ret_says: the sentence; static text. */
enum s3_fate s3_fate_of_reply(const struct s3_reply *r, const char **ret_says);

/* The fate of a request without an answer: libcurl's code, and whether a connection stood. */
enum s3_fate s3_fate_of_curl(int code, bool connected, const char **ret_says);

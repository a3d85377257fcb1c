/* One request on its way: what libcurl's callbacks read and fill. Internal to net/. */
#pragma once
#include <curl/curl.h>

#include "base/limits.h"
#include "net/client.h"
#include "net/rate.h"

struct net_run {
    const struct net_request *rq; /* borrowed while the request runs */
    struct net_rate *rate;        /* borrowed; NULL: no limit */
    struct curl_slist *headers;
    char url[NET_PATH_SIZE_MAX + NET_URL_SIZE_MAX + 1];
    char curl_text[CURL_ERROR_SIZE];

    /* Going out. */
    uint64_t sent;  /* bytes of the body handed to libcurl */
    bool sent_told; /* request.sent was called */

    /* Coming in. */
    int status;       /* of the final answer; 0 before it begins */
    bool head_told;   /* request.head was called */
    size_t head_size; /* bytes of all header lines */
    qc_buf body;
    qc_buf kept_bytes;            /* the values, NUL-terminated, one behind the other */
    size_t kept_at[NET_KEEP_MAX]; /* offset + 1 in kept_bytes; 0: not sent */
    const char *kept[NET_KEEP_MAX];

    qc_rc rc; /* a callback's refusal, and its text */
    struct qc_err err;
    uint64_t calls; /* of any callback: something moved */
    bool fresh;     /* not over the kept connection */
    bool waited;    /* the caller's callback ran since the last look: its time is not the server's */
    enum net_reach reach;
};

/* QC_USAGE unless method, path and headers are what they must be to stand in a request. */
QC_MUST qc_rc net_request_check(const struct net_request *rq, struct qc_err *err);

/* Where a client's requests go. */
struct net_target {
    char base[NET_URL_SIZE_MAX + 1];
    const char *socket; /* of a UNIX socket, or NULL */
    const char *ca;     /* or NULL */
    bool tls;
    const char *cert, *key;      /* of ours, or both NULL */
    struct net_keyed_run *keyed; /* by QKD instead; or NULL */
    const qc_key *bearer;        /* or NULL */
};

/* Set all options of the handle for run->rq. The run and the target stay where they are until the request
 * ends.
 */
QC_MUST qc_rc net_run_options(struct net_run *run, CURL *easy, const struct net_target *to,
                              struct qc_err *err);

/* What OpenSSL has deciphered is wiped once it is read: a callback of libcurl's (net/tls.c). */
CURLcode net_tls_wiping(CURL *easy, void *ssl_ctx, void *ctx);

/* After a whole answer: tell the head of an empty body, fix what is kept. */
QC_MUST qc_rc net_run_end(struct net_run *run, struct qc_err *err);

/* The request is over, whatever came of it: its headers go, a token among them wiped (I5). */
void net_run_sent(struct net_run *run);
void net_run_done(struct net_run *run);

/* An HTTP/1.1 client over a UNIX socket, TCP to this machine, or TLS 1.3. Layer 1; uses base and libcurl.
 * Keeps I5, I6.
 *
 * One client is one kept connection and belongs to one thread at a time. It follows no redirect, uses no
 * proxy, reads no environment, raises no signal, and never asks for `100 Continue`. Bodies stream in both
 * directions through callbacks: memory does not grow with them.
 *
 * A request that fails without an answer may or may not have had its effect: net_client_reach tells how far
 * it came.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"
#include "base/time.h"
#include <stdbool.h>

#include "net/url.h"

struct net_client; /* opaque */
struct net_keyed;  /* net/keyed.h */
struct net_key_use;

struct net_header {
    const char *name;  /* token, as "Content-Type" */
    const char *value; /* visible ASCII, spaces and tabs inside */
};

#define NET_SIZE_UNKNOWN UINT64_MAX /* the body is sent in chunks (Transfer-Encoding: chunked) */

struct net_response {
    int status;  /* 100 .. 999 as the server sent it; 1xx are never told */
    qc_buf body; /* born by the caller with its max, see net_request; freed by the caller */
    const char *kept[NET_KEEP_MAX]; /* values of request.keep, by its index; NULL: not sent. Until the next
                                       request. */
};

/*
 * The next bytes of the request's body: up to max into dst, *ret_got of them; 0 is the end. Blocking in here
 * is no stall. Anything but QC_OK breaks the request off with that code and text.
 */
typedef qc_rc (*net_read_fn)(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err);

/* Status and headers are here, the body is not. Called once, for 2xx, before the first net_write_fn. May be
 * NULL. */
typedef qc_rc (*net_head_fn)(void *ctx, const struct net_response *head, struct qc_err *err);

/* The next bytes of a 2xx answer's body, borrowed for the call. Anything but QC_OK breaks the request off. */
typedef qc_rc (*net_write_fn)(void *ctx, qc_span bytes, struct qc_err *err);

struct net_request {
    const char *method; /* "GET", "PUT", ... : upper-case letters */
    const char *path;   /* with query, encoded, beginning with '/'; sent as it stands */
    const struct net_header
        *headers;            /* borrowed; Host, Content-Length and Transfer-Encoding are the client's own */
    size_t header_count;     /* up to NET_HEADERS_MAX */
    const char *const *keep; /* names of answer headers to keep, any case; up to NET_KEEP_MAX */
    size_t keep_count;

    qc_span body;     /* the whole body, when read is NULL */
    net_read_fn read; /* or where it comes from */
    void *read_ctx;
    bool repeatable;    /* POST: done twice it does what it does once, so a kept connection will do */
    bool once;          /* GET and its like: done twice it does more than once; never sent again by itself */
    uint64_t body_size; /* with read: bytes, or NET_SIZE_UNKNOWN. Fewer or more bytes than said: QC_IO */

    void (*sent)(void *ctx); /* all of the body is with the system: it goes out whatever becomes of this
                                program. Called once, if it comes to that, before the answer is told. NULL:
                                nobody asks */
    void *sent_ctx;

    net_head_fn head;
    net_write_fn
        write; /* where a 2xx body goes; NULL: into response.body. Other answers' bodies always go there. */
    void *write_ctx; /* for head and write */

    qc_deadline deadline; /* for the whole request */
    uint32_t stall_ms;    /* no byte in either direction for so long: QC_TIMEOUT. 0: only the deadline */
    const struct qc_cancel *cancel; /* or NULL */
};

/* How far the last request came, whatever it returned. */
enum net_reach {
    NET_NOTHING_SENT, /* no byte of it left: repeating it is safe, whatever it was */
    NET_NO_ANSWER, /* sent in part or whole, no answer began: the effect is unknown; repeat what is idempotent
                    */
    NET_ANSWERED,  /* an answer began; its status, if the request failed later, is net_client_status */
};

/*
 * A client for a stream socket `name` in the directory dirfd. The path may be longer than the 108 bytes of a
 * socket address: it is reached through /proc/self/fd. dirfd is duplicated. Connects at the first request.
 *
 * QC_USAGE (name empty, with a '/', or too long), QC_NOMEM, QC_IO
 */
QC_MUST qc_rc net_client_new_unix(struct net_client **ret, int dirfd, const char *name, struct qc_err *err);

/*
 * A client for a server at an address. With TLS its certificate is verified against the authorities in the
 * file ca, and no others; NULL: against the system's. ca is copied. Connects at the first request.
 *
 * QC_USAGE (ca longer than a path), QC_NOMEM
 */
QC_MUST qc_rc net_client_new_url(struct net_client **ret, const struct net_url *url, const char *ca,
                                 struct qc_err *err);

/* Every request from now on says `Authorization: Bearer` and the key's bytes, which are visible ASCII.
 * Borrowed: outlives the client. NULL: none. What libcurl copies of it is wiped when the request ends, as far
 * as it is ours to reach. */
void net_client_bearer(struct net_client *c, const qc_key *token);

/* Something else that is to be done soon, and takes little: fn is called once, in the middle of a request,
 * where its answer, or the connection, is waited for; not at all if none is waited for any more. */
struct net_aside {
    void (*fn)(void *ctx);
    void *ctx;
};
void net_client_aside(struct net_client *c, struct net_aside aside);

/* No more than this goes and comes (net/rate.h): bodies as they pass, heads afterwards; what TLS adds does
 * not count. Borrowed: outlives the client. NULL: no limit. */
struct net_rate;
void net_client_rate(struct net_client *c, struct net_rate *rate);

/* Closes the connection; *c is NULL afterwards. Accepts NULL. */
void net_client_free(struct net_client **c);

/*
 * Mutual TLS, for a server that is known as an address, before the first request: the client shows a
 * certificate. cert: a PEM file with it and those above it; key: a PEM file of ours that nobody else may
 * touch (I5). Both paths are copied, the files are read for each connection. What comes may be secret:
 * OpenSSL wipes what was deciphered once it is read. TLS 1.2 will do, which many key managers speak.
 *
 * QC_AUTH, QC_USAGE (the key's file is another's, or no file), QC_NOTFOUND, QC_NOMEM
 */
QC_MUST qc_rc net_client_mutual(struct net_client *c, const char *cert, const char *key, struct qc_err *err);

/*
 * TLS keyed by QKD instead of certificates (net/keyed.h), for a server that is known as an https address,
 * before the first request. Borrowed: outlives the client. Requests may then fail with
 *
 * QC_LINK  there was no key, or the other end did not take it; nothing of the request was sent
 */
void net_client_keyed(struct net_client *c, const struct net_keyed *k);
void net_client_key(const struct net_client *c, struct net_key_use *ret);

/*
 * Send a request, take the answer. QC_OK means that an answer came whole, of any status: the caller judges
 * it.
 *
 *   rq    borrowed for the call
 *   ret   ret->body.max is set by the caller and bounds the body kept in memory; the rest of *ret is
 *         written on QC_OK. What is in body beforehand is dropped. On failure *ret is as it was.
 *
 * QC_TEMP       nobody listens, or the connection broke: see net_client_reach
 * QC_TIMEOUT    deadline or stall
 * QC_CANCELLED  the cancel flag was raised (seen within 100 ms)
 * QC_LIMIT      the body is larger than ret->body.max, or the headers than NET_HEAD_SIZE_MAX
 * QC_FORMAT     the answer is not HTTP
 * QC_USAGE      method, path or a header would break the request's syntax
 * QC_NOTFOUND   the socket is not there
 * QC_AUTH       the socket may not be opened; or the server's certificate does not verify; or ours is of no
 * use and whatever read, head or write returned. After a failure the connection is closed; the next request
 * makes a new one.
 *
 * A server that refuses and closes while the body still goes out may turn its refusal into QC_TEMP: the
 * broken pipe is met before the answer is read. A server of ours takes the body to its end, then refuses.
 *
 * An idempotent request (GET, HEAD, PUT, DELETE, and what is said to be repeatable) on a kept connection that
 * turns out dead is sent again once by itself, when its body is a span or empty. Others take a new connection
 * each time.
 */
QC_MUST qc_rc net_request(struct net_client *c, const struct net_request *rq, struct net_response *ret,
                          struct qc_err *err);

enum net_reach net_client_reach(const struct net_client *c);
int net_client_status(const struct net_client *c); /* 0 when no answer began */

/* The HTTP side of the gateway: requests in, answers out. Layer 5; uses base, gateway, libmicrohttpd.
 * Contract: docs/API.md, docs/openapi.yaml. Keeps I6, I7.
 *
 * One thread per connection. A request is matched to a row of the route table before its body is read; JSON
 * bodies are collected up to HTTP_BODY_MAX, segments go straight into a unit of the engine (waiting for one
 * is the back-pressure). Calls fill a struct answer; one function turns it into a response. */
#pragma once
#include <microhttpd.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/thread.h"
#include "figures.h"
#include "gateway/engine.h"
#include "drills.h"
#include "jobs.h"
#include "levels.h"
#include "moves.h"
#include "quiet.h"
#include "visitors.h"
#include "watch.h"

enum {
    HTTP_BODY_MAX = 1024 * 1024,        /* the longest JSON body: a commit, in base64 */
    HTTP_ANSWER_MAX = 15 * 1024 * 1024, /* below QC_JSON_MAX, which bounds the client's parser */
    HTTP_PAGE_BYTES = 4 * 1024 * 1024,  /* of paths in one page of a listing */
    HTTP_BLOCK = 512 * 1024,            /* of a streamed answer */
    HTTP_SEND_BUFFER = 1024 * 1024,     /* of a UNIX socket, as the system allows */
    HTTP_CONNECTION_MEMORY = 256 * 1024,
    HTTP_CONNECTIONS_MAX = 64, /* at the owner's door; at those of tenants, as configured */
    HTTP_WATCHERS_MAX = 16,    /* connections at the monitor's door, */
    HTTP_WATCHER_S = 10,       /* each without a byte */
    HTTP_TIMEOUT_S = 300,
    HTTP_SEGMENT_TIMEOUT_S = 30, /* without a byte, while a segment's unit is held */
    HTTP_STALL_MS = 5000,        /* a client that takes nothing of its answer for so long holds no unit */
    HTTP_RETRY_AFTER_S = 1,
    HTTP_TURN_MS = 1000,      /* a request waits so long for others of its tenant */
    HTTP_STRANGER_MS = 10000, /* a connection without a token */
    HTTP_REST_MS = 1000,      /* a kept connection, where others come */
    HTTP_KNOCK_MS = 250, /* a connection without a token, where others come: TLS is spoken in a tenth of it */
    HTTP_GIVE_WAY = 16,  /* connections at a time */
    HTTP_CRAWL_MS = 5000,    /* a body has so long until its speed counts, where others wait for its unit, */
    HTTP_CRAWL_RATE = 65536, /* in bytes per second: 18 MiB in five minutes */
    HTTP_IDS = 3,
};

struct stream;
struct keyed;
struct http_server {
    struct gw_engine *engine;
    struct jobs jobs;
    struct moves moves;
    struct drills drills;
    struct visitors visitors;
    struct quiet quiet; /* what is told of the tenants' doors */
    struct figures figures;
    struct watch watch;
    struct levels levels;
    _Atomic(struct keyed *) keyed; /* the door keyed by QKD; NULL: there is none */
    pthread_mutex_t lock;          /* guards streams */
    struct stream *streams;
    atomic_uint connections;
    atomic_uint requests;         /* under way */
    atomic_bool leaving;          /* no request begins */
    int64_t since_s;              /* wall clock: when it began to serve */
    atomic_uint_fast64_t last_ms; /* qc_now_ms of the last beginning or end of a request */
};

/* Where connections come in. The owner's: the UNIX socket in the state directory, for the gateway's own uid,
 * which is the operator and tenant GW_OWNER. The monitor's: a port of this machine, for whoever is on it,
 * with WHO_WATCHER's calls alone. The others': with a token. */
struct http_door {
    struct http_server *server;
    bool owner, monitor;
    unsigned max; /* connections */
};

enum http_who { WHO_ANY, WHO_OPERATOR, WHO_WATCHER };

struct request {
    struct http_server *server;
    const struct http_door *door;
    struct visitor *visitor; /* NULL at the owner's door */
    struct MHD_Connection *connection;
    const struct route *route;
    uint32_t tenant;                     /* whose request it is: all ids are looked up within it */
    const struct net_want *wanted;       /* of the ways to the clouds, by that tenant */
    struct gw_id id[HTTP_IDS];           /* in the order in which they stand in the path */
    uint64_t number;                     /* the decimal component, where the pattern has one */
    char name[QC_GW_REQUEST_ID_MAX + 1]; /* X-Qcloud-Request, or that of /v1/requests/ID; empty: none */
    qc_buf body;
    struct gw_unit *unit;      /* a segment's bytes */
    struct gw_arrival arrival; /* of that segment */
    uint32_t unit_size;
    bool at_once;       /* a refusal that does not wait for the body; the connection ends with it */
    bool understood;    /* the engine was asked: bytes that do not parse from now on are not the client's */
    unsigned refused;   /* status of a refusal, where HTTP has one that errors do not; 0: by the error */
    const char *header; /* what that status wants to be said with it, or NULL */
    char header_text[64];
    uint64_t began_ns, sent; /* for the figures; bytes of the answer's body, */
    unsigned status;         /* and its status; 0: none */
    qc_rc rc; /* of what went wrong before the call: the body is swallowed, then this is answered */
    struct qc_err err;
};
/* All of the request has been parsed: ask the engine. */
struct gw_engine *request_engine(struct request *r);
/* The first id of the path, as its tenant's: a vault, or a put key. */
struct gw_ref request_ref(const struct request *r);

/* What a call gives back: JSON, raw bytes, or a stretch of a version. Empty is {0}. */
struct answer {
    unsigned status; /* 0: 200 */
    struct json_t *json;
    qc_buf raw;
    const char *type; /* of raw; NULL: bytes */
    struct gw_reader *reader;
    uint64_t from, to, size;   /* of the reader: [from, to) of size */
    uint32_t withheld;         /* of the reader: clouds that it does not ask */
    struct json_t *with_error; /* members beside "error" */
};
void answer_done(struct answer *a);

typedef qc_rc (*route_fn)(struct request *r, struct answer *ret, struct qc_err *err);
enum route_body { BODY_NONE, BODY_JSON, BODY_BYTES, BODY_SEGMENT };

/* Pattern: components; `{}` an id of 32 hex digits, `#` a decimal number, `*` a request's name, `@` a
 * tenant's. */
struct route {
    const char *method, *pattern;
    enum http_who who; /* checked in http.c, before anything else is looked at */
    enum route_body body;
    route_fn run;
};
extern const struct route routes[];
extern const size_t routes_count;

/* The row for a request, its ids and number written into r. QC_NOTFOUND; QC_USAGE: the path is known, the
 * method is not (405). */
QC_MUST qc_rc route_find(struct request *r, const char *method, const char *url, struct qc_err *err);

/* `bytes=A-B`, `bytes=A-`, `bytes=-N` of size bytes (RFC 9110 14.1.2; one range). text NULL: all.
 * *ret_partial: a range was asked for. QC_USAGE: not understood, or nothing of it lies in the object (416).
 */
QC_MUST qc_rc range_parse(const char *text, uint64_t size, uint64_t *ret_from, uint64_t *ret_to,
                          bool *ret_partial, struct qc_err *err);

const char *request_argument(struct request *r, const char *name);
QC_MUST qc_rc request_argument_u64(struct request *r, const char *name, uint64_t otherwise, uint64_t *ret,
                                   struct qc_err *err);
/* The body as a JSON object with no members but these. */
QC_MUST qc_rc request_json(struct request *r, const char *const *names, size_t count, struct json_t **ret,
                           struct qc_err *err);

/* Of calls about many at once (many.c). */
/* The array `name` of a body, of 1..QC_GW_BATCH_CHANGES_MAX members: as many as one batch decides. Borrowed.
 */
QC_MUST qc_rc request_some(const struct json_t *in, const char *name, struct json_t **ret, size_t *ret_count,
                           struct qc_err *err);
/* {"object":hex,"version":hex}, a version of the request's vault. */
QC_MUST qc_rc request_version(const struct request *r, const struct json_t *o, struct gw_version_ids *ret,
                              struct qc_err *err);
/* The request's vault: what is not found behind this is something in it. */
QC_MUST qc_rc request_vault(struct request *r, struct qc_err *err);
/* {"error":{..}}, as a refusal has it, for one of many. */
QC_MUST qc_rc request_error_json(struct request *r, const struct qc_err *why, struct json_t **ret,
                                 struct qc_err *err);

/* Send a stretch of a version; takes the answer's reader. */
enum MHD_Result stream_send(struct request *r, struct answer *a);
/* Streams whose clients stopped reading give back what they hold; they fetch it again when it is asked for.
 */
void streams_rest(struct http_server *server);

/* microhttpd's entry points; cls is the struct http_door. */
enum MHD_Result http_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *version, const char *data, size_t *size, void **state);
void http_completed(void *cls, struct MHD_Connection *connection, void **state,
                    enum MHD_RequestTerminationCode why);
void http_connection(void *cls, struct MHD_Connection *connection, void **socket_state,
                     enum MHD_ConnectionNotificationCode why);

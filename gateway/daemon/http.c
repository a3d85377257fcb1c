#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/log.h"
#include "caller.h"

void answer_done(struct answer *a)
{
    qc_json_free(&a->json);
    qc_json_free(&a->with_error);
    qc_buf_free(&a->raw);
    gw_reader_close(&a->reader);
    *a = (struct answer){ 0 };
}

struct gw_engine *request_engine(struct request *r)
{
    r->understood = true;
    return r->server->engine;
}

struct gw_ref request_ref(const struct request *r)
{
    return (struct gw_ref){ r->tenant, r->id[0] };
}

const char *request_argument(struct request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

qc_rc request_argument_u64(struct request *r, const char *name, uint64_t otherwise, uint64_t *ret,
                           struct qc_err *err)
{
    const char *text = request_argument(r, name);
    uint64_t v = 0;
    if (text == NULL) {
        *ret = otherwise;
        return QC_OK;
    }
    if (text[0] == '\0')
        return QC_FAIL(err, QC_USAGE, "%s: not a number", name);
    for (const char *p = text; *p != '\0'; p++)
        if (*p < '0' || *p > '9' || !qc_mul_u64(v, 10, &v) || !qc_add_u64(v, (uint64_t)(*p - '0'), &v))
            return QC_FAIL(err, QC_USAGE, "%s: not a number", name);
    *ret = v;
    return QC_OK;
}

qc_rc request_json(struct request *r, const char *const *names, size_t count, struct json_t **ret,
                   struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_TRY_AS(qc_json_parse(&in, qc_buf_span(&r->body), err), err, "body");
    if (!qc_json_is_object(in))
        return QC_FAIL(err, QC_FORMAT, "body: not a JSON object");
    QC_TRY_AS(qc_json_only(in, names, count, err), err, "body");
    *ret = QC_STEAL(in);
    return QC_OK;
}

/* In the figures: those that found no row share the last. */
static unsigned route_number(const struct request *r)
{
    return (unsigned)(r->route == NULL ? routes_count : (size_t)(r->route - routes));
}

/* -- answers --------------------------------------------------------------------------------------------- */

/* What is looked at in a browser: nothing is guessed, kept, or framed by another page. */
static bool watcher_headers(struct MHD_Response *response)
{
    static const char *const rows[][2] = {
        { "Cache-Control", "no-store" },
        { "Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action "
                                     "'none'; frame-ancestors 'none'" },
        { "Referrer-Policy", "no-referrer" },
        { "X-Content-Type-Options", "nosniff" },
    };
    bool ok = true;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ok = ok && MHD_add_response_header(response, rows[i][0], rows[i][1]) == MHD_YES;
    return ok;
}

static enum MHD_Result send_bytes(struct request *r, unsigned status, const char *type, qc_span bytes)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(bytes.n, (void *)(uintptr_t)bytes.p, MHD_RESPMEM_MUST_COPY);
    char seconds[16];
    if (response == NULL)
        return MHD_NO;
    r->status = status;
    r->sent = bytes.n;
    snprintf(seconds, sizeof seconds, "%d", HTTP_RETRY_AFTER_S);
    bool ok = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES;
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE || status == MHD_HTTP_TOO_MANY_REQUESTS)
        ok = ok && MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds) == MHD_YES;
    if (r->route != NULL && r->route->who == WHO_WATCHER)
        ok = ok && watcher_headers(response);
    if (r->header != NULL)
        ok = ok && MHD_add_response_header(response, r->header, r->header_text) == MHD_YES;
    enum MHD_Result sent = ok ? MHD_queue_response(r->connection, status, response) : MHD_NO;
    MHD_destroy_response(response);
    return sent;
}

static enum MHD_Result send_json(struct request *r, unsigned status, const struct json_t *json)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = HTTP_ANSWER_MAX };
    struct qc_err err = { 0 };
    if (qc_json_dump(json, &text, &err) != QC_OK)
        return MHD_NO; /* the connection closes: the client sees that there was no answer */
    return send_bytes(r, status, "application/json", qc_buf_span(&text));
}

static qc_rc error_json(struct json_t **json, const struct qc_err *why, const char *told, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *error = NULL;
    if (*json == NULL)
        QC_TRY(qc_json_new_obj(json, err));
    QC_TRY(qc_json_new_obj(&error, err));
    QC_TRY(qc_json_set_str(error, "id", qc_rc_name(why->rc), err));
    if (qc_json_set_str(error, "message", told, err) !=
        QC_OK) /* cut inside a character, or from a file's name */
        QC_TRY(qc_json_set_str(error, "message", qc_rc_text(why->rc), err));
    QC_TRY(qc_json_set_bool(error, "retry", qc_rc_retry(why->rc), err));
    return qc_json_set(*json, "error", &error, err);
}

qc_rc request_error_json(struct request *r, const struct qc_err *why, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(error_json(&o, why, caller_told(r, why), err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

static enum MHD_Result send_error(struct request *r, struct answer *a, const struct qc_err *why)
{
    struct qc_err err = { 0 };
    unsigned status = r->refused != 0 ? r->refused : (unsigned)qc_rc_http(why->rc);
    /* What a client sent and does not parse is its mistake; the table's 502 is for what clouds and disk sent.
     */
    if (why->rc == QC_FORMAT && !r->understood)
        status = MHD_HTTP_BAD_REQUEST;
    if (status >= 500)
        figures_problem(&r->server->figures, route_number(r), (unsigned)why->rc);
    /* Whoever watches is told again and again: it is no event. */
    const bool watched = r->route != NULL && r->route->who == WHO_WATCHER;
    if (!watched && (r->door->owner || quiet_may(&r->server->quiet)))
        QC_LOG(status >= 500 ? QC_LOG_WARN : QC_LOG_INFO, "refused", QC_S("rc", qc_rc_name(why->rc)),
               QC_S("call", r->route != NULL ? r->route->pattern : "-"), QC_U("tenant", r->tenant),
               QC_S("why", why->msg));
    if (error_json(&a->with_error, why, caller_told(r, why), &err) != QC_OK)
        return MHD_NO;
    return send_json(r, status, a->with_error);
}

static enum MHD_Result run_call(struct request *r)
{
    QC_CLEANUP(answer_done) struct answer a = { 0 };
    struct qc_err err = { 0 };
    qc_rc rc = r->rc;
    if (rc != QC_OK)
        return send_error(r, &a, &r->err);
    visitors_phase(&r->server->visitors, r->visitor, VISITOR_WORKS);
    rc = r->route->run(r, &a, &err);
    visitors_phase(&r->server->visitors, r->visitor, VISITOR_SENDS);
    gw_unit_done(&r->unit);
    gw_arrival_end(&r->arrival);
    if (rc != QC_OK)
        return send_error(r, &a, &err);
    if (a.reader != NULL)
        return stream_send(r, &a);
    if (a.status == 0)
        a.status = MHD_HTTP_OK;
    if (a.json != NULL)
        return send_json(r, a.status, a.json);
    return send_bytes(r, a.status, a.type != NULL ? a.type : "application/octet-stream", qc_buf_span(&a.raw));
}

/* -- requests -------------------------------------------------------------------------------------------- */

static enum MHD_Result count_framing(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    unsigned *count = cls;
    (void)kind;
    (void)value;
    *count += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
              strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

/* Two readers may see two ends of a body whose length is said twice (RFC 9112 6.3); microhttpd takes it. */
static qc_rc check_framing(struct request *r, struct qc_err *err)
{
    unsigned count = 0;
    (void)MHD_get_connection_values(r->connection, MHD_HEADER_KIND, count_framing, &count);
    if (count > 1)
        return QC_FAIL(err, QC_USAGE, "the length of the body is said %u times", count);
    return QC_OK;
}

static void set_timeout(struct request *r, unsigned seconds)
{
    if (MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds) != MHD_YES)
        QC_LOG_MSG(QC_LOG_WARN, "a connection keeps its timeout");
}

/* Takes a unit. Whoever holds one and sends nothing loses the connection soon: the unit is wanted by others.
 */
static qc_rc segment_begin(struct request *r, struct qc_err *err)
{
    const char *text =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t size = 0;
    if (text == NULL) {
        r->refused = MHD_HTTP_LENGTH_REQUIRED;
        return QC_FAIL(err, QC_USAGE, "a segment needs a Content-Length");
    }
    for (const char *p = text; *p != '\0'; p++)
        if (*p < '0' || *p > '9' || !qc_mul_u64(size, 10, &size) ||
            !qc_add_u64(size, (uint64_t)(*p - '0'), &size))
            return QC_FAIL(err, QC_USAGE, "Content-Length: not a number");
    if (size < 1 || size > QC_GW_SEGMENT_MAX)
        return QC_FAIL(err, QC_LIMIT, "a segment has 1 to %d bytes", QC_GW_SEGMENT_MAX);
    r->unit_size = (uint32_t)size;
    set_timeout(r, HTTP_SEGMENT_TIMEOUT_S);
    const struct gw_ref put_key = request_ref(r);
    gw_arrival_begin(r->server->engine, &r->arrival, &put_key);
    QC_TRY(gw_engine_unit(r->server->engine, r->tenant, r->unit_size, qc_deadline_in(QC_GW_UNIT_MS), &r->unit,
                          err));
    visitors_unit(&r->server->visitors, r->visitor, 0);
    return QC_OK;
}

static qc_rc request_begin(struct request *r, const char *method, const char *url, struct qc_err *err)
{
    r->at_once = true;
    if (atomic_load(&r->server->leaving))
        return QC_FAIL(err, QC_TEMP, "the gateway is told to stop");
    QC_TRY(check_framing(r, err));
    QC_TRY(caller_identify(r, err));
    r->at_once = false;
    QC_TRY(route_find(r, method, url, err));
    QC_TRY(caller_may(r, err));
    qc_buf_init(&r->body, HTTP_BODY_MAX);
    r->at_once = r->route->body == BODY_SEGMENT; /* before its megabytes are sent */
    return r->at_once ? segment_begin(r, err) : QC_OK;
}

static void request_fail(struct request *r, qc_rc rc)
{
    r->rc = rc;
    gw_arrival_end(&r->arrival);
    gw_unit_done(&r->unit);
    qc_buf_free(&r->body);
}

static void request_data(struct request *r, const char *data, size_t size)
{
    if (r->rc != QC_OK)
        return; /* swallowed: the answer follows the body */
    switch (r->route->body) {
    case BODY_SEGMENT:
        if (size > gw_unit_missing(r->unit)) {
            request_fail(r, QC_FAIL(&r->err, QC_USAGE, "the body is longer than its Content-Length"));
            return;
        }
        gw_unit_add(r->unit, qc_span_of(data, size));
        gw_arrival_moves(&r->arrival, gw_unit_missing(r->unit) == 0);
        visitors_unit(&r->server->visitors, r->visitor, r->unit_size - gw_unit_missing(r->unit));
        return;
    case BODY_JSON:
    case BODY_BYTES:
        r->rc = qc_buf_add(&r->body, qc_span_of(data, size), &r->err);
        return;
    case BODY_NONE:
        request_fail(r, QC_FAIL(&r->err, QC_USAGE, "this call takes no body"));
        return;
    }
}

static struct request *request_new(const struct http_door *door, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct visitor *visitor = info == NULL ? NULL : info->socket_context;
    if (visitor == NULL && !door->owner && !door->monitor)
        return NULL;
    struct request *r = qc_alloc(sizeof *r);
    if (r != NULL)
        *r = (struct request){
            .server = door->server,
            .door = door,
            .visitor = visitor,
            .connection = connection,
            .began_ns = qc_now_ns(),
        };
    if (r != NULL)
        atomic_fetch_add(&door->server->requests, 1);
    return r;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are microhttpd's. */
enum MHD_Result http_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *version, const char *data, size_t *size, void **state)
{
    const struct http_door *door = cls;
    struct request *r = *state;
    (void)version;
    atomic_store(&door->server->last_ms, qc_now_ms());
    if (r == NULL) {
        r = request_new(door, connection);
        *state = r;
        if (r == NULL)
            return MHD_NO;
        qc_rc rc = request_begin(r, method, url, &r->err);
        if (rc != QC_OK)
            request_fail(r, rc);
        return rc != QC_OK && r->at_once ? run_call(r) : MHD_YES;
    }
    if (*size > 0) {
        qc_count_add(&r->server->figures.received, *size);
        request_data(r, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (r->unit != NULL)
        set_timeout(r, HTTP_TIMEOUT_S); /* the call may take longer than a silent client */
    return run_call(r);
}

void http_completed(void *cls, struct MHD_Connection *connection, void **state,
                    enum MHD_RequestTerminationCode why)
{
    const struct http_door *door = cls;
    struct request *r = *state;
    (void)connection;
    (void)why;
    *state = NULL;
    atomic_store(&door->server->last_ms, qc_now_ms());
    if (r == NULL)
        return;
    figures_request(&r->server->figures, route_number(r), r->tenant, r->status, r->began_ns);
    qc_count_add(&r->server->figures.sent, r->sent);
    visitors_phase(&r->server->visitors, r->visitor, VISITOR_RESTS);
    gw_arrival_end(&r->arrival);
    gw_unit_done(&r->unit);
    qc_buf_free(&r->body);
    atomic_fetch_sub(&r->server->requests, 1);
    qc_free(r);
}

/* A larger send buffer means fewer, longer turns of us and the client; the system's limit still holds. Of a
 * UNIX socket: TCP sizes its own. */
static void widen(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const int size = HTTP_SEND_BUFFER;
    int domain = 0;
    socklen_t n = sizeof domain;
    if (info != NULL && getsockopt(info->connect_fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 &&
        domain == AF_UNIX)
        (void)setsockopt(info->connect_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static void visitor_comes(const struct http_door *door, struct MHD_Connection *connection,
                          void **socket_state)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != NULL) /* else, and without memory, its requests are refused */
        *socket_state = visitors_enter(&door->server->visitors, door, door->max, info->connect_fd);
}

void http_connection(void *cls, struct MHD_Connection *connection, void **socket_state,
                     enum MHD_ConnectionNotificationCode why)
{
    const struct http_door *door = cls;
    atomic_store(&door->server->last_ms, qc_now_ms());
    if (why == MHD_CONNECTION_NOTIFY_STARTED) {
        atomic_fetch_add(&door->server->connections, 1);
        widen(connection);
        if (!door->owner && !door->monitor)
            visitor_comes(door, connection, socket_state);
        return;
    }
    visitors_leave(&door->server->visitors, *socket_state);
    *socket_state = NULL;
    atomic_fetch_sub(&door->server->connections, 1);
}

/* Streamed answers. A reader holds a segment's unit between two blocks; there are few of them, and a client
 * that stopped reading (a pager, a stopped process) must not keep one from the others. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "http.h"

struct stream {
    struct http_server *server;
    struct visitor *visitor; /* whom it is sent to; there while it is */
    struct stream *next;     /* guarded by the server's lock; all others by that of the stream */
    pthread_mutex_t lock;
    struct gw_reader *reader; /* NULL: resting */
    uint64_t last_ms;         /* when the last block was handed over */
    struct gw_version_ids ids;
    uint64_t from, to;
    uint32_t withheld;
    char name[QC_GW_REQUEST_ID_MAX + 1];
};

static qc_rc stream_read(struct stream *s, uint64_t at, char *dst, size_t max, size_t *ret,
                         struct qc_err *err)
{
    uint64_t size = 0;
    QC_LOCK(&s->lock);
    if (s->reader == NULL) {
        QC_TRY(gw_reader_open(s->server->engine, &s->ids, s->name, &s->reader, &size, err));
        gw_reader_withhold(s->reader, s->withheld);
    }
    QC_TRY(gw_reader_read(s->reader, s->from + at, s->to, (uint8_t *)dst, max, ret, err));
    s->last_ms = qc_now_ms();
    return QC_OK;
}

static ssize_t stream_more(void *cls, uint64_t at, char *dst, size_t max)
{
    struct stream *s = cls;
    struct qc_err err = { 0 };
    size_t got = 0;
    if (s->from + at >= s->to)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (stream_read(s, at, dst, max, &got, &err) == QC_OK && got > 0) {
        visitors_phase(&s->server->visitors, s->visitor, VISITOR_SENDS);
        qc_count_add(&s->server->figures.sent, got);
        return (ssize_t)got;
    }
    /* The status line is gone: the reason waits under the request's id, and the connection breaks. */
    gw_request_error(s->server->engine, s->ids.tenant, s->name, &err);
    qc_log_err(QC_LOG_WARN, "read broken off", &err);
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static void stream_free(void *cls)
{
    struct stream *s = cls;
    {
        QC_LOCK(&s->server->lock);
        for (struct stream **p = &s->server->streams; *p != NULL; p = &(*p)->next)
            if (*p == s) {
                *p = s->next;
                break;
            }
    }
    gw_reader_close(&s->reader);
    qc_mutex_done(&s->lock);
    qc_free(s);
}

static struct stream *stream_new(struct request *r, struct answer *a)
{
    struct stream *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return NULL;
    *s = (struct stream){
        .visitor = r->visitor,
        .server = r->server,
        .last_ms = qc_now_ms(),
        .ids = { .tenant = r->tenant, .vault = r->id[0], .object = r->id[1], .version = r->id[2] },
        .from = a->from,
        .to = a->to,
        .withheld = a->withheld
    };
    memcpy(s->name, r->name, sizeof s->name);
    s->reader = QC_STEAL(a->reader);
    qc_mutex_init(&s->lock);
    QC_LOCK(&r->server->lock);
    s->next = r->server->streams;
    r->server->streams = s;
    return s;
}

static bool add_headers(struct MHD_Response *response, const struct answer *a)
{
    char text[96];
    bool ok = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream") ==
              MHD_YES;
    if (a->status == MHD_HTTP_PARTIAL_CONTENT) {
        snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, a->from, a->to - 1, a->size);
        ok = ok && MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text) == MHD_YES;
    }
    return ok && MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes") == MHD_YES;
}

enum MHD_Result stream_send(struct request *r, struct answer *a)
{
    struct stream *s = stream_new(r, a);
    if (s == NULL)
        return MHD_NO;
    r->status = a->status;
    struct MHD_Response *response =
        MHD_create_response_from_callback(a->to - a->from, HTTP_BLOCK, stream_more, s, stream_free);
    if (response == NULL) {
        stream_free(s);
        return MHD_NO;
    }
    enum MHD_Result sent =
        add_headers(response, a) ? MHD_queue_response(r->connection, a->status, response) : MHD_NO;
    MHD_destroy_response(response);
    return sent;
}

void streams_rest(struct http_server *server)
{
    QC_LOCK(&server->lock);
    for (struct stream *s = server->streams; s != NULL; s = s->next) {
        if (pthread_mutex_trylock(&s->lock) != 0)
            continue; /* it reads */
        if (qc_now_ms() - s->last_ms >= HTTP_STALL_MS)
            gw_reader_close(&s->reader);
        (void)pthread_mutex_unlock(&s->lock);
    }
}

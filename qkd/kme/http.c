#include "http.h"

#include <string.h>

#include "answer.h"
#include "base/alloc.h"
#include "base/log.h"

/* One request: what came of its body so far. */
struct request {
    qc_buf body;
    bool too_large;
};

static void secret_over(void *cls)
{
    struct qc_secret *s = cls;
    qc_secret_free(s); /* I5: wiped when the answer is sent */
    qc_free(s);
}

/* Keys stay in their secret memory until they are sent. */
static struct MHD_Response *key_response(struct kme_answer *a)
{
    struct qc_secret *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return NULL;
    *s = QC_STEAL(a->secret);
    struct MHD_Response *r =
        MHD_create_response_from_buffer_with_free_callback_cls(a->n, s->p, secret_over, s);
    if (r == NULL)
        secret_over(s);
    return r;
}

static enum MHD_Result send_answer(struct MHD_Connection *c, struct kme_answer *a)
{
    struct MHD_Response *r =
        a->secret.p != NULL ? key_response(a)
                            : MHD_create_response_from_buffer(a->text.n, a->text.p, MHD_RESPMEM_MUST_COPY);
    if (r == NULL)
        return MHD_NO;
    bool ok = MHD_add_response_header(r, "Cache-Control", "no-store") == MHD_YES;
    if (a->secret.p != NULL || a->text.n > 0 || a->n > 0)
        ok = ok && MHD_add_response_header(r, "Content-Type",
                                           a->type != NULL ? a->type : "application/json") == MHD_YES;
    const enum MHD_Result sent = ok ? MHD_queue_response(c, a->status, r) : MHD_NO;
    MHD_destroy_response(r);
    return sent;
}

/* A failure of ours is told as 503, and logged. */
static enum MHD_Result answer(const struct kme_http *h, const struct kme_call *c)
{
    QC_CLEANUP(kme_answer_done) struct kme_answer a = { 0 };
    struct qc_err err = { 0 };
    if (h->run(h->cls, c, &a, &err) != QC_OK) {
        qc_log_err(QC_LOG_ERROR, "a call failed", &err);
        kme_answer_done(&a);
        if (kme_error(&a, 503, "the KME fails", &err) != QC_OK)
            return MHD_NO;
    }
    return send_answer(c->connection, &a);
}

/* NOLINTNEXTLINE(readability-function-size): the shape is libmicrohttpd's */
enum MHD_Result kme_http_handle(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                                const char *version, const char *data, size_t *size, void **state)
{
    struct request *q = *state;
    struct qc_err err = { 0 };
    (void)version;
    if (q == NULL) {
        q = qc_alloc(sizeof *q);
        if (q == NULL)
            return MHD_NO;
        q->body.max = KME_BODY_MAX;
        *state = q;
        return MHD_YES;
    }
    if (*size > 0) {
        q->too_large = q->too_large || qc_buf_add(&q->body, qc_span_of(data, *size), &err) != QC_OK;
        *size = 0;
        return MHD_YES;
    }
    const struct kme_call call = { .connection = c,
                                   .url = url,
                                   .method = method,
                                   .body = qc_buf_span(&q->body),
                                   .too_large = q->too_large };
    return answer(cls, &call);
}

void kme_http_completed(void *cls, struct MHD_Connection *c, void **state,
                        enum MHD_RequestTerminationCode why)
{
    struct request *q = *state;
    (void)cls, (void)c, (void)why;
    if (q == NULL)
        return;
    qc_buf_free(&q->body);
    qc_free(q);
    *state = NULL;
}

#include "handoff.h"

#include <string.h>

#include "base/thread.h"

void handoff_init(struct handoff *h)
{
    *h = (struct handoff){ .ended = false };
    qc_mutex_init(&h->lock);
    qc_cond_init(&h->changed);
}

void handoff_done(struct handoff *h)
{
    qc_cond_done(&h->changed);
    qc_mutex_done(&h->lock);
}

qc_rc handoff_give(struct handoff *h, qc_span bytes, struct qc_err *err)
{
    QC_LOCK(&h->lock);
    QC_ASSERT(!h->ended);
    h->piece = bytes;
    qc_cond_wake_all(&h->changed);
    while (h->piece.n > 0 && !h->over)
        qc_cond_wait(&h->changed, &h->lock, QC_NO_DEADLINE);
    h->piece = (qc_span){ 0 };
    return h->over ? QC_FAIL(err, QC_CANCELLED, "nobody takes the bytes any more") : QC_OK;
}

void handoff_end(struct handoff *h, const struct qc_err *why)
{
    QC_LOCK(&h->lock);
    if (!h->ended && why != NULL)
        h->why = *why;
    h->ended = true;
    qc_cond_wake_all(&h->changed);
}

static void wait_for_bytes(struct handoff *h)
{
    while (h->piece.n == 0 && !h->ended)
        qc_cond_wait(&h->changed, &h->lock, QC_NO_DEADLINE);
}

qc_rc handoff_take(struct handoff *h, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    QC_LOCK(&h->lock);
    wait_for_bytes(h);
    const size_t n = h->piece.n < max ? h->piece.n : max;
    if (n == 0 && h->why.rc != QC_OK) {
        *err = h->why;
        return h->why.rc;
    }
    if (n > 0 && dst != NULL)
        memcpy(dst, h->piece.p, n);
    h->piece = qc_span_from(h->piece, n);
    if (h->piece.n == 0)
        qc_cond_wake_all(&h->changed);
    *ret_got = n;
    return QC_OK;
}

qc_rc handoff_wait(struct handoff *h, struct qc_err *err)
{
    QC_LOCK(&h->lock);
    wait_for_bytes(h);
    if (h->piece.n == 0 && h->why.rc != QC_OK)
        *err = h->why;
    return h->piece.n == 0 ? h->why.rc : QC_OK;
}

void handoff_leave(struct handoff *h)
{
    QC_LOCK(&h->lock);
    h->over = true;
    qc_cond_wake_all(&h->changed);
}

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

static void wait_until(struct handoff *h, size_t left)
{
    while (h->count > left && !h->over)
        qc_cond_wait(&h->changed, &h->lock, QC_NO_DEADLINE);
}

static qc_rc lend(struct handoff *h, qc_span bytes, size_t left, struct qc_err *err)
{
    QC_LOCK(&h->lock);
    QC_ASSERT(!h->ended && h->count < HANDOFF_LENT);
    if (bytes.n > 0)
        h->piece[h->count++] = bytes;
    qc_cond_wake_all(&h->changed);
    wait_until(h, left);
    if (!h->over)
        return QC_OK;
    h->count = 0;
    return QC_FAIL(err, QC_CANCELLED, "nobody takes the bytes any more");
}

qc_rc handoff_give(struct handoff *h, qc_span bytes, struct qc_err *err)
{
    return lend(h, bytes, 0, err);
}

/* One place is free for the next. */
qc_rc handoff_lend(struct handoff *h, qc_span bytes, struct qc_err *err)
{
    return lend(h, bytes, HANDOFF_LENT - 1, err);
}

void handoff_settle(struct handoff *h)
{
    QC_LOCK(&h->lock);
    wait_until(h, 0);
}

void handoff_end(struct handoff *h, const struct qc_err *why)
{
    QC_LOCK(&h->lock);
    if (!h->ended && why != NULL) {
        h->why = *why;
        h->count = 0;
    }
    h->ended = true;
    qc_cond_wake_all(&h->changed);
}

static void wait_for_bytes(struct handoff *h)
{
    while (h->count == 0 && !h->ended)
        qc_cond_wait(&h->changed, &h->lock, QC_NO_DEADLINE);
}

static void drop_first(struct handoff *h)
{
    h->count--;
    memmove(h->piece, h->piece + 1, h->count * sizeof *h->piece);
    qc_cond_wake_all(&h->changed);
}

qc_rc handoff_take(struct handoff *h, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    QC_LOCK(&h->lock);
    wait_for_bytes(h);
    if (h->count == 0 && h->why.rc != QC_OK) {
        *err = h->why;
        return h->why.rc;
    }
    const qc_span first = h->count > 0 ? h->piece[0] : (qc_span){ 0 };
    const size_t n = first.n < max ? first.n : max;
    if (n > 0 && dst != NULL)
        memcpy(dst, first.p, n);
    if (n > 0)
        h->piece[0] = qc_span_from(first, n);
    if (n > 0 && n == first.n)
        drop_first(h);
    *ret_got = n;
    return QC_OK;
}

qc_rc handoff_wait(struct handoff *h, struct qc_err *err)
{
    QC_LOCK(&h->lock);
    wait_for_bytes(h);
    if (h->count == 0 && h->why.rc != QC_OK)
        *err = h->why;
    return h->count == 0 ? h->why.rc : QC_OK;
}

void handoff_leave(struct handoff *h)
{
    QC_LOCK(&h->lock);
    h->over = true;
    qc_cond_wake_all(&h->changed);
}

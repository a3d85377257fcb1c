/* The sticky reader of base/buf.h. */
#include "base/buf.h"

static const uint8_t *take(qc_rd *r, uint64_t n)
{
    QC_ASSERT(r->at <= r->s.n);
    if (r->bad || n > r->s.n - r->at) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->s.p == NULL ? NULL : r->s.p + r->at;
    r->at += (size_t)n;
    return p;
}

uint64_t qc_rd_be(qc_rd *r, size_t nbytes)
{
    QC_ASSERT(nbytes >= 1 && nbytes <= 8);
    const uint8_t *p = take(r, nbytes);
    return p == NULL ? 0 : qc_get_be(p, nbytes);
}

qc_span qc_rd_bytes(qc_rd *r, uint64_t n)
{
    const uint8_t *p = take(r, n);

    return qc_span_of(p, p == NULL ? 0 : (size_t)n);
}

void qc_rd_copy(qc_rd *r, uint8_t *dst, size_t n)
{
    if (n == 0)
        return;
    const uint8_t *p = take(r, n);
    if (p == NULL)
        memset(dst, 0, n);
    else
        memcpy(dst, p, n);
}

void qc_rd_zero(qc_rd *r, size_t n)
{
    qc_span s = qc_rd_bytes(r, n);

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != 0)
            r->bad = true;
    }
}

void qc_rd_fail(qc_rd *r)
{
    r->bad = true;
}

size_t qc_rd_left(const qc_rd *r)
{
    return r->bad ? 0 : r->s.n - r->at;
}

bool qc_rd_ok(const qc_rd *r)
{
    return !r->bad;
}

bool qc_rd_end(const qc_rd *r)
{
    return !r->bad && r->at == r->s.n;
}

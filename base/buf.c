#include "base/buf.h"

#include <stdio.h>

#include "base/alloc.h"

enum { BUF_FIRST = 64 };

bool qc_span_eq(qc_span a, qc_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int qc_span_cmp(qc_span a, qc_span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

    if (c != 0)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

qc_span qc_span_sub(qc_span s, size_t off, size_t n)
{
    QC_ASSERT(off <= s.n);
    QC_ASSERT(n <= s.n - off);
    return (qc_span){ s.p == NULL ? NULL : s.p + off, n };
}

qc_span qc_span_from(qc_span s, size_t off)
{
    QC_ASSERT(off <= s.n);
    return qc_span_sub(s, off, s.n - off);
}

bool qc_is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

qc_span qc_span_trim(qc_span s)
{
    while (s.n > 0 && qc_is_blank(s.p[0]))
        s = qc_span_from(s, 1);
    while (s.n > 0 && qc_is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool qc_add_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
    uint64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *ret = sum;
    return true;
}

bool qc_mul_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
    uint64_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *ret = product;
    return true;
}

bool qc_add_size(size_t a, size_t b, size_t *ret)
{
    size_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *ret = sum;
    return true;
}

void qc_put_be(uint8_t *p, uint64_t v, size_t nbytes)
{
    QC_ASSERT(nbytes >= 1 && nbytes <= 8);
    QC_ASSERT(nbytes == 8 || v >> (8 * nbytes) == 0);
    for (size_t i = nbytes; i-- > 0; v >>= 8)
        p[i] = (uint8_t)(v & 0xff);
}

uint64_t qc_get_be(const uint8_t *p, size_t nbytes)
{
    uint64_t v = 0;

    QC_ASSERT(nbytes >= 1 && nbytes <= 8);
    for (size_t i = 0; i < nbytes; i++)
        v = v << 8 | p[i];
    return v;
}

void qc_buf_init(qc_buf *b, size_t max)
{
    *b = (qc_buf){ .max = max };
}

void qc_buf_free(qc_buf *b)
{
    qc_free(b->p);
    *b = (qc_buf){ 0 };
}

void qc_buf_clear(qc_buf *b)
{
    b->n = 0;
}

qc_span qc_buf_span(const qc_buf *b)
{
    return (qc_span){ b->p, b->n };
}

qc_rc qc_buf_reserve(qc_buf *b, size_t n, struct qc_err *err)
{
    size_t need;

    QC_ASSERT(b->n <= b->cap);
    if (!qc_add_size(b->n, n, &need) || need > b->max)
        return QC_FAIL(err, QC_LIMIT, "%zu bytes and %zu more, over the limit of %zu", b->n, n, b->max);
    if (need <= b->cap)
        return QC_OK;
    size_t cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->max)
        cap = b->max;
    uint8_t *p = qc_realloc(b->p, cap);
    if (p == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for %zu bytes", cap);
    b->p = p;
    b->cap = cap;
    return QC_OK;
}

qc_rc qc_buf_add(qc_buf *b, qc_span s, struct qc_err *err)
{
    QC_TRY(qc_buf_reserve(b, s.n, err));
    if (s.n > 0)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    return QC_OK;
}

qc_rc qc_buf_add_be(qc_buf *b, uint64_t v, size_t nbytes, struct qc_err *err)
{
    uint8_t t[8];

    qc_put_be(t, v, nbytes);
    return qc_buf_add(b, qc_span_of(t, nbytes), err);
}

qc_rc qc_buf_extend(qc_buf *b, size_t n, uint8_t **ret, struct qc_err *err)
{
    QC_TRY(qc_buf_reserve(b, n, err));
    if (n > 0)
        memset(b->p + b->n, 0, n);
    *ret = n > 0 ? b->p + b->n : b->p;
    b->n += n;
    return QC_OK;
}

qc_rc qc_buf_add_zero(qc_buf *b, size_t n, struct qc_err *err)
{
    uint8_t *p;

    return qc_buf_extend(b, n, &p, err);
}

qc_rc qc_buf_add_str(qc_buf *b, const char *s, struct qc_err *err)
{
    return qc_buf_add(b, qc_span_str(s), err);
}

qc_rc qc_buf_addv(qc_buf *b, struct qc_err *err, const char *fmt, va_list args)
{
    va_list again;

    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return QC_FAIL(err, QC_GENERAL, "formatting text");
    /* vsnprintf writes a terminator that is not part of the content: room for it, too. */
    QC_TRY(qc_buf_reserve(b, (size_t)n + 1, err));
    vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, args);
    b->n += (size_t)n;
    return QC_OK;
}

qc_rc qc_buf_addf(qc_buf *b, struct qc_err *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    const qc_rc rc = qc_buf_addv(b, err, fmt, args);
    va_end(args);
    return rc;
}

qc_rc qc_buf_cstr(qc_buf *b, const char **ret, struct qc_err *err)
{
    if (b->n > 0 && memchr(b->p, 0, b->n) != NULL)
        return QC_FAIL(err, QC_FORMAT, "text with a NUL byte");
    QC_TRY(qc_buf_reserve(b, 1, err));
    b->p[b->n] = '\0';
    *ret = (const char *)b->p;
    return QC_OK;
}

/* Bytes: spans borrow, buffers own, a reader parses. Layer 0; uses err, cleanup, alloc. One thread at a time.
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"

/* Borrowed, read only, never freed. {0} is empty. */
typedef struct qc_span {
    const uint8_t *p;
    size_t n;
} qc_span;

/* Owned; n bytes of content, cap allocated, never more than max. {0} is empty and may not grow. */
typedef struct qc_buf {
    uint8_t *p;
    size_t n, cap, max;
} qc_buf;

/* The bytes of a string literal, without its terminator. */
#define QC_LIT(s) ((qc_span){ (const uint8_t *)("" s), sizeof(s) - 1 })

static inline qc_span qc_span_of(const void *p, size_t n)
{
    return (qc_span){ (const uint8_t *)p, n };
}

/* The bytes of a C string, without its terminator; borrowed. */
static inline qc_span qc_span_str(const char *s)
{
    return (qc_span){ (const uint8_t *)s, strlen(s) };
}

/* Same length and bytes. Not constant time: never for secrets or authenticators. */
bool qc_span_eq(qc_span a, qc_span b);
/* By bytes, then by length: negative, 0, positive. */
int qc_span_cmp(qc_span a, qc_span b);
/* n bytes from off. off + n <= s.n is the caller's duty (asserted). */
qc_span qc_span_sub(qc_span s, size_t off, size_t n);
/* s without its first off bytes; off <= s.n (asserted). */
qc_span qc_span_from(qc_span s, size_t off);
/* Space, tab, CR, LF. */
bool qc_is_blank(uint8_t c);
/* s without blanks at both ends. */
qc_span qc_span_trim(qc_span s);

/* a + b, a * b into *ret; false, and *ret untouched, when it does not fit. For lengths from outside. */
QC_MUST bool qc_add_u64(uint64_t a, uint64_t b, uint64_t *ret);
QC_MUST bool qc_mul_u64(uint64_t a, uint64_t b, uint64_t *ret);
QC_MUST bool qc_add_size(size_t a, size_t b, size_t *ret);

/* Big-endian integers of 1..8 bytes; the value must fit (asserted). */
void qc_put_be(uint8_t *p, uint64_t v, size_t nbytes);
uint64_t qc_get_be(const uint8_t *p, size_t nbytes);

/* b becomes empty, with a max. It must own nothing. (Or: qc_buf b = { .max = m }.) */
void qc_buf_init(qc_buf *b, size_t max);
/* Frees the bytes; b is {0}. */
void qc_buf_free(qc_buf *b);
/* No content, capacity and max kept. */
void qc_buf_clear(qc_buf *b);
/* A view of the content, valid until b changes. */
qc_span qc_buf_span(const qc_buf *b);

/*
 * Growing. On failure b is as it was.
 * QC_LIMIT when b would pass its max, QC_NOMEM. Amortised constant time per byte.
 */
QC_MUST qc_rc qc_buf_reserve(qc_buf *b, size_t n,
                             struct qc_err *err);                   /* room for n more bytes, content as is */
QC_MUST qc_rc qc_buf_add(qc_buf *b, qc_span s, struct qc_err *err); /* s must not lie in b */
QC_MUST qc_rc qc_buf_add_be(qc_buf *b, uint64_t v, size_t nbytes, struct qc_err *err);
QC_MUST qc_rc qc_buf_add_zero(qc_buf *b, size_t n, struct qc_err *err);
QC_MUST qc_rc qc_buf_add_str(qc_buf *b, const char *s, struct qc_err *err); /* without the terminator */
QC_MUST qc_rc qc_buf_addf(qc_buf *b, struct qc_err *err, const char *fmt, ...) QC_PRINTF(3, 4);
QC_MUST qc_rc qc_buf_addv(qc_buf *b, struct qc_err *err, const char *fmt, va_list args) QC_PRINTF(3, 0);
/* Append n bytes that the caller fills: *ret points at them, valid until b changes. They are zeros. */
QC_MUST qc_rc qc_buf_extend(qc_buf *b, size_t n, uint8_t **ret, struct qc_err *err);
/* The content as a C string: a NUL stands after it (not counted in n). Refuses content with a NUL: QC_FORMAT.
 */
QC_MUST qc_rc qc_buf_cstr(qc_buf *b, const char **ret, struct qc_err *err);

/*
 * A reader with a sticky failure: a parser reads like the format's table and tests once, at the end. After a
 * failure every read gives zeros and empty spans. Start with qc_rd r = { .s = in }.
 */
typedef struct qc_rd {
    qc_span s; /* borrowed */
    size_t at;
    bool bad;
} qc_rd;

uint64_t qc_rd_be(qc_rd *r, size_t nbytes);        /* 1..8 bytes */
qc_span qc_rd_bytes(qc_rd *r, uint64_t n);         /* borrowed from r->s; n comes from outside */
void qc_rd_copy(qc_rd *r, uint8_t *dst, size_t n); /* zeros on failure */
void qc_rd_zero(qc_rd *r, size_t n);               /* n reserved bytes; fails unless all are zero */
void qc_rd_fail(qc_rd *r);                         /* the parser's own objection */
size_t qc_rd_left(const qc_rd *r);                 /* 0 after a failure */
QC_MUST bool qc_rd_ok(const qc_rd *r);             /* nothing failed so far */
QC_MUST bool qc_rd_end(const qc_rd *r);            /* nothing failed and nothing is left over */

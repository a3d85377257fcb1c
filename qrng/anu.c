#include "anu.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/key.h"
#include "base/scan.h"

static void want(struct qc_scan *j, uint8_t c)
{
    if (!qc_scan_eat(j, c))
        qc_scan_object(j, "it is no JSON of the form that is expected");
}

/* A string without escapes; ours have none. */
static qc_span string(struct qc_scan *j)
{
    want(j, '"');
    const size_t begin = j->at;
    while (j->at < j->n && j->p[j->at] != '"' && j->p[j->at] != '\\' && j->p[j->at] >= 0x20)
        j->at++;
    const qc_span s = qc_span_of(j->p + begin, j->at - begin);
    if (j->at == j->n || j->p[j->at] != '"')
        qc_scan_object(j, "a string does not end, or has an escape");
    else
        j->at++;
    return j->bad == NULL ? s : (qc_span){ 0 };
}

/* A number, true, false, null. */
static qc_span word(struct qc_scan *j)
{
    (void)qc_scan_peek(j);
    const size_t begin = j->at;
    while (j->at < j->n &&
           ((j->p[j->at] >= '0' && j->p[j->at] <= '9') || (j->p[j->at] >= 'a' && j->p[j->at] <= 'z') ||
            j->p[j->at] == '-' || j->p[j->at] == '.' || j->p[j->at] == '+' || j->p[j->at] == 'E'))
        j->at++;
    if (j->at == begin)
        qc_scan_object(j, "it is no JSON of the form that is expected");
    return qc_span_of(j->p + begin, j->at - begin);
}

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct answer {
    size_t bytes, items, each; /* each: digits of an item */
    bool success, typed, has_data;
    uint64_t length;
    char why[160]; /* an objection that has numbers in it */
};

enum { WORD_DIGITS = 4, WORD_MAX = 0xffff, SHOWN = 20 /* characters of a number */ };

/* Against the item that is being read. */
__attribute__((format(printf, 3, 4))) static void object(struct qc_scan *j, struct answer *a,
                                                         const char *what, ...)
{
    va_list more;
    if (j->bad != NULL)
        return;
    const int n = snprintf(a->why, sizeof a->why, "item %zu ", a->items + 1);
    va_start(more, what);
    vsnprintf(a->why + n, sizeof a->why - (size_t)n, what, more);
    va_end(more);
    qc_scan_object(j, a->why);
}

/* An item of another type. A number that no word can be is shown: what it was is of no use to anybody; one
 * that might be a word is not (I5). */
static void number(struct qc_scan *j, struct answer *a)
{
    const qc_span w = word(j);
    uint64_t v = 0;
    bool plain = w.n <= 5;
    for (size_t i = 0; i < w.n && plain; i++) {
        plain = w.p[i] >= '0' && w.p[i] <= '9';
        v = 10 * v + (uint64_t)(w.p[i] - '0');
    }
    if (plain && v <= WORD_MAX)
        object(j, a, "is a number, expected a string of hexadecimal digits");
    else
        object(j, a, "is %.*s, which is out of range: a word is 0 to %d, as hexadecimal digits, 0000 to ffff",
               (int)(w.n < SHOWN ? w.n : SHOWN), (const char *)w.p, WORD_MAX);
}

/* The digits of an item become bytes at the text's begin, which lies behind what was read. */
static void item(struct qc_scan *j, struct answer *a)
{
    const uint8_t next = qc_scan_peek(j);
    if (next == '-' || (next >= '0' && next <= '9')) {
        number(j, a);
        return;
    }
    const qc_span s = string(j);
    if (s.n == 0 || s.n % WORD_DIGITS != 0)
        object(j, a, "has %zu digits, which is out of range: a word has %d, 0000 to ffff (0 to %d)", s.n,
               WORD_DIGITS, WORD_MAX);
    else if (a->items > 0 && s.n != a->each)
        object(j, a, "has %zu digits, expected %zu as the others", s.n, a->each);
    if (j->bad != NULL)
        return;
    for (size_t i = 0; i < s.n; i += 2) {
        const int high = digit(s.p[i]), low = digit(s.p[i + 1]);
        if (high < 0 || low < 0) {
            object(j, a, "has what is no hexadecimal digit (0 to 9, a to f)");
            return;
        }
        j->p[a->bytes++] = (uint8_t)(high << 4 | low);
    }
    a->each = s.n;
    a->items++;
}

static void data(struct qc_scan *j, struct answer *a)
{
    if (a->has_data)
        qc_scan_object(j, "there is data twice");
    a->has_data = true;
    want(j, '[');
    if (qc_scan_eat(j, ']'))
        return;
    do
        item(j, a);
    while (qc_scan_eat(j, ','));
    want(j, ']');
}

static void length(struct qc_scan *j, struct answer *a)
{
    const qc_span s = qc_scan_peek(j) == '"' ? string(j) : word(j);
    if (s.n == 0 || s.n > 5)
        qc_scan_object(j, "its length is no number");
    for (size_t i = 0; i < s.n && i < 5; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            qc_scan_object(j, "its length is no number");
        a->length = 10 * a->length + (uint64_t)(s.p[i] - '0');
    }
}

static void member(struct qc_scan *j, struct answer *a)
{
    const qc_span name = string(j);
    /* The name lies in front of the data, or behind it: what it says is used before anything is written. */
    const bool is_data = qc_span_eq(name, QC_LIT("data")), is_success = qc_span_eq(name, QC_LIT("success")),
               is_type = qc_span_eq(name, QC_LIT("type")), is_length = qc_span_eq(name, QC_LIT("length"));
    want(j, ':');
    if (is_data)
        data(j, a);
    else if (is_success)
        a->success = qc_span_eq(word(j), QC_LIT("true"));
    else if (is_type)
        a->typed = qc_span_eq(string(j), QC_LIT("hex16"));
    else if (is_length)
        length(j, a);
    else if (qc_scan_peek(j) == '"')
        (void)string(j);
    else
        (void)word(j);
}

static void take(struct qc_scan *j, struct answer *a, size_t count)
{
    want(j, '{');
    do
        member(j, a);
    while (qc_scan_eat(j, ','));
    want(j, '}');
    if (j->bad == NULL && (qc_scan_peek(j) != 0 || j->at != j->n))
        qc_scan_object(j, "something stands behind it");
    if (!a->success)
        qc_scan_object(j, "it does not say success");
    if (!a->typed)
        qc_scan_object(j, "it is of another type than hex16");
    if (a->items != count || a->length != count)
        qc_scan_object(j, "it has another number of items than were asked for");
}

qc_rc qrng_anu_take(uint8_t *text, size_t n, size_t count, size_t *ret, struct qc_err *err)
{
    struct qc_scan j = { .p = text, .n = n };
    struct answer a = { 0 };
    take(&j, &a, count);
    if (j.bad != NULL) {
        qc_wipe(text, n);
        return QC_FAIL(err, QC_FORMAT, "%s", j.bad);
    }
    qc_wipe(text + a.bytes, n - a.bytes);
    *ret = a.bytes;
    return QC_OK;
}

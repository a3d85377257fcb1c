#include "anu.h"

#include <stdbool.h>
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
};

/* The digits of an item become bytes at the text's begin, which lies behind what was read. */
static void item(struct qc_scan *j, struct answer *a)
{
    const qc_span s = string(j);
    if (j->bad != NULL || s.n == 0 || s.n % 2 != 0 || (a->items > 0 && s.n != a->each)) {
        qc_scan_object(j, "an item is no string of hexadecimal digits, or of another length");
        return;
    }
    for (size_t i = 0; i < s.n; i += 2) {
        const int high = digit(s.p[i]), low = digit(s.p[i + 1]);
        if (high < 0 || low < 0) {
            qc_scan_object(j, "an item has what is no hexadecimal digit");
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

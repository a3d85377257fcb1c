#include "container.h"

#include <stdbool.h>
#include <string.h>

#include "base/key.h"
#include "base/scan.h"

/* -- base64, whose digits are secret --------------------------------------------------------------------- */

/* All ones where lo <= c <= hi, else zero. */
static unsigned in_range(unsigned c, unsigned lo, unsigned hi)
{
    const unsigned below = c - lo, above = hi - c; /* the top bit: it is not */
    return ((below | above) >> 31) - 1U;
}

/* The value of a digit; *ret_ok keeps its ones only where it is one. */
static unsigned digit(unsigned c, unsigned *ret_ok)
{
    const unsigned upper = in_range(c, 'A', 'Z'), lower = in_range(c, 'a', 'z'), dec = in_range(c, '0', '9');
    const unsigned plus = in_range(c, '+', '+'), slash = in_range(c, '/', '/');
    *ret_ok &= upper | lower | dec | plus | slash;
    return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (dec & (c - '0' + 52)) | (plus & 62) |
           (slash & 63);
}

bool qkd_base64(const uint8_t *text, size_t length, uint8_t *out, size_t n)
{
    const size_t pad = (3 - n % 3) % 3;
    unsigned ok = ~0U;

    if (n == 0 || length / 4 != (n + 2) / 3 || length % 4 != 0)
        return false;
    for (size_t i = 0; i < pad; i++)
        if (text[length - 1 - i] != '=')
            return false;
    for (size_t i = 0, at = 0; i < length; i += 4) {
        unsigned v = 0;
        const size_t digits = i + 4 < length ? 4 : 4 - pad;
        for (size_t j = 0; j < digits; j++)
            v |= digit(text[i + j], &ok) << (18 - 6 * j);
        for (size_t j = 0; j + 1 < digits; j++)
            out[at++] = (uint8_t)(v >> (16 - 8 * j) & 0xff);
        if (digits < 4) /* bits beyond the last byte are zero: one text for each value */
            ok &= 0U - (((v & ((1U << (8 * (4 - digits))) - 1)) - 1U) >> 31);
    }
    return ok == ~0U;
}

/* -- JSON, in memory that is written behind it ----------------------------------------------------------- */

static void want(struct qc_scan *j, uint8_t c)
{
    if (!qc_scan_eat(j, c))
        qc_scan_object(j, "it is not JSON");
}

/* What follows a backslash, as one byte: what is not ASCII is of no use to us, and becomes 0xff. */
static uint8_t escape(struct qc_scan *j)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *known = j->at < j->n && j->p[j->at] != 0 ? strchr(from, j->p[j->at]) : NULL;
    unsigned v = 0;

    if (known != NULL) {
        j->at++;
        return (uint8_t)to[known - from];
    }
    if (j->n - j->at < 5 || j->p[j->at] != 'u') {
        qc_scan_object(j, "a string has a wrong escape");
        return 0xff;
    }
    for (size_t i = 1; i <= 4; i++) {
        const unsigned c = j->p[j->at + i];
        const bool dec = c >= '0' && c <= '9', low = c >= 'a' && c <= 'f', up = c >= 'A' && c <= 'F';
        if (!dec && !low && !up)
            qc_scan_object(j, "a string has a wrong escape");
        v = v << 4 | (dec ? c - '0' : (c | 0x20U) - 'a' + 10);
    }
    j->at += 5;
    if (v == 0)
        qc_scan_object(j, "a string has a NUL");
    return v < 0x80 ? (uint8_t)v : 0xff;
}

/* A string; its escapes are resolved where it lies. */
static qc_span string(struct qc_scan *j)
{
    want(j, '"');
    const size_t begin = j->at;
    size_t end = begin;
    while (j->bad == NULL && j->at < j->n && j->p[j->at] != '"' && j->p[j->at] >= 0x20) {
        const uint8_t c = j->p[j->at++];
        const uint8_t value = c == '\\' ? escape(j) : c;
        j->p[end++] = value;
    }
    if (j->bad == NULL && (j->at == j->n || j->p[j->at] != '"'))
        qc_scan_object(j, "a string does not end");
    j->at++;
    return j->bad == NULL ? qc_span_of(j->p + begin, end - begin) : (qc_span){ 0 };
}

static size_t digits(struct qc_scan *j)
{
    const size_t begin = j->at;
    while (j->at < j->n && j->p[j->at] >= '0' && j->p[j->at] <= '9')
        j->at++;
    return j->at - begin;
}

static bool next_is(struct qc_scan *j, const char *these)
{
    const bool is = j->at < j->n && j->p[j->at] != 0 && strchr(these, j->p[j->at]) != NULL;
    j->at += is;
    return is;
}

static void number(struct qc_scan *j)
{
    (void)next_is(j, "-");
    const bool zero = j->at < j->n && j->p[j->at] == '0';
    size_t n = digits(j);
    bool good = n == 1 || (n > 1 && !zero);
    if (next_is(j, "."))
        good = digits(j) > 0 && good;
    if (next_is(j, "eE")) {
        (void)next_is(j, "+-");
        good = digits(j) > 0 && good;
    }
    if (!good)
        qc_scan_object(j, "it is not JSON");
}

static bool word(struct qc_scan *j, qc_span w)
{
    const bool is = j->n - j->at >= w.n && qc_span_eq(qc_span_of(j->p + j->at, w.n), w);
    j->at += is ? w.n : 0;
    return is;
}

static void skip(struct qc_scan *j);

/* The members of an object, or the elements of an array, all passed over. */
static void skip_inside(struct qc_scan *j, bool object, uint8_t end)
{
    if (++j->depth > QC_JSON_DEPTH_MAX)
        qc_scan_object(j, "it has too many levels");
    j->at++;
    if (!qc_scan_eat(j, end)) {
        do {
            if (object) {
                (void)string(j);
                want(j, ':');
            }
            skip(j);
        } while (qc_scan_eat(j, ','));
        want(j, end);
    }
    j->depth--;
}

/* A value that nobody asks for. NOLINTNEXTLINE(misc-no-recursion): to QC_JSON_DEPTH_MAX */
static void skip(struct qc_scan *j)
{
    const uint8_t c = qc_scan_peek(j);
    if (j->bad != NULL)
        return;
    if (c == '{' || c == '[')
        skip_inside(j, c == '{', c == '{' ? '}' : ']');
    else if (c == '"')
        (void)string(j);
    else if (!word(j, QC_LIT("true")) && !word(j, QC_LIT("false")) && !word(j, QC_LIT("null")))
        number(j);
}

/* -- the container --------------------------------------------------------------------------------------- */

struct taking {
    const struct qkd_want *want;
    struct qkd_keys *keys; /* room for all that are wanted; the ids as they came */
    size_t count;
    bool has_keys;
};

static const char not_array[] = "its member keys is not an array";

/* The decoded key goes to the text's begin, behind which it was read. */
static void take_key(struct qc_scan *j, struct taking *t, bool *has)
{
    const size_t bytes = t->want->bits / 8;
    if (*has)
        qc_scan_object(j, "a key has the member key twice");
    *has = true;
    if (qc_scan_peek(j) != '"')
        qc_scan_object(j, "a member key is not a string");
    const qc_span s = string(j);
    if (j->bad == NULL && !qkd_base64(s.p, s.n, j->p + t->count * bytes, bytes))
        qc_scan_object(j, s.n == (bytes + 2) / 3 * 4 ? "a key is not base64"
                                                     : "a key has another size than asked for");
}

static void take_id(struct qc_scan *j, struct taking *t, bool *has)
{
    if (*has)
        qc_scan_object(j, "a key has the member key_ID twice");
    *has = true;
    if (qc_scan_peek(j) != '"')
        qc_scan_object(j, "a member key_ID is not a string");
    const qc_span s = string(j);
    if (j->bad == NULL && !qkd_id_ok(s, t->want->syntax))
        qc_scan_object(j, "a key_ID has another form than expected");
    if (j->bad != NULL)
        return;
    struct qkd_id *id = &t->keys->ids[t->count];
    *id = (struct qkd_id){ 0 };
    memcpy(id->text, s.p, s.n);
    for (size_t i = 0; i < t->count; i++)
        if (qkd_id_same(id, &t->keys->ids[i]))
            qc_scan_object(j, "a key_ID is there twice");
}

/* One element of keys. */
static void take_one(struct qc_scan *j, struct taking *t)
{
    bool has_key = false, has_id = false;
    if (t->count == t->want->number)
        qc_scan_object(j, "it has more keys than asked for");
    want(j, '{');
    if (!qc_scan_eat(j, '}')) {
        do {
            const qc_span name = string(j);
            const bool is_id = qc_span_eq(name, QC_LIT("key_ID")), is_key = qc_span_eq(name, QC_LIT("key"));
            want(j, ':');
            if (j->bad != NULL)
                return;
            if (is_id)
                take_id(j, t, &has_id);
            else if (is_key)
                take_key(j, t, &has_key);
            else
                skip(j);
        } while (qc_scan_eat(j, ','));
        want(j, '}');
    }
    if (!has_id || !has_key)
        qc_scan_object(j, has_id ? "a key has no member key" : "a key has no member key_ID");
    t->count++;
}

static void take_keys(struct qc_scan *j, struct taking *t)
{
    if (t->has_keys)
        qc_scan_object(j, "it has the member keys twice");
    t->has_keys = true;
    if (qc_scan_peek(j) != '[')
        qc_scan_object(j, not_array);
    want(j, '[');
    j->depth = 2;
    if (!qc_scan_eat(j, ']')) {
        do
            take_one(j, t);
        while (qc_scan_eat(j, ','));
        want(j, ']');
    }
    j->depth = 1;
    if (t->count == 0)
        qc_scan_object(j, "it has no keys");
}

static void take(struct qc_scan *j, struct taking *t)
{
    if (qc_scan_peek(j) != '{')
        qc_scan_object(j, "it is not a JSON object");
    want(j, '{');
    j->depth = 1;
    if (!qc_scan_eat(j, '}')) {
        do {
            const qc_span name = string(j);
            const bool is_keys = qc_span_eq(name, QC_LIT("keys"));
            want(j, ':');
            if (is_keys)
                take_keys(j, t);
            else
                skip(j);
        } while (qc_scan_eat(j, ','));
        want(j, '}');
    }
    if (j->bad == NULL && (qc_scan_peek(j) != 0 || j->at != j->n))
        qc_scan_object(j, "something stands behind it");
    if (!t->has_keys)
        qc_scan_object(j, "it has no member keys");
}

/* -- what no honest key manager sends -------------------------------------------------------------------- */

/* One where the first 16 bytes of both are the same, else zero; no branch on them. */
static unsigned same_begin(const uint8_t *a, const uint8_t *b)
{
    unsigned differs = 0;
    for (size_t i = 0; i < 16; i++)
        differs |= (unsigned)(a[i] ^ b[i]);
    return (differs - 1U) >> 31;
}

/* Every byte the same, or a key under two key_IDs? By sums: which it was is all that is learnt. Keys of less
 * than 16 bytes may be so by chance. */
static const char *look(const uint8_t *keys, size_t count, size_t bytes)
{
    unsigned flat = 0, twin = 0;
    if (bytes < 16)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        unsigned differs = 0;
        for (size_t b = 1; b < bytes; b++)
            differs |= (unsigned)(keys[i * bytes + b] ^ keys[i * bytes]);
        flat |= (differs - 1U) >> 31;
        for (size_t k = 0; k < i; k++)
            twin |= same_begin(keys + i * bytes, keys + k * bytes);
    }
    if (flat != 0)
        return "a key has the same byte throughout";
    return twin != 0 ? "two key_IDs have the same key" : NULL;
}

size_t qkd_container_max(size_t number, uint32_t bits)
{
    const size_t most = 4096 + number * (256 + 4 * (((size_t)bits + 23) / 24));
    return most < QKD_BODY_MAX ? most : QKD_BODY_MAX;
}

/* Where in what came is the key of this id? count: nowhere. */
static size_t find(const struct qkd_keys *came, size_t count, const struct qkd_id *id)
{
    size_t i = 0;
    while (i < count && !qkd_id_same(&came->ids[i], id))
        i++;
    return i;
}

/* From the text's begin to *ret, matched by key_ID, never by position. */
static qc_rc hand_over(struct qkd_keys *ret, const struct taking *t, uint8_t *text, struct qc_err *err)
{
    QC_CLEANUP(qkd_keys_done) struct qkd_keys k = { 0 };
    const struct qkd_want *w = t->want;
    const size_t bytes = w->bits / 8;
    if (w->ids != NULL && t->count != w->number)
        return QC_FAIL(err, QC_FORMAT, "key container: %zu keys, and %zu were asked for", t->count,
                       w->number);
    QC_TRY(qkd_keys_new(&k, t->count, bytes, err));
    for (size_t i = 0; i < t->count; i++) {
        const size_t from = w->ids == NULL ? i : find(t->keys, t->count, &w->ids[i]);
        if (from == t->count)
            return QC_FAIL(err, QC_FORMAT, "key container: a key_ID that was asked for is missing");
        memcpy((uint8_t *)k.secret.p + i * bytes, text + from * bytes, bytes);
        k.ids[i] = t->keys->ids[from];
    }
    *ret = QC_STEAL(k);
    return QC_OK;
}

qc_rc qkd_container_take(struct qkd_keys *ret, uint8_t *text, size_t n, const struct qkd_want *want,
                         struct qc_err *err)
{
    QC_CLEANUP(qkd_keys_done) struct qkd_keys came = { 0 };
    struct taking t = { .want = want, .keys = &came };
    struct qc_scan j = { .p = text, .n = n };
    QC_ASSERT(want->bits % 8 == 0);
    qc_rc rc = qkd_keys_new(&came, want->number, 1, err);
    if (rc == QC_OK) {
        take(&j, &t);
        if (j.bad == NULL)
            j.bad = look(text, t.count, want->bits / 8);
        if (j.bad != NULL)
            rc = QC_FAIL(err, QC_FORMAT, "key container: %s", j.bad);
        else
            rc = hand_over(ret, &t, text, err);
    }
    qc_wipe(text, n);
    return rc;
}

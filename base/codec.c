#include "base/codec.h"

static const char hex_digits[] = "0123456789abcdef";
static const char b64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int b64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : -1;
}

void qc_hex(qc_span in, char *out)
{
    for (size_t i = 0; i < in.n; i++) {
        out[2 * i] = hex_digits[in.p[i] >> 4];
        out[2 * i + 1] = hex_digits[in.p[i] & 15];
    }
    out[2 * in.n] = '\0';
}

qc_rc qc_hex_enc(qc_span in, qc_buf *ret, struct qc_err *err)
{
    size_t n;
    uint8_t *p;

    if (!qc_add_size(in.n, in.n, &n))
        return QC_FAIL(err, QC_LIMIT, "%zu bytes as hex", in.n);
    QC_TRY(qc_buf_extend(ret, n, &p, err));
    for (size_t i = 0; i < in.n; i++) {
        p[2 * i] = (uint8_t)hex_digits[in.p[i] >> 4];
        p[2 * i + 1] = (uint8_t)hex_digits[in.p[i] & 15];
    }
    return QC_OK;
}

qc_rc qc_hex_dec(qc_span text, uint8_t *out, size_t n, struct qc_err *err)
{
    if (text.n % 2 != 0 || text.n / 2 != n)
        return QC_FAIL(err, QC_FORMAT, "%zu hex digits, expected %zu", text.n, 2 * n);
    for (size_t i = 0; i < text.n; i++) {
        if (hex_value(text.p[i]) < 0)
            return QC_FAIL(err, QC_FORMAT, "not a lower-case hex digit at position %zu", i);
    }
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)((unsigned)hex_value(text.p[2 * i]) << 4 | (unsigned)hex_value(text.p[2 * i + 1]));
    return QC_OK;
}

qc_rc qc_b64_enc(qc_span in, qc_buf *ret, struct qc_err *err)
{
    size_t tail = in.n % 3;
    uint8_t *p;

    if (in.n > SIZE_MAX / 4 * 3 - 3)
        return QC_FAIL(err, QC_LIMIT, "%zu bytes as base64", in.n);
    QC_TRY(qc_buf_extend(ret, in.n / 3 * 4 + (tail == 0 ? 0 : tail + 1), &p, err));
    for (size_t i = 0; i < in.n; i += 3) {
        size_t left = in.n - i < 3 ? in.n - i : 3;
        unsigned v = (unsigned)in.p[i] << 16;

        if (left > 1)
            v |= (unsigned)in.p[i + 1] << 8;
        if (left > 2)
            v |= in.p[i + 2];
        for (size_t j = 0; j <= left; j++)
            *p++ = (uint8_t)b64_digits[v >> (18 - 6 * j) & 63];
    }
    return QC_OK;
}

/* One group of 2..4 digits into out; the number of bytes, or 0 when it is no such group. */
static size_t b64_group(const uint8_t *text, size_t digits, uint8_t out[3])
{
    unsigned v = 0;

    if (digits < 2)
        return 0;
    for (size_t i = 0; i < digits; i++) {
        int d = b64_value(text[i]);

        if (d < 0)
            return 0;
        v |= (unsigned)d << (18 - 6 * i);
    }
    /* The bits beyond the last whole byte are zero: otherwise two texts would mean the same. */
    if ((v & ((1U << (8 * (4 - digits))) - 1)) != 0)
        return 0;
    for (size_t i = 0; i + 1 < digits; i++)
        out[i] = (uint8_t)(v >> (16 - 8 * i) & 0xff);
    return digits - 1;
}

qc_rc qc_b64_dec(qc_span text, qc_buf *ret, struct qc_err *err)
{
    size_t before = ret->n;

    QC_TRY(qc_buf_reserve(ret, text.n / 4 * 3 + (text.n % 4 == 0 ? 0 : text.n % 4 - 1), err));
    for (size_t i = 0; i < text.n; i += 4) {
        uint8_t bytes[3];
        size_t n = b64_group(text.p + i, text.n - i < 4 ? text.n - i : 4, bytes);

        if (n == 0) {
            ret->n = before;
            return QC_FAIL(err, QC_FORMAT, "not base64url at position %zu", i);
        }
        memcpy(ret->p + ret->n, bytes, n);
        ret->n += n;
    }
    return QC_OK;
}

bool qc_dec_take(qc_span *s, uint64_t *ret)
{
    uint64_t v = 0;
    size_t n = 0;

    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
        if (!qc_mul_u64(v, 10, &v) || !qc_add_u64(v, (uint64_t)(s->p[n] - '0'), &v))
            return false;
    if (n == 0)
        return false;
    *s = qc_span_from(*s, n);
    *ret = v;
    return true;
}

size_t qc_utf8(const uint8_t *p, size_t n)
{
    static const struct form {
        uint8_t mask, lead;
        uint32_t least;
    } forms[] = { { 0x80, 0x00, 0 }, { 0xE0, 0xC0, 0x80 }, { 0xF0, 0xE0, 0x800 }, { 0xF8, 0xF0, 0x10000 } };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (n <= i || (p[0] & forms[i].mask) != forms[i].lead)
            continue;
        uint32_t v = (uint32_t)p[0] & (uint32_t)(uint8_t)~forms[i].mask;
        for (size_t j = 1; j <= i; j++) {
            if ((p[j] & 0xC0) != 0x80)
                return 0;
            v = v << 6 | (p[j] & 0x3FU);
        }
        return v < forms[i].least || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF) ? 0 : i + 1;
    }
    return 0;
}

/* C0, DEL, and C1 (which some terminals obey): the latter are two bytes in UTF-8, C2 80 to C2 9F. And what
 * turns the direction of writing, U+202A to U+202E and U+2066 to U+2069: a line would read as another one. */
bool qc_utf8_controls(const uint8_t *p, size_t len)
{
    if (len == 3 && p[0] == 0xE2)
        return (p[1] == 0x80 && p[2] >= 0xAA && p[2] <= 0xAE) ||
               (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9);
    return p[0] < 0x20 || p[0] == 0x7F || (len == 2 && p[0] == 0xC2 && p[1] < 0xA0);
}

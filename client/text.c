#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"

size_t text_utf8(const uint8_t *p, size_t n)
{
    return qc_utf8(p, n);
}

bool text_is_utf8(qc_span s)
{
    size_t at = 0;
    while (at < s.n) {
        size_t len = text_utf8(s.p + at, s.n - at);
        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

/* s, with a backslash before each of the characters in marked. */
static qc_rc add_visible(qc_span s, const char *marked, qc_buf *ret, struct qc_err *err)
{
    size_t at = 0;
    while (at < s.n) {
        const uint8_t *p = s.p + at;
        const size_t utf8 = text_utf8(p, s.n - at), len = utf8 == 0 ? 1 : utf8;
        const bool hide = utf8 == 0 || qc_utf8_controls(p, len);
        for (size_t i = 0; hide && i < len; i++)
            QC_TRY(qc_buf_addf(ret, err, "\\x%02x", p[i]));
        if (!hide && strchr(marked, p[0]) != NULL)
            QC_TRY(qc_buf_add(ret, QC_LIT("\\"), err));
        if (!hide)
            QC_TRY(qc_buf_add(ret, qc_span_of(p, len), err));
        at += len;
    }
    return QC_OK;
}

qc_rc text_escape(qc_span s, qc_buf *ret, struct qc_err *err)
{
    return add_visible(s, "\\'", ret, err);
}

qc_rc text_harmless(qc_span s, qc_buf *ret, struct qc_err *err)
{
    return add_visible(s, "", ret, err);
}

static size_t letters_of(qc_span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xC0) != 0x80;
    return n;
}

qc_rc text_wrap(qc_span s, size_t columns, size_t indent, qc_buf *ret, struct qc_err *err)
{
    size_t at = 0;
    while (s.n > 0) {
        size_t blanks = 0;
        while (blanks < s.n && s.p[blanks] == ' ')
            blanks++;
        size_t n = blanks;
        while (n < s.n && s.p[n] != ' ')
            n++;
        const size_t word = letters_of(qc_span_sub(s, blanks, n - blanks));
        if (at > indent && word > 0 && at + blanks + word > columns) {
            QC_TRY(qc_buf_addf(ret, err, "\n%*s", (int)indent, ""));
            QC_TRY(qc_buf_add(ret, qc_span_sub(s, blanks, n - blanks), err));
            at = indent + word;
        } else {
            QC_TRY(qc_buf_add(ret, qc_span_sub(s, 0, n), err));
            at += blanks + word;
        }
        s = qc_span_from(s, n);
    }
    return QC_OK;
}

qc_rc text_quote(qc_span s, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_add(ret, QC_LIT("'"), err));
    QC_TRY(text_escape(s, ret, err));
    return qc_buf_add(ret, QC_LIT("'"), err);
}

qc_rc text_lossy(qc_span s, qc_buf *ret, struct qc_err *err)
{
    size_t at = 0;
    while (at < s.n) {
        size_t len = text_utf8(s.p + at, s.n - at);
        QC_TRY(qc_buf_add(ret, len == 0 ? QC_LIT("\xEF\xBF\xBD") : qc_span_of(s.p + at, len), err));
        at += len == 0 ? 1 : len;
    }
    return QC_OK;
}

static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("_-./:=@%+,", c) != NULL);
}

qc_rc text_shell(qc_span s, qc_buf *ret, struct qc_err *err)
{
    bool plain = s.n > 0;
    bool odd = !text_is_utf8(s);
    for (size_t i = 0; i < s.n; i++) {
        plain = plain && is_plain(s.p[i]);
        odd = odd || s.p[i] < 0x20 || s.p[i] == 0x7F || s.p[i] == '\'';
    }
    if (plain)
        return qc_buf_add(ret, s, err);
    if (odd) { /* the form $'..' of the shells in use takes exactly what text_escape writes */
        QC_TRY(qc_buf_add(ret, QC_LIT("$"), err));
        return text_quote(s, ret, err);
    }
    QC_TRY(qc_buf_add(ret, QC_LIT("'"), err));
    QC_TRY(qc_buf_add(ret, s, err));
    return qc_buf_add(ret, QC_LIT("'"), err);
}

static enum text_units units_in_use; /* fetched once per process */

void text_units(enum text_units u)
{
    units_in_use = u;
}

void text_size(uint64_t bytes, char out[TEXT_SIZE])
{
    static const char *const iec[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    static const char *const si[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
    const uint64_t step = units_in_use == TEXT_SI ? 1000 : 1024;
    size_t u = 0;
    uint64_t whole = bytes;
    uint64_t rest = 0;
    while (units_in_use != TEXT_RAW && whole >= step) {
        rest = whole % step;
        whole /= step;
        u++;
    }
    if (u == 0)
        snprintf(out, TEXT_SIZE, "%" PRIu64 " B", whole);
    else
        snprintf(out, TEXT_SIZE, "%" PRIu64 ".%" PRIu64 " %s", whole, rest * 10 / step,
                 units_in_use == TEXT_SI ? si[u] : iec[u]);
}

const char *text_s(uint64_t n)
{
    return n == 1 ? "" : "s";
}

void text_span(uint64_t ms, char out[TEXT_SPAN])
{
    uint64_t s = ms / 1000;
    if (s < 10)
        snprintf(out, TEXT_SPAN, "%" PRIu64 ".%" PRIu64 "s", s, ms % 1000 / 100);
    else if (s < 60)
        snprintf(out, TEXT_SPAN, "%" PRIu64 "s", s);
    else if (s < 3600)
        snprintf(out, TEXT_SPAN, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
    else
        snprintf(out, TEXT_SPAN, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
}

qc_rc text_json(struct json_t *obj, const char *key, qc_span text, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_CLIENT_TEXT_MAX };
    const char *s = "";
    QC_TRY(text_lossy(text, &b, err));
    QC_TRY(qc_buf_cstr(&b, &s, err));
    return qc_json_set_str(obj, key, s, err);
}

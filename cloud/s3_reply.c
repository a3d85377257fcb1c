/* Headers. The XML is in s3_xml.c. */
#include "s3_reply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/codec.h"
#include "base/time.h"

void s3_reply_reset(struct s3_reply *r)
{
    qc_buf body = r->body;
    body.n = 0;
    *r = (struct s3_reply){ .body = body };
}

static bool skip(qc_span *s, const char *text)
{
    size_t n = strlen(text);
    if (s->n < n || strncasecmp((const char *)s->p, text, n) != 0)
        return false;
    *s = qc_span_from(*s, n);
    return true;
}

static void take_length(struct s3_reply *r, qc_span v)
{
    r->length_known = qc_dec_take(&v, &r->length) && v.n == 0;
}

/* "bytes 0-9/100", "bytes 0-9/ *" (without the blank), and "bytes * /100" after 416. */
static void take_range(struct s3_reply *r, qc_span v)
{
    r->range_known = r->total_known = false;
    if (!skip(&v, "bytes "))
        return;
    bool cut = !skip(&v, "*");
    if (cut &&
        (!qc_dec_take(&v, &r->first) || !skip(&v, "-") || !qc_dec_take(&v, &r->last) || r->last < r->first))
        return;
    if (!skip(&v, "/"))
        return;
    bool total = !skip(&v, "*");
    if ((total && !qc_dec_take(&v, &r->total)) || v.n != 0 || (cut && total && r->last >= r->total))
        return;
    r->range_known = cut;
    r->total_known = total;
}

/* 32 hex digits, as a rule in quotation marks: then it is the MD5 of the object, or looks like it. */
static void take_etag(struct s3_reply *r, qc_span v)
{
    char hex[2 * QC_MD5_BYTES];
    if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
        v = qc_span_sub(v, 1, v.n - 2);
    if (v.n != sizeof hex)
        return;
    for (size_t i = 0; i < sizeof hex; i++)
        hex[i] = (char)(v.p[i] >= 'A' && v.p[i] <= 'F' ? v.p[i] + ('a' - 'A') : v.p[i]);
    struct qc_err ignored = { 0 };
    r->etag_md5 = qc_hex_dec(qc_span_of(hex, sizeof hex), r->md5, sizeof r->md5, &ignored) == QC_OK;
}

bool s3_http_date(qc_span text, int64_t *ret)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static const char form[] = "Aaa, 00 Aaa 0000 00:00:00 GMT";
    if (text.n != sizeof form - 1)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t ch = text.p[i];
        bool digit = ch >= '0' && ch <= '9';
        bool letter = (ch | 0x20) >= 'a' && (ch | 0x20) <= 'z';
        if (form[i] == '0' ? !digit : i < 3 || (i >= 8 && i < 11) ? !letter : ch != (uint8_t)form[i])
            return false;
    }
    unsigned month = 0;
    while (month < 12 && memcmp(months + 3 * month, text.p + 8, 3) != 0)
        month++;
    char iso[QC_TIME_TEXT];
    int n = snprintf(iso, sizeof iso, "%.4s-%02u-%.2sT%.8sZ", (const char *)text.p + 12, (month + 1) % 100,
                     (const char *)text.p + 5, (const char *)text.p + 17);
    struct qc_err ignored = { 0 };
    return month < 12 && n == QC_TIME_TEXT - 1 &&
           qc_time_parse(qc_span_of(iso, (size_t)n), ret, &ignored) == QC_OK;
}

static void take_date(struct s3_reply *r, qc_span v)
{
    r->date_known = s3_http_date(v, &r->date);
}

/* Seconds; the other form, a date, is not sent by S3 servers, and a wait of our own does as well. */
static void take_retry(struct s3_reply *r, qc_span v)
{
    uint64_t s = 0;
    r->retry_after_s = qc_dec_take(&v, &s) && v.n == 0 ? (uint32_t)(s < UINT32_MAX ? s : UINT32_MAX) : 0;
}

static void take_request_id(struct s3_reply *r, qc_span v)
{
    size_t n = 0;
    for (; n < v.n && n < sizeof r->request_id - 1; n++)
        r->request_id[n] = (char)(v.p[n] > ' ' && v.p[n] < 0x7f ? v.p[n] : '?');
    r->request_id[n] = '\0';
}

static const struct {
    const char *name;
    void (*take)(struct s3_reply *r, qc_span value);
} known[] = {
    { "content-length", take_length },
    { "content-range", take_range },
    { "etag", take_etag },
    { "date", take_date },
    { "retry-after", take_retry },
    { "x-amz-request-id", take_request_id },
};

/* "HTTP/1.1 200 OK": libcurl has checked such a line before it comes here; a fuzzer has not. */
static bool status_line(struct s3_reply *r, qc_span line)
{
    uint64_t status = 0;
    if (!skip(&line, "HTTP/"))
        return false;
    while (line.n > 0 && *line.p != ' ')
        line = qc_span_from(line, 1);
    line = qc_span_trim(line);
    s3_reply_reset(r);
    if (qc_dec_take(&line, &status) && status >= 200 && status <= 599)
        r->status = (int)status;
    return true;
}

void s3_reply_header(struct s3_reply *r, qc_span line)
{
    if (line.n == 0 || status_line(r, line))
        return;
    const uint8_t *colon = memchr(line.p, ':', line.n);
    if (colon == NULL)
        return;
    const size_t n = (size_t)(colon - line.p);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].name) == n && strncasecmp(known[i].name, (const char *)line.p, n) == 0)
            known[i].take(r, qc_span_trim(qc_span_from(line, n + 1)));
}

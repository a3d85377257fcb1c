/* fuzz/cloud_s3_reply: any bytes as the head of an answer, line by line, and as a date. */
#include "qc_fuzz.h"
#include "s3_reply.h"

#include <string.h>

static void printable(const char *s, size_t size)
{
    QC_ASSERT(strnlen(s, size) < size);
    for (; *s != '\0'; s++)
        QC_ASSERT(*s >= ' ' && *s < 0x7f);
}

static void sane(const struct s3_reply *r)
{
    QC_ASSERT(r->status == 0 || (r->status >= 200 && r->status <= 599));
    QC_ASSERT(!r->range_known || r->first <= r->last);
    QC_ASSERT(!r->range_known || !r->total_known || r->last < r->total);
    printable(r->request_id, sizeof r->request_id);
    QC_ASSERT(r->code[0] == '\0' && r->body.p == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct s3_reply r = { .body = { .max = 10 } };
    int64_t t = 0;
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        const size_t n = end == NULL ? size - at : (size_t)(end - data) - at + 1;
        s3_reply_header(&r, qc_span_of(data + at, n));
        sane(&r);
        at += n;
    }
    if (s3_http_date(qc_span_of(data, size), &t))
        QC_ASSERT(size == 29 && t >= INT64_C(-62135596800));
    QC_ASSERT(r.body.max == 10);
    return 0;
}

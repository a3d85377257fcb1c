/* fuzz/cloud_s3_xml: any bytes as the XML of an error, of a bucket's setting, of a listing. */
#include "qc_fuzz.h"
#include "s3_reply.h"

#include <string.h>

static void printable(const char *s, size_t size)
{
    QC_ASSERT(strnlen(s, size) < size);
    for (; *s != '\0'; s++)
        QC_ASSERT(*s >= ' ' && *s < 0x7f);
}

static void as_error(qc_span in)
{
    struct s3_reply r = { .status = 400 };
    char text[20];
    s3_reply_error(&r, in);
    printable(r.code, sizeof r.code);
    printable(r.region, sizeof r.region);
    printable(r.message, sizeof r.message);
    printable(r.request_id, sizeof r.request_id);
    if (s3_xml_find(in, "Status", text, sizeof text))
        printable(text, sizeof text);
}

static void as_listing(qc_span in)
{
    struct s3_page page;
    struct qc_err err = { 0 };
    size_t at = 0;
    size_t count = 0;
    const qc_rc rc = s3_page_parse(in, &page, &err);
    if (rc != QC_OK) {
        QC_ASSERT((rc == QC_IO || rc == QC_LIMIT) && err.msg[0] != '\0');
        return;
    }
    for (; at < page.keys.n; count++) {
        const char *key = (const char *)page.keys.p + at + 8;
        QC_ASSERT(memchr(key, 0, page.keys.n - at - 8) != NULL && key[0] != '\0');
        QC_ASSERT(strlen(key) <= CLOUD_S3_TEXT_MAX);
        at += 8 + strlen(key) + 1;
    }
    QC_ASSERT(at == page.keys.n && count == page.count);
    QC_ASSERT(strnlen(page.token, sizeof page.token) < sizeof page.token);
    s3_page_done(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_error(qc_span_of(data, size));
    as_listing(qc_span_of(data, size));
    return 0;
}

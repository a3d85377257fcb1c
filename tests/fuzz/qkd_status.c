/* fuzz/qkd_status: what a KME says of itself, and of errors. */
#include "qc_fuzz.h"
#include "reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qkd_status s = { 0 };
    struct qc_err err = { 0 };
    char cite[QKD_CITE_MAX + 1];
    const qc_rc rc = qkd_reply_status(&s, qc_span_of(data, size), &err);
    QC_ASSERT(rc == QC_OK || rc == QC_FORMAT);
    QC_ASSERT(rc != QC_OK || (s.min_bits <= s.key_bits && s.key_bits <= s.max_bits && s.key_bits % 8 == 0 &&
                              s.per_request >= 1 && s.per_request <= QKD_BATCH_MAX));
    qkd_reply_cite(qc_span_of(data, size), cite);
    for (const char *p = cite; *p != '\0'; p++)
        QC_ASSERT(*p >= 0x20 && *p < 0x7f);
    return 0;
}

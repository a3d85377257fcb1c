/* fuzz/base_codec: what decodes encodes to the same text again: hex, base64url, times. */
#include "base/codec.h"
#include "base/time.h"

#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf raw = { .max = size }, text = { .max = 2 * size + 1 };
    qc_span in = qc_span_of(data, size);
    uint8_t bytes[64];
    char line[QC_TIME_TEXT];
    int64_t t = 0;

    if (qc_b64_dec(in, &raw, &err) == QC_OK) {
        QC_ASSERT(qc_b64_enc(qc_buf_span(&raw), &text, &err) == QC_OK);
        QC_ASSERT(qc_span_eq(qc_buf_span(&text), in));
    }
    qc_buf_clear(&text);
    if (size / 2 <= sizeof bytes && qc_hex_dec(in, bytes, size / 2, &err) == QC_OK) {
        QC_ASSERT(qc_hex_enc(qc_span_of(bytes, size / 2), &text, &err) == QC_OK);
        QC_ASSERT(qc_span_eq(qc_buf_span(&text), in));
    }
    if (qc_time_parse(in, &t, &err) == QC_OK) {
        qc_time_text(t, line);
        QC_ASSERT(qc_span_eq(qc_span_str(line), in));
    }
    return 0;
}

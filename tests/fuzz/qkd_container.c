/* fuzz/qkd_container: what a KME answers to Get key. Nothing is left of the text; keys have the size asked
 * for. */
#include "container.h"
#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t text[8192];
    static const struct qkd_id ids[] = { { "550e8400-e29b-41d4-a716-446655440000" },
                                         { "bc490419-7d60-487f-adc1-4ddcc177c139" } };
    static const uint32_t bits[] = { 8, 128, 256, 4096 };
    for (unsigned i = 0; i < 8 && size <= sizeof text; i++) {
        const struct qkd_want want = { .number = 2,
                                       .bits = bits[i % 4],
                                       .ids = i % 2 == 0 ? NULL : ids,
                                       .syntax = i < 4 ? QKD_ID_UUID : QKD_ID_OPAQUE };
        QC_CLEANUP(qkd_keys_done) struct qkd_keys k = { 0 };
        struct qc_err err = { 0 };
        if (size > 0)
            memcpy(text, data, size);
        const qc_rc rc = qkd_container_take(&k, text, size, &want, &err);
        for (size_t b = 0; b < size; b++)
            QC_ASSERT(text[b] == 0);
        QC_ASSERT(rc == QC_OK || (rc == QC_FORMAT && k.count == 0));
        QC_ASSERT(rc != QC_OK || (k.count >= 1 && k.count <= 2 && k.bytes == want.bits / 8));
        for (size_t n = 0; n < k.count; n++) {
            QC_ASSERT(want.ids == NULL || qkd_id_same(&k.ids[n], &ids[n]));
            QC_ASSERT(qkd_id_ok(qc_span_str(k.ids[n].text), want.syntax));
            QC_ASSERT(qkd_keys_open(&k, n).n == k.bytes);
        }
    }
    return 0;
}

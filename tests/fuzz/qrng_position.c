/* fuzz/qrng_position: what stands beside sources: positions of pre-loaded files, and alarms. What is taken
 * lies in its file, at a block's begin. */
#include "alarms.h"
#include "position.h"
#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qc_err err = { 0 };
    struct qrng_position p = { 0 };
    if (qrng_position_parse(qc_span_of(data, size), &p, &err) == QC_OK)
        QC_ASSERT(p.offset <= p.size && p.offset % QC_QRNG_FILE_BLOCK == 0);
    struct qrng_alarms a = { 0 };
    if (qrng_alarms_parse(qc_span_of(data, size), &a, &err) == QC_OK)
        QC_ASSERT(a.at_s[0] >= 0 && a.at_s[1] >= 0 && a.at_s[2] >= 0);
    return 0;
}

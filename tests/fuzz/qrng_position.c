/* fuzz/qrng_position: what stands beside sources: positions of pre-loaded files, and alarms. What is taken
 * lies in its file, at a block's begin. */
#include "alarms.h"
#include "base/time.h"
#include "position.h"
#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qc_err err = { 0 };
    struct qrng_position p = { 0 };
    if (qrng_position_parse(qc_span_of(data, size), &p, &err) == QC_OK)
        QC_ASSERT(p.offset <= p.size && p.offset % QC_QRNG_FILE_BLOCK == 0);
    struct qrng_alarms a = { 0 };
    char when[QC_TIME_TEXT];
    if (qrng_alarms_parse(qc_span_of(data, size), &a, &err) == QC_OK)
        for (unsigned i = 0; i < QRNG_GATE_ALARMS; i++)
            qc_time_text(a.at_s[i], when); /* dies of what is no time */
    return 0;
}

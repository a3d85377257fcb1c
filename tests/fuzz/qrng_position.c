/* fuzz/qrng_position: positions of pre-loaded files. What is taken lies in its file, at a block's begin. */
#include "position.h"
#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qc_err err = { 0 };
    struct qrng_position p = { 0 };
    if (qrng_position_parse(qc_span_of(data, size), &p, &err) == QC_OK)
        QC_ASSERT(p.offset <= p.size && p.offset % QC_QRNG_FILE_BLOCK == 0);
    return 0;
}

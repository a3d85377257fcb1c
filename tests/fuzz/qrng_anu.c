/* fuzz/qrng_anu: what a service answers. Taken: the right number of bytes; refused: nothing of it is left. */
#include "anu.h"
#include "base/buf.h"
#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t text[4096];
    struct qc_err err = { 0 };
    size_t n = 7;
    if (size > sizeof text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    const qc_rc rc = qrng_anu_take(text, size, 2, &n, &err);
    QC_ASSERT(rc == QC_OK ? n >= 2 && n % 2 == 0 && 2 * n < size : n == 7);
    for (size_t i = rc == QC_OK ? n : 0; i < size; i++)
        QC_ASSERT(text[i] == 0);
    return 0;
}

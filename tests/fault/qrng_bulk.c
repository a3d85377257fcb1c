/* fault/qrng_bulk: every allocation of either maker fails in turn; nothing is left behind. */
#include "base/alloc.h"
#include "qc_check.h"
#include "qrng/bulk.h"
#include "qrng_test.h"

static qc_rc open_and_fill(enum qrng_bulk_maker maker, const qc_rng *source, struct qc_err *err)
{
    uint8_t out[100];
    QC_CLEANUP(qrng_bulk_close) struct qrng_bulk *b = NULL;
    QC_TRY(qrng_bulk_open(maker, source, &b, err));
    return qrng_bulk_fill(b, out, sizeof out, err);
}

static void allocations(enum qrng_bulk_maker maker, uint64_t least)
{
    static const uint8_t bytes[100];
    struct qc_err err = { 0 };
    for (uint64_t n = 1;; n++) {
        CHECK(n < 100);
        QC_CLEANUP(qrng_close) struct qrng *q = NULL;
        CHECK_OK(qrng_open_fixed(qc_span_of(bytes, sizeof bytes), &q, &err));
        const qc_rng source = qrng_rng(q);
        const int64_t live = qc_alloc_live();
        qc_fault_alloc(n);
        const qc_rc rc = open_and_fill(maker, &source, &err);
        qc_fault_alloc(0);
        CHECK(rc == QC_OK || rc == QC_NOMEM);
        CHECK(qc_alloc_live() == live);
        qc_err_clear(&err);
        if (rc == QC_OK) {
#ifdef QC_FAULT_POINTS
            CHECK(n > least);
#endif
            (void)least;
            return;
        }
    }
}

int main(void)
{
    allocations(QRNG_BULK_STREAM, 1);
    allocations(QRNG_BULK_GENERATOR, 2);
    return 0;
}

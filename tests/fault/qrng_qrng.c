/* fault/qrng_qrng: allocations fail, and the fault point stops the source at the n-th fill. */
#include "base/alloc.h"
#include "base/fault.h"
#include "qrng/qrng.h"
#include "qrng_test.h"

#include <stdio.h>
#include <string.h>

static void allocations(void)
{
    for (uint64_t n = 1;; n++) {
        QC_ASSERT(n < 100);
        struct qc_err err = { 0 };
        struct qrng *os = NULL, *fixed = NULL;
        qc_fault_alloc(n);
        qc_rc rc = qrng_open("os", &os, &err);
        if (rc == QC_OK)
            rc = qrng_open_fixed(QC_LIT("x"), &fixed, &err);
        qc_fault_alloc(0);
        QC_ASSERT(rc == QC_OK || (rc == QC_NOMEM && fixed == NULL));
        qrng_close(&os);
        qrng_close(&fixed);
        QC_ASSERT(qc_alloc_live() == 0);
        if (rc == QC_OK) {
#ifdef QC_FAULT_POINTS
            QC_ASSERT(n == 4);
#endif
            return;
        }
    }
}

#ifdef QC_FAULT_POINTS
static void fault_point(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    QC_ASSERT(qrng_open("os", &q, &err) == QC_OK);
    qc_fault_script("qrng_fill:error:2");
    uint8_t p[4];
    QC_ASSERT(qrng_fill(q, p, sizeof p, &err) == QC_OK);
    memset(p, 1, sizeof p);
    QC_ASSERT(qrng_fill(q, p, sizeof p, &err) == QC_RANDOM && memcmp(p, "\0\0\0\0", 4) == 0);
    QC_ASSERT(qrng_fill(q, p, sizeof p, &err) ==
              QC_RANDOM); /* the third pass would be good: it is not made */
    qc_fault_script(NULL);
}
#endif

int main(void)
{
    allocations();
#ifdef QC_FAULT_POINTS
    fault_point();
#endif
    return 0;
}

/* fault/qrng_qrng: allocations fail, and the fault point stops the source at the n-th fill. */
#include "base/alloc.h"
#include "base/fault.h"
#include "qc_check.h"
#include "qrng/qrng.h"
#include "qrng_test.h"

#include <stdio.h>
#include <string.h>

static void allocations(void)
{
    for (uint64_t n = 1;; n++) {
        CHECK(n < 100);
        struct qc_err err = { 0 };
        struct qrng *os = NULL, *fixed = NULL;
        qc_fault_alloc(n);
        qc_rc rc = qrng_open("os", &os, &err);
        if (rc == QC_OK)
            rc = qrng_open_fixed(QC_LIT("x"), &fixed, &err);
        qc_fault_alloc(0);
        CHECK(rc == QC_OK || (rc == QC_NOMEM && fixed == NULL));
        qrng_close(&os);
        qrng_close(&fixed);
        CHECK(qc_alloc_live() == 0);
        if (rc == QC_OK) {
#ifdef QC_FAULT_POINTS
            CHECK(n == 4);
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
    CHECK(qrng_open("os", &q, &err) == QC_OK);
    qc_fault_script("qrng_fill:error:2");
    uint8_t p[4];
    CHECK(qrng_fill(q, p, sizeof p, &err) == QC_OK);
    memset(p, 1, sizeof p);
    CHECK(qrng_fill(q, p, sizeof p, &err) == QC_RANDOM && memcmp(p, "\0\0\0\0", 4) == 0);
    CHECK(qrng_fill(q, p, sizeof p, &err) == QC_RANDOM); /* the third pass would be good: it is not made */
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

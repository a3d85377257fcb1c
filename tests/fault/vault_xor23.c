/* fault/vault_xor23: every allocation of a sharing and of a restoring fails in turn; nothing is left behind,
 * and nothing that was not whole is finished. */
#include "base/alloc.h"
#include "xor23_rig.h"

int main(void)
{
    static struct xor23_rig r;
    static struct vault_xor23_report rep;
    struct qc_rand rand = qc_rand_start();
    uint8_t data[1001];
    r.rand = &rand;
    qc_rand_fill(&rand, data, sizeof data);
    for (uint64_t n = 1;; n++) {
        struct qc_err err = { 0 };
        CHECK(n < 100);
        const int64_t live = qc_alloc_live();
        r.finished = false;
        qc_fault_alloc(n);
        qc_rc rc = xor23_rig_share(&r, qc_span_of(data, sizeof data), 1, &err);
        if (rc == QC_OK)
            rc = xor23_rig_restore(&r, 5, false, NULL, &rep, &err);
        qc_fault_alloc(0);
        CHECK(qc_alloc_live() == live);
        CHECK(rc == QC_OK ? r.finished && memcmp(r.got, data, sizeof data) == 0
                          : rc == QC_NOMEM && !r.finished);
        if (rc == QC_OK) {
#ifdef QC_FAULT_POINTS
            CHECK(n > 2);
#endif
            xor23_rig_done(&r);
            return 0;
        }
    }
}

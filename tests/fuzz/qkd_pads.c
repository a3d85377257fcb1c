/* fuzz/qkd_pads: a pool's state: refused, or what is written again in the same bytes. */
#include "pads_internal.h"
#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pads_state s;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = PADS_STATE_MAX };
    struct qc_err err = { 0 };
    const qc_rc rc = pads_state_parse(&s, qc_span_of(data, size), &err);
    QC_ASSERT(rc == QC_OK || rc == QC_INTEGRITY || rc == QC_NEWER);
    if (rc != QC_OK)
        return 0;
    QC_ASSERT(pads_state_print(&s, &text, &err) == QC_OK);
    QC_ASSERT(qc_span_eq(qc_buf_span(&text), qc_span_of(data, size)));
    return 0;
}

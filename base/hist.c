#include "base/hist.h"

const uint32_t qc_hist_bounds_us[QC_HIST_BOUNDS] = {
    1000,   2500,   5000,    10000,   25000,   50000,    100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
};

void qc_hist_note(struct qc_hist *h, uint64_t us)
{
    unsigned i = 0;

    while (i < QC_HIST_BOUNDS && us > qc_hist_bounds_us[i])
        i++;
    qc_count_add(&h->count[i], 1);
    qc_count_add(&h->sum_us, us);
}

uint64_t qc_hist_total(const struct qc_hist *h)
{
    uint64_t n = 0;

    for (unsigned i = 0; i <= QC_HIST_BOUNDS; i++)
        n += qc_count(&h->count[i]);
    return n;
}

/* unit/base_hist: every duration is counted once, at its bound or below the next, by any number of threads.
 */
#include "base/hist.h"

#include <pthread.h>

#include "qc_check.h"

enum { THREADS = 4, EACH = 20000 };

static struct qc_hist shared;

static void *note_many(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < EACH; i++)
        qc_hist_note(&shared, i % 2 == 0 ? 1 : 1000000);
    return NULL;
}

static void bounds(void)
{
    struct qc_hist h = { 0 };
    uint64_t sum = 0;

    CHECK(qc_hist_total(&h) == 0);
    for (unsigned i = 0; i < QC_HIST_BOUNDS; i++) {
        CHECK(i == 0 || qc_hist_bounds_us[i] > qc_hist_bounds_us[i - 1]);
        qc_hist_note(&h, qc_hist_bounds_us[i]);
        qc_hist_note(&h, qc_hist_bounds_us[i] + 1);
        sum += 2 * (uint64_t)qc_hist_bounds_us[i] + 1;
    }
    qc_hist_note(&h, 0);
    CHECK(qc_count(&h.count[0]) == 2);
    for (unsigned i = 1; i <= QC_HIST_BOUNDS; i++)
        CHECK(qc_count(&h.count[i]) == (i < QC_HIST_BOUNDS ? 2 : 1));
    CHECK(qc_hist_total(&h) == 2 * QC_HIST_BOUNDS + 1 && qc_count(&h.sum_us) == sum);
}

static void threads(void)
{
    pthread_t t[THREADS];

    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, note_many, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(qc_hist_total(&shared) == THREADS * EACH);
    CHECK(qc_count(&shared.count[0]) == THREADS * EACH / 2);
    CHECK(qc_count(&shared.sum_us) == UINT64_C(1000001) * THREADS * EACH / 2);
}

int main(void)
{
    bounds();
    threads();
    return 0;
}

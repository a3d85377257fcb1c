/* prop/ss_shamir: any k of n shares give the secret and every other share, for random k, n, points, lengths.
 */
#include "base/limits.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "ss/shamir.h"

#include <string.h>

enum { SIZE_MAX_HERE = 80 };

static void one_case(struct qc_rand *r)
{
    static uint8_t y[QC_SS_N_MAX][SIZE_MAX_HERE];
    unsigned n = (unsigned)qc_rand_between(r, 1, qc_rand_below(r, 64) == 0 ? QC_SS_N_MAX : 12);
    unsigned k = (unsigned)qc_rand_between(r, 1, n);
    size_t size = qc_rand_between(r, 1, SIZE_MAX_HERE);
    if ((size_t)(k - 1) * size > QC_KEY_MAX)
        size = QC_KEY_MAX / (k - 1);
    unsigned set[QC_SS_N_MAX];
    for (unsigned i = 0; i < QC_SS_N_MAX; i++)
        set[i] = i + 1;
    qc_rand_choose(r, set, QC_SS_N_MAX, n);
    uint8_t points[QC_SS_N_MAX];
    uint8_t *share[QC_SS_N_MAX];
    for (unsigned i = 0; i < n; i++) {
        points[i] = (uint8_t)set[i];
        share[i] = y[i];
    }
    uint8_t secret[SIZE_MAX_HERE];
    qc_rand_fill(r, secret, size);
    struct qc_err err = { 0 };
    qc_rng rng = qc_rand_rng(r);
    CHECK(ss_split_rng(k, n, points, (qc_span){ secret, size }, &rng, share, &err) == QC_OK);

    unsigned order[QC_SS_N_MAX];
    for (unsigned i = 0; i < n; i++)
        order[i] = i;
    qc_rand_choose(r, order, n, n);
    uint8_t at[QC_SS_N_MAX];
    const uint8_t *given[QC_SS_N_MAX];
    for (unsigned i = 0; i < n; i++) {
        at[i] = points[order[i]];
        given[i] = y[order[i]];
    }
    uint8_t out[SIZE_MAX_HERE];
    CHECK(ss_combine(k, at, given, size, 0, out, &err) == QC_OK);
    CHECK(memcmp(out, secret, size) == 0);
    unsigned other = (unsigned)qc_rand_below(r, n);
    CHECK(ss_combine(k, at, given, size, points[other], out, &err) == QC_OK);
    CHECK(memcmp(out, y[other], size) == 0);
    CHECK(ss_combine(n, at, given, size, 0, out, &err) == QC_OK); /* more than needed is harmless */
    CHECK(memcmp(out, secret, size) == 0);

    unsigned wrong = (unsigned)qc_rand_below(r, k); /* one bit of one share: a wrong secret, and no error */
    y[order[wrong]][qc_rand_below(r, size)] ^= (uint8_t)(1U << qc_rand_below(r, 8));
    CHECK(ss_combine(k, at, given, size, 0, out, &err) == QC_OK);
    CHECK(memcmp(out, secret, size) != 0);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    for (uint64_t left = qc_rand_cases(10000, 200000); left > 0; left--)
        one_case(&r);
    return 0;
}

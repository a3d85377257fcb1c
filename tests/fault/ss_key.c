/* fault/ss_key: every allocation of a split and of a combination fails in turn; no key is left behind. */
#include "base/alloc.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "ss/key.h"

static qc_rc split_and_combine(const qc_key *R, const qc_rng *rng, qc_key **share, qc_key **out,
                               struct qc_err *err)
{
    static const uint8_t at[3] = { 4, 2, 1 };
    QC_TRY(ss_key_split(3, 4, NULL, R, rng, share, err));
    const qc_key *three[3] = { share[3], share[1], share[0] };
    return ss_key_combine(3, at, three, 0, out, err);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    qc_rng rng = qc_rand_rng(&r);
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *R = NULL;
    CHECK(qc_key_new(&R, 32, &rng, &err) == QC_OK);
    int64_t live = qc_alloc_live();
    for (uint64_t n = 1;; n++) {
        CHECK(n < 100);
        qc_key *share[4] = { NULL };
        qc_key *out = NULL;
        qc_fault_alloc(n);
        qc_rc rc = split_and_combine(R, &rng, share, &out, &err);
        qc_fault_alloc(0);
        if (rc == QC_OK)
            CHECK(qc_key_same(out, R));
        else
            CHECK(rc == QC_NOMEM && out == NULL);
        unsigned made = 0;
        for (unsigned i = 0; i < 4; i++) {
            made += share[i] != NULL;
            qc_key_free(&share[i]);
        }
        CHECK(made == 0 || made == 4); /* all or none */
        qc_key_free(&out);
        CHECK(qc_alloc_live() == live);
        if (rc == QC_OK) {
#ifdef QC_FAULT_POINTS
            CHECK(n > 6); /* four shares, the coefficients, the result: each failed once */
#endif
            return 0;
        }
    }
}

#include "ss/key.h"
#include "base/limits.h"
#include "ss/shamir.h"

struct owners {
    qc_key **key; /* the caller's */
    unsigned count;
};

/* Undoes a split that failed half way. */
static void owners_free(struct owners *o)
{
    for (unsigned i = 0; i < o->count; i++)
        qc_key_free(&o->key[i]);
}

qc_rc ss_key_split(unsigned k, unsigned n, const uint8_t *points, const qc_key *secret, const qc_rng *rng,
                   qc_key **ret, struct qc_err *err)
{
    if (n > QC_SS_N_MAX)
        return QC_FAIL(err, QC_USAGE, "shares: %u, expected at most %u", n, (unsigned)QC_SS_N_MAX);
    /* The n keys are filled column by column, so their addresses must stand in one table; it dies with this
     * call. */
    uint8_t *share[QC_SS_N_MAX];
    QC_CLEANUP(owners_free) struct owners made = { .key = ret };
    for (unsigned i = 0; i < n; i++) {
        QC_ASSERT(ret[i] == NULL);
        QC_TRY(qc_key_blank(&ret[i], qc_key_len(secret), err));
        made.count = i + 1;
        share[i] = qc_key_write(ret[i]);
    }
    QC_TRY(ss_split_rng(k, n, points, qc_key_open(secret), rng, share, err));
    for (unsigned i = 0; i < n; i++)
        qc_key_seal(ret[i]);
    made.count = 0; /* the caller owns them now */
    return QC_OK;
}

typedef qc_rc combine_fn(unsigned k, const uint8_t *points, const uint8_t *const *shares, size_t size,
                         uint8_t at, uint8_t *out, struct qc_err *err);

static qc_rc key_combine(combine_fn *combine, unsigned k, const uint8_t *points, const qc_key *const *shares,
                         uint8_t at, qc_key **ret, struct qc_err *err)
{
    if (k < 1 || k > QC_SS_N_MAX)
        return QC_FAIL(err, QC_USAGE, "shares: %u given, expected 1 to %u", k, (unsigned)QC_SS_N_MAX);
    size_t size = qc_key_len(shares[0]);
    const uint8_t *share[QC_SS_N_MAX]; /* as in ss_key_split */
    for (unsigned i = 0; i < k; i++) {
        if (qc_key_len(shares[i]) != size)
            return QC_FAIL(err, QC_USAGE, "shares: %zu bytes and %zu bytes, expected one length", size,
                           qc_key_len(shares[i]));
        share[i] = qc_key_open(shares[i]).p;
    }
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_TRY(qc_key_blank(&key, size, err));
    QC_TRY(combine(k, points, share, size, at, qc_key_write(key), err));
    qc_key_seal(key);
    *ret = QC_STEAL(key);
    return QC_OK;
}

qc_rc ss_key_combine(unsigned k, const uint8_t *points, const qc_key *const *shares, uint8_t at, qc_key **ret,
                     struct qc_err *err)
{
    return key_combine(ss_combine, k, points, shares, at, ret, err);
}

qc_rc ss_key_interpolate(unsigned k, const uint8_t *points, const qc_key *const *shares, uint8_t at,
                         qc_key **ret, struct qc_err *err)
{
    return key_combine(ss_interpolate, k, points, shares, at, ret, err);
}

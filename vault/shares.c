#include "vault/shares.h"

#include "ss/shamir.h"

#define POINTS    4
#define THRESHOLD 3

void vault_keys_done(struct vault_keys *keys)
{
    qc_key_free(&keys->K);
    qc_key_free(&keys->R);
    qc_key_free(&keys->R1);
    qc_key_free(&keys->R2);
    qc_key_free(&keys->R3);
    qc_key_free(&keys->R4);
    qc_key_free(&keys->KR);
}

void vault_secret_done(struct vault_secret *secret)
{
    qc_key_free(&secret->VS);
    qc_key_free(&secret->VS1);
    qc_key_free(&secret->VS2);
    qc_key_free(&secret->VS3);
    qc_key_free(&secret->VS4);
}

/* The four shares of one secret, while they are made. */
struct four {
    qc_key *s[POINTS];
};

static void four_done(struct four *f)
{
    for (size_t i = 0; i < POINTS; i++)
        qc_key_free(&f->s[i]);
}

static qc_rc split(struct four *ret, const qc_key *secret, const qc_key *coeffs, struct qc_err *err)
{
    QC_ASSERT(qc_key_len(secret) == VAULT_KEY_BYTES);
    QC_ASSERT(qc_key_len(coeffs) == VAULT_COEFF_BYTES);
    QC_CLEANUP(four_done) struct four f = { 0 };
    for (size_t i = 0; i < POINTS; i++)
        QC_TRY(qc_key_blank(&f.s[i], VAULT_KEY_BYTES, err));
    QC_TRY(ss_split(THRESHOLD, POINTS, NULL, qc_key_open(secret), qc_key_open(coeffs),
                    (uint8_t *const[]){ qc_key_write(f.s[0]), qc_key_write(f.s[1]), qc_key_write(f.s[2]),
                                        qc_key_write(f.s[3]) },
                    err));
    for (size_t i = 0; i < POINTS; i++)
        qc_key_seal(f.s[i]);
    *ret = QC_STEAL(f);
    return QC_OK;
}

/* K, R and the four shares as struct vault_keys; KR = K xor R (PAPERS A2). */
static qc_rc keys_of(struct vault_keys *ret, const qc_key *K, const qc_key *R, struct four *shares,
                     struct qc_err *err)
{
    QC_CLEANUP(vault_keys_done) struct vault_keys k = { 0 };
    QC_TRY(qc_key_dup(&k.K, K, err));
    QC_TRY(qc_key_dup(&k.R, R, err));
    QC_TRY(qc_key_xor(&k.KR, K, R, err));
    k.R1 = QC_STEAL(shares->s[0]);
    k.R2 = QC_STEAL(shares->s[1]);
    k.R3 = QC_STEAL(shares->s[2]);
    k.R4 = QC_STEAL(shares->s[3]);
    *ret = QC_STEAL(k);
    return QC_OK;
}

qc_rc vault_keys_from(struct vault_keys *ret, const qc_key *K, const qc_key *R, const qc_key *coeffs,
                      struct qc_err *err)
{
    QC_CLEANUP(four_done) struct four shares = { 0 };
    QC_TRY(split(&shares, R, coeffs, err));
    return keys_of(ret, K, R, &shares, err);
}

qc_rc vault_keys_draw(struct vault_keys *ret, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *drawn = NULL, *K = NULL, *R = NULL, *coeffs = NULL;
    QC_TRY_AS(qc_key_new(&drawn, 2 * VAULT_KEY_BYTES + VAULT_COEFF_BYTES, rng, err), err, "drawing keys");
    QC_TRY(qc_key_sub(&K, drawn, 0, VAULT_KEY_BYTES, err));
    QC_TRY(qc_key_sub(&R, drawn, VAULT_KEY_BYTES, VAULT_KEY_BYTES, err));
    QC_TRY(qc_key_sub(&coeffs, drawn, 2 * VAULT_KEY_BYTES, VAULT_COEFF_BYTES, err));
    return vault_keys_from(ret, K, R, coeffs, err);
}

/* The four shares on the polynomial through the secret at 0 and two of them. */
static qc_rc through(struct four *ret, const qc_key *S, const qc_key *S1, const qc_key *S2,
                     struct qc_err *err)
{
    QC_CLEANUP(four_done) struct four f = { 0 };
    QC_TRY(qc_key_dup(&f.s[0], S1, err));
    QC_TRY(qc_key_dup(&f.s[1], S2, err));
    for (uint8_t x = 3; x <= POINTS; x++) {
        qc_key **s = &f.s[x - 1];
        QC_TRY(qc_key_blank(s, VAULT_KEY_BYTES, err));
        QC_TRY(
            ss_interpolate(THRESHOLD, (const uint8_t[]){ 0, 1, 2 },
                           (const uint8_t *const[]){ qc_key_open(S).p, qc_key_open(S1).p, qc_key_open(S2).p },
                           VAULT_KEY_BYTES, x, qc_key_write(*s), err));
        qc_key_seal(*s);
    }
    *ret = QC_STEAL(f);
    return QC_OK;
}

void vault_anew_done(struct vault_anew *a)
{
    qc_key_free(&a->S1);
    qc_key_free(&a->S2);
    qc_key_free(&a->S4);
}

qc_rc vault_shares_anew(struct vault_anew *ret, const qc_key *S, const qc_key *S1, const qc_key *S3,
                        struct qc_err *err)
{
    QC_CLEANUP(vault_anew_done) struct vault_anew a = { 0 };
    QC_TRY(qc_key_dup(&a.S1, S1, err));
    for (uint8_t x = 2; x <= POINTS; x += 2) {
        qc_key **s = x == 2 ? &a.S2 : &a.S4;
        QC_TRY(qc_key_blank(s, VAULT_KEY_BYTES, err));
        QC_TRY(
            ss_interpolate(THRESHOLD, (const uint8_t[]){ 0, 1, 3 },
                           (const uint8_t *const[]){ qc_key_open(S).p, qc_key_open(S1).p, qc_key_open(S3).p },
                           VAULT_KEY_BYTES, x, qc_key_write(*s), err));
        qc_key_seal(*s);
    }
    *ret = QC_STEAL(a);
    return QC_OK;
}

qc_rc vault_keys_through(struct vault_keys *ret, const qc_key *K, const qc_key *R, const qc_key *R1,
                         const qc_key *R2, struct qc_err *err)
{
    QC_CLEANUP(four_done) struct four f = { 0 };
    QC_TRY(through(&f, R, R1, R2, err));
    return keys_of(ret, K, R, &f, err);
}

qc_rc vault_keys_draw_with(struct vault_keys *ret, const qc_key *R1, const qc_key *R2, const qc_rng *rng,
                           struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *drawn = NULL, *K = NULL, *R = NULL, *other = NULL;
    const bool all = R1 != NULL && R2 != NULL;
    if (R1 == NULL && R2 == NULL)
        return vault_keys_draw(ret, rng, err);
    QC_TRY_AS(qc_key_new(&drawn, (all ? 2 : 3) * VAULT_KEY_BYTES, rng, err), err, "drawing keys");
    QC_TRY(qc_key_sub(&K, drawn, 0, VAULT_KEY_BYTES, err));
    QC_TRY(qc_key_sub(&R, drawn, VAULT_KEY_BYTES, VAULT_KEY_BYTES, err));
    if (!all)
        QC_TRY(qc_key_sub(&other, drawn, 2 * VAULT_KEY_BYTES, VAULT_KEY_BYTES, err));
    return vault_keys_through(ret, K, R, R1 != NULL ? R1 : other, R2 != NULL ? R2 : other, err);
}

qc_rc vault_seed_share(qc_key **ret, const struct qc_prk *seed, unsigned i, const struct vault_ids *ids,
                       uint32_t generation, struct qc_err *err)
{
    uint8_t be[4];
    qc_put_be(be, generation, sizeof be);
    return vault_kdf_ids(ret, seed, i == 1 ? "share1" : "share2", ids, qc_span_of(be, sizeof be), err);
}

static qc_rc secret_of(struct vault_secret *ret, const qc_key *VS, struct four *shares, struct qc_err *err)
{
    QC_CLEANUP(vault_secret_done) struct vault_secret v = { 0 };
    QC_TRY(qc_key_dup(&v.VS, VS, err));
    v.VS1 = QC_STEAL(shares->s[0]);
    v.VS2 = QC_STEAL(shares->s[1]);
    v.VS3 = QC_STEAL(shares->s[2]);
    v.VS4 = QC_STEAL(shares->s[3]);
    *ret = QC_STEAL(v);
    return QC_OK;
}

qc_rc vault_secret_from(struct vault_secret *ret, const qc_key *VS, const qc_key *coeffs, struct qc_err *err)
{
    QC_CLEANUP(four_done) struct four shares = { 0 };
    QC_TRY(split(&shares, VS, coeffs, err));
    return secret_of(ret, VS, &shares, err);
}

qc_rc vault_secret_draw_with(struct vault_secret *ret, const qc_key *VS1, const qc_key *VS2,
                             const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *VS = NULL;
    QC_CLEANUP(four_done) struct four shares = { 0 };
    QC_TRY_AS(qc_key_new(&VS, VAULT_KEY_BYTES, rng, err), err, "drawing the vault secret");
    QC_TRY(through(&shares, VS, VS1, VS2, err));
    return secret_of(ret, VS, &shares, err);
}

qc_rc vault_secret_draw(struct vault_secret *ret, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *drawn = NULL, *VS = NULL, *coeffs = NULL;
    QC_TRY_AS(qc_key_new(&drawn, VAULT_KEY_BYTES + VAULT_COEFF_BYTES, rng, err), err,
              "drawing the vault secret");
    QC_TRY(qc_key_sub(&VS, drawn, 0, VAULT_KEY_BYTES, err));
    QC_TRY(qc_key_sub(&coeffs, drawn, VAULT_KEY_BYTES, VAULT_COEFF_BYTES, err));
    return vault_secret_from(ret, VS, coeffs, err);
}

static bool triple_valid(const struct vault_triple *t)
{
    for (size_t i = 0; i < THRESHOLD; i++) {
        if (t->x[i] < 1 || t->x[i] > POINTS || t->share[i] == NULL)
            return false;
        if (qc_key_len(t->share[i]) != VAULT_KEY_BYTES)
            return false;
    }
    return t->x[0] != t->x[1] && t->x[0] != t->x[2] && t->x[1] != t->x[2];
}

qc_rc vault_triple_at(qc_key **ret, const struct vault_triple *t, uint8_t x, struct qc_err *err)
{
    if (!triple_valid(t) || x > POINTS)
        return QC_FAIL(err, QC_SHARES, "key shares: three different ones of 1, 2, 3, 4 are needed");
    QC_CLEANUP(qc_key_free) qc_key *value = NULL;
    QC_TRY(qc_key_blank(&value, VAULT_KEY_BYTES, err));
    QC_TRY(ss_combine(THRESHOLD, t->x,
                      (const uint8_t *const[]){ qc_key_open(t->share[0]).p, qc_key_open(t->share[1]).p,
                                                qc_key_open(t->share[2]).p },
                      VAULT_KEY_BYTES, x, qc_key_write(value), err));
    qc_key_seal(value);
    *ret = QC_STEAL(value);
    return QC_OK;
}

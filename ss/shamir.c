#include "ss/shamir.h"
#include "base/key.h"
#include "base/limits.h"
#include "gf256.h"

#include <stdbool.h>
#include <string.h>

/* Point of share i, where NULL stands for 1, 2, ... */
static uint8_t point_of(const uint8_t *points, unsigned i)
{
    return points != NULL ? points[i] : (uint8_t)(i + 1);
}

/* The next eight bytes, or fewer where fewer are left. */
static inline uint64_t get8(const uint8_t *p, size_t left)
{
    uint64_t v = 0;
    if (left >= 8)
        memcpy(&v, p, 8);
    else
        memcpy(&v, p, left);
    return v;
}

static inline void put8(uint64_t v, uint8_t *p, size_t left)
{
    if (left >= 8)
        memcpy(p, &v, 8);
    else
        memcpy(p, &v, left);
}

static qc_rc points_check(unsigned count, const uint8_t *points, bool zero_ok, struct qc_err *err)
{
    bool seen[256] = { false };
    for (unsigned i = 0; i < count; i++) {
        uint8_t x = point_of(points, i);
        if (x == 0 && !zero_ok)
            return QC_FAIL(err, QC_USAGE, "shares: point 0 is the secret itself, expected 1 to 255");
        if (seen[x])
            return QC_FAIL(err, QC_USAGE, "shares: point %u is given twice", x);
        seen[x] = true;
    }
    return QC_OK;
}

static qc_rc size_check(size_t size, struct qc_err *err)
{
    if (size < 1 || size > QC_SS_SECRET_MAX)
        return QC_FAIL(err, QC_USAGE, "shares: %zu bytes, expected 1 to %zu", size, (size_t)QC_SS_SECRET_MAX);
    return QC_OK;
}

static qc_rc split_check(unsigned k, unsigned n, const uint8_t *points, size_t size, struct qc_err *err)
{
    if (k < 1 || k > n || n > QC_SS_N_MAX)
        return QC_FAIL(err, QC_USAGE, "shares: %u of %u, expected 1 <= k <= n <= %u", k, n,
                       (unsigned)QC_SS_N_MAX);
    QC_TRY(size_check(size, err));
    return points_check(n, points, false, err);
}

qc_rc ss_split(unsigned k, unsigned n, const uint8_t *points, qc_span secret, qc_span coeffs,
               uint8_t *const *shares, struct qc_err *err)
{
    QC_TRY(split_check(k, n, points, secret.n, err));
    if (coeffs.n != (size_t)(k - 1) * secret.n)
        return QC_FAIL(err, QC_USAGE, "shares: %zu bytes of coefficients, expected %zu", coeffs.n,
                       (size_t)(k - 1) * secret.n);
    for (unsigned i = 0; i < n; i++)
        for (size_t b = 0; b < secret.n; b += 8) {
            const size_t left = secret.n - b;
            uint64_t y = 0; /* Horner, from the highest coefficient down */
            for (unsigned degree = k - 1; degree > 0; degree--)
                y = gf_mul8(y ^ get8(coeffs.p + (size_t)(degree - 1) * secret.n + b, left),
                            point_of(points, i));
            put8(y ^ get8(secret.p + b, left), shares[i] + b, left);
        }
    return QC_OK;
}

qc_rc ss_split_rng(unsigned k, unsigned n, const uint8_t *points, qc_span secret, const qc_rng *rng,
                   uint8_t *const *shares, struct qc_err *err)
{
    QC_TRY(split_check(k, n, points, secret.n, err));
    if (k == 1) /* no coefficients: every share is the secret */
        return ss_split(k, n, points, secret, (qc_span){ 0 }, shares, err);
    size_t need = (size_t)(k - 1) * secret.n;
    if (need > QC_KEY_MAX)
        return QC_FAIL(err, QC_LIMIT, "shares: %zu bytes of coefficients, at most %zu at once", need,
                       (size_t)QC_KEY_MAX);
    /* A key's length is a multiple of 16: up to 15 bytes are drawn and not used. */
    QC_CLEANUP(qc_key_free) qc_key *coeffs = NULL;
    QC_TRY_AS(qc_key_new(&coeffs, (need + 15) / 16 * 16, rng, err), err, "drawing coefficients of shares");
    return ss_split(k, n, points, secret, qc_span_sub(qc_key_open(coeffs), 0, need), shares, err);
}

/* Lagrange's weight of share i for the value at `at`: product of (at - xj) / (xi - xj). Points are public. */
static uint8_t weight(unsigned k, const uint8_t *points, unsigned i, uint8_t at)
{
    uint8_t over = 1;
    uint8_t under = 1;
    for (unsigned j = 0; j < k; j++) {
        if (j == i)
            continue;
        over = gf_mul(over, at ^ points[j]);
        under = gf_mul(under, points[i] ^ points[j]);
    }
    QC_ASSERT(under != 0); /* the points differ */
    return gf_mul(over, gf_inv(under));
}

static qc_rc combine_check(unsigned k, const uint8_t *points, size_t size, bool zero_ok, struct qc_err *err)
{
    if (k < 1 || k > QC_SS_N_MAX)
        return QC_FAIL(err, QC_USAGE, "shares: %u given, expected 1 to %u", k, (unsigned)QC_SS_N_MAX);
    QC_TRY(size_check(size, err));
    return points_check(k, points, zero_ok, err);
}

static void evaluate(unsigned k, const uint8_t *points, const uint8_t *const *shares, size_t size, uint8_t at,
                     uint8_t *out)
{
    memset(out, 0, size);
    for (unsigned i = 0; i < k; i++) {
        const uint8_t w = weight(k, points, i, at);
        for (size_t b = 0; b < size; b += 8)
            put8(get8(out + b, size - b) ^ gf_mul8(get8(shares[i] + b, size - b), w), out + b, size - b);
    }
}

qc_rc ss_combine(unsigned k, const uint8_t *points, const uint8_t *const *shares, size_t size, uint8_t at,
                 uint8_t *out, struct qc_err *err)
{
    QC_TRY(combine_check(k, points, size, false, err));
    evaluate(k, points, shares, size, at, out);
    return QC_OK;
}

qc_rc ss_interpolate(unsigned k, const uint8_t *points, const uint8_t *const *shares, size_t size, uint8_t at,
                     uint8_t *out, struct qc_err *err)
{
    QC_TRY(combine_check(k, points, size, true, err));
    evaluate(k, points, shares, size, at, out);
    return QC_OK;
}

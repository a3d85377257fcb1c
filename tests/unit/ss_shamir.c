/* unit/ss_shamir: the constants of FORMAT 1.2, small cases in full, secrecy of k-1 shares counted, and
 * refusals. */
#include "base/limits.h"
#include "gf256.h"
#include "qc_check.h"
#include "ss/shamir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void field(void)
{
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            unsigned product = 0; /* schoolbook: multiply, then divide by the polynomial */
            for (unsigned i = 0; i < 8; i++)
                if ((b >> i) & 1U)
                    product ^= a << i;
            for (unsigned i = 15; i >= 8; i--)
                if ((product >> i) & 1U)
                    product ^= 0x11dU << (i - 8);
            CHECK(gf_mul((uint8_t)a, (uint8_t)b) == product);
        }
    CHECK(gf_inv(0) == 0);
    for (unsigned a = 1; a < 256; a++)
        CHECK(gf_mul((uint8_t)a, gf_inv((uint8_t)a)) == 1);
}

/* Shares of one byte: f = { secret, c1, c2 } at 1, 2, 3, 4. */
static void split_byte(const uint8_t f[3], uint8_t y[4])
{
    struct qc_err err = { 0 };
    uint8_t *share[4] = { &y[0], &y[1], &y[2], &y[3] };
    CHECK(ss_split(3, 4, NULL, (qc_span){ f, 1 }, (qc_span){ f + 1, 2 }, share, &err) == QC_OK);
}

static void constants(void)
{
    for (unsigned r = 0; r < 256; r++)
        for (unsigned c = 0; c < 256; c++) {
            uint8_t f[3] = { (uint8_t)r, (uint8_t)c, (uint8_t)(c * 7 + r) };
            uint8_t y[4];
            split_byte(f, y);
            uint8_t R1 = y[0], R2 = y[1], R3 = y[2], R4 = y[3];
            CHECK((R1 ^ R2 ^ R3) == f[0]);
            CHECK((gf_mul(R1, 245) ^ gf_mul(R3, 105) ^ gf_mul(R4, 157)) == f[0]);
            CHECK((gf_mul(R2, 2) ^ gf_mul(R3, 185) ^ gf_mul(R4, 186)) == f[0]);
            CHECK((gf_mul(f[0], 15) ^ gf_mul(R1, 8) ^ gf_mul(R2, 6)) == R4);
            CHECK((R1 ^ R2) == (f[0] ^ R3));
            CHECK(R4 == (uint8_t)(f[0] ^ gf_mul(f[1], 4) ^ gf_mul(f[2], 16))); /* f(4), by powers */
        }
}

/* Every k of n for n <= 6, every choice of k shares, every point asked for. */
static void every_choice(void)
{
    static const uint8_t points[6] = { 7, 1, 255, 128, 2, 93 };
    uint8_t secret[16];
    uint8_t coeffs[5 * 16];
    for (unsigned i = 0; i < sizeof coeffs; i++)
        coeffs[i] = (uint8_t)(i * i * 31 + 5 * i + 17);
    for (unsigned i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)(255 - i * 13);
    for (unsigned n = 1; n <= 6; n++)
        for (unsigned k = 1; k <= n; k++) {
            struct qc_err err = { 0 };
            uint8_t y[6][16];
            uint8_t *share[6] = { y[0], y[1], y[2], y[3], y[4], y[5] };
            CHECK(ss_split(k, n, points, (qc_span){ secret, 16 }, (qc_span){ coeffs, (size_t)(k - 1) * 16 },
                           share, &err) == QC_OK);
            for (unsigned set = 0; set < 1U << n; set++) {
                if ((unsigned)__builtin_popcount(set) != k)
                    continue;
                uint8_t at[6];
                const uint8_t *chosen[6];
                unsigned count = 0;
                for (unsigned i = n; i-- > 0;) /* in falling order: the order of shares must not matter */
                    if ((set >> i) & 1U) {
                        at[count] = points[i];
                        chosen[count++] = y[i];
                    }
                uint8_t out[16];
                CHECK(ss_combine(k, at, chosen, 16, 0, out, &err) == QC_OK);
                CHECK(memcmp(out, secret, 16) == 0);
                for (unsigned i = 0; i < n; i++) {
                    CHECK(ss_combine(k, at, chosen, 16, points[i], out, &err) == QC_OK);
                    CHECK(memcmp(out, y[i], 16) == 0);
                }
            }
        }
}

/*
 * k-1 shares say nothing: whatever two shares of three are seen, each secret explains them by exactly one
 * pair of coefficients. All 2^16 pairs are split at once, as a secret of 65,536 equal bytes.
 */
static void secrecy(void)
{
    enum { PAIRS = 65536 };
    static uint8_t secret[PAIRS], coeffs[2 * PAIRS], y[3][PAIRS], seen[3][PAIRS];
    uint8_t *share[3] = { y[0], y[1], y[2] };
    for (unsigned i = 0; i < PAIRS; i++) {
        coeffs[i] = (uint8_t)i;
        coeffs[PAIRS + i] = (uint8_t)(i >> 8);
    }
    for (unsigned s = 0; s < 256; s++) {
        struct qc_err err = { 0 };
        memset(secret, (int)s, PAIRS);
        memset(seen, 0, sizeof seen);
        CHECK(ss_split(3, 3, NULL, (qc_span){ secret, PAIRS }, (qc_span){ coeffs, sizeof coeffs }, share,
                       &err) == QC_OK);
        for (unsigned i = 0; i < PAIRS; i++) {
            CHECK(seen[0][y[0][i] << 8 | y[1][i]]++ == 0);
            CHECK(seen[1][y[0][i] << 8 | y[2][i]]++ == 0);
            CHECK(seen[2][y[1][i] << 8 | y[2][i]]++ == 0);
        }
    }
}

static void refuse_split(unsigned k, unsigned n, const uint8_t *points, size_t size, size_t coeffs)
{
    static uint8_t bytes[QC_SS_SECRET_MAX + 1];
    struct qc_err err = { 0 };
    uint8_t y[4] = { 1, 2, 3, 4 };
    uint8_t *share[4] = { &y[0], &y[1], &y[2], &y[3] };
    CHECK(ss_split(k, n, points, (qc_span){ bytes, size }, (qc_span){ bytes, coeffs }, share, &err) ==
          QC_USAGE);
    CHECK(err.rc == QC_USAGE && err.msg[0] != '\0');
    CHECK(y[0] == 1 && y[1] == 2 && y[2] == 3 && y[3] == 4);
}

static void refuse_combine(unsigned k, const uint8_t *points, size_t size)
{
    struct qc_err err = { 0 };
    static const uint8_t bytes[4];
    const uint8_t *share[4] = { bytes, bytes, bytes, bytes };
    uint8_t out = 77;
    CHECK(ss_combine(k, points, share, size, 0, &out, &err) == QC_USAGE);
    CHECK(err.rc == QC_USAGE && err.msg[0] != '\0' && out == 77);
}

static void refusals(void)
{
    static const uint8_t zero[4] = { 1, 0, 2, 3 };
    static const uint8_t twice[4] = { 1, 5, 2, 5 };
    static const uint8_t good[4] = { 1, 2, 3, 4 };
    refuse_split(3, 4, NULL, 1, 1);                    /* too few coefficients */
    refuse_split(3, 4, NULL, 1, 3);                    /* too many */
    refuse_split(0, 4, NULL, 1, 0);                    /* k = 0 */
    refuse_split(5, 4, NULL, 1, 4);                    /* k > n */
    refuse_split(1, 0, NULL, 1, 0);                    /* n = 0 */
    refuse_split(3, 256, NULL, 1, 2);                  /* more than there are points */
    refuse_split(3, 4, zero, 1, 2);                    /* the secret's own point */
    refuse_split(3, 4, twice, 1, 2);                   /* equal points */
    refuse_split(3, 4, NULL, 0, 0);                    /* nothing to share */
    refuse_split(1, 4, NULL, QC_SS_SECRET_MAX + 1, 0); /* too long */
    refuse_combine(0, good, 1);
    refuse_combine(256, good, 1);
    refuse_combine(3, zero, 1);
    refuse_combine(4, twice, 1);
    refuse_combine(3, good, 0);
    refuse_combine(3, good, QC_SS_SECRET_MAX + 1);
}

/* Derived mode: R3 and R4 of the polynomial through (0, R), (1, R1), (2, R2); only ss_interpolate takes point
 * 0. */
static void derived(void)
{
    static const uint8_t points[3] = { 0, 1, 2 };
    struct qc_err err = { 0 };
    uint8_t R = 0x5a, R1 = 0xc3, R2 = 0x17, R3, R4, out = 9;
    const uint8_t *share[3] = { &R, &R1, &R2 };
    CHECK(ss_combine(3, points, share, 1, 3, &out, &err) == QC_USAGE && out == 9);
    CHECK(ss_interpolate(3, points, share, 1, 3, &R3, &err) == QC_OK);
    CHECK(ss_interpolate(3, points, share, 1, 4, &R4, &err) == QC_OK);
    CHECK(R3 == (R ^ R1 ^ R2));
    CHECK(R4 == (gf_mul(R, 15) ^ gf_mul(R1, 8) ^ gf_mul(R2, 6)));
}

/* All 255 points at once, threshold 255 and 1, and the longest secret. */
static void extremes(void)
{
    static uint8_t y[255][2], coeffs[254 * 2];
    uint8_t secret[2] = { 0x80, 0x01 };
    uint8_t *share[255];
    const uint8_t *given[255];
    uint8_t points[255];
    for (size_t i = 0; i < 255; i++) {
        share[i] = y[i];
        given[i] = y[i];
        points[i] = (uint8_t)(i + 1);
        if (i < 254)
            coeffs[2 * i] = coeffs[2 * i + 1] = (uint8_t)(i * 3 + 1);
    }
    struct qc_err err = { 0 };
    uint8_t out[2];
    CHECK(ss_split(255, 255, NULL, (qc_span){ secret, 2 }, (qc_span){ coeffs, sizeof coeffs }, share, &err) ==
          QC_OK);
    CHECK(ss_combine(255, points, given, 2, 0, out, &err) == QC_OK && memcmp(out, secret, 2) == 0);
    CHECK(ss_combine(254, points, given, 2, 0, out, &err) == QC_OK && memcmp(out, secret, 2) != 0);
    CHECK(ss_split(1, 255, NULL, (qc_span){ secret, 2 }, (qc_span){ 0 }, share, &err) == QC_OK);
    for (unsigned i = 0; i < 255; i++)
        CHECK(memcmp(y[i], secret, 2) == 0);
    static uint8_t longest[QC_SS_SECRET_MAX], copy[QC_SS_SECRET_MAX];
    longest[QC_SS_SECRET_MAX - 1] = 1;
    uint8_t *one[1] = { copy };
    CHECK(ss_split(1, 1, NULL, (qc_span){ longest, sizeof longest }, (qc_span){ 0 }, one, &err) == QC_OK);
    CHECK(memcmp(longest, copy, sizeof copy) == 0);
}

int main(void)
{
    field();
    constants();
    every_choice();
    secrecy();
    refusals();
    derived();
    extremes();
    return 0;
}

/* ct/ss_shamir: neither a branch nor an address depends on a secret, a coefficient or a share. */
#include "qc_check.h"
#include "ss/shamir.h"

#include <string.h>
#include <valgrind/memcheck.h>

int main(void)
{
    static const uint8_t points[4] = { 1, 2, 3, 4 };
    uint8_t secret[32], coeffs[64], y[4][32], out[32];
    memset(secret, 0x5a, sizeof secret);
    memset(coeffs, 0xc3, sizeof coeffs);
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    VALGRIND_MAKE_MEM_UNDEFINED(coeffs, sizeof coeffs);
    struct qc_err err = { 0 };
    uint8_t *share[4] = { y[0], y[1], y[2], y[3] };
    CHECK(ss_split(3, 4, points, (qc_span){ secret, 32 }, (qc_span){ coeffs, 64 }, share, &err) == QC_OK);
    /* A test that lost sight of the secret would prove nothing. */
    uint8_t undefined[32] = { 0 };
    CHECK(!RUNNING_ON_VALGRIND || VALGRIND_GET_VBITS(y[3], undefined, 32) == 1);
    CHECK(!RUNNING_ON_VALGRIND || undefined[31] == 0xff);
    static const uint8_t given_at[3] = { 1, 3, 4 };
    const uint8_t *given[3] = { y[0], y[2], y[3] };
    CHECK(ss_combine(3, given_at, given, 32, 0, out, &err) == QC_OK);
    CHECK(ss_combine(3, given_at, given, 32, 2, out, &err) == QC_OK);
    static const uint8_t derived_at[3] = { 0, 1, 2 };
    const uint8_t *derived[3] = { secret, y[0], y[1] };
    CHECK(ss_interpolate(3, derived_at, derived, 32, 4, out, &err) == QC_OK);
    return 0;
}

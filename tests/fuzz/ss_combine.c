/* fuzz/ss_combine: arbitrary thresholds, points and shares, as a hostile backup or share store could hold
 * them: refused, or the result is a polynomial's value, which leads back to the shares. */
#include "qc_check.h"
#include "qc_fuzz.h"
#include "ss/shamir.h"

#include <string.h>

enum { SIZE = 8, MAX = 255 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    unsigned k = data[0] < 240 ? data[0] % 7U : data[0]; /* few: points that were given; or many */
    uint8_t at = data[1];
    uint8_t points[MAX] = { 0 };
    static uint8_t bytes[MAX][SIZE];
    const uint8_t *shares[MAX];
    memset(bytes, 0, sizeof bytes);
    size_t left = n - 2;
    const uint8_t *p = data + 2;
    for (unsigned i = 0; i < MAX; i++) {
        shares[i] = bytes[i];
        if (left == 0)
            continue;
        points[i] = *p++;
        left--;
        size_t take = left < SIZE ? left : SIZE;
        memcpy(bytes[i], p, take);
        p += take;
        left -= take;
    }
    struct qc_err err = { 0 };
    uint8_t out[SIZE];
    memset(out, 0xee, sizeof out);
    qc_rc rc = ss_combine(k, points, shares, SIZE, at, out, &err);
    CHECK(rc == QC_OK || (rc == QC_USAGE && out[0] == 0xee && out[SIZE - 1] == 0xee));
    bool zero = memchr(points, 0, k) != NULL;
    CHECK(rc != QC_OK || (k > 0 && !zero));
    uint8_t again[SIZE];
    for (unsigned i = 0; rc == QC_OK && i < k && i < 4;
         i++) { /* put the result in share i's place: i comes back */
        if (points[i] == at)
            continue;
        uint8_t swapped_at[MAX];
        const uint8_t *swapped[MAX];
        memcpy(swapped_at, points, sizeof points);
        memcpy(swapped, shares, sizeof shares);
        swapped_at[i] = at;
        swapped[i] = out;
        bool taken = memchr(points, at, k) != NULL && at != 0;
        qc_rc back = ss_interpolate(k, swapped_at, swapped, SIZE, points[i], again, &err);
        CHECK(back == (taken ? QC_USAGE : QC_OK));
        CHECK(taken || memcmp(again, bytes[i], SIZE) == 0);
    }
    return 0;
}

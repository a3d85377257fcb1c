/* ct/ss_xor23: neither a branch nor an address depends on the data, on randomness or on a share. */
#include "qc_check.h"
#include "ss/xor23.h"

#include <valgrind/memcheck.h>

enum { N = 1001, SIZE = N + 1 };

int main(void)
{
    static uint8_t S[N], R[SIZE], y[3][SIZE], out[SIZE], part[SIZE], undefined[N];
    struct qc_err err = { 0 };
    memset(S, 0x5a, sizeof S);
    memset(R, 0xc3, sizeof R);
    VALGRIND_MAKE_MEM_UNDEFINED(S, sizeof S);
    VALGRIND_MAKE_MEM_UNDEFINED(R, sizeof R);
    ss_xor23_split(qc_span_of(S, N), R, (uint8_t *[]){ y[0], y[1], y[2] });
    for (unsigned i = 0; i < 3; i++) {
        const unsigned j = (i + 1) % 3;
        CHECK(ss_xor23_join(i, y[i], j, y[j], N, out, &err) == QC_OK);
        /* A test that lost sight of the secret would prove nothing. */
        CHECK(!RUNNING_ON_VALGRIND || VALGRIND_GET_VBITS(out, undefined, N) == 1);
        CHECK(!RUNNING_ON_VALGRIND || undefined[N - 1] == 0xff);
        CHECK(ss_xor23_part(i, j, y[j], R, SIZE, part, &err) == QC_OK);
        ss_xor23_refresh(i, R, y[i], SIZE);
    }
    return 0;
}

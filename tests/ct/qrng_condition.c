/* ct/qrng_condition: extraction, with and without the processor's multiplication, and HMAC take no time by a
 * bit of the raw bytes. */
#include <valgrind/memcheck.h>

#include "qc_check.h"
#include "qc_seed.h"
#include "qrng/condition.h"

int main(void)
{
    struct qc_err err = { 0 };
    struct qc_rand r = { 1 };
    const qc_rng rng = qc_rand_rng(&r);
    static struct qrng_conditioner c;
    static uint8_t raw[QRNG_RAW_MAX], out[QRNG_OUT_MAX];
    for (unsigned kind = 0; kind < QRNG_CONDITION_COUNT; kind++) {
        CHECK_OK(qrng_conditioner_init(&c, (enum qrng_conditioning)kind, 6000, &rng, &err));
        qc_rand_fill(&r, raw, sizeof raw);
        VALGRIND_MAKE_MEM_UNDEFINED(raw, sizeof raw);
        CHECK_OK(qrng_conditioner_apply(&c, raw, out, &err));
        uint8_t marks[QRNG_OUT_MAX] = { 0 }, none[QRNG_OUT_MAX] = { 0 };
        CHECK(VALGRIND_GET_VBITS(out, marks, c.out) == 1);
        CHECK(memcmp(marks, none, c.out) != 0); /* the secret's mark came through to here */
        for (unsigned way = 0; kind == QRNG_CONDITION_TOEPLITZ && way < QRNG_WAYS; way++)
            if (qrng_way_is_there((enum qrng_way)way))
                qrng_toeplitz_extract_by(&c.toeplitz, raw, out, (enum qrng_way)way);
    }
    return 0;
}

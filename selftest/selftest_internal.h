/* The tests, and how an answer is judged. Part of selftest/. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "selftest/selftest.h"

enum { SELFTEST_BYTES = 64 }; /* of an answer, or of an input that stands as text */

struct selftest {
    const char *name;
    const char *what; /* by whose answer */
    unsigned who;
    qc_rc (*run)(const qc_rng *rng, struct qc_err *err);
};

/* A table, up to its all-zero row. */
extern const struct selftest selftest_crypto[], selftest_code[], selftest_random[];

/* Hold what was computed against the answer, in hex; it may be spoilt here, by the fault point. step: "open",
 * for the message. QC_INTEGRITY */
QC_MUST qc_rc selftest_same(const char *step, uint8_t *got, size_t n, const char *hex, struct qc_err *err);
/* The bytes of a text of hex digits, at most SELFTEST_BYTES (asserted): inputs of ours. */
size_t selftest_bytes(const char *hex, uint8_t ret[SELFTEST_BYTES]);

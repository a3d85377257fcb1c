/* What validate.c and validate_many.c share. */
#pragma once
#include "exam.h"

/* How long small objects took, one at a time. */
struct cloud_times {
    uint64_t us[CLOUD_TEST_TIMES];
    unsigned count;
};

struct validation {
    struct cloud_exam exam;
    struct cloud *c;    /* opened with the facts so far */
    struct cloud_op op; /* limits of the whole */
    unsigned objects;   /* small ones of the listing's test */
    struct cloud_times puts, gets;
    uint8_t *large, *back; /* large_size bytes each */
    size_t large_size;
};

/* May the checks go on after a call that failed with rc? Not where the cloud cannot be looked at now, which
 * says nothing of its fitness. */
bool cloud_keeps_from_looking(qc_rc rc);

/*
 * A call that should have said `want`. Passes up what keeps from looking; else a bad finding of check, and
 * *ret_as_wanted.
 */
QC_MUST qc_rc cloud_expect(struct validation *v, enum cloud_check check, qc_rc got, qc_rc want,
                           const char *what, bool *ret_as_wanted, struct qc_err *err);

/* The bytes of small object i: CLOUD_TEST_SMALL of them, others for each i. */
void cloud_test_bytes(const struct validation *v, unsigned i, uint8_t dst[CLOUD_TEST_SMALL]);

/* Checks with CLOUD_TEST_WRITERS requests at once. */
QC_MUST qc_rc cloud_check_lists(struct validation *v, struct qc_err *err);
QC_MUST qc_rc cloud_check_race(struct validation *v, struct qc_err *err);

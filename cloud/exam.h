/* How the checks of cloud_validate say what they found. Internal to cloud/: used by validate*.c and by the
 * drivers' examine. One thread at a time. */
#pragma once
#include "cloud/validate.h"

/* Where test objects lie, and nothing else: "v/qcloud-test-<16 hex>-<4 digits>". */
#define CLOUD_TEST_PREFIX "v/qcloud-test-"

struct cloud_exam {
    struct cloud_report *report;
    bool deep;
    char run[17];      /* random hex: the part of the keys that nobody else has */
    unsigned next_key; /* number of the next one */
};

/* A key that was not used before. The object under it, if one is made, is removed at the end. */
void cloud_exam_key(struct cloud_exam *x, char ret[CLOUD_TEST_KEY_SIZE]);

/* A good answer: the fact that it shows, if any, holds. */
void cloud_exam_good(struct cloud_exam *x, enum cloud_check check);
/* A bad one: a warning or a reason against the cloud, as the table says. The first bad answer of a check
 * stays, also against good ones. why: what was seen, lower case, as the user shall read it. */
void cloud_exam_bad(struct cloud_exam *x, enum cloud_check check, const char *fmt, ...) QC_PRINTF(3, 4);
/* Bad, but no reason against the cloud, whatever the table says; later good and bad answers count for
 * nothing. */
void cloud_exam_warn(struct cloud_exam *x, enum cloud_check check, const char *fmt, ...) QC_PRINTF(3, 4);

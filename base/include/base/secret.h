/* Secret memory that is larger than a qc_key, and written all the time: what a source of randomness or a key
 * manager sends. Layer 0; uses err, alloc. Keeps I5: locked where the system allows it, kept out of dumps,
 * zeros in a forked child (MADV_WIPEONFORK), wiped when freed. {0} is empty. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct qc_secret {
    void *p;     /* page-aligned; NULL: empty */
    size_t n;    /* bytes, whole pages */
    bool locked; /* else the limit of locked memory was reached, or it is data */
};

/* n bytes of zeros at least. QC_NOMEM. */
QC_MUST qc_rc qc_secret_new(struct qc_secret *ret, size_t n, struct qc_err *err);
/* The same without a lock: for data by the megabyte, and what is as secret as they are and no more, so that
 * they do not take from keys what the system lets be locked. */
QC_MUST qc_rc qc_secret_new_data(struct qc_secret *ret, size_t n, struct qc_err *err);
void qc_secret_free(struct qc_secret *m);

/* Memory for the bytes of a source: more than a qc_key holds, and written all the time. Internal to qrng/.
 * Locked where the system allows it, kept out of dumps, zeros in a forked child (MADV_WIPEONFORK), wiped when
 * freed (I5). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct qrng_memory {
    void *p;     /* page-aligned; NULL: empty */
    size_t n;    /* bytes, whole pages */
    bool locked; /* else the limit of locked memory was reached */
};

/* n bytes of zeros at least. QC_NOMEM. */
QC_MUST qc_rc qrng_memory_new(struct qrng_memory *ret, size_t n, struct qc_err *err);
void qrng_memory_free(struct qrng_memory *m);

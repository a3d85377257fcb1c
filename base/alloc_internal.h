/* For the other allocators of base/ (secrets, pools): take part in the injected failures and the count. */
#pragma once
#include <stdbool.h>

#include "base/alloc.h"

/* True: this allocation is to fail. Counts one allocation. */
bool qc_alloc_trips(void);
void qc_alloc_count(int delta);
/* Private memory of malloc's or mmap's, overwritten; but of a large block the pages that were never written
 * to are left alone: a library's buffer is half a megabyte for a request of a hundred bytes, and the system
 * would hand out each page. */
void qc_wipe_block(void *p, size_t n);
/* By the pages of another kernel, for tests. page: a power of two; 0: not known, and all is written to. */
struct qc_kernel {
    size_t page;
    int (*mincore)(void *p, size_t n, unsigned char *ret);
    int (*madvise)(void *p, size_t n, int advice);
};
void qc_wipe_block_by(void *p, size_t n, const struct qc_kernel *k);

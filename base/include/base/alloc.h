/* The allocator of the project: malloc, counted, and made to fail on request in builds with fault points.
 * Layer 0. Any thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* n bytes of zeros, or NULL. n >= 1. Aligned as malloc. */
void *qc_alloc(size_t n) __attribute__((malloc, warn_unused_result));
/* As realloc; on failure NULL and p is still valid. p may be NULL. New bytes are not initialised. */
void *qc_realloc(void *p, size_t n) __attribute__((warn_unused_result));
/* As free. Not for secrets: those are qc_keys. */
void qc_free(void *p);
/* free and realloc that wipe what they let go of: for libraries that use malloc and have secrets in passing.
 * Not counted below. */
void qc_free_wiped(void *p);
void *qc_realloc_wiped(void *p, size_t n) __attribute__((warn_unused_result));
/* A copy of a C string, or NULL. */
char *qc_strdup(const char *s) __attribute__((malloc, warn_unused_result));

/* A large block from the system itself, from a page on, and back to the system when it is freed: megabytes
 * that malloc would keep, or lay where a file's pages do not fit. {0} is empty. */
struct qc_pages {
    uint8_t *p;
    size_t n; /* bytes */
};
/* n bytes of zeros. ret must be empty. QC_NOMEM */
QC_MUST qc_rc qc_pages_new(struct qc_pages *ret, size_t n, struct qc_err *err);
void qc_pages_free(struct qc_pages *b);

/* Cleanup for a pointer from qc_alloc: QC_CLEANUP(qc_free_ptr) char *p = NULL. Takes the pointer's address.
 */
void qc_free_ptr(void *pp);

/* Blocks now allocated by qc_alloc, qc_realloc and qc_strdup and not freed, in the whole process. 0 in a
 * build without fault points. */
int64_t qc_alloc_live(void);

/*
 * Make the n-th allocation from now fail (1 is the next), once; or it and all later ones. 0 ends it.
 * Counts qc_alloc, qc_realloc, qc_strdup and secrets of base/key.h, over all threads.
 * Without QC_FAULT_POINTS these do nothing.
 */
void qc_fault_alloc(uint64_t n);
void qc_fault_alloc_from(uint64_t n);

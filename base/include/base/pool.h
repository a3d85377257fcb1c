/* A bounded pool of equal, aligned buffers: memory that pushes back and does not grow (I6). Layer 0. Any
 * thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/time.h"

struct qc_pool;

/* count buffers (1..QC_POOL_COUNT_MAX) of size bytes (1..QC_POOL_SIZE_MAX), aligned to 64 or more: align is a
 * power of two, 64..4096. Memory is taken from the system when a buffer is first used, and kept. QC_NOMEM. */
QC_MUST qc_rc qc_pool_new(struct qc_pool **ret, size_t count, size_t size, size_t align, struct qc_err *err);
/* All buffers must be back (asserted). */
void qc_pool_free(struct qc_pool **pool);
/* A buffer; its content is whatever was in it. Waits until the deadline: QC_TEMP; QC_NOMEM. */
QC_MUST qc_rc qc_pool_take(struct qc_pool *pool, qc_deadline d, uint8_t **ret, struct qc_err *err);
/* Back; *p is NULL. An empty *p is harmless. */
void qc_pool_give(struct qc_pool *pool, uint8_t **p);
size_t qc_pool_size(const struct qc_pool *pool); /* bytes of each buffer */
size_t qc_pool_spare(struct qc_pool *pool);      /* buffers not in use now */

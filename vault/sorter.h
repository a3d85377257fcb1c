/* Records in the byte order of their keys, in bounded memory: beyond QC_VAULT_LIST_MEMORY sorted runs go to
 * unlinked files of a directory of ours (they hold names in clear). Layer 3. Keeps I6. One thread. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

struct sorter;
typedef qc_rc (*sorter_fn)(void *ctx, qc_span key, qc_span value, struct qc_err *err);

#define SORTER_RECORD_MAX 16384 /* key and value */

/* dir: for temporary files, borrowed; NULL: none may be made, and more than memory holds is QC_LIMIT. */
QC_MUST qc_rc sorter_new(struct sorter **ret, const char *dir, struct qc_err *err);
void sorter_free(struct sorter **s);
/* Copies. QC_LIMIT  too long, too much; QC_FULL, QC_IO from the temporary files. */
QC_MUST qc_rc sorter_add(struct sorter *s, qc_span key, qc_span value, struct qc_err *err);
/* All records in order, once; equal keys in any order. Spans are borrowed for the call. */
QC_MUST qc_rc sorter_walk(struct sorter *s, sorter_fn fn, void *ctx, struct qc_err *err);
/* In tests: spill after so many bytes. */
void sorter_set_memory(struct sorter *s, size_t bytes);

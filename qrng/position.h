/* How far a pre-loaded file is used: FORMAT 10.4. Internal to qrng/. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct qrng_position {
    uint64_t size;   /* of the whole file, bytes */
    uint64_t offset; /* all before it is used */
};

/* Does this name belong to a position, or to a temporary file? */
bool qrng_position_is_name(const char *name);
/* Pure. QC_FORMAT. */
QC_MUST qc_rc qrng_position_parse(qc_span text, struct qrng_position *ret, struct qc_err *err);
/* Of the file `name` in the directory. *ret_found false: there is none. A damaged one is QC_FORMAT. */
QC_MUST qc_rc qrng_position_load(int dirfd, const char *name, struct qrng_position *ret, bool *ret_found,
                                 struct qc_err *err);
/* Durable when it returns. */
QC_MUST qc_rc qrng_position_save(int dirfd, const char *name, const struct qrng_position *p,
                                 struct qc_err *err);

/* Extension fields: type u16, length u32, value; types strictly ascending. Layer 3, internal. FORMAT 1. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

#define VAULT_EXT_MUST 0x8000u /* a reader that does not know such a type refuses the structure */

/* A walk over extension fields; start with { .r.s = bytes, .last = -1 }. */
struct vault_ext_walk {
    qc_rd r;
    int32_t last; /* type of the field before */
};

/* The next field; false at the end or after a malformed one. */
bool vault_ext_next(struct vault_ext_walk *w, uint16_t *ret_type, qc_span *ret_value);

/* After the walk: QC_FORMAT "<what>: extension fields are malformed" when it ended early. */
QC_MUST qc_rc vault_ext_end(const struct vault_ext_walk *w, const char *what, struct qc_err *err);

/* QC_NEWER for a type that is unknown and must be understood; QC_OK for one that may be skipped. */
QC_MUST qc_rc vault_ext_unknown(uint16_t type, const char *what, struct qc_err *err);

/*
 * Fields of a place in which version 1 knows none: all are skipped, must-understand ones refused.
 * QC_FORMAT also beyond QC_VAULT_EXT_MAX bytes; QC_NEWER.
 */
QC_MUST qc_rc vault_ext_check(qc_span in, const char *what, struct qc_err *err);

/* Append one field. value.n < 2^32. */
QC_MUST qc_rc vault_ext_add(qc_buf *ret, uint16_t type, qc_span value, struct qc_err *err);

/* Well-formed at all, whatever the types: for a writer, which may write what later programs must understand.
 */
QC_MUST qc_rc vault_ext_walk_only(qc_span in, const char *what, struct qc_err *err);

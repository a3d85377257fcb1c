/* Extended attributes of a file: as a file system has them, and as an object keeps them. Layer 3; uses base.
 * Format: FORMAT 11.3. Threads: none.
 *
 * Only those of the user (user.*): what belongs to the system of one machine says nothing on another one. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

/* One after the other, of bytes that vault_xattrs_check found right: false at the end. at: 0 at first. */
bool vault_xattrs_next(qc_span in, size_t *at, qc_span *ret_name, qc_span *ret_value);
/* Names in order, each once, each a user's. QC_FORMAT, QC_LIMIT */
QC_MUST qc_rc vault_xattrs_check(qc_span in, struct qc_err *err);

/* Those of an open file, appended to ret. *ret_left: how many are more than is kept, QC_VAULT_XATTRS_MAX
 * bytes in all. A file system that knows none: none. QC_IO, QC_NOMEM */
QC_MUST qc_rc vault_xattrs_read(int fd, qc_buf *ret, unsigned *ret_left, struct qc_err *err);
/* Give them to a file that has none. How many it does not take; *ret_os: why the first one was not. */
unsigned vault_xattrs_write(int fd, qc_span in, int *ret_os);

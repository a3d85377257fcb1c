/* What N and an entry say privately about a file: true length and typed extension fields. Layer 3; uses base.
 * Formats: FORMAT 3.4 (private metadata), 5.2 (private part of an entry), 11 (types). Threads: none. */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "vault/ids.h"

/* In clear. Spans are borrowed: from the caller when writing, from the parsed bytes when reading. */
struct vault_meta {
    uint64_t true_size; /* |D| */
    bool has_mtime, has_mode, has_from, has_stored;
    int64_t mtime_s;
    int64_t stored_s;             /* seconds since 1970, by the clock of the machine that sealed it; N only */
    uint32_t mtime_ns;            /* 0..999,999,999 */
    uint32_t mode;                /* POSIX mode */
    qc_span provenance;           /* UTF-8, empty = none; private metadata of N only */
    uint8_t from[VAULT_ID_BYTES]; /* made from version; private metadata of N only */
    qc_span xattrs; /* extended attributes (FORMAT 11.3), empty = none; private metadata of N only */
    bool folder;    /* what the mode says, for those who know no folders; private metadata of N only */
    qc_span ways;   /* what carried it (FORMAT 11.2), empty = none; entries only */
};

/* Append u64 true length and the fields that are there, types ascending. QC_NOMEM, QC_LIMIT from the buffer.
 */
QC_MUST qc_rc vault_meta_write(qc_buf *ret, const struct vault_meta *meta, struct qc_err *err);

/*
 * QC_FORMAT  malformed, types not ascending, a field of a wrong size;  QC_NEWER  unknown must-understand
 * type. Unknown optional types are skipped.
 */
QC_MUST qc_rc vault_meta_parse(struct vault_meta *ret, qc_span in, struct qc_err *err);

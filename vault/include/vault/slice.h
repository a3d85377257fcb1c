/* A part of an object that is asked for: "first-last", "first-", "-count". Layer 3; uses base. Pure, any
 * thread. Bytes are counted from 0, and the last one is part of it. */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "vault/geometry.h"

/* {0}: all of it. Only last: the last so many bytes, and not their place. */
struct vault_slice {
    bool has_first, has_last;
    uint64_t first, last;
};

/*
 * "100-199", "1M-", "-500": numbers with k M G T P, powers of 1024. ret is left alone on failure.
 * QC_USAGE  no such text; it ends before it begins; the last 0 bytes
 */
QC_MUST qc_rc vault_slice_parse(struct vault_slice *ret, const char *text, struct qc_err *err);

/*
 * Where the part lies in an object of so many bytes. A part with an open end may begin right behind the last
 * byte, and is empty there: all of an empty object is "0-".
 * QC_USAGE  it is not all inside; the message has the size
 */
QC_MUST qc_rc vault_slice_of(const struct vault_slice *s, uint64_t size, struct vault_range *ret,
                             struct qc_err *err);

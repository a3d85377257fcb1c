/* The bodies of log records: log.c has the object around them. */
#pragma once
#include <inttypes.h>

#include "gateway/log.h"

/* ret borrows from body. QC_FORMAT. */
QC_MUST qc_rc gw_record_parse(enum gw_record_kind kind, qc_span body, struct gw_record *ret,
                              struct qc_err *err);

/* Levels of the log (base/log.h): their names, and one that is set by hand. Layer 0. Any thread. */
#pragma once
#include "base/buf.h"
#include "base/log.h"

/* From which level on, until the next qc_log_setup or qc_log_change. */
void qc_log_by_hand(qc_level least);
bool qc_log_is_by_hand(void);
/* "debug", "info", "warn", "error"; not of QC_LOG_NONE (asserted). */
const char *qc_level_name(qc_level l);
bool qc_level_of_name(qc_span name, qc_level *ret);

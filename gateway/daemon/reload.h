/* The configuration anew (SIGHUP), the log's file anew (SIGHUP, SIGUSR1). Part of qcloud-gateway; the main
 * loop's thread alone. */
#pragma once
#include "doors.h"
#include "serve.h"

/* The log's file under its name, for other threads, too, which write to it now. */
QC_MUST qc_rc reload_log(const struct serve_options *o, struct qc_err *err);
/*
 * Log file, form and level of the log, certificate and key. What cannot be used leaves everything as it was.
 *   restart  receives the names of keys that changed and want a restart, separated by blanks; "" none
 */
enum { RELOAD_NAMES = 256 };
QC_MUST qc_rc reload_config(const struct serve_options *o, struct doors *doors, char restart[RELOAD_NAMES],
                            struct qc_err *err);

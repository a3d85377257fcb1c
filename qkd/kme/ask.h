/* Commands that ask the process that runs a network, over its socket: status, link .., node ... Part of
 * qcloud-kme; uses base, net. For main.c's table. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt ask_options[];      /* --state */
extern const struct qc_opt ask_json_options[]; /* --state, --json */

QC_MUST qc_rc ask_status(void *app, const struct qc_args *args, struct qc_err *err);
/* A fault: which, the command's name says. */
QC_MUST qc_rc ask_fault(void *app, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc ask_exposed(void *app, const struct qc_args *args, struct qc_err *err);

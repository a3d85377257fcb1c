/* qcloud-gateway scrub. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt cmd_scrub_options[];
extern const struct qc_opt cmd_scrub_pause_options[];
QC_MUST qc_rc cmd_scrub_status(void *app, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc cmd_scrub_pause(void *app, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc cmd_scrub_resume(void *app, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc cmd_scrub_rate(void *app, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc cmd_scrub(void *app, const struct qc_args *args, struct qc_err *err);

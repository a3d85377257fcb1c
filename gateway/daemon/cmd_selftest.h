/* qcloud-gateway selftest. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt cmd_selftest_options[];
QC_MUST qc_rc cmd_selftest(void *app, const struct qc_args *args, struct qc_err *err);

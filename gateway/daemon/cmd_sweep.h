/* qcloud-gateway sweep. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt cmd_sweep_options[];

qc_rc cmd_sweep(void *app, const struct qc_args *args, struct qc_err *err);

/* qcloud-gateway repair. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt cmd_repair_options[];

qc_rc cmd_repair(void *app, const struct qc_args *args, struct qc_err *err);

/* qcloud-gateway snapshot. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt cmd_snapshot_options[];

qc_rc cmd_snapshot(void *app, const struct qc_args *args, struct qc_err *err);

/* qcloud-gateway snapshot create, ls, verify. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt cmd_snapshot_options[];

qc_rc cmd_snapshot_create(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_snapshot_ls(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_snapshot_verify(void *app, const struct qc_args *args, struct qc_err *err);

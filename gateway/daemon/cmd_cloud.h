/* qcloud-gateway cloud ls, validate, set. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"
#include "cloud/validate.h"

extern const struct qc_opt cmd_cloud_validate_options[], cmd_cloud_set_options[];

qc_rc cmd_cloud_ls(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_cloud_test(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_cloud_validate(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_cloud_set(void *app, const struct qc_args *args, struct qc_err *err);

/* For init and rebuild (gw_told_fn): a line on stdout for each warning, "cloud NAME: CHECK: REASON". */
void cmd_cloud_told(void *ctx, const char *cloud, const struct cloud_report *r);

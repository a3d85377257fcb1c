/* qcloud-gateway config check, show. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt cmd_conf_options[];

qc_rc cmd_conf_check(void *app, const struct qc_args *args, struct qc_err *err);
qc_rc cmd_conf_show(void *app, const struct qc_args *args, struct qc_err *err);

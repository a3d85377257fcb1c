/* qcloud-gateway keys. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

extern const struct qc_opt cmd_keys_options[];

qc_rc cmd_keys(void *app, const struct qc_args *args, struct qc_err *err);

/* qcloud-gateway status. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"

qc_rc cmd_status(void *app, const struct qc_args *args, struct qc_err *err);

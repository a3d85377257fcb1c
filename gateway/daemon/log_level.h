/* The level of a daemon's log, by hand. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"
#include "http.h"

/* "log": {"level", "by_hand"}. */
QC_MUST qc_rc log_level_json(struct json_t *o, struct qc_err *err);
QC_MUST qc_rc cmd_log_level(void *app, const struct qc_args *args, struct qc_err *err);

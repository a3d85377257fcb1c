/* cloud test: a short trial of a cloud, as a report. Part of qcloud-gateway. */
#pragma once
#include "base/json.h"
#include "gateway/engine.h"

/* {"cloud", "bytes", "steps": [{"step", "us", "ok", "why" unless ok}], "outcome", "summary"}. body: {"cloud":
 * name}. QC_USAGE, QC_FORMAT; else those of gw_engine_cloud_test: a cloud that fails it is no error, but the
 * outcome. */
QC_MUST qc_rc cloud_test_json(struct json_t **ret, struct gw_engine *e, const struct json_t *body,
                              struct qc_err *err);

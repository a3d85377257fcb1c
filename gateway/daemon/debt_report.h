/* What clouds are owed, and how it is paid. Part of qcloud-gateway; docs/API.md. */
#pragma once
#include "base/json.h"
#include "gateway/engine.h"

/* {"fragments", "records", "clouds": [{"name", "state", "debts": as in status}], "summary": [..]}: clouds
 * that are owed something, alone. The clouds are asked now. */
QC_MUST qc_rc debt_report_json(struct json_t **ret, struct gw_engine *e, struct qc_err *err);
/* One cloud's "debts" of status. */
QC_MUST qc_rc debts_json(struct json_t *o, const struct gw_cloud_status *c, struct qc_err *err);

/* What a repair found and did, as JSON and for people: the same lines for the operator's command, for
 * `qcloud gateway repair` and for the log of a job. Part of qcloud-gateway. */
#pragma once
#include "base/json.h"
#include "gateway/repair.h"

/* REPORT of docs/API.md. */
QC_MUST qc_rc repair_report_json(struct json_t **ret, struct gw_engine *e, const struct gw_repair_report *r,
                                 struct qc_err *err);

/* One line of the summary, without its end. */
typedef qc_rc (*repair_line_fn)(void *ctx, const char *line, struct qc_err *err);
QC_MUST qc_rc repair_report_lines(struct gw_engine *e, const struct gw_repair_report *r, repair_line_fn fn,
                                  void *ctx, struct qc_err *err);

/* How the scrub stands and what it found, as JSON and for people: the same lines for the operator's command
 * and for `qcloud gateway scrub`. Part of qcloud-gateway. */
#pragma once
#include "base/json.h"
#include "gateway/scrub.h"

/* One cloud's "scrub" of docs/API.md. */
QC_MUST qc_rc scrub_cloud_json(struct json_t **ret, const struct gw_scrub_cloud *c, struct qc_err *err);
/* SCRUB of docs/API.md. */
QC_MUST qc_rc scrub_report_json(struct json_t **ret, struct gw_engine *e, struct qc_err *err);

/* One line of the summary, without its end. */
typedef qc_rc (*scrub_line_fn)(void *ctx, const char *line, struct qc_err *err);
QC_MUST qc_rc scrub_report_lines(struct gw_engine *e, scrub_line_fn fn, void *ctx, struct qc_err *err);

/* Something is under way, or about to begin, and does not wait for its cloud. */
QC_MUST qc_rc scrub_is_busy(struct gw_engine *e, bool *ret, struct qc_err *err);
/* What it means: QC_OK, or QC_DEGRADED with the reason: a finding stands, something is to be mended, or a
 * pass waits for its cloud. */
QC_MUST qc_rc scrub_verdict(struct gw_engine *e, struct qc_err *err);

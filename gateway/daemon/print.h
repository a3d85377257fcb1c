/* What a command prints of an answer. Part of qcloud-gateway. */
#pragma once
#include "base/json.h"

/* A line of JSON of at most max bytes. QC_LIMIT */
QC_MUST qc_rc print_json(const struct json_t *o, size_t max, struct qc_err *err);
/* The lines of a report's "summary"; or all of it as JSON, at most max bytes. */
QC_MUST qc_rc print_report(const struct json_t *report, bool as_json, size_t max, struct qc_err *err);

/* What a gateway's report has for people. Part of the program qcloud (layer 5). */
#pragma once
#include "out.h"

/* The lines of its member "summary", escaped. QC_FORMAT. */
QC_MUST qc_rc report_lines(struct out *o, const struct json_t *report, struct qc_err *err);

/* What a gateway's report has for people: lines, and a verdict. Part of the program qcloud (layer 5). */
#pragma once
#include "out.h"

/* The lines of its member "summary", escaped. QC_FORMAT. */
QC_MUST qc_rc report_lines(struct out *o, const struct json_t *report, struct qc_err *err);
/* Its member "outcome", {"id","message"}, as the code that it would have been here; with the message in err
 * unless that is QC_OK. QC_FORMAT; QC_NEWER: an id that this program does not know. */
QC_MUST qc_rc report_outcome(const struct json_t *report, struct qc_err *err);

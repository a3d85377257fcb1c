/* What a gateway's report has for people; reports that go to a file. Part of the program qcloud (layer 5). */
#pragma once
#include "out.h"

/* Can a report go there? To be asked before what may take hours. QC_USAGE: no name of a file, or what is
 * there is none; QC_NOTFOUND: no such folder; QC_AUTH. */
QC_MUST qc_rc report_place(const char *path, struct qc_err *err);

/* A file of the user's with what a command found, as JSON: whole or not at all, mode 0600. QC_LIMIT,
 * report_place's, and errors of files. */
QC_MUST qc_rc report_file(const char *path, const struct json_t *j, struct qc_err *err);

/* The lines of its member "summary", escaped. QC_FORMAT. */
QC_MUST qc_rc report_lines(struct out *o, const struct json_t *report, struct qc_err *err);

/* How many bytes a second the command sends and receives: --limit-rate, else what qcloud.conf says, also what
 * it says later. Part of the program qcloud (layer 5); uses base, home, net. */
#pragma once
#include "client.h"

/* Is this a rate, or a timetable? NULL: fine. QC_USAGE */
QC_MUST qc_rc limit_check(const char *given, struct qc_err *err);
/* Before anything is asked of a gateway; given: of --limit-rate, or NULL. QC_USAGE, QC_NOMEM */
QC_MUST qc_rc limit_begin(struct client *c, const char *given, struct qc_err *err);
/* At the end: a configuration that could not be read again, so that an older limit held. */
void limit_tell(struct client *c);

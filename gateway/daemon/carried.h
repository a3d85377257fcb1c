/* Which level, and which keys from QKD, carried a segment to each of its clouds: by what the clouds' links
 * said of themselves before and after. Part of qcloud-gateway. docs/adr/0036. One thread at a time. */
#pragma once
#include "http.h"
#include "net/way.h"

struct carried; /* opaque */
/* Now it begins. *ret: NULL where all clouds lie on this machine. QC_NOMEM */
QC_MUST qc_rc carried_begin(struct carried **ret, struct levels *l, struct gw_engine *e, struct qc_err *err);
/* It is over, and these clouds have it. c NULL: nothing. */
void carried_end(struct carried *c, struct levels *l, const struct gw_segment_receipt *r);
/* "ways" of the answer: an object for each such cloud that is reached by a network; c NULL: none. */
QC_MUST qc_rc carried_json(const struct carried *c, struct json_t *o, struct qc_err *err);
/* A line of the audit log (FORMAT 10.6), where there are such clouds. */
void carried_note(const struct carried *c, struct gw_audit *log, const struct gw_segment_put *p);
void carried_free(struct carried **c);

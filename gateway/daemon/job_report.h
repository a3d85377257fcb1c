/* Long works of a gateway, of all kinds, in one list: what a repair, clouds that come and go, a drill and the
 * scrub say of themselves. Part of qcloud-gateway; docs/API.md. */
#pragma once
#include "http.h"

/* {"jobs": [{"id", "kind", "what", "state", "started", "ended", "done", "all", "outcome"}], "summary": [..]}.
 */
QC_MUST qc_rc job_list_json(struct json_t **ret, struct http_server *s, struct gw_engine *e,
                            struct qc_err *err);
/* {"job": {as above}, "report": what its own call answers, "summary": [..]}, after an action: "show",
 * "cancel", "resume". QC_NOTFOUND: no such job, or nothing of it is to be cancelled; QC_USAGE: no such
 * action, or none of this job. */
QC_MUST qc_rc job_act_json(struct json_t **ret, struct http_server *s, struct gw_engine *e, const char *id,
                           const char *action, struct qc_err *err);

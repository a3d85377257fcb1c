/* qcloud-gateway audit verify, audit. Part of qcloud-gateway. */
#pragma once
#include "base/json.h"
#include "base/opt.h"
#include "gateway/audit.h"
#include "gateway/rebuild.h"

extern const struct qc_opt cmd_audit_verify_options[];

qc_rc cmd_audit_verify(void *app, const struct qc_args *args, struct qc_err *err);
/* All that lies in a gateway's directory, in order. heads: has room for one more, the one that is noted
 * there.
 */
QC_MUST qc_rc cmd_audit_check(struct gw_audit_check *c, const char *state, struct gw_audit_head *heads,
                              struct qc_err *err);

/* {"file","line","what"}, appended. */
QC_MUST qc_rc cmd_audit_finding(struct json_t *list, const char *file, uint64_t line, const char *what,
                                struct qc_err *err);
/* What a check found, as JSON; *findings goes over to it. */
QC_MUST qc_rc cmd_audit_report(struct json_t **ret, const struct gw_audit_check *c, struct json_t **findings,
                               struct qc_err *err);
/* QC_INTEGRITY: something was found. */
QC_MUST qc_rc cmd_audit_verdict(const struct gw_audit_check *c, struct qc_err *err);

extern const struct qc_opt cmd_audit_options[];
qc_rc cmd_audit(void *app, const struct qc_args *args, struct qc_err *err);
/* What a command that opens a gateway by itself goes on with: an audit log that is there; else NULL. */
const struct gw_audit_opts *cmd_audit_of(const char *state);
/* The line of a catalogue that was made anew, in a log that is begun where there is none. No memory, no line.
 */
void cmd_audit_rebuild(const char *state, const struct gw_rebuild_report *r);

/* qcloud-gateway audit verify. Part of qcloud-gateway. */
#pragma once
#include "base/opt.h"
#include "gateway/audit.h"
#include "gateway/rebuild.h"

extern const struct qc_opt cmd_audit_verify_options[];

qc_rc cmd_audit_verify(void *app, const struct qc_args *args, struct qc_err *err);
/* What a command that opens a gateway by itself goes on with: an audit log that is there; else NULL. */
const struct gw_audit_opts *cmd_audit_of(const char *state);
/* The line of a catalogue that was made anew, in a log that is begun where there is none. No memory, no line.
 */
void cmd_audit_rebuild(const char *state, const struct gw_rebuild_report *r);

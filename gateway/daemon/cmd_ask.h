/* A command that is one call of the API: asked of the daemon that serves, else done here. Part of
 * qcloud-gateway. */
#pragma once
#include "base/opt.h"
#include "operator.h"

/* "state", "config", "json" and nothing else. */
extern const struct qc_opt cmd_ask_options[];

struct cmd_ask {
    const char *method, *path;
    const struct json_t *body; /* or NULL */
    /* Where nobody serves; NULL: then there is nothing to ask, and says why. */
    qc_rc (*here)(struct json_t **ret, struct operator* o, const struct json_t *body, struct qc_err *err);
    const char *why;
    bool quiet; /* what it was asked for is done, whatever the report says of the state of things */
};
/* Print the report: its summary, or all of it with --json; then its outcome, if it has one. QC_TEMP: nobody
 * serves.
 */
QC_MUST qc_rc cmd_ask(const struct qc_args *args, const struct cmd_ask *ask, struct qc_err *err);
/* What a report says in the end. */
QC_MUST qc_rc cmd_ask_outcome(const struct json_t *report, struct qc_err *err);

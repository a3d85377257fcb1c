/* One call of an operator to one's own gateway. Part of the program qcloud (layer 5); uses base, vault,
 * client. */
#pragma once
#include "client.h"

/* Ask, and show what comes (ask_show). judged: the report's outcome is the command's. Errors: those of
 * vault_gw_ops.operate; QC_FORMAT. */
QC_MUST qc_rc ask_gateway(struct client *c, const struct vault_gw_operation *what, const char *member,
                          bool judged, struct qc_err *err);
/* A report's lines for people, or the whole of it as a member of an item; then, if judged, its outcome.
 * *report goes over. */
QC_MUST qc_rc ask_show(struct client *c, struct json_t **report, const char *member, bool judged,
                       struct qc_err *err);

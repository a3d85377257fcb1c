/* Labels of a cloud, for gateway cloud set; another code, for gateway repair. Part of the program qcloud
 * (layer 5). */
#pragma once
#include "client.h"

/* Is --weight, --provider, --region or --jurisdiction given? */
bool move_has_labels(const struct qc_args *args);
/* gateway repair --reprotect K,N. Errors: those of gw_engine_move. */
QC_MUST qc_rc move_reprotect(struct client *c, const struct qc_args *args, struct qc_err *err);
/* Give them to the cloud that the first argument names. Errors: those of gw_engine_move (gateway/move.h). */
QC_MUST qc_rc move_label(struct client *c, const struct qc_args *args, struct qc_err *err);

/* Renames among the steps of a plan. Part of sync. */
#pragma once
#include "sync/plan.h"

/* plan.c */
struct sync_step *plan_step_of(const struct sync_plan *p, qc_span path);

/* Rows whose file is not as they say, and whose version another row has as well: a run that was killed had
 * taken the object's new name over, and not yet what became of the old one. For plan_in_doubt. */
QC_MUST qc_rc plan_doubts(const struct sync_list *here, const struct sync_list *base, qc_buf *ret,
                          struct qc_err *err);
bool plan_in_doubt(const qc_buf *doubts, const struct sync_list *base, const struct sync_entry *row);

/* Finds them. Of folders they are proposals: what must stay in one keeps it. *ret_folders: there are some. */
QC_MUST qc_rc plan_renames(struct sync_plan *p, const struct sync_rules *rules, bool *ret_folders,
                           struct qc_err *err);
/* Those that are left, in the order in which they are done. */
QC_MUST qc_rc plan_moves(struct sync_plan *p, struct qc_err *err);

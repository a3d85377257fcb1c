/* The steps of a move, for move.c. */
#pragma once
#include "commit_internal.h"
#include "gateway/move.h"
#include "repair_internal.h"

struct gw_moving {
    struct gw_engine *e;
    const struct gw_move_ask *ask;
    struct gw_move_report *r;
    struct gw_repair_ask repair_ask; /* of .. */
    struct gw_repairing p;           /* .. the repair's steps that a move is made of */
    struct gw_repair_report repaired;
    uint64_t told_ms;
};

QC_MUST qc_rc gw_move_enter(struct gw_moving *m, enum gw_move_phase phase, struct qc_err *err);
/* QC_CANCELLED. Also tells how far it is. */
QC_MUST qc_rc gw_move_go_on(struct gw_moving *m, struct qc_err *err);
/* The row of a cloud that is not retired; its position. QC_NOTFOUND. */
QC_MUST qc_rc gw_move_find(struct gw_moving *m, const char *name, struct gw_cloud_row *ret, unsigned *ret_at,
                           struct qc_err *err);
/* A log record says what the cloud is from now on; the row follows in the same transaction, the fan after it.
 * shares may be NULL. */
QC_MUST qc_rc gw_move_member(struct gw_moving *m, unsigned at, const struct gw_cloud_row *row,
                             const struct gw_new_shares *shares, struct qc_err *err);
/* Are there places for n fragments in n domains, without this cloud? QC_QUORUM. */
QC_MUST qc_rc gw_move_room(struct gw_moving *m, const struct gw_cloud_row *row, struct qc_err *err);
/* Count what is on the cloud, into the report. */
QC_MUST qc_rc gw_move_count(struct gw_moving *m, uint32_t cloud_id, struct qc_err *err);

/* Labels and weight as asked for, into l. QC_USAGE. */
QC_MUST qc_rc gw_move_labels(const struct gw_move_ask *ask, struct gw_labels *l, struct qc_err *err);

/* join.c */
QC_MUST qc_rc gw_move_join(struct gw_moving *m, const char *name, struct qc_err *err);
/* drain.c; target: 0: any cloud */
QC_MUST qc_rc gw_move_drain(struct gw_moving *m, uint32_t target, struct qc_err *err);
/* recode.c */
QC_MUST qc_rc gw_move_recode(struct gw_moving *m, struct qc_err *err);
/* Sweep what is dead, all rounds. */
QC_MUST qc_rc gw_move_sweep(struct gw_moving *m, struct qc_err *err);
/* retire.c */
QC_MUST qc_rc gw_move_retire(struct gw_moving *m, struct qc_err *err);

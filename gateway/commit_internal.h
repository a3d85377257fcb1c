/* The steps of a commit, for commit.c. */
#pragma once
#include "engine_internal.h"

/* A batch on its way to a decision. */
struct gw_batch_vault {
    struct gw_vault_row row; /* its head moves with each decided change */
};
struct gw_deciding {
    struct gw_engine *e;
    uint64_t sequence; /* of the log object */
    qc_buf records;
    uint32_t count;
    struct gw_batch_vault vaults[QC_GW_BATCH_CHANGES_MAX];
    unsigned vault_count;
};

/*
 * Check one change and add its record, in the batch's transaction. QC_OK: decided, or (change->answered)
 * answered already. QC_LIMIT and d->count > 0: no room left in this batch. Everything else refuses the
 * change.
 */
QC_MUST qc_rc gw_decide(struct gw_deciding *d, struct gw_change *change, struct qc_err *err);

/* It is decided, and the catalogue's lock is held still: whoever chooses places holds it, too, and finds the
 * rules as they are. */
void gw_decided(struct gw_engine *e, const struct gw_change *change);

/* The answer that a put key has already; *ret_live. */
QC_MUST qc_rc gw_known_answer(struct gw_engine *e, struct gw_change *change, bool *ret_live,
                              struct qc_err *err);

/* Put the decided log object on the clouds, read back, publish. QC_OK also when nothing was decided. */
/* hasty: nobody waits for more than the record quorum. */
QC_MUST qc_rc gw_roll(struct gw_engine *e, bool hasty, struct qc_err *err);

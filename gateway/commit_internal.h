/* The steps of a commit, for commit.c. */
#pragma once
#include "engine_internal.h"

/* A batch on its way to a decision. */
struct gw_batch_vault {
    struct gw_vault_row row; /* its head moves with each decided change */
    uint64_t more;           /* bytes by which moves of the batch make its entries grow */
    uint64_t moves;          /* of the batch */
};
struct gw_deciding_bundle;
struct gw_deciding {
    struct gw_engine *e;
    struct gw_request_row known;       /* of the change at hand: what its put key's row says */
    struct gw_deciding_bundle *bundle; /* of the put before, when that was one of a bundle (commit_put.c) */
    uint64_t sequence;                 /* of the log object */
    qc_buf records;
    uint32_t count;
    struct gw_batch_vault vaults[QC_GW_MEMBERS_MAX];
    unsigned vault_count;
};

/*
 * Check one change and add its record, in the batch's transaction. QC_OK: decided, or (change->answered)
 * answered already. QC_LIMIT and d->count > 0: no room left in this batch. Everything else refuses the
 * change.
 */
QC_MUST qc_rc gw_decide(struct gw_deciding *d, struct gw_change *change, struct qc_err *err);

/* For those that decide one kind of change. The vault's row, whose head moves with each decided change of the
 * batch. */
QC_MUST qc_rc gw_deciding_vault(struct gw_deciding *d, const struct gw_ref *id, struct gw_vault_row **ret,
                                struct qc_err *err);
/* One move more in that vault, which the batch has, and so many bytes more in its entries, as of the tenant's
 * limits. QC_QUOTA. */
QC_MUST qc_rc gw_deciding_more(struct gw_deciding *d, const struct gw_ref *vault, uint64_t more,
                               struct qc_err *err);
/* QC_CONFLICT: the entry's number is not the next one. */
QC_MUST qc_rc gw_deciding_number(struct gw_deciding *d, const struct gw_vault_row *vault,
                                 const struct gw_entry *e, uint64_t *ret_current, struct qc_err *err);
/* Add a record; the head of its vault moves. */
QC_MUST qc_rc gw_deciding_add(struct gw_deciding *d, const struct gw_record *rec, struct gw_vault_row *vault,
                              const uint8_t *seal, struct qc_err *err);
/* The put key's row says that it is decided. */
QC_MUST qc_rc gw_deciding_request(struct gw_deciding *d, struct gw_change *c, struct gw_request_row *row,
                                  const struct gw_head *head, struct qc_err *err);
QC_MUST qc_rc gw_deciding_backup(struct gw_engine *e, const struct gw_backup_ids *ids, qc_span backup,
                                 qc_buf *ret, struct qc_err *err);
/* Are these clouds as they were when fragments were sent to them, and do they take new ones? */
QC_MUST qc_rc gw_deciding_places(struct gw_engine *e, const uint32_t *cloud_id, const uint32_t *generation,
                                 unsigned n, bool *ret, struct qc_err *err);
QC_MUST qc_rc gw_decide_put(struct gw_deciding *d, struct gw_change *c, struct qc_err *err);
void gw_deciding_bundle_free(struct gw_deciding_bundle **b);

/* rename.c: an entry lies under another path: both seals, one record. */
QC_MUST qc_rc gw_decide_rename(struct gw_deciding *d, struct gw_change *c, struct qc_err *err);
/* QC_CONFLICT: this object was moved to another path: nothing is put to it by this one any more. */
QC_MUST qc_rc gw_deciding_place(struct gw_deciding *d, const struct gw_vault_row *vault,
                                const struct gw_entry *e, struct qc_err *err);

/* Versions that go for good (purge.c); each that is refused has its reason. */
QC_MUST qc_rc gw_decide_purge(struct gw_deciding *d, struct gw_change *c, struct qc_err *err);
/* Are all that were not refused gone? */
QC_MUST qc_rc gw_known_purge(struct gw_engine *e, const struct gw_change *c, bool *ret_live,
                             struct qc_err *err);
/* backups.c: B in the place of what is there; *ret_live: it is there already. */
QC_MUST qc_rc gw_decide_backups(struct gw_deciding *d, struct gw_change *c, struct qc_err *err);
QC_MUST qc_rc gw_known_backups(struct gw_engine *e, const struct gw_change *c, bool *ret_live,
                               struct qc_err *err);

/* The same for versions that are kept until a date. */
QC_MUST qc_rc gw_decide_retain(struct gw_deciding *d, struct gw_change *c, struct qc_err *err);
QC_MUST qc_rc gw_known_retain(struct gw_engine *e, const struct gw_change *c, bool *ret_live,
                              struct qc_err *err);

/* N that go to another bundle (repack.c). */
QC_MUST qc_rc gw_decide_repacked(struct gw_deciding *d, struct gw_change *c, struct qc_err *err);
QC_MUST qc_rc gw_known_repacked(struct gw_engine *e, const struct gw_change *c, bool *ret_live,
                                struct qc_err *err);

/* It is decided, and the catalogue's lock is held still: whoever chooses places holds it, too, and finds the
 * rules as they are. */
void gw_decided(struct gw_engine *e, const struct gw_change *change);

/* The answer that a put key has already; *ret_live. */
QC_MUST qc_rc gw_known_answer(struct gw_engine *e, struct gw_change *change, bool *ret_live,
                              struct qc_err *err);
/* The same under the catalogue's lock. */
QC_MUST qc_rc gw_known(struct gw_engine *e, struct gw_change *change, bool *ret_live, struct qc_err *err);

/* Put the decided log object on the clouds, read back, publish. QC_OK also when nothing was decided. */
/* hasty: nobody waits for more than the record quorum. */
QC_MUST qc_rc gw_roll(struct gw_engine *e, bool hasty, struct qc_err *err);

/* A vault with a keeper (vault/keeper.h): which place that is, and which others were. Layer 3. Format: FORMAT
 * 7.3, 17; docs/adr/0066. */
#pragma once
#include "vault/descriptor.h"
#include "vault/keeper.h"
#include "vault/vault.h"

/* Of a vault with a keeper: is that a place of its own? Once in a session; put and refresh ask it themselves.
 * Errors: vault_keeper_ops.apart's; QC_NOTCONF */
QC_MUST qc_rc vault_keeper_apart(struct vault *v, const struct vault_op *op, struct qc_err *err);
/* After vault_refresh: those that were the keeper before, and have what was not refreshed, or the old ones of
 * what was. Borrowed; NULL: no more. */
const char *vault_keeper_before(const struct vault *v, size_t i);

/* What lies with the keeper and belongs to nothing (FORMAT 10.11): of versions that both stores call gone at
 * once; of what no store calls stored, and the gateway neither has nor is being given, once an earlier run
 * has seen it, age_s ago or longer. Looks at QC_VAULT_SWEEP_MAX at most. Nothing without a keeper. QC_SHARES,
 * QC_AUTH: both stores are needed, for writing; kept_begin's, the keeper's and the gateway's. */
struct vault_swept {
    uint64_t removed, left; /* left: for a later run */
};
QC_MUST qc_rc vault_keeper_sweep(struct vault *v, int64_t age_s, const struct vault_call *call,
                                 struct vault_swept *ret, struct qc_err *err);

/* The keeper of conf (which is not NULL there), for `status`. */
struct vault_keeper_status {
    struct qc_err why; /* rc QC_OK: it is there, has the vault's own B, and is a place of its own;
                          QC_NOTFOUND: it has not; QC_USAGE: it is
                          none of its own; else it could not be asked */
    bool stale;        /* that is of earlier shares: it is the keeper no longer, or a copy of before */
    struct vault_descriptor stores; /* what the stores that are there say. keeper: where it was when a
                                       refresh began; before: those that have what this one has not yet */
};
void vault_keeper_status_done(struct vault_keeper_status *s);
/* QC_CANCELLED, QC_NOMEM. What a store does not say is left out. */
QC_MUST qc_rc vault_status_keeper(struct vault_keeper_status *ret, const struct vault_conf *conf,
                                  const struct vault_op *op, struct qc_err *err);

/* A refresh under way. Layer 3. Order: refresh.c; FORMAT 4, 7.2. */
#pragma once
#include "object.h"
#include "vault/shares.h"

/* A version with its new shares, until they are in both stores and at the gateway. */
struct refresh_one {
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    enum vault_record_state state; /* of its record: in a store that has none; else as it is there by then */
    uint64_t sequence;
    qc_key *share[2]; /* effective */
    qc_buf backup;
};
void refresh_one_done(struct refresh_one *one);

struct refresh {
    struct vault *v;
    const struct vault_call *call;
    uint32_t to; /* the generation that is made */
    struct vault_refresh_result result;
    struct refresh_one batch[QC_VAULT_REFRESH_BATCH];
    size_t n;
};

/* B of new shares; what a store's seed gives instead of its share is corrected there. own: as the stores have
 * it. R1 has to be what store 1 gives or keeps. */
QC_MUST qc_rc refresh_backup(qc_buf *ret, const struct refresh *r, struct vault_backup_parts *parts,
                             const struct vault_anew *a, const qc_key *own2, struct qc_err *err);

/* New shares and B of a version, whose record (of some store) this is, opened by each way on trial.
 * QC_NOTFOUND: the gateway has no such version. */
QC_MUST qc_rc refresh_make(struct refresh_one *ret, struct refresh *r, const struct vault_store_record *old,
                           struct qc_err *err);

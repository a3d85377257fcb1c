/* Small objects that are put together, in bundles. Layer 3; uses base. One thread, the session's. */
#pragma once
#include "base/err.h"
#include "vault/vault.h"

/* One of several small objects that are put together. */
struct vault_put_item {
    qc_span name;
    const struct vault_source *source; /* of up to QC_VAULT_BUNDLED_MAX bytes; its `from` is NULL */
    const uint8_t *over;               /* as in vault_put_opts */
};
/* What became of item i: as vault_put says it. again: it was not put for a reason that putting it alone does
 * not have (others wrote its name meanwhile; it grew). */
typedef void (*vault_put_told_fn)(void *ctx, size_t i, qc_rc rc, bool again, struct vault_put_result *r,
                                  const struct qc_err *err);
struct vault_put_many {
    const struct vault_put_item *items;
    size_t count;           /* 1..QC_VAULT_BUNDLE_FILES; no name twice */
    bool if_absent, hasty;  /* as in vault_put_opts */
    vault_put_told_fn told; /* called once for each, in their order */
    void *ctx;
};
/*
 * Seal and store several small objects, each under keys of its own, as one bundle (FORMAT 9.3): one
 * transaction of each share store, one segment, one commit for all. Each has its own outcome. Items whose
 * sealed objects have more than QC_VAULT_BUNDLE_MAX bytes together are to be put again.
 *
 * When it returns the bundle is on its way, and QC_VAULT_BUNDLES_AHEAD - 1 of those before it, of earlier
 * calls, may be so, too; all others are over and told of: while one is sealed, others are sent and committed.
 * They are told of in their order. All is over with vault_put_many_end, before which nothing else is asked of
 * v, and by `told` only in there. What is pointed to stays as it is until it was told of. Sources are read by
 * two threads, each by one of them, and asked by a third whether they are unchanged.
 */
void vault_put_many(struct vault *v, const struct vault_put_many *what, const struct vault_call *call);
/* Wait for all that are on their way, and tell of them. */
void vault_put_many_end(struct vault *v);

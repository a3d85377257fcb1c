/* The keeper of backup data as the vault needs it: an interface declared by its consumer, like vault/gw.h.
 * Layer 3; uses base. Format: FORMAT 4, kind 2.
 *
 * A keeper is another party than the gateway: B of each version lies with it, in clear, and the gateway has
 * its front alone, so that one share store and the gateway open nothing (seal.md 2.3). It is told random ids,
 * times and numbers, and no name. What it gives is held against M14 or M24, as what a gateway gives is.
 *
 * Threads: any number at once. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "vault/descriptor.h"
#include "vault/gw.h"
#include "vault/ids.h"
#include "vault/op.h"

struct vault_keeper;

/* Some of a listing. */
struct vault_keeper_page {
    struct vault_gw_version v[QC_VAULT_SWEEP_PAGE];
    size_t n;
};

/* Errors of every call: QC_TEMP it is not to be reached now, QC_TIMEOUT, QC_CANCELLED, QC_AUTH, QC_FULL,
 * QC_IO, QC_NOMEM. They name the keeper, and what to do is in err->next. vault: 16 bytes. */
struct vault_keeper_ops {
    /* Is it a place of its own? clouds: those of the vault's gateway, as far as they are known; share:
     * directories of the stores, or NULL. QC_USAGE: it is one of these, or within it, or around it, or a
     * cloud of any gateway. */
    qc_rc (*apart)(struct vault_keeper *k, const struct vault_cloud *clouds, size_t count,
                   const char *const share[2], const struct vault_op *op, struct qc_err *err);
    /* Is it there, and has it B of the vault itself? QC_NOTFOUND  it has not: it is another's keeper, or new.
     */
    qc_rc (*look)(struct vault_keeper *k, const uint8_t *vault, const struct vault_op *op,
                  struct qc_err *err);
    /* 1.., durable; in the place of what is there. After a failure any of them may be there. */
    qc_rc (*put)(struct vault_keeper *k, const uint8_t *vault, const struct vault_gw_backup *v, size_t n,
                 const struct vault_op *op, struct qc_err *err);
    /* B, appended. QC_NOTFOUND: it is there and has none. */
    qc_rc (*get)(struct vault_keeper *k, const uint8_t *vault, const struct vault_gw_version *version,
                 qc_buf *ret, const struct vault_op *op, struct qc_err *err);
    /* Of those that it has, in the order of their ids, the next ones after `after`; none: no more. What is
     * under no key of FORMAT 17 is passed over. */
    qc_rc (*list)(struct vault_keeper *k, const uint8_t *vault, const struct vault_gw_version *after,
                  struct vault_keeper_page *ret, const struct vault_op *op, struct qc_err *err);
    /* 1.., durable; those that it has not are no failure. */
    qc_rc (*drop)(struct vault_keeper *k, const uint8_t *vault, const struct vault_gw_version *v, size_t n,
                  const struct vault_op *op, struct qc_err *err);
};

struct vault_keeper {
    const struct vault_keeper_ops *ops; /* the implementation's object begins with this struct */
    const char *url;                    /* for people; until it is closed */
};

/* Has it the vault's own B, of generation `least` or a later one? Every put asks. QC_NOTCONF: it has nothing
 * of this vault, or what it has is older: it is the keeper no longer, or a copy of before. QC_INTEGRITY: what
 * it has is damaged. And those of ops->get. */
QC_MUST qc_rc vault_keeper_current(struct vault_keeper *k, const uint8_t vault[VAULT_ID_BYTES],
                                   uint32_t least, const struct vault_op *op, struct qc_err *err);

/* A keeper of backup data (vault/keeper.h) that is a cloud: a directory, a bucket. Layer 4; uses cloud,
 * vault. Format: FORMAT 17. Threads: any number; the calls of one keeper follow one another.
 *
 * Nothing is opened before the first call: who has both share stores reads without the keeper, wherever its
 * disk is. A place that was lost is opened again by the next call. */
#pragma once
#include "vault/descriptor.h"
#include "vault/keeper.h"

/* Do the URL and the name of its credentials (NULL: none) make sense? Looks at nothing. QC_USAGE */
QC_MUST qc_rc home_keeper_check(const char *url, const char *credentials, struct qc_err *err);
/* Is there nothing else of the vault at the keeper's place, nor the other way round, by what the directories
 * are and the buckets are called? share: directories, which need not be there; NULL: not known. QC_USAGE */
QC_MUST qc_rc home_keeper_apart(const char *keeper, const struct vault_cloud *clouds, size_t count,
                                const char *const share[2], struct qc_err *err);
/* Nor the state of one's own gateway: its directory, which need not be there. QC_USAGE */
QC_MUST qc_rc home_keeper_off_gateway(const char *keeper, const char *gateway, struct qc_err *err);
/* Make the place one, durably, where it is none; cloud_create's errors. QC_USAGE: it is a cloud of some
 * gateway, by the identity that each of these bears, under whatever name it is reached. */
QC_MUST qc_rc home_keeper_make(const char *url, const char *credentials, const struct vault_op *op,
                               struct qc_err *err);
/* url, credentials: right, and copied. QC_NOMEM */
QC_MUST qc_rc home_keeper_new(struct vault_keeper **ret, const char *url, const char *credentials,
                              struct qc_err *err);
/* *k is NULL. Accepts NULL. After the sessions that borrow it. */
void home_keeper_free(struct vault_keeper **k);

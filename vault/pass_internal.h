/* Inside vault/: keys of wrapped store keys, and the search for the passphrase that opens one. Layer 3. */
#pragma once
#include "vault/ids.h"
#include "vault/pass.h"

/* KDF(Argon2id(passphrase), "wrap", store id): FORMAT 7.1. Owned by the caller. Errors of qc_pwhash. */
QC_MUST qc_rc pass_wrap_key(qc_key **ret, struct vault_pass *p, const struct qc_pwhash *how,
                            const uint8_t *store, const struct qc_cancel *cancel, struct qc_err *err);

/* Does this passphrase open it? QC_PASSPHRASE: no. What it opened is left in ctx. */
typedef qc_rc (*pass_opens_fn)(void *ctx, struct vault_pass *p, const struct qc_cancel *cancel,
                               struct qc_err *err);

/*
 * Try the known passphrases, then ask for others, until `opens` is content. ps may be NULL. silent: nobody is
 * asked.
 *
 *   ret_by   the passphrase that opened it; lives as long as ps
 *
 * QC_NOPASS, QC_PASSPHRASE and others of the source; what `opens` fails with
 */
QC_MUST qc_rc passes_open(struct vault_passes *ps, struct vault_pass_ask *ask, bool silent,
                          pass_opens_fn opens, void *ctx, struct vault_pass **ret_by, struct qc_err *err);

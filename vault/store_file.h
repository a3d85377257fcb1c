/* The key file of a share store, as secret bytes to write, and the way from a wrapped one to the key.
 * Layer 3. Format: FORMAT 7.1. */
#pragma once
#include "base/err.h"
#include "base/key.h"
#include "vault/ids.h"
#include "vault/share_store.h"

#define STORE_KEY_FILE "store.key"

/* The whole file, in clear or (lock->pass not NULL) wrapped; owned by the caller. Errors of qc_pwhash. */
QC_MUST qc_rc store_key_encode(qc_key **ret, const uint8_t store[VAULT_ID_BYTES], const qc_key *SK,
                               const struct vault_lock *lock, const struct qc_cancel *cancel,
                               struct qc_err *err);

/*
 * SK of a wrapped key, by a passphrase of expect->passes.
 *
 *   index   of the store, for the question; 0: not known
 *   ret_by  the passphrase that did it, borrowed
 *
 * As vault_store_open: QC_NOPASS, QC_PASSPHRASE, errors of qc_pwhash
 */
QC_MUST qc_rc store_key_unwrap(qc_key **ret, struct vault_pass **ret_by, const struct vault_store_key *key,
                               const struct vault_store_expect *expect, const char *dir, struct qc_err *err);

/* store.key of a directory. QC_NOTFOUND: there is none. */
QC_MUST qc_rc store_key_read(struct vault_store_key *ret, int dirfd, struct qc_err *err);

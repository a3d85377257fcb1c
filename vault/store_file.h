/* The key file of a share store, as secret bytes to write. Layer 3. Format: FORMAT 7.1. */
#pragma once
#include "base/err.h"
#include "base/key.h"
#include "vault/ids.h"

/* The VAULT_STORE_KEY_BYTES of a key in clear (kind 0); owned by the caller. QC_NOMEM. */
QC_MUST qc_rc store_key_encode(qc_key **ret, const uint8_t store[VAULT_ID_BYTES], const qc_key *SK,
                               struct qc_err *err);

/* The keys under the vault secret VS, derived once per run. Layer 3; uses base. Format: FORMAT 1.1, 7.2 (path
 * tag). Read-only after vault_ring_new; any thread. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"
#include "vault/ids.h"

struct vault_ring;

/* QC_NOMEM. VS is borrowed during the call. */
QC_MUST qc_rc vault_ring_new(struct vault_ring **ret, const qc_key *VS, const uint8_t vault[VAULT_ID_BYTES],
                             struct qc_err *err);
void vault_ring_free(struct vault_ring **ring);

const uint8_t *vault_ring_vault(const struct vault_ring *ring); /* vault id */

/* path_tag of FORMAT 7.2: first 16 bytes of HMAC(KDF(VS,"mark",ids), path ciphertext). */
QC_MUST qc_rc vault_ring_path_tag(uint8_t ret[16], const struct vault_ring *ring, qc_span path,
                                  struct qc_err *err);

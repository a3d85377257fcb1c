/* Vault head: hash chain over the seals of all committed entries. Layer 3; uses base. Format: FORMAT 6.2.
 * Unkeyed; kept by the gateway, replayed by clients from the last head they know. Pure, any thread. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "vault/ids.h"

#define VAULT_HEAD_BYTES 40

struct vault_head {
    uint64_t count;
    uint8_t h[32];
};

/* Head of a vault without commits. */
QC_MUST qc_rc vault_head_zero(struct vault_head *ret, const uint8_t vault[VAULT_ID_BYTES],
                              struct qc_err *err);

/* Append one committed entry's seal. */
QC_MUST qc_rc vault_head_step(struct vault_head *head, const uint8_t seal[32], struct qc_err *err);

void vault_head_encode(uint8_t ret[VAULT_HEAD_BYTES], const struct vault_head *head);
QC_MUST qc_rc vault_head_parse(struct vault_head *ret, qc_span in, struct qc_err *err); /* QC_FORMAT */

/*
 * Replay: known, extended by seals (32 bytes each, those of entries known.count + 1 .. claimed.count), must
 * give claimed.
 *
 * QC_INTEGRITY  "vault head: .. (rollback)": fewer commits than are known; "vault head: does not extend the
 *               known one"
 * QC_FORMAT     the number of seals is not the difference of the counts
 */
QC_MUST qc_rc vault_head_extends(const struct vault_head *known, qc_span seals,
                                 const struct vault_head *claimed, struct qc_err *err);

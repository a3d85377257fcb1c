/* The vault record, which holds VS3 as N holds R3, and the opening of the vault secret VS. Layer 3; uses
 * base, ss. Format: FORMAT 6.1. Threads: none. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"
#include "vault/backup.h"
#include "vault/ids.h"
#include "vault/shares.h"

#define VAULT_RECORD_BYTES 124

struct vault_record {
    uint8_t vault[VAULT_ID_BYTES];
    uint32_t generation;
    qc_key *VS3; /* owned */
    uint8_t commitment[32], mac[32];
    uint8_t clear[92]; /* the bytes under the MAC */
};
void vault_record_done(struct vault_record *record);

/* Append the record (124 bytes) and, to ret_backup, the vault's B (section 4 with n2 = 0). */
QC_MUST qc_rc vault_record_make(qc_buf *ret, qc_buf *ret_backup, const struct vault_secret *secret,
                                const uint8_t vault[VAULT_ID_BYTES], uint32_t generation, struct qc_err *err);

/* Structure only. QC_FORMAT, QC_NEWER. */
QC_MUST qc_rc vault_record_parse(struct vault_record *ret, qc_span in, struct qc_err *err);

/* Commitment of VS as stores and record hold it: KDF(VS, "commit", ids of the vault). Public. */
QC_MUST qc_rc vault_record_commitment(uint8_t ret[32], const qc_key *VS, const uint8_t vault[VAULT_ID_BYTES],
                                      struct qc_err *err);

/*
 * VS from {VS1, VS2, VS3} (both given), or {VSi, VS3, VS4} after M_i4 of B holds (one given, B parsed from
 * the vault's B).
 *
 * QC_SHARES     fewer than three shares
 * QC_INTEGRITY  "vault record: vault id", "backup data: ..", "vault record: commitment", "vault record: MAC"
 */
QC_MUST qc_rc vault_record_open(qc_key **ret, const struct vault_record *record,
                                const uint8_t vault[VAULT_ID_BYTES], const qc_key *VS1, const qc_key *VS2,
                                const struct vault_backup *B, struct qc_err *err);

/* VS1 or VS2 (x = 1, 2) again, or VS4, from one remaining share and B as in vault_record_open, or from both
 * shares. */
QC_MUST qc_rc vault_record_share(qc_key **ret, uint8_t x, const struct vault_record *record,
                                 const qc_key *VS1, const qc_key *VS2, const struct vault_backup *B,
                                 struct qc_err *err);

/* Backup data B = R'4 || M14 || M24, of an object or of a vault. Layer 3; uses base. Format: FORMAT 4.
 * Source: PAPERS A4, A5, A11. Threads: none. B stays readable to the gateway by design, its R4 is one share;
 * unless it is sealed under a recovery key.
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"
#include "vault/ids.h"

#define VAULT_BACKUP_BYTES 172 /* without corrections and extensions */

/* What goes into B. Keys borrowed. R1, R2 are the effective shares; corr1, corr2 may be NULL. */
struct vault_backup_parts {
    struct vault_ids ids;
    uint32_t generation; /* 1.. */
    uint64_t n2;
    const qc_key *R1, *R2, *R4;
    const qc_key *corr1, *corr2;
    qc_span extensions; /* encoded, may be empty */
};

/*
 * Append B to ret.
 * QC_USAGE  generation 0 or malformed extensions; QC_NOMEM, QC_LIMIT from the buffer
 */
QC_MUST qc_rc vault_backup_make(qc_buf *ret, const struct vault_backup_parts *parts, struct qc_err *err);

/*
 * The form in which B lies at the gateway where the vault has a recovery key W: FORMAT 4, kind 1. Instead of
 * the other, in place. It is a function of B and W: the same B is sealed to the same bytes.
 *
 *   B  of vault_backup_make;  vault_backup_unseal: whatever came, of which a plain B is left as it is
 *
 * QC_SHARES (unseal)     it is sealed, and W is NULL
 * QC_INTEGRITY (unseal)  "backup data: seal": under another key, or changed;  QC_FORMAT  too short
 */
QC_MUST qc_rc vault_backup_seal(qc_buf *B, const qc_key *W, struct qc_err *err);
QC_MUST qc_rc vault_backup_unseal(qc_buf *B, const qc_key *W, struct qc_err *err);
/* Is it in that form, by its first bytes? */
bool vault_backup_is_sealed(qc_span B);

/*
 * What the gateway has of a B that is with a keeper: its first 64 bytes with another kind. FORMAT 4, kind 2.
 * The generation stands in these, as in a B of kind 0. QC_FORMAT: it is neither.
 */
bool vault_backup_is_kept(qc_span B);
bool vault_backup_is_plain(qc_span B);
void vault_backup_front(qc_buf *B); /* made of a B of kind 0, in its place */
QC_MUST qc_rc vault_backup_generation(uint32_t *ret, qc_span B, struct qc_err *err);

/* B, parsed. Owns R4 and the corrections; raw, m14, m24 and extensions borrow from the parsed bytes, which
 * must outlive it. */
struct vault_backup {
    struct vault_ids ids;
    uint32_t generation;
    uint64_t n2;
    qc_key *R4, *corr1, *corr2;
    qc_span extensions;
    qc_span raw, m14, m24;
};
void vault_backup_done(struct vault_backup *backup);

/*
 * Structure only: nothing in it is to be believed before vault_backup_check.
 * QC_FORMAT  not B, or malformed;  QC_NEWER  version, suite, kind or a must-understand extension is unknown
 */
QC_MUST qc_rc vault_backup_parse(struct vault_backup *ret, qc_span in, struct qc_err *err);

/*
 * Check B with the own share i (1 or 2) under the ids asked for; gives the effective share (own xor corr_i).
 *
 * QC_INTEGRITY  "backup data: M14" (or M24): not the B of this share, object, version or generation;
 *               "backup data: ids": the MAC holds but the ids inside are others
 */
QC_MUST qc_rc vault_backup_check(qc_key **ret_effective, const struct vault_backup *backup, unsigned i,
                                 const qc_key *share, const struct vault_ids *ids, struct qc_err *err);

/* The effective share of what a seed gives: own xor corr_i, where there is a correction; or the other way
 * round. Nothing is checked. */
QC_MUST qc_rc vault_backup_correct(qc_key **ret, const struct vault_backup *backup, unsigned i,
                                   const qc_key *share, struct qc_err *err);

/*
 * Whoever holds both shares checks both MACs (vault_backup_check twice), and this: n2 and R4 equal what R1,
 * R2, R3 give.
 *
 *   R1, R2   effective shares, borrowed
 *   R3       from N, borrowed
 *   c0       length of chunk 0's ciphertext
 *   vault    it is a vault's B: n2 must be 0, and c0 is not looked at
 *
 * QC_INTEGRITY  "backup data: n2" or "backup data: R4"
 */
struct vault_backup_truth {
    const qc_key *R1, *R2, *R3;
    uint64_t c0;
    bool vault;
};
QC_MUST qc_rc vault_backup_consistent(const struct vault_backup *backup,
                                      const struct vault_backup_truth *truth, struct qc_err *err);

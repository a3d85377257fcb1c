/* Digests and MACs that writer and reader of N compute alike. Layer 3, internal. FORMAT 3.1, 3.2, 3.5. Pure.
 */
#pragma once
#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/key.h"
#include "vault/ids.h"

/* What M covers. Borrowed. */
struct vault_m_parts {
    qc_span header;
    const qc_key *KR, *R3;
    uint64_t n1, n2;
    qc_span trailer;
};

/* M = HMAC(KDF(R,"M",ids), enc("M", header, KR, R3, u64 n1 || u64 n2, trailer)); key is KDF(R,"M",ids). */
QC_MUST qc_rc vault_m(uint8_t ret[32], const qc_key *key, const struct vault_m_parts *parts,
                      struct qc_err *err);

/* SHA-256(enc("group", u64 group, block)). */
QC_MUST qc_rc vault_group_digest(uint8_t ret[32], uint64_t group, qc_span block, struct qc_err *err);

/* KDF(secret, "commit", ids): key commitment of DK in a header, of VS in a vault record. Public. */
QC_MUST qc_rc vault_commitment(uint8_t ret[32], const qc_key *secret, const struct vault_ids *ids,
                               struct qc_err *err);
/* The same of a secret that was extracted for other uses, too. */
QC_MUST qc_rc vault_prk_commitment(uint8_t ret[32], const struct qc_prk *prk, const struct vault_ids *ids,
                                   struct qc_err *err);

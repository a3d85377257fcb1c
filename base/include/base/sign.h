/* Signatures: Ed25519 (RFC 8032), over libsodium. Layer 0; uses err, buf, key.
 *
 * A signing key is a seed of QC_SIGN_SEED bytes, a qc_key; whoever has it can sign. The same seed and message
 * give the same signature. All functions work on the caller's memory and may be called from any thread.
 * Ed25519 falls to a large quantum computer: what is signed must not rest on it for longer. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"

enum { QC_SIGN_SEED = 32, QC_SIGN_PUBLIC = 32, QC_SIGN_BYTES = 64 };

/* The public key of a seed of QC_SIGN_SEED bytes (asserted). QC_NOMEM */
QC_MUST qc_rc qc_sign_public(uint8_t ret[QC_SIGN_PUBLIC], const qc_key *seed, struct qc_err *err);
/* The signature of a message. QC_NOMEM */
QC_MUST qc_rc qc_sign(uint8_t ret[QC_SIGN_BYTES], const qc_key *seed, qc_span message, struct qc_err *err);
/* Is it this key's signature of this message? Encodings that are not canonical, and keys of small order, are
 * refused. */
QC_MUST bool qc_sign_holds(const uint8_t key[QC_SIGN_PUBLIC], qc_span message,
                           const uint8_t signature[QC_SIGN_BYTES]);

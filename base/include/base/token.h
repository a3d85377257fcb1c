/* Tokens: what a tenant shows to a gateway. Layer 0; uses err, file, key, crypto. Keeps I5. Form: FORMAT 9.3.
 *
 *   qcloud-token-v1-<64 hex digits>      80 bytes; the words let scanners of leaked secrets find them
 *
 * A token lives in a qc_key of QC_TOKEN_BYTES bytes, its text without a terminator. Whoever checks one keeps
 * its hash. */
#pragma once
#include "base/crypto.h"
#include "base/key.h"

enum { QC_TOKEN_BYTES = 80 };

/* Does the text have the form? Constant time for texts of the right length. */
QC_MUST bool qc_token_ok(qc_span text);
/* A new one. The errors of rng. */
QC_MUST qc_rc qc_token_new(qc_key **ret, const qc_rng *rng, struct qc_err *err);
/* What is kept of it: SHA-256 of the text. */
QC_MUST qc_rc qc_token_hash(qc_span text, uint8_t ret[QC_SHA256_BYTES], struct qc_err *err);

/* Write it and a line's end to a file that does not exist: mode 0600, durable. QC_CONFLICT: it exists. */
QC_MUST qc_rc qc_token_write(const char *path, const qc_key *token, struct qc_err *err);
/*
 * Read it from a file, with or without a line's end.
 * QC_AUTH    it belongs to somebody else, or others than its owner may touch it
 * QC_FORMAT  not a token; what is there is not repeated
 * QC_NOTFOUND, QC_IO, QC_NOMEM
 */
QC_MUST qc_rc qc_token_read(const char *path, qc_key **ret, struct qc_err *err);
/* The same from bytes that are in secret memory already; n of them count. */
QC_MUST qc_rc qc_token_take(const qc_key *from, size_t n, qc_key **ret, struct qc_err *err);

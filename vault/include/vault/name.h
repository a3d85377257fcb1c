/* Names and path ciphertexts. Layer 3; uses base. Format: FORMAT 5.1. Keeps I3: no name in clear leaves the
 * client. Deterministic per component, so the path ciphertext of a directory is a prefix of those of all that
 * it holds. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "vault/ring.h"

/*
 * Is this a name? 1..QC_VAULT_NAME_MAX bytes, components of 1..4,096 bytes without NUL, not "." or "..",
 * joined by "/".
 * QC_USAGE  which rule is broken (the text does not repeat the name)
 */
QC_MUST qc_rc vault_name_check(qc_span name, struct qc_err *err);

/*
 * Append the path ciphertext of a name (a file's or a directory's) to ret.
 * QC_USAGE as vault_name_check; QC_NOMEM, QC_LIMIT from the buffer
 */
QC_MUST qc_rc vault_name_seal(qc_buf *ret, const struct vault_ring *ring, qc_span name, struct qc_err *err);

/* The folder of a name that was sealed: those of the next one in it are known. Start from {0}; one ring per
 * folder. */
struct vault_name_folder {
    qc_buf name; /* with its slash; empty: none yet */
    qc_buf path;
    uint8_t id[32]; /* its directory id, FORMAT 5.1 */
};
void vault_name_folder_done(struct vault_name_folder *folder);
/* vault_name_seal for names that come one folder after the other. */
QC_MUST qc_rc vault_name_seal_next(qc_buf *ret, struct vault_name_folder *folder,
                                   const struct vault_ring *ring, qc_span name, struct qc_err *err);

/* The path tag of a name (FORMAT 7.2), by its path ciphertext. Errors: as of vault_name_seal. */
QC_MUST qc_rc vault_name_tag(uint8_t ret[16], const struct vault_ring *ring, qc_span name,
                             struct qc_err *err);

/*
 * Names of one listing: remembers the components of the last path, so that each directory is derived once
 * while paths come in ciphertext order. Start from {0}; one ring per cache.
 */
struct vault_name_cache {
    struct vault_name_level *level;
    size_t count, cap;
    qc_buf path, name; /* the last path and its name */
};
void vault_name_cache_done(struct vault_name_cache *cache);

/*
 * Append the name of a path ciphertext to ret.
 *   cache   NULL, or kept by the caller over a listing
 *
 * QC_FORMAT     lengths do not add up, empty path, too long
 * QC_INTEGRITY  "name: .." a component does not authenticate in its directory, or breaks the rules
 */
QC_MUST qc_rc vault_name_open(qc_buf *ret, const struct vault_ring *ring, qc_span path,
                              struct vault_name_cache *cache, struct qc_err *err);

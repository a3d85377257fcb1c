/* Entries: a path's current version, sealed by the client so that the gateway cannot answer with another one.
 * Layer 3; uses base. Format: FORMAT 5.2. Threads: none. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "vault/ids.h"
#include "vault/meta.h"
#include "vault/ring.h"

enum vault_entry_kind {
    VAULT_ENTRY_FILE = 1,
    VAULT_ENTRY_TOMBSTONE = 2,
};

/* Spans are borrowed. A tombstone has object, version, sequence, size, M zero and priv empty. */
struct vault_entry {
    qc_span path;
    uint64_t number; /* 1.. per path */
    uint8_t kind;
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint64_t sequence; /* 1.. per object id */
    uint64_t size;     /* |N| */
    uint8_t M[32];
    qc_span priv; /* salt || ciphertext || tag */
    uint8_t seal[32];
};

/*
 * Fill e->seal from all other fields.
 * QC_USAGE  the fields break FORMAT 5.2 (a bug of the caller that is reported, not asserted: resealing takes
 * outside numbers)
 */
QC_MUST qc_rc vault_entry_seal(struct vault_entry *e, const struct vault_ring *ring, struct qc_err *err);

/*
 * Check an entry from outside against the path that was asked for (path.n = 0: any, as in a listing).
 *
 * QC_INTEGRITY  "entry: seal", "entry: answers for another path"
 * QC_FORMAT     fields that FORMAT 5.2 does not allow; QC_NEWER  a kind that is not known
 */
QC_MUST qc_rc vault_entry_check(const struct vault_entry *e, const struct vault_ring *ring, qc_span path,
                                struct qc_err *err);

/*
 * Private part: salt (16) || ciphertext || tag, appended to ret; e's path, number, object and version are
 * bound. Only true_size, mtime, mode and ways of meta are written.
 */
QC_MUST qc_rc vault_entry_private_seal(qc_buf *ret, const struct vault_entry *e,
                                       const struct vault_ring *ring, const struct vault_meta *meta,
                                       const uint8_t salt[16], struct qc_err *err);
/* What the private part of one entry says, to the byte, as that of another: of the same version under another
 * path. Appended; salt is fresh. QC_INTEGRITY, QC_FORMAT. */
QC_MUST qc_rc vault_entry_private_move(qc_buf *ret, const struct vault_entry *to,
                                       const struct vault_entry *from, const struct vault_ring *ring,
                                       const uint8_t salt[16], struct qc_err *err);

/*
 * Open e->priv. ret's spans are empty.
 * QC_INTEGRITY  "entry private part: tag";  QC_FORMAT, QC_NEWER  its clear text
 */
QC_MUST qc_rc vault_entry_private_open(struct vault_meta *ret, const struct vault_entry *e,
                                       const struct vault_ring *ring, struct qc_err *err);
/* Its text of the ways (FORMAT 11.2), appended to ret; nothing where it has none. Errors: as above. */
QC_MUST qc_rc vault_entry_ways(qc_buf *ret, const struct vault_entry *e, const struct vault_ring *ring,
                               struct qc_err *err);

/* Names of a vault that become other names. Layer 3; uses base. A part of vault/vault.h, which says what
 * holds for all calls of a session. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "vault/ids.h"

struct vault;
struct vault_call;

/* One name that becomes another: the same object, its versions too; no byte of it is read or sent. */
struct vault_move {
    qc_span from, to;       /* names; of one call none stands twice, on either side */
    const uint8_t *version; /* it is moved while that is its current version; NULL: whatever it has */
    const uint8_t *over;    /* what the new name has, as in vault_put_opts: zeros: nothing; NULL: whatever */
    /* out. QC_OK: both are so, durably. QC_NOTFOUND: `from` is not there, or was removed; QC_CONFLICT:
     * `version` or `over` is not what is there; QC_USAGE: a name. QC_TEMP and the like: see open. */
    qc_rc rc;
    struct qc_err err; /* out: why not */
    bool open;         /* out: it may be done, now or later; the same call again finds out */
    uint64_t number;   /* out: of the new name */
    uint8_t object[VAULT_ID_BYTES], moved[VAULT_ID_BYTES]; /* out: what it is of; its current version */
    uint32_t record_copies, clouds;                        /* out */
};
/*
 * Move up to QC_VAULT_CALL_FILES names, by one request and one log object as far as they fit: for mv, and
 * for a sync that finds that files were renamed. Fill from, to, version (that it saw) and over (zeros: the
 * new name must be free) of each; afterwards each rc is QC_OK, or nothing of that move has changed.
 *
 * Each is both changes or neither, and one that is refused takes no other with it. To exchange two names, or
 * to pass one on (a to b, b to c), takes one call after the other. The time and mode that the entry had stay;
 * versions of the name, its trash and its prune go to the new name with it (vault_versions). rename.c
 *
 * QC_OK: each has its outcome (QC_USAGE: it has a name in common with one before it). QC_USAGE: n. Both share
 * stores are there and may be written (QC_SHARES, QC_AUTH): each notes what is moved. Else what a session
 * says: nothing has been asked.
 */
QC_MUST qc_rc vault_move_many(struct vault *v, struct vault_move *moves, size_t n,
                              const struct vault_call *call, struct qc_err *err);

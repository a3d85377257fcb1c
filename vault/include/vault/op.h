/* How long an operation may take, who may break it off, and what it found that is no failure. Layer 3; uses
 * base. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/time.h"

/* {0}: no deadline, cannot be broken off. Borrowed for the call. */
struct vault_op {
    qc_deadline deadline;
    const struct qc_cancel *cancel;
};

/* Remarks of an operation: it did what it was asked, but the user should hear of these. */
enum vault_note_kind {
    VAULT_NOTE_SHARE_MISSING = 1, /* share store `share` is not there (or cannot be read) */
    VAULT_NOTE_SHARE_LOCKED,      /* it is under a passphrase, and none was given */
    VAULT_NOTE_SHARE_DAMAGED,     /* it is there, but its value for this object does not verify or lacks */
    VAULT_NOTE_CLOUD,             /* `cloud` did not serve, `count` times; text: missing, damaged, .. */
    VAULT_NOTE_BACKUP,            /* the gateway's backup data is wrong or missing; the shares served */
    VAULT_NOTE_MARGIN,            /* an object survives fewer losses than it was stored for */
    VAULT_NOTE_UNFINISHED,        /* an interrupted put of an earlier command was settled, or could not be */
    VAULT_NOTE_STORE_BEHIND,      /* a share store could not be brought up to date (read-only, full) */
    VAULT_NOTE_SKIPPED,           /* recover left something out, and why */
    VAULT_NOTE_VERSIONS,          /* some versions of an object are in no share store that is here */
};

struct vault_note {
    enum vault_note_kind kind;
    unsigned share; /* 1, 2, or 0 */
    qc_rc rc;       /* what a failure of this kind would have been */
    uint64_t count; /* faults of this cloud and kind, or 0 */
    char cloud[64]; /* or "" */
    char text[256]; /* one line, lower case, no full stop; names are escaped */
};

/* {0} is empty. Owned by the caller; at most QC_VAULT_NOTES_MAX are kept, equal ones (kind, share, cloud, and
 * a cloud's text) once. */
struct vault_notes {
    struct vault_note *v;
    size_t n, cap;
    size_t dropped; /* not kept for want of room or memory */
};
void vault_notes_done(struct vault_notes *notes);

/* Add one. Never fails: what cannot be kept is counted in dropped. notes may be NULL. */
void vault_notes_add(struct vault_notes *notes, const struct vault_note *note);
void vault_note(struct vault_notes *notes, enum vault_note_kind kind, unsigned share, qc_rc rc,
                const char *fmt, ...) QC_PRINTF(5, 6);

/* Rebuild: the catalogue from the clouds alone. Layer 4; uses base, ss, cloud. Keeps I1. Order: the head of
 * gateway/rebuild.c.
 */
#pragma once
#include "gateway/engine.h"

struct gw_rebuild_setup {
    const struct gw_engine_cloud
        *clouds; /* names and places, as for init; those that do not answer may stand here */
    unsigned count;
    qc_span kit; /* the operator's kit, where the root key is off the clouds or too few of them answer; else
                    empty */
    /* End the log where no copy of a record that may have been acknowledged is readable. False: QC_INTEGRITY.
     */
    bool accept_loss;
    bool validate;   /* look whether clouds that this directory has not seen yet are fit; what
                        is unfit is told and used all the same: what lies there is needed */
    gw_told_fn told; /* of each that was looked at; or NULL */
    void *told_ctx;
    const struct gw_id *catalogue; /* the one that it must be; NULL: whatever the clouds say */
    /* Look alone: nobody is fenced, nothing is written to a cloud, and the catalogue that would come of it is
     * made in state_dir, checked, and removed again. Whoever serves may go on; what he commits meanwhile may
     * look like a log that misses something. */
    bool verify_only;
    uint32_t snapshot_incarnation, snapshot_serial; /* a snapshot that is asked about: ret->asked; or 0, 0 */
};

/* What was found, and what could not be known. */
struct gw_rebuild_report {
    struct gw_id catalogue;
    uint32_t incarnation;               /* the new one */
    unsigned clouds, reached, needed;   /* in use; heard; the least for a rebuild */
    uint64_t log_objects, log_sequence; /* applied; the last that stands */
    uint64_t log_beyond;                /* objects beyond a gap or the cut: void */
    uint64_t log_packed;                /* of those applied, taken from packs (snapshot.h) */
    uint64_t log_restored;              /* of these, on no cloud any more: they were put back */
    uint64_t tenants, vaults, entries, versions, tombstones, bytes;
    uint64_t fragments_expected, fragments_found, fragments_missing;
    uint64_t fragments_unheard; /* on clouds that did not answer: not known */
    uint64_t unknown; /* fragments without a record: never acknowledged, or not known; none is deleted */
    uint64_t foreign; /* objects that are not ours; none is touched */
    /* What the log does not hold, as notes had it that were taken at notes_s, after log object
     * notes_sequence; what was found out later is not known. notes_s 0: there were none */
    int64_t notes_s;
    uint64_t notes_sequence;
    uint32_t notes_incarnation, notes_serial; /* its generation */
    uint64_t
        asked; /* the log object that the snapshot is of that was asked about; 0: it is on no cloud heard */
    bool notes_cut;          /* more was known then than notes have room for */
    uint64_t noted_dead;     /* keys that are known to be dead, and will be deleted */
    uint64_t noted_doubts;   /* fragments that are there, and were not to be counted then: to be read first */
    uint64_t noted_refused;  /* dead keys under which something lives: not believed */
    uint64_t audit_sequence; /* of the last line of the audit log then, and its hash; 0: not known */
    uint8_t audit_hash[GW_DIGEST_BYTES];
    uint64_t unreadable; /* versions with fewer than k fragments seen or unheard */
};

/*
 * Make a catalogue in state_dir from what lies on the clouds, under a new incarnation that fences the old
 * gateway before anything is read (verify_only: see there; ret->incarnation is the newest there is). A
 * catalogue that is there already is set aside as `before-<incarnation>`, never removed. QC_QUORUM     fewer
 * clouds with intact identities than needed; the message says how many QC_CONFLICT   clouds of two gateways
 * or of another one, nothing was written; or two rebuilds at once: this one gave way QC_INTEGRITY  the log
 * does not verify, or a record that may have been acknowledged is damaged or missing on all clouds that were
 * heard: nothing was cut off; bring more clouds back, or accept_loss QC_USAGE      names, URLs, or a cloud
 * that needs keys without the name of some, here and before QC_LOCKED, QC_RANDOM, QC_FULL, QC_AUTH, QC_IO,
 * QC_NOMEM
 */
QC_MUST qc_rc gw_rebuild(const char *state_dir, const struct gw_rebuild_setup *setup, const qc_rng *rng,
                         struct gw_rebuild_report *ret, struct qc_err *err);

/* Planted bugs: mistakes that the simulator has to find, or its silence means nothing. Layer 0.
 *
 *   if (w->durable < quorum && !qc_planted(ack_early))
 *
 * Compiled in where fault points are (QC_FAULT_POINTS), never in a release; there qc_planted is the constant
 * false. At most one is on, and only `qcloud-sim --planted` turns one on, or, for number 15, which is the
 * client's, fault/vault_put. The number is that of the design's list. */
#pragma once
#include <stdbool.h>

#define QC_PLANTED_TABLE(X)                                                                                  \
    X(ack_early, 1, "a put settles for k fragments, and counts those that are owed")                         \
    X(pay_on_send, 2, "a fragment counts once its put was sent")                                             \
    X(unverified, 3, "fragments are taken, and repaired from, without a look at their tags")                 \
    X(purge_early, 4, "what is purged dies before the record of that is evident")                            \
    X(sweep_in_flight, 5, "what lies under a key of a put that is under way is swept")                       \
    X(ledger_dropped, 6, "dead keys are forgotten after the first DELETE")                                   \
    X(key_reuse, 7, "a repair writes under the key that it replaces")                                        \
    X(cancel_decided, 8, "a put is cancelled without a look at its state")                                   \
    X(no_witness, 9, "no look at newer roots after a record was put")                                        \
    X(no_tombstone, 11, "a removal is published, and its record is put nowhere")                             \
    X(wiped_counts, 12, "a cloud without its identity is believed")                                          \
    X(sync_retried, 13, "a commit whose fsync failed is taken for done")                                     \
    X(shares_late, 15, "shares are recorded after the commit was sent")                                      \
    X(number_unchecked, 16, "an entry is decided whatever its number")                                       \
    X(evidence_short, 17, "a record is evident on one cloud fewer than the record quorum")                   \
    X(scrub_forgets, 18, "a page of a scrub is done, and what it found is not written down")                 \
    X(purge_current, 19, "a version that a name points at is purged")                                        \
    X(repack_left, 20, "what a repack that was cut short has left is not looked for")                        \
    X(repack_gap, 21,                                                                                        \
      "a repack leaves out what was purged meanwhile, and takes its bytes for the next one's")               \
    X(move_half, 22, "a move is published at the new path, and the old one stays")                           \
    X(move_unseen, 23, "an object that was moved away is put at its old path")                               \
    X(bundle_dies, 24, "a bundle is dead with the first that leaves it")

enum qc_planted {
    QC_PLANTED_none,
#define X(name, number, text) QC_PLANTED_##name,
    QC_PLANTED_TABLE(X)
#undef X
        QC_PLANTED_COUNT
};

#ifdef QC_FAULT_POINTS
extern enum qc_planted qc_planted_bug;
#define qc_planted(name) (qc_planted_bug == QC_PLANTED_##name)
#else
#define qc_planted(name) ((void)QC_PLANTED_##name, false)
#endif

/* The steps of a rebuild, for rebuild.c. */
#pragma once
#include "engine_internal.h"
#include "gateway/rebuild.h"
#include "gateway/stands.h"
#include "make.h"
#include "gateway/pack.h"

/* A pack, or notes, that listings show. */
struct gw_pack_seen {
    uint64_t first, last, bytes; /* last, bytes: of those that were used */
    uint32_t serial;
    uint16_t incarnation;
    bool notes;
    uint8_t fate; /* rebuild_packs.c */
    gw_clouds on;
};

struct gw_rebuilding {
    const struct gw_rebuild_setup *setup;
    const qc_rng *rng;
    struct gw_rebuild_report *report;
    struct gw_state state;
    struct gw_ways *ways;
    struct gw_rebuild_setup own;                         /* the caller's, with .. */
    struct gw_engine_cloud own_clouds[QC_GW_CLOUDS_MAX]; /* .. the names of keys that were there before */
    struct gw_root *root;
    struct gw_fan *fan;   /* one position per cloud of the setup */
    gw_clouds good, lost; /* showing an identity of ours; answering without */
    qc_buf identity[QC_GW_CLOUDS_MAX];
    struct gw_member member[QC_GW_CLOUDS_MAX]; /* of good ones */
    unsigned needed, count;                    /* clouds: r; in use, as the identities say */
    unsigned unheard;                          /* of those in use, as far as identities say */
    bool mixed;                                /* shares of the root key are not as they should be */
    uint32_t newest, incarnation;              /* greatest seen; ours */
    struct gw_id instance;

    struct gw_log_seen *seen; /* ascending by sequence, incarnation */
    size_t seen_count, seen_cap;
    struct gw_log_cut cuts[QC_GW_CUTS_MAX];
    unsigned cut_count;
    struct gw_log_tip tip; /* end of the chain */
    gw_clouds wrong;       /* clouds whose copy of the link in hand is damaged, or another's */

    struct gw_pack_seen *packs; /* packs by their first log object, then notes; the newest first */
    size_t pack_count, pack_cap;
    qc_buf pack; /* the one in hand */
    struct gw_pack_iter pack_it;
    struct gw_pack_entry pack_entry; /* where it is, if packed */
    bool packed;
    qc_buf notes; /* those that are used; empty: there are none */
    struct gw_notes_head notes_head;
    struct gw_notes_iter notes_it;
    struct gw_notes_head swept; /* what died up to this log object was swept, but for what those notes name */

    struct gw_cat *cat;
    struct qc_tx tx; /* of links that are not durable yet: nobody else uses this catalogue */
    unsigned links;  /* in it */
    struct gw_config conf;
    struct gw_cloud_row clouds[QC_GW_CLOUDS_EVER]; /* from the log's records; retired ones, too */
    unsigned cloud_count;
    enum gw_domain domain;
    uint32_t bkey_epoch;
    qc_key *bkeys[QC_GW_BKEYS_MAX]; /* by epoch - 1 */
    uint64_t next_segment;
};

/* rebuild_clouds.c */
QC_MUST qc_rc gw_rebuild_identities(struct gw_rebuilding *b, struct qc_err *err);
QC_MUST qc_rc gw_rebuild_fence(struct gw_rebuilding *b, struct qc_err *err);
/* Instead of the fence: the newest incarnation and the cuts, as they are now. */
QC_MUST qc_rc gw_rebuild_look(struct gw_rebuilding *b, struct qc_err *err);
QC_MUST qc_rc gw_rebuild_cut(struct gw_rebuilding *b, struct qc_err *err);
/* QC_CONFLICT: a later root than ours is there. cuts: read the cuts too. */
QC_MUST qc_rc gw_rebuild_alone(struct gw_rebuilding *b, bool cuts, struct qc_err *err);
/* position of a cloud id among the good ones, or -1 */
int gw_rebuild_at(const struct gw_rebuilding *b, uint32_t cloud_id);

/* rebuild_roster.c: how many clouds there are and how many are needed, as the good ones' identities say
 * (FORMAT 9.1). QC_QUORUM: fewer of them count. */
QC_MUST qc_rc gw_rebuild_count(struct gw_rebuilding *b, struct qc_err *err);
/* What the log says of a cloud. */
QC_MUST qc_rc gw_rebuild_learn_cloud(struct gw_rebuilding *b, const struct gw_record *rec,
                                     struct qc_err *err);
/* The log was read: clouds that it does not name as in use are no good ones. QC_QUORUM. */
QC_MUST qc_rc gw_rebuild_roster(struct gw_rebuilding *b, struct qc_err *err);

/* rebuild_trust.c: names of keys and what is known of the clouds: from the setup, else as before. QC_USAGE */
QC_MUST qc_rc gw_rebuild_ways(struct gw_rebuilding *b, const struct gw_rebuild_setup *setup,
                              struct qc_err *err);
/* Validate the good clouds that were not yet, where the setup asks for it; into b->ways. */
QC_MUST qc_rc gw_rebuild_trust(struct gw_rebuilding *b, struct qc_err *err);
/* What the fan shall know of a cloud, besides its id. */
struct gw_cloud_conf gw_rebuild_conf(const struct gw_rebuilding *b, unsigned at);

/* rebuild_log.c */
QC_MUST qc_rc gw_rebuild_list_log(struct gw_rebuilding *b, struct qc_err *err);
/* Walk the chain. Called for each object of it, in order; on: the good clouds that list it. */
typedef qc_rc (*gw_chain_fn)(struct gw_rebuilding *b, const struct gw_log *l, qc_span bytes, gw_clouds on,
                             struct qc_err *err);
QC_MUST qc_rc gw_rebuild_walk(struct gw_rebuilding *b, gw_chain_fn fn, struct qc_err *err);
/* Put the right bytes where the copy is wrong, and on good clouds until the record quorum has it. *on grows.
 */
QC_MUST qc_rc gw_rebuild_reput(struct gw_rebuilding *b, const struct gw_log_head *head, qc_span bytes,
                               gw_clouds *on, struct qc_err *err);

/* rebuild_packs.c */
QC_MUST qc_rc gw_rebuild_list_packs(struct gw_rebuilding *b, struct qc_err *err);
/* The log object of this sequence, if a pack has one: to be opened and chained like one from a cloud. Called
 * with sequences that ascend. *ret NULL: none; borrowed until the next call. */
QC_MUST qc_rc gw_rebuild_packed(struct gw_rebuilding *b, uint64_t sequence, const struct gw_pack_entry **ret,
                                struct qc_err *err);
/* Before the walk: which notes may be those. */
QC_MUST qc_rc gw_rebuild_guess_notes(struct gw_rebuilding *b, struct qc_err *err);
/* The newest notes that open and belong to the chain: into b->notes and the report. After the walk. */
QC_MUST qc_rc gw_rebuild_find_notes(struct gw_rebuilding *b, struct qc_err *err);
/* What they say, and which packs there are, as rows. After presence, in a transaction. */
QC_MUST qc_rc gw_rebuild_snapshot_rows(struct gw_rebuilding *b, struct qc_err *err);
void gw_rebuild_packs_done(struct gw_rebuilding *b);

/* rebuild.c: what links have written becomes durable. */
QC_MUST qc_rc gw_rebuild_flush(struct gw_rebuilding *b, struct qc_err *err);

/* rebuild_presence.c */
QC_MUST qc_rc gw_rebuild_presence(struct gw_rebuilding *b, struct qc_err *err);

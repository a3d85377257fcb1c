/* Which snapshots of the catalogue there are, where their pieces lie, and whether they hold. Layer 4; uses
 * base, cloud. docs/adr/0022, docs/adr/0084, FORMAT 9.6. */
#pragma once
#include "base/time.h"
#include "gateway/snapshot.h"

enum gw_piece_seen {
    GW_PIECE_SILENT,  /* the cloud did not say */
    GW_PIECE_MISSING, /* it says that there is none */
    GW_PIECE_THERE,   /* it says that there is one: not looked into */
    GW_PIECE_HOLDS,   /* fetched, and it is what it should be */
    GW_PIECE_DAMAGED, /* fetched, and it is not */
};
/* "silent", .. as in API.md */
const char *gw_piece_seen_name(enum gw_piece_seen s);

/* Notes, which make the log packed so far a snapshot, or a pack. */
struct gw_snapshot_item {
    bool notes;
    uint32_t incarnation, serial; /* its generation */
    uint64_t first, last;         /* log objects that it holds; of notes: as of both */
    uint64_t bytes;               /* of the clear text, which its pieces are coded from */
    int64_t taken_s;              /* of notes; 0: they could not be read */
    unsigned cloud_count;
    struct {
        uint32_t cloud_id;
        enum gw_piece_seen seen;
    } clouds[QC_EC_N_MAX];
    qc_rc rc;             /* QC_OK; else what is wrong with it beyond pieces that lack .. */
    char why[GW_WHY_MAX]; /* .. in words */
};
/* Borrowed. What it returns but QC_OK ends the call. */
typedef qc_rc (*gw_snapshot_item_fn)(void *ctx, const struct gw_snapshot_item *item, struct qc_err *err);

/* What a check found, of the snapshots asked for together. */
struct gw_snapshot_checked {
    uint64_t items, faults,
        lacking;           /* notes and packs; with something wrong; that lack a piece on some cloud */
    uint64_t log_sequence; /* the catalogue was made anew, up to this log object .. */
    uint64_t log_packed, log_else; /* .. from so many in packs, and so many that no pack has, from the log */
    uint64_t entries, versions, tombstones, vaults, tenants, bytes; /* what it has */
    bool compared; /* .. which is what the catalogue in use has: nothing was committed since */
    qc_rc rc;      /* QC_OK, QC_DEGRADED: pieces lack; QC_QUORUM, QC_INTEGRITY: something cannot be used */
    char why[GW_WHY_MAX];
};

struct gw_snapshot_ask {
    uint32_t incarnation, serial;   /* these notes alone; 0, 0: all there are */
    const struct qc_cancel *cancel; /* or NULL */
    gw_snapshot_item_fn tell;
    void *ctx;
};

/* Notes, the newest first, then packs by what they begin with; clouds are asked for their pieces, which are
 * not fetched (but those of notes, for their time). QC_TEMP: a snapshot is being made; QC_FENCED; QC_QUORUM:
 * too few clouds to know that this catalogue is the newest; QC_IO, QC_INTEGRITY: the catalogue; QC_NOMEM. */
QC_MUST qc_rc gw_engine_snapshot_list(struct gw_engine *e, const struct gw_snapshot_ask *ask,
                                      struct qc_err *err);
/* The same, and all of it: each piece is fetched and its tag checked, each log object opened, held against
 * the one before and the catalogue in use, and its records put into a new catalogue beside that, which is
 * checked and removed again. Takes about as long as a rebuild, without its listings. QC_NOTFOUND: there are
 * no such notes; QC_CANCELLED, QC_FULL, and as above. */
QC_MUST qc_rc gw_engine_snapshot_check(struct gw_engine *e, const struct gw_snapshot_ask *ask,
                                       struct gw_snapshot_checked *ret, struct qc_err *err);

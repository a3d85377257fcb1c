/* Packs and notes: their rows in the catalogue, and how they lie on clouds. Layer 4, internal; FORMAT 9.6,
 * docs/adr/0022. */
#pragma once
#include "engine_internal.h"
#include "gateway/pack.h"
#include "gateway/place.h"

/* -- rows (cat_snapshot.c) ------------------------------------------------------------------------------- */

enum gw_snap_state {
    GW_SNAP_TRYING = 1, /* durable before the first PUT (D1) */
    GW_SNAP_GOOD = 2,   /* on enough clouds, and read back */
    GW_SNAP_DEAD = 3,   /* to be deleted, by positive knowledge (D5) */
};
enum {
    GW_NOTES_KEPT = 2,
    GW_NOTE_ROOM = 256, /* no note is longer */
};
struct gw_snap_row {
    uint32_t incarnation, serial;
    bool notes;
    uint64_t first, last; /* log objects; of notes: as of both */
    uint64_t bytes;       /* of the clear text */
    enum gw_snap_state state;
    unsigned round; /* of a dead one: deleted so often */
    unsigned n;
    uint32_t clouds[QC_EC_N_MAX]; /* piece i is on clouds[i]; a rebuild knows clouds alone, in any order */
};

/* 0: not there. */
QC_MUST qc_rc gw_meta_find(struct gw_cat *c, const char *name, uint64_t *ret, struct qc_err *err);
/* A serial that was never given. In a transaction. */
QC_MUST qc_rc gw_cat_snap_serial(struct gw_cat *c, uint32_t *ret, struct qc_err *err);
/* Write the whole row. In a transaction. */
QC_MUST qc_rc gw_cat_snap_put(struct gw_cat *c, const struct gw_snap_row *row, struct qc_err *err);
/* It is good from now on; good packs that it covers and notes that are too old are dead. In a transaction. */
QC_MUST qc_rc gw_cat_snap_good(struct gw_cat *c, const struct gw_snap_row *row, struct qc_err *err);
/* What was being tried is dead. In a transaction. */
QC_MUST qc_rc gw_cat_snap_abandon(struct gw_cat *c, struct qc_err *err);
/* The good pack that goes furthest, the newest good notes. */
QC_MUST qc_rc gw_cat_snap_last(struct gw_cat *c, bool notes, struct gw_snap_row *ret, bool *ret_found,
                               struct qc_err *err);
/* The next one in this state after `after`. */
QC_MUST qc_rc gw_cat_snap_next(struct gw_cat *c, enum gw_snap_state state, const struct gw_snap_at *after,
                               struct gw_snap_row *ret, bool *ret_found, struct qc_err *err);
QC_MUST qc_rc gw_cat_snap_drop(struct gw_cat *c, const struct gw_snap_row *row, struct qc_err *err);
/* Good packs, and bytes of their clear text. */
QC_MUST qc_rc gw_cat_snap_counts(struct gw_cat *c, uint64_t *ret_packs, uint64_t *ret_bytes,
                                 struct qc_err *err);

/* Notes being written. */
struct gw_noting {
    qc_buf *b; /* begun; its max is the limit */
    uint32_t count;
    bool more; /* there was no room for all */
};
/* All that the catalogue has for them. Takes the lock, page by page. */
QC_MUST qc_rc gw_cat_note(struct gw_cat *c, struct gw_noting *n, const uint32_t *clouds, unsigned cloud_count,
                          struct qc_err *err);
/* What a rebuild made of notes. */
struct gw_noted {
    uint64_t dead;           /* keys that are in the ledger again */
    uint64_t doubted;        /* fragments that are there, and were seen damaged or missing before */
    uint64_t refused;        /* notes of dead keys under which something lives */
    uint64_t audit_sequence; /* of the last line of the audit log; 0: none */
    uint8_t audit_hash[GW_DIGEST_BYTES];
};
/* One note becomes rows, after presence. *ret grows. In a transaction. */
QC_MUST qc_rc gw_cat_noted(struct gw_cat *c, const struct gw_root *r, const struct gw_note *note,
                           struct gw_noted *ret, struct qc_err *err);

/* -- on clouds (snapshot_io.c) --------------------------------------------------------------------------- */

/*
 * Read a pack or notes: from the clouds of a set, by positions of the fan.
 *   enough  pieces that may do; 0: all are waited for
 * ret: empty, with a max. QC_QUORUM: too few pieces that hold came; QC_INTEGRITY, QC_NOTCONF, QC_NOMEM.
 */
QC_MUST qc_rc gw_snap_read(struct gw_fan *f, const struct gw_root *r, const struct gw_name *name,
                           gw_clouds set, unsigned enough, qc_buf *ret, struct qc_err *err);
/* The same, of all clouds of pieces->set, and what each of them said: written whatever is returned. */
struct gw_snap_pieces {
    gw_clouds set;
    gw_clouds holds; /* who handed out a piece that is what it should be */
    struct gw_answer answer;
};
QC_MUST qc_rc gw_snap_read_all(struct gw_fan *f, const struct gw_root *r, const struct gw_name *name,
                               struct gw_snap_pieces *pieces, qc_buf *ret, struct qc_err *err);
struct gw_snap_put {
    const struct gw_pack_plan *plan;
    qc_span clear;
};
/* *ret: how many pieces are durable. */
QC_MUST qc_rc gw_snap_write(struct gw_fan *f, const struct gw_root *r, const struct gw_snap_put *put,
                            unsigned *ret, struct qc_err *err);

extern const char gw_snap_taken[]; /* meta: when the newest notes were taken */

/* -- steps (snapshot_put.c, snapshot_tend.c, snapshot.c) ------------------------------------------------- */

/* Clouds of a row that are in use; its name; its name on each cloud of a set. */
gw_clouds gw_snap_set(struct gw_engine *e, const struct gw_snap_row *row);
struct gw_name gw_snap_name(const struct gw_snap_row *row);
struct gw_snap_keys {
    char names[QC_GW_CLOUDS_MAX][GW_NAME_SIZE];
    const char *keys[QC_GW_CLOUDS_MAX];
};
QC_MUST qc_rc gw_snap_keys(struct gw_engine *e, const struct gw_snap_row *row, gw_clouds set,
                           struct gw_snap_keys *ret, struct qc_err *err);
/* Which of its clouds have their piece; ret_set: who was asked, nobody where none of them is ours any more.
 */
QC_MUST qc_rc gw_snap_head(struct gw_engine *e, const struct gw_snap_row *row, gw_clouds *ret_set,
                           struct gw_answer *ret, struct qc_err *err);
/* Put, read back, good: row says what it holds; its serial and clouds are given here. taken_s: of notes.
 * QC_QUORUM: too few clouds are well, or took it. */
QC_MUST qc_rc gw_snap_put_one(struct gw_engine *e, struct gw_snap_row *row, qc_span clear, int64_t taken_s,
                              struct qc_err *err);
/* One at a time makes one, or looks at what there is. false: somebody does. */
bool gw_snaps_take(struct gw_snaps *s);
void gw_snaps_give(struct gw_snaps *s);
/* What is being tried is dead. */
QC_MUST qc_rc gw_snap_abandon(struct gw_engine *e, struct qc_err *err);
/* A pack is gathered, from this log object on. */
QC_MUST qc_rc gw_snap_begin_pack(struct gw_snaps *s, uint64_t first, struct qc_err *err);
/* One row each; the stage that follows is set when there is none left. */
QC_MUST qc_rc gw_snap_heal(struct gw_engine *e, struct qc_err *err);
QC_MUST qc_rc gw_snap_sweep(struct gw_engine *e, struct qc_err *err);

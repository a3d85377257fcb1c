/* Packs and notes on the clouds: what a rebuild may use beside the log. Layer 4; uses base, ec. Keeps I7.
 * Format: FORMAT 9.6; what they are for: docs/adr/0022. Pure functions on the caller's memory; any thread.
 *
 * P1: nothing of a piece is used before its HMAC holds, and nothing of the whole before its seal does. P2: a
 * log object from a pack is a copy of a log object and nothing more: whoever takes it opens and chains it.
 */
#pragma once
#include "gateway/log.h"
#include "gateway/root.h"

enum {
    GW_PIECE_HEAD_BYTES = 104,
    GW_PIECE_MAC = 32,
};

/* -- pieces: fragments of a pack or of notes ------------------------------------------------------------- */

struct gw_piece {
    uint8_t k, n, index;
    uint32_t cloud_id;
    uint8_t catalogue[GW_ID_BYTES], block[16], salt[GW_SALT_BYTES];
    uint32_t size; /* of the sealed text */
    uint8_t hash[GW_DIGEST_BYTES];
    qc_span payload; /* borrowed */
};

/* The form of a piece alone: nothing is authenticated. QC_FORMAT, QC_NEWER. */
QC_MUST qc_rc gw_piece_parse(qc_span in, struct gw_piece *ret, struct qc_err *err);
/*
 * A piece that was found under the name `name` on a cloud: its HMAC holds, and every id is the one asked for.
 * QC_INTEGRITY and what gw_piece_parse says: it is an erasure. QC_NOMEM.
 */
QC_MUST qc_rc gw_piece_open(const struct gw_root *r, const struct gw_name *name, uint32_t cloud_id,
                            qc_span in, struct gw_piece *ret, struct qc_err *err);

/* How a pack or notes are written. */
struct gw_pack_plan {
    const struct gw_name *name; /* GW_NAME_PACK or GW_NAME_NOTES */
    unsigned k, n;
    uint32_t clouds[QC_EC_N_MAX]; /* piece i is for clouds[i] */
    uint8_t salt[GW_SALT_BYTES];  /* fresh */
};
/* Seal and code: n pieces. ret: n buffers, all empty; empty again on failure. QC_LIMIT: more than
 * QC_GW_PACK_MAX bytes; QC_NOTCONF, QC_NOMEM. */
QC_MUST qc_rc gw_pack_make(const struct gw_root *r, const struct gw_pack_plan *plan, qc_span clear,
                           qc_buf *ret, struct qc_err *err);
/*
 * The clear text from pieces that were opened (gw_piece_open) under this name. Those that agree with one
 * another are tried, the largest company first. ret: empty, with a max. QC_QUORUM: fewer than k that agree;
 * QC_INTEGRITY: their text does not open; QC_NOTCONF, QC_NOMEM.
 */
QC_MUST qc_rc gw_pack_open(const struct gw_root *r, const struct gw_name *name, const struct gw_piece *pieces,
                           unsigned count, qc_buf *ret, struct qc_err *err);

/* -- the clear text of a pack ---------------------------------------------------------------------------- */

/* Append a log object's bytes. QC_LIMIT, QC_NOMEM: b is as it was. The count before them: gw_pack_begin. */
QC_MUST qc_rc gw_pack_begin(qc_buf *b, struct qc_err *err);
QC_MUST qc_rc gw_pack_add(qc_buf *b, uint32_t incarnation, qc_span object, struct qc_err *err);
unsigned gw_pack_count(qc_span clear); /* of what gw_pack_begin began */

struct gw_pack_iter {
    qc_rd rd;
    uint64_t next; /* sequence of the next one */
    uint32_t left;
};
struct gw_pack_entry {
    uint64_t sequence;
    uint32_t incarnation;
    qc_span object; /* borrowed */
};
/* Every entry is looked at once: gw_pack_next cannot fail then. QC_FORMAT. */
QC_MUST qc_rc gw_pack_entries(qc_span clear, uint64_t first, struct gw_pack_iter *ret, struct qc_err *err);
bool gw_pack_next(struct gw_pack_iter *it, struct gw_pack_entry *ret); /* false: no more */

/* -- the clear text of notes ----------------------------------------------------------------------------- */

struct gw_notes_head {
    uint64_t sequence; /* as of this log object .. */
    uint8_t hash[GW_DIGEST_BYTES];
    int64_t time_s; /* wall clock, for people */
    bool more;      /* more was known than there was room for */
};
enum gw_note_kind {
    GW_NOTE_IDS = 1,
    GW_NOTE_AUDIT = 2,
    GW_NOTE_SCRUB = 3,
    GW_NOTE_UNCOUNTED = 4,
    GW_NOTE_DEAD_SEGMENT = 5,
    GW_NOTE_DEAD_KEY = 6,
};
struct gw_note_scrub {
    uint32_t cloud_id;
    uint8_t depth;
    int64_t began, ended;
    uint64_t spent_ms, objects, bytes, found;
};
struct gw_note_fragment {
    uint64_t segment_id;
    uint8_t index, attempt;
    uint32_t cloud_id, incarnation;
    uint8_t state;   /* GW_NOTE_UNCOUNTED: 4 suspect, 5 bad, 6 lost */
    uint8_t salt[4]; /* GW_NOTE_DEAD_KEY */
};
struct gw_note_segment {
    uint64_t id;
    uint32_t tenant, incarnation, size;
    uint8_t salt[GW_SALT_BYTES];
    struct gw_log_layout layout;
};
struct gw_note {
    enum gw_note_kind kind;
    union {
        uint64_t next_segment;
        struct {
            uint64_t sequence;
            uint8_t hash[GW_DIGEST_BYTES];
        } audit;
        struct gw_note_scrub scrub;
        struct gw_note_fragment fragment; /* GW_NOTE_UNCOUNTED, GW_NOTE_DEAD_KEY */
        struct gw_note_segment segment;
    } u;
};

/* b: empty. The count and `more` of the head are set by gw_notes_end. QC_NOMEM. */
QC_MUST qc_rc gw_notes_begin(qc_buf *b, const struct gw_notes_head *h, struct qc_err *err);
/* QC_LIMIT: no room; b is as it was. */
QC_MUST qc_rc gw_notes_add(qc_buf *b, const struct gw_note *note, struct qc_err *err);
void gw_notes_end(qc_buf *b, uint32_t count, bool more);

struct gw_notes_iter {
    qc_rd rd;
    uint32_t left;
};
/* Every note is looked at once: gw_notes_next cannot fail then. QC_FORMAT, QC_NEWER. */
QC_MUST qc_rc gw_notes_open(qc_span clear, struct gw_notes_head *ret_head, struct gw_notes_iter *ret,
                            struct qc_err *err);
bool gw_notes_next(struct gw_notes_iter *it, struct gw_note *ret); /* false: no more */

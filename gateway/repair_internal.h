/* The steps of a repair, for repair.c. */
#pragma once
#include "engine_internal.h"
#include "gateway/repair.h"
#include "gateway/scrub.h"

/* A set of segment ids, or of log sequences, below `end`. */
struct gw_bits {
    uint8_t *p;
    uint64_t end;
};
QC_MUST qc_rc gw_bits_new(struct gw_bits *ret, uint64_t end, struct qc_err *err);
void gw_bits_done(struct gw_bits *b);
bool gw_bits_has(const struct gw_bits *b, uint64_t i); /* false at and beyond the end */
void gw_bits_add(struct gw_bits *b, uint64_t i);       /* nothing there */

struct gw_repairing {
    struct gw_engine *e;
    const struct gw_repair_ask *ask;
    struct gw_repair_report *r;
    uint64_t end;         /* ids below it were given out before the pass began */
    struct gw_bits done;  /* segments that the pass has looked at */
    struct gw_bits sound; /* of which it has read every fragment, and all are good and count */
    bool stay;            /* fragments go to the clouds that they belong on, and to no other */
    uint32_t from, to;    /* what lies on `from` is wanted elsewhere: on `to`, if it can be there. 0: none */
    uint64_t began_ms, moved_bytes, told_ms;
};

/* What a listing of one cloud shows. */
struct gw_listing {
    struct gw_repairing *p;
    unsigned at; /* the cloud */
    uint32_t cloud_id;
    struct gw_bits seen; /* segments whose fragment on this cloud was shown */
    /* Of what nobody can explain; may be NULL. Under the catalogue's lock: it does not ask it. */
    void (*odd)(void *ctx, enum gw_finding_kind kind, const char *key);
    void *ctx;
};
/* An object of the listing (a struct gw_listing): counted, noted as seen, or as dead; for cloud lists. */
QC_MUST qc_rc gw_list_see(void *ctx, const struct cloud_item *item, struct qc_err *err);

/* QC_CANCELLED. Also tells how far it is. */
QC_MUST qc_rc gw_repair_go_on(struct gw_repairing *p, struct qc_err *err);
/* Wait; QC_CANCELLED. */
QC_MUST qc_rc gw_repair_pause(struct gw_repairing *p, uint64_t ms, struct qc_err *err);
/* So many bytes went: wait as long as the rate wants it. */
QC_MUST qc_rc gw_repair_moved(struct gw_repairing *p, uint64_t read, uint64_t written, struct qc_err *err);
/* Is the cloud there, ours, and answering? */
bool gw_repair_usable(struct gw_repairing *p, unsigned at);
/* Clouds that are. */
gw_clouds gw_repair_clouds(struct gw_repairing *p);
/* Does this failure end the pass? All others are one segment's, or one cloud's. */
bool gw_repair_fatal(struct gw_repairing *p, qc_rc rc);

/* gw_segment_inspect. Units are for requests first: a pass waits its turn. */
QC_MUST qc_rc gw_repair_inspect(struct gw_repairing *p, const struct gw_segment *seg, uint32_t which,
                                struct gw_inspection *ret, struct gw_read **ret_read, struct qc_err *err);
/* A unit of memory; requests come first. */
QC_MUST qc_rc gw_repair_unit(struct gw_repairing *p, struct gw_unit **ret, struct qc_err *err);
/* rewrite.c: a segment is put anew, whole: for another code, or another bundle. */
/* Is each cloud of the layout there? Else parts would be put on the others for nothing. QC_QUORUM */
QC_MUST qc_rc gw_rewrite_usable(struct gw_repairing *p, const struct gw_log_layout *l, struct qc_err *err);
/* A part of a segment, verified; a pass waits its turn. */
QC_MUST qc_rc gw_rewrite_read(struct gw_repairing *p, const struct gw_segment *seg, struct gw_range range,
                              struct gw_read **ret, struct qc_err *err);
/* SHA-256 of the bytes of a whole read; into u, if it is given. */
QC_MUST qc_rc gw_rewrite_hash(const struct gw_read *r, uint32_t size, struct gw_unit *u,
                              uint8_t ret[QC_SHA256_BYTES], struct qc_err *err);
/* Put what the unit has: on all n clouds, or it does not count (QC_QUORUM). new->digest is written. */
QC_MUST qc_rc gw_rewrite_put(struct gw_repairing *p, struct gw_segment *new, struct gw_unit *u,
                             struct gw_written *w, struct qc_err *err);
/* All n fragments are read back, and give these very bytes. */
QC_MUST qc_rc gw_rewrite_check(struct gw_repairing *p, const struct gw_segment *new,
                               const uint8_t want[QC_SHA256_BYTES], struct qc_err *err);
/* A segment of which only `good` fragments were found: counted, and reported. waiting: clouds that are away
 * may have more. */
QC_MUST qc_rc gw_repair_lost(struct gw_repairing *p, const struct gw_segment *seg, unsigned good,
                             bool waiting, struct qc_err *err);

/* adopt.c: finish what was begun, and begin what is asked for. */
QC_MUST qc_rc gw_repair_adopt(struct gw_repairing *p, struct qc_err *err);
/* repair_records.c */
QC_MUST qc_rc gw_repair_roots(struct gw_repairing *p, struct qc_err *err);
QC_MUST qc_rc gw_repair_log(struct gw_repairing *p, struct qc_err *err);
/* Pay what is owed of the log to one cloud. *ret_all: nothing is left. */
QC_MUST qc_rc gw_repair_pay(struct gw_repairing *p, unsigned at, bool *ret_all, struct qc_err *err);
/* All valid root and cut objects and all of the log onto one cloud, which may be lost. *ret_all: it has them.
 */
QC_MUST qc_rc gw_repair_fill(struct gw_repairing *p, unsigned at, bool *ret_all, struct qc_err *err);
/* repair_list.c: dead keys come back to life for the sweep, what is not there becomes suspect, the rest is
 * counted. */
QC_MUST qc_rc gw_repair_list(struct gw_repairing *p, struct qc_err *err);
QC_MUST qc_rc gw_repair_list_one(struct gw_repairing *p, unsigned at, struct qc_err *err);
/* The fragment that a segment has on a cloud, if it counts, does no more. In a transaction. */
QC_MUST qc_rc gw_repair_uncount(struct gw_engine *e, uint32_t cloud_id, const struct gw_segment *seg,
                                enum gw_deviation state, struct qc_err *err);
/* judge.c: what lies under the key of a fragment, which is known not to be it. The fragment's bytes are
 * fetched; which cloud is asked, and for what, the segment says. */
struct gw_judgement {
    enum gw_finding_kind kind;
    uint64_t bytes;       /* that came */
    char why[GW_WHY_MAX]; /* the cloud does not tell, so that the kind is a guess; "" */
};
QC_MUST qc_rc gw_judge(struct gw_engine *e, const struct gw_segment *seg, unsigned frag,
                       struct gw_judgement *ret, struct qc_err *err);
/* Of those of `which` that were seen to be damaged: ret[i] is written for these. As a scrub would have said.
 */
QC_MUST qc_rc gw_repair_judge(struct gw_repairing *p, const struct gw_segment *seg, uint32_t which,
                              const struct gw_inspection *seen, enum gw_finding_kind *ret,
                              struct qc_err *err);
/* repair_segment.c */
QC_MUST qc_rc gw_repair_segment(struct gw_repairing *p, uint64_t id, struct qc_err *err);

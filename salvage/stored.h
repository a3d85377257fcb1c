/* A stored version: N out of its segments, opened by the shares that are there, read chunk by chunk. Part of
 * qcloud-salvage. S1: as in a get, nothing leaves before M and the key commitment hold, no chunk before its
 * two tags. */
#pragma once
#include "report.h"
#include "segment.h"

/* Which version, and where its segments are. */
struct version {
    struct gw_id object, id;
    uint32_t tenant;
    const struct gw_rec_commit *commit;  /* NULL: no record tells of it */
    struct index *ix;                    /* with a commit: what later records say of its segments */
    const struct segment_want *segments; /* then: as the fragments say */
    uint32_t segment_count;
    uint64_t size;
    uint64_t start; /* where N begins in them: in a bundle */
    qc_span sealed_backup;
};

/* Segment i of a commit record, and its layout, as a later record has them if there is one. QC_FORMAT */
QC_MUST qc_rc segment_now(struct index *ix, const struct gw_rec_commit *c, uint32_t i,
                          struct gw_log_segment *ret, struct gw_log_layout *ret_layout, struct qc_err *err);
/* Segment i of a version. QC_FORMAT  its record does not say what one must say. */
QC_MUST qc_rc version_segment(const struct version *v, uint32_t i, struct segment_want *ret,
                              struct qc_err *err);

struct stored;

/* Verified bytes of the file, in order, holes left out. Anything but QC_OK ends the reading with it. */
typedef qc_rc (*stored_fn)(void *ctx, uint64_t at, qc_span bytes, struct qc_err *err);

/*
 * Open: QC_QUORUM  its beginning or its end is in too few fragments;  QC_SHARES  too few shares;
 * QC_INTEGRITY, QC_FORMAT, QC_NEWER  as vault_open. v is borrowed until stored_close.
 */
QC_MUST qc_rc stored_open(struct stored **ret, struct salvage *s, struct segment_reader *r,
                          const struct version *v, struct qc_err *err);
void stored_close(struct stored **f);
const struct vault_meta *stored_meta(const struct stored *f);

/* What reading found. */
struct stored_holes {
    uint64_t lost; /* bytes */
    uint64_t end;  /* of the last range */
    size_t count;  /* ranges; the first ones are kept */
    struct hole v[QC_SALVAGE_HOLES_MAX];
};
/* All chunks. Fails only with what ends the run, or what fn returns. */
QC_MUST qc_rc stored_read(struct stored *f, stored_fn fn, void *ctx, struct stored_holes *ret,
                          struct qc_err *err);

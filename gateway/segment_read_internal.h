/* segment_read.c fetches, segment_decode.c makes data of what came, segment_blame.c finds which of them to
 * believe when that is not what was written. */
#pragma once
#include <stdatomic.h>

#include "store_internal.h"

struct read_op;

/* A fragment that is asked for. Its job's worker owns it until the job has ended. */
struct incoming {
    struct read_op *op;
    unsigned index;
    struct gw_frag_end end; /* verified; borrowed from the slot */
    bool lost;              /* its cloud has no identity object any more */
};

/* Shared by the batch and the result: whoever lets go last returns the unit. */
struct read_op {
    atomic_uint refs;
    struct gw_unit *unit;
    struct gw_plan plan;
    uint8_t digest[GW_DIGEST_BYTES];
    uint32_t stripe_from, stripe_to;
    uint32_t payload_from, payload_to; /* the same as bytes of a payload */
    bool whole;                        /* all stripes */
    struct incoming in[QC_EC_N_MAX];
};

/* What is wanted. */
struct read_ask {
    struct gw_store *store;
    const struct gw_segment *seg;
    struct gw_range range;
    qc_deadline deadline;
    uint32_t avoid; /* bit i: fragment i is not to be used */
};

/* The asker's side of one read. */
struct reading {
    struct gw_store *store;
    struct read_op *op; /* borrowed */
    struct gw_batch *batch;
    struct gw_faults *faults;
    qc_deadline deadline;
    uint32_t avoid, withheld;
    unsigned order[QC_EC_N_MAX];
    unsigned asked; /* of order */
    uint64_t since_ms[QC_EC_N_MAX];
    bool ended[QC_EC_N_MAX], good[QC_EC_N_MAX];
    unsigned good_count;
};

struct gw_read {
    struct read_op *op;
    struct gw_range range;
    uint32_t good;                    /* bit i: fragment i came, verified */
    const uint8_t *data[QC_EC_N_MAX]; /* by data piece: the payload that holds it */
};

/* A read of a range: unit and plan. QC_TEMP: no unit. */
QC_MUST qc_rc gw_read_op_new(struct gw_store *s, const struct gw_segment *seg, struct gw_range range,
                             qc_deadline deadline, struct read_op **ret, struct qc_err *err);
void gw_read_op_unref(void *op); /* for batches: one reference */
void gw_read_op_free(struct read_op **op);
/* The job of a worker: fetch a fragment (a struct incoming) into its slot, and verify it. */
qc_rc gw_read_job(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err);

/* One try, as gw_segment_read. */
QC_MUST qc_rc gw_read_once(const struct read_ask *ask, struct gw_faults *faults, struct gw_read **ret,
                           struct qc_err *err);
/*
 * One try of the whole segment gave QC_INTEGRITY: some fragment's tags hold and its bytes are not what was
 * written (a wrong code, at the writer). Read without one fragment, then without two, and so on, at most
 * QC_GW_SUBSETS_MAX tries, until what comes is right, and blame those that do not belong to it: their rows in
 * faults are damaged. faults has the rows of the first try.
 * QC_INTEGRITY: no choice is right; others as gw_segment_read.
 */
QC_MUST qc_rc gw_read_subsets(const struct read_ask *first, struct gw_faults *faults, struct gw_read **ret,
                              struct qc_err *err);

/*
 * From k good fragments to k payloads of data: data[j], j < k. Where data is missing and the range is the
 * whole segment, what was decoded is held against the digest table's row of the fragment that is missing.
 * QC_INTEGRITY, QC_NOMEM.
 */
QC_MUST qc_rc gw_read_decode(struct read_op *op, const bool *good, const uint8_t **data, struct qc_err *err);
/* Tags of a fragment whose payload is given, and whether their digest is row `index` of the table. */
QC_MUST qc_rc gw_read_row_holds(const struct read_op *op, unsigned index, const uint8_t *payload,
                                qc_span digests, bool *ret, struct qc_err *err);
/* Add rows: one per fragment, and no more than fit. */
void gw_faults_add(struct gw_faults *to, const struct gw_faults *from);

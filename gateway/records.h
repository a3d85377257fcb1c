/* Copies of log objects on the clouds. Layer 4, internal; uses base, cloud. Keeps I1. */
#pragma once
#include "engine_internal.h"

enum gw_copy {
    GW_COPY_SILENT, /* no answer: says nothing */
    GW_COPY_RIGHT,  /* the bytes whose hash the catalogue has */
    GW_COPY_ABSENT,
    GW_COPY_ROTTEN, /* other bytes, which nobody wrote */
    GW_COPY_TWIN, /* a genuine object of our own incarnation with other bytes: a copy of this gateway runs */
};

/* One cloud's copy of a log object. force: ask a lost cloud, too. ret_bytes: its bytes if they are right; may
 * be NULL. */
QC_MUST qc_rc gw_record_look(struct gw_engine *e, unsigned at, const struct gw_log_row *row, bool force,
                             enum gw_copy *ret, qc_buf *ret_bytes, struct qc_err *err);
/* The right bytes from whichever cloud but `except` has them; ret stays empty when none does. */
QC_MUST qc_rc gw_record_fetch(struct gw_engine *e, const struct gw_log_row *row, unsigned except, qc_buf *ret,
                              struct qc_err *err);
/* Put the right bytes on a cloud, over a rotten copy too, and read them back: *ret_right. QC_FENCED: a twin.
 */
QC_MUST qc_rc gw_record_put(struct gw_engine *e, unsigned at, const struct gw_log_row *row, qc_span bytes,
                            bool *ret_right, struct qc_err *err);

enum gw_paid {
    GW_PAID,
    GW_PAID_NOT,       /* the cloud did not take it */
    GW_PAID_NO_SOURCE, /* no cloud has the right bytes now */
};
/* A copy that is owed: fetched, put, read back, and its row goes. */
QC_MUST qc_rc gw_record_pay(struct gw_engine *e, unsigned at, uint64_t sequence, enum gw_paid *ret,
                            struct qc_err *err);
/* The next copy owed to a cloud after `after`; 0: none. */
QC_MUST qc_rc gw_record_debt(struct gw_engine *e, unsigned at, uint64_t after, uint64_t *ret,
                             struct qc_err *err);

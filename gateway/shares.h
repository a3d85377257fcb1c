/* Shares of the root key follow the clouds that count. Layer 4, internal; uses base, ss. Keeps I1, I5.
 *
 *   settled --spread--> each cloud of the new set holds its old share and a new one; read back
 *           --decided-> rows: what each is to hold (commit_decide.c), with the log record that changes the
 * set
 *           --settle--> each holds the new one alone; read back --> settled
 *
 * S1 (I1): at every instant the set that the log names has one polynomial that all of it holds
 * (docs/adr/0019). S2: a spread that was interrupted is begun anew with another polynomial: what was drawn
 * before is nobody's. S3: meta.shares says where we are: enum gw_shares_state.
 */
#pragma once
#include "catalogue.h"
#include "gateway/root.h"

struct gw_engine;

enum gw_shares_state {
    GW_SHARES_SETTLED = 0,
    GW_SHARES_TO_SPREAD = 1, /* after a rebuild: what clouds hold may be mixed */
    GW_SHARES_TO_SETTLE = 2,
};

/* Identities with the new share alone, by cloud. gw_new_shares_done wipes them. */
struct gw_new_shares {
    unsigned count;
    uint32_t id[QC_GW_CLOUDS_MAX];
    qc_buf identity[QC_GW_CLOUDS_MAX];
};
void gw_new_shares_done(struct gw_new_shares *s);

/*
 * Draw a polynomial for the clouds that count, with one more or one less of them, and give each its share.
 *   with     position of a cloud that is joining, or -1; its identity is written first, and new
 *   without  position of one that is leaving, or -1
 * QC_QUORUM: a cloud of the new set does not answer, or does not take it: all must. What was there before
 * still holds.
 */
QC_MUST qc_rc gw_shares_spread(struct gw_engine *e, int with, int without, struct gw_new_shares *ret,
                               struct qc_err *err);
/* In the transaction that decides: what each is to hold. */
QC_MUST qc_rc gw_shares_write(struct gw_cat *c, const struct gw_new_shares *s, struct qc_err *err);
/* Old shares go. QC_QUORUM: a cloud does not answer; the others are done. */
QC_MUST qc_rc gw_shares_settle(struct gw_engine *e, struct qc_err *err);
/* Whatever is open. QC_QUORUM. */
QC_MUST qc_rc gw_shares_finish(struct gw_engine *e, struct qc_err *err);
/* The same, when it is time; for housekeeping. Nothing while clouds come or go: that does it itself. */
QC_MUST qc_rc gw_shares_tidy(struct gw_engine *e, struct qc_err *err);

/* What the gateway knows of time at its most cautious, for versions that are kept until a date. Layer 4,
 * internal; uses base. docs/adr/0053.
 *
 * K1: it grows no further than the wall clock, and never by more than this machine has been up since the last
 * look: setting a clock forward moves nothing. What passes while the machine is off does not count.
 * K2 (D7): it is a reason to refuse, and never one to purge. */
#pragma once
#include "catalogue.h"

/* In a transaction. Begins, where nothing is known yet, with the wall clock or the latest time that anything
 * was stored, whichever is later. QC_INTEGRITY: what is known is damaged. */
QC_MUST qc_rc gw_time_known(struct gw_cat *c, uint64_t *ret, struct qc_err *err);
/* In a transaction: the log says that it was so late once. */
QC_MUST qc_rc gw_time_heard(struct gw_cat *c, uint64_t known, struct qc_err *err);
/* Whether anything is kept, by what the catalogue knows: only then is time looked at. */
QC_MUST qc_rc gw_time_wanted(struct gw_cat *c, bool *ret, struct qc_err *err);

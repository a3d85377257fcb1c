/* Where the catalogue lives. Layer 4, internal; uses base, pg.
 *
 *   STATE/catalogue.db      SQLite, as it comes
 *   STATE/catalogue.conf    if this file is there: PostgreSQL (pg/pg.h has its form)
 *
 * A new catalogue is made beside the old one (catalogue.new; schema NAME_new) and takes its place when all
 * is in it. The state directory is open and locked. */
#pragma once
#include "catalogue.h"
#include "state.h"

/* *ret: is there a catalogue? */
QC_MUST qc_rc gw_home_has(const struct gw_state *s, bool *ret, struct qc_err *err);
/* gw_cat_open of it. */
QC_MUST qc_rc gw_home_open(const struct gw_state *s, struct gw_cat **ret, struct qc_err *err);
/* A new one, beside it; what an interrupted making left goes. */
QC_MUST qc_rc gw_home_make(const struct gw_state *s, struct gw_cat **ret, struct qc_err *err);
/* The new one, closed, goes. */
QC_MUST qc_rc gw_home_drop(const struct gw_state *s, struct qc_err *err);
/* The new one, closed, becomes the catalogue, durably. before: the incarnation under which an older one is
 * set aside; 0: there must be none. QC_CONFLICT: there is one. */
QC_MUST qc_rc gw_home_install(const struct gw_state *s, uint32_t before, struct qc_err *err);
/* The file and what is to be written into it; 0: not to be seen. */
uint64_t gw_home_bytes(const struct gw_state *s);

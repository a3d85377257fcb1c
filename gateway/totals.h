/* Is a catalogue whole, and what has it? Layer 4, internal; of cat_*. */
#pragma once
#include "catalogue.h"

/* qc_db_check of it. */
QC_MUST qc_rc gw_cat_check(struct gw_cat *c, struct qc_err *err);
/* What it has. Reads every row of entries and versions. Under its lock. */
struct gw_totals {
    uint64_t vaults, entries, versions, tombstones, bytes, tenants;
};
QC_MUST qc_rc gw_cat_totals(struct gw_cat *c, struct gw_totals *ret, struct qc_err *err);

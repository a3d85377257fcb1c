/* An entry as a listing keeps it for the get of the same name, and back. Layer 3. Its bytes stay within the
 * process and its own unlinked files: nothing is checked here but their length. */
#pragma once
#include "session.h"

/* Is it small enough to be kept, and its object to be fetched with others? */
bool found_fits(const struct vault_gw_entry *e);
/* stat: what the entry says, its name aside; it comes first. */
QC_MUST qc_rc found_add(qc_buf *ret, const struct vault_stat *stat, const struct vault_gw_entry *e,
                        struct qc_err *err);
/* Without path and private part, of which it has the lengths alone. */
void found_bare(struct vault_gw_entry *ret, qc_span found);
/* ret: empty; owns its bytes, and is to be freed also after a failure. */
QC_MUST qc_rc found_take(struct vault_gw_entry *ret, qc_span found, struct qc_err *err);
void found_stat(struct vault_stat *ret, qc_span found);

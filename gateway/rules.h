/* What holds of all clouds together: there are places for n fragments, and no segment has two in one failure
 * domain. Asked when somebody wants a change, so that it is refused early, and again in the transaction that
 * decides it. */
#pragma once
#include "engine_internal.h"

/* So many different domains are there among the clouds in use, but for one (0: among all). */
unsigned gw_rules_domains(enum gw_domain domain, const struct gw_cloud_row *rows, unsigned count,
                          uint32_t without);
/* Under the catalogue's lock: with a row as it shall be (NULL: all as they are), and this domain. pairs: does
 * no segment have two fragments in one? QC_QUORUM: too few domains; QC_CONFLICT: there is a pair. */
QC_MUST qc_rc gw_rules_hold(struct gw_engine *e, const struct gw_cloud_row *row, enum gw_domain domain,
                            bool pairs, struct qc_err *err);
/* Under the catalogue's lock: are there places for n fragments? QC_QUORUM */
QC_MUST qc_rc gw_rules_room(struct gw_engine *e, enum gw_domain domain, unsigned n, struct qc_err *err);
/* Under the catalogue's lock, in the transaction: what a row is about to become. */
QC_MUST qc_rc gw_rules_allow(struct gw_engine *e, const struct gw_cloud_row *row, struct qc_err *err);

/* Is a cloud still ours? Layer 4; uses base, cloud. Keeps I1: a cloud without its identity object is lost,
 * whatever it answers (D8). Format: FORMAT 9.1.
 */
#pragma once
#include "base/err.h"
#include "base/time.h"
#include "gateway/fan.h"
#include "gateway/root.h"

/*
 * Ask every cloud of the set, suspect and lost ones included, for its identity object, and set the states in
 * the fan: OK           the object is there, its HMAC holds, id and generation are those that the fan knows
 *   LOST         it answers without the object, or with another's, an older generation's, or a damaged one;
 *                or nothing there bears the mark of a cloud
 *   UNREACHABLE  it does not answer until the deadline, or refuses
 *   ok    clouds that are OK now
 * QC_NOMEM alone.
 */
QC_MUST qc_rc gw_probe(struct gw_fan *f, const struct gw_root *r, gw_clouds set, qc_deadline deadline,
                       gw_clouds *ok, struct qc_err *err);
/* The same for those of the set that are not OK now, not suspect, and were not asked within the last
 * QC_GW_PROBE_AGAIN_MS. */
QC_MUST qc_rc gw_probe_again(struct gw_fan *f, const struct gw_root *r, gw_clouds set, qc_deadline deadline,
                             struct qc_err *err);

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
 * An answer closes the breaker; a cloud whose workers hang in older jobs stays suspect all the same.
 *   ok    clouds that are OK now
 * QC_NOMEM alone.
 */
QC_MUST qc_rc gw_probe(struct gw_fan *f, const struct gw_root *r, gw_clouds set, qc_deadline deadline,
                       gw_clouds *ok, struct qc_err *err);
/* Which of the clouds that are not well are asked again. */
enum gw_ill {
    GW_ILL_QUIET, /* not OK, and no breaker open: asking them costs little. For housekeeping */
    GW_ILL_WORTH, /* suspects, too, whose breaker is due, one caller at a time: a cloud that hangs delays few,
                     and ever more seldom. For whoever would go on with less margin */
    GW_ILL_ALL,   /* all of them. For whoever would fail */
};
/* Clouds of the set that are not OK, or suspect. */
gw_clouds gw_probe_ill(struct gw_fan *f, gw_clouds set);
/* gw_probe of these, within QC_GW_PROBE_MS; nothing when there are none. *back: those that are OK now.
 * QC_NOMEM alone. */
QC_MUST qc_rc gw_probe_again(struct gw_fan *f, const struct gw_root *r, gw_clouds set, enum gw_ill which,
                             gw_clouds *back, struct qc_err *err);

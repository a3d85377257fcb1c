/* Before a cloud is trusted: several validations at once (cloud/validate.h), and what is remembered of them.
 * Layer 4, internal; uses base, cloud. */
#pragma once
#include "gateway/engine.h"
#include "ways.h"

/* What came of one. */
struct gw_trial {
    bool ran;
    qc_rc rc; /* QC_OK: report was written */
    struct qc_err err;
    struct cloud_report report;
};

/*
 * Validate the clouds of the set (bits are positions in `clouds`) at once, each for at most ms.
 *   ret  an element per cloud; qc_free it
 * QC_NOMEM, QC_TEMP (no threads): what a cloud said is in its trial.
 */
QC_MUST qc_rc gw_trust_try(const struct gw_engine_cloud *clouds, unsigned count, gw_clouds set, uint64_t ms,
                           struct gw_trial **ret, struct qc_err *err);

/* Remember what a validation showed. QC_USAGE: as gw_ways_get. */
QC_MUST qc_rc gw_trust_note(struct gw_ways *w, const struct gw_engine_cloud *cloud,
                            const struct cloud_report *r, struct qc_err *err);

/* QC_UNFIT with the reasons where a report has some. */
QC_MUST qc_rc gw_trust_judge(const char *cloud, const struct cloud_report *r, struct qc_err *err);

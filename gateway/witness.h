/* What a cloud testifies: that it is ours, and that no other gateway took over. Layer 4, internal; uses base,
 * cloud. Keeps I1 (D4, D8): an acknowledgement counts a record's copy only on a cloud that afterwards shows
 * its identity and no root of a greater incarnation.
 */
#pragma once
#include "gateway/fan.h"
#include "gateway/root.h"

enum gw_verdict {
    GW_VERDICT_SILENT, /* no answer, or an error: counts for nothing */
    GW_VERDICT_GOOD,   /* its identity is right; nothing newer is there */
    GW_VERDICT_LOST,   /* it answers and is not our cloud */
    GW_VERDICT_ROOT,   /* a genuine root of a greater incarnation is there */
    GW_VERDICT_LOG,    /* the log object asked for is there */
};

struct gw_testimony {
    enum gw_verdict verdict;
    uint32_t incarnation; /* of GW_VERDICT_ROOT */
    char why[GW_WHY_MAX];
};

struct gw_witness_ask {
    uint32_t incarnation;  /* ours: greater roots are newer */
    uint64_t log_sequence; /* a log object that should not be there; 0: do not ask */
};

/*
 * Ask every cloud of the set, suspect ones included, and set the states in the fan: good, lost or
 * unreachable. root  borrowed; outlives the fan's workers ret   indexed by cloud position QC_NOMEM alone.
 */
QC_MUST qc_rc gw_witness(struct gw_fan *f, const struct gw_root *root, gw_clouds set,
                         const struct gw_witness_ask *ask, const struct gw_rule *rule,
                         struct gw_testimony *ret, struct qc_err *err);

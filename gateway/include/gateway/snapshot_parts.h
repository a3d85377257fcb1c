/* What the newest snapshot of the catalogue is made of, and on which clouds its pieces lie now. Layer 4; uses
 * cloud. docs/adr/0022, FORMAT 9.6. */
#pragma once
#include "gateway/snapshot.h"

struct gw_snapshot_part {
    bool there;           /* one was written */
    uint32_t serial;      /* of its incarnation; another one: another was written */
    uint64_t first, last; /* log objects that it holds; of notes: as of both */
    uint64_t bytes;       /* of the clear text, which its pieces are coded from */
    unsigned cloud_count; /* it was to have so many pieces, each on a cloud of its own .. */
    struct {
        uint32_t cloud_id;
        bool seen; /* .. and this one's cloud has it, as it says now */
    } clouds[QC_EC_N_MAX];
};
struct gw_snapshot_parts {
    struct gw_snapshot_part pack, notes; /* the pack that goes furthest; the newest notes */
};
/* Clouds are asked for their pieces. QC_IO, QC_INTEGRITY: the catalogue; QC_NOMEM. */
QC_MUST qc_rc gw_engine_snapshot_parts(struct gw_engine *e, struct gw_snapshot_parts *ret,
                                       struct qc_err *err);

/* Repair: one pass over all that should lie on the clouds. Layer 4; uses base, ec, cloud. Keeps I1, I2, I6.
 *
 * States and orders of writes: the head of gateway/repair.c. The pass runs in the caller's thread, beside all
 * other calls of the engine; it holds the catalogue for milliseconds, and one segment in memory at a time. It
 * may be killed, cancelled or begun again at any instant: what it has written counts, nothing is done twice,
 * and nothing that was there is less than before.
 */
#pragma once
#include "gateway/engine.h"

enum gw_repair_phase {
    GW_REPAIR_STARTING,
    GW_REPAIR_ADOPTING,  /* the log goes to a cloud that lost it */
    GW_REPAIR_RECORDS,   /* root objects and the log */
    GW_REPAIR_LISTING,   /* what the clouds say that they have */
    GW_REPAIR_FRAGMENTS, /* reading, rebuilding, reading back */
    GW_REPAIR_SWEEPING,  /* what was replaced goes */
    GW_REPAIR_DONE,
};
const char *gw_repair_phase_name(enum gw_repair_phase p); /* "starting", .. as in API.md */

/* One cloud's part. */
struct gw_repair_cloud {
    uint32_t cloud_id;
    enum gw_cloud_state state;
    char why[GW_WHY_MAX];           /* of a state that is not ok */
    char refused[GW_WHY_MAX];       /* the last reason for which it did not give or take something */
    bool unlisted;                  /* its listing failed: what it does not have is not known */
    uint64_t missing, damaged;      /* fragments that should be on it, and are not, or are not good */
    uint64_t found;                 /* fragments that did not count, and are there and good */
    uint64_t rebuilt;               /* fragments put on it and read back */
    uint64_t left;                  /* fragments that should be on it, and do not count after the pass */
    uint64_t records, records_left; /* root and log objects put on it and read back; not there after it */
    uint64_t dead;                  /* objects that the catalogue knows to be dead: removed */
    uint64_t unknown, foreign;      /* objects that it cannot explain, that are not ours: not touched */
};

/* A segment that cannot be rebuilt now. */
struct gw_repair_loss {
    uint32_t tenant;
    struct gw_id vault, object, version;
    uint32_t seq;     /* number of the segment in its version */
    unsigned good, k; /* fragments that are good; needed */
    bool away;        /* clouds that do not answer, or are lost, may have more of it */
};

struct gw_repair_report {
    enum gw_repair_phase phase;
    bool deep, dry_run, cancelled;
    uint64_t versions, versions_done, segments, segments_done, bytes, bytes_done; /* of what is stored */
    uint64_t read_bytes, written_bytes;                                           /* on clouds */
    uint64_t rebuildable;  /* dry run: fragments that would be rebuilt */
    uint64_t waiting;      /* segments with too few fragments, while clouds are away */
    uint64_t lost;         /* segments with too few fragments on all clouds together */
    uint64_t failed;       /* segments that were passed over: their rows do not read */
    uint64_t records_lost; /* log objects that no cloud has */
    unsigned loss_count;
    struct gw_repair_loss losses[QC_GW_REPAIR_LOSSES_MAX];
    unsigned spare; /* so many clouds may be away, and all can be read */
    unsigned cloud_count;
    struct gw_repair_cloud clouds[QC_GW_CLOUDS_MAX]; /* by position */
};

/* Borrowed: until the next step of the pass. */
typedef void (*gw_repair_fn)(void *ctx, const struct gw_repair_report *now);

struct gw_repair_ask {
    bool deep;         /* read and verify every fragment and every record, not only those in doubt */
    bool dry_run;      /* look, and write to no cloud; what is found is remembered */
    uint64_t rate;     /* bytes a second, read and written together; 0: as fast as it goes */
    const char *adopt; /* name of a lost cloud that is to be filled again (gateway/adopt.c); NULL: none */
    const struct qc_cancel *cancel; /* may be NULL */
    gw_repair_fn tell;              /* now and then; may be NULL */
    void *ctx;
};

/*
 * One pass. QC_OK also where not all could be repaired: gw_repair_verdict says it. ret is written whatever is
 * returned: as far as the pass came.
 *
 * QC_CONFLICT   another repair runs; or `adopt` names a cloud that must not be adopted: it is another
 * gateway's, holds other things, or shows another cloud of ours QC_USAGE      no cloud of that name QC_QUORUM
 * too few clouds answer to be sure that this catalogue is the newest, or for an adoption QC_CANCELLED,
 * QC_FENCED, QC_LIMIT (too many segments), QC_FULL, QC_IO, QC_NOMEM
 */
QC_MUST qc_rc gw_engine_repair(struct gw_engine *e, const struct gw_repair_ask *ask,
                               struct gw_repair_report *ret, struct qc_err *err);

/*
 * What a pass that ended means. QC_OK: everything is whole, on all clouds. QC_DEGRADED: all can be read, and
 * something is left. QC_QUORUM: something cannot be read before clouds come back. QC_INTEGRITY: something is
 * beyond repair. QC_CANCELLED. The message says which, and how much.
 */
QC_MUST qc_rc gw_repair_verdict(const struct gw_repair_report *r, struct qc_err *err);

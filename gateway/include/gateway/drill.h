/* A loss, rehearsed by the gateway: versions are really fetched, decoded and verified while clouds are left
 * out as if they were lost, into nothing. It goes up to N, the sealed object: what is in it is not known here
 * (docs/ARCHITECTURE.md). Layer 4; uses base. Keeps I2: nothing is written to any cloud. */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/time.h"
#include "gateway/entry.h"

struct gw_engine;

/* What a drill came to. The last one is kept, with the last one that failed and was not outdone since. */
struct gw_drilled {
    int64_t began_s, ended_s; /* wall clock; ended 0: there was none */
    uint64_t seed;
    uint64_t versions, tried, back; /* there were, were fetched, came back */
    uint64_t bytes;                 /* of those that came back */
    bool whole;                     /* not a sample */
    uint8_t exit;                   /* the status that it ended with (qc_rc_exit); 0: all came back */
    unsigned without_count;
    uint32_t without[QC_GW_CLOUDS_MAX]; /* cloud ids */
};

/* A version that did not come back; borrowed for the call. */
struct gw_drill_lost {
    uint32_t tenant;
    struct gw_id object, version;
    qc_rc rc;         /* QC_QUORUM, QC_INTEGRITY */
    const char *text; /* which segment, and which clouds lack what */
};
typedef qc_rc (*gw_drill_lost_fn)(void *ctx, const struct gw_drill_lost *lost, struct qc_err *err);
typedef void (*gw_drill_tell_fn)(void *ctx, const struct gw_drilled *now); /* after each version */

enum { GW_DRILL_USUAL = -1 }; /* as many as may be lost: the least n - k of all that is stored */
struct gw_drill_ask {
    const char *const *without; /* names of clouds */
    unsigned without_count;
    int random;      /* so many more are drawn; or GW_DRILL_USUAL */
    uint64_t sample; /* versions, drawn evenly; 0: all */
    uint64_t seed;
    const struct qc_cancel *cancel; /* may be NULL */
    gw_drill_lost_fn lost;          /* may be NULL */
    gw_drill_tell_fn tell;          /* may be NULL */
    void *ctx;
};
/*
 * QC_OK also where not all came back: gw_drill_verdict says it. Then it is kept for status, unless more
 * clouds were left out than may be lost. ret is written whatever is returned, as far as it came.
 *
 * QC_NOTFOUND   no cloud of a name, or nothing is stored; QC_USAGE  no cloud would be left; QC_CANCELLED,
 * QC_FENCED, QC_TEMP (all buffers were in use for long), QC_NOMEM, QC_IO
 */
QC_MUST qc_rc gw_engine_drill(struct gw_engine *e, const struct gw_drill_ask *ask, struct gw_drilled *ret,
                              struct qc_err *err);
/* QC_OK: all that was tried came back. Else what was worst, and how much. */
QC_MUST qc_rc gw_drill_verdict(const struct gw_drilled *d, struct qc_err *err);

/* The last one, and the last one that failed and was not outdone: by one of all versions without the same
 * clouds. ended_s 0: there is none. */
struct gw_drills {
    struct gw_drilled last, failed;
};
QC_MUST qc_rc gw_engine_drills(struct gw_engine *e, struct gw_drills *ret, struct qc_err *err);

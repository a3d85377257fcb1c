/* How uploads fare on each cloud while they go on: for whoever asks, and for nobody's decisions. In memory
 * alone: a gateway that is started anew has heard of nothing. Layer 4; uses fan. Any thread.
 *
 * So many uploads are known, the one that was heard of last among them; each takes QC_GW_CLOUDS_MAX rows. */
#pragma once
#include <pthread.h>

#include "gateway/engine.h"
#include "gateway/segment.h"

struct gw_goings {
    pthread_mutex_t lock; /* a last lock; guards all below */
    struct gw_going *v[QC_GW_GOING_MAX];
    uint64_t stamp;
};
void gw_goings_init(struct gw_goings *g);
void gw_goings_done(struct gw_goings *g);
/* QC_NOTFOUND: nothing was heard of it, or it was forgotten. */
QC_MUST qc_rc gw_goings_look(struct gw_goings *g, const struct gw_ref *put_key, struct gw_progress *ret,
                             struct qc_err *err);

/* A segment of an upload that is about to be written; lives until that has ended. */
struct gw_going_segment {
    struct gw_goings *of;
    struct gw_ref put_key;
    uint32_t flying; /* bit i: fragment i is on its way */
    uint64_t bytes;  /* of each fragment */
};
/* What is told of it goes there. */
struct gw_watcher gw_going_watch(struct gw_going_segment *s, struct gw_goings *g,
                                 const struct gw_ref *put_key);
/* It is written, to n clouds, and counts. */
void gw_going_end(const struct gw_going_segment *s, const struct gw_written *w, unsigned n);

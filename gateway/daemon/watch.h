/* The gateway as those see it who watch it: what was last observed, and when. Part of qcloud-gateway. Any
 * thread.
 *
 * Asking clouds costs requests, and counting rows makes commits wait: so whoever asks gets the observation
 * that there is, unless it is old; one of those who ask makes the next one, the others go on with the old one
 * meanwhile. What the process knows by itself is always as it is now. */
#pragma once
#include <pthread.h>

#include "gateway/engine.h"

enum {
    WATCH_CLOUDS_MS = 10000, /* clouds are asked at most so often: two requests to each, half a cent a day */
    WATCH_COUNTS_MS = 5000,  /* rows are counted at most so often, */
    WATCH_COUNTS_REST = 20,  /* and with rests of so many times what it takes */
    WATCH_FIRST_MS = 5000,   /* for the first observation, which another request is making */
    WATCH_SILENT_MS = 5000,  /* the catalogue is taken to hang */
};

struct watch {
    pthread_mutex_t lock; /* guards all below; none is taken under it */
    pthread_cond_t seen;
    bool looking, has;         /* somebody makes an observation; there is one */
    uint64_t ask_ms, count_ms; /* when the next ones are due */
    struct gw_status last;
    uint64_t reading_ms; /* since when somebody waits for the catalogue; 0: nobody */
};
void watch_init(struct watch *w);
void watch_done(struct watch *w);

/* QC_TEMP: none yet; or why there is none. */
QC_MUST qc_rc watch_get(struct watch *w, struct gw_engine *e, struct gw_status *ret, struct qc_err *err);
/* Does the catalogue answer? One waits for it; others hear QC_TEMP when that takes long. QC_IO: its disk
 * failed. */
QC_MUST qc_rc watch_alive(struct watch *w, struct gw_engine *e, struct qc_err *err);

/* What can be done, by an observation. */
struct watch_ready {
    unsigned well;        /* clouds that show their identity and are not suspect */
    unsigned write_needs; /* of them, to write */
    bool read, write;     /* of whatever has its full margin; with the margins that the quorums give */
};
void watch_ready(const struct gw_status *s, struct watch_ready *ret);

/* The gateway's own drill, begun by a call, in a thread of its own: one at a time. The last one is remembered
 * until the next begins, or the gateway leaves. Part of qcloud-gateway; docs/API.md. */
#pragma once
#include <pthread.h>

#include "drill_report.h"

struct drill_run; /* opaque */
struct drills {
    pthread_mutex_t lock; /* guards the pointer, and the run's report */
    struct drill_run *run;
};
void drills_init(struct drills *d);
/* Cancels what runs, and waits for it. */
void drills_done(struct drills *d);
bool drills_run(struct drills *d); /* is one under way? */

/* What is asked for; its names are copied, its functions are not used. QC_CONFLICT: one runs; QC_NOTFOUND: no
 * cloud of a name; QC_TEMP, QC_NOMEM. */
QC_MUST qc_rc drills_begin(struct drills *d, struct gw_engine *e, const struct gw_drill_ask *ask,
                           struct qc_err *err);
/* It may take a moment to end. QC_NOTFOUND: none runs. */
QC_MUST qc_rc drills_cancel(struct drills *d, struct qc_err *err);
/* DRILL of docs/API.md. QC_NOTFOUND: there was none. */
QC_MUST qc_rc drills_report(struct drills *d, struct gw_engine *e, struct json_t **ret, struct qc_err *err);

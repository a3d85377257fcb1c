/* Segments that come, and are written, whoever sent them: who goes on with their upload waits for what is
 * sure to become durable, for to send it again is the dearer. In memory alone: another gateway's are not
 * known here, and are sent again. Layer 4. Any thread. */
#pragma once
#include <pthread.h>

#include "gateway/engine.h"
#include "base/time.h"

struct gw_arrivals {
    pthread_mutex_t lock; /* a last lock; guards the list and what is in it */
    pthread_cond_t changed;
    struct gw_arrival *first;
};
void gw_arrivals_init(struct gw_arrivals *a);
void gw_arrivals_done(struct gw_arrivals *a);

/* Until no segment of the upload is on its way, or those that are have stood still, before they were whole,
 * for QC_GW_ARRIVAL_STILL_MS; and no longer than until then. */
void gw_arrivals_wait(struct gw_arrivals *a, const struct gw_ref *put_key, qc_deadline until);

/* Long work that a call starts and others ask about: a repair, one at a time, in a thread of its own. The
 * last one is remembered until the next begins, or the gateway leaves. Part of qcloud-gateway; docs/API.md.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>

#include "base/json.h"
#include "gateway/repair.h"

struct job; /* opaque */

struct jobs {
    pthread_mutex_t lock; /* guards all below, and the job's own fields that its header names */
    struct job *repair;
    uint64_t last; /* number of the last job */
};

void jobs_init(struct jobs *j);
/* Cancels what runs, and waits for it. */
void jobs_done(struct jobs *j);
/* Is there work that should not be left? */
bool jobs_run(struct jobs *j);

/* Start a repair; ask's strings are copied, its functions are not used. *ret: its number. QC_CONFLICT: one
 * runs, and *ret is that one's. QC_TEMP, QC_NOMEM. */
QC_MUST qc_rc jobs_repair(struct jobs *j, struct gw_engine *e, const struct gw_repair_ask *ask, uint64_t *ret,
                          struct qc_err *err);
/* Ask it to stop; it may take a moment. QC_NOTFOUND. */
QC_MUST qc_rc jobs_cancel(struct jobs *j, uint64_t number, struct qc_err *err);
/* The same of the last one, whatever its number. QC_NOTFOUND: there was none, or it is over. */
QC_MUST qc_rc jobs_cancel_last(struct jobs *j, struct qc_err *err);
QC_MUST qc_rc jobs_last_json(struct jobs *j, struct gw_engine *e, struct json_t **ret, struct qc_err *err);
/* JOB of docs/API.md. QC_NOTFOUND. */
QC_MUST qc_rc jobs_json(struct jobs *j, struct gw_engine *e, uint64_t number, struct json_t **ret,
                        struct qc_err *err);

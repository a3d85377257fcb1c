/* Clouds come and go, as a job: one at a time, in a thread of its own, beside the repair (jobs.h). What was
 * begun and can go on by itself does, after a restart or a failure, too. Part of qcloud-gateway; docs/API.md.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>

#include "base/json.h"
#include "gateway/clouds.h"
#include "gateway/move.h"

struct move_job; /* opaque */

struct moves {
    pthread_mutex_t lock; /* guards all below, and the job's own fields that its header names */
    struct move_job *job; /* that runs, or the last one */
    uint64_t last;        /* number of the last job */
    uint64_t next_ms;     /* not before is something begun by itself */
};

void moves_init(struct moves *m);
/* Cancels what runs, and waits for it. */
void moves_done(struct moves *m);
/* Is there work that should not be left? */
bool moves_run(struct moves *m);
/* Begin what can go on by itself, if nothing runs and it is time. */
void moves_tick(struct moves *m, struct gw_engine *e);

/* The body of POST /v1/clouds/job. QC_USAGE, QC_FORMAT; QC_CONFLICT: one runs; QC_TEMP, QC_NOMEM. */
QC_MUST qc_rc moves_start(struct moves *m, struct gw_engine *e, const struct json_t *body,
                          struct qc_err *err);
/* The job that runs, or the last one, as JSON. QC_NOTFOUND: there was none. */
QC_MUST qc_rc moves_json(struct moves *m, struct json_t **ret, struct qc_err *err);
/* What can go on by itself does, now. */
void moves_again(struct moves *m, struct gw_engine *e);
/* Ask it to stop; it may take a moment. */
void moves_cancel(struct moves *m);

/* "facts": the words for what a validation has shown. */
QC_MUST qc_rc cloud_facts_json(struct json_t *obj, unsigned facts, struct qc_err *err);
/* One cloud, appended to a list (gw_cloud_fn). */
qc_rc cloud_info_json(void *list, const struct gw_cloud_info *c, struct qc_err *err);
/* GET /v1/clouds, /v1/clouds/plan and /v1/clouds/plan/code: the same for the daemon and for the operator's
 * command. */
QC_MUST qc_rc clouds_list_json(struct json_t **ret, struct gw_engine *e, struct qc_err *err);
QC_MUST qc_rc exit_plan_json(struct json_t **ret, struct gw_engine *e, const char *name, struct qc_err *err);
QC_MUST qc_rc code_plan_json(struct json_t **ret, struct gw_engine *e, unsigned k, unsigned n,
                             struct qc_err *err);

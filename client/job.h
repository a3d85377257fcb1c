/* A job of the gateway, followed until it is over. Part of the program qcloud (layer 5); uses base, vault,
 * client, progress. */
#pragma once
#include "client.h"
#include "progress.h"

enum { JOB_PATH_MAX = 64 };

struct job {
    struct client *c;
    struct vault_gw *gw;     /* owned */
    struct json_t *seen;     /* the job as it was told last; owned; NULL before the first call */
    bool stopping;           /* told to stop */
    char path[JOB_PATH_MAX]; /* where it is asked for, and told to stop */
    const char *all, *done;  /* counts of its report: the measure of progress */
    bool left;               /* `done` is what is left instead */
    const char *ended;       /* "the gateway ended under the repair; .." */
    struct progress progress;
};
void job_done(struct job *j);

/* A call about the job; what comes is j->seen. Errors: those of vault_gw_ops.operate; QC_FORMAT. */
QC_MUST qc_rc job_call(struct job *j, const struct vault_gw_operation *what, struct qc_err *err);
/* Begin it: POST of a body to a path. QC_FORMAT: no JSON comes. */
QC_MUST qc_rc job_begin(struct job *j, const char *path, const struct json_t *ask, struct qc_err *err);
/* Until it is over, with progress; a Ctrl-C tells it to stop, once. QC_TEMP: the gateway knows no such job
 * any more. */
QC_MUST qc_rc job_follow(struct job *j, struct qc_err *err);

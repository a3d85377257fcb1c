/* Files side by side (--jobs). The command's own thread begins each and ends it, in the order in which they
 * were begun; what lies between is done by several threads, each with a session and a source of randomness of
 * its own. So what is told, and in which order, does not depend on which of them is fast. Part of the program
 * qcloud (layer 5); uses base, qrng, vault. */
#pragma once
#include "client.h"

struct side; /* opaque */

struct side_job {
    /* In a thread: of the session v alone. */
    qc_rc (*work)(struct side_job *j, struct vault *v, const struct vault_call *call, struct qc_err *err);
    /* Once, in the command's thread, when all that were begun before have ended; the remarks of the work are
     * c->notes then, and what its keys came from c->provenance. Frees the job. */
    void (*end)(struct side_job *j, qc_rc rc, struct qc_err *why);
    /* In the command's thread, while it waits for this one; or NULL. */
    void (*show)(struct side_job *j, const struct vault_progress *at);
};

/* Of --jobs: 1 where it was not given. QC_USAGE */
QC_MUST qc_rc side_jobs(const struct qc_args *args, unsigned *ret, struct qc_err *err);
/* jobs 1: *ret is NULL, and the caller does one file after the other. draws: the work makes keys. QC_NOMEM,
 * QC_TEMP */
QC_MUST qc_rc side_new(struct side **ret, struct client *c, unsigned jobs, bool draws, struct qc_err *err);
/* Ends what was begun. Accepts NULL. */
void side_free(struct side **s);
/* One more; the job is the side's from here on, whatever comes. Where as many are under way as may be, the
 * oldest is ended before. */
void side_begin(struct side *s, struct side_job *j);
/* All that were begun are ended. s NULL: nothing. */
void side_end_all(struct side *s);

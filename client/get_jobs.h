/* Files of a tree, got by several threads (side.h): a large one by itself, small ones in lots, of which each
 * is fetched ahead and made durable together. Part of the program qcloud (layer 5); uses base, vault, client.
 * One thread. */
#pragma once
#include "get.h"

struct get_jobs; /* opaque */

/* dir: borrowed. NULL: no memory. */
struct get_jobs *get_jobs_new(struct get_run *run, const char *dir);
/* Ends what was begun. */
void get_jobs_free(struct get_jobs **jobs);
struct get_what {
    qc_span name, rest; /* the object; and where below dir: the end of its name */
    uint64_t size;
    qc_span found; /* as of vault_find, or empty */
};
/* One more. It is told when it is over, which this call may wait for, or for others before it. Nothing is
 * borrowed. */
void get_jobs_add(struct get_jobs *jobs, const struct get_what *what);
/* All that were added are over, and told. */
void get_jobs_end(struct get_jobs *jobs);

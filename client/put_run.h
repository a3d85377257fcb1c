/* One run of put: what its parts have of each other. Layer 5, internal. */
#pragma once
#include <sys/stat.h>

#include "client.h"

struct put_group;

struct put_run {
    struct client *c;
    struct sites *sites; /* of a profile that has three; or NULL */
    struct vault_put_opts opts;
    qc_rc worst;
    bool go_on;
    bool follow;                                        /* symbolic links; in a tree they are left out */
    struct put_group *waiting;                          /* NULL: none can wait */
    struct put_group *sent[QC_VAULT_BUNDLES_AHEAD + 1]; /* of bundles that are on their way, in their order */
    size_t sent_count;
    uint64_t stdin_size; /* of standard input, as it was said; VAULT_SIZE_UNKNOWN: it was not */
    struct side *side;   /* of --jobs; NULL: one after the other */
};

/* One object; *ret_open: it failed, and may be stored all the same. */
QC_MUST qc_rc put_run_source(struct put_run *run, const struct vault_source *source, qc_span name,
                             bool *ret_open, struct qc_err *err);
/* One file, told of. */
void put_run_file(struct put_run *run, const char *path, qc_span name);
/* What became of one. false: nothing further is to be tried. */
bool put_run_told(struct put_run *run, qc_rc rc, bool open, qc_span name, const struct qc_err *why);

/* -- put_small.c -- */

struct put_group *put_small_new(struct put_run *run); /* NULL: no memory for one */
void put_small_free(struct put_group **g);
/* A file of so many bytes, as was seen, or a folder: it waits for others, and goes with them. */
void put_small_add(struct put_run *run, const char *path, qc_span name, uint64_t size);
void put_small_folder(struct put_run *run, const struct stat *st, qc_span name);
/* Those that wait go now. */
void put_small_all(struct put_run *run);
/* What is on its way comes to its end. */
void put_small_sent(struct put_run *run);

/* What get has of its own. Part of the program qcloud (layer 5); uses base, vault, client. */
#pragma once
#include "client.h"
#include "listing.h"

struct sites;
struct side;

struct get_run {
    struct client *c;
    struct sites *sites; /* of a profile that has three; or NULL */
    struct vault_get_opts opts;
    bool part;          /* opts says which */
    const char *range;  /* the word of the command line that does, or NULL */
    struct which which; /* not given: the current version */
    bool force, silent, sparse;
    unsigned jobs; /* of --jobs */
    qc_rc worst;
    bool go_on;
};

/* What one ended with, and is the run to go on? */
bool get_told(struct get_run *run, qc_rc rc, qc_span name, const struct qc_err *why);
QC_MUST qc_rc get_tell_got(const struct get_run *run, qc_span name, const struct vault_got *got,
                           const char *file, struct qc_err *err);
/* ctx: the struct out. kept: of what an interrupted get left. */
void get_tell_kept(void *ctx, const char *part, uint64_t kept);
/* Where the same command again may well succeed, what is there stays. */
void get_leave(struct get_run *run, struct vault_sink_file *f, qc_rc rc);
/* One object to dir/rest, now. */
void get_below(struct get_run *run, qc_span name, const char *dir, qc_span rest);

/* Behind the last slash. */
qc_span get_last_component(qc_span name);
/* get -r. get_tree.c */
QC_MUST qc_rc get_tree(struct get_run *run, const char *prefix, const char *dir, struct qc_err *err);

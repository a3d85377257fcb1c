/* A run that purges versions: what a pass finds is gathered in batches, which are purged together, or told
 * with --dry-run; nothing goes before somebody has agreed. Part of the program qcloud (layer 5); uses base,
 * vault. */
#pragma once
#include "client.h"
#include "keep.h"

/* A version that is about to go. */
struct purging_doomed {
    qc_buf name;
    uint64_t number;
    bool opened; /* size and time are known */
    uint64_t size;
    int64_t stored_s;
};

struct purging_batch {
    struct vault_doomed v[QC_VAULT_PURGE_BATCH];
    struct purging_doomed d[QC_VAULT_PURGE_BATCH];
    size_t count;
};

/* What a pass may purge: whatever it finds (--yes), or what was shown before the question. */
enum consent { ALL, SHOWING, SHOWN };

struct purging {
    struct client *c;
    bool look;     /* nothing is purged */
    bool one_kind; /* nothing but what is named is looked at */
    bool dry;      /* nor anything else changed */
    enum consent consent;
    qc_buf agreed; /* ids of the versions that were shown, in order once that is over */
    struct purging_batch *batch;
    qc_rc worst;
    uint64_t told, kept, bytes, left; /* of this pass; left: names that were left alone */
    uint64_t gone;                    /* versions that are purged */
    /* trash empty */
    bool has_age;
    int64_t before_s; /* removed before then */
    /* prune */
    struct keep keep;
    void *ctx; /* the pass's own */
};
void purging_done(struct purging *run);

typedef qc_rc (*purging_pass_fn)(struct purging *run, qc_span prefix, struct qc_err *err);
/* The whole run, of what the pass finds: at once (--dry-run, --yes), or a look, a question and a second pass.
 * QC_USAGE: nobody can be asked. QC_CANCELLED: the answer was no. */
QC_MUST qc_rc purging_run(struct purging *run, const struct qc_args *args, purging_pass_fn pass,
                          struct qc_err *err);
/* The versions of a name. What another name may show by now (vault_settle_disputes) is found out first,
 * unless this shall only look. */
QC_MUST qc_rc purging_versions(struct purging *run, qc_span name, struct vault_versions *ret,
                               struct qc_err *err);
/* May this version go, by what was agreed to? */
bool purging_may(const struct purging *run, const struct vault_version *one);
/* One more to go; s: what is known of it, or NULL. What was not agreed to is passed over. */
QC_MUST qc_rc purging_add(struct purging *run, qc_span name, const struct vault_version *one,
                          const struct vault_stat *s, struct qc_err *err);
/* Those that were added go now. What is refused is told, and folded into run->worst. */
QC_MUST qc_rc purging_flush(struct purging *run, struct qc_err *err);
/* Those that were added do not go by this run. */
void purging_forget(struct purging *run);

/* qcloud sync: a run, and its parts. Part of the program qcloud (layer 5); uses base, sync, vault. */
#pragma once
#include "base/file.h"
#include "client.h"
#include "progress.h"
#include "sync/plan.h"
#include "sync/state.h"
#include "sync/tree.h"

enum { SYNC_LABEL_MAX = 64 };

struct sync_run {
    struct client *c;
    const struct qc_args *args;
    /* As asked. */
    enum sync_way way;
    char
        dir[QC_CLIENT_PATH_MAX]; /* absolute, without symbolic links; down, on a dry run, perhaps not there */
    qc_span prefix;              /* without a slash at its end; empty: the whole vault. Borrowed */
    bool dry, checksum;
    unsigned delete_pct;
    uint64_t lock_ms; /* to wait for the lock of this pair */
    bool sparse;      /* files that are got have holes */
    bool hasty;       /* puts wait for the write quorum alone: the policy says so */
    struct sync_rules rules;
    /* The folder as it was when the run began: another one in its place is never synced. */
    dev_t device;
    ino_t inode;
    /* What there is. */
    struct qc_fd lock;
    struct sync_ignore *leave;
    struct sync_state *state; /* NULL: on a dry run, before the first one */
    struct sync_list here, there, base;
    struct sync_list coming; /* gets of a run that was killed */
    struct sync_list unsure; /* names of files that it was about to rename or remove */
    struct sync_plan plan;
    int64_t began_ns; /* before the folder was looked at */
    /* How far it is. */
    qc_rc worst;
    bool go_on;
    bool stopped;      /* by Ctrl-C and the like */
    qc_span next_path; /* then: of the first that was not done; borrowed, as paths of steps are */
    struct progress progress;
    char label[SYNC_LABEL_MAX];
    size_t files_all, files_done; /* to be put, got, deleted; and of these, which are over, well or not */
    uint64_t bytes_done;          /* of those that are over */
    size_t moved, removed, left;  /* stored or got; deleted; not as asked, and named */
    size_t renamed;
    uint64_t bytes;                                     /* of what was moved */
    struct sync_watch *watch;                           /* of qcloud watch; or NULL */
    struct side *side;                                  /* of --jobs; NULL: one file after the other */
    struct sync_puts *sent[QC_VAULT_BUNDLES_AHEAD + 1]; /* bundles that are on their way, in their order */
    size_t sent_count;
    qc_rc side_rc; /* what went wrong with the state when one of them ended */
    struct qc_err side_why;
};
void sync_run_done(struct sync_run *run);

/* A run over and over. */
struct sync_watch {
    void (*folder)(void *ctx, const char *path); /* as of struct sync_walk */
    void *ctx;
    qc_rc away;     /* why the pass ended early, where that may be over in a while; QC_OK: it did not */
    qc_buf told[2]; /* 8 bytes for each failure that was told in the last pass, and in this one */
    unsigned turn;  /* of the two this pass's */
    bool refused;   /* there was more to delete than may be: nothing was */
};
/* Is that a failure which goes by itself: of a gateway, clouds, share stores that are away, of a full disk?
 */
bool sync_is_away(qc_rc rc);

/* ---- cmd_sync.c: what is asked for, and one pass ---- */

/* From the words and options of the command. */
QC_MUST qc_rc sync_take(struct sync_run *run, const struct qc_args *args, bool both, struct qc_err *err);
/* Look at both sides, and do what is to be done; the vault is open. */
QC_MUST qc_rc sync_pass(struct sync_run *run, struct qc_err *err);
/* Forget what a pass has seen and counted; what was asked stays. */
QC_MUST qc_rc sync_again(struct sync_run *run, struct qc_err *err);
/* QC_NOTFOUND: the folder is not there any more, or another one is in its place. */
QC_MUST qc_rc sync_same_folder(const struct sync_run *run, struct qc_err *err);

/* ---- sync_list.c: what there is ---- */

/* The lock and the state of this pair. QC_LOCKED: with the holder's process number; QC_CANCELLED */
QC_MUST qc_rc sync_open(struct sync_run *run, struct qc_err *err);
/* Both sides, and what the last run has seen. QC_NOTFOUND: down, and nothing is below the prefix */
QC_MUST qc_rc sync_look(struct sync_run *run, struct qc_err *err);
/* For rules.same: the object is read, the file beside it; extended attributes count. */
QC_MUST qc_rc sync_compare(void *ctx, qc_span path, const struct sync_entry *here,
                           const struct sync_entry *there, bool *ret, struct qc_err *err);

/* For rules.moved: the object under its earlier name, the file under its new one. */
QC_MUST qc_rc sync_compare_moved(void *ctx, const struct sync_step *from, const struct sync_step *to,
                                 bool *ret, struct qc_err *err);
/* The same of the bytes alone, of one name. */
QC_MUST qc_rc sync_compare_bytes(struct sync_run *run, const struct sync_step *s, bool *ret,
                                 struct qc_err *err);

/* ---- sync_steps.c: what is done ---- */

/* The plan, step by step. A file that cannot be synced is told and counted; what would stop the others too
 * ends the run (run->go_on). Errors are those of the state alone. */
QC_MUST qc_rc sync_do_all(struct sync_run *run, struct qc_err *err);

int64_t sync_now_ns(void); /* of the clock that files' times come from */
/* Where a path lies: dir/path. QC_LIMIT */
QC_MUST qc_rc sync_place(const struct sync_run *run, qc_span path, char ret[QC_CLIENT_PATH_MAX],
                         struct qc_err *err);

/* ---- sync_tell.c: what is said ---- */

/* prefix/path. */
QC_MUST qc_rc sync_name(const struct sync_run *run, qc_span path, qc_buf *ret, struct qc_err *err);
/* Of a watch: was this told in the pass before, too? From then on it counts as told in this one. */
bool sync_told(struct sync_run *run, qc_rc rc, qc_span path);
/* A file that was left as it is: E0413, counted as 4. why->next: instead of the message's own. */
void sync_tell_left(struct sync_run *run, qc_span path, const struct qc_err *why);
/* What stands here and is no file: links and the like with a warning; what may not be read is left. */
QC_MUST qc_rc sync_tell_bars(struct sync_run *run, struct qc_err *err);
/* The plan, of a dry run. */
QC_MUST qc_rc sync_tell_plan(struct sync_run *run, struct qc_err *err);
/* An object became a file. */
QC_MUST qc_rc sync_tell_got(struct sync_run *run, const struct vault_stat *got, const char *file,
                            struct qc_err *err);
/* Deleted: an object, or (file not NULL) a file. */
QC_MUST qc_rc sync_tell_removed(struct sync_run *run, qc_span name, const char *file, struct qc_err *err);
/* An object (file is NULL) or a file has its new name. m: of the object. */
QC_MUST qc_rc sync_tell_renamed(struct sync_run *run, const struct vault_move *m, const char *file,
                                struct qc_err *err);
/* What the last line says, as JSON. */
QC_MUST qc_rc sync_summary(const struct sync_run *run, struct json_t **ret, struct qc_err *err);
/* The last line, and the summary for --json. QC_CANCELLED: somebody has ended the run; what is left to do */
QC_MUST qc_rc sync_tell_end(struct sync_run *run, struct qc_err *err);
/* Progress of a file of the run; ctx is the run. */
void sync_progress(void *ctx, const struct vault_progress *at);
void sync_progress_file(struct sync_run *run);
void sync_progress_label(struct sync_run *run);

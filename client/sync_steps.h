/* sync: what the files that do a plan's steps share. Part of the program qcloud (layer 5); uses base, sync,
 * vault. */
#pragma once
#include <sys/stat.h>

#include "sync.h"

/* ---- sync_steps.c ---- */

/* Was the file changed so long before this instant that each later change shows? A change sets its ctime,
 * which nobody can set back, to the clock's last tick. */
bool sync_quiet_at(const struct sync_stat *st, int64_t now_ns);
/* A file or a symbolic link? */
bool sync_is_synced(const struct stat *st);
/* As it is now; after a tick of 20 ms, where it was changed within the last one. */
QC_MUST qc_rc sync_settled(const char *place, struct sync_stat *ret, bool *ret_quiet, struct qc_err *err);
/* QC_CHANGED: it is not what the plan saw; seen NULL: that saw nothing. */
QC_MUST qc_rc sync_check_unchanged(const char *place, const struct sync_entry *seen, struct qc_err *err);
/* Something is to be done under its name: see sync_step_unsure. To be on disk before. */
QC_MUST qc_rc sync_keep_unsure(struct sync_run *run, const struct sync_step *s, struct qc_err *err);
/* What became of a step. local: it failed before anything was asked of the vault. class: whose messages tell
 * it. What would stop all others, too, ends the run. */
void sync_outcome(struct sync_run *run, qc_rc rc, bool open, bool local, enum msg_class class, qc_span path,
                  const struct qc_err *why);
/* Is the run to go on: nobody has ended it, and the folder is the one that was looked at? Else that is told
 * of the file that is next. */
bool sync_may_go_on(struct sync_run *run, qc_span path);
/* Does something come to the folder? */
bool sync_is_got(enum sync_do what);
/* Of steps side by side: how far the one is that is waited for; what its end came to; and whether any end
 * failed so far. */
void sync_side_show(struct sync_run *run, const struct vault_progress *at);
void sync_side_end(struct sync_run *run, qc_rc rc, const struct qc_err *why);
QC_MUST qc_rc sync_side_rc(const struct sync_run *run, struct qc_err *err);
/* A step is over, well or not; one that was ended by Ctrl-C is still to do. */
void sync_did(struct sync_run *run, const struct sync_step *s, qc_rc rc);

/* The folders above a file that has gone, where they are empty and the vault has none of that name: an older
 * program has stored no folders. Going down only. */
void sync_drop_above(struct sync_run *run, char place[QC_CLIENT_PATH_MAX]);

/* ---- sync_digest.c: what went by, and what is here ---- */

struct sync_digest;
void sync_digest_free(struct sync_digest **d);
/* Bytes on their way to the vault or to a file are summed up as they pass. What it is of is borrowed. */
QC_MUST qc_rc sync_digest_source(struct sync_digest **ret, const struct vault_source *of, struct qc_err *err);
QC_MUST qc_rc sync_digest_sink(struct sync_digest **ret, const struct vault_sink *of, struct qc_err *err);
const struct vault_source *sync_digest_of_source(const struct sync_digest *d); /* borrowed */
const struct vault_sink *sync_digest_of_sink(const struct sync_digest *d);     /* borrowed */
/* *ret_has: all `size` bytes have passed, from the first on. d may be NULL. */
QC_MUST qc_rc sync_digest_end(struct sync_digest *d, uint64_t size, uint8_t ret[SYNC_DIGEST_BYTES],
                              bool *ret_has, struct qc_err *err);
/* Of a file or link that is here, and has st. *ret_has false: it has another size by now. */
QC_MUST qc_rc sync_digest_file(const char *place, const struct sync_stat *st, uint8_t ret[SYNC_DIGEST_BYTES],
                               bool *ret_has, struct qc_err *err);

/* ---- sync_move.c ---- */

/* Renames, before all else. What cannot be renamed comes over as any other file. Errors are those of the
 * state. */
QC_MUST qc_rc sync_do_moves(struct sync_run *run, struct qc_err *err);

/* ---- sync_folders.c ---- */

/* Something came or went at the path: the folder that has it gets back its time at the end. */
void sync_touched(struct sync_run *run, qc_span path);
/* A folder that comes: it is made, and told where that fails. */
void sync_make_folder(struct sync_run *run, const struct sync_step *s);
/* Those that go, the deepest first; all that they held is gone. Errors are those of the state, here and
 * below.
 */
QC_MUST qc_rc sync_remove_folders(struct sync_run *run, struct qc_err *err);
/* A file in the place of a folder? Those wait until what the folder held is gone. */
bool sync_makes_room(const struct sync_step *s);
QC_MUST qc_rc sync_get_instead(struct sync_run *run, struct qc_err *err);
/* Modes and times of those that were made, or in which something came or went, when nothing does any more.
 * Up, nothing is written to the folder. */
QC_MUST qc_rc sync_finish_folders(struct sync_run *run, struct qc_err *err);

/* ---- sync_put.c, sync_get.c: to the vault; to the folder ---- */

/* Small ones that wait for others, with which they are stored, or got. Errors are those of the state. */
struct sync_waiting {
    const struct sync_step *v[QC_VAULT_BUNDLE_FILES]; /* borrowed */
    size_t count;
    uint64_t bytes;
};
/* Does it wait? Else it is too large, or there is no room beside those that do. */
bool sync_wait(struct sync_waiting *w, const struct sync_step *s, uint64_t size, size_t most, uint64_t bytes);

/* The row of a put that is about to begin: see struct sync_entry. */
QC_MUST qc_rc sync_keep_open(struct sync_run *run, const struct sync_step *s, const struct sync_stat *st,
                             bool quiet, struct qc_err *err);
QC_MUST qc_rc sync_put_one(struct sync_run *run, const struct sync_step *s, struct qc_err *err);
/* The same side by side with others: it ends later, in the order in which they were begun. */
QC_MUST qc_rc sync_put_beside(struct sync_run *run, const struct sync_step *s, struct qc_err *err);
QC_MUST qc_rc sync_get_beside(struct sync_run *run, const struct sync_step *s, struct qc_err *err);
/* They are on their way, and what was so before is over. */
QC_MUST qc_rc sync_put_waiting(struct sync_run *run, struct sync_waiting *w, struct qc_err *err);
/* What is on its way comes to its end, before anything else is asked of the vault. */
QC_MUST qc_rc sync_put_sent(struct sync_run *run, struct qc_err *err);
/* What gets that were killed left here of names that are not got now; both sides were looked at. */
QC_MUST qc_rc sync_drop_rests(struct sync_run *run, struct qc_err *err);
QC_MUST qc_rc sync_get_one(struct sync_run *run, const struct sync_step *s, struct qc_err *err);
QC_MUST qc_rc sync_get_waiting(struct sync_run *run, struct sync_waiting *w, struct qc_err *err);

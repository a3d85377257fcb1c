/* What a sync remembers of its last run: each file as it was, and the version that the vault had of it. Layer
 * 4; uses base. One SQLite file for each pair of a folder and a prefix; it holds names, so it is its owner's
 * alone. Losing it loses no data: files are then compared by size and time. One thread. */
#pragma once
#include "sync/list.h"

enum { SYNC_DIGEST_BYTES = 32 };

struct sync_state;

/* dir, prefix: what it is about; a file that says otherwise is refused. QC_NOTFOUND  it is not there, and
 * create is false;  QC_INTEGRITY, QC_FORMAT  it is damaged, or another pair's;  QC_NEWER;  and the database's
 */
QC_MUST qc_rc sync_state_open(struct sync_state **ret, const char *path, bool create, qc_span dir,
                              qc_span prefix, struct qc_err *err);
/* What was not committed is lost. */
void sync_state_close(struct sync_state **s);
/* Everything, sorted. */
QC_MUST qc_rc sync_state_load(struct sync_state *s, struct sync_list *ret, struct qc_err *err);
/* To be on disk after the next commit. what: st, version, open, quiet. */
QC_MUST qc_rc sync_state_put(struct sync_state *s, qc_span path, const struct sync_entry *what,
                             struct qc_err *err);
QC_MUST qc_rc sync_state_drop(struct sync_state *s, qc_span path, struct qc_err *err);
/* A get of this is about to begin, and may leave NAME.part and the like if it is killed; or it is over. */
QC_MUST qc_rc sync_state_coming(struct sync_state *s, qc_span path, bool comes, struct qc_err *err);
/* Those that no run has seen the end of, sorted. */
QC_MUST qc_rc sync_state_load_coming(struct sync_state *s, struct sync_list *ret, struct qc_err *err);
/* The same of a file that is about to be removed here, or to get or lose this name by a rename. */
QC_MUST qc_rc sync_state_unsure(struct sync_state *s, qc_span path, bool begins, struct qc_err *err);
QC_MUST qc_rc sync_state_load_unsure(struct sync_state *s, struct sync_list *ret, struct qc_err *err);
/* What the bytes of a version were, as this program has read or written them: see digest.h. */
QC_MUST qc_rc sync_state_digest_put(struct sync_state *s, qc_span path, const uint8_t *version,
                                    const uint8_t sum[SYNC_DIGEST_BYTES], struct qc_err *err);
/* *ret_has: it is known. */
QC_MUST qc_rc sync_state_digest(struct sync_state *s, qc_span path, const uint8_t *version,
                                uint8_t ret[SYNC_DIGEST_BYTES], bool *ret_has, struct qc_err *err);
/* Durable on QC_OK. Nothing to commit: QC_OK. */
QC_MUST qc_rc sync_state_commit(struct sync_state *s, struct qc_err *err);
/* The same when the last commit is QC_SYNC_COMMIT_MS ago. */
QC_MUST qc_rc sync_state_commit_now_and_then(struct sync_state *s, struct qc_err *err);

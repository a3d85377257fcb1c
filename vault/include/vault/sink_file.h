/* A file as the target of a get: NAME.part, verified and synced, then renamed. Layer 3; uses base. One
 * thread. A half-written file never stands under the final name. */
#pragma once
#include "base/err.h"
#include "vault/vault.h"

struct vault_sink_file;

/*
 * Prepare path (directory part must exist). NAME.part is made beside it when the first verified bytes come.
 * One that an earlier get left, and no process holds, is gone on with as far as it verifies, else replaced.
 *
 *   replace   an existing file of that name is replaced at the end; else QC_CONFLICT, before anything is read
 *
 * QC_LOCKED  another get writes the same file;  QC_USAGE  path ends in "/" or the name is too long
 */
QC_MUST qc_rc vault_sink_file_new(struct vault_sink_file **ret, const char *path, bool replace,
                                  struct qc_err *err);
/* The same in a directory that is open for reading, whatever the path says by now: the last component counts,
 * the rest is for messages. dir: borrowed until it is freed. */
QC_MUST qc_rc vault_sink_file_in(struct vault_sink_file **ret, int dir, const char *path, bool replace,
                                 struct qc_err *err);
/* May another one make a file of this name beside its own, NAME.part say? Then the two are not written at the
 * same time: who renames the one may lose the other. */
bool vault_sink_file_beside(qc_span name);
/* Before the sink is used, for a part of an object alone: it is written to NAME.range.part, so that what an
 * interrupted get of the whole left as NAME.part stays for the next one. QC_USAGE: the name is too long. */
QC_MUST qc_rc vault_sink_file_range(struct vault_sink_file *f, struct qc_err *err);
/* The sink to give to vault_get; borrowed. begin makes the file, finish restores mode and mtime, syncs and
 * renames. */
const struct vault_sink *vault_sink_file_sink(const struct vault_sink_file *f);
/* To be called once it is known what of an earlier NAME.part is of use: kept bytes; 0: begun anew. */
typedef void (*vault_left_fn)(void *ctx, const char *part, uint64_t kept);
void vault_sink_file_tell(struct vault_sink_file *f, vault_left_fn fn, void *ctx);
/* What was a symbolic link becomes one again: without this, a file that has its target. */
void vault_sink_file_links(struct vault_sink_file *f);
/* Runs of zeros become holes, where the file system has such: they take no room. Their bytes are verified as
 * all others are. */
void vault_sink_file_sparse(struct vault_sink_file *f);
/* To be called when all has come, just before the name is taken: what it returns, if that is a failure, is
 * the end of it. */
typedef qc_rc (*vault_last_fn)(void *ctx, struct qc_err *err);
void vault_sink_file_last(struct vault_sink_file *f, vault_last_fn fn, void *ctx);
/* After finish: how many extended attributes the file system did not take, and errno of the first. */
unsigned vault_sink_file_missed(const struct vault_sink_file *f, int *ret_os);
/* After a failure: leave NAME.part for a later get, if it has at least QC_VAULT_LEFT_MIN. Its name and bytes,
 * or NULL: it goes. */
const char *vault_sink_file_leave(struct vault_sink_file *f, uint64_t *ret_bytes);
/*
 * Of many: the sink's finish leaves NAME.part as it is, and vault_sink_files_finish does for all of them what
 * it would have done, with few waits for the disk. Links are made at once.
 */
void vault_sink_file_later(struct vault_sink_file *f);
struct vault_sink_outcome {
    qc_rc rc; /* in: QC_OK: its get has come to its end; out */
    struct qc_err why;
};
/* files: NULL ones are passed over, and those whose get did not come to its end. */
void vault_sink_files_finish(struct vault_sink_file *const *files, struct vault_sink_outcome *outcomes,
                             size_t count);
/* Removes NAME.part unless finish was reached, or it is left. */
void vault_sink_file_free(struct vault_sink_file **f);

/* Bytes to a descriptor, as a pipe; each verified before it is written. fd is borrowed. */
struct vault_sink vault_sink_fd(int *fd);

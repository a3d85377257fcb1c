/* A file as the target of a get: NAME.part, verified and synced, then renamed. Layer 3; uses base. One
 * thread. A half-written file never stands under the final name. */
#pragma once
#include "base/err.h"
#include "vault/vault.h"

struct vault_sink_file;

/*
 * Prepare path (directory part must exist). NAME.part is made beside it when the first verified bytes come; a
 * stale one, which no process holds, is replaced.
 *
 *   replace   an existing file of that name is replaced at the end; else QC_CONFLICT, before anything is read
 *
 * QC_LOCKED  another get writes the same file;  QC_USAGE  path ends in "/" or the name is too long
 */
QC_MUST qc_rc vault_sink_file_new(struct vault_sink_file **ret, const char *path, bool replace,
                                  struct qc_err *err);
/* The sink to give to vault_get; borrowed. begin makes the file, finish restores mode and mtime, syncs and
 * renames. */
const struct vault_sink *vault_sink_file_sink(const struct vault_sink_file *f);
/* Removes NAME.part unless finish was reached. */
void vault_sink_file_free(struct vault_sink_file **f);

/* Bytes to a descriptor, as a pipe; each verified before it is written. fd is borrowed. */
struct vault_sink vault_sink_fd(int *fd);

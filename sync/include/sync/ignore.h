/* What a sync leaves out: patterns in files of the tree, with the rules of git's .gitignore, and patterns of
 * the command line, which count for more than any file's. Layer 4; uses base. Pure but for its memory.
 *
 * A line is a pattern; # begins a comment, ! takes out what an earlier line has left out, a slash at its end
 * means folders alone, one before that ties it to the folder of its file. Of one file the last line that
 * matches counts; a deeper folder's file before a higher one's. What lies in a folder that is left out is
 * left out, whatever is said of it. Tested against git itself (unit/sync_ignore). */
#pragma once
#include <stdbool.h>

#include "base/buf.h"

#define SYNC_IGNORE_FILE ".qcloudignore"

struct sync_ignore;
QC_MUST qc_rc sync_ignore_new(struct sync_ignore **ret, struct qc_err *err);
void sync_ignore_free(struct sync_ignore **ig);

/* A pattern of the command line, for the whole tree. QC_LIMIT, QC_NOMEM */
QC_MUST qc_rc sync_ignore_add(struct sync_ignore *ig, qc_span pattern, struct qc_err *err);
/* A file's text. dir: its folder, "" or "a/b"; each folder once. QC_LIMIT: QC_SYNC_PATTERN_MAX,
 * QC_SYNC_PATTERNS_MAX; QC_NOMEM */
QC_MUST qc_rc sync_ignore_add_file(struct sync_ignore *ig, qc_span dir, qc_span text, struct qc_err *err);

/* Is this left out, by what is said of it or of a folder that holds it? */
bool sync_ignore_is(const struct sync_ignore *ig, qc_span path, bool is_dir);
/* The same where no folder above is known to be left out: for a walk that does not enter such. */
bool sync_ignore_is_one(const struct sync_ignore *ig, qc_span path, bool is_dir);

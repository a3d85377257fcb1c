/* What lies in a folder: a walk over its files that enters no symbolic link and nothing that is left out.
 * Layer 4; uses base. One thread. */
#pragma once
#include "base/buf.h"
#include "base/time.h"
#include "sync/ignore.h"
#include "sync/list.h"

struct sync_walk {
    const char *dir;           /* absolute, without symbolic links */
    struct sync_ignore *leave; /* gets what the tree's own files say */
    const char *const *own;    /* folders that are qcloud's own: NULL ends */
    const struct qc_cancel *cancel;
    void (*found)(void *ctx, size_t files); /* often; or NULL */
    /* A folder, before what it holds is looked at: whoever watches it from then on misses nothing; or NULL */
    void (*folder)(void *ctx, const char *path);
    void *ctx;
};

/*
 * All files below a folder, and what stands where files could be: see sync_kind. Sorted.
 *
 * QC_NOTFOUND, QC_USAGE  it is no directory;  QC_AUTH  it, or a file of what to leave out, may not be read;
 * QC_CANCELLED; QC_LIMIT
 */
QC_MUST qc_rc sync_tree(const struct sync_walk *w, struct sync_list *ret, struct qc_err *err);

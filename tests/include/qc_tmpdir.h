/* A fresh directory for a test, removed with all that is in it when its scope ends. Made below $TMPDIR or
 * /tmp. */
#pragma once
#include "base/err.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct qc_tmpdir {
    char path[256];
};

static inline struct qc_tmpdir qc_tmpdir_new(void)
{
    struct qc_tmpdir t;
    const char *base = getenv("TMPDIR");
    int n = snprintf(t.path, sizeof t.path, "%s/qc-test-XXXXXX", base != NULL ? base : "/tmp");
    QC_ASSERT(n > 0 && (size_t)n < sizeof t.path);
    QC_ASSERT(mkdtemp(t.path) != NULL);
    return t;
}

static inline int qc_tmpdir_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void qc_tmpdir_remove(struct qc_tmpdir *t)
{
    if (t->path[0] != '\0')
        nftw(t->path, qc_tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    t->path[0] = '\0';
}

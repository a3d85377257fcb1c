/* Trees of files, copied and removed in this process: `cp` and `rm`, started thousands of times, were most of
 * what a test of many faults did, and under a sanitizer, whose processes are large, nearly all. */
#pragma once
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qc_check.h"
#include "qc_tmpdir.h"

/* The tree, or file, is gone; it may have been gone before. */
static inline void qc_tree_remove(const char *path)
{
    struct stat st;
    nftw(path, qc_tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    CHECK(lstat(path, &st) != 0);
}

static inline void qc_tree_file(const char *from, const char *to, const struct stat *st)
{
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    const int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const struct timespec times[2] = { st->st_atim, st->st_mtim };
    char bytes[65536];
    ssize_t n;
    CHECK(in >= 0 && out >= 0);
    while ((n = read(in, bytes, sizeof bytes)) > 0)
        CHECK(write(out, bytes, (size_t)n) == n);
    CHECK(n == 0 && fchmod(out, st->st_mode & 07777) == 0 && futimens(out, times) == 0);
    CHECK(close(in) == 0 && close(out) == 0);
}

/* A copy with modes and times of files, as `cp -a` makes it, at a name that is free (of a file: or taken).
 * Directories and plain files only. */
static inline void qc_tree_copy(const char *from, const char *to)
{
    struct stat st;
    CHECK(lstat(from, &st) == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)));
    if (S_ISREG(st.st_mode)) {
        qc_tree_file(from, to, &st);
        return;
    }
    DIR *d = opendir(from);
    CHECK(d != NULL && mkdir(to, 0700) == 0);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        char a[1024], b[1024];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        CHECK(snprintf(a, sizeof a, "%s/%s", from, e->d_name) < (int)sizeof a);
        CHECK(snprintf(b, sizeof b, "%s/%s", to, e->d_name) < (int)sizeof b);
        qc_tree_copy(a, b);
    }
    CHECK(closedir(d) == 0 && chmod(to, st.st_mode & 07777) == 0);
}

/* Share stores that are being made: FORMAT 7.
 *
 *   mark and lock, durable --> store.db --> store.key --> .. whoever needs it knows of it .. --> no mark
 *
 * H1: while the mark is there, nothing that was acknowledged depends on the directory: who makes a store
 * there may throw away what a cut or a kill left. H2: a whole store with a mark works like any other; the
 * first to open it as the store that he expects takes the mark away (he is configured for it, so it was
 * made). */
#include "store.h"
#include "store_half.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char mark[] = "store.making";
static const char refreshing[] = "refresh.lock"; /* stays where a store was refreshed, and says nothing */
/* What making a store writes. The key goes first: without it the rest is nothing. */
static const char *const parts[] = { "store.key", "store.db", "store.db-journal" };

/* Nothing there, but for the mark and a lock. */
static qc_rc only_mark(int dirfd, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_TRY(qc_open_at(&fd, dirfd, ".", O_RDONLY | O_DIRECTORY, 0, err));
    DIR *dir = fdopendir(qc_fd_get(&fd));
    if (dir == NULL)
        return QC_FAIL_OS(err, "cannot list the directory");
    fd = (struct qc_fd){ 0 };
    bool only = true;
    errno = 0;
    for (struct dirent *e = readdir(dir); e != NULL && only; e = readdir(dir))
        only = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, mark) == 0 ||
               strcmp(e->d_name, refreshing) == 0;
    int e = errno;
    closedir(dir);
    if (e != 0)
        return QC_FAIL_ERRNO(err, e, "cannot list the directory");
    *ret = only;
    return QC_OK;
}

static qc_rc remove_parts(int dirfd, struct qc_err *err)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        QC_TRY(qc_file_remove(dirfd, parts[i], err));
    return qc_tmp_sweep(dirfd, err);
}

qc_rc store_half_begin(struct qc_fd *ret, int dirfd, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd lock = { 0 };
    bool free = false;
    bool half = faccessat(dirfd, mark, F_OK, 0) == 0;
    if (!half)
        QC_TRY(only_mark(dirfd, &free, err));
    if (!half && !free)
        return QC_FAIL(err, QC_CONFLICT, "the directory is not empty");
    QC_TRY(qc_lock_file(&lock, dirfd, mark, err));
    QC_TRY(qc_dir_sync(dirfd, err)); /* H1: before anything else of a store is there */
    if (half)
        QC_TRY(remove_parts(dirfd, err));
    QC_TRY(only_mark(dirfd, &free, err));
    if (!free)
        return QC_FAIL(err, QC_CONFLICT, "the directory is not empty");
    *ret = QC_STEAL(lock);
    return QC_OK;
}

qc_rc store_half_drop(int dirfd, struct qc_err *err)
{
    QC_TRY(remove_parts(dirfd, err));
    return qc_file_remove(dirfd, mark, err);
}

bool vault_store_is_half(const char *dir)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct qc_err unused = { 0 };
    return qc_dir_open(&fd, dir, &unused) == QC_OK && faccessat(qc_fd_get(&fd), mark, F_OK, 0) == 0;
}

qc_rc vault_store_made(const char *dir, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_TRY(qc_dir_open(&fd, dir, err));
    return qc_file_remove(qc_fd_get(&fd), mark, err);
}

/* What is set for all databases of a program: its memory, and why a database's journal could not be made.
 * Where SQLite may not create a file, it tries once more to open it for reading only; errno then says that
 * there is no such file, and no more that the disk is full. The first reason is put back. SQLite's interface
 * for this: sqlite3_vfs.xSetSystemCall (sqlite3.h). */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "base/key.h"
#include "db_sqlite.h"

typedef int open_fn(const char *path, int flags, int mode);

static open_fn *next;
static _Thread_local int refused; /* why the last attempt to create failed; 0: it did not */

static int open_and_tell(const char *path, int flags, int mode)
{
    const int fd = next(path, flags, mode);

    if ((flags & O_CREAT) != 0)
        refused = fd < 0 && errno != EINTR ? errno : 0;
    else if (fd < 0 && errno == ENOENT && refused != 0)
        errno = refused;
    return fd;
}

static void listen_to_open(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");

    if (vfs == NULL || vfs->iVersion < 3)
        return; /* another system's SQLite: the messages are less exact */
    sqlite3_syscall_ptr was = vfs->xGetSystemCall(vfs, "open");
    if (was == NULL)
        return;
    next = (open_fn *)was;
    vfs->xSetSystemCall(vfs, "open", (sqlite3_syscall_ptr)open_and_tell);
}

void qc_lite_open_reasons(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, listen_to_open);
}

void qc_db_in_program(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* too late: then it counts, as it would anyway */
}

/* SQLite's own memory, which `wiping` gives back. */
static sqlite3_mem_methods plain;

static void free_wiped(void *p)
{
    if (p != NULL)
        qc_wipe(p, (size_t)plain.xSize(p));
    plain.xFree(p);
}

static void *realloc_wiped(void *p, int n)
{
    void *more = plain.xMalloc(n);
    if (more == NULL)
        return NULL;
    const int had = plain.xSize(p);
    memcpy(more, p, (size_t)(had < n ? had : n));
    free_wiped(p);
    return more;
}

void qc_db_wipes(void)
{
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain) != SQLITE_OK || plain.xSize == NULL)
        return; /* too late: then what it gives back stays, as it would anyway */
    sqlite3_mem_methods wiping = plain;
    wiping.xFree = free_wiped;
    wiping.xRealloc = realloc_wiped;
    (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &wiping);
    (void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

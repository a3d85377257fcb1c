/* SQLite on the machine's disk. One program has the machine at a time, and one connection a catalogue: locks
 * between processes are granted. Shared memory of the WAL is the program's, and goes with it. */
#include "sim.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_ = 512, REGIONS = 64 };

struct shared {
    void *region[REGIONS];
    int users;
};

struct file {
    sqlite3_file base;
    struct sim_inode *f;
    bool dir_unsynced; /* a journal, perhaps new: its name becomes durable with its first sync, as in SQLite's
                          own */
    bool remove;
    bool maps;
    char path[PATH_MAX_];
};

static int last_errno;

static int failed(int e, int other)
{
    last_errno = e;
    return e == ENOSPC ? SQLITE_FULL : other;
}

static struct file *file_of(sqlite3_file *f)
{
    return (struct file *)(void *)f;
}

static int f_close(sqlite3_file *base)
{
    struct file *f = file_of(base);

    sim_file_ref(f->f, -1);
    if (f->remove)
        (void)sim_file_remove(f->path);
    return SQLITE_OK;
}

static int f_read(sqlite3_file *base, void *dst, int n, sqlite3_int64 at)
{
    const size_t got = sim_file_read(file_of(base)->f, (uint64_t)at, dst, (size_t)n);

    if (got == (size_t)n)
        return SQLITE_OK;
    memset((uint8_t *)dst + got, 0, (size_t)n - got);
    return SQLITE_IOERR_SHORT_READ;
}

static int f_write(sqlite3_file *base, const void *p, int n, sqlite3_int64 at)
{
    const int e = sim_file_write(file_of(base)->f, (uint64_t)at, p, (size_t)n);

    return e == 0 ? SQLITE_OK : failed(e, SQLITE_IOERR_WRITE);
}

static int f_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    sim_file_truncate(file_of(base)->f, (uint64_t)size);
    return SQLITE_OK;
}

static int f_sync(sqlite3_file *base, int flags)
{
    struct file *f = file_of(base);
    const int e = sim_file_sync(f->f);

    (void)flags;
    if (e != 0)
        return failed(e, SQLITE_IOERR_FSYNC);
    if (f->dir_unsynced)
        (void)sim_dir_sync_of(f->path);
    f->dir_unsynced = false;
    return SQLITE_OK;
}

static int f_size(sqlite3_file *base, sqlite3_int64 *ret)
{
    *ret = sim_file_size(file_of(base)->f);
    return SQLITE_OK;
}

static int f_lock(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int f_reserved(sqlite3_file *base, int *ret)
{
    (void)base;
    *ret = 0;
    return SQLITE_OK;
}

static int f_control(sqlite3_file *base, int op, void *arg)
{
    (void)base;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int f_sector(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

static int f_traits(sqlite3_file *base) /* as SQLite's own, for this system */
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int f_map(sqlite3_file *base, int at, int size, int extend, void volatile **ret)
{
    struct file *f = file_of(base);
    void **slot = sim_file_shared(f->f);
    struct shared *s = *slot;

    *ret = NULL;
    if (s == NULL) {
        s = calloc(1, sizeof *s);
        QC_ASSERT(s != NULL);
        *slot = s;
    }
    QC_ASSERT(at < REGIONS);
    s->users += !f->maps;
    f->maps = true;
    if (s->region[at] == NULL && extend)
        s->region[at] = calloc(1, (size_t)size);
    *ret = s->region[at];
    return SQLITE_OK;
}

static int f_shm_lock(sqlite3_file *base, int at, int n, int flags)
{
    (void)base;
    (void)at;
    (void)n;
    (void)flags;
    return SQLITE_OK;
}

static void f_barrier(sqlite3_file *base)
{
    (void)base;
}

static int f_unmap(sqlite3_file *base, int remove)
{
    struct file *f = file_of(base);
    void **slot = sim_file_shared(f->f);
    struct shared *s = *slot;

    (void)remove;
    if (s == NULL || !f->maps)
        return SQLITE_OK;
    f->maps = false;
    if (--s->users > 0)
        return SQLITE_OK;
    for (unsigned i = 0; i < REGIONS; i++)
        free(s->region[i]);
    free(s);
    *slot = NULL;
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_lock,
    .xCheckReservedLock = f_reserved,
    .xFileControl = f_control,
    .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_traits,
    .xShmMap = f_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_barrier,
    .xShmUnmap = f_unmap,
};

static int v_open(sqlite3_vfs *v, const char *path, sqlite3_file *base, int flags, int *ret_flags)
{
    struct file *f = file_of(base);
    bool created = false;

    (void)v;
    *f = (struct file){ 0 };
    f->f = path == NULL ? sim_file_unnamed() : sim_file(path, (flags & SQLITE_OPEN_CREATE) != 0, &created);
    if (f->f == NULL)
        return failed(errno, SQLITE_CANTOPEN);
    f->dir_unsynced = (flags & SQLITE_OPEN_CREATE) != 0 &&
                      (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL)) != 0;
    f->remove = path != NULL && (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    snprintf(f->path, sizeof f->path, "%s", path != NULL ? path : "");
    sim_file_ref(f->f, 1);
    f->base.pMethods = &methods;
    if (ret_flags != NULL)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int v_delete(sqlite3_vfs *v, const char *path, int sync_dir)
{
    (void)v;
    const int e = sim_file_remove(path);
    if (e != 0)
        return e == ENOENT ? SQLITE_IOERR_DELETE_NOENT : failed(e, SQLITE_IOERR_DELETE);
    return sync_dir && sim_dir_sync_of(path) != 0 ? SQLITE_IOERR_DIR_FSYNC : SQLITE_OK;
}

static int v_access(sqlite3_vfs *v, const char *path, int flags, int *ret)
{
    bool created;
    const struct sim_inode *f = sim_file(path, false, &created);

    (void)v;
    *ret = f != NULL && (flags != SQLITE_ACCESS_EXISTS || sim_file_size(f) > 0); /* as SQLite's own */
    return SQLITE_OK;
}

static int v_full(sqlite3_vfs *v, const char *path, int n, char *ret)
{
    (void)v;
    snprintf(ret, (size_t)n, "%s", path);
    return SQLITE_OK;
}

static int v_random(sqlite3_vfs *v, int n, char *ret)
{
    (void)v;
    sim_fill(&sim.engine, (uint8_t *)ret, (size_t)n);
    return n;
}

static int v_sleep(sqlite3_vfs *v, int us)
{
    (void)v;
    sim_sleep((uint64_t)us * 1000);
    return us;
}

static int v_time(sqlite3_vfs *v, sqlite3_int64 *ret)
{
    (void)v;
    *ret = INT64_C(210866760000000) + ((int64_t)(sim.now / SIM_S) + sim.wall_s) * 1000;
    return SQLITE_OK;
}

static int v_errno(sqlite3_vfs *v, int n, char *text)
{
    (void)v;
    (void)n;
    (void)text;
    return last_errno;
}

void sim_vfs_register(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(struct file),
        .mxPathname = PATH_MAX_,
        .zName = "sim",
        .xOpen = v_open,
        .xDelete = v_delete,
        .xAccess = v_access,
        .xFullPathname = v_full,
        .xRandomness = v_random,
        .xSleep = v_sleep,
        .xCurrentTimeInt64 = v_time,
        .xGetLastError = v_errno,
    };
    QC_ASSERT(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
}

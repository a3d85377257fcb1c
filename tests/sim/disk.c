/* The machine's file system. A file has two contents: what programs see, and what a power cut leaves: the
 * synced bytes, and of each sector that was written since, the old or the new one. The names of a directory
 * change in order, and a cut leaves them as after some change since its last sync. (What POSIX allows beyond
 * that, names out of order, is played on the real programs: ADR 10.) */
#include "disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512 };

struct sim_disk_faults sim_disk;
struct sim_inode *sim_root;
struct sim_fd sim_fds[SIM_FDS];
static uint64_t numbers;

/* -- bytes ----------------------------------------------------------------------------------------------- */

static void bytes_room(struct sim_bytes *b, size_t n)
{
    if (n <= b->room)
        return;
    size_t room = b->room == 0 ? 4096 : b->room;
    while (room < n)
        room *= 2;
    b->p = realloc(b->p, room);
    QC_ASSERT(b->p != NULL);
    b->room = room;
}

static void bytes_resize(struct sim_bytes *b, size_t n)
{
    bytes_room(b, n);
    if (n > b->n)
        memset(b->p + b->n, 0, n - b->n);
    b->n = n;
}

/* -- what was not synced ----------------------------------------------------------------------------------
 */

enum sim_dirt {
    WRITTEN = 1, /* a cut leaves the old sector or the new one */
    CUT_OFF,     /* by a truncation: a cut leaves the old one, if it leaves the old size */
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void sector_room(struct sim_inode *f, size_t sectors)
{
    if (sectors <= f->sector_room)
        return;
    const size_t room = sectors * 2 + 16;
    f->sectors = realloc(f->sectors, room * sizeof *f->sectors);
    QC_ASSERT(f->sectors != NULL);
    memset(f->sectors + f->sector_room, 0, (room - f->sector_room) * sizeof *f->sectors);
    f->sector_room = room;
}

/* What is clean is as it was synced. */
static void keep_old(struct sim_inode *f, size_t sector)
{
    const size_t at = sector * SECTOR, to = f->old.n;

    if (at >= f->synced_n)
        return;
    bytes_resize(&f->old, to + SECTOR);
    memcpy(f->old.p + to, f->seen.p + at, least(SECTOR, f->synced_n - at));
    f->sectors[sector].old = (uint32_t)(to / SECTOR) + 1;
}

/* Before bytes are changed. */
static void mark(struct sim_inode *f, uint64_t from, uint64_t to, enum sim_dirt how)
{
    const size_t first = (size_t)from / SECTOR, sectors = (size_t)(to + SECTOR - 1) / SECTOR;

    f->changed = true;
    if (first >= sectors)
        return;
    sector_room(f, sectors);
    for (size_t s = first; s < sectors; s++) {
        if (f->sectors[s].dirt == 0)
            keep_old(f, s);
        if (f->sectors[s].dirt == 0 || how == WRITTEN)
            f->sectors[s].dirt = how;
    }
    if (f->dirty_to == 0 || first < f->dirty_from)
        f->dirty_from = first;
    if (sectors > f->dirty_to)
        f->dirty_to = sectors;
}

/* What is seen is what lies there. */
static void make_durable(struct sim_inode *f)
{
    if (f->dirty_to > 0)
        memset(f->sectors + f->dirty_from, 0, (f->dirty_to - f->dirty_from) * sizeof *f->sectors);
    f->dirty_from = f->dirty_to = 0;
    f->old.n = 0;
    f->changed = false;
    f->synced_n = f->seen.n;
}

/* [from, to) of a dirty sector is as it was synced. */
static void take_back(struct sim_inode *f, size_t from, size_t to)
{
    if (to <= from)
        return;
    const size_t old = f->sectors[from / SECTOR].old;
    memset(f->seen.p + from, 0, to - from);
    if (old > 0)
        memcpy(f->seen.p + from, f->old.p + (old - 1) * SECTOR + from % SECTOR, to - from);
}

/* The size is the old one, or the new one; bytes beyond the old size that were not written are zero.
 * new_sector: of a sector that was written, does it stay? */
static void settle(struct sim_inode *f, size_t size, bool (*new_sector)(unsigned mode), unsigned mode)
{
    const size_t seen_n = f->seen.n;

    bytes_resize(&f->seen, size);
    for (size_t s = f->dirty_from; s < f->dirty_to && s * SECTOR < size; s++) {
        const size_t at = s * SECTOR, end = least(at + SECTOR, size);
        if (f->sectors[s].dirt == 0)
            continue;
        const bool stays = f->sectors[s].dirt == WRITTEN && at < seen_n && new_sector(mode);
        take_back(f, stays ? least(seen_n, end) : at, end);
    }
    make_durable(f);
}

/* -- inodes and names ------------------------------------------------------------------------------------ */

struct sim_inode *sim_fs_inode_new(bool dir, mode_t mode)
{
    struct sim_inode *f = calloc(1, sizeof *f);

    QC_ASSERT(f != NULL);
    f->number = ++numbers;
    f->dir = dir;
    f->mode = mode;
    if (dir) {
        f->names = calloc(1, sizeof *f->names);
        QC_ASSERT(f->names != NULL);
    }
    return f;
}

static struct sim_names *names_copy(const struct sim_names *n)
{
    struct sim_names *copy = malloc(sizeof *copy);

    QC_ASSERT(copy != NULL);
    *copy = *n;
    return copy;
}

struct sim_entry *sim_fs_find(struct sim_inode *dir, const char *name)
{
    for (unsigned i = 0; i < dir->names->count; i++)
        if (strcmp(dir->names->v[i].name, name) == 0)
            return &dir->names->v[i];
    return NULL;
}

/* Before a change of names. */
void sim_fs_remember(struct sim_inode *dir)
{
    if (dir->history_count == SIM_SINCE) {
        free(dir->history[0]);
        dir->history_count--;
        for (unsigned i = 0; i < dir->history_count; i++)
            dir->history[i] = dir->history[i + 1];
    }
    dir->history[dir->history_count++] = names_copy(dir->names);
}

static void forget(struct sim_inode *dir)
{
    for (unsigned i = 0; i < dir->history_count; i++)
        free(dir->history[i]);
    dir->history_count = 0;
}

void sim_fs_add_name(struct sim_inode *dir, const char *name, struct sim_inode *f)
{
    struct sim_entry *e = sim_fs_find(dir, name);

    QC_ASSERT(strlen(name) < SIM_NAME_MAX);
    sim_fs_remember(dir);
    if (e == NULL) {
        QC_ASSERT(dir->names->count < SIM_ENTRIES);
        e = &dir->names->v[dir->names->count++];
        snprintf(e->name, sizeof e->name, "%s", name);
    }
    e->f = f;
}

void sim_fs_drop_name(struct sim_inode *dir, struct sim_entry *e)
{
    sim_fs_remember(dir);
    *e = dir->names->v[--dir->names->count];
}

/* The directory of a path, and the last name in it. */
int sim_fs_walk(struct sim_inode *from, const char *path, struct sim_inode **ret_dir, char leaf[SIM_NAME_MAX])
{
    struct sim_inode *dir = path[0] == '/' ? sim_root : from;

    snprintf(leaf, SIM_NAME_MAX, ".");
    for (;;) {
        path += strspn(path, "/");
        const size_t n = strcspn(path, "/");
        if (n == 0)
            break;
        if (strcmp(leaf, ".") != 0) {
            const struct sim_entry *e = sim_fs_find(dir, leaf);
            if (e == NULL)
                return ENOENT;
            if (!e->f->dir)
                return ENOTDIR;
            dir = e->f;
        }
        if (n >= SIM_NAME_MAX)
            return ENAMETOOLONG;
        memcpy(leaf, path, n);
        leaf[n] = '\0';
        path += n;
    }
    *ret_dir = dir;
    return 0;
}

int sim_fs_look_up(struct sim_inode *from, const char *path, struct sim_inode **ret)
{
    struct sim_inode *dir;
    char leaf[SIM_NAME_MAX];
    const int e = sim_fs_walk(from, path, &dir, leaf);

    if (e != 0)
        return e;
    if (strcmp(leaf, ".") == 0) {
        *ret = dir;
        return 0;
    }
    const struct sim_entry *found = sim_fs_find(dir, leaf);
    if (found == NULL)
        return ENOENT;
    *ret = found->f;
    return 0;
}

/* -- for vfs.c ------------------------------------------------------------------------------------------- */

int sim_fs_make(struct sim_inode *from, const char *path, mode_t mode, struct sim_inode **ret)
{
    struct sim_inode *dir;
    char leaf[SIM_NAME_MAX];
    const int e = sim_fs_walk(from, path, &dir, leaf);

    if (e != 0)
        return e;
    if (sim_disk.full)
        return ENOSPC;
    sim_step("making a file");
    *ret = sim_fs_inode_new(false, mode);
    sim_fs_add_name(dir, leaf, *ret);
    return 0;
}

struct sim_inode *sim_file(const char *path, bool create, bool *ret_created)
{
    struct sim_inode *f = NULL;
    int e = sim_fs_look_up(sim_root, path, &f);

    *ret_created = false;
    if (e == ENOENT && create) {
        e = sim_fs_make(sim_root, path, 0600, &f);
        *ret_created = e == 0;
    }
    if (e == 0)
        return f;
    errno = e;
    return NULL;
}

struct sim_inode *sim_file_unnamed(void)
{
    return sim_fs_inode_new(false, 0600);
}

void sim_file_ref(struct sim_inode *f, int delta)
{
    f->refs += delta;
}

void **sim_file_shared(struct sim_inode *f)
{
    return &f->shared;
}

int64_t sim_file_size(const struct sim_inode *f)
{
    return (int64_t)f->seen.n;
}

size_t sim_file_read(const struct sim_inode *f, uint64_t off, void *dst, size_t n)
{
    if (off >= f->seen.n)
        return 0;
    if (n > f->seen.n - off)
        n = (size_t)(f->seen.n - off);
    memcpy(dst, f->seen.p + off, n);
    return n;
}

int sim_file_write(struct sim_inode *f, uint64_t off, const void *p, size_t n)
{
    const uint64_t end = off + n;

    sim_step("writing");
    if (sim_disk.full && end > f->seen.n)
        return ENOSPC;
    if (end > f->seen.n) {
        mark(f, f->seen.n, end, WRITTEN);
        bytes_resize(&f->seen, (size_t)end);
    }
    mark(f, off, end, WRITTEN);
    memcpy(f->seen.p + off, p, n);
    return 0;
}

void sim_file_truncate(struct sim_inode *f, uint64_t size)
{
    sim_step("truncating");
    if (size > f->seen.n)
        mark(f, f->seen.n, size, WRITTEN);
    else
        mark(f, size, f->seen.n, CUT_OFF);
    bytes_resize(&f->seen, (size_t)size);
}

static bool never(unsigned mode)
{
    (void)mode;
    return false;
}

int sim_file_sync(struct sim_inode *f)
{
    sim_step("syncing");
    if (!f->changed)
        return 0;
    if (!sim.calm && sim_one_in(&sim.faults, sim_disk.sync_eio)) {
        /* Reported once; the pages are dropped, and the next fsync knows nothing of them. */
        sim_say("fsync fails: %zu bytes, %zu synced before", f->seen.n, f->synced_n);
        settle(f, f->synced_n, never, 0);
        return EIO;
    }
    make_durable(f);
    return 0;
}

int sim_fs_dir_sync(struct sim_inode *dir)
{
    sim_step("syncing a directory");
    forget(dir);
    return 0;
}

int sim_file_remove(const char *path)
{
    struct sim_inode *dir;
    char leaf[SIM_NAME_MAX];
    int e = sim_fs_walk(sim_root, path, &dir, leaf);

    if (e != 0)
        return e;
    struct sim_entry *found = sim_fs_find(dir, leaf);
    if (found == NULL)
        return ENOENT;
    sim_step("removing a name");
    sim_fs_drop_name(dir, found);
    return 0;
}

int sim_dir_sync_of(const char *path)
{
    struct sim_inode *dir;
    char leaf[SIM_NAME_MAX];
    const int e = sim_fs_walk(sim_root, path, &dir, leaf);

    return e != 0 ? e : sim_fs_dir_sync(dir);
}

/* -- what happens to it ---------------------------------------------------------------------------------- */

static bool chance(unsigned mode)
{
    return mode == 1 || (mode == 2 && sim_below(&sim.faults, 2) != 0);
}

static void file_cut(struct sim_inode *f, unsigned mode)
{
    if (!f->changed)
        return;
    const bool grown = mode != 0 && (mode == 1 || sim_below(&sim.faults, 2) == 0);
    settle(f, grown ? f->seen.n : f->synced_n, chance, mode);
}

static void tree_cut(struct sim_inode *f, unsigned mode)
{
    if (!f->dir) {
        file_cut(f, mode);
        return;
    }
    const unsigned states = f->history_count + 1;
    const unsigned at = mode == 0 ? 0 : mode == 1 ? states - 1 : (unsigned)sim_below(&sim.faults, states);
    if (at < f->history_count)
        *f->names = *f->history[at];
    forget(f);
    for (unsigned i = 0; i < f->names->count; i++)
        tree_cut(f->names->v[i].f, mode);
}

void sim_disk_power_cut(void)
{
    const unsigned mode =
        (unsigned)sim_below(&sim.faults, 3); /* nothing unsynced stays, all does, some does */

    sim_say("of what was not synced, %s stays", mode == 0 ? "nothing" : mode == 1 ? "all" : "some");
    tree_cut(sim_root, mode);
}

static void drop_shared(struct sim_inode *f)
{
    f->shared = NULL; /* its memory is the dead program's */
    f->refs = 0;
    f->locked_by = 0;
    for (unsigned i = 0; f->dir && i < f->names->count; i++)
        drop_shared(f->names->v[i].f);
}

void sim_disk_closed(struct sim_proc *p)
{
    for (unsigned i = 0; i < SIM_FDS; i++)
        if (sim_fds[i].f != NULL && sim_fds[i].proc == p)
            sim_fds[i] = (struct sim_fd){ 0 };
    struct sim_inode *dir = NULL;
    if (p->dir != NULL && sim_fs_look_up(sim_root, p->dir, &dir) == 0)
        drop_shared(dir); /* one program at a time has a directory */
}

void sim_disk_new(void)
{
    memset(sim_fds, 0, sizeof sim_fds);
    sim_disk = (struct sim_disk_faults){ 0 };
    sim_root = sim_fs_inode_new(true, 0755);
}

void sim_disk_lost(void)
{
    const struct sim_disk_faults kept = sim_disk;

    sim_disk_new();
    sim_disk = kept;
}

/* A folder and a vault in memory, with what a sync remembers of both, and what users do to them: for
 * prop/sync_both. */
#pragma once
#include "sync/plan.h"

#include "qc_check.h"
#include "qc_seed.h"

enum { PATHS = 8, CONTENTS = 200000, TIMES = 3, FOLDERS = 4 };
static const char *const folder_names[FOLDERS] = { "d", "e", "e/f", "g" };

/* A file or an object, or a row: by its content, which is a number, and the times that it has. */
struct thing {
    bool is;
    uint32_t content;
    int64_t mtime, ctime;
    uint64_t inode, file; /* file: which one it is, whatever its inode */
    uint32_t version;     /* of an object, of a row */
    bool open, quiet;     /* of a row */
    bool link;
    bool private; /* mode 0600; which a file has, too, whose get was killed at its end */
};

/* A folder, on a side or in a row. */
struct folder {
    bool is;
    uint32_t mode;
    int64_t mtime;
    uint64_t inode;
    uint32_t version;
    bool unsure; /* of a row */
};
struct side {
    struct folder v[FOLDERS];
    bool removed[FOLDERS]; /* by its user, since the last whole run */
};

struct world {
    struct qc_rand r;
    bool fat; /* here a ctime is a copy of the mtime, which is coarse, and each mount numbers the inodes anew
               */
    int64_t clock;
    uint32_t contents, versions;
    struct thing here[2 * PATHS], there[2 * PATHS], rows[2 * PATHS],
        durable[2 * PATHS]; /* PATHS: a name aside */
    struct side folders, folders_there;
    struct folder folder_rows[FOLDERS], folder_durable[FOLDERS];
    bool removed_here[2 * PATHS], removed_there[2 * PATHS]; /* by its user, since the last whole run */
    uint32_t common[2 * PATHS];                             /* what both sides had last */
    bool coming[2 * PATHS], coming_durable[2 * PATHS];      /* as in the state */
    bool replaced[2 * PATHS]; /* a name aside, which was another's, in this run */
    bool unmoved;             /* a rename was not done, in this run */
    bool wanted[CONTENTS];    /* written by a user, and not written over or removed by one */
    uint64_t conflicts, removals, crashes, moves;
};

static void name_of(unsigned i, char out[24])
{
    snprintf(out, 24, "%s%u%s", i % PATHS % 3 == 0 ? "d/" : "", i % PATHS, i >= PATHS ? ".local" : "");
}

/* -- folders --------------------------------------------------------------------------------------------- */

/* The folder that has a path, or FOLDERS. */
static unsigned folder_of(unsigned i)
{
    return i % PATHS % 3 == 0 ? 0 : FOLDERS;
}

static unsigned above(unsigned f)
{
    return f == 2 ? 1 : FOLDERS;
}

static struct folder *folders(struct world *w, bool here)
{
    return here ? w->folders.v : w->folders_there.v;
}

/* Something comes or goes in it: it is there, with another time. */
static void touch(struct world *w, unsigned f, bool here)
{
    struct folder *v = folders(w, here);
    if (f == FOLDERS)
        return;
    if (!v[f].is) {
        v[f] = (struct folder){ .is = true, .mode = 0755, .inode = (uint64_t)++w->clock };
        touch(w, above(f), here);
    }
    v[f].mtime = ++w->clock;
    v[f].version = here ? 0 : ++w->versions;
}

static bool is_empty(const struct world *w, unsigned f, bool here)
{
    for (unsigned i = 0; i < 2 * PATHS; i++)
        if (folder_of(i) == f && (here ? w->here[i].is : w->there[i].is))
            return false;
    return f != 1 || !(here ? w->folders.v[2].is : w->folders_there.v[2].is);
}

static void change_folder(struct world *w, bool here)
{
    struct folder *v = folders(w, here);
    const unsigned f = (unsigned)qc_rand_below(&w->r, FOLDERS);
    const uint64_t what = qc_rand_below(&w->r, 3);
    if (!v[f].is) {
        touch(w, f, here);
    } else if (what == 0) {
        v[f].mode = qc_rand_below(&w->r, 2) == 0 ? 0700 : 0750;
        v[f].version = here ? 0 : ++w->versions;
    } else if (what == 1 && is_empty(w, f, here)) {
        v[f] = (struct folder){ 0 };
        (here ? &w->folders : &w->folders_there)->removed[f] = true;
        if (above(f) < FOLDERS)
            touch(w, above(f), here);
    }
}

/* One that holds nothing gets another name; its time stays. */
static void rename_folder(struct world *w, bool here)
{
    struct folder *v = folders(w, here);
    const unsigned from = v[1].is ? 1 : 3, to = 4 - from;
    if (!v[from].is || v[to].is || !is_empty(w, from, here))
        return;
    v[to] = v[from];
    v[from] = (struct folder){ 0 };
    (here ? &w->folders : &w->folders_there)->removed[from] = true;
}

/* -- users ----------------------------------------------------------------------------------------------- */

static void unwanted(struct world *w, const struct thing *t)
{
    if (t->is)
        w->wanted[t->content] = false;
}

/* With a time of its own, or with one that others have as well: of the same tick of a clock, or set. */
static void write_side(struct world *w, unsigned i, bool here)
{
    struct thing *t = here ? &w->here[i] : &w->there[i];
    const int64_t shared = 1 + (int64_t)qc_rand_below(&w->r, TIMES);
    unwanted(w, t);
    w->clock += 1 + (int64_t)qc_rand_below(&w->r, 3);
    *t = (struct thing){ .is = true,
                         .content = ++w->contents,
                         .mtime =
                             qc_rand_below(&w->r, 2) == 0 ? shared : w->clock & (w->fat ? ~INT64_C(7) : -1),
                         .ctime = w->clock,
                         .inode = (uint64_t)w->clock,
                         .file = (uint64_t)w->clock,
                         .link = qc_rand_below(&w->r, 4) == 0,
                         .private = qc_rand_below(&w->r, 4) == 0,
                         .version = here ? 0 : ++w->versions };
    CHECK(w->contents < CONTENTS);
    w->wanted[t->content] = true;
    touch(w, folder_of(i), here);
}

/* In the inode that a file had at the last run, or has, and looks like it. */
static void write_twin(struct world *w, unsigned i)
{
    const struct thing *as = &w->durable[qc_rand_below(&w->r, PATHS)];
    write_side(w, i, true);
    if (!as->is)
        return;
    struct thing *t = &w->here[i];
    t->mtime = as->mtime;
    t->inode = as->inode;
    t->link = as->link;
    t->private = as->private;
    for (unsigned k = 0; k < 2 * PATHS; k++) /* one file to an inode */
        if (k != i && w->here[k].is && w->here[k].inode == t->inode)
            t->inode = (uint64_t)t->ctime;
}

static void rename_side(struct world *w, unsigned i, bool here)
{
    struct thing *side = here ? w->here : w->there;
    const unsigned to = (unsigned)qc_rand_below(&w->r, PATHS);
    if (!side[i].is || to == i)
        return;
    unwanted(w, &side[to]);
    (here ? w->removed_here : w->removed_there)[i] = true;
    side[to] = side[i];
    side[to].ctime = ++w->clock;
    side[i] = (struct thing){ 0 };
    touch(w, folder_of(i), here);
    touch(w, folder_of(to), here);
}

/* Two exchange their names. */
static void swap_side(struct world *w, unsigned i, bool here)
{
    struct thing *side = here ? w->here : w->there;
    const unsigned to = (unsigned)qc_rand_below(&w->r, PATHS);
    const struct thing was = side[to];
    if (!side[i].is || !was.is || to == i)
        return;
    side[to] = side[i];
    side[i] = was;
    side[i].ctime = side[to].ctime = ++w->clock;
    touch(w, folder_of(i), here);
    touch(w, folder_of(to), here);
}

static void remove_side(struct world *w, unsigned i, bool here)
{
    struct thing *t = here ? &w->here[i] : &w->there[i];
    if (!t->is)
        return;
    unwanted(w, t);
    *(here ? &w->removed_here[i] : &w->removed_there[i]) = true;
    *t = (struct thing){ 0 };
    touch(w, folder_of(i), here);
}

/* -- a file system as vfat ------------------------------------------------------------------------------- */

/* Does a file look in all that a sync goes by as the one of a row that is sure of it, and is another? That
 * does not show on such a file system (docs/sync.md): here no mount numbers them so. */
static bool is_hidden(const struct world *w, unsigned i)
{
    const struct thing *t = &w->here[i], *was = &w->durable[i];
    return was->is && was->quiet && !was->open && t->inode == was->inode && t->mtime == was->mtime &&
           t->link == was->link && (t->link || t->private == was->private) && t->file != was->file;
}

static bool is_taken(const struct world *w, unsigned i)
{
    bool taken = false;
    for (unsigned k = 0; k < 2 * PATHS; k++)
        taken = taken || (k != i && w->here[k].is && w->here[k].inode == w->here[i].inode);
    return taken;
}

/* Each file gets the number that one had at the last run; so do two folders. */
static void remount(struct world *w)
{
    struct folder *v = w->folders.v, *other = &v[1 + qc_rand_below(&w->r, FOLDERS - 1)];
    const unsigned by = (unsigned)qc_rand_below(&w->r, PATHS);
    const uint64_t inode = v[0].inode;
    for (unsigned i = 0; i < 2 * PATHS; i++)
        w->here[i].inode = w->durable[(i + by) % (2 * PATHS)].inode;
    v[0].inode = other->inode;
    other->inode = inode;
}

static void number(struct world *w)
{
    if (qc_rand_below(&w->r, 2) == 0)
        remount(w);
    for (unsigned i = 0; i < 2 * PATHS; i++)
        if (w->here[i].is && (w->here[i].inode == 0 || is_hidden(w, i) || is_taken(w, i)))
            w->here[i].inode = (uint64_t)++w->clock;
}

/* -- all they do ----------------------------------------------------------------------------------------- */

static void users(struct world *w)
{
    for (uint64_t n = qc_rand_below(&w->r, 8); n > 0; n--) {
        const unsigned i = (unsigned)qc_rand_below(&w->r, PATHS);
        const bool here = qc_rand_below(&w->r, 2) == 0;
        if (qc_rand_below(&w->r, 5) == 0)
            change_folder(w, here);
        else if (qc_rand_below(&w->r, 8) == 0)
            rename_folder(w, here);
        else if (qc_rand_below(&w->r, 3) == 0)
            rename_side(w, i, here);
        else if (qc_rand_below(&w->r, 8) == 0)
            swap_side(w, i, here);
        else if (here && qc_rand_below(&w->r, 5) == 0)
            write_twin(w, i);
        else if (qc_rand_below(&w->r, 3) == 0)
            remove_side(w, i, here);
        else
            write_side(w, i, here);
    }
    if (w->fat)
        number(w);
}

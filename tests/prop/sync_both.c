/* prop/sync_both: rounds of a folder and a vault in memory, both changed at random, and synced both ways by
 * the plan; runs end at any step, and lose what they had not yet written down. After each run that came to
 * its end both sides are alike; whatever a user wrote and did not write over or remove is there; nothing is
 * removed but what its user removed on the other side; folders, be they empty, their modes and times are
 * alike as well. Users rename, too, over other names and in the other's; and write what looks like another
 * file, in its inode: what is moved is what it is taken for. 200 rounds (1,000 with QC_FULL=1), each of
 * several runs. */
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
    uint64_t inode;
    uint32_t version; /* of an object, of a row */
    bool open, quiet; /* of a row */
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
};
struct side {
    struct folder v[FOLDERS];
    bool removed[FOLDERS]; /* by its user, since the last whole run */
};

struct world {
    struct qc_rand r;
    int64_t clock;
    uint32_t contents, versions;
    struct thing here[2 * PATHS], there[2 * PATHS], rows[2 * PATHS],
        durable[2 * PATHS]; /* PATHS: a name aside */
    struct side folders, folders_there;
    struct folder folder_rows[FOLDERS], folder_durable[FOLDERS];
    bool removed_here[2 * PATHS], removed_there[2 * PATHS]; /* by its user, since the last whole run */
    uint32_t common[2 * PATHS];                             /* what both sides had last */
    bool coming[2 * PATHS], coming_durable[2 * PATHS];      /* as in the state */
    bool unmoved;                                           /* a rename was not done, in this run */
    bool wanted[CONTENTS]; /* written by a user, and not written over or removed by one */
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
                         .mtime = qc_rand_below(&w->r, 2) == 0 ? shared : w->clock,
                         .ctime = w->clock,
                         .inode = (uint64_t)w->clock,
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
}

/* -- the program, as client/sync_steps.c has it ------------------------------------------------------------
 */

static struct sync_entry entry_of(const struct thing *t, bool file)
{
    struct sync_entry e = { .st = { .size = 1,
                                    .inode = file ? t->inode : 0,
                                    .mtime_ns = t->mtime,
                                    .ctime_ns = file ? t->ctime : 0,
                                    .mode = t->link      ? S_IFLNK | 0777
                                            : t->private ? 0600
                                                         : 0644 },
                            .kind = t->link ? SYNC_LINK : SYNC_FILE,
                            .has_mtime = true,
                            .has_mode = true,
                            .open = t->open,
                            .quiet = t->quiet };
    memcpy(e.version, &t->version, sizeof t->version);
    return e;
}

static void list_folders(struct sync_list *l, const struct folder *v)
{
    struct qc_err err = { 0 };
    for (unsigned f = 0; f < FOLDERS; f++) {
        struct sync_entry e = {
            .kind = SYNC_DIR,
            .st = { .inode = v[f].inode, .mtime_ns = v[f].mtime, .mode = S_IFDIR | v[f].mode },
            .has_mtime = true,
            .has_mode = true,
            .quiet = true
        };
        memcpy(e.version, &v[f].version, sizeof v[f].version);
        if (v[f].is)
            CHECK_OK(sync_list_add(l, qc_span_str(folder_names[f]), &e, &err));
    }
    sync_list_sort(l);
}

static void list(struct sync_list *l, const struct thing *things, bool file)
{
    struct qc_err err = { 0 };
    for (unsigned i = 0; i < 2 * PATHS; i++) {
        char name[24];
        const struct sync_entry e = entry_of(&things[i], file);
        name_of(i, name);
        if (things[i].is)
            CHECK_OK(sync_list_add(l, qc_span_str(name), &e, &err));
    }
}

static unsigned index_of(qc_span path)
{
    for (unsigned i = 0; i < 2 * PATHS; i++) {
        char name[24];
        name_of(i, name);
        if (qc_span_eq(path, qc_span_str(name)))
            return i;
    }
    CHECK(false);
    return 0;
}

static qc_rc same(void *ctx, qc_span path, const struct sync_entry *here, const struct sync_entry *there,
                  bool *ret, struct qc_err *err)
{
    const struct world *w = ctx;
    const unsigned i = index_of(path);
    (void)here;
    (void)there;
    (void)err;
    *ret = w->here[i].content == w->there[i].content && w->here[i].link == w->there[i].link;
    return QC_OK;
}

static qc_rc moved(void *ctx, const struct sync_step *from, const struct sync_step *to, bool *ret,
                   struct qc_err *err)
{
    const struct world *w = ctx;
    const struct thing *here = &w->here[index_of(to->path)], *there = &w->there[index_of(from->path)];
    (void)err;
    *ret = here->content == there->content && here->link == there->link;
    return QC_OK;
}

static void commit(struct world *w)
{
    memcpy(w->durable, w->rows, sizeof w->rows);
    memcpy(w->coming_durable, w->coming, sizeof w->coming);
    memcpy(w->folder_durable, w->folder_rows, sizeof w->folder_rows);
}

static void open_row(struct world *w, unsigned i)
{
    w->rows[i] = w->here[i];
    w->rows[i].open = true;
    w->rows[i].quiet = qc_rand_below(&w->r, 2) == 0;
    w->rows[i].version = w->there[i].is ? w->there[i].version : 0;
}

static void put(struct world *w, unsigned i)
{
    w->there[i] = w->here[i];
    w->there[i].version = ++w->versions;
    w->common[i] = w->here[i].content;
}

static void get(struct world *w, unsigned i)
{
    w->here[i] = w->there[i];
    w->here[i].version = 0;
    w->here[i].ctime = ++w->clock;
    w->here[i].inode = (uint64_t)w->clock;
    w->common[i] = w->here[i].content;
}

/* quiet: a change within the same tick shows. */
static void row(struct world *w, unsigned i, bool quiet)
{
    w->rows[i] = w->here[i];
    w->rows[i].quiet = quiet;
    w->rows[i].version = w->there[i].version;
    w->coming[i] = false;
}

/* The user has looked at what was kept aside, and has removed it. */
static void look_aside(struct world *w, unsigned i)
{
    unwanted(w, &w->here[i]);
    unwanted(w, &w->there[i]);
    w->here[i] = w->there[i] = w->rows[i] = w->durable[i] = (struct thing){ 0 };
}

/* Both under names of their own; the name aside is the user's to look at, and to remove. */
static void keep_both(struct world *w, unsigned i)
{
    const unsigned aside = i + PATHS;
    CHECK(i < PATHS);
    look_aside(w, aside); /* which the program would leave, and take another name */
    w->conflicts++;
    w->here[aside] = w->here[i];
    w->here[aside].ctime = ++w->clock;
    w->here[i] = (struct thing){ 0 };
    open_row(w, aside);
    w->rows[i] = (struct thing){ 0 };
    commit(w);
    put(w, aside);
    row(w, aside, true);
    get(w, i);
    row(w, i, true);
}

/* Only what its user removed on the other side, and what is as both had it. */
static void removed(struct world *w, unsigned i, bool here, bool cut)
{
    struct thing *t = here ? &w->here[i] : &w->there[i];
    CHECK(t->is && t->content == w->common[i]);
    CHECK(here ? w->removed_there[i] : w->removed_here[i]);
    /* If that is not written down, and its user puts the same object back by a rename, it was removed here.
     */
    (here ? w->removed_here : w->removed_there)[i] = true;
    w->removals++;
    *t = (struct thing){ 0 };
    if (cut)
        return;
    w->rows[i] = (struct thing){ 0 };
    w->coming[i] = false;
}

static unsigned folder_index(qc_span path)
{
    unsigned f = 0;
    while (f < FOLDERS && !qc_span_eq(path, qc_span_str(folder_names[f])))
        f++;
    CHECK(f < FOLDERS);
    return f;
}

static void folder_step(struct world *w, const struct sync_step *s, bool cut)
{
    struct folder *here = w->folders.v, *there = w->folders_there.v;
    const unsigned f = folder_index(s->path);
    if (s->what == SYNC_MOVE_THERE || s->what == SYNC_GONE)
        return;
    CHECK(s->what != SYNC_CONFLICT && s->what != SYNC_KEEP_BOTH);
    CHECK(s->what != SYNC_STAY || w->unmoved);
    if (s->what == SYNC_STAY)
        return;
    if (s->what == SYNC_PUT) {
        there[f] = here[f];
        there[f].version = ++w->versions;
    } else if (s->what == SYNC_GET) {
        const struct folder was = here[f];
        here[f] = there[f];
        if (cut) /* mode and time come last */
            here[f] = was.is ? was : (struct folder){ .is = true, .mode = 0755, .mtime = ++w->clock };
        here[f].inode = was.is ? was.inode : (uint64_t)++w->clock;
        here[f].version = 0;
    } else if (s->what == SYNC_REMOVE_HERE) {
        CHECK(is_empty(w, f, true));
        CHECK(w->folders_there.removed[f]);
        w->folders.removed[f] = true;
        here[f] = (struct folder){ 0 };
    } else if (s->what == SYNC_REMOVE_THERE) {
        CHECK(is_empty(w, f, false));
        CHECK(w->folders.removed[f]);
        w->folders_there.removed[f] = true;
        there[f] = (struct folder){ 0 };
    }
    if (cut)
        return;
    w->folder_rows[f] = here[f];
    w->folder_rows[f].version = there[f].version;
}

/* cut: it ends before it has written down what it did. */
static void step(struct world *w, const struct sync_step *s, bool cut)
{
    if (sync_step_is_dir(s)) {
        folder_step(w, s, cut);
        return;
    }
    const unsigned i = index_of(s->path);
    switch (s->what) {
    case SYNC_PUT:
        CHECK(w->here[i].is && (s->there != NULL) == w->there[i].is);
        put(w, i);
        if (!cut)
            row(w, i, qc_rand_below(&w->r, 4) > 0);
        break;
    case SYNC_GET:
        CHECK(w->there[i].is && (s->here != NULL) == w->here[i].is);
        get(w, i);
        w->here[i].private = w->here[i].private || (cut && !w->here[i].link && qc_rand_below(&w->r, 2) == 0);
        if (!cut)
            row(w, i, true);
        break;
    case SYNC_REMOVE_HERE:
    case SYNC_REMOVE_THERE:
        removed(w, i, s->what == SYNC_REMOVE_HERE, cut);
        break;
    case SYNC_KEEP_BOTH:
        keep_both(w, i);
        break;
    case SYNC_ADOPT:
        CHECK(w->here[i].content == w->there[i].content);
        row(w, i, true);
        w->common[i] = w->here[i].content;
        break;
    case SYNC_FORGET:
        w->rows[i] = (struct thing){ 0 };
        break;
    case SYNC_SAME:
    case SYNC_MOVE_THERE:
    case SYNC_MOVE_HERE:
    case SYNC_GONE:
        break;
    case SYNC_STAY: /* of a move that was not done: the next run has to find it */
        CHECK(w->unmoved);
        break;
    case SYNC_CONFLICT:
    case SYNC_KEEP:
    case SYNC_BARRED:
    case SYNC_DOS:
        CHECK(false);
    }
}

/* -- renames --------------------------------------------------------------------------------------------- */

/* A folder of the vault, which nothing is left in. */
static void move_folder(struct world *w, unsigned from, unsigned to, bool cut)
{
    struct folder *there = w->folders_there.v;
    CHECK(there[from].is && !there[to].is && w->folders.removed[from]);
    w->folders_there.removed[from] = true;
    there[to] = there[from];
    there[from] = (struct folder){ 0 };
    if (cut)
        return;
    w->folder_rows[to] = w->folders.v[to];
    w->folder_rows[to].version = there[to].version;
    w->folder_rows[from] = (struct folder){ 0 };
}

/* What it takes the place of is what both had last, or what the other side counts for more than. */
static void move_file(struct world *w, unsigned from, unsigned to, bool here, bool cut)
{
    struct thing *side = here ? w->here : w->there;
    CHECK(side[from].is && (here ? w->there : w->here)[to].is);
    CHECK(side[from].content == (here ? w->there : w->here)[to].content);
    CHECK(side[from].content == w->common[from]);
    side[to] = side[from];
    side[from] = (struct thing){ 0 };
    if (here)
        side[to].ctime = ++w->clock;
    (here ? w->removed_here : w->removed_there)[from] = true;
    w->common[to] = side[to].content;
    w->moves++;
    if (cut)
        return;
    row(w, to, true);
    w->rows[from] = (struct thing){ 0 };
    w->coming[from] = false;
}

static bool is_of(const struct sync_plan *p, size_t i, const struct sync_move *first)
{
    return i < sync_plan_moves(p) && sync_plan_move(p, i)->turn == first->turn &&
           sync_plan_move(p, i)->here == first->here;
}

/* Those of one turn, from i on. False: it was cut short. */
static bool move_turn(struct world *w, struct sync_plan *p, size_t i, bool crash)
{
    const struct sync_move first = *sync_plan_move(p, i);
    for (size_t k = i; is_of(p, k, &first); k++) {
        const struct sync_step *to = sync_plan_at(p, sync_plan_move(p, k)->to);
        if (first.here)
            w->coming[index_of(to->path)] =
                w->coming[index_of(sync_plan_at(p, sync_plan_move(p, k)->from)->path)] = true;
        else if (!sync_step_is_dir(to))
            open_row(w, index_of(to->path));
    }
    commit(w);
    for (; is_of(p, i, &first); i++) {
        const struct sync_move *m = sync_plan_move(p, i);
        const qc_span from = sync_plan_at(p, m->from)->path, to = sync_plan_at(p, m->to)->path;
        const bool cut = crash && qc_rand_below(&w->r, 6) == 0;
        if (cut && qc_rand_below(&w->r, 2) == 0)
            return false;
        if (crash && qc_rand_below(&w->r, 8) == 0) {
            sync_plan_moved(p, i, SYNC_UNMOVED);
            w->unmoved = true;
            continue;
        }
        if (sync_step_is_dir(sync_plan_at(p, m->to)))
            move_folder(w, folder_index(from), folder_index(to), cut);
        else
            move_file(w, index_of(from), index_of(to), m->here, cut);
        if (cut)
            return false;
        sync_plan_moved(p, i, SYNC_MOVED);
    }
    return true;
}

static bool move_all(struct world *w, struct sync_plan *p, bool crash)
{
    w->unmoved = false;
    for (size_t i = 0; i < sync_plan_moves(p); i++) {
        const struct sync_move *last = i > 0 ? sync_plan_move(p, i - 1) : NULL;
        if (last != NULL && is_of(p, i, last))
            continue;
        if (!move_turn(w, p, i, crash))
            return false;
        if (qc_rand_below(&w->r, 3) == 0)
            commit(w);
    }
    return true;
}

/* In the order of the program: folders go last, the deepest first. */
static const struct sync_step *nth(const struct sync_plan *p, size_t i)
{
    const size_t n = sync_plan_count(p);
    const struct sync_step *s = sync_plan_at(p, i < n ? i : 2 * n - 1 - i);
    const bool goes = sync_step_is_dir(s) && (s->what == SYNC_REMOVE_HERE || s->what == SYNC_REMOVE_THERE);
    return goes == (i >= n) ? s : NULL;
}

static void list_coming(const struct world *w, struct sync_list *l)
{
    struct qc_err err = { 0 };
    const struct sync_entry e = { .kind = SYNC_REST };
    for (unsigned i = 0; i < 2 * PATHS; i++) {
        char name[24];
        name_of(i, name);
        if (w->coming[i])
            CHECK_OK(sync_list_add(l, qc_span_str(name), &e, &err));
    }
    sync_list_sort(l);
}

/* What moves nothing is written down at once, as is what shall be done. */
static void prepare(struct world *w, const struct sync_step *s)
{
    if (sync_step_is_dir(s))
        return;
    const unsigned i = index_of(s->path);
    w->coming[i] = s->what == SYNC_GET || s->what == SYNC_KEEP_BOTH || s->what == SYNC_REMOVE_HERE;
    if (s->what == SYNC_PUT)
        open_row(w, i);
    else if (s->what == SYNC_ADOPT || s->what == SYNC_FORGET)
        step(w, s, false);
}

/* One run. crash: it ends at a step by chance, and what was not committed is lost. False: it did. */
static bool run(struct world *w, bool crash)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_list_done) struct sync_list here = { 0 }, there = { 0 }, base = { 0 };
    QC_CLEANUP(sync_plan_done) struct sync_plan p = { 0 };
    QC_CLEANUP(sync_list_done) struct sync_list coming = { 0 };
    const struct sync_rules rules = { .way = SYNC_BOTH,
                                      .remove = true,
                                      .same = same,
                                      .coming = &coming,
                                      .renames = true,
                                      .moved = moved,
                                      .ctx = w };
    memcpy(w->rows, w->durable, sizeof w->rows);
    memcpy(w->coming, w->coming_durable, sizeof w->coming);
    memcpy(w->folder_rows, w->folder_durable, sizeof w->folder_rows);
    list(&here, w->here, true);
    list(&there, w->there, false);
    list(&base, w->rows, true);
    list_coming(w, &coming);
    list_folders(&here, w->folders.v);
    list_folders(&there, w->folders_there.v);
    list_folders(&base, w->folder_rows);
    CHECK_OK(sync_plan_make(&p, &rules, &here, &there, &base, &err));
    if (!move_all(w, &p, crash))
        return false;
    memset(w->coming, 0, sizeof w->coming);
    for (size_t i = 0; i < sync_plan_count(&p); i++)
        prepare(w, sync_plan_at(&p, i));
    commit(w);
    for (size_t i = 0; i < 2 * sync_plan_count(&p); i++) {
        const struct sync_step *s = nth(&p, i);
        if (s == NULL || (!sync_step_is_dir(s) && (s->what == SYNC_ADOPT || s->what == SYNC_FORGET)))
            continue;
        const bool cut = crash && qc_rand_below(&w->r, 6) == 0;
        if (cut && qc_rand_below(&w->r, 2) == 0)
            return false;
        step(w, s, cut);
        if (cut)
            return false;
        if (qc_rand_below(&w->r, 3) == 0)
            commit(w);
    }
    commit(w);
    return true;
}

static void check_alike(struct world *w)
{
    static bool there[CONTENTS];
    memset(there, 0, sizeof there);
    for (unsigned i = 0; i < 2 * PATHS; i++) {
        CHECK(w->here[i].is == w->there[i].is);
        CHECK(!w->here[i].is || w->here[i].content == w->there[i].content);
        CHECK(w->here[i].link == w->there[i].link);
        CHECK(w->here[i].link || w->here[i].private == w->there[i].private);
        if (w->here[i].is)
            there[w->here[i].content] = true;
    }
    for (unsigned f = 0; f < FOLDERS; f++) {
        const struct folder *x = &w->folders.v[f], *y = &w->folders_there.v[f];
        CHECK(x->is == y->is && x->mode == y->mode && x->mtime == y->mtime);
    }
    for (uint32_t c = 1; c <= w->contents; c++)
        if (w->wanted[c] && !there[c]) {
            fprintf(stderr, "content %u is lost\n", c);
            exit(1);
        }
}

int main(void)
{
    static struct world w;
    const uint64_t rounds = qc_rand_cases(200, 1000);
    for (uint64_t n = 0; n < rounds; n++) {
        const struct qc_rand r = n == 0 ? qc_rand_start() : w.r;
        const uint64_t conflicts = w.conflicts, removals = w.removals, crashes = w.crashes, moves = w.moves;
        memset(&w, 0, sizeof w);
        w.r = r;
        w.conflicts = conflicts;
        w.removals = removals;
        w.crashes = crashes;
        w.moves = moves;
        for (unsigned days = 0; days < 20; days++) {
            users(&w);
            for (unsigned tries = 0; tries < 3; tries++) {
                w.crashes += run(&w, true) ? 0 : 1;
                users(&w);
            }
            CHECK(run(&w, false));
            check_alike(&w);
            for (unsigned i = PATHS; i < 2 * PATHS; i++)
                look_aside(&w, i);
            memset(w.removed_here, 0, sizeof w.removed_here);
            memset(w.removed_there, 0, sizeof w.removed_there);
            memset(w.folders.removed, 0, sizeof w.folders.removed);
            memset(w.folders_there.removed, 0, sizeof w.folders_there.removed);
        }
    }
    printf("%" PRIu64 " rounds: %" PRIu64 " conflicts, %" PRIu64 " removals, %" PRIu64 " renames, %" PRIu64
           " runs cut short\n",
           rounds, w.conflicts, w.removals, w.moves, w.crashes);
    CHECK(w.conflicts > rounds && w.removals > rounds && w.crashes > rounds && w.moves > rounds);
    return 0;
}

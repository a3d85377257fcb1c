/* prop/sync_both: rounds of a folder and a vault in memory, both changed at random, and synced both ways by
 * the plan; runs end at any step, and lose what they had not yet written down. After each run that came to
 * its end both sides are alike; whatever a user wrote and did not write over or remove is there; nothing is
 * removed but what its user removed on the other side; folders, be they empty, their modes and times are
 * alike as well. Users rename, too, over other names and in the other's; and write what looks like another
 * file, in its inode: what is moved is what it is taken for. Every second round is of a file system as vfat:
 * a ctime is a copy of the mtime, which is coarse, and a mount numbers the inodes anew. 200 rounds (2,000
 * with QC_FULL=1), each of several runs. */
#include "sync/plan.h"

#include "sync_world.h"

/* -- the program, as client/sync_steps.c has it ------------------------------------------------------------
 */

static struct sync_entry entry_of(const struct world *w, const struct thing *t, bool file)
{
    struct sync_entry e = { .st = { .size = 1,
                                    .inode = file ? t->inode : 0,
                                    .mtime_ns = t->mtime,
                                    .ctime_ns = !file    ? 0
                                                : w->fat ? t->mtime
                                                         : t->ctime,
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
            .quiet = !v[f].unsure
        };
        memcpy(e.version, &v[f].version, sizeof v[f].version);
        if (v[f].is)
            CHECK_OK(sync_list_add(l, qc_span_str(folder_names[f]), &e, &err));
    }
    sync_list_sort(l);
}

static void list(const struct world *w, struct sync_list *l, const struct thing *things, bool file)
{
    struct qc_err err = { 0 };
    for (unsigned i = 0; i < 2 * PATHS; i++) {
        char name[24];
        const struct sync_entry e = entry_of(w, &things[i], file);
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

static unsigned folder_index(qc_span path)
{
    unsigned f = 0;
    while (f < FOLDERS && !qc_span_eq(path, qc_span_str(folder_names[f])))
        f++;
    CHECK(f < FOLDERS);
    return f;
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

/* Something is about to be done under its name. */
static void unsure_row(struct world *w, const struct sync_step *s)
{
    if (sync_step_unsure(s) && sync_step_is_dir(s))
        w->folder_rows[folder_index(s->path)].unsure = true;
    else if (sync_step_unsure(s))
        w->rows[index_of(s->path)].quiet = false;
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
    w->here[i].inode = w->here[i].file = (uint64_t)w->clock;
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
    w->replaced[aside] = true;
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
    if (w->replaced[i])
        return;
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
    /* As vfat has it, what is moved back looks as it was: by the row it is what both had. */
    CHECK(side[from].content == w->common[from] || (w->fat && side[from].content == w->rows[from].content));
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
        const struct sync_step *from = sync_plan_at(p, sync_plan_move(p, k)->from);
        const struct sync_step *to = sync_plan_at(p, sync_plan_move(p, k)->to);
        unsure_row(w, first.here ? to : from);
        if (first.here)
            w->coming[index_of(to->path)] = w->coming[index_of(from->path)] = true;
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
    if (s->what == SYNC_GET || s->what == SYNC_KEEP_BOTH || s->what == SYNC_REMOVE_THERE)
        unsure_row(w, s);
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
    memset(w->replaced, 0, sizeof w->replaced);
    list(w, &here, w->here, true);
    list(w, &there, w->there, false);
    list(w, &base, w->rows, true);
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
    const uint64_t rounds = qc_rand_cases(200, 2000);
    for (uint64_t n = 0; n < rounds; n++) {
        const struct qc_rand r = n == 0 ? qc_rand_start() : w.r;
        const uint64_t conflicts = w.conflicts, removals = w.removals, crashes = w.crashes, moves = w.moves;
        memset(&w, 0, sizeof w);
        w.r = r;
        w.fat = n % 2 == 1;
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

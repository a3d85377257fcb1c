/* unit/sync_rename: which of the names that came and went are of one file, in which order they are moved, and
 * what is left to do where that fails. */
#include "sync/plan.h"

#include "qc_check.h"

enum { ROWS = 6 };

/* A row: path, here, there, base. A letter is a file, by inode, size and time, and its object, by version. A
 * capital: here, with another ctime (renamed by itself); in the base, one that is not sure of it. A digit is
 * a folder. '-': nothing. A fourth
 * letter: all are of one size and time, a ctime is the mtime, and that one's inode the file here has by now.
 */
struct scene {
    const char *what;
    enum sync_way way;
    bool remove, other; /* the bytes say that it is another file */
    const char *rows[ROWS];
    const char *want; /* of each row: s(ame), p(ut), g(et), t: moved there, h: moved here, x: gone, R: removed
                         there, r: removed here, k(ept), f(orgotten), a(dopted), c(onflict) */
    const char *moves; /* in their order, by rows: "0>1" */
    unsigned asked;
};

static const struct scene scenes[] = {
    { "a file", SYNC_UP, true, false, { "a -aa", "b A--" }, "xt", "0>1 ", 1 },
    { "nothing is deleted else", SYNC_UP, false, false, { "a -aa", "b A--" }, "xt", "0>1 ", 1 },
    { "its folder was renamed", SYNC_UP, true, false, { "d/a -aa", "e/a a--" }, "xt", "0>1 ", 1 },
    { "another file in its ctime", SYNC_UP, true, true, { "a -aa", "b a--" }, "Rp", "", 1 },
    { "a mount with other inodes, one is gone",
      SYNC_UP,
      true,
      true,
      { "a -aa-", "b bbba", "c cccb", "d dddc" },
      "Rppp",
      "",
      3 },
    { "a mount with inodes exchanged",
      SYNC_BOTH,
      true,
      true,
      { "a aaab", "b bbba", "c cccd", "d dddc" },
      "pppp",
      "",
      4 },
    { "another in its inode", SYNC_UP, true, true, { "a -aa", "b A--" }, "Rp", "", 1 },
    { "edited", SYNC_UP, true, false, { "a -aa", "b b--" }, "Rp", "", 0 },
    { "not sure of it, and its bytes say so", SYNC_UP, true, false, { "a -aA", "b A--" }, "xt", "0>1 ", 1 },
    { "not sure of it, and it was changed", SYNC_UP, true, true, { "a -aA", "b A--" }, "Rp", "", 1 },
    { "not sure of it, and exchanged", SYNC_UP, true, false, { "a BaA", "b AbB" }, "pp", "", 0 },
    { "changed in the vault", SYNC_UP, true, false, { "a -ba", "b A--" }, "cp", "", 0 },
    { "gone from the vault", SYNC_UP, true, false, { "a --a", "b A--" }, "fp", "", 0 },
    { "over another one", SYNC_UP, true, false, { "a -aa", "b Abb" }, "xt", "0>1 ", 1 },
    { "over what nobody has seen", SYNC_UP, true, false, { "a -aa", "b Ac-" }, "xt", "0>1 ", 1 },
    { "what the vault has changed", SYNC_UP, true, false, { "a -aa", "b Acb" }, "Rc", "", 0 },
    { "an editor's old file", SYNC_UP, true, false, { "a naa", "a~ A--" }, "pp", "", 0 },
    { "passed on", SYNC_UP, true, false, { "a -aa", "b Abb", "c B--" }, "xtt", "1>2 0>1 ", 2 },
    { "passed on, and new", SYNC_UP, true, false, { "a naa", "b Abb", "c B--" }, "ppt", "1>2 ", 1 },
    { "exchanged", SYNC_UP, true, false, { "a Baa", "b Abb" }, "tp", "1>0 ", 2 },
    { "a ring of three", SYNC_UP, true, false, { "a Caa", "b Abb", "c Bcc" }, "tpt", "2>0 1>2 ", 3 },
    { "two links to one", SYNC_UP, true, false, { "a -aa", "b A--", "c A--" }, "xtp", "0>1 ", 1 },
    { "a folder", SYNC_UP, false, false, { "d -11", "d/a -aa", "e 1--", "e/a a--" }, "xxtt", "0>2 1>3 ", 1 },
    { "a folder that has more",
      SYNC_UP,
      false,
      false,
      { "d -11", "d/a -aa", "d/b -bb", "e 1--", "e/a a--" },
      "kxkpt",
      "1>4 ",
      1 },
    { "an object", SYNC_DOWN, true, false, { "a a-a", "b -a-" }, "xh", "0>1 ", 0 },
    { "an object, nothing is deleted", SYNC_DOWN, false, false, { "a a-a", "b -a-" }, "xh", "0>1 ", 0 },
    { "its file was changed", SYNC_DOWN, true, false, { "a A-a", "b -a-" }, "cg", "", 0 },
    { "not sure of its file", SYNC_DOWN, true, false, { "a a-A", "b -a-" }, "cg", "", 0 },
    { "another object", SYNC_DOWN, true, false, { "a a-a", "b -b-" }, "rg", "", 0 },
    { "over a file", SYNC_DOWN, true, false, { "a a-a", "b bab" }, "xh", "0>1 ", 0 },
    { "over a changed file", SYNC_DOWN, true, false, { "a a-a", "b nab" }, "rc", "", 0 },
    { "and a new one", SYNC_DOWN, true, false, { "a aba", "b -a-" }, "gh", "0>1 ", 0 },
    { "objects exchanged", SYNC_DOWN, true, false, { "a aba", "b bab" }, "hg", "1>0 ", 0 },
    { "below what is no folder", SYNC_DOWN, true, false, { "a a-a", "b b1b", "b/x -a-" }, "rgg", "", 0 },
    { "a folder of the vault",
      SYNC_DOWN,
      false,
      false,
      { "d 1-1", "d/a a-a", "e -1-", "e/a -a-" },
      "rxgh",
      "1>3 ",
      0 },
    { "both, here", SYNC_BOTH, true, false, { "a -aa", "b A--" }, "xt", "0>1 ", 1 },
    { "both, there", SYNC_BOTH, true, false, { "a a-a", "b -a-" }, "xh", "0>1 ", 0 },
    { "both, to two names", SYNC_BOTH, true, false, { "a --a", "b A--", "c -a-" }, "fpg", "", 0 },
    { "both, and changed there", SYNC_BOTH, true, false, { "a -ba", "b A--" }, "gp", "", 0 },
    { "both, crosswise",
      SYNC_BOTH,
      true,
      false,
      { "a -aa", "b A--", "c c-c", "d -c-" },
      "xtxh",
      "0>1 2>3 ",
      1 },
};

static struct sync_entry entry(char c)
{
    struct sync_entry e = { .quiet = true, .has_mtime = true, .has_mode = true };
    const bool dir = c >= '0' && c <= '9', odd = c >= 'A' && c <= 'Z';
    const char is = odd ? (char)(c - 'A' + 'a') : c;
    e.kind = dir ? SYNC_DIR : SYNC_FILE;
    e.st = (struct sync_stat){ .size = dir ? 0 : (uint64_t)is,
                               .inode = (uint64_t)is,
                               .mtime_ns = is * 1000,
                               .ctime_ns = is * 1000 + (odd ? 7 : 1),
                               .mode = dir ? S_IFDIR | 0755 : 0644 };
    memset(e.version, is, sizeof e.version);
    return e;
}

static void add(struct sync_list *l, qc_span path, char c, bool base, char inode)
{
    struct qc_err err = { 0 };
    struct sync_entry e = entry(c);
    if (inode != '\0')
        e.st = (struct sync_stat){ .size = 16, .inode = (uint64_t)inode, .mode = 0644 };
    if (base && c >= 'A' && c <= 'Z') {
        e.st.ctime_ns -= 6;
        e.quiet = false;
    }
    if (c != '-')
        CHECK_OK(sync_list_add(l, path, &e, &err));
}

struct asked {
    unsigned count;
    bool other;
};

static qc_rc moved(void *ctx, const struct sync_step *from, const struct sync_step *to, bool *ret,
                   struct qc_err *err)
{
    struct asked *a = ctx;
    (void)err;
    CHECK(from->base != NULL && from->there != NULL && to->here != NULL);
    a->count++;
    *ret = !a->other;
    return QC_OK;
}

struct world {
    struct sync_list here, there, base;
    struct sync_plan p;
    struct asked asked;
};

static void world_done(struct world *w)
{
    sync_list_done(&w->here);
    sync_list_done(&w->there);
    sync_list_done(&w->base);
    sync_plan_done(&w->p);
}

static void make(struct world *w, const struct scene *s, bool renames)
{
    struct qc_err err = { 0 };
    w->asked.other = s->other;
    const struct sync_rules rules = {
        .way = s->way, .remove = s->remove, .renames = renames, .moved = moved, .ctx = &w->asked
    };
    for (size_t i = 0; i < ROWS && s->rows[i] != NULL; i++) {
        const char *space = strchr(s->rows[i], ' ');
        const qc_span path = qc_span_of(s->rows[i], (size_t)(space - s->rows[i]));
        const bool mount = space[4] != '\0';
        add(&w->here, path, space[1], false, space[4]);
        add(&w->there, path, space[2], false, mount ? '0' : '\0');
        add(&w->base, path, space[3], true, mount ? space[3] : '\0');
    }
    CHECK_OK(sync_plan_make(&w->p, &rules, &w->here, &w->there, &w->base, &err));
}

static void letters(const struct sync_plan *p, char *ret)
{
    static const char of[SYNC_DOS] = {
        [SYNC_SAME] = 's',   [SYNC_ADOPT] = 'a',        [SYNC_PUT] = 'p',         [SYNC_GET] = 'g',
        [SYNC_STAY] = 'k',   [SYNC_MOVE_THERE] = 't',   [SYNC_MOVE_HERE] = 'h',   [SYNC_GONE] = 'x',
        [SYNC_FORGET] = 'f', [SYNC_REMOVE_THERE] = 'R', [SYNC_REMOVE_HERE] = 'r', [SYNC_CONFLICT] = 'c',
        [SYNC_KEEP] = '='
    };
    for (size_t i = 0; i < sync_plan_count(p); i++)
        *ret++ = of[sync_plan_at(p, i)->what];
    *ret = '\0';
}

/* The sums are those of the steps, whatever they became. */
static void check_sums(const struct sync_plan *p)
{
    size_t count[SYNC_DOS] = { 0 };
    uint64_t bytes = 0;
    for (size_t i = 0; i < sync_plan_count(p); i++) {
        const struct sync_step *s = sync_plan_at(p, i);
        count[s->what] += sync_step_is_dir(s) ? 0 : 1;
        bytes += s->what == SYNC_PUT ? s->here->st.size : s->what == SYNC_GET ? s->there->st.size : 0;
    }
    CHECK(memcmp(count, p->count, sizeof count) == 0 && bytes == p->bytes);
}

static void each(const struct scene *s)
{
    QC_CLEANUP(world_done) struct world w = { 0 };
    char did[ROWS + 1], moves[64] = "";
    make(&w, s, true);
    letters(&w.p, did);
    for (size_t i = 0; i < sync_plan_moves(&w.p); i++) {
        const struct sync_move *m = sync_plan_move(&w.p, i);
        snprintf(moves + strlen(moves), sizeof moves - strlen(moves), "%zu>%zu ", m->from, m->to);
        CHECK(i == 0 || sync_plan_move(&w.p, i - 1)->turn <= m->turn);
    }
    if (strcmp(did, s->want) != 0 || strcmp(moves, s->moves) != 0 || w.asked.count != s->asked) {
        fprintf(stderr, "%s: %s %s, asked %u times; expected %s %s, %u\n", s->what, did, moves, w.asked.count,
                s->want, s->moves, s->asked);
        exit(1);
    }
    check_sums(&w.p);
}

/* Without renames nothing is moved; with them nothing that is moved counts as deleted. */
static void not_deleted(const struct scene *s)
{
    QC_CLEANUP(world_done) struct world with = { 0 }, without = { 0 };
    struct qc_err err = { 0 };
    make(&with, s, true);
    make(&without, s, false);
    CHECK(sync_plan_moves(&without.p) == 0 && without.p.count[SYNC_GONE] == 0 && without.asked.count == 0);
    if (strchr(s->want, 'R') == NULL && strchr(s->want, 'r') == NULL)
        CHECK_OK(sync_plan_check(&with.p, 0, &err));
}

/* What fails comes over as another file would, and the old name stays. */
static void fails(const struct scene *s)
{
    QC_CLEANUP(world_done) struct world w = { 0 };
    char did[ROWS + 1];
    make(&w, s, true);
    for (size_t i = 0; i < sync_plan_moves(&w.p); i++)
        sync_plan_moved(&w.p, i, SYNC_UNMOVED);
    letters(&w.p, did);
    CHECK(strpbrk(did, "thx") == NULL);
    for (size_t i = 0; i < sync_plan_moves(&w.p); i++) {
        const struct sync_move *m = sync_plan_move(&w.p, i);
        CHECK(did[m->to] == (m->here ? 'g' : 'p') && did[m->from] != 'r' && did[m->from] != 'R');
    }
    check_sums(&w.p);
}

/* Done, or perhaps done: what has the old name by now replaces nothing; nothing is done with either. */
static void ends(void)
{
    const struct scene chain = { "", SYNC_UP, true, false, { "a -aa", "b Abb", "c B--" }, NULL, NULL, 0 };
    QC_CLEANUP(world_done) struct world w = { 0 };
    char did[ROWS + 1];
    make(&w, &chain, true);
    CHECK(sync_plan_at(&w.p, 1)->there != NULL);
    sync_plan_moved(&w.p, 0, SYNC_MOVED);
    CHECK(sync_plan_at(&w.p, 1)->there == NULL && sync_plan_at(&w.p, 1)->base == NULL);
    sync_plan_moved(&w.p, 1, SYNC_MOVE_OPEN);
    letters(&w.p, did);
    CHECK(strcmp(did, "==t") == 0);
}

/* A run was killed that had taken a new name over, and the vault has the old one again: nobody has removed
 * what is not here under it. Without a word of it in the state, and with. */
static void doubts(void)
{
    const struct scene twins = { "", SYNC_BOTH, true, false, { "a -aa", "b b-a" }, NULL, NULL, 0 };
    const struct scene word = { "", SYNC_BOTH, true, false, { "a -aa" }, NULL, NULL, 0 };
    struct qc_err err = { 0 };
    char did[ROWS + 1];
    QC_CLEANUP(world_done) struct world w = { 0 }, x = { 0 };
    QC_CLEANUP(sync_list_done) struct sync_list unsure = { 0 };
    make(&w, &twins, true);
    letters(&w.p, did);
    CHECK(strcmp(did, "gp") == 0);
    make(&x, &word, true);
    letters(&x.p, did);
    CHECK(strcmp(did, "R") == 0);
    sync_plan_done(&x.p);
    CHECK_OK(sync_list_add(&unsure, QC_LIT("a"), &(struct sync_entry){ .kind = SYNC_REST }, &err));
    const struct sync_rules rules = { .way = SYNC_BOTH, .remove = true, .unsure = &unsure };
    CHECK_OK(sync_plan_make(&x.p, &rules, &x.here, &x.there, &x.base, &err));
    letters(&x.p, did);
    CHECK(strcmp(did, "g") == 0);
}

int main(void)
{
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        each(&scenes[i]);
        not_deleted(&scenes[i]);
        fails(&scenes[i]);
    }
    ends();
    doubts();
    return 0;
}

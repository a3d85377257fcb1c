/* unit/sync_plan: what is decided for each combination of here, there and the last run, in both directions
 * and both ways; and what is refused. */
#include "sync/plan.h"

#include <sys/stat.h>

#include "qc_check.h"

enum { OLD = 1, NEW = 2, OTHER = 3 }; /* contents, by time; and versions */

/* A side is described by letters. here: o n x (as at the last run, new, another new one), l (a link, which
 * but for that is like o), s (may not be read); c: as o, but touched (another ctime alone), i: as o, in
 * another inode; m: o, with the
 * mode 0600, h: a new file like n with that mode. there: o n x, t: without time and mode, v: another version
 * that looks like o, l: a link, L: another version that is one. base: o, O: open with the version o, N: open
 * with none, q: o, but changed within a tick, l: a link. '-': nothing. */
static struct sync_entry file(int content)
{
    struct sync_entry e = { .st = { .size = 10,
                                    .inode = 7,
                                    .mtime_ns = content * 1000,
                                    .ctime_ns = content * 1000 + 1,
                                    .mode = 0644 },
                            .has_mtime = true,
                            .has_mode = true,
                            .quiet = true };
    return e;
}

static int content_of(char c)
{
    return c == 'n' || c == 'h' ? NEW : c == 'x' ? OTHER : OLD;
}

static struct sync_entry here_of(char c)
{
    struct sync_entry e = file(content_of(c));
    e.kind = c == 'l' ? SYNC_LINK : c == 's' ? SYNC_SHUT : SYNC_FILE;
    e.st.ctime_ns += c == 'c' ? 1 : 0;
    e.st.mode = c == 'l' ? S_IFLNK | 0777 : c == 'h' || c == 'm' ? 0600 : e.st.mode;
    e.st.inode += c == 'h' || c == 'i' ? 1 : 0;
    return e;
}

static struct sync_entry there_of(char c)
{
    struct sync_entry e = file(content_of(c));
    e.st.inode = 0;
    e.st.ctime_ns = 0;
    e.has_mtime = e.has_mode = c != 't';
    e.st.mode = c == 'l' || c == 'L' ? S_IFLNK | 0777 : e.st.mode;
    memset(e.version, c == 'v' || c == 'L' ? OTHER : content_of(c), sizeof e.version);
    return e;
}

/* Open rows are of a put of the new content. */
static struct sync_entry base_of(char c)
{
    struct sync_entry e = file(c == 'O' || c == 'N' ? NEW : OLD);
    e.open = c == 'O' || c == 'N';
    e.quiet = c != 'q';
    e.st.mode = c == 'l' ? S_IFLNK | 0777 : e.st.mode;
    if (c != 'N')
        memset(e.version, OLD, sizeof e.version);
    return e;
}

static void add(struct sync_list *l, const char *path, char c, struct sync_entry (*of)(char))
{
    struct qc_err err = { 0 };
    struct sync_entry e = of(c);
    e.version[15] = (uint8_t)(e.version[15] ^ path[0]); /* each object has versions of its own */
    if (c == 'N')
        memset(e.version, 0, sizeof e.version);
    if (c != '-')
        CHECK_OK(sync_list_add(l, qc_span_str(path), &e, &err));
}

static const struct {
    char is[4]; /* here, there, base */
    bool remove;
    enum sync_do up, down, both;
} cases[] = {
    { "o-o", false, SYNC_PUT, SYNC_STAY, SYNC_STAY },
    { "o--", false, SYNC_PUT, SYNC_STAY, SYNC_PUT },
    { "o--", true, SYNC_PUT, SYNC_STAY, SYNC_PUT }, /* never seen there: it was not deleted there */
    { "o-o", true, SYNC_PUT, SYNC_REMOVE_HERE, SYNC_REMOVE_HERE },
    { "n-o", true, SYNC_PUT, SYNC_CONFLICT, SYNC_PUT },
    { "o-q", true, SYNC_PUT, SYNC_CONFLICT, SYNC_PUT },
    { "n-O", true, SYNC_PUT, SYNC_CONFLICT, SYNC_PUT },
    { "-o-", true, SYNC_STAY, SYNC_GET, SYNC_GET },
    { "-oo", false, SYNC_STAY, SYNC_GET, SYNC_STAY },
    { "-oo", true, SYNC_REMOVE_THERE, SYNC_GET, SYNC_REMOVE_THERE },
    { "-no", true, SYNC_CONFLICT, SYNC_GET, SYNC_GET },
    { "-nN", true, SYNC_REMOVE_THERE, SYNC_GET, SYNC_GET }, /* our own put, which was killed: as it seems */
    { "-xN", true, SYNC_STAY, SYNC_GET, SYNC_GET },
    { "n-N", true, SYNC_PUT, SYNC_STAY, SYNC_PUT },
    { "--o", true, SYNC_FORGET, SYNC_FORGET, SYNC_FORGET },
    { "ooo", false, SYNC_SAME, SYNC_SAME, SYNC_SAME },
    { "oo-", false, SYNC_ADOPT, SYNC_ADOPT, SYNC_ADOPT },
    { "no-", false, SYNC_PUT, SYNC_CONFLICT, SYNC_KEEP_BOTH },
    { "ot-", false, SYNC_PUT, SYNC_CONFLICT, SYNC_KEEP_BOTH },
    { "coo", false, SYNC_PUT, SYNC_ADOPT,
      SYNC_PUT }, /* touched: stored again; down, nothing is written over */
    { "ooq", false, SYNC_PUT, SYNC_ADOPT, SYNC_PUT },
    { "noo", false, SYNC_PUT, SYNC_CONFLICT, SYNC_PUT },
    { "ono", false, SYNC_CONFLICT, SYNC_GET, SYNC_GET },
    { "ovo", false, SYNC_ADOPT, SYNC_GET, SYNC_GET },
    { "cvo", false, SYNC_ADOPT, SYNC_ADOPT, SYNC_ADOPT }, /* a get that was killed */
    { "ov-", false, SYNC_ADOPT, SYNC_ADOPT, SYNC_ADOPT },
    { "hno", false, SYNC_CONFLICT, SYNC_GET, SYNC_GET }, /* a get that was killed before it set the mode */
    { "hn-", false, SYNC_PUT, SYNC_GET, SYNC_GET },
    { "moo", false, SYNC_PUT, SYNC_CONFLICT, SYNC_PUT },
    { "nno", false, SYNC_ADOPT, SYNC_ADOPT, SYNC_ADOPT },
    { "xno", false, SYNC_CONFLICT, SYNC_CONFLICT, SYNC_KEEP_BOTH },
    { "noO", false, SYNC_PUT, SYNC_CONFLICT, SYNC_PUT },  /* the put never came to be */
    { "nnO", false, SYNC_ADOPT, SYNC_ADOPT, SYNC_ADOPT }, /* it did */
    { "xnO", false, SYNC_PUT, SYNC_CONFLICT, SYNC_KEEP_BOTH },
    { "nxO", false, SYNC_CONFLICT, SYNC_CONFLICT, SYNC_KEEP_BOTH },
    { "nnN", false, SYNC_ADOPT, SYNC_ADOPT, SYNC_ADOPT },
    { "l--", false, SYNC_PUT, SYNC_STAY, SYNC_PUT },
    { "lll", false, SYNC_SAME, SYNC_SAME, SYNC_SAME },
    { "ll-", false, SYNC_ADOPT, SYNC_ADOPT, SYNC_ADOPT },
    { "-ll", true, SYNC_REMOVE_THERE, SYNC_GET, SYNC_REMOVE_THERE },
    { "loo", true, SYNC_PUT, SYNC_CONFLICT, SYNC_PUT }, /* a link in a file's place, and a file in a link's */
    { "oll", true, SYNC_PUT, SYNC_CONFLICT, SYNC_PUT },
    { "oLo", true, SYNC_CONFLICT, SYNC_GET, SYNC_GET },
    { "hL-", false, SYNC_PUT, SYNC_CONFLICT, SYNC_KEEP_BOTH },
    { "lo-", false, SYNC_PUT, SYNC_CONFLICT, SYNC_KEEP_BOTH },
    { "s--", false, SYNC_STAY, SYNC_STAY, SYNC_STAY },
    { "soo", true, SYNC_BARRED, SYNC_BARRED, SYNC_BARRED },
};

static enum sync_do decided(const char *is, const struct sync_rules *rules)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_list_done) struct sync_list here = { 0 }, there = { 0 }, base = { 0 };
    QC_CLEANUP(sync_plan_done) struct sync_plan p = { 0 };
    add(&here, "f", is[0], here_of);
    add(&there, "f", is[1], there_of);
    add(&base, "f", is[2], base_of);
    CHECK_OK(sync_plan_make(&p, rules, &here, &there, &base, &err));
    CHECK(sync_plan_count(&p) == 1);
    const enum sync_do what = sync_plan_at(&p, 0)->what;
    CHECK(p.count[what] == 1);
    CHECK(p.bytes == (what == SYNC_PUT || what == SYNC_GET ? 10 : 0));
    return what;
}

/* The user's word decides conflicts, and nothing else. */
static void check_word(const char *is, struct sync_rules rules, enum sync_do want)
{
    const bool both = rules.way == SYNC_BOTH;
    const enum sync_side source = rules.way == SYNC_DOWN ? SYNC_THERE : SYNC_HERE;
    const bool open = want == SYNC_CONFLICT || want == SYNC_KEEP_BOTH;
    rules.counts = source;
    const enum sync_do forced = decided(is, &rules);
    CHECK(open ? forced != want && forced != SYNC_KEEP : forced == want);
    rules.counts = source == SYNC_HERE ? SYNC_THERE : SYNC_HERE;
    CHECK(decided(is, &rules) == (!open ? want : both ? SYNC_GET : SYNC_KEEP));
}

static void each_case(void)
{
    static const char *const words[] = { "up", "down", "both" };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const enum sync_do want[] = { cases[i].up, cases[i].down, cases[i].both };
        for (int way = 0; way < 3; way++) {
            const struct sync_rules rules = { .way = (enum sync_way)way, .remove = cases[i].remove };
            const enum sync_do got = decided(cases[i].is, &rules);
            if (got != want[way]) {
                fprintf(stderr, "%s %s: %d, expected %d\n", cases[i].is, words[way], (int)got,
                        (int)want[way]);
                exit(1);
            }
            check_word(cases[i].is, rules, got);
        }
    }
}

static qc_rc always(void *ctx, qc_span path, const struct sync_entry *here, const struct sync_entry *there,
                    bool *ret, struct qc_err *err)
{
    (void)path;
    (void)here;
    (void)there;
    (void)err;
    *ret = *(bool *)ctx;
    return QC_OK;
}

static qc_rc always_moved(void *ctx, const struct sync_step *from, const struct sync_step *to, bool *ret,
                          struct qc_err *err)
{
    (void)err;
    CHECK(from == to && to->here != NULL && to->stands && !to->still);
    *ret = *(bool *)ctx;
    return QC_OK;
}

/* Content counts, and no time. */
static void by_content(void)
{
    bool same = true;
    struct sync_rules rules = { .way = SYNC_UP, .content = true, .same = always, .ctx = &same };
    CHECK(decided("noo", &rules) == SYNC_ADOPT);
    CHECK(decided("ooq", &rules) == SYNC_ADOPT);
    same = false;
    CHECK(decided("ooo", &rules) == SYNC_PUT);
    CHECK(decided("oo-", &rules) == SYNC_PUT);
    rules.way = SYNC_DOWN;
    CHECK(decided("ooo", &rules) == SYNC_CONFLICT);
}

/* Two files of the same size, time and mode, which are not the same. */
static void looks_the_same(void)
{
    static const struct {
        const char *is;
        bool first;
        enum sync_do up, down, both;
    } twins[] = {
        { "ooo", false, SYNC_SAME, SYNC_SAME, SYNC_SAME },   /* not asked */
        { "oo-", true, SYNC_ADOPT, SYNC_ADOPT, SYNC_ADOPT }, /* that is how a first sync looks */
        { "oo-", false, SYNC_ADOPT, SYNC_ADOPT, SYNC_KEEP_BOTH },
        { "coo", false, SYNC_PUT, SYNC_CONFLICT, SYNC_PUT }, /* changed under a time that was set back */
        { "ioo", false, SYNC_PUT, SYNC_CONFLICT,
          SYNC_PUT }, /* another file took the name, or a mount the inodes */
        { "ooq", false, SYNC_PUT, SYNC_CONFLICT, SYNC_PUT },
        { "ovo", false, SYNC_CONFLICT, SYNC_GET, SYNC_GET },
        { "nno", false, SYNC_CONFLICT, SYNC_CONFLICT, SYNC_KEEP_BOTH },
        { "hn-", false, SYNC_PUT, SYNC_CONFLICT, SYNC_KEEP_BOTH },
        { "nnO", false, SYNC_CONFLICT, SYNC_CONFLICT, SYNC_KEEP_BOTH },
        { "nnN", false, SYNC_CONFLICT, SYNC_CONFLICT, SYNC_KEEP_BOTH },
    };
    bool same = false;
    for (size_t i = 0; i < sizeof twins / sizeof twins[0]; i++) {
        const enum sync_do want[] = { twins[i].up, twins[i].down, twins[i].both };
        for (int way = 0; way < 3; way++) {
            const struct sync_rules rules = { .way = (enum sync_way)way,
                                              .first = twins[i].first,
                                              .same = always,
                                              .moved = always_moved,
                                              .ctx = &same };
            const enum sync_do got = decided(twins[i].is, &rules);
            if (got != want[way]) {
                fprintf(stderr, "%s, way %d: %d, expected %d\n", twins[i].is, way, (int)got, (int)want[way]);
                exit(1);
            }
        }
    }
}

/* A row is sure of a file that is as it says, or was not looked for: where something is done under the name
 * of one that is gone or another by now, it may be sure no more. */
static void not_sure(void)
{
    static const struct {
        const char *is;
        bool unsure;
    } rows[] = {
        { "-oo", true },  { "noo", true },  { "-no", true },  { "xno", true },  { "ioo", true },
        { "--o", true },  { "ooo", false }, { "ono", false }, { "o-o", false }, { "ooq", false },
        { "-oq", false }, { "-oO", false }, { "noN", false }, { "no-", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct qc_err err = { 0 };
        QC_CLEANUP(sync_list_done) struct sync_list here = { 0 }, there = { 0 }, base = { 0 };
        QC_CLEANUP(sync_plan_done) struct sync_plan p = { 0 };
        const struct sync_rules rules = { .way = SYNC_BOTH, .remove = true };
        add(&here, "f", rows[i].is[0], here_of);
        add(&there, "f", rows[i].is[1], there_of);
        add(&base, "f", rows[i].is[2], base_of);
        CHECK_OK(sync_plan_make(&p, &rules, &here, &there, &base, &err));
        if (sync_step_unsure(sync_plan_at(&p, 0)) != rows[i].unsure) {
            fprintf(stderr, "%s: expected %d\n", rows[i].is, rows[i].unsure);
            exit(1);
        }
    }
}

/* A file whose removal in the vault was not written down, and which has its name again, as vfat has it: with
 * all that its row says. It was not removed there by anybody else, and is stored. */
static void comes_back(void)
{
    struct sync_rules rules = { .remove = true };
    CHECK(decided("o-q", &rules) == SYNC_PUT);
    rules.way = SYNC_BOTH;
    CHECK(decided("o-q", &rules) == SYNC_PUT && decided("onq", &rules) == SYNC_KEEP_BOTH);
    rules.way = SYNC_DOWN;
    CHECK(decided("o-q", &rules) == SYNC_CONFLICT && decided("onq", &rules) == SYNC_CONFLICT);
}

/* A run that was killed was about to get it: what the row was sure of, and looks so still, did not come.
 * Where it was not sure, what is here may have come, and been changed. */
static void was_coming(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_list_done) struct sync_list coming = { 0 };
    struct sync_rules rules = { .way = SYNC_BOTH, .remove = true };
    CHECK_OK(sync_list_add(&coming, QC_LIT("f"), &(struct sync_entry){ .kind = SYNC_REST }, &err));
    CHECK(decided("noo", &rules) == SYNC_PUT && decided("xoq", &rules) == SYNC_PUT);
    rules.coming = &coming;
    CHECK(decided("ooo", &rules) == SYNC_SAME && decided("ono", &rules) == SYNC_GET);
    CHECK(decided("noo", &rules) == SYNC_KEEP_BOTH && decided("xoq", &rules) == SYNC_KEEP_BOTH);
    CHECK(decided("onq", &rules) == SYNC_KEEP_BOTH);
    bool same = false; /* what looks the same is another one */
    rules.same = always;
    rules.ctx = &same;
    CHECK(decided("ooq", &rules) == SYNC_KEEP_BOTH);
    same = true;
    CHECK(decided("ooq", &rules) == SYNC_ADOPT);
}

/* What is behind a link, or in a folder that may not be read, is not known to be gone. */
static void bars(void)
{
    struct qc_err err = { 0 };
    for (int way = 0; way < 2; way++) {
        QC_CLEANUP(sync_list_done) struct sync_list here = { 0 }, there = { 0 }, base = { 0 };
        QC_CLEANUP(sync_plan_done) struct sync_plan p = { 0 };
        const struct sync_rules rules = { .way = way == 0 ? SYNC_UP : SYNC_DOWN, .remove = true };
        add(&here, "d", 's', here_of);
        add(&here, "ln", 'l', here_of); /* itself synced, and what is behind it is not */
        add(&there, "ln/x", 'o', there_of);
        add(&base, "ln/x", 'o', base_of);
        add(&here, "d.x", 'o', here_of);
        add(&there, "d.x", 'o', there_of);
        add(&there, "d/a/x", 'o', there_of);
        add(&there, "dd", 'o', there_of);
        add(&base, "d.x", 'o', base_of);
        add(&base, "d/a/x", 'o', base_of);
        add(&base, "d/a/y", 'o', base_of);
        sync_list_sort(&here);
        sync_list_sort(&there);
        sync_list_sort(&base);
        CHECK_OK(sync_plan_make(&p, &rules, &here, &there, &base, &err));
        CHECK(sync_plan_count(&p) == 7);
        CHECK(sync_plan_at(&p, 0)->what == SYNC_STAY);
        CHECK(sync_plan_at(&p, 1)->what == SYNC_SAME);
        CHECK(sync_plan_at(&p, 2)->what == SYNC_BARRED);
        CHECK(sync_plan_at(&p, 3)->what == SYNC_STAY);
        CHECK(sync_plan_at(&p, 4)->what == (way == 0 ? SYNC_STAY : SYNC_GET));
        CHECK(sync_plan_at(&p, 5)->what == (way == 0 ? SYNC_PUT : SYNC_STAY));
        CHECK(sync_plan_at(&p, 6)->what == SYNC_BARRED);
    }
}

/* 10 files, of which `gone` are not at the source any more. */
static qc_rc deletions(enum sync_way way, unsigned gone, unsigned pct)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_list_done) struct sync_list here = { 0 }, there = { 0 }, base = { 0 };
    QC_CLEANUP(sync_plan_done) struct sync_plan p = { 0 };
    const struct sync_rules rules = { .way = way, .remove = true };
    for (unsigned i = 0; i < 10; i++) {
        const char path[] = { (char)('a' + i), '\0' };
        add(&here, path, way == SYNC_UP && i < gone ? '-' : 'o', here_of);
        add(&there, path, way == SYNC_DOWN && i < gone ? '-' : 'o', there_of);
        add(&base, path, 'o', base_of);
    }
    CHECK_OK(sync_plan_make(&p, &rules, &here, &there, &base, &err));
    CHECK(p.count[SYNC_REMOVE_THERE] + p.count[SYNC_REMOVE_HERE] == gone);
    return sync_plan_check(&p, pct, &err);
}

/* Both ways, each side is a target of its own. */
static qc_rc deletions_of_two(unsigned gone_here, unsigned gone_there)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_list_done) struct sync_list here = { 0 }, there = { 0 }, base = { 0 };
    QC_CLEANUP(sync_plan_done) struct sync_plan p = { 0 };
    const struct sync_rules rules = { .way = SYNC_BOTH, .remove = true };
    for (unsigned i = 0; i < 10; i++) {
        const char path[] = { (char)('a' + i), '\0' };
        add(&here, path, i < gone_here ? '-' : 'o', here_of);
        add(&there, path, i >= 10 - gone_there ? '-' : 'o', there_of);
        add(&base, path, 'o', base_of);
    }
    CHECK_OK(sync_plan_make(&p, &rules, &here, &there, &base, &err));
    CHECK(p.count[SYNC_REMOVE_THERE] == gone_here && p.count[SYNC_REMOVE_HERE] == gone_there);
    return sync_plan_check(&p, 50, &err);
}

static void too_many(void)
{
    for (int way = 0; way < 2; way++) {
        const enum sync_way w = way == 0 ? SYNC_UP : SYNC_DOWN;
        CHECK(deletions(w, 0, 0) == QC_OK);
        CHECK(deletions(w, 1, 0) == QC_USAGE);
        CHECK(deletions(w, 5, 50) == QC_OK);
        CHECK(deletions(w, 6, 50) == QC_USAGE);
        CHECK(deletions(w, 9, 100) == QC_OK);
        CHECK(deletions(w, 10, 100) == QC_USAGE); /* the source has nothing */
    }
    CHECK(deletions_of_two(3, 3) == QC_OK);
    CHECK(deletions_of_two(6, 1) == QC_USAGE && deletions_of_two(1, 6) == QC_USAGE);
    CHECK(deletions_of_two(0, 10) == QC_USAGE && deletions_of_two(10, 0) == QC_USAGE);
}

int main(void)
{
    each_case();
    by_content();
    looks_the_same();
    not_sure();
    comes_back();
    was_coming();
    bars();
    too_many();
    return 0;
}

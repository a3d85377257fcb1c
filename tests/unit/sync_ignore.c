/* unit/sync_ignore: what is left out is what git leaves out by the same lines. First cases that are known by
 * heart, then random trees and patterns, each asked of `git check-ignore`. 100 trees (3,000 with QC_FULL=1).
 */
#include "sync/ignore.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/limits.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"

static bool left_out(const char *lines, const char *path, bool is_dir)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_ignore_free) struct sync_ignore *ig = NULL;
    CHECK_OK(sync_ignore_new(&ig, &err));
    CHECK_OK(sync_ignore_add_file(ig, qc_span_str(""), qc_span_str(lines), &err));
    return sync_ignore_is(ig, qc_span_str(path), is_dir);
}

static void known_cases(void)
{
    static const struct {
        const char *lines, *path;
        bool is_dir, out;
    } cases[] = {
        { "*.tmp\n", "a/b.tmp", false, true },
        { "*.tmp", "a/b.tmp", false, true },
        { "*.tmp\r\n", "b.tmp", false, true },
        { "\xEF\xBB\xBF*.tmp\n", "b.tmp", false, true },
        { "# *.tmp\n", "# b.tmp", false, false },
        { "\\#x\n", "#x", false, true },
        { "*.tmp\n!b.tmp\n", "b.tmp", false, false },
        { "!b.tmp\n*.tmp\n", "b.tmp", false, true },
        { "d/\n", "d", false, false },
        { "d/\n", "d", true, true },
        { "d/\n!d/x\n", "d/x", false, true },
        { "d/*\n!d/x\n", "d/x", false, false },
        { "/x\n", "x", false, true },
        { "/x\n", "d/x", false, false },
        { "a/x\n", "d/a/x", false, false },
        { "**/x\n", "d/a/x", false, true },
        { "a/**/x\n", "a/x", false, true },
        { "a/**/x\n", "a/b/c/x", false, true },
        { "a/**\n", "a/b/c", false, true },
        { "a/**\n", "a", true, false },
        { "a*x\n", "a/x", false, false },
        { "/a*x\n", "a/x", false, false },
        { "x \n", "x", false, true },
        { "x\\ \n", "x ", false, true },
        { "x\\\\ \n", "x\\", false, true },
        { "[a-c]\n", "b", false, true },
        { "[!a-c]\n", "b", false, false },
        { "[]-]\n", "]", false, true },
        { "[[:digit:]]\n", "7", false, true },
        { "[[:none:]]\n", "7", false, false },
        { "[a\n", "[a", false, false },
        { "a\\\n", "a\\", false, false },
        { "?\n", "\xFF", false, true },
        { "\n  \n", " ", false, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (left_out(cases[i].lines, cases[i].path, cases[i].is_dir) != cases[i].out) {
            fprintf(stderr, "'%s' by '%s': not as it should be\n", cases[i].path, cases[i].lines);
            exit(1);
        }
}

/* The command line counts for more than files, a deeper file for more than a higher one. */
static void precedence(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_ignore_free) struct sync_ignore *ig = NULL;
    CHECK_OK(sync_ignore_new(&ig, &err));
    CHECK_OK(sync_ignore_add_file(ig, QC_LIT(""), QC_LIT("*.log\n"), &err));
    CHECK_OK(sync_ignore_add_file(ig, QC_LIT("a"), QC_LIT("!*.log\n*.c\n"), &err));
    CHECK(sync_ignore_is(ig, QC_LIT("x.log"), false));
    CHECK(!sync_ignore_is(ig, QC_LIT("a/x.log"), false));
    CHECK(sync_ignore_is(ig, QC_LIT("a/b/x.c"), false));
    CHECK(!sync_ignore_is(ig, QC_LIT("ab/x.c"), false));
    CHECK_OK(sync_ignore_add(ig, QC_LIT("a/x.log"), &err));
    CHECK_OK(sync_ignore_add(ig, QC_LIT("!x.c"), &err));
    CHECK(sync_ignore_is(ig, QC_LIT("a/x.log"), false));
    CHECK(!sync_ignore_is(ig, QC_LIT("a/x.c"), false));
}

static void limits(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_ignore_free) struct sync_ignore *ig = NULL;
    static char longest[QC_SYNC_PATTERN_MAX + 2];
    memset(longest, '*', sizeof longest - 1);
    CHECK_OK(sync_ignore_new(&ig, &err));
    CHECK_RC(sync_ignore_add(ig, qc_span_of(longest, QC_SYNC_PATTERN_MAX + 1), &err), QC_LIMIT);
    memset(longest, 'x', sizeof longest - 1);
    CHECK_RC(sync_ignore_add(ig, qc_span_of(longest, QC_SYNC_PATTERN_MAX + 1), &err), QC_LIMIT);
    for (size_t i = 0; i + 1 < sizeof longest; i += 2)
        memcpy(longest + i, "*a", 2);
    CHECK_OK(sync_ignore_add(ig, qc_span_of(longest, QC_SYNC_PATTERN_MAX), &err));
    /* What takes others ages: stars that all may match. */
    static char name[4000];
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = 'b';
    CHECK(!sync_ignore_is(ig, qc_span_of(name, sizeof name), false));
    for (unsigned i = 1; i < QC_SYNC_PATTERNS_MAX; i++)
        CHECK_OK(sync_ignore_add(ig, QC_LIT("x"), &err));
    CHECK_RC(sync_ignore_add(ig, QC_LIT("x"), &err), QC_LIMIT);
}

/* -- against git ----------------------------------------------------------------------------------------- */

enum { PATHS = 40, LINES = 5, TEXT = 200 };

struct tree {
    char dir[280];
    char path[PATHS][TEXT];
    bool is_dir[PATHS];
    size_t count;
    char lines[TEXT * 2]; /* for a message */
};

static const char *pick(struct qc_rand *r, const char *const *words, size_t count)
{
    return words[qc_rand_below(r, count)];
}

static void run(const struct tree *t, const char *command)
{
    char line[1024];
    snprintf(line, sizeof line, "cd '%s' && %s", t->dir, command);
    const int status = system(line); /* the test's own words */
    CHECK(status != -1 && WIFEXITED(status) && WEXITSTATUS(status) <= 1);
}

static void write_file(const struct tree *t, const char *name, const char *text)
{
    char path[TEXT + 300];
    snprintf(path, sizeof path, "%s/%s", t->dir, name);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void grow(struct tree *t, struct qc_rand *r)
{
    static const char *const names[] = { "a",  "b",  "ab",  "ba", "abc", "a.c", "b c", "c ", "[a]",
                                         "!a", "#a", "a\\", "-",  "**",  "x]",  "7",   "aab" };
    for (unsigned i = 0; i < PATHS; i++) {
        char path[TEXT] = "", full[TEXT + 300];
        struct stat st;
        const bool is_dir = qc_rand_below(r, 3) == 0;
        size_t at = qc_rand_below(r, t->count + 1); /* below what is there already, or at the top */
        if (at < t->count && t->is_dir[at] && strlen(t->path[at]) < TEXT / 2)
            snprintf(path, sizeof path, "%s/", t->path[at]);
        strncat(path, pick(r, names, sizeof names / sizeof names[0]), sizeof path - strlen(path) - 1);
        snprintf(full, sizeof full, "%s/%s", t->dir, path);
        if (lstat(full, &st) == 0)
            continue;
        if (is_dir)
            CHECK(mkdir(full, 0777) == 0);
        else
            write_file(t, path, "");
        t->is_dir[t->count] = is_dir;
        snprintf(t->path[t->count++], TEXT, "%s", path);
    }
}

static void random_lines(struct qc_rand *r, char out[TEXT])
{
    static const char *const parts[] = {
        "a",       "b",           "c",    "ab",  "*",    "*",      "?",     "**",
        "/",       "/",           "**/",  "/**", "/**/", "[ab]",   "[!a]",  "[^b]",
        "[a-c]",   "[[:alpha:]]", "\\a",  "\\*", " ",    "[]x]",   "[a",    "\\",
        ".",       "-",           "#",    "!",   "7",    "[\\]a]", "[--b]", "[[:digit:]a]",
        "[[:x:]]", "[a-]",        "[:a]", "[[:]"
    };
    out[0] = '\0';
    for (unsigned i = 0, n = 1 + (unsigned)qc_rand_below(r, LINES); i < n; i++) {
        if (qc_rand_below(r, 4) == 0)
            strncat(out, "!", TEXT - strlen(out) - 1);
        for (unsigned k = 0, m = 1 + (unsigned)qc_rand_below(r, 5); k < m; k++)
            strncat(out, pick(r, parts, sizeof parts / sizeof parts[0]), TEXT - strlen(out) - 1);
        if (qc_rand_below(r, 4) == 0)
            strncat(out, "/", TEXT - strlen(out) - 1);
        strncat(out, "\n", TEXT - strlen(out) - 1);
    }
}

static void add_lines(struct tree *t, struct sync_ignore *ig, const char *dir, struct qc_rand *r)
{
    struct qc_err err = { 0 };
    char lines[TEXT], name[TEXT + 20];
    random_lines(r, lines);
    snprintf(name, sizeof name, "%s%s.gitignore", dir, dir[0] == '\0' ? "" : "/");
    write_file(t, name, lines);
    CHECK_OK(sync_ignore_add_file(ig, qc_span_str(dir), qc_span_str(lines), &err));
    const size_t n = strlen(t->lines);
    snprintf(t->lines + n, sizeof t->lines - n, "in '%s':\n%s", dir, lines);
}

static void ask_git(struct tree *t, qc_buf *ret)
{
    struct qc_err err = { 0 };
    char path[300];
    snprintf(path, sizeof path, "%s/../asked", t->dir);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    for (size_t i = 0; i < t->count; i++)
        CHECK(fwrite(t->path[i], strlen(t->path[i]) + 1, 1, f) == 1);
    CHECK(fclose(f) == 0);
    run(t, "git -c core.excludesFile=/dev/null check-ignore --no-index -z --stdin <../asked >../told");
    snprintf(path, sizeof path, "%s/../told", t->dir);
    CHECK_OK(qc_path_read(path, 0, 1 << 20, ret, &err));
}

static bool named(const qc_buf *told, const char *path)
{
    for (size_t at = 0; at < told->n; at += strlen((const char *)told->p + at) + 1)
        if (strcmp((const char *)told->p + at, path) == 0)
            return true;
    return false;
}

/* A folder of one repository. */
static size_t one_tree(const struct qc_tmpdir *repository, uint64_t number, struct qc_rand *r)
{
    static struct tree t;
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_ignore_free) struct sync_ignore *ig = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf told = { .max = 1 << 20 };
    size_t out = 0;
    t = (struct tree){ 0 };
    snprintf(t.dir, sizeof t.dir, "%s/%" PRIu64, repository->path, number);
    CHECK(mkdir(t.dir, 0777) == 0);
    CHECK_OK(sync_ignore_new(&ig, &err));
    grow(&t, r);
    add_lines(&t, ig, "", r);
    for (size_t i = 0, more = 0; i < t.count && more < 2; i++)
        if (t.is_dir[i] && qc_rand_below(r, 2) == 0) {
            add_lines(&t, ig, t.path[i], r);
            more++;
        }
    ask_git(&t, &told);
    for (size_t i = 0; i < t.count; i++) {
        const bool ours = sync_ignore_is(ig, qc_span_str(t.path[i]), t.is_dir[i]);
        const bool gits = named(&told, t.path[i]);
        out += ours ? 1 : 0;
        if (ours != gits) {
            fprintf(stderr, "%s '%s': left out by %s alone\n%s", t.is_dir[i] ? "folder" : "file", t.path[i],
                    ours ? "us" : "git", t.lines);
            exit(1);
        }
    }
    return out;
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    const uint64_t trees = qc_rand_cases_watched(100, 3000);
    size_t out = 0;
    static struct tree top;
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir tmp = qc_tmpdir_new();
    known_cases();
    precedence();
    limits();
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    snprintf(top.dir, sizeof top.dir, "%s", tmp.path);
    run(&top, "git init -q");
    uint64_t i = 0;
    for (; i < trees || (out <= trees && i < 10 * trees);
         i++) /* of few trees little may be left out by chance */
        out += one_tree(&tmp, i, &r);
    printf("%" PRIu64 " trees: %zu of their files and folders are left out, all as git has it\n", i, out);
    CHECK(out > trees);
    return 0;
}

/* unit/sync_tree: what a walk finds: files of any name, what is no file, what is left out, what is qcloud's
 * own, what may not be read. */
#include "sync/tree.h"

#include <fcntl.h>

#include "base/limits.h"
#include "qc_check.h"
#include "qc_tmpdir.h"

static struct qc_tmpdir tmp;

static const char *at(const char *name)
{
    static char path[4][600];
    static unsigned turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/t/%s", tmp.path, name);
    return p;
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(at(name), "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static qc_rc walk(struct sync_list *ret, const char *const *own, const struct qc_cancel *cancel)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(sync_ignore_free) struct sync_ignore *leave = NULL;
    char dir[300];
    snprintf(dir, sizeof dir, "%s/t", tmp.path);
    CHECK_OK(sync_ignore_new(&leave, &err));
    CHECK_OK(sync_ignore_add(leave, QC_LIT("*.tmp"), &err));
    const struct sync_walk w = { .dir = dir, .leave = leave, .own = own, .cancel = cancel };
    return sync_tree(&w, ret, &err);
}

static void check_one(const struct sync_list *l, const char *path, enum sync_kind kind)
{
    const struct sync_entry *e = sync_list_find(l, qc_span_str(path));
    if (e == NULL || e->kind != kind) {
        fprintf(stderr, "%s: %s\n", path, e == NULL ? "not found" : "another kind");
        exit(1);
    }
    struct stat st;
    CHECK(lstat(at(path), &st) == 0);
    const struct sync_stat is = sync_stat_of(&st);
    CHECK(kind > SYNC_DIR || sync_stat_same(&e->st, &is));
    CHECK(sync_is_link(&is) == (kind == SYNC_LINK) && (sync_is_dir(&is) || kind != SYNC_DIR));
}

static void make(void)
{
    static const char *const dirs[] = { "", "d", "d/e", "out", "own", "own/x" };
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
        CHECK(mkdir(at(dirs[i]), 0777) == 0);
    write_file("a\n\xFF", "1");
    write_file("d/x.tmp", "");
    write_file("d/e/y", "22");
    write_file("d.z", "");
    write_file("out/z", "");
    write_file("own/x/secret", "");
    write_file(SYNC_IGNORE_FILE, "/out/\n");
    write_file("d/" SYNC_IGNORE_FILE, "*.o\n");
    write_file("d/e/q.o", "");
    CHECK(symlink("d", at("link")) == 0 && symlink("nowhere", at("d/dangling")) == 0);
    CHECK(mkfifo(at("pipe"), 0600) == 0);
}

int main(void)
{
    tmp = qc_tmpdir_new();
    struct qc_cancel cancel = { 0 };
    QC_CLEANUP(sync_list_done) struct sync_list l = { 0 };
    make();
    const char *const own[] = { at("none"), at("own/x"), NULL };
    CHECK(walk(&l, own, &cancel) == QC_OK);
    check_one(&l, "a\n\xFF", SYNC_FILE);
    check_one(&l, "d/e/y", SYNC_FILE);
    check_one(&l, "d.z", SYNC_FILE);
    check_one(&l, SYNC_IGNORE_FILE, SYNC_FILE);
    check_one(&l, "d/" SYNC_IGNORE_FILE, SYNC_FILE);
    check_one(&l, "link", SYNC_LINK);
    check_one(&l, "d/dangling", SYNC_LINK);
    check_one(&l, "pipe", SYNC_SPECIAL);
    check_one(&l, "own/x", SYNC_OWN);
    check_one(&l, "d", SYNC_DIR);
    check_one(&l, "d/e", SYNC_DIR);
    check_one(&l, "own", SYNC_DIR);
    CHECK(sync_list_count(&l) == 12);
    sync_list_done(&l);
    /* What says what to leave out cannot be read: then nothing is synced that should stay. */
    CHECK(unlink(at(SYNC_IGNORE_FILE)) == 0 && symlink("d.z", at(SYNC_IGNORE_FILE)) == 0);
    CHECK(walk(&l, NULL, &cancel) != QC_OK && sync_list_count(&l) == 0);
    CHECK(unlink(at(SYNC_IGNORE_FILE)) == 0 &&
          truncate(at("d/" SYNC_IGNORE_FILE), QC_SYNC_IGNORE_FILE_MAX + 1) == 0);
    CHECK(walk(&l, NULL, &cancel) == QC_LIMIT);
    CHECK(truncate(at("d/" SYNC_IGNORE_FILE), 0) == 0);
    const char *const all[] = { at(""), NULL };
    CHECK(walk(&l, all, &cancel) == QC_USAGE); /* the folder itself is qcloud's own */
    if (geteuid() != 0) {
        CHECK(chmod(at("d"), 0) == 0);
        CHECK(walk(&l, NULL, &cancel) == QC_OK);
        check_one(&l, "d", SYNC_SHUT);
        CHECK(chmod(at("d"), 0777) == 0);
        sync_list_done(&l);
    }
    qc_cancel_set(&cancel);
    CHECK(walk(&l, NULL, &cancel) == QC_CANCELLED);
    qc_tmpdir_remove(&tmp);
    CHECK(walk(&l, NULL, NULL) == QC_NOTFOUND);
    return 0;
}

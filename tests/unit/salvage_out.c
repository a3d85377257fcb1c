/* unit/salvage_out: files come under their names whole or not at all, never over anything; names that do not
 * fit; links in the way; two runs at once; what a killed run left. */
#include "out.h"

#include <sys/stat.h>

#include "qc_check.h"
#include "qc_tmpdir.h"

static char top[400];

static char *beneath(const char *name)
{
    static char path[6000];

    snprintf(path, sizeof path, "%s/%s", top, name);
    return path;
}

static qc_rc give(struct out *o, const char *name, const char *text, bool *present, char as[400])
{
    QC_CLEANUP(out_file_free) struct out_file *f = NULL;
    const struct vault_meta meta = { .has_mode = true, .mode = 04755, .has_mtime = true, .mtime_s = 86400 };
    const struct out_name n = { qc_span_str(name), "", "aa-bb" };
    struct qc_err err = { 0 };

    CHECK_OK(out_file_new(&f, o, &n, &err));
    CHECK_OK(out_file_write(f, 0, qc_span_str(text), &err));
    const qc_rc rc = out_file_finish(f, strlen(text), &meta, present, &err);
    snprintf(as, 400, "%.399s", out_file_as(f));
    return rc;
}

static void holds(const char *name, const char *want)
{
    char text[64] = "";
    FILE *f = fopen(beneath(name), "re");

    CHECK(f != NULL);
    CHECK(fgets(text, sizeof text, f) != NULL || want[0] == '\0');
    fclose(f);
    CHECK(strcmp(text, want) == 0);
}

static void check_names(struct out *o)
{
    char as[400], long_name[400];
    bool present = false;
    struct stat st;

    CHECK(give(o, "a/b/c", "one", &present, as) == QC_OK && !present && strcmp(as, "a/b/c") == 0);
    holds("a/b/c", "one");
    CHECK(stat(beneath("a/b/c"), &st) == 0 && (st.st_mode & 07777) == 0755 && st.st_mtime == 86400);
    CHECK(give(o, "a/b/c", "one", &present, as) == QC_OK && present);
    CHECK(give(o, "a/b/c", "two", &present, as) == QC_CONFLICT && !present);
    CHECK(give(o, "a/b/c", "longer", &present, as) == QC_CONFLICT);
    holds("a/b/c", "one");

    /* A file where a directory would have to be, and the other way round. */
    CHECK(give(o, "a/b/c/d", "below", &present, as) == QC_OK && strcmp(as, "qcloud-unnamed/aa-bb") == 0);
    holds("qcloud-unnamed/aa-bb", "below");
    CHECK(give(o, "a/b", "below", &present, as) == QC_OK && present &&
          strcmp(as, "qcloud-unnamed/aa-bb") == 0);
    memset(long_name, 'l', 300);
    long_name[300] = '\0';
    CHECK(give(o, long_name, "below", &present, as) == QC_OK && present);
    memcpy(long_name + 298, "/x", 3);
    CHECK(give(o, long_name, "below", &present, as) == QC_OK && present);
    CHECK(give(o, "", "below", &present, as) == QC_OK && present); /* no name is known */
}

/* Nobody's link leads a file to another place. */
static void check_links(struct out *o, const char *elsewhere)
{
    char as[400];
    bool present = false;
    struct stat st;

    CHECK(symlink(elsewhere, beneath("link")) == 0);
    CHECK(give(o, "link/file", "below", &present, as) == QC_OK && strcmp(as, "qcloud-unnamed/aa-bb") == 0);
    CHECK(symlink("nowhere", beneath("dangling")) == 0);
    CHECK(give(o, "dangling", "x", &present, as) != QC_OK);
    CHECK(lstat(beneath("nowhere"), &st) != 0);
}

static void leave(const char *name)
{
    FILE *f = fopen(beneath(name), "we");

    CHECK(f != NULL && fclose(f) == 0);
}

int main(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir t = qc_tmpdir_new();
    struct out *o = NULL, *second = NULL;
    struct qc_err err = { 0 };
    struct stat st;

    snprintf(top, sizeof top, "%s/x/out", t.path);
    CHECK_OK(out_open(&o, top, &err));
    CHECK_RC(out_open(&second, top, &err), QC_LOCKED);
    check_names(o);
    check_links(o, t.path);
    out_close(&o);
    CHECK(lstat(beneath(".qcloud-salvage"), &st) != 0);

    /* What a killed run left goes; nothing else does. */
    CHECK(mkdir(beneath(".qcloud-salvage"), 0700) == 0);
    leave(".qcloud-salvage/file");
    leave(".qcloud-salvage/index.db");
    leave(".qcloud-salvage/other");
    CHECK_OK(out_open(&o, top, &err));
    CHECK(strcmp(out_scratch(o), beneath(".qcloud-salvage")) == 0);
    CHECK(lstat(beneath(".qcloud-salvage/file"), &st) != 0 &&
          lstat(beneath(".qcloud-salvage/index.db"), &st) != 0);
    out_close(&o);
    CHECK(lstat(beneath(".qcloud-salvage/other"), &st) == 0);
    holds("a/b/c", "one");
    return 0;
}

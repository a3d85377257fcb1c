/* A small vault of (2,3) as version 0.1.0 stored it (tests/data/salvage): copied for each case, hurt, and
 * salvaged. */
#pragma once
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "out.h"
#include "qc_check.h"
#include "qc_tmpdir.h"
#include "report.h"

enum { RIG_FILES_MAX = 128, RIG_PATH = 512 };

/* The copies that a case works on. */
static struct {
    char top[RIG_PATH];
    char path[RIG_FILES_MAX][RIG_PATH];
    unsigned count;
    size_t from; /* length of the path of what is copied */
} rig;

static void rig_copy_file(const char *from, const char *to)
{
    uint8_t bytes[65536];
    FILE *in = fopen(from, "rbe"), *out = fopen(to, "wbe");

    CHECK(in != NULL && out != NULL);
    const size_t n = fread(bytes, 1, sizeof bytes, in);
    CHECK(n < sizeof bytes && fwrite(bytes, 1, n, out) == n);
    CHECK(fclose(in) == 0 && fclose(out) == 0 && chmod(to, 0600) == 0);
}

static int rig_copy_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    char to[2 * RIG_PATH];

    (void)st;
    (void)at;
    snprintf(to, sizeof to, "%s%s", rig.top, path + rig.from);
    if (kind == FTW_D)
        CHECK(mkdir(to, 0700) == 0 || errno == EEXIST);
    else {
        rig_copy_file(path, to);
        CHECK(rig.count < RIG_FILES_MAX);
        snprintf(rig.path[rig.count++], RIG_PATH, "%.*s", RIG_PATH - 1, to);
    }
    return 0;
}

/* Where syncing costs nothing: none of these tests is about power cuts. */
static void rig_start(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
}

/* A fresh copy beneath a directory, which is there; its files are in rig.path. */
static void rig_copy(const char *top)
{
    static const char from[] = QC_TESTS_DIR "/data/salvage";

    snprintf(rig.top, sizeof rig.top, "%s", top);
    rig.count = 0;
    rig.from = sizeof from - 1;
    CHECK(nftw(from, rig_copy_one, 16, FTW_PHYS) == 0 && rig.count > 40);
}

struct rig_run {
    bool share[2], kit, thorough, partial;
};

/* Salvage the copy into its directory `out`. *ret_status: as the program would end. What is told goes
 * nowhere. */
static qc_rc rig_salvage(const struct rig_run *r, struct salvage *s, int *ret_status, struct qc_err *err)
{
    static char path[6][RIG_PATH + 8];
    static const char *const names[] = { "c1", "c2", "c3", "s1", "s2", "out" };
    static char kit[RIG_PATH + 8];
    struct out *out = NULL;

    for (unsigned i = 0; i < 6; i++)
        snprintf(path[i], sizeof path[i], "%s/%s", rig.top, names[i]);
    snprintf(kit, sizeof kit, "%s/kit", rig.top);
    *s = (struct salvage){ .source = { path[0], path[1], path[2] }, .source_count = 3 };
    s->o = (struct options){ .out = path[5], .thorough = r->thorough, .partial = r->partial, .quiet = true };
    for (unsigned i = 0, n = 0; i < 2; i++)
        if (r->share[i])
            s->o.share[n++] = path[3 + i];
    s->o.kit = r->kit ? kit : NULL;
    qc_rc rc = out_open(&out, path[5], err);
    if (rc == QC_OK)
        rc = salvage_run(s, out, out_scratch(out), err);
    *ret_status = report_end(s, rc, err);
    salvage_done(s);
    out_close(&out);
    return rc;
}

/* The content of a file beneath `out`, as text; NULL: it is not there. */
static const char *rig_read(const char *name)
{
    static char text[4096];
    char path[3 * RIG_PATH];

    snprintf(path, sizeof path, "%s/out/%s", rig.top, name);
    FILE *f = fopen(path, "rbe");
    if (f == NULL)
        return NULL;
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

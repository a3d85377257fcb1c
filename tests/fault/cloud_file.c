/* fault/cloud_file: a directory cloud whose writer is killed, whose disk is full, read-only or unmounted,
 * whose memory runs out. Keeps I1, I2.
 *
 * Disks are tmpfs and bind mounts in a mount namespace of this process's own; that needs root. */
#include "cloud/cloud.h"

#include "base/alloc.h"
#include "base/fault.h"
#include "base/limits.h"
#include "file.h"
#include "qc_check.h"
#include "qc_expect.h"
#include "qc_tmpdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct cloud_op forever = { .deadline = { 0 } };

enum { SIZE = 3 * 1024 * 1024 };
static uint8_t old_bytes[SIZE];
static uint8_t new_bytes[SIZE];

struct place {
    struct qc_tmpdir tmp;
    char dir[300];
    char url[320];
};

static struct place place_new(void)
{
    struct place p = { .tmp = qc_tmpdir_new() };
    snprintf(p.dir, sizeof p.dir, "%s/cloud", p.tmp.path);
    snprintf(p.url, sizeof p.url, "file://%s", p.dir);
    return p;
}

static void place_done(struct place *p)
{
    qc_tmpdir_remove(&p->tmp);
}

static unsigned entries(const struct place *p, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    DIR *d = opendir(path);
    unsigned n = 0;
    if (d == NULL)
        return 0;
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static qc_rc put(struct cloud *c, const char *key, const uint8_t *bytes, size_t n, enum cloud_put_mode mode,
                 struct qc_err *err)
{
    qc_span parts[2] = { { bytes, n / 3 }, { bytes + n / 3, n - n / 3 } };
    return cloud_put(c, key, parts, 2, mode, &forever, err);
}

enum content { ABSENT, OLD, NEW };

/* What the key holds; anything else than one of the three is a broken promise. */
static enum content content(struct cloud *c, const char *key)
{
    static uint8_t got_bytes[SIZE + 1];
    size_t got = 0;
    struct qc_err err = { 0 };
    qc_rc rc = cloud_get(c, key, (struct cloud_range){ 0, SIZE + 1 }, got_bytes, &got, &forever, &err);
    if (rc == QC_NOTFOUND)
        return ABSENT;
    CHECK(rc == QC_OK);
    qc_span s = qc_span_of(got_bytes, got);
    if (qc_span_eq(s, qc_span_of(old_bytes, SIZE)))
        return OLD;
    CHECK(qc_span_eq(s, qc_span_of(new_bytes, SIZE)));
    return NEW;
}

/* One way to put: onto a free name or over an object, with and without O_TMPFILE. */
struct way {
    const char *name;
    bool over;
    enum cloud_put_mode mode;
    bool no_tmpfile;
};

static const struct way ways[] = {
    { "new", false, CLOUD_NEW, false },      { "new, named", false, CLOUD_NEW, true },
    { "free", false, CLOUD_REPLACE, false }, { "free, named", false, CLOUD_REPLACE, true },
    { "over", true, CLOUD_REPLACE, false },  { "over, named", true, CLOUD_REPLACE, true },
};
enum { WAYS = sizeof ways / sizeof ways[0] };

/* Points of a put, and whether the object has its final name there. */
static const struct point {
    enum qc_fault_point point;
    bool published;
} points[] = {
    { QC_FP_cloud_tmp_made, false },   { QC_FP_cloud_tmp_written, false }, { QC_FP_cloud_tmp_synced, false },
    { QC_FP_cloud_tmp_linked, false }, { QC_FP_cloud_published, true },
};
enum { POINTS = sizeof points / sizeof points[0] };

static struct cloud *cloud_with(const struct place *p, const struct way *w)
{
    struct cloud *c = NULL;
    OK(cloud_create(p->url, &err));
    OK(cloud_open(&c, p->url, &err));
    if (w->over)
        OK(put(c, "f/key", old_bytes, SIZE, CLOUD_REPLACE, &err));
    else
        OK(cloud_delete(c, "f/key", &forever, &err));
    atomic_store(&file_of(c)->no_tmpfile, w->no_tmpfile);
    return c;
}

/* Put in a child that is killed at the point. Returns whether it was. */
static bool killed_at(const struct place *p, const struct way *w, enum qc_fault_point point)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct cloud *c = cloud_with(p, w);
        char script[64];
        struct qc_err err = { 0 };
        snprintf(script, sizeof script, "%s:kill:1", qc_fault_name(point));
        qc_fault_script(script);
        _exit(put(c, "f/key", new_bytes, SIZE, w->mode, &err) == QC_OK ? 0 : 1);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return true;
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0); /* this way does not pass there */
    return false;
}

static void kills(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < WAYS * POINTS; i++) {
        QC_CLEANUP(place_done) struct place p = place_new();
        const struct way *w = &ways[i / POINTS];
        const struct point *at = &points[i % POINTS];
        bool killed = killed_at(&p, w, at->point);
        count += killed;
        struct cloud *c = NULL;
        OK(cloud_open(&c, p.url, &err)); /* sweeps */
        enum content want = at->published || !killed ? NEW : w->over ? OLD : ABSENT;
        if (content(c, "f/key") != want) {
            fprintf(stderr, "put (%s), killed at %s\n", w->name, qc_fault_name(at->point));
            exit(1);
        }
        CHECK(entries(&p, FILE_TMP) == 0);
        CHECK(entries(&p, "f") == (want != ABSENT));
        OK(put(c, "f/key", new_bytes, SIZE, w->mode, &err)); /* the same again is always good */
        CHECK(content(c, "f/key") == NEW);
        cloud_close(&c);
    }
    printf("killed %u puts\n", count);
    CHECK(count == WAYS * (POINTS - 1) + 1); /* only "over" without a name passes cloud_tmp_linked */
}

static void errors(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < WAYS * POINTS; i++) {
        QC_CLEANUP(place_done) struct place p = place_new();
        const struct way *w = &ways[i / POINTS];
        const struct point *at = &points[i % POINTS];
        struct cloud *c = cloud_with(&p, w);
        char script[64];
        struct qc_err err = { 0 };
        snprintf(script, sizeof script, "%s:error:1", qc_fault_name(at->point));
        qc_fault_script(script);
        qc_rc rc = put(c, "f/key", new_bytes, SIZE, w->mode, &err);
        bool met = qc_fault_passes(at->point) > 0;
        qc_fault_script("");
        count += met;
        CHECK(rc == (met ? QC_IO : QC_OK));
        CHECK(content(c, "f/key") == (at->published || !met ? NEW : w->over ? OLD : ABSENT));
        CHECK(entries(&p, FILE_TMP) == 0); /* nothing is left lying about */
        qc_err_clear(&err);
        CHECK_OK(put(c, "f/key", new_bytes, SIZE, w->mode, &err));
        cloud_close(&c);
    }
    CHECK(count == WAYS * (POINTS - 1) + 1);
}

static qc_rc no_item(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    (void)ctx;
    (void)item;
    (void)err;
    return QC_OK;
}

/* Everything once. */
static qc_rc round_trip(const struct place *p, struct qc_err *err)
{
    QC_CLEANUP(cloud_close) struct cloud *c = NULL;
    QC_TRY(cloud_open(&c, p->url, err));
    qc_span part = QC_LIT("text");
    uint8_t b[8];
    size_t got = 0;
    struct cloud_page page;
    struct cloud_list_query q = { .prefix = "", .after = "", .limit = 10 };
    QC_TRY(cloud_put(c, "m/key", &part, 1, CLOUD_NEW, &forever, err));
    QC_TRY(cloud_put(c, "m/key", &part, 1, CLOUD_NEW, &forever, err));
    QC_TRY(cloud_get(c, "m/key", (struct cloud_range){ 0, sizeof b }, b, &got, &forever, err));
    QC_TRY(cloud_list(c, &q, no_item, NULL, &page, &forever, err));
    QC_TRY(cloud_delete(c, "m/key", &forever, err));
    CHECK(got == 4 && page.count == 1);
    return QC_OK;
}

static void allocations(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    OK(cloud_create(p.url, &err));
    int64_t live = qc_alloc_live();
    for (uint64_t n = 1;; n++) {
        CHECK(n < 100);
        struct qc_err err = { 0 };
        qc_fault_alloc(n);
        qc_rc rc = round_trip(&p, &err);
        qc_fault_alloc(0);
        CHECK(qc_alloc_live() == live);
        if (rc == QC_OK) {
            CHECK(n > 3); /* a loop that met no fault proves nothing */
            return;
        }
        CHECK(rc == QC_NOMEM);
    }
}

/* --- Disks --- */

static void mount_at(const char *dir, const char *options)
{
    CHECK(mkdir(dir, 0700) == 0 || errno == EEXIST);
    CHECK(mount("tmpfs", dir, "tmpfs", 0, options) == 0);
}

static void full_disk(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    mount_at(p.dir, "size=4m,nr_inodes=40");
    struct cloud *c = NULL;
    OK(cloud_create(p.url, &err));
    OK(cloud_open(&c, p.url, &err));
    OK(put(c, "f/key", old_bytes, SIZE, CLOUD_REPLACE, &err));
    struct cloud_space space;
    OK(cloud_space(c, &space, &forever, &err));
    CHECK(space.total == 4 * 1024 * 1024 && space.avail < 1024 * 1024);
    for (int named = 0; named < 2; named++) {
        atomic_store(&file_of(c)->no_tmpfile, named != 0);
        FAILS(QC_FULL, put(c, "f/other", new_bytes, SIZE, CLOUD_NEW, &err));
        FAILS(QC_FULL, put(c, "f/key", new_bytes, SIZE, CLOUD_REPLACE, &err));
        CHECK(content(c, "f/key") == OLD); /* what was there stays */
        CHECK(content(c, "f/other") == ABSENT);
        CHECK(entries(&p, FILE_TMP) == 0);
    }
    struct qc_err why = { 0 };
    qc_rc rc = QC_OK;
    for (int i = 0; i < 60 && rc == QC_OK; i++) { /* out of inodes rather than bytes */
        char key[32];
        snprintf(key, sizeof key, "small/%02d", i);
        rc = put(c, key, new_bytes, 3, CLOUD_NEW, &why);
    }
    CHECK(rc == QC_FULL);
    OK(cloud_delete(c, "f/key", &forever, &err)); /* makes room, for both */
    OK(put(c, "f/key", new_bytes, SIZE, CLOUD_REPLACE, &err));
    CHECK(content(c, "f/key") == NEW);
    cloud_close(&c);
    CHECK(umount(p.dir) == 0);
}

static void read_only_disk(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    mount_at(p.dir, "size=16m");
    struct cloud *c = NULL;
    OK(cloud_create(p.url, &err));
    OK(cloud_open(&c, p.url, &err));
    OK(put(c, "f/key", old_bytes, SIZE, CLOUD_REPLACE, &err));
    char left[600];
    snprintf(left, sizeof left, "%s/" FILE_TMP, p.dir);
    CHECK(mkdir(left, 0700) == 0);
    snprintf(left, sizeof left, "%s/" FILE_TMP "/.tmp-1-0000000000000001", p.dir);
    int fd = open(left, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && close(fd) == 0);
    CHECK(mount(NULL, p.dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    for (int again = 0; again < 2;
         again++) { /* seen by an open handle, and by a new one, which cannot sweep */
        FAILS(QC_AUTH, put(c, "f/key", new_bytes, SIZE, CLOUD_REPLACE, &err));
        FAILS(QC_AUTH, put(c, "f/other", new_bytes, SIZE, CLOUD_NEW, &err));
        FAILS(QC_AUTH, put(c, "g/other", new_bytes, SIZE, CLOUD_NEW, &err));
        FAILS(QC_AUTH, cloud_delete(c, "f/key", &forever, &err));
        CHECK(content(c, "f/key") == OLD);
        OK(cloud_alive(c, &forever, &err));
        cloud_close(&c);
        OK(cloud_open(&c, p.url, &err));
    }
    cloud_close(&c);
    CHECK(umount(p.dir) == 0);
}

static void unmounted_disk(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    mount_at(p.dir, "size=16m");
    struct cloud *c = NULL;
    OK(cloud_create(p.url, &err));
    OK(cloud_open(&c, p.url, &err));
    OK(put(c, "f/key", old_bytes, SIZE, CLOUD_REPLACE, &err));
    CHECK(umount2(p.dir, MNT_DETACH) == 0);
    uint64_t size = 0;
    FAILS(QC_TEMP, put(c, "f/key", new_bytes, SIZE, CLOUD_REPLACE, &err));
    FAILS(QC_TEMP, cloud_head(c, "f/key", &size, &forever, &err));
    FAILS(QC_TEMP, cloud_delete(c, "f/key", &forever, &err));
    FAILS(QC_TEMP, cloud_alive(c, &forever, &err));
    CHECK(entries(&p, "") == 0); /* the mount point got nothing */
    struct cloud *other = NULL;
    FAILS(QC_NOTFOUND, cloud_open(&other, p.url, &err));
    cloud_close(&c);
}

/* As somebody who may not: root passes all permission bits. */
static void no_permission(void)
{
    enum { NOBODY = 65534 };
    QC_CLEANUP(place_done) struct place p = place_new();
    struct cloud *c = NULL;
    OK(cloud_create(p.url, &err));
    OK(cloud_open(&c, p.url, &err));
    OK(put(c, "f/key", old_bytes, SIZE, CLOUD_REPLACE, &err));
    CHECK(seteuid(NOBODY) == 0);
    struct cloud *other = NULL;
    FAILS(QC_AUTH, cloud_open(&other, p.url, &err));
    CHECK(seteuid(0) == 0);
    CHECK(chmod(p.tmp.path, 0755) == 0 && chmod(p.dir, 0755) == 0);
    char f[400];
    snprintf(f, sizeof f, "%s/f", p.dir);
    CHECK(chmod(f, 0755) == 0);
    CHECK(seteuid(NOBODY) == 0);
    OK(cloud_open(&other, p.url, &err));
    FAILS(QC_AUTH, put(other, "f/key", new_bytes, SIZE, CLOUD_REPLACE, &err));
    FAILS(QC_AUTH, put(other, "g/key", new_bytes, SIZE, CLOUD_REPLACE, &err));
    FAILS(QC_AUTH, cloud_delete(other, "f/key", &forever, &err));
    uint8_t b[1];
    size_t got = 0;
    FAILS(QC_AUTH, cloud_get(other, "f/key", (struct cloud_range){ 0, 1 }, b, &got, &forever, &err));
    CHECK(seteuid(0) == 0);
    CHECK(content(c, "f/key") == OLD);
    cloud_close(&other);
    cloud_close(&c);
}

int main(void)
{
    memset(old_bytes, 0x0f, sizeof old_bytes);
    for (size_t i = 0; i < sizeof new_bytes; i++)
        new_bytes[i] = (uint8_t)(i * 13);
    kills();
    errors();
    allocations();
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        printf(
            "skipped: full, read-only, unmounted disks and foreign users need root and a mount namespace\n");
        return 0;
    }
    full_disk();
    read_only_disk();
    unmounted_disk();
    no_permission();
    return 0;
}

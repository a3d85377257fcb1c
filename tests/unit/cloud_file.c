/* unit/cloud_file: what is special about a directory as a cloud: marks, lost directories, foreign files,
 * leftovers. */
#include "cloud/cloud.h"

#include "base/limits.h"
#include "file.h"
#include "qc_check.h"
#include "qc_expect.h"
#include "qc_tmpdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

static const struct cloud_op forever = { .deadline = { 0 } };

/* A test's own cloud: its directory is TMP/cloud. */
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

static struct cloud *cloud_at(const struct place *p)
{
    struct cloud *c = NULL;
    OK(cloud_create(p->url, &err));
    OK(cloud_open(&c, p->url, &err));
    return c;
}

/* A path below the cloud's directory; of the last call only. */
static const char *below(const struct place *p, const char *name)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    return path;
}

static void file_make(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    QC_ASSERT(fd >= 0);
    QC_ASSERT(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static unsigned entries(const char *path)
{
    DIR *d = opendir(path);
    unsigned n = 0;
    if (d == NULL)
        return 0;
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
    closedir(d);
    return n;
}

static qc_rc put(struct cloud *c, const char *key, const char *text, enum cloud_put_mode mode,
                 struct qc_err *err)
{
    qc_span part = qc_span_str(text);
    return cloud_put(c, key, &part, 1, mode, &forever, err);
}

static void holds(struct cloud *c, const char *key, const char *text)
{
    uint8_t b[256];
    size_t got = 0;
    OK(cloud_get(c, key, (struct cloud_range){ 0, sizeof b }, b, &got, &forever, &err));
    QC_ASSERT(qc_span_eq(qc_span_of(b, got), qc_span_str(text)));
}

static void opening(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    struct cloud *c = NULL;
    FAILS(QC_NOTFOUND, cloud_open(&c, p.url, &err)); /* no directory */
    QC_ASSERT(mkdir(p.dir, 0700) == 0);
    FAILS(QC_NOTFOUND, cloud_open(&c, p.url, &err)); /* empty: an unmounted disk looks so */
    QC_ASSERT(entries(p.dir) == 0);                  /* and nothing was written to it */
    file_make(below(&p, "letter.txt"), "mine");
    FAILS(QC_CONFLICT, cloud_create(p.url, &err)); /* somebody's directory */
    QC_ASSERT(entries(p.dir) == 1);
    QC_ASSERT(unlink(below(&p, "letter.txt")) == 0);
    QC_ASSERT(mkdir(below(&p, "lost+found"), 0700) == 0);
    OK(cloud_create(p.url, &err)); /* the root of a fresh disk */
    OK(cloud_open(&c, p.url, &err));
    cloud_close(&c);
    QC_ASSERT(unlink(below(&p, FILE_MARK)) == 0);
    QC_ASSERT(mkdir(below(&p, FILE_MARK), 0700) == 0);
    FAILS(QC_NOTFOUND, cloud_open(&c, p.url, &err)); /* a mark is a file */
    QC_ASSERT(c == NULL);

    char url[400];
    snprintf(url, sizeof url, "file://%s/not/there", p.tmp.path);
    FAILS(QC_NOTFOUND, cloud_create(url, &err)); /* the parent must exist */
    snprintf(url, sizeof url, "file://%s/plain", p.tmp.path);
    file_make(url + 7, "x");
    FAILS(QC_USAGE, cloud_open(&c, url, &err));
    FAILS(QC_USAGE, cloud_create(url, &err));
    snprintf(url, sizeof url, "file://%s/with%%20space%%25", p.tmp.path);
    OK(cloud_create(url, &err));
    OK(cloud_open(&c, url, &err));
    cloud_close(&c);
    snprintf(url, sizeof url, "%s/with space%%/" FILE_MARK, p.tmp.path);
    QC_ASSERT(access(url, F_OK) == 0);
}

static void urls_refused(void)
{
    static const char *const bad[] = { "/srv/cloud",      "srv/cloud",         "",
                                       "file:",           "file:/srv",         "file://",
                                       "file://host/srv", "file:///srv?x=1",   "file:///srv#x",
                                       "file:///a b",     "file:///a%2",       "file:///a%00b",
                                       "file:///a%2fb",   "File:///a",         "ftp://host/",
                                       "s3 ://x",         "file://u:pw@host/a" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cloud *c = NULL;
        struct qc_err why = { 0 };
        QC_ASSERT(cloud_open(&c, bad[i], &why) == QC_USAGE && c == NULL);
        QC_ASSERT(strstr(why.msg, "pw") == NULL); /* I5: nothing of a secret in a message */
        FAILS(QC_USAGE, cloud_create(bad[i], &err));
    }
    struct qc_err why = { 0 };
    struct cloud *c = NULL;
    QC_ASSERT(cloud_open(&c, "/srv/cloud", &why) == QC_USAGE && strstr(why.msg, "file://") != NULL);
    why = (struct qc_err){ 0 };
    QC_ASSERT(cloud_open(&c, "gopher://h/", &why) == QC_USAGE && strstr(why.msg, "known: file") != NULL);
}

static void exclusive(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    struct cloud *shared = cloud_at(&p);
    struct cloud_opts opts = { .name = "osaka", .exclusive = true };
    struct cloud *one = NULL;
    struct cloud *two = NULL;
    OK(cloud_open_opts(&one, p.url, &opts, &err));
    QC_ASSERT(strcmp(cloud_name(one), "osaka") == 0);
    struct qc_err why = { 0 };
    QC_ASSERT(cloud_open_opts(&two, p.url, &opts, &why) == QC_LOCKED && two == NULL);
    QC_ASSERT(strncmp(why.msg, "cloud osaka: ", 13) == 0);
    cloud_close(&one);
    OK(cloud_open_opts(&two, p.url, &opts, &err));
    cloud_close(&two);
    cloud_close(&shared);
}

/* Every call says QC_TEMP, and nothing is written. */
static void all_lost(struct cloud *c)
{
    uint8_t b[8];
    size_t got = 0;
    uint64_t size = 0;
    struct cloud_space space;
    FAILS(QC_TEMP, cloud_alive(c, &forever, &err));
    FAILS(QC_TEMP, put(c, "a/b", "text", CLOUD_REPLACE, &err));
    FAILS(QC_TEMP, put(c, "a/c", "text", CLOUD_NEW, &err));
    FAILS(QC_TEMP, cloud_get(c, "a/b", (struct cloud_range){ 0, sizeof b }, b, &got, &forever, &err));
    FAILS(QC_TEMP, cloud_head(c, "a/b", &size, &forever, &err));
    FAILS(QC_TEMP, cloud_delete(c, "a/b", &forever, &err));
    FAILS(QC_TEMP, cloud_space(c, &space, &forever, &err));
}

static void lost(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    struct cloud *c = cloud_at(&p);
    OK(put(c, "a/b", "text", CLOUD_REPLACE, &err));
    char away[400];
    snprintf(away, sizeof away, "%s/away", p.tmp.path);

    QC_ASSERT(rename(p.dir, away) == 0); /* gone */
    all_lost(c);
    QC_ASSERT(mkdir(p.dir, 0700) == 0); /* as an empty mount point */
    all_lost(c);
    QC_ASSERT(entries(p.dir) == 0);
    OK(cloud_create(p.url, &err)); /* even another cloud in its place is not this one */
    all_lost(c);
    QC_ASSERT(entries(p.dir) == 1);
    QC_ASSERT(unlink(below(&p, FILE_MARK)) == 0 && rmdir(p.dir) == 0);
    QC_ASSERT(rename(away, p.dir) == 0); /* back: alive again */
    OK(cloud_alive(c, &forever, &err));
    holds(c, "a/b", "text");

    QC_ASSERT(rename(below(&p, FILE_MARK), away) == 0);
    all_lost(c);
    file_make(below(&p, FILE_MARK), "another");
    all_lost(c);
    QC_ASSERT(rename(away, below(&p, FILE_MARK)) == 0);
    OK(cloud_alive(c, &forever, &err));
    holds(c, "a/b", "text");
    cloud_close(&c);
}

static qc_rc count_one(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    (void)err;
    unsigned *n = ctx;
    (*n)++;
    QC_ASSERT(strcmp(item->key, "dir/ours") == 0 && item->size == 4);
    return QC_OK;
}

/* What others put into the directory: never followed, never told, never a reason to hang. */
static void foreign(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    struct cloud *c = cloud_at(&p);
    OK(put(c, "dir/ours", "text", CLOUD_REPLACE, &err));
    QC_ASSERT(symlink("ours", below(&p, "dir/link")) == 0);
    QC_ASSERT(symlink("dir", below(&p, "dirlink")) == 0);
    QC_ASSERT(mkfifo(below(&p, "dir/fifo"), 0600) == 0);
    QC_ASSERT(mkdir(below(&p, "dir/sub"), 0700) == 0);
    QC_ASSERT(mkdir(below(&p, "empty"), 0700) == 0);
    file_make(below(&p, "Thumbs.db"), "x");
    file_make(below(&p, "dir/with space"), "x");
    file_make(below(&p, "dir/.hidden"), "x");
    unsigned n = 0;
    struct cloud_page page;
    struct cloud_list_query q = { .prefix = "", .after = "", .limit = 10 };
    OK(cloud_list(c, &q, count_one, &n, &page, &forever, &err));
    QC_ASSERT(n == 1 && page.count == 1 && !page.more);

    uint8_t b[8];
    size_t got = 0;
    struct cloud_range r = { 0, sizeof b };
    FAILS(QC_IO, cloud_get(c, "dir/link", r, b, &got, &forever, &err));
    FAILS(QC_IO, cloud_get(c, "dir/fifo", r, b, &got, &forever, &err));
    FAILS(QC_NOTFOUND, cloud_get(c, "dir/sub", r, b, &got, &forever, &err));
    FAILS(QC_NOTFOUND, cloud_get(c, "dirlink/ours", r, b, &got, &forever, &err));
    FAILS(QC_CONFLICT, put(c, "dirlink/new", "x", CLOUD_REPLACE, &err));
    OK(put(c, "dir/link", "new", CLOUD_REPLACE,
           &err)); /* the link itself is replaced, not what it points to */
    holds(c, "dir/link", "new");
    holds(c, "dir/ours", "text");
    cloud_close(&c);
}

/* File systems without O_TMPFILE: the same promises by another way. */
static void without_tmpfile(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    struct cloud *c = cloud_at(&p);
    struct file_cloud *f = file_of(c);
    atomic_store(&f->no_tmpfile, true);
    OK(put(c, "k/a", "one", CLOUD_NEW, &err));
    OK(put(c, "k/a", "one", CLOUD_NEW, &err));
    FAILS(QC_CONFLICT, put(c, "k/a", "two", CLOUD_NEW, &err));
    holds(c, "k/a", "one");
    OK(put(c, "k/a", "three", CLOUD_REPLACE, &err));
    holds(c, "k/a", "three");
    FAILS(QC_CONFLICT, put(c, "k", "x", CLOUD_REPLACE, &err));
    FAILS(QC_CONFLICT, put(c, "k", "x", CLOUD_NEW, &err));
    QC_ASSERT(entries(below(&p, FILE_TMP)) == 0);
    QC_ASSERT(entries(below(&p, "k")) == 1);
    cloud_close(&c);
}

static void nothing_left(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    struct cloud *c = cloud_at(&p);
    for (int i = 0; i < 5; i++)
        OK(put(c, "k/a", "again", CLOUD_REPLACE, &err));
    QC_ASSERT(entries(below(&p, "k")) == 1);
    QC_ASSERT(entries(below(&p, FILE_TMP)) == 0);
    cloud_close(&c);
}

/* Temporary files: of the dead they are removed at the next opening, of the living they stay. */
static void sweeping(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    struct cloud *c = cloud_at(&p);
    OK(put(c, "k/a", "one", CLOUD_REPLACE, &err));
    cloud_close(&c);
    QC_ASSERT(mkdir(below(&p, FILE_TMP), 0700) == 0);
    file_make(below(&p, FILE_TMP "/.tmp-1-00000000000000aa"), "dead");
    file_make(below(&p, FILE_TMP "/.tmp-2-00000000000000bb"), "alive");
    file_make(below(&p, FILE_TMP "/not-ours"), "x");
    int held = open(below(&p, FILE_TMP "/.tmp-2-00000000000000bb"), O_RDONLY | O_CLOEXEC);
    QC_ASSERT(held >= 0 && flock(held, LOCK_EX | LOCK_NB) == 0);
    OK(cloud_open(&c, p.url, &err));
    QC_ASSERT(access(below(&p, FILE_TMP "/.tmp-1-00000000000000aa"), F_OK) != 0);
    QC_ASSERT(access(below(&p, FILE_TMP "/.tmp-2-00000000000000bb"), F_OK) == 0);
    QC_ASSERT(access(below(&p, FILE_TMP "/not-ours"), F_OK) == 0);
    close(held);
    cloud_close(&c);
    OK(cloud_open(&c, p.url, &err));
    QC_ASSERT(entries(below(&p, FILE_TMP)) == 1);
    cloud_close(&c);
}

enum { PAGE = 4096, LARGE = 700 * 1024 };

/* A file system that is nothing but page cache has none to pass by. */
static bool on_disk(const struct place *p)
{
    struct statfs s;
    QC_ASSERT(statfs(p->dir, &s) == 0);
    return s.f_type != 0x01021994 && s.f_type != 0x794c7630; /* tmpfs, overlayfs */
}

/* How much of an object's file is in the page cache. */
static size_t cached_pages(const struct place *p, const char *key)
{
    unsigned char in[LARGE / PAGE + 2];
    size_t n = 0;
    int fd = open(below(p, key), O_RDONLY | O_CLOEXEC);
    QC_ASSERT(fd >= 0);
    const size_t size = (size_t)lseek(fd, 0, SEEK_END);
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    QC_ASSERT(map != MAP_FAILED && mincore(map, size, in) == 0);
    for (size_t i = 0; i < (size + PAGE - 1) / PAGE; i++)
        n += in[i] & 1U;
    munmap(map, size);
    close(fd);
    return n;
}

/* What lies in memory as it will lie in the file passes the page cache by; what does not, does not; the bytes
 * are the same. A part of `size` bytes behind `before` others, its memory beginning `skew` after a page. */
static void past_the_cache(void)
{
    static const struct {
        size_t before, skew, size;
        bool direct;
    } rows[] = {
        { 136, 136, LARGE, true },
        { 0, 0, LARGE, true },
        { 0, 0, 512 * 1024, true },
        { PAGE, 0, LARGE - 1, true },
        { 5000, 904, LARGE - 77, true },
        { 136, 135, LARGE, false },
        { 136, 0, LARGE, false },
        { 0, 64, LARGE, false },
        { 0, 0, CLOUD_DIRECT_MIN - 1, false },
        { 0, 0, CLOUD_DIRECT_MIN, true },
    };
    QC_CLEANUP(place_done) struct place p = place_new();
    struct cloud *c = cloud_at(&p);
    uint8_t *memory = aligned_alloc(PAGE, LARGE + 2 * PAGE), *got = malloc(2 * LARGE),
            *want = malloc(2 * LARGE);
    QC_ASSERT(memory != NULL && got != NULL && want != NULL);
    for (size_t i = 0; i < LARGE + 2 * PAGE; i++)
        memory[i] = (uint8_t)(i * 131 + (i >> 8) * 17);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const qc_span parts[] = { { memory + 1, rows[i].before },
                                  { memory + rows[i].skew, rows[i].size },
                                  { memory + 7, 200 } };
        const size_t total = rows[i].before + rows[i].size + 200;
        size_t n = 0, at = 0;
        char key[16];
        for (size_t x = 0; x < 3; at += parts[x].n, x++)
            memcpy(want + at, parts[x].p, parts[x].n);
        snprintf(key, sizeof key, "l/%zu", i);
        OK(cloud_put(c, key, parts, 3, CLOUD_NEW, &forever, &err));
        if (!atomic_load(&file_of(c)->no_direct) && on_disk(&p))
            CHECK((cached_pages(&p, key) < 4) == rows[i].direct);
        OK(cloud_put(c, key, parts, 3, CLOUD_NEW, &forever, &err)); /* compared, through the cache */
        OK(cloud_get(c, key, (struct cloud_range){ 0, 2 * LARGE }, got, &n, &forever, &err));
        CHECK(n == total && memcmp(got, want, total) == 0);
        want[rows[i].before + rows[i].size / 2] ^= 1;
        FAILS(QC_CONFLICT, cloud_put(c, key, &(qc_span){ want, total }, 1, CLOUD_NEW, &forever, &err));
    }
    free(want);
    free(got);
    free(memory);
    cloud_close(&c);
}

/* Keys that are none are our bug. */
static void contracts(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    struct cloud *c = cloud_at(&p);
    static const char *const bad[] = { "../outside", FILE_MARK, "Upper", "" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct qc_err err = { 0 };
        CHECK_DIES(qc_ignore(put(c, bad[i], "x", CLOUD_REPLACE, &err), "it does not come back"));
    }
    cloud_close(&c);
}

int main(void)
{
    opening();
    urls_refused();
    exclusive();
    lost();
    foreign();
    without_tmpfile();
    nothing_left();
    sweeping();
    past_the_cache();
    contracts();
    return 0;
}

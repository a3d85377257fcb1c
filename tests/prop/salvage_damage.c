/* prop/salvage_damage: whatever happens to the files that are given, share stores included: the run ends by
 * itself, no file has a byte that was not stored, what is not the newest is not called so, status 0 means
 * that all is there, and nothing is left allocated. */
#include "salvage_rig.h"

#include <dirent.h>

#include "base/alloc.h"
#include "qc_seed.h"

static const char newest[] = "the newest version", older[] = "an older version", gone[] = "gone";
static struct salvage s;

static uint64_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void write_at(const char *path, uint64_t at, uint8_t byte)
{
    FILE *f = fopen(path, "r+be");

    CHECK(f != NULL && fseek(f, (long)at, SEEK_SET) == 0 && fputc(byte, f) == byte && fclose(f) == 0);
}

static void flip(struct qc_rand *r, const char *path)
{
    const uint64_t size = size_of(path);
    FILE *f = fopen(path, "rbe");

    if (size > 0) {
        const uint64_t at = qc_rand_below(r, size);
        CHECK(f != NULL && fseek(f, (long)at, SEEK_SET) == 0);
        write_at(path, at, (uint8_t)(fgetc(f) ^ (1 << qc_rand_below(r, 8))));
    }
    if (f != NULL)
        fclose(f);
}

/* One change of one file. */
static void hurt(struct qc_rand *r)
{
    const char *path = rig.path[qc_rand_below(r, rig.count)], *other = rig.path[qc_rand_below(r, rig.count)];
    const uint64_t size = size_of(path);

    if (access(path, F_OK) != 0)
        return;
    switch (qc_rand_below(r, 6)) {
    case 0:
        CHECK(truncate(path, (off_t)qc_rand_below(r, size + 1)) == 0);
        break;
    case 1:
        CHECK(truncate(path, (off_t)(size + 1 + qc_rand_below(r, 5000))) == 0);
        break;
    case 2:
        CHECK(unlink(path) == 0);
        break;
    case 3:
        if (other != path && access(other, F_OK) == 0)
            rig_copy_file(other, path);
        break;
    default:
        flip(r, path);
        break;
    }
}

static bool is_one_of_ours(const char *text, size_t n)
{
    uint8_t bytes[768];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    return n == 0 || (n == sizeof bytes && memcmp(text, bytes, n) == 0) ||
           (n == sizeof newest - 1 && memcmp(text, newest, n) == 0) ||
           (n == sizeof older - 1 && memcmp(text, older, n) == 0) ||
           (n == sizeof gone - 1 && memcmp(text, gone, n) == 0);
}

static int check_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    char text[4096];
    size_t n = 0;

    (void)at;
    if (kind != FTW_F)
        return 0;
    FILE *f = fopen(path, "rbe");
    CHECK(f != NULL && (size_t)st->st_size < sizeof text);
    n = fread(text, 1, sizeof text, f);
    fclose(f);
    if (!is_one_of_ours(text, n))
        fprintf(stderr, "%s: %zu bytes that nobody stored\n", path, n);
    CHECK(is_one_of_ours(text, n));
    return 0;
}

static void check_case(int status)
{
    char out[RIG_PATH + 8];
    const char *twice = rig_read("a/twice");
    const bool stale = twice != NULL && strcmp(twice, newest) != 0;

    CHECK(!stale || (strcmp(twice, older) == 0 && status != 0));
    CHECK(rig_read("removed") == NULL || status != 0);
    CHECK(status != 0 || (twice != NULL && rig_read("empty") != NULL && rig_read("a/b/some bytes") != NULL));
    snprintf(out, sizeof out, "%s/out", rig.top);
    CHECK(nftw(out, check_one, 16, FTW_PHYS) == 0 || errno == ENOENT);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    unsigned ended[256] = { 0 };

    rig_start();
    CHECK(freopen("/dev/null", "w", stdout) != NULL);
    for (uint64_t left = qc_rand_cases(80, 3000); left > 0; left--) {
        QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir t = qc_tmpdir_new();
        const unsigned shares = 1 + (unsigned)qc_rand_below(&r, 3);
        const struct rig_run run = { .share = { shares & 1, shares >> 1 & 1 },
                                     .kit = qc_rand_below(&r, 2) == 0,
                                     .thorough = qc_rand_below(&r, 2) == 0,
                                     .partial = qc_rand_below(&r, 2) == 0 };
        const int64_t live = qc_alloc_live();
        struct qc_err err = { 0 };
        int status = 0;
        rig_copy(t.path);
        for (uint64_t hurts = qc_rand_below(&r, left % 4 == 0 ? 40 : 8); hurts > 0; hurts--)
            hurt(&r);
        const qc_rc rc = rig_salvage(&run, &s, &status, &err);
        CHECK(rc == QC_OK || status != 0);
        CHECK(qc_alloc_live() == live);
        check_case(status);
        ended[status & 255]++;
    }
    CHECK(ended[0] > 0 && ended[4] + ended[6] > 0);
    return 0;
}

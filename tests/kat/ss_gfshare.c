/* kat/ss_gfshare: libgfshare's gfcombine opens our shares and its gfsplit's shares open here, all triples of
 * four. */
#include "qc_check.h"
#include "qc_seed.h"
#include "ss/shamir.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 1000, SHARES = 4 };

extern char **environ;

/* Runs in the current folder; true when the program left with 0. */
static bool run(const char *const *argv)
{
    pid_t pid = 0;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0) {
        fprintf(stderr, "%s does not start: install libgfshare-bin\n", argv[0]);
        exit(1);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void file_write(const char *name, const uint8_t *p)
{
    FILE *f = fopen(name, "wb");
    CHECK(f != NULL && fwrite(p, 1, SIZE, f) == SIZE);
    CHECK(fclose(f) == 0);
}

static void file_read(const char *name, uint8_t *p)
{
    FILE *f = fopen(name, "rb");
    CHECK(f != NULL && fread(p, 1, SIZE, f) == SIZE && fgetc(f) == EOF);
    CHECK(fclose(f) == 0);
}

static void share_name(char name[16], unsigned point)
{
    CHECK(snprintf(name, 16, "share.%03u", point) == 9);
}

/* Our split, their combination. */
static void ours_to_theirs(struct qc_rand *r, const uint8_t *secret)
{
    static const uint8_t points[SHARES] = { 1, 2, 77, 255 };
    static uint8_t y[SHARES][SIZE], coeffs[2 * SIZE], out[SIZE];
    uint8_t *share[SHARES] = { y[0], y[1], y[2], y[3] };
    char name[SHARES][16];
    struct qc_err err = { 0 };
    qc_rand_fill(r, coeffs, sizeof coeffs);
    CHECK(ss_split(3, SHARES, points, (qc_span){ secret, SIZE }, (qc_span){ coeffs, sizeof coeffs }, share,
                   &err) == QC_OK);
    for (unsigned i = 0; i < SHARES; i++) {
        share_name(name[i], points[i]);
        file_write(name[i], y[i]);
    }
    for (unsigned left_out = 0; left_out < SHARES; left_out++) {
        const char *argv[7] = { "gfcombine", "-o", "combined" };
        for (unsigned i = 0, count = 3; i < SHARES; i++)
            if (i != left_out)
                argv[count++] = name[i];
        CHECK(run(argv));
        file_read("combined", out);
        CHECK(memcmp(out, secret, SIZE) == 0);
        CHECK(unlink("combined") == 0);
    }
    for (unsigned i = 0; i < SHARES; i++)
        CHECK(unlink(name[i]) == 0);
}

/* The points that gfsplit chose, from the names of its files. */
static unsigned points_found(uint8_t points[SHARES])
{
    DIR *dir = opendir(".");
    CHECK(dir != NULL);
    unsigned count = 0;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        if (strncmp(e->d_name, "theirs.", 7) == 0) {
            CHECK(count < SHARES);
            points[count++] = (uint8_t)strtoul(e->d_name + 7, NULL, 10);
        }
    CHECK(closedir(dir) == 0);
    return count;
}

/* Their split, our combination. */
static void theirs_to_ours(const uint8_t *secret)
{
    static uint8_t y[SHARES][SIZE], out[SIZE];
    uint8_t points[SHARES];
    file_write("secret", secret);
    const char *argv[] = { "gfsplit", "-n", "3", "-m", "4", "secret", "theirs", NULL };
    CHECK(run(argv));
    CHECK(points_found(points) == SHARES);
    for (unsigned i = 0; i < SHARES; i++) {
        char name[16];
        CHECK(snprintf(name, sizeof name, "theirs.%03u", points[i]) == 10);
        file_read(name, y[i]);
        CHECK(unlink(name) == 0);
    }
    CHECK(unlink("secret") == 0);
    for (unsigned left_out = 0; left_out < SHARES; left_out++) {
        uint8_t at[3];
        const uint8_t *given[3];
        for (unsigned i = 0, count = 0; i < SHARES; i++)
            if (i != left_out) {
                at[count] = points[i];
                given[count++] = y[i];
            }
        struct qc_err err = { 0 };
        CHECK(ss_combine(3, at, given, SIZE, 0, out, &err) == QC_OK);
        CHECK(memcmp(out, secret, SIZE) == 0);
        CHECK(ss_combine(3, at, given, SIZE, points[left_out], out, &err) == QC_OK);
        CHECK(memcmp(out, y[left_out], SIZE) == 0);
    }
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    static uint8_t secret[SIZE];
    char folder[] = "/tmp/qc_ss_gfshare.XXXXXX";
    CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
    qc_rand_fill(&r, secret, sizeof secret);
    ours_to_theirs(&r, secret);
    for (unsigned i = 0; i < 8; i++) /* gfsplit draws its points and coefficients anew each time */
        theirs_to_ours(secret);
    CHECK(chdir("/") == 0 && rmdir(folder) == 0);
    return 0;
}

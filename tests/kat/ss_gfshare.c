/* kat/ss_gfshare: libgfshare's gfcombine opens our shares and its gfsplit's shares open here, all triples of
 * four. */
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
    QC_ASSERT(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void file_write(const char *name, const uint8_t *p)
{
    FILE *f = fopen(name, "wb");
    QC_ASSERT(f != NULL && fwrite(p, 1, SIZE, f) == SIZE);
    QC_ASSERT(fclose(f) == 0);
}

static void file_read(const char *name, uint8_t *p)
{
    FILE *f = fopen(name, "rb");
    QC_ASSERT(f != NULL && fread(p, 1, SIZE, f) == SIZE && fgetc(f) == EOF);
    QC_ASSERT(fclose(f) == 0);
}

static void share_name(char name[16], unsigned point)
{
    QC_ASSERT(snprintf(name, 16, "share.%03u", point) == 9);
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
    QC_ASSERT(ss_split(3, SHARES, points, (qc_span){ secret, SIZE }, (qc_span){ coeffs, sizeof coeffs },
                       share, &err) == QC_OK);
    for (unsigned i = 0; i < SHARES; i++) {
        share_name(name[i], points[i]);
        file_write(name[i], y[i]);
    }
    for (unsigned left_out = 0; left_out < SHARES; left_out++) {
        const char *argv[7] = { "gfcombine", "-o", "combined" };
        for (unsigned i = 0, count = 3; i < SHARES; i++)
            if (i != left_out)
                argv[count++] = name[i];
        QC_ASSERT(run(argv));
        file_read("combined", out);
        QC_ASSERT(memcmp(out, secret, SIZE) == 0);
        QC_ASSERT(unlink("combined") == 0);
    }
    for (unsigned i = 0; i < SHARES; i++)
        QC_ASSERT(unlink(name[i]) == 0);
}

/* The points that gfsplit chose, from the names of its files. */
static unsigned points_found(uint8_t points[SHARES])
{
    DIR *dir = opendir(".");
    QC_ASSERT(dir != NULL);
    unsigned count = 0;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        if (strncmp(e->d_name, "theirs.", 7) == 0) {
            QC_ASSERT(count < SHARES);
            points[count++] = (uint8_t)strtoul(e->d_name + 7, NULL, 10);
        }
    QC_ASSERT(closedir(dir) == 0);
    return count;
}

/* Their split, our combination. */
static void theirs_to_ours(const uint8_t *secret)
{
    static uint8_t y[SHARES][SIZE], out[SIZE];
    uint8_t points[SHARES];
    file_write("secret", secret);
    const char *argv[] = { "gfsplit", "-n", "3", "-m", "4", "secret", "theirs", NULL };
    QC_ASSERT(run(argv));
    QC_ASSERT(points_found(points) == SHARES);
    for (unsigned i = 0; i < SHARES; i++) {
        char name[16];
        QC_ASSERT(snprintf(name, sizeof name, "theirs.%03u", points[i]) == 10);
        file_read(name, y[i]);
        QC_ASSERT(unlink(name) == 0);
    }
    QC_ASSERT(unlink("secret") == 0);
    for (unsigned left_out = 0; left_out < SHARES; left_out++) {
        uint8_t at[3];
        const uint8_t *given[3];
        for (unsigned i = 0, count = 0; i < SHARES; i++)
            if (i != left_out) {
                at[count] = points[i];
                given[count++] = y[i];
            }
        struct qc_err err = { 0 };
        QC_ASSERT(ss_combine(3, at, given, SIZE, 0, out, &err) == QC_OK);
        QC_ASSERT(memcmp(out, secret, SIZE) == 0);
        QC_ASSERT(ss_combine(3, at, given, SIZE, points[left_out], out, &err) == QC_OK);
        QC_ASSERT(memcmp(out, y[left_out], SIZE) == 0);
    }
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    static uint8_t secret[SIZE];
    char folder[] = "/tmp/qc_ss_gfshare.XXXXXX";
    QC_ASSERT(mkdtemp(folder) != NULL && chdir(folder) == 0);
    qc_rand_fill(&r, secret, sizeof secret);
    ours_to_theirs(&r, secret);
    for (unsigned i = 0; i < 8; i++) /* gfsplit draws its points and coefficients anew each time */
        theirs_to_ours(secret);
    QC_ASSERT(chdir("/") == 0 && rmdir(folder) == 0);
    return 0;
}

/* Runs a fuzz target without libFuzzer: the corpus, fixed inputs, and mutations of both. Usage: PROGRAM
 * CORPUS_DIR */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "qc_fuzz.h"

enum { CORPUS_MAX = 4096, FILE_MAX = 1 << 20, MUTATIONS = 3000 };

struct input {
    uint8_t *p;
    size_t n;
};

static struct input corpus[CORPUS_MAX];
static size_t corpus_count;
static uint64_t state;

/* splitmix64 */
static uint64_t next(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* A copy of exact size, so that the sanitizers see a read past its end. */
static void run(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);

    if (copy == NULL)
        die("malloc");
    if (n > 0)
        memcpy(copy, p, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void add(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);

    if (copy == NULL || corpus_count == CORPUS_MAX)
        die("the corpus is too large");
    if (n > 0)
        memcpy(copy, p, n);
    corpus[corpus_count].p = copy;
    corpus[corpus_count].n = n;
    corpus_count++;
}

static void add_file(const char *dir, const char *name)
{
    static uint8_t bytes[FILE_MAX];
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        die(path);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    if (ferror(f) || !feof(f))
        die(path);
    fclose(f);
    add(bytes, n);
}

static void add_dir(const char *dir)
{
    DIR *d = opendir(dir);

    if (d == NULL && errno == ENOENT)
        return; /* a target without a corpus has the fixed inputs */
    if (d == NULL)
        die(dir);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (e->d_name[0] != '.')
            add_file(dir, e->d_name);
    }
    closedir(d);
}

static void add_fixed(void)
{
    uint8_t bytes[64];

    add(NULL, 0);
    for (size_t n = 1; n <= sizeof bytes; n++) {
        memset(bytes, 0, sizeof bytes);
        add(bytes, n);
        memset(bytes, 0xff, sizeof bytes);
        add(bytes, n);
    }
}

/* Some bytes changed, a part cut out or doubled, the end cut off. */
static void mutate(const struct input *in)
{
    size_t n = in->n, room = in->n + 64;
    uint8_t *p = calloc(1, room);

    if (p == NULL)
        die("calloc");
    if (n > 0)
        memcpy(p, in->p, n);
    for (uint64_t steps = 1 + next() % 4; steps > 0; steps--) {
        size_t at = n > 0 ? (size_t)(next() % n) : 0, len = 1 + (size_t)(next() % 16);

        switch (next() % 5) {
        case 0:
            if (n > 0)
                p[at] = (uint8_t)next();
            break;
        case 1:
            if (n > 0)
                p[at] ^= (uint8_t)(1U << (next() % 8));
            break;
        case 2:
            n = at;
            break;
        case 3:
            len = len > n - at ? n - at : len;
            memmove(p + at, p + at + len, n - at - len);
            n -= len;
            break;
        default:
            len = len > room - n ? room - n : len;
            memmove(p + at + len, p + at, n - at);
            n += len;
            break;
        }
    }
    run(p, n);
    free(p);
}

int main(int argc, char **argv)
{
    const char *seed = getenv("QC_SEED");

    state = seed != NULL ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
    printf("QC_SEED=%" PRIu64 "\n", state);
    fflush(stdout);
    add_fixed();
    if (argc > 1)
        add_dir(argv[1]);
    for (size_t i = 0; i < corpus_count; i++)
        run(corpus[i].p, corpus[i].n);
    for (int i = 0; i < MUTATIONS && corpus_count > 0; i++)
        mutate(&corpus[next() % corpus_count]);
    printf("%zu inputs, %d mutations\n", corpus_count, (int)MUTATIONS);
    for (size_t i = 0; i < corpus_count; i++)
        free(corpus[i].p);
    return 0;
}

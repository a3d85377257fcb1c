/* The first bytes of each object below a prefix: heads PREFIX [BYTES]   Of large objects, that alone is
 * fetched. cc heads.c $(pkg-config --cflags --libs qcloud) -o heads */
#include <inttypes.h>
#include <qcloud.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct names {
    char **v;
    uint64_t *size;
    size_t n;
};

static int keep(void *ctx, const struct qcloud_entry *e)
{
    struct names *names = ctx;
    char **v = realloc(names->v, (names->n + 1) * sizeof *v);
    if (v == NULL)
        return 1;
    names->v = v;
    uint64_t *size = realloc(names->size, (names->n + 1) * sizeof *size);
    if (size == NULL)
        return 1;
    names->size = size;
    names->v[names->n] = strdup(qcloud_entry_name(e));
    names->size[names->n] = qcloud_entry_size(e);
    return names->v[names->n++] == NULL;
}

static int print(void *ctx, const uint8_t *bytes, size_t n)
{
    (void)ctx;
    return fwrite(bytes, 1, n, stdout) != n; /* each byte was verified before it came here */
}

static int show(struct qcloud *q, const char *name, uint64_t size, uint64_t max)
{
    printf("==> %s (%" PRIu64 " bytes) <==\n", name, size);
    if (size == 0)
        return QCLOUD_OK;
    int code = qcloud_get_range(q, name, 0, size < max ? size : max, print, NULL);
    printf("\n");
    if (code != QCLOUD_OK)
        fprintf(stderr, "%s: %s\n", name, qcloud_message(q));
    return code;
}

int main(int argc, char **argv)
{
    struct names names = { 0 };
    uint64_t max = argc > 2 ? strtoull(argv[2], NULL, 10) : 80;
    if (argc < 2 || argc > 3 || max == 0) {
        fprintf(stderr, "usage: heads PREFIX [BYTES]\n");
        return QCLOUD_USAGE;
    }
    struct qcloud *q = qcloud_harden(NULL) == QCLOUD_OK ? qcloud_new() : NULL;
    if (q == NULL)
        return QCLOUD_TEMPORARY;
    int code = qcloud_open(q, NULL);
    if (code == QCLOUD_OK)
        code = qcloud_list(q, argv[1], keep, &names);
    if (code != QCLOUD_OK)
        fprintf(stderr, "%s: %s\n", argv[0], qcloud_message(q));
    for (size_t i = 0; i < names.n; i++) {
        if (code == QCLOUD_OK)
            code = show(q, names.v[i], names.size[i], max);
        free(names.v[i]);
    }
    free(names.v);
    free(names.size);
    qcloud_free(q);
    return code;
}

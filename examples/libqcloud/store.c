/* Store files: store PREFIX FILE..   Each becomes PREFIX/FILE's name.
 *     cc store.c $(pkg-config --cflags --libs qcloud) -o store */
#include <inttypes.h>
#include <qcloud.h>
#include <stdio.h>
#include <string.h>

static void tell_progress(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    if (total != UINT64_MAX)
        fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " bytes are durable", done, total);
}

static void tell_note(void *ctx, const char *text)
{
    fprintf(stderr, "%s: note: %s\n", (const char *)ctx, text);
}

static int store(struct qcloud *q, const char *prefix, const char *path)
{
    const char *slash = strrchr(path, '/');
    char name[4097];
    int n = snprintf(name, sizeof name, "%s/%s", prefix, slash != NULL ? slash + 1 : path);
    if (n < 0 || n >= (int)sizeof name) {
        fprintf(stderr, "%s: the name is too long\n", path);
        return QCLOUD_USAGE;
    }
    int code = qcloud_put_file(q, name, path);
    if (code == QCLOUD_OK)
        fprintf(stderr, "\n%s: stored as %s\n", path, name);
    else /* QCLOUD_DEGRADED as well: it is stored, and the message says with less than what */
        fprintf(stderr, "\n%s: %s\n", path, qcloud_message(q));
    return code;
}

int main(int argc, char **argv)
{
    int worst = QCLOUD_OK;
    if (argc < 3) {
        fprintf(stderr, "usage: store PREFIX FILE..\n");
        return QCLOUD_USAGE;
    }
    if (qcloud_harden(NULL) != QCLOUD_OK)
        return QCLOUD_GENERAL;
    struct qcloud *q = qcloud_new();
    if (q == NULL)
        return QCLOUD_TEMPORARY;
    qcloud_set_progress(q, tell_progress, NULL);
    qcloud_set_notes(q, tell_note, argv[0]);
    int code = qcloud_open(q, NULL);
    if (code != QCLOUD_OK) {
        fprintf(stderr, "%s: %s\n", argv[0], qcloud_message(q));
        worst = code;
    }
    for (int i = 2; i < argc && code == QCLOUD_OK; i++) {
        int one = store(q, argv[1], argv[i]);
        worst = one > worst ? one : worst;
    }
    qcloud_free(q);
    return worst;
}

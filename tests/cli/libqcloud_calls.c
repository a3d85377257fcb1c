/* What cli/libqcloud runs: libqcloud's calls against a vault, in the order of argv.
 *   libqcloud_calls HOME SCRATCH       HOME: a vault without a passphrase, of two clouds that may be lost
 *   libqcloud_calls HOME SCRATCH lock  HOME: one under the passphrase "correct horse" */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "qc_check.h"
#include "qcloud.h"

enum { BYTES = 300000 };

static uint8_t data[BYTES], back[BYTES];

struct stream {
    size_t at;
    size_t stop; /* ends with a failure here; 0: never */
};

static ptrdiff_t give(void *ctx, uint8_t *dst, size_t max)
{
    struct stream *s = ctx;
    size_t n = sizeof data - s->at < max ? sizeof data - s->at : max;
    if (s->stop != 0 && s->at + n > s->stop)
        return -1;
    memcpy(dst, data + s->at, n);
    s->at += n;
    return (ptrdiff_t)n;
}

static int take(void *ctx, const uint8_t *bytes, size_t n)
{
    struct stream *s = ctx;
    if (s->stop != 0 && s->at + n > s->stop)
        return 1;
    CHECK(n <= sizeof back - s->at);
    memcpy(back + s->at, bytes, n);
    s->at += n;
    return 0;
}

static int count(void *ctx, const struct qcloud_entry *e)
{
    unsigned *n = ctx;
    CHECK(strcmp(qcloud_entry_name(e), "a/stream") == 0 || strcmp(qcloud_entry_name(e), "a/file") == 0);
    CHECK(qcloud_entry_size(e) == BYTES && qcloud_entry_version(e) >= 1 && qcloud_entry_time(e) > 1700000000);
    CHECK(qcloud_entry_margin(e) == 2);
    ++*n;
    return 0;
}

static int stop_at_once(void *ctx, const struct qcloud_entry *e)
{
    (void)ctx;
    (void)e;
    return 1;
}

static uint64_t last_done;

static void progress(void *ctx, uint64_t done, uint64_t total)
{
    CHECK(ctx == &last_done && (total == BYTES || total == UINT64_MAX) && done <= BYTES);
    last_done = done;
}

#define IS(code, call)                                                                                       \
    do {                                                                                                     \
        int got_ = (call);                                                                                   \
        if (got_ != (code))                                                                                  \
            fprintf(stderr, #call ": %d, not " #code ": %s\n", got_, qcloud_message(q));                     \
        CHECK(got_ == (code) && (qcloud_message(q)[0] == '\0') == (got_ == QCLOUD_OK));                      \
    } while (0)

static void put_and_get(struct qcloud *q, const char *scratch)
{
    struct stream s = { 0 };
    uint64_t bad = 7;
    char path[300];
    qcloud_set_progress(q, progress, &last_done);
    IS(QCLOUD_OK, qcloud_put(q, "a/stream", give, &s, BYTES));
    CHECK(last_done == BYTES);
    s = (struct stream){ 0 };
    IS(QCLOUD_OK, qcloud_get(q, "a/stream", take, &s));
    CHECK(s.at == BYTES && memcmp(data, back, BYTES) == 0);
    s = (struct stream){ 0 };
    qcloud_set_progress(q, NULL, NULL);
    IS(QCLOUD_OK, qcloud_get_range(q, "a/stream", 70001, 5, take, &s));
    CHECK(s.at == 5 && memcmp(back, data + 70001, 5) == 0);
    snprintf(path, sizeof path, "%s/file", scratch);
    IS(QCLOUD_OK, qcloud_get_file(q, "a/stream", path));
    IS(QCLOUD_OK, qcloud_put_file(q, "a/file", path));
    IS(QCLOUD_OK, qcloud_verify(q, "", &bad));
    CHECK(bad == 0);
}

static void moves(struct qcloud *q)
{
    struct stream s = { 0 };
    IS(QCLOUD_OK, qcloud_move(q, "a/file", "b", 0));
    IS(QCLOUD_TEMPORARY, qcloud_move(q, "b", "a/stream", 0)); /* it is taken */
    IS(QCLOUD_NOT_FOUND, qcloud_move(q, "a/file", "c", 0));
    IS(QCLOUD_USAGE, qcloud_move(q, "b", "a/../b", 0));
    IS(QCLOUD_OK, qcloud_move(q, "b", "a/file", 0));
    IS(QCLOUD_OK, qcloud_put(q, "c", give, &s, BYTES));
    IS(QCLOUD_OK, qcloud_move(q, "c", "a/file", 1)); /* what it was is an old version */
}

static uint64_t now_ms(void)
{
    struct timespec t;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void limited(struct qcloud *q)
{
    struct stream s = { 0 };
    const uint64_t began = now_ms();
    IS(QCLOUD_OK, qcloud_set_rate(q, "off:500k"));
    IS(QCLOUD_USAGE, qcloud_set_rate(q, "fast")); /* and all is as it was */
    IS(QCLOUD_OK, qcloud_get(q, "a/stream", take, &s));
    CHECK(s.at == BYTES && now_ms() - began >= 300);
    IS(QCLOUD_OK, qcloud_set_rate(q, NULL));
}

static void names(struct qcloud *q)
{
    unsigned n = 0;
    IS(QCLOUD_OK, qcloud_list(q, "", count, &n));
    IS(QCLOUD_OK, qcloud_stat(q, "a/file", count, &n));
    CHECK(n == 3);
    IS(QCLOUD_CANCELLED, qcloud_list(q, "a", stop_at_once, NULL));
    IS(QCLOUD_OK, qcloud_remove(q, "a/file"));
    IS(QCLOUD_NOT_FOUND, qcloud_stat(q, "a/file", count, &n));
    IS(QCLOUD_NOT_FOUND, qcloud_remove(q, "a/file"));
    CHECK(n == 3);
}

static void refusals(struct qcloud *q, const char *home)
{
    struct stream s = { .stop = 100000 };
    unsigned n = 0;
    IS(QCLOUD_USAGE, qcloud_open(q, home));
    IS(QCLOUD_USAGE, qcloud_get_range(q, "a/stream", 0, 0, take, &s));
    IS(QCLOUD_USAGE, qcloud_get_range(q, "a/stream", BYTES - 1, 2, take, &s));
    IS(QCLOUD_USAGE, qcloud_get_range(q, "a/stream", UINT64_MAX, 2, take, &s));
    IS(QCLOUD_USAGE, qcloud_put_file(q, "a/../b", "/dev/null"));
    IS(QCLOUD_NOT_FOUND, qcloud_put_file(q, "b", "/nonexistent/file"));
    IS(QCLOUD_NOT_FOUND, qcloud_get(q, "none", take, &s));
    IS(QCLOUD_CANCELLED, qcloud_put(q, "half", give, &s, UINT64_MAX)); /* and nothing is stored */
    IS(QCLOUD_NOT_FOUND, qcloud_stat(q, "half", count, &n));
    s = (struct stream){ .stop = 1 };
    IS(QCLOUD_CANCELLED, qcloud_get(q, "a/stream", take, &s));
    qcloud_cancel(q);
    IS(QCLOUD_CANCELLED, qcloud_get(q, "a/stream", take, &s));
    qcloud_resume(q);
    s = (struct stream){ 0 };
    IS(QCLOUD_OK, qcloud_get(q, "a/stream", take, &s));
}

static ptrdiff_t second_is_right(void *ctx, const char *store, unsigned tries, char *dst, size_t max)
{
    static const char *const said[] = { "battery staple", "correct horse" };
    const char *word = said[tries > 0];
    CHECK(store[0] == '/' && strlen(word) < max);
    ++*(unsigned *)ctx;
    memcpy(dst, word, strlen(word));
    return (ptrdiff_t)strlen(word);
}

static ptrdiff_t nobody(void *ctx, const char *store, unsigned tries, char *dst, size_t max)
{
    (void)ctx;
    (void)store;
    (void)tries;
    (void)dst;
    (void)max;
    return -1;
}

static void locked(struct qcloud *q, const char *home)
{
    struct stream s = { 0 };
    unsigned asked = 0;
    IS(QCLOUD_PERMISSION, qcloud_open(q, home));
    qcloud_set_passphrase(q, nobody, NULL);
    IS(QCLOUD_PERMISSION, qcloud_open(q, home));
    qcloud_set_passphrase(q, second_is_right, &asked);
    IS(QCLOUD_OK, qcloud_open(q, home));
    CHECK(asked == 2); /* one passphrase opens both */
    IS(QCLOUD_OK, qcloud_put(q, "a/stream", give, &s, UINT64_MAX));
}

int main(int argc, char **argv)
{
    int can_lock = -1;
    CHECK(argc == 3 || argc == 4);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 13);
    CHECK(qcloud_harden(&can_lock) == QCLOUD_OK && can_lock >= 0 && qcloud_version()[0] != '\0');
    struct qcloud *q = qcloud_new();
    CHECK(q != NULL && qcloud_message(q)[0] == '\0');
    IS(QCLOUD_NOT_SET_UP, qcloud_remove(q, "a"));
    IS(QCLOUD_NOT_SET_UP, qcloud_open(q, argv[2]));
    qcloud_set_timeout(q, 60);
    if (argc == 4) {
        locked(q, argv[1]);
    } else {
        IS(QCLOUD_OK, qcloud_open(q, argv[1]));
        put_and_get(q, argv[2]);
        limited(q);
        moves(q);
        names(q);
        refusals(q, argv[1]);
    }
    qcloud_free(q);
    qcloud_free(NULL);
    return 0;
}

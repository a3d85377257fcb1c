/* unit/cloud_conformance: what every cloud must do, whatever its driver.
 *
 *   cloud_conformance [URL [CREDENTIALS]]     default: a directory cloud in a fresh temporary directory
 *
 * A given URL must be an existing, empty cloud; objects are left deleted. Every driver runs this program
 * unchanged. */
#include "cloud/cloud.h"
#include "cloud/validate.h"

#include "base/limits.h"
#include "qc_expect.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cloud_op forever = { .deadline = { 0 } };

static void put(struct cloud *c, const char *key, qc_span bytes)
{
    OK(cloud_put(c, key, &bytes, 1, CLOUD_REPLACE, &forever, &err));
}

/* The object holds exactly these bytes, read whole, and its head says so. */
static void holds(struct cloud *c, const char *key, qc_span want)
{
    uint8_t *p = malloc(want.n + 1);
    QC_ASSERT(p != NULL);
    size_t got = SIZE_MAX;
    OK(cloud_get(c, key, (struct cloud_range){ .off = 0, .n = want.n + 1 }, p, &got, &forever, &err));
    QC_ASSERT(qc_span_eq(qc_span_of(p, got), want));
    free(p);
    uint64_t size = UINT64_MAX;
    OK(cloud_head(c, key, &size, &forever, &err));
    QC_ASSERT(size == want.n);
}

static void absent(struct cloud *c, const char *key)
{
    uint8_t b[4];
    size_t got = 77;
    uint64_t size = 77;
    FAILS(QC_NOTFOUND,
          cloud_get(c, key, (struct cloud_range){ .off = 0, .n = sizeof b }, b, &got, &forever, &err));
    FAILS(QC_NOTFOUND, cloud_head(c, key, &size, &forever, &err));
    QC_ASSERT(got == 77 && size == 77);
}

static void removed(struct cloud *c, const char *key)
{
    OK(cloud_delete(c, key, &forever, &err));
    absent(c, key);
}

static void put_get_delete(struct cloud *c)
{
    absent(c, "a/b");
    put(c, "a/b", QC_LIT("hello"));
    holds(c, "a/b", QC_LIT("hello"));
    put(c, "a/b", QC_LIT("a longer text than before"));
    holds(c, "a/b", QC_LIT("a longer text than before"));
    put(c, "a/b", QC_LIT("short"));
    holds(c, "a/b", QC_LIT("short"));
    removed(c, "a/b");
    removed(c, "a/b");
    removed(c, "never/was/there");
}

static void empty_object(struct cloud *c)
{
    OK(cloud_put(c, "empty", NULL, 0, CLOUD_REPLACE, &forever, &err));
    holds(c, "empty", (qc_span){ 0 });
    qc_span nothing[3] = { { 0 }, { 0 }, { 0 } };
    OK(cloud_put(c, "empty", nothing, 3, CLOUD_NEW, &forever, &err));
    holds(c, "empty", (qc_span){ 0 });
    removed(c, "empty");
}

static void many_parts(struct cloud *c, struct qc_rand *rand)
{
    enum { PARTS = 1000, ROOM = 8 * 1024 * 1024 };
    uint8_t *all = malloc(ROOM);
    QC_ASSERT(all != NULL);
    qc_rand_fill(rand, all, ROOM);
    qc_span parts[PARTS];
    size_t n = 0;
    for (size_t i = 0; i < PARTS; i++) {
        size_t len = i % 5 == 0 ? 0 : (size_t)qc_rand_below(rand, i == 501 ? 3000000 : 5000);
        parts[i] = qc_span_of(all + n, len);
        n += len;
    }
    QC_ASSERT(n <= ROOM);
    OK(cloud_put(c, "f/parts", parts, PARTS, CLOUD_REPLACE, &forever, &err));
    holds(c, "f/parts", qc_span_of(all, n));
    removed(c, "f/parts");
    free(all);
}

static void ranges(struct cloud *c)
{
    enum { SIZE = 1000 };
    uint8_t all[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        all[i] = (uint8_t)(i * 7);
    put(c, "range", qc_span_of(all, SIZE));
    static const struct {
        uint64_t off;
        size_t n, got;
    } cuts[] = {
        { 0, 1, 1 },
        { 0, SIZE, SIZE },
        { 999, 1, 1 },
        { 999, 5, 1 },
        { 1000, 1, 0 },
        { 1001, 10, 0 },
        { 500, 0, 0 },
        { 17, 80, 80 },
        { 500, 2000, SIZE / 2 },
        { UINT64_MAX, 3, 0 },
        { UINT64_C(1) << 62, 3, 0 },
    };
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        uint8_t b[2 * SIZE];
        size_t got = 12345;
        OK(cloud_get(c, "range", (struct cloud_range){ cuts[i].off, cuts[i].n }, b, &got, &forever, &err));
        QC_ASSERT(got == cuts[i].got);
        QC_ASSERT(got == 0 || memcmp(b, all + cuts[i].off, got) == 0);
    }
    removed(c, "range");
}

static void new_only(struct cloud *c)
{
    qc_span one = QC_LIT("first bytes");
    qc_span two = QC_LIT("other bytes");
    qc_span head = QC_LIT("first");
    qc_span cut[2] = { QC_LIT("first "), QC_LIT("bytes") };
    OK(cloud_put(c, "n/new", &one, 1, CLOUD_NEW, &forever, &err));
    OK(cloud_put(c, "n/new", &one, 1, CLOUD_NEW, &forever, &err)); /* an earlier try got through */
    OK(cloud_put(c, "n/new", cut, 2, CLOUD_NEW, &forever, &err));  /* however it is cut */
    FAILS(QC_CONFLICT, cloud_put(c, "n/new", &two, 1, CLOUD_NEW, &forever, &err));
    FAILS(QC_CONFLICT, cloud_put(c, "n/new", &head, 1, CLOUD_NEW, &forever, &err));
    FAILS(QC_CONFLICT, cloud_put(c, "n/new", NULL, 0, CLOUD_NEW, &forever, &err));
    holds(c, "n/new", one);
    put(c, "n/new", two);
    holds(c, "n/new", two);
    removed(c, "n/new");
    OK(cloud_put(c, "n/new", &one, 1, CLOUD_NEW, &forever, &err));
    removed(c, "n/new");
}

static void keys(struct cloud *c)
{
    static const char *const good[] = { "q",
                                        "0",
                                        "_",
                                        "-",
                                        "-a",
                                        "a.b",
                                        "a..b",
                                        "c-/-b",
                                        "d/b/c/d/e/f/g/h",
                                        "x.",
                                        "f/3c/3c41a0",
                                        "i/cloud",
                                        "r/00000001/0f" };
    static const char *const bad[] = { "",     "/",   "/a",       "a/",   "a//b", ".",
                                       "..",   ".a",  "a/.b",     "a/..", "../a", "A",
                                       "a b",  "a\n", "\xc3\xa4", "a%20", "a+b",  "a/b/c/d/e/f/g/h/i",
                                       "a\\b", "a:b", "~" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        QC_ASSERT(cloud_key_ok(good[i]));
        put(c, good[i], QC_LIT("key"));
        holds(c, good[i], QC_LIT("key"));
        removed(c, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        QC_ASSERT(!cloud_key_ok(bad[i]));
    char longest[CLOUD_KEY_SIZE_MAX + 2];
    memset(longest, 'k', sizeof longest);
    longest[CLOUD_KEY_SIZE_MAX + 1] = '\0';
    QC_ASSERT(!cloud_key_ok(longest));
    longest[CLOUD_KEY_SIZE_MAX] = '\0';
    QC_ASSERT(cloud_key_ok(longest));
    put(c, longest, QC_LIT("long"));
    holds(c, longest, QC_LIT("long"));
    removed(c, longest);
}

struct seen {
    const char *const *want; /* or NULL: count only */
    size_t at, count;
    char last[CLOUD_KEY_SIZE_MAX + 1];
    uint64_t bytes;
    qc_rc stop;
};

static qc_rc see(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct seen *s = ctx;
    if (s->stop != QC_OK)
        return QC_FAIL(err, s->stop, "told to stop");
    QC_ASSERT(cloud_key_ok(item->key));
    QC_ASSERT(strcmp(item->key, s->last) > 0);
    memcpy(s->last, item->key, strlen(item->key) + 1);
    if (s->want != NULL) {
        QC_ASSERT(s->at < s->count);
        QC_ASSERT(strcmp(item->key, s->want[s->at]) == 0);
        QC_ASSERT(item->size == strlen(item->key)); /* the test's objects hold their keys */
    }
    s->at++;
    s->bytes += item->size;
    return QC_OK;
}

/* Everything below prefix is exactly want[], read in pages of `limit`. */
static void lists(struct cloud *c, const char *prefix, size_t limit, const char *const *want, size_t count)
{
    struct seen s = { .want = want, .count = count };
    char after[CLOUD_KEY_SIZE_MAX + 1] = "";
    struct cloud_page page = { .more = true };
    for (size_t pages = 0; page.more; pages++) {
        QC_ASSERT(pages <= count);
        struct cloud_list_query q = { .prefix = prefix, .after = after, .limit = limit };
        OK(cloud_list(c, &q, see, &s, &page, &forever, &err));
        QC_ASSERT(page.count <= limit);
        QC_ASSERT(!page.more || page.count == limit);
        memcpy(after, page.last, sizeof after);
    }
    QC_ASSERT(s.at == count);
}

static void listing(struct cloud *c)
{
    static const char *const all[] = { "a-b", "a.b", "a/x",     "a/y-",    "a/y/1", "a/y0",
                                       "a0",  "ab",  "b/1/2/3", "b/1/2/4", "z" };
    enum { COUNT = sizeof all / sizeof all[0] };
    for (size_t i = 0; i < COUNT; i++)
        put(c, all[COUNT - 1 - i], qc_span_str(all[COUNT - 1 - i]));
    for (size_t limit = 1; limit <= COUNT + 1; limit++)
        lists(c, "", limit, all, COUNT);
    lists(c, "a", 3, all, 8);
    lists(c, "a/", 2, all + 2, 4);
    lists(c, "a/y", 10, all + 3, 3);
    lists(c, "a/y/", 10, all + 4, 1);
    lists(c, "b/1/2/4", 10, all + 9, 1);
    lists(c, "b/1/2/4x", 10, NULL, 0);
    lists(c, "no/such/place", 10, NULL, 0);
    lists(c, "zz", 10, NULL, 0);

    struct seen s = { .at = 0 };
    struct cloud_page page;
    struct cloud_list_query q = { .prefix = "", .after = "a/y5", .limit = 2 }; /* between keys */
    OK(cloud_list(c, &q, see, &s, &page, &forever, &err));
    QC_ASSERT(page.count == 2 && page.more && strcmp(page.last, "ab") == 0);
    q.after = "z";
    OK(cloud_list(c, &q, see, &s, &page, &forever, &err));
    QC_ASSERT(page.count == 0 && !page.more && strcmp(page.last, "z") == 0);
    s.stop = QC_FORMAT; /* the callback's own refusal comes back as it is, and ret stays */
    q.after = "";
    page.count = 99;
    FAILS(QC_FORMAT, cloud_list(c, &q, see, &s, &page, &forever, &err));
    QC_ASSERT(page.count == 99);
    for (size_t i = 0; i < COUNT; i++)
        removed(c, all[i]);
    lists(c, "", 5, NULL, 0);
}

static void listing_many(struct cloud *c)
{
    /* More than two batches of a directory, or more than a page of S3, which takes longer. */
    const unsigned COUNT = strcmp(cloud_caps(c)->driver, "file") == 0 ? 2600 : 1100;
    for (unsigned i = 0; i < COUNT; i++) {
        char key[32];
        snprintf(key, sizeof key, "many/%05u", i * 37 % COUNT);
        OK(cloud_put(c, key, NULL, 0, CLOUD_NEW, &forever, &err));
    }
    struct seen s = { .at = 0 };
    struct cloud_page page = { .more = true };
    char after[CLOUD_KEY_SIZE_MAX + 1] = "";
    while (page.more) {
        struct cloud_list_query q = { .prefix = "many/", .after = after, .limit = 700 };
        OK(cloud_list(c, &q, see, &s, &page, &forever, &err));
        memcpy(after, page.last, sizeof after);
    }
    QC_ASSERT(s.at == COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        char key[32];
        snprintf(key, sizeof key, "many/%05u", i);
        OK(cloud_delete(c, key, &forever, &err));
    }
}

static void key_below_key(struct cloud *c)
{
    qc_span b = QC_LIT("x");
    put(c, "k/under", b);
    struct qc_err err = { 0 };
    /* A directory refuses; a flat store need not. Nothing may be lost either way. */
    qc_rc rc = cloud_put(c, "k/under/more", &b, 1, CLOUD_REPLACE, &forever, &err);
    QC_ASSERT(rc == QC_CONFLICT || rc == QC_OK);
    err = (struct qc_err){ 0 };
    qc_rc up = cloud_put(c, "k", &b, 1, CLOUD_REPLACE, &forever, &err);
    QC_ASSERT(up == QC_CONFLICT || up == QC_OK);
    err = (struct qc_err){ 0 };
    up = cloud_put(c, "k", &b, 1, CLOUD_NEW, &forever, &err);
    QC_ASSERT(up == QC_CONFLICT || up == QC_OK);
    holds(c, "k/under", b);
    if (rc == QC_CONFLICT)
        absent(c, "k/under/more");
    removed(c, "k/under/more");
    holds(c, "k/under", b);
    removed(c, "k");
    holds(c, "k/under", b);
    removed(c, "k/under");
}

static void stops(struct cloud *c, struct qc_rand *rand)
{
    struct qc_cancel cancel = { false };
    qc_cancel_set(&cancel);
    struct cloud_op cancelled = { .cancel = &cancel };
    struct cloud_op late = { .deadline = { .at_ms = 1 } };
    qc_span b = QC_LIT("never");
    uint8_t dst[8];
    size_t got = 5;
    uint64_t size = 5;
    struct cloud_range r = { 0, sizeof dst };
    struct seen s = { .at = 0 };
    struct cloud_page page;
    struct cloud_list_query q = { .prefix = "", .after = "", .limit = 5 };
    const struct cloud_op *ops[2] = { &cancelled, &late };
    for (size_t i = 0; i < 2; i++) {
        qc_rc code = i == 0 ? QC_CANCELLED : QC_TIMEOUT;
        FAILS(code, cloud_put(c, "stop", &b, 1, CLOUD_REPLACE, ops[i], &err));
        FAILS(code, cloud_get(c, "stop", r, dst, &got, ops[i], &err));
        FAILS(code, cloud_head(c, "stop", &size, ops[i], &err));
        FAILS(code, cloud_delete(c, "stop", ops[i], &err));
        FAILS(code, cloud_list(c, &q, see, &s, &page, ops[i], &err));
        FAILS(code, cloud_alive(c, ops[i], &err));
    }
    absent(c, "stop");
    /* A deadline in the middle of a large put: the object is there whole, or not at all. */
    enum { SIZE = 64 * 1024 * 1024 };
    uint8_t *large = malloc(SIZE);
    QC_ASSERT(large != NULL);
    qc_rand_fill(rand, large, SIZE);
    qc_span whole = qc_span_of(large, SIZE);
    struct cloud_op soon = { .deadline = qc_deadline_in(3) };
    struct qc_err why = { 0 };
    qc_rc rc = cloud_put(c, "stop", &whole, 1, CLOUD_NEW, &soon, &why);
    QC_ASSERT(rc == QC_OK || rc == QC_TIMEOUT);
    OK(cloud_put(c, "stop", &whole, 1, CLOUD_NEW, &forever, &err)); /* the same bytes again: always good */
    holds(c, "stop", whole);
    removed(c, "stop");
    free(large);
}

struct worker {
    struct cloud *c;
    unsigned id;
    pthread_t thread;
};

enum { WORKERS = 8, ROUNDS = 12, SIZE = 200000 };

/* The bytes that worker w writes in its round r. */
static void pattern(uint8_t *p, unsigned w, unsigned r)
{
    for (size_t i = 0; i < SIZE; i++)
        p[i] = (uint8_t)(i * 31 + w * 7 + r);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    uint8_t *p = malloc(2 * (size_t)SIZE);
    QC_ASSERT(p != NULL);
    for (unsigned r = 0; r < ROUNDS; r++) {
        char own[32];
        snprintf(own, sizeof own, "t/%02x/own", (w->id * ROUNDS + r) % 5 + w->id * 16);
        pattern(p, w->id, r);
        put(w->c, own, qc_span_of(p, SIZE));
        put(w->c, "t/shared", qc_span_of(p, SIZE));
        holds(w->c, own, qc_span_of(p, SIZE));
        /* What everybody writes is always somebody's, whole. */
        size_t got = 0;
        uint8_t *q = p + SIZE;
        OK(cloud_get(w->c, "t/shared", (struct cloud_range){ 0, SIZE }, q, &got, &forever, &err));
        QC_ASSERT(got == SIZE);
        for (size_t i = 1; i < SIZE; i++)
            QC_ASSERT((uint8_t)(q[i] - q[0]) == (uint8_t)(i * 31));
        removed(w->c, own);
    }
    /* Of those who want a name that is free, with other bytes each, one gets it. */
    qc_span mine = qc_span_of(&w->id, sizeof w->id);
    struct qc_err err = { 0 };
    qc_rc rc = cloud_put(w->c, "t/race", &mine, 1, CLOUD_NEW, &forever, &err);
    QC_ASSERT(rc == QC_OK || rc == QC_CONFLICT);
    free(p);
    return rc == QC_OK ? w : NULL;
}

static void threads(struct cloud *c)
{
    struct worker w[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++) {
        w[i] = (struct worker){ .c = c, .id = i };
        QC_ASSERT(pthread_create(&w[i].thread, NULL, work, &w[i]) == 0);
    }
    unsigned winners = 0;
    unsigned id = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        void *won = NULL;
        QC_ASSERT(pthread_join(w[i].thread, &won) == 0);
        winners += won != NULL;
        id = won != NULL ? i : id;
    }
    /* Where the cloud cannot decide in one step, two may believe that they won; the bytes are whole anyway.
     */
    QC_ASSERT(winners == 1 || (winners > 1 && !cloud_caps(c)->put_new_atomic));
    if (winners == 1)
        holds(c, "t/race", qc_span_of(&id, sizeof id));
    removed(c, "t/race");
    removed(c, "t/shared");
}

static void about(struct cloud *c)
{
    QC_ASSERT(cloud_name(c) != NULL);
    const struct cloud_caps *caps = cloud_caps(c);
    QC_ASSERT(caps->driver != NULL && caps->object_size_max >= 64 * 1024 * 1024 && caps->parallel_hint >= 1);
    struct cloud_space space = { 0 };
    if (caps->space_known) {
        OK(cloud_space(c, &space, &forever, &err));
        QC_ASSERT(space.total > 0 && space.avail <= space.total);
    } else {
        FAILS(QC_USAGE, cloud_space(c, &space, &forever, &err));
    }
    OK(cloud_alive(c, &forever, &err));
}

int main(int argc, char **argv)
{
    struct qc_rand rand = qc_rand_start();
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir dir = { "" };
    char url[512];
    if (argc > 1) {
        QC_ASSERT((size_t)snprintf(url, sizeof url, "%s", argv[1]) < sizeof url);
    } else {
        dir = qc_tmpdir_new();
        snprintf(url, sizeof url, "file://%s/cloud", dir.path);
        OK(cloud_create(url, &err));
        OK(cloud_create(url, &err));
    }
    struct cloud *c = NULL;
    struct cloud_opts opts = { .credentials = argc > 2 ? argv[2] : NULL };
    static struct cloud_report report;
    OK(cloud_create_opts(url, &opts, &err));
    OK(cloud_validate(url, &opts, false, &report, &err));
    QC_ASSERT(report.unfit == 0 && report.left == 0);
    opts.facts = report.facts; /* they decide what the driver promises */
    OK(cloud_open_opts(&c, url, &opts, &err));
    about(c);
    put_get_delete(c);
    empty_object(c);
    many_parts(c, &rand);
    ranges(c);
    new_only(c);
    keys(c);
    listing(c);
    listing_many(c);
    key_below_key(c);
    stops(c, &rand);
    threads(c);
    lists(c, "", 100, NULL, 0);
    cloud_close(&c);
    QC_ASSERT(c == NULL);
    cloud_close(&c);
    return 0;
}

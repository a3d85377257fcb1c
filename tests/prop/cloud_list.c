/* prop/cloud_list: for random sets of keys, prefixes, starting points and page sizes, a listing is the sorted
 * set. */
#include "cloud/cloud.h"

#include "base/limits.h"
#include "qc_check.h"
#include "qc_expect.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct cloud_op forever = { .deadline = { 0 } };

enum { KEYS = 60, SETS = 40, QUERIES = 250 };

struct set {
    char key[KEYS][32];
    size_t count;
};

/* A short key of few letters, so that keys meet in directories and prefixes meet keys. Depth by the first
 * letter: no key can lie below another. */
static void key_random(struct qc_rand *r, char key[static 32])
{
    static const char letters[] = "ab-._09";
    size_t n = 0;
    size_t depth = (size_t)qc_rand_below(r, 3) + 1;
    key[n++] = (char)('w' + depth);
    for (size_t d = 0; d < depth; d++) {
        size_t len = (size_t)qc_rand_below(r, 3) + 1;
        for (size_t i = 0; i < len; i++) {
            char ch = letters[qc_rand_below(r, sizeof letters - 1)];
            key[n++] = i == 0 && ch == '.' ? 'c' : ch;
        }
        key[n++] = d + 1 < depth ? '/' : '\0';
    }
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool among(const struct set *s, const char *key)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->key[i], key) == 0)
            return true;
    return false;
}

static void set_random(struct qc_rand *r, struct set *s)
{
    s->count = 0;
    for (size_t i = 0; i < KEYS; i++) {
        char key[32];
        key_random(r, key);
        if (!among(s, key))
            memcpy(s->key[s->count++], key, sizeof key);
    }
    qsort(s->key, s->count, sizeof s->key[0], by_bytes);
}

struct told {
    const struct set *set;
    struct cloud_list_query q;
    size_t at; /* the next key of the set that may be told */
    size_t count;
};

/* The next key of the set that the query asks for; the set's count when there is none. */
static size_t next_wanted(const struct told *t)
{
    size_t i = t->at;
    while (i < t->set->count && (strncmp(t->set->key[i], t->q.prefix, strlen(t->q.prefix)) != 0 ||
                                 strcmp(t->set->key[i], t->q.after) <= 0))
        i++;
    return i;
}

static qc_rc tell(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    (void)err;
    struct told *t = ctx;
    size_t i = next_wanted(t);
    CHECK(i < t->set->count);
    CHECK(strcmp(t->set->key[i], item->key) == 0);
    t->at = i + 1;
    t->count++;
    return QC_OK;
}

static void query(struct cloud *c, const struct set *s, struct qc_rand *r)
{
    char prefix[32] = "";
    char after[32] = "";
    if (qc_rand_below(r, 3) > 0) {
        memcpy(prefix, s->key[qc_rand_below(r, s->count)], sizeof prefix);
        prefix[qc_rand_below(r, strlen(prefix) + 1)] = '\0';
    }
    if (qc_rand_below(r, 2) > 0)
        key_random(r, after);
    else if (qc_rand_below(r, 2) > 0)
        memcpy(after, s->key[qc_rand_below(r, s->count)], sizeof after);
    if (qc_rand_below(r, 4) == 0)
        after[strlen(after) / 2] = '\0';
    struct told t = { .set = s,
                      .q = { .prefix = prefix, .after = after, .limit = qc_rand_between(r, 1, KEYS + 2) } };
    struct cloud_page page;
    OK(cloud_list(c, &t.q, tell, &t, &page, &forever, &err));
    bool rest = next_wanted(&t) < s->count;
    CHECK(page.count == t.count && t.count <= t.q.limit);
    CHECK(page.more == rest && (!rest || t.count == t.q.limit));
    CHECK(strcmp(page.last, t.count > 0 ? s->key[t.at - 1] : after) == 0);
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    for (int i = 0; i < SETS; i++) {
        QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir dir = qc_tmpdir_new();
        char url[400];
        struct set s;
        struct cloud *c = NULL;
        snprintf(url, sizeof url, "file://%s/cloud", dir.path);
        OK(cloud_create(url, &err));
        OK(cloud_open(&c, url, &err));
        set_random(&r, &s);
        for (size_t k = 0; k < s.count; k++)
            OK(cloud_put(c, s.key[k], NULL, 0, CLOUD_NEW, &forever, &err));
        for (int q = 0; q < QUERIES; q++)
            query(c, &s, &r);
        cloud_close(&c);
    }
    return 0;
}

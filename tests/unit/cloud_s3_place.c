/* unit/cloud_s3_place: what the handles of one bucket share: who shares it, how many requests at once, tokens
 * for repeats, connections. No request is sent. */
#include "s3.h"

#include "base/alloc.h"
#include "qc_check.h"
#include "qc_expect.h"
#include "qc_tmpdir.h"

#include <fcntl.h>

static const struct cloud_op forever = { .deadline = { 0 } };
static char keys[2][300];

static struct s3_url url_of(const char *text)
{
    struct cloud_url u;
    struct s3_url ret;
    OK(cloud_url_parse(text, &u, &err));
    OK(s3_url_parse(&u, NULL, 0, &ret, &err));
    return ret;
}

static struct s3_place *enter(const char *url, unsigned key, bool exclusive)
{
    const struct s3_url u = url_of(url);
    const struct cloud_opts opts = { .credentials = keys[key], .exclusive = exclusive };
    struct s3_place *p = NULL;
    OK(s3_place_enter(&p, &u, &opts, &err));
    return p;
}

static void locked(const char *url, unsigned key)
{
    const struct s3_url u = url_of(url);
    const struct cloud_opts opts = { .credentials = keys[key], .exclusive = true };
    struct s3_place *p = NULL;
    FAILS(QC_LOCKED, s3_place_enter(&p, &u, &opts, &err));
    CHECK(p == NULL);
}

#define HERE "s3+http://127.0.0.1:9/bucket?region=r"

static void sharing(void)
{
    struct s3_place *a = enter(HERE, 0, false);
    struct s3_place *b = enter("s3+http://127.0.0.1:9/bucket/?region=r", 0, false);
    struct s3_place *other[] = { enter("s3+http://127.0.0.1:9/bucket?region=q", 0, false),
                                 enter(HERE, 1, false),
                                 enter("s3+http://127.0.0.1:9/another?region=r", 0, false),
                                 enter("s3+https://127.0.0.1:9/bucket?region=r", 0, false),
                                 enter("s3+http://127.0.0.1:8/bucket?region=r", 0, false) };
    CHECK(a == b);
    CHECK(strcmp(a->host, "127.0.0.1:9") == 0 && strcmp(a->base, "http://127.0.0.1:9") == 0);
    CHECK(strcmp(a->root, "/bucket") == 0);
    for (size_t i = 0; i < 5; i++) {
        CHECK(other[i] != a);
        for (size_t k = 0; k < i; k++)
            CHECK(other[i] != other[k]);
    }
    s3_place_leave(&a, false);
    struct s3_place *c = enter(HERE, 0, false);
    CHECK(c == b && a == NULL);
    s3_place_leave(&c, false);
    s3_place_leave(&b, false);
    s3_place_leave(&b, false); /* twice is harmless */
    for (size_t i = 0; i < 5; i++)
        s3_place_leave(&other[i], false);
    struct s3_place *v = enter("s3+https://s3.example.org:443/bucket?style=virtual", 0, false);
    CHECK(strcmp(v->host, "bucket.s3.example.org") == 0 &&
          strcmp(v->base, "https://bucket.s3.example.org") == 0);
    CHECK(v->root[0] == '\0');
    s3_place_leave(&v, false);
}

/* One bucket is one bucket, whatever the keys, the region and the scheme. */
static void exclusive(void)
{
    struct s3_place *a = enter(HERE, 0, true);
    struct s3_place *b = enter(HERE, 1, false);
    locked(HERE, 0);
    locked("s3+https://127.0.0.1:9/bucket?region=x", 1);
    struct s3_place *c = enter("s3+http://127.0.0.1:9/another?region=r", 0, true);
    s3_place_leave(&a, true);
    struct s3_place *d = enter(HERE, 1, true);
    CHECK(d == b);
    s3_place_leave(&b, false);
    locked(HERE, 0);
    s3_place_leave(&d, true);
    s3_place_leave(&c, true);
}

static void tokens(void)
{
    struct s3_place *p = enter(HERE, 0, false);
    unsigned n = 0;
    while (s3_place_retry(p))
        n++;
    CHECK(n == CLOUD_S3_TOKENS / CLOUD_S3_RETRY_TOKENS);
    for (unsigned i = 0; i < CLOUD_S3_RETRY_TOKENS; i++) {
        CHECK(!s3_place_retry(p));
        s3_place_learn(p, S3_DONE);
    }
    CHECK(s3_place_retry(p) && !s3_place_retry(p));
    s3_place_learn(p, S3_BROKEN); /* earns nothing */
    for (unsigned i = 0; i < 2 * CLOUD_S3_TOKENS; i++)
        s3_place_learn(p, S3_MISSING);
    CHECK(p->tokens == CLOUD_S3_TOKENS);
    s3_place_leave(&p, false);
}

static void parallel(void)
{
    struct s3_place *p = enter(HERE, 0, false);
    struct s3_conn *c[CLOUD_S3_PARALLEL];
    struct s3_conn *more = NULL;
    const struct cloud_op soon = { .deadline = qc_deadline_in(30) };
    struct qc_cancel cancel = { false };
    const struct cloud_op cancelled = { .cancel = &cancel };
    qc_cancel_set(&cancel);
    for (unsigned i = 0; i < CLOUD_S3_PARALLEL; i++)
        OK(s3_conn_take(p, &c[i], &forever, &err));
    FAILS(QC_TIMEOUT, s3_conn_take(p, &more, &soon, &err));
    FAILS(QC_CANCELLED, s3_conn_take(p, &more, &cancelled, &err));
    s3_conn_give(p, c[0], false);
    OK(s3_conn_take(p, &more, &forever, &err));
    CHECK(more == c[0]); /* the one that was used last */

    p->halved_ms = 0;
    s3_place_learn(p, S3_SLOW);
    CHECK(p->limit == CLOUD_S3_PARALLEL / 2);
    s3_place_learn(p, S3_SLOW); /* those that ran with it are told the same: once is enough */
    CHECK(p->limit == CLOUD_S3_PARALLEL / 2);
    for (unsigned i = 0; i < 10; i++) {
        p->halved_ms = 0;
        s3_place_learn(p, S3_SLOW);
    }
    CHECK(p->limit == 1);
    for (unsigned i = 0; i < CLOUD_S3_CALM; i++)
        s3_place_learn(p, S3_DONE);
    CHECK(p->limit == 2);
    for (unsigned i = 0; i < CLOUD_S3_CALM * (CLOUD_S3_PARALLEL_MAX + 5); i++)
        s3_place_learn(p, S3_DONE);
    CHECK(p->limit == CLOUD_S3_PARALLEL_MAX);

    for (unsigned i = 0; i < CLOUD_S3_PARALLEL; i++)
        s3_conn_give(p, c[i], i % 2 == 0);
    CHECK(p->busy == 0);
    unsigned idle = 0;
    for (const struct s3_conn *at = p->idle; at != NULL; at = at->next)
        idle++;
    CHECK(idle == CLOUD_S3_PARALLEL / 2);
    p->idle->next->idle_ms -= CLOUD_S3_IDLE_S * UINT64_C(1000); /* as if it and the ones behind it were old */
    OK(s3_conn_take(p, &more, &forever, &err));
    s3_conn_give(p, more, false);
    CHECK(p->idle == more && p->idle->next == NULL);
    s3_place_leave(&p, false);
}

/* A cloud that just answered need not be asked whether it is there. */
static void proved(void)
{
    struct s3_place *p = enter(HERE, 0, false);
    static const enum s3_fate doubts[] = { S3_DOWN, S3_BROKEN,  S3_KEYS, S3_NO_BUCKET,
                                           S3_CERT, S3_STRANGE, S3_SLOW };
    CHECK(atomic_load(&p->proved_ms) == 0);
    for (size_t i = 0; i < sizeof doubts / sizeof doubts[0]; i++) {
        s3_place_learn(p, S3_DONE);
        CHECK(atomic_load(&p->proved_ms) != 0);
        s3_place_learn(p, S3_LOCAL); /* says nothing */
        CHECK(atomic_load(&p->proved_ms) != 0);
        s3_place_learn(p, doubts[i]);
        CHECK(atomic_load(&p->proved_ms) == 0);
    }
    s3_place_leave(&p, false);
}

int main(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir tmp = qc_tmpdir_new();
    for (unsigned i = 0; i < 2; i++) {
        snprintf(keys[i], sizeof keys[i], "%s/keys%u", tmp.path, i);
        const int fd = open(keys[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        CHECK(fd >= 0 &&
              dprintf(fd, "[default]\naws_access_key_id = ID\naws_secret_access_key = s%u\n", i) > 0);
        close(fd);
    }
    sharing();
    exclusive();
    tokens();
    parallel();
    proved();
    CHECK(qc_alloc_live() == 0);
    return 0;
}

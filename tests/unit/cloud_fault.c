/* unit/cloud_fault: the wrapper that makes bad clouds out of good ones does what its rules say, and nothing
 * else. */
#include "cloud/cloud.h"

#include "base/file.h"
#include "base/limits.h"
#include "cloud_fault.h"
#include "qc_check.h"
#include "qc_expect.h"
#include "qc_tmpdir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void rules_parse(void)
{
    static const char *const good[] = { "",
                                        ";",
                                        "a=",
                                        "a=put:fail",
                                        "a=put:fail:full,get:flip",
                                        "a=get:delay:50|put:hang:3",
                                        "a=put:late:9",
                                        "b=any:fail@3",
                                        "a=list:empty@2-4%50;b=put:after:io\nc=delete:drop",
                                        "*=alive:fail" };
    static const char *const bad[] = { "a",
                                       "a=put",
                                       "a=put:",
                                       "a=put:explode",
                                       "a=fly:fail",
                                       "a=put:fail:what",
                                       "a=get:delay",
                                       "a=get:delay:",
                                       "a=get:delay:x",
                                       "a=get:flip:1",
                                       "a=put:empty",
                                       "a=get:late:9",
                                       "a=put:fail@0",
                                       "a=put:fail@5-4",
                                       "a=put:fail%101",
                                       "a=put:fail,",
                                       "a=,put:fail",
                                       "a=put:fail:ok",
                                       "other=put:explode",
                                       "a=put:fail@99999999999" };
    struct fault_rules r;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        OK(fault_rules_parse(good[i], "a", &r, &err));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        FAILS(QC_USAGE, fault_rules_parse(bad[i], "a", &r, &err));
    OK(fault_rules_parse("a=put:fail:full@2-3,get:delay:70%50;b=put:drop;*=any:flip", "a", &r, &err));
    CHECK(r.count == 3);
    CHECK(r.rule[0].rc == QC_FULL && !fault_rule_applies(&r.rule[0], FAULT_PUT, 1));
    CHECK(fault_rule_applies(&r.rule[0], FAULT_PUT, 2) && fault_rule_applies(&r.rule[0], FAULT_PUT, 3));
    CHECK(!fault_rule_applies(&r.rule[0], FAULT_PUT, 4) && !fault_rule_applies(&r.rule[0], FAULT_GET, 2));
    unsigned hits = 0;
    for (uint64_t i = 1; i <= 10000; i++)
        hits += fault_rule_applies(&r.rule[1], FAULT_GET, i);
    CHECK(hits > 4500 && hits < 5500);
    CHECK(fault_rule_applies(&r.rule[2], FAULT_GET, 1) && !fault_rule_applies(&r.rule[2], FAULT_LIST, 1));
}

#ifdef QC_FAULT_POINTS

static const struct cloud_op forever = { .deadline = { 0 } };
static char url[400];
static const qc_span text = { (const uint8_t *)"0123456789", 10 };

/* A fresh handle, named osaka, with these rules. */
static struct cloud *with(const char *rules)
{
    struct cloud *c = NULL;
    struct cloud_opts opts = { .name = "osaka" };
    CHECK(setenv("QC_CLOUD_FAULTS", rules, 1) == 0);
    OK(cloud_open_opts(&c, url, &opts, &err));
    CHECK(strcmp(cloud_name(c), "osaka") == 0);
    return c;
}

static qc_rc put(struct cloud *c, const char *key, struct qc_err *err)
{
    return cloud_put(c, key, &text, 1, CLOUD_REPLACE, &forever, err);
}

static qc_rc get(struct cloud *c, const char *key, qc_buf *ret, struct qc_err *err)
{
    size_t got = 0;
    uint8_t b[64];
    QC_TRY(cloud_get(c, key, (struct cloud_range){ 0, sizeof b }, b, &got, &forever, err));
    ret->n = 0;
    return qc_buf_add(ret, qc_span_of(b, got), err);
}

/* Bits by which two texts of one length differ. */
static int distance(qc_span a, qc_span b)
{
    int n = 0;
    CHECK(a.n == b.n);
    for (size_t i = 0; i < a.n; i++)
        n += __builtin_popcount((unsigned)(a.p[i] ^ b.p[i]));
    return n;
}

static void failing(void)
{
    struct cloud *c = with("osaka=put:fail@2-2,head:fail:auth,alive:fail;kyoto=any:fail");
    uint64_t size = 0;
    OK(put(c, "k/one", &err));
    FAILS(QC_TEMP, put(c, "k/two", &err));
    OK(put(c, "k/three", &err));
    FAILS(QC_AUTH, cloud_head(c, "k/one", &size, &forever, &err));
    FAILS(QC_TEMP, cloud_alive(c, &forever, &err));
    cloud_close(&c);
    c = with("osaka=put:after:timeout@1-1");
    FAILS(QC_TIMEOUT, put(c, "k/four", &err)); /* and yet it is there */
    OK(cloud_head(c, "k/four", &size, &forever, &err));
    CHECK(size == text.n);
    OK(cloud_put(c, "k/four", &text, 1, CLOUD_NEW, &forever, &err));
    cloud_close(&c);
}

static void lying(void)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 100 };
    uint64_t size = 0;
    struct cloud *c =
        with("osaka=put:flip@1-1,put:truncate@2-2,put:drop@3-3,get:flip@4-4,get:truncate@5-5,get:missing@6-6,"
             "head:truncate@2-2,delete:drop");
    OK(put(c, "l/flip", &err));
    OK(put(c, "l/cut", &err));
    OK(put(c, "l/drop", &err));
    OK(get(c, "l/flip", &b, &err));
    CHECK(distance(qc_buf_span(&b), text) == 1);
    OK(get(c, "l/cut", &b, &err));
    CHECK(qc_span_eq(qc_buf_span(&b), QC_LIT("01234")));
    FAILS(QC_NOTFOUND, get(c, "l/drop", &b, &err));
    OK(put(c, "l/key", &err));
    OK(get(c, "l/key", &b, &err)); /* the fourth */
    CHECK(distance(qc_buf_span(&b), text) == 1);
    OK(get(c, "l/key", &b, &err));
    CHECK(qc_span_eq(qc_buf_span(&b), QC_LIT("01234")));
    FAILS(QC_NOTFOUND, get(c, "l/key", &b, &err));
    OK(get(c, "l/key", &b, &err));
    CHECK(qc_span_eq(qc_buf_span(&b), text));
    OK(cloud_head(c, "l/key", &size, &forever, &err));
    CHECK(size == 10);
    OK(cloud_head(c, "l/key", &size, &forever, &err));
    CHECK(size == 5);
    OK(cloud_delete(c, "l/key", &forever, &err));
    OK(cloud_head(c, "l/key", &size, &forever, &err));
    cloud_close(&c);
}

static void stale(void)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 100 };
    uint64_t size = 0;
    qc_span two = QC_LIT("second");
    struct cloud *c = with("osaka=get:stale@1-3,head:stale@1-1");
    OK(put(c, "s/key", &err));
    FAILS(QC_NOTFOUND, get(c, "s/key", &b, &err));
    OK(cloud_put(c, "s/key", &two, 1, CLOUD_REPLACE, &forever, &err));
    OK(get(c, "s/key", &b, &err));
    CHECK(qc_span_eq(qc_buf_span(&b), text));
    OK(cloud_head(c, "s/key", &size, &forever, &err));
    CHECK(size == text.n);
    OK(get(c, "s/key", &b, &err));
    CHECK(qc_span_eq(qc_buf_span(&b), text));
    OK(get(c, "s/key", &b, &err));
    CHECK(qc_span_eq(qc_buf_span(&b), two));
    cloud_close(&c);
}

static qc_rc count_one(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    (void)item;
    (void)err;
    (*(unsigned *)ctx)++;
    return QC_OK;
}

static void empty_list(void)
{
    struct cloud *c = with("osaka=list:empty@1-1");
    unsigned n = 0;
    struct cloud_page page;
    struct cloud_list_query q = { .prefix = "", .after = "", .limit = 100 };
    OK(cloud_list(c, &q, count_one, &n, &page, &forever, &err));
    CHECK(n == 0 && page.count == 0 && !page.more);
    OK(cloud_list(c, &q, count_one, &n, &page, &forever, &err));
    CHECK(n > 0 && page.count == n);
    cloud_close(&c);
}

static void slow(void)
{
    struct cloud *c = with("osaka=put:delay:600000");
    struct cloud_op soon = { .deadline = qc_deadline_in(50) };
    uint64_t t = qc_now_ms();
    FAILS(QC_TIMEOUT,
          cloud_put(c, "d/key", &text, 1, CLOUD_REPLACE, &soon, &err)); /* polite: gives up in time */
    CHECK(qc_now_ms() - t < 500000);
    cloud_close(&c);
    c = with("osaka=put:delay:1500,delete:hang:600");
    t = qc_now_ms();
    OK(put(c, "d/key", &err));
    CHECK(qc_now_ms() - t >= 1500);
    soon.deadline = qc_deadline_in(400);
    struct qc_err err = { 0 };
    t = qc_now_ms();
    qc_rc rc = cloud_delete(c, "d/key", &soon, &err); /* hangs through its deadline */
    CHECK(qc_now_ms() - t >= 600 && rc == QC_TIMEOUT);
    cloud_close(&c);
}

/* Nobody waits any more, and it lands all the same. */
static void late(void)
{
    struct cloud *c = with("osaka=put:late:700");
    const struct cloud_op soon = { .deadline = qc_deadline_in(500) };
    OK(cloud_put(c, "d/late", &text, 1, CLOUD_NEW, &soon, &err));
    CHECK(qc_deadline_over(soon.deadline));
    uint64_t size = 0;
    OK(cloud_head(c, "d/late", &size, &forever, &err));
    cloud_close(&c);
}

/* Rules in a file can change while a handle is open. */
static void from_file(const struct qc_tmpdir *dir)
{
    char env[400];
    qc_span none = QC_LIT("\n");
    qc_span dead = QC_LIT("kyoto=any:fail\nosaka=any:fail:io\n");
    struct qc_fd fd = { 0 };
    OK(qc_dir_open(&fd, dir->path, &err));
    OK(qc_file_write_atomic(qc_fd_get(&fd), "rules", &none, 1, 0600, &err));
    snprintf(env, sizeof env, "@%s/rules", dir->path);
    struct cloud *c = with(env);
    OK(put(c, "x/key", &err));
    OK(qc_file_write_atomic(qc_fd_get(&fd), "rules", &dead, 1, 0600, &err));
    FAILS(QC_IO, put(c, "x/key", &err));
    OK(qc_file_write_atomic(qc_fd_get(&fd), "rules", &none, 1, 0600, &err));
    OK(put(c, "x/key", &err));
    cloud_close(&c);
    qc_fd_close(&fd);
}

static void typing_errors(void)
{
    struct cloud_opts opts = { .name = "osaka" };
    struct cloud *c = NULL;
    struct qc_err err = { 0 };
    CHECK(setenv("QC_CLOUD_FAULTS", "osaka=put:fial", 1) == 0);
    CHECK_DIES(qc_ignore(cloud_open_opts(&c, url, &opts, &err), "it does not come back"));
}

int main(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir dir = qc_tmpdir_new();
    snprintf(url, sizeof url, "file://%s/cloud", dir.path);
    OK(cloud_create(url, &err));
    rules_parse();
    failing();
    lying();
    stale();
    empty_list();
    slow();
    late();
    from_file(&dir);
    typing_errors();
    return 0;
}

#else

int main(void)
{
    rules_parse();
    return 0;
}

#endif

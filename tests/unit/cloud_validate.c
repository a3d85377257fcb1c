/* unit/cloud_validate: a good directory is fit and left clean; each lie of a cloud is told as the one that it
 * is; what keeps from looking is a failure, and no verdict. */
#include "cloud/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "qc_check.h"
#include "qc_tmpdir.h"

static struct qc_tmpdir dir;
static char url[512];

static const struct cloud_opts opts = { .name = "one" };

static qc_rc validate(struct cloud_report *ret, bool deep, struct qc_err *err)
{
    struct cloud_opts o = opts;
    o.op.deadline = qc_deadline_in(60000);
    return cloud_validate(url, &o, deep, ret, err);
}

static void make(const char *name)
{
    struct qc_err err = { 0 };
    CHECK(snprintf(url, sizeof url, "file://%s/%s", dir.path, name) < (int)sizeof url);
    CHECK_OK(cloud_create(url, &err));
}

static qc_rc count_key(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    (void)item;
    (void)err;
    ++*(unsigned *)ctx;
    return QC_OK;
}

static unsigned keys(const char *prefix)
{
    QC_CLEANUP(cloud_close) struct cloud *c = NULL;
    struct qc_err err = { 0 };
    const struct cloud_list_query q = { .prefix = prefix, .after = "", .limit = CLOUD_LIST_MAX };
    const struct cloud_op op = { .deadline = QC_NO_DEADLINE };
    struct cloud_page page;
    unsigned n = 0;
    CHECK_OK(cloud_open(&c, url, &err));
    CHECK_OK(cloud_list(c, &q, count_key, &n, &page, &op, &err));
    return n;
}

static void test_good(bool deep)
{
    struct cloud_report r;
    struct qc_err err = { 0 };
    char why[64] = "x";
    make(deep ? "deep" : "good");
    CHECK_OK(validate(&r, deep, &err));
    for (unsigned i = 0; i < CLOUD_CHECK_COUNT; i++)
        if (r.findings[i].verdict == CLOUD_UNFIT)
            fprintf(stderr, "%s: %s\n", cloud_check_name((enum cloud_check)i), r.findings[i].why);
    CHECK(r.unfit == 0 && r.left == 0);
    cloud_report_unfit(&r, why, sizeof why);
    CHECK(why[0] == '\0');
    for (unsigned i = CLOUD_CHECK_ROUND_TRIP; i <= CLOUD_CHECK_CLEANED; i++)
        CHECK(r.findings[i].verdict == CLOUD_GOOD);
    CHECK(r.findings[CLOUD_CHECK_NOREPLACE].verdict == CLOUD_GOOD);
    CHECK(r.findings[CLOUD_CHECK_PRIVATE].verdict == CLOUD_GOOD);
    CHECK(r.findings[CLOUD_CHECK_WRONG_SECRET].verdict == CLOUD_NOT_LOOKED_AT);
    CHECK(r.facts == CLOUD_FACT_IF_NONE_MATCH);
    CHECK(r.put_us > 0 && r.get_us > 0 && r.sync_us > 0 && r.put_bps > 0 && r.get_bps > 0);
    CHECK(r.space_known && r.space.total > 0 && r.objects > (deep ? 100 : 4));
    CHECK(keys("") == 0);
}

#ifdef QC_FAULT_POINTS

struct lie {
    const char *rules;
    enum cloud_check check;
    enum cloud_verdict verdict;
    const char *word; /* in its reason */
};

/* Puts: round trip 1, replace 2, new twice 3..5, race 6..13, listing from 14. Gets: round trip 1, cuts 2..6,
 * replace 7, missing 8, new twice 9, race 10. Heads: round trip 1, missing 2. Lists of the second handle:
 * fresh 1..4, pages 5, deleted 6..9. */
static const struct lie lies[] = {
    { "put:flip@1-1", CLOUD_CHECK_ROUND_TRIP, CLOUD_UNFIT, "other bytes" },
    { "put:truncate@1-1", CLOUD_CHECK_ROUND_TRIP, CLOUD_UNFIT, "is said to have" },
    { "put:drop@1-1", CLOUD_CHECK_ROUND_TRIP, CLOUD_UNFIT, "no such thing" },
    { "put:fail:io@1-1", CLOUD_CHECK_ROUND_TRIP, CLOUD_UNFIT, "a write: input or output failed" },
    { "head:truncate@1-1", CLOUD_CHECK_ROUND_TRIP, CLOUD_UNFIT, "is said to have" },
    { "get:flip@1-1", CLOUD_CHECK_ROUND_TRIP, CLOUD_UNFIT, "other bytes" },
    { "get:flip@2-2", CLOUD_CHECK_RANGE, CLOUD_UNFIT, "a cut of 1000 bytes from byte 1" },
    { "get:truncate@4-4", CLOUD_CHECK_RANGE, CLOUD_UNFIT, "came back wrong" },
    { "get:fail:io@5-5", CLOUD_CHECK_RANGE, CLOUD_UNFIT, "a cut of an object" },
    { "put:drop@2-2", CLOUD_CHECK_REPLACE, CLOUD_UNFIT, "not the one" },
    { "get:stale@7-7", CLOUD_CHECK_REPLACE, CLOUD_UNFIT, "not the one" },
    { "head:fail:io@2-2", CLOUD_CHECK_MISSING, CLOUD_UNFIT, "the size of what is not there" },
    { "get:fail:format@8-8", CLOUD_CHECK_MISSING, CLOUD_UNFIT, "reading what is not there" },
    { "delete:fail:not-found@1-1", CLOUD_CHECK_MISSING, CLOUD_UNFIT, "deleting what is not there" },
    { "put:drop@3-4", CLOUD_CHECK_NEW_TWICE, CLOUD_UNFIT, "the cloud said yes" },
    { "put:drop@5-5", CLOUD_CHECK_NEW_TWICE, CLOUD_UNFIT, "a key that is taken: the cloud said yes" },
    { "put:drop@6-13", CLOUD_CHECK_NEW_RACE, CLOUD_WARNS, "8 heard that they won" },
    { "put:fail:conflict@6-13", CLOUD_CHECK_NEW_RACE, CLOUD_WARNS, "0 heard that they won" },
    { "get:flip@10-10", CLOUD_CHECK_NEW_RACE, CLOUD_WARNS, "another's bytes" },
    { "list:empty@2-3", CLOUD_CHECK_LIST_FRESH, CLOUD_UNFIT, "missed 2 of 4 objects" },
    { "put:truncate@14", CLOUD_CHECK_LIST_FRESH, CLOUD_UNFIT, "a wrong size of 4 of 4" },
    { "list:empty@5-5", CLOUD_CHECK_LIST_PAGES, CLOUD_UNFIT, "told 0 of 4 objects" },
    { "list:fail:io@5-5", CLOUD_CHECK_LIST_PAGES, CLOUD_UNFIT, "a listing: input" },
    { "delete:drop@2-5", CLOUD_CHECK_DELETED, CLOUD_UNFIT, "4 were still listed, 4 still readable" },
    { "delete:drop@6", CLOUD_CHECK_CLEANED, CLOUD_WARNS, "could not be removed" },
    { "space:fail:io", CLOUD_CHECK_SPACE, CLOUD_WARNS, "its room" },
};

static void test_lies(void)
{
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct cloud_report r;
        struct qc_err err = { 0 };
        char rules[128], why[1024];
        make("lies");
        CHECK(snprintf(rules, sizeof rules, "one=%s", lies[i].rules) < (int)sizeof rules);
        CHECK(setenv("QC_CLOUD_FAULTS", rules, 1) == 0);
        CHECK_OK(validate(&r, false, &err));
        CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
        const struct cloud_finding *f = &r.findings[lies[i].check];
        cloud_report_unfit(&r, why, sizeof why);
        if (f->verdict != lies[i].verdict || strstr(f->why, lies[i].word) == NULL) {
            fprintf(stderr, "%s: %s: %s '%s'; all: %s\n", lies[i].rules, cloud_check_name(lies[i].check),
                    cloud_verdict_name(f->verdict), f->why, why);
            exit(1);
        }
        CHECK((lies[i].verdict == CLOUD_UNFIT) == (r.unfit > 0));
        CHECK((strstr(why, f->why) != NULL) == (r.unfit > 0));
        CHECK(((r.facts & CLOUD_FACT_IF_NONE_MATCH) != 0) ==
              (r.findings[CLOUD_CHECK_NEW_RACE].verdict == CLOUD_GOOD));
        CHECK((keys("v/") > 0) == (lies[i].check == CLOUD_CHECK_CLEANED));
    }
}

/* Not a word against the cloud, and nothing is left there. */
static void test_failures(void)
{
    static const struct {
        const char *rules;
        qc_rc rc;
    } rows[] = {
        { "put:fail:temporary@4-4", QC_TEMP },    { "put:fail:full@15-15", QC_FULL },
        { "get:fail:auth@2-2", QC_AUTH },         { "list:fail:timeout@3-3", QC_TIMEOUT },
        { "head:fail:temporary", QC_TEMP },       { "put:fail:temporary@8-8", QC_TEMP },
        { "delete:fail:temporary@3-3", QC_TEMP },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cloud_report r = { .unfit = 77 };
        struct qc_err err = { 0 };
        char rules[128];
        make("failures");
        CHECK(snprintf(rules, sizeof rules, "one=%s", rows[i].rules) < (int)sizeof rules);
        CHECK(setenv("QC_CLOUD_FAULTS", rules, 1) == 0);
        CHECK_RC(validate(&r, false, &err), rows[i].rc);
        CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
        CHECK(r.unfit == 77 && keys("") == 0);
    }
}

/* What a killed run left is removed by the next, and nothing else is. */
static void test_left_over(void)
{
    struct cloud_report r;
    struct qc_err err = { 0 };
    static const char *const others[] = { "v/qcloud-test-0123456789abcdef-00001",
                                          "v/qcloud-test-0123456789abcde-0001",
                                          "v/qcloud-test-0123456789abcdef-0001x", "v/other", "f/00/x" };
    const struct cloud_op op = { .deadline = QC_NO_DEADLINE };
    make("left");
    CHECK(setenv("QC_CLOUD_FAULTS", "one=delete:drop", 1) == 0);
    CHECK_OK(validate(&r, false, &err));
    CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
    CHECK(r.left > 0 && keys("v/") == r.left);
    QC_CLEANUP(cloud_close) struct cloud *c = NULL;
    CHECK_OK(cloud_open(&c, url, &err));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CHECK_OK(cloud_put(c, others[i], &QC_LIT("kept"), 1, CLOUD_NEW, &op, &err));
    CHECK_OK(validate(&r, false, &err));
    CHECK(r.unfit == 0 && keys("") == sizeof others / sizeof others[0]);
}

static void test_no_memory(void)
{
    make("memory");
    for (uint64_t n = 1;; n++) {
        struct cloud_report r;
        struct qc_err err = { 0 };
        int64_t live = qc_alloc_live();
        CHECK(n < 1000);
        qc_fault_alloc(n);
        qc_rc rc = validate(&r, false, &err);
        qc_fault_alloc(0);
        CHECK(qc_alloc_live() == live);
        if (rc == QC_OK && r.findings[CLOUD_CHECK_CLEANED].verdict == CLOUD_GOOD) {
            CHECK(n > 10); /* a loop that met no failure proves nothing */
            break;
        }
        CHECK(rc == QC_OK || rc == QC_NOMEM);
    }
}

#endif

static void test_place(void)
{
    struct cloud_report r;
    struct qc_err err = { 0 };
    make("open");
    CHECK(chmod(url + strlen("file://"), 0777) == 0);
    CHECK_OK(validate(&r, false, &err));
    CHECK(r.unfit == 0 && r.findings[CLOUD_CHECK_PRIVATE].verdict == CLOUD_WARNS);
    CHECK(strstr(r.findings[CLOUD_CHECK_PRIVATE].why, "mode 777") != NULL);
    CHECK(snprintf(url, sizeof url, "file://%s/absent", dir.path) < (int)sizeof url);
    CHECK_RC(validate(&r, false, &err), QC_NOTFOUND);
    CHECK(snprintf(url, sizeof url, "ftp://%s", dir.path) < (int)sizeof url);
    CHECK_RC(validate(&r, false, &err), QC_USAGE);
}

static void test_words(void)
{
    for (unsigned facts = 0; facts < 1U << CLOUD_FACT_COUNT; facts++) {
        QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 256 };
        struct qc_err err = { 0 };
        unsigned back = ~0U;
        CHECK_OK(cloud_facts_print(facts, &text, &err));
        CHECK_OK(cloud_facts_parse(qc_buf_span(&text), &back, &err));
        CHECK(back == facts);
    }
    static const char *const bad[] = {
        " ",        "etag_md5 ", " etag_md5",       "etag_md5  list_v2", "etag_md5 etag_md5",
        "ETAG_MD5", "etag_md",   "etag_md5,list_v2"
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct qc_err err = { 0 };
        unsigned back = 77;
        CHECK_RC(cloud_facts_parse(qc_span_str(bad[i]), &back, &err), QC_FORMAT);
        CHECK(back == 77);
    }
}

static void test_check(void)
{
    struct qc_err err = { 0 };
    CHECK_OK(cloud_check("file:///a", NULL, &err));
    CHECK_RC(cloud_check("file:///a", "/keys", &err), QC_USAGE);
    CHECK_RC(cloud_check("nosuch://a", NULL, &err), QC_USAGE);
    CHECK_RC(cloud_check("/a", NULL, &err), QC_USAGE);
}

int main(void)
{
    dir = qc_tmpdir_new();
    CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
    test_good(false);
    test_good(true);
    test_place();
    test_words();
    test_check();
    qc_tmpdir_remove(&dir);
#ifdef QC_FAULT_POINTS
    if (access("/dev/shm", W_OK) == 0) /* hundreds of runs, whose syncs would take long and show nothing */
        CHECK(setenv("TMPDIR", "/dev/shm", 1) == 0);
    dir = qc_tmpdir_new();
    test_lies();
    test_failures();
    test_left_over();
    test_no_memory();
    qc_tmpdir_remove(&dir);
#endif
    return 0;
}

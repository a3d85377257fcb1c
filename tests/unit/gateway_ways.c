/* unit/gateway_ways: clouds.conf is read strictly, written whole and durably, and is nobody else's to read.
 */
#include "ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "qc_check.h"
#include "qc_tmpdir.h"

static const char whole[] = "# Written\n"
                            "[paris]\r\n"
                            "credentials = /keys/paris\n"
                            "url = s3+https://h/b?region=r\n"
                            "validated = 2026-01-02T03:04:05Z\n"
                            "facts = etag_md5 list_v2\n"
                            "; and\n"
                            "[disk]\n"
                            "  facts =\n"
                            "url=file:///a%20b\n"
                            "validated=2026-01-02T03:04:06Z\n"
                            "[bare]\n";

static struct gw_ways w;

static bool same(const struct gw_ways *a, const struct gw_ways *b)
{
    bool same = a->count == b->count;
    for (unsigned i = 0; same && i < a->count; i++) {
        const struct gw_way *x = &a->v[i], *y = &b->v[i];
        same = strcmp(x->name, y->name) == 0 && strcmp(x->credentials, y->credentials) == 0 &&
               strcmp(x->url, y->url) == 0 && x->validated_s == y->validated_s && x->facts == y->facts;
    }
    return same;
}

static void test_taken(void)
{
    struct qc_err err = { 0 };
    CHECK_OK(gw_ways_parse(qc_span_str(whole), &w, &err));
    CHECK(w.count == 3);
    const struct gw_way *paris = gw_ways_find(&w, "paris"), *disk = gw_ways_find(&w, "disk");
    CHECK(strcmp(gw_way_credentials(paris), "/keys/paris") == 0 && gw_way_credentials(disk) == NULL);
    CHECK(gw_way_facts(paris, "s3+https://h/b?region=r") == (CLOUD_FACT_ETAG_MD5 | CLOUD_FACT_LIST_V2));
    CHECK(gw_way_facts(paris, "s3+https://h/b?region=q") == 0); /* another place: nothing is known of it */
    CHECK(!gw_way_is_validated(paris, "s3+https://h/b?region=q") &&
          gw_way_is_validated(disk, "file:///a%20b"));
    CHECK(disk->validated_s - paris->validated_s == 1 && gw_way_facts(NULL, "x") == 0);
    CHECK(!gw_way_is_validated(gw_ways_find(&w, "bare"), "file:///x") && gw_ways_find(&w, "pari") == NULL);
}

static void refuses(const char *text, size_t n, qc_rc rc, const char *word)
{
    struct qc_err err = { 0 };
    w.count = 77;
    qc_rc got = gw_ways_parse(qc_span_of(text, n), &w, &err);
    if (got != rc || strstr(err.msg, word) == NULL) {
        fprintf(stderr, "%.60s: %s: %s, expected %s\n", text, qc_rc_name(got), err.msg, word);
        exit(1);
    }
    CHECK(w.count == 77);
}

static void test_refused(void)
{
    static const struct {
        const char *text, *word;
    } rows[] = {
        { "url = x\n", "line 1: a cloud's [NAME]" },
        { "[a]\nkey = x\n", "line 2: unknown key" },
        { "[a]\nurl\n", "line 2: neither" },
        { "[a\n", "line 1: a cloud is written" },
        { "[]\n", "1..64 bytes" },
        { "[-a]\n", "line 1: not the name" },
        { "[a b]\n", "line 1: not the name" },
        { "[a]\n\n[a]\n", "line 3: not the name of a cloud, or one that came before" },
        { "[a]\nurl = x\nurl = y\n", "line 3: 'url' is given twice" },
        { "[a]\nurl = \n", "line 2: 'url': 0 bytes" },
        { "[a]\nurl = x\n[b]\n", "cloud 'a': url, validated and facts" },
        { "[a]\nfacts = \n", "cloud 'a': url, validated" },
        { "[a]\nvalidated = 2026-02-30T00:00:00Z\n", "line 2: 'validated'" },
        { "[a]\nvalidated = yesterday\n", "line 2: 'validated'" },
        { "[a]\nfacts = etag_md5 etag_md5\n", "line 2: 'facts'" },
        { "[a]\ncredentials = keys\n", "line 2: 'credentials': credentials are named" },
        { "[a]\ncredentials = aws:\n", "line 2" },
        { "[a]\ncredentials = /a\tb\n", "line 2: a control character" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuses(rows[i].text, strlen(rows[i].text), QC_USAGE, rows[i].word);
    refuses("[a]\nurl = a\0b\n", 13, QC_USAGE, "line 2: a control character");
    refuses("[a\0]\n", 5, QC_USAGE, "line 1");

    char long_name[CLOUD_NAME_SIZE_MAX + 4], many[QC_GW_CLOUDS_MAX * 8 + 16] = "";
    snprintf(long_name, sizeof long_name, "[%0*d]", CLOUD_NAME_SIZE_MAX + 1, 0);
    refuses(long_name, strlen(long_name), QC_USAGE, "1..64 bytes");
    size_t n = 0;
    for (int i = 0; i <= QC_GW_CLOUDS_MAX; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "[c%d]\n", i);
    refuses(many, n, QC_USAGE, "more than 32 clouds");
    char *big = malloc(QC_GW_WAYS_MAX + 1);
    CHECK(big != NULL);
    memset(big, '\n', QC_GW_WAYS_MAX + 1);
    refuses(big, QC_GW_WAYS_MAX + 1, QC_LIMIT, "the limit is");
    free(big);
}

/* The largest file that can be written can be read. */
static void test_largest(void)
{
    static struct gw_ways big, back;
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_GW_WAYS_MAX };
    for (unsigned i = 0; i < QC_GW_CLOUDS_MAX; i++) {
        struct gw_way *way = NULL;
        char name[CLOUD_NAME_SIZE_MAX + 1];
        snprintf(name, sizeof name, "%0*u", CLOUD_NAME_SIZE_MAX, i);
        CHECK_OK(gw_ways_get(&big, name, &way, &err));
        memset(way->url, 'u', CLOUD_URL_SIZE_MAX);
        memset(way->credentials, 'c', CLOUD_SPEC_SIZE_MAX);
        way->credentials[0] = '/';
        way->facts = (1U << CLOUD_FACT_COUNT) - 1;
    }
    CHECK_OK(gw_ways_print(&big, &text, &err));
    CHECK_OK(gw_ways_parse(qc_buf_span(&text), &back, &err));
    CHECK(same(&big, &back));
}

static void test_file(void)
{
    QC_CLEANUP(gw_state_close) struct gw_state s = { 0 };
    QC_CLEANUP(qc_free_ptr) struct gw_ways *back = NULL;
    struct qc_tmpdir dir = qc_tmpdir_new();
    struct qc_err err = { 0 };
    struct stat st;
    char state[300], path[320];
    snprintf(state, sizeof state, "%s/state", dir.path);
    snprintf(path, sizeof path, "%s/clouds.conf", state);
    CHECK_OK(gw_state_open(&s, state, true, &err));
    CHECK_OK(gw_ways_load(&s, &back, &err)); /* no file: nothing is known */
    CHECK(back->count == 0);
    qc_free_ptr(&back);
    back = NULL;
    CHECK_OK(gw_ways_parse(qc_span_str(whole), &w, &err));
    CHECK_OK(gw_ways_save(&s, &w, &err));
    CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK_OK(gw_ways_load(&s, &back, &err));
    CHECK(same(back, &w));
    qc_free_ptr(&back);
    back = NULL;
    CHECK(chmod(path, 0640) == 0);
    CHECK_RC(gw_ways_load(&s, &back, &err), QC_AUTH);
    CHECK(chmod(path, 0600) == 0);
    FILE *f = fopen(path, "a");
    CHECK(f != NULL && fputs("[paris]\n", f) >= 0 && fclose(f) == 0);
    CHECK(gw_ways_load(&s, &back, &err) == QC_USAGE && strstr(err.msg, path) != NULL);
    CHECK(back == NULL);
    qc_tmpdir_remove(&dir);
}

int main(void)
{
    test_taken();
    test_refused();
    test_largest();
    test_file();
    return 0;
}

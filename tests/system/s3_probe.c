/* One open S3 cloud, moved by lines on standard input, for tests that break the cloud meanwhile
 * (s3_faults.py).
 *
 *   s3_probe URL CREDENTIALS
 *
 *   put KEY SIZE SEED replace|new MS     bytes of the seed; MS: deadline, 0 none
 *   get KEY SIZE SEED MS                 reads SIZE bytes and compares
 *   head KEY MS / delete KEY MS / list PREFIX MS / alive MS / open MS / validate MS
 *   many COUNT SIZE MS                   as many puts at once, each with its key many/N
 *   odd MS                               keys of all bytes, by the driver's own requests
 *
 * Each answer is a line: code, milliseconds, a number (size, keys; for get 1: the right bytes), message. */
#include "cloud/cloud.h"
#include "cloud/validate.h"

#include "base/harden.h"
#include "qc_check.h"
#include "s3.h"

#include <inttypes.h>
#include <pthread.h>

enum { WORD = 256, THREADS = 16 };

static struct cloud *c;
static struct cloud_opts opts;
static const char *url;

static uint8_t *bytes_of(size_t size, uint64_t seed)
{
    uint8_t *p = malloc(size + 1);
    CHECK(p != NULL);
    for (size_t i = 0; i < size; i++)
        p[i] = (uint8_t)((i * 2654435761u + seed * 40503u) >> 11);
    return p;
}

static qc_rc put(const char *key, size_t size, uint64_t seed, bool new, const struct cloud_op *op,
                 struct qc_err *err)
{
    uint8_t *p = bytes_of(size, seed);
    const qc_span part = qc_span_of(p, size);
    const qc_rc rc = cloud_put(c, key, &part, 1, new ? CLOUD_NEW : CLOUD_REPLACE, op, err);
    free(p);
    return rc;
}

static qc_rc get(const char *key, size_t size, uint64_t seed, const struct cloud_op *op, uint64_t *ret,
                 struct qc_err *err)
{
    uint8_t *want = bytes_of(size, seed);
    uint8_t *p = malloc(size + 1);
    size_t got = 0;
    CHECK(p != NULL);
    const qc_rc rc = cloud_get(c, key, (struct cloud_range){ 0, size + 1 }, p, &got, op, err);
    *ret = rc == QC_OK && got == size && memcmp(p, want, size) == 0;
    free(want);
    free(p);
    return rc;
}

static qc_rc count_one(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    (void)item, (void)err;
    ++*(uint64_t *)ctx;
    return QC_OK;
}

struct one {
    unsigned i;
    size_t size;
    const struct cloud_op *op;
    qc_rc rc;
    struct qc_err err;
    pthread_t thread;
};

static void *put_one(void *arg)
{
    struct one *o = arg;
    char key[32];
    snprintf(key, sizeof key, "many/%u", o->i);
    o->rc = put(key, o->size, o->i, false, o->op, &o->err);
    return NULL;
}

static qc_rc many(unsigned count, size_t size, const struct cloud_op *op, struct qc_err *err)
{
    struct one ones[THREADS];
    qc_rc rc = QC_OK;
    CHECK(count <= THREADS);
    for (unsigned i = 0; i < count; i++) {
        ones[i] = (struct one){ .i = i, .size = size, .op = op };
        CHECK(pthread_create(&ones[i].thread, NULL, put_one, &ones[i]) == 0);
    }
    for (unsigned i = 0; i < count; i++) {
        CHECK(pthread_join(ones[i].thread, NULL) == 0);
        if (ones[i].rc != QC_OK) {
            rc = ones[i].rc;
            *err = ones[i].err;
        }
    }
    return rc;
}

/* Keys that qcloud does not use, but that show whether signature and encoding hold for any (s3.md 2.2). */
static qc_rc odd(const struct cloud_op *op, uint64_t *ret, struct qc_err *err)
{
    static const char *const keys[] = { "a b",        "+",     "a=b&c",
                                        "a:b",        "*",     "it's",
                                        "(x)",        ";,@$!", "\xc3\xa4/\xe2\x82\xac",
                                        "~x_y.z-",    "_lead", "a//b",
                                        "%41",        "100%",  "a/b/../c",
                                        "[]{}|^`\"<>" };
    struct s3_place *p = s3_of(c)->place;
    const qc_span text = QC_LIT("odd");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
        const struct s3_call put_call = { .method = "PUT",
                                          .key = keys[i],
                                          .query = "",
                                          .good = { 200 },
                                          .parts = &text,
                                          .count = 1,
                                          .size = text.n };
        const struct s3_call get_call = {
            .method = "GET", .key = keys[i], .query = "", .good = { 200 }, .body_max = 16
        };
        const struct s3_call del_call = { .method = "DELETE", .key = keys[i], .query = "", .good = { 204 } };
        const struct s3_list_ask ask = { .prefix = keys[i], .after = "", .token = "", .max = 2 };
        struct s3_page page = { .count = 0 };
        QC_TRY_AS(s3_do(p, &put_call, &reply, NULL, op, err), err, "put '%s'", keys[i]);
        QC_TRY_AS(s3_do(p, &get_call, &reply, NULL, op, err), err, "get '%s'", keys[i]);
        CHECK(qc_span_eq(qc_buf_span(&reply.body), text));
        QC_TRY_AS(s3_list_page(p, &ask, &page, op, err), err, "list '%s'", keys[i]);
        CHECK(page.count == 1 && strcmp((const char *)page.keys.p + 8, keys[i]) == 0);
        s3_page_done(&page);
        QC_TRY_AS(s3_do(p, &del_call, &reply, NULL, op, err), err, "delete '%s'", keys[i]);
        ++*ret;
    }
    return QC_OK;
}

static qc_rc validate(const struct cloud_op *op, uint64_t *ret, struct qc_err *err)
{
    static struct cloud_report r;
    struct cloud_opts o = opts;
    o.op = *op;
    QC_TRY(cloud_validate(url, &o, false, &r, err));
    for (unsigned i = 0; i < CLOUD_CHECK_COUNT; i++)
        if (r.findings[i].verdict == CLOUD_WARNS || r.findings[i].verdict == CLOUD_UNFIT)
            qc_err_set(err, QC_GENERAL, QC_HERE, "%s: %s", cloud_check_name((enum cloud_check)i),
                       r.findings[i].why);
    *ret = r.unfit;
    return QC_OK;
}

static qc_rc again(const struct cloud_op *op, struct qc_err *err)
{
    struct cloud_opts o = opts;
    o.op = *op;
    cloud_close(&c);
    return cloud_open_opts(&c, url, &o, err);
}

/* Words of a line: command, then key, then numbers. */
static qc_rc run(char *const w[6], uint64_t *ret, struct qc_err *err)
{
    const char *key = w[1];
    unsigned long long n[6] = { 0 };
    struct cloud_op op = { .deadline = QC_NO_DEADLINE };
    unsigned count = 0;
    for (; count < 6 && w[count][0] != '\0'; count++)
        n[count] = strtoull(w[count], NULL, 10);
    if (n[count - 1] > 0)
        op.deadline = qc_deadline_in(n[count - 1]);
    if (strcmp(w[0], "put") == 0)
        return put(key, (size_t)n[2], n[3], strcmp(w[4], "new") == 0, &op, err);
    if (strcmp(w[0], "get") == 0)
        return get(key, (size_t)n[2], n[3], &op, ret, err);
    if (strcmp(w[0], "head") == 0)
        return cloud_head(c, key, ret, &op, err);
    if (strcmp(w[0], "delete") == 0)
        return cloud_delete(c, key, &op, err);
    if (strcmp(w[0], "list") == 0)
        return cloud_list(c, &(struct cloud_list_query){ key, "", 10000 }, count_one, ret,
                          &(struct cloud_page){ 0 }, &op, err);
    if (strcmp(w[0], "many") == 0)
        return many((unsigned)n[1], (size_t)n[2], &op, err);
    if (strcmp(w[0], "odd") == 0)
        return odd(&op, ret, err);
    if (strcmp(w[0], "validate") == 0)
        return validate(&op, ret, err);
    if (strcmp(w[0], "alive") == 0)
        return cloud_alive(c, &op, err);
    CHECK(strcmp(w[0], "open") == 0);
    return again(&op, err);
}

static void answer(qc_rc rc, uint64_t ms, uint64_t number, const struct qc_err *err)
{
    printf("%s\t%" PRIu64 "\t%" PRIu64 "\t%s\n", qc_rc_name(rc), ms, number, err->msg);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[WORD * 6];
    struct qc_err err = { 0 };
    CHECK(argc == 3);
    url = argv[1];
    opts = (struct cloud_opts){ .name = "probed", .credentials = argv[2] };
    uint64_t from = qc_now_ms();
    qc_rc rc = cloud_open_opts(&c, url, &opts, &err);
    answer(rc, qc_now_ms() - from, 0, &err);
    while (fgets(line, sizeof line, stdin) != NULL) {
        char words[6][WORD] = { "" };
        char *w[6] = { words[0], words[1], words[2], words[3], words[4], words[5] };
        uint64_t number = 0;
        /* cppcheck-suppress invalidScanfFormatWidth ; it takes w for the words */
        CHECK(sscanf(line, "%255s %255s %255s %255s %255s %255s", w[0], w[1], w[2], w[3], w[4], w[5]) >= 1);
        qc_err_clear(&err);
        from = qc_now_ms();
        rc = c == NULL && strcmp(w[0], "open") != 0 && strcmp(w[0], "validate") != 0 ? QC_NOTCONF
                                                                                     : run(w, &number, &err);
        answer(rc, qc_now_ms() - from, number, &err);
    }
    cloud_close(&c);
    return 0;
}

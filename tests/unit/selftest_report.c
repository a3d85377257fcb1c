/* unit/selftest_report: all self-tests hold; each of them fails, by its name and alone, when one of its
 * answers is wrong by a bit; a source of randomness that fails is told apart. */
#include <string.h>

#include "base/fault.h"
#include "qc_check.h"
#include "qrng/qrng.h"
#include "selftest/selftest.h"

enum { TESTS_MAX = 32, ANSWERS_MAX = 100 };

struct seen {
    unsigned count, failed;
    char name[TESTS_MAX][32];
    bool ok[TESTS_MAX];
    qc_rc rc;
    struct qc_err err;
};

static void look(struct seen *s, unsigned who, const qc_rng *rng)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    struct json_t *tests = NULL, *lines = NULL;
    struct qc_err err = { 0 };
    int64_t failed = 0;

    *s = (struct seen){ 0 };
    CHECK_OK(selftest_report(&o, who, rng, &err));
    CHECK_OK(qc_json_arr(o, "tests", &tests, &err));
    CHECK_OK(qc_json_arr(o, "summary", &lines, &err));
    CHECK_OK(qc_json_int(o, "failed", 0, TESTS_MAX, &failed, &err));
    s->count = (unsigned)qc_json_len(tests);
    CHECK(s->count <= TESTS_MAX && qc_json_len(lines) == s->count);
    for (unsigned i = 0; i < s->count; i++) {
        const char *name = NULL;
        CHECK_OK(qc_json_str(qc_json_at(tests, i), "name", &name, &err));
        CHECK_OK(qc_json_bool(qc_json_at(tests, i), "ok", &s->ok[i], &err));
        (void)snprintf(s->name[i], sizeof s->name[i], "%s", name);
        CHECK(strstr(qc_json_str_value(qc_json_at(lines, i)), s->ok[i] ? "ok " : "FAILED ") != NULL);
        CHECK(qc_json_has(qc_json_at(tests, i), "why") == !s->ok[i]);
        s->failed += !s->ok[i];
    }
    CHECK(failed == s->failed);
    s->rc = qc_json_outcome(o, &s->err);
}

#ifdef QC_FAULT_POINTS
/* One answer after the other is spoilt. */
static void check_each(unsigned who, const qc_rng *rng)
{
    struct seen all, s;
    bool failed[TESTS_MAX] = { false };
    unsigned answers = 0;

    look(&all, who, rng);
    for (unsigned n = 1;; n++) {
        char script[64];
        CHECK(n < ANSWERS_MAX);
        (void)snprintf(script, sizeof script, "selftest_answer:error:%u", n);
        qc_fault_script(script);
        look(&s, who, rng);
        if (s.failed == 0)
            break;
        CHECK(s.failed == 1 && s.count == all.count);
        answers++;
        for (unsigned i = 0; i < s.count; i++) {
            CHECK(strcmp(s.name[i], all.name[i]) == 0);
            failed[i] |= !s.ok[i];
            CHECK(s.ok[i] || s.rc == (strcmp(s.name[i], "random") == 0 ? QC_RANDOM : QC_GENERAL));
        }
    }
    for (unsigned i = 0; i < all.count; i++)
        CHECK(failed[i]);
    qc_fault_script("selftest_answer:error+:1");
    look(&s, who, rng);
    CHECK(s.failed == s.count && s.rc == QC_GENERAL);
    qc_fault_script(NULL);
    printf("%u tests, %u answers, each shown to be able to fail\n", all.count, answers);
}
#endif

static qc_rc refuse(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    (void)ctx, (void)p, (void)n;
    return QC_FAIL(err, QC_RANDOM, "no randomness");
}

int main(void)
{
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    const qc_rng broken = { .fill = refuse };
    struct qc_err err = { 0 };
    struct seen s;

    CHECK_OK(qrng_open("os", &q, &err));
    const qc_rng rng = qrng_rng(q);
    for (unsigned who = SELFTEST_GATEWAY; who <= SELFTEST_CLIENT; who++) {
        look(&s, who, &rng);
        CHECK(s.rc == QC_OK && s.failed == 0 && s.count >= 12);
        for (unsigned i = 0; i < s.count; i++)
            for (unsigned j = 0; j < i; j++)
                CHECK(strcmp(s.name[i], s.name[j]) != 0);
        look(&s, who, &broken);
        CHECK(s.rc == QC_RANDOM && s.failed == 1 && !s.ok[s.count - 1]);
#ifdef QC_FAULT_POINTS
        check_each(who, &rng);
#endif
    }
    return 0;
}

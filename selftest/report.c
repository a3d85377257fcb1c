#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/fault.h"
#include "selftest_internal.h"

size_t selftest_bytes(const char *hex, uint8_t ret[SELFTEST_BYTES])
{
    const size_t n = strlen(hex) / 2;
    struct qc_err why = { 0 };
    QC_ASSERT(n <= SELFTEST_BYTES);
    QC_ASSERT(qc_hex_dec(qc_span_str(hex), ret, n, &why) == QC_OK);
    return n;
}

qc_rc selftest_same(const char *step, uint8_t *got, size_t n, const char *hex, struct qc_err *err)
{
    uint8_t want[SELFTEST_BYTES];
    char is[2 * SELFTEST_BYTES + 1];
    struct qc_err why = { 0 };
    QC_ASSERT(selftest_bytes(hex, want) == n);
    if (qc_fault(selftest_answer, &why) != QC_OK)
        got[n / 2] ^= 0x10;
    if (memcmp(got, want, n) == 0)
        return QC_OK;
    qc_hex(qc_span_of(got, n), is);
    return QC_FAIL(err, QC_INTEGRITY, "%s: %s, expected %s", step, is, hex);
}

struct report {
    struct json_t *tests, *lines; /* owned */
    unsigned count, failed;
    const char *first; /* name of the first that failed; NULL */
    qc_rc rc;          /* of all */
};

static void report_done(struct report *r)
{
    qc_json_free(&r->tests);
    qc_json_free(&r->lines);
}

static qc_rc add_line(struct report *r, const struct selftest *t, const char *why, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf line = { .max = QC_ERR_MSG_MAX + 256 };
    QC_TRY(qc_buf_addf(&line, err, "%-6s %-12s %s", why == NULL ? "ok" : "FAILED", t->name,
                       why == NULL ? t->what : why));
    QC_TRY(qc_buf_add_zero(&line, 1, err));
    return qc_json_append_str(r->lines, (const char *)line.p, err);
}

static qc_rc add(struct report *r, const struct selftest *t, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    struct qc_err why = { 0 };
    const qc_rc rc = t->run(rng, &why);
    const qc_rc as = rc == QC_OK || rc == QC_RANDOM ? rc : QC_GENERAL;
    r->count++;
    r->failed += rc != QC_OK;
    if (rc != QC_OK && r->first == NULL)
        r->first = t->name;
    if (as == QC_GENERAL || r->rc == QC_OK)
        r->rc = as;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "name", t->name, err));
    QC_TRY(qc_json_set_str(o, "what", t->what, err));
    QC_TRY(qc_json_set_bool(o, "ok", rc == QC_OK, err));
    if (rc != QC_OK)
        QC_TRY(qc_json_set_str(o, "why", why.msg, err));
    QC_TRY(qc_json_append(r->tests, &o, err));
    return add_line(r, t, rc == QC_OK ? NULL : why.msg, err);
}

static qc_rc add_table(struct report *r, const struct selftest *t, unsigned who, const qc_rng *rng,
                       struct qc_err *err)
{
    for (; t->name != NULL; t++)
        if ((t->who & who) != 0)
            QC_TRY(add(r, t, rng, err));
    return QC_OK;
}

static qc_rc add_outcome(const struct report *r, struct json_t *o, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 128 };
    if (r->failed > 0)
        QC_TRY(qc_buf_addf(&text, err, "%u of %u self-tests failed: %s%s", r->failed, r->count, r->first,
                           r->failed > 1 ? ", .." : ""));
    QC_TRY(qc_buf_add_zero(&text, 1, err));
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "id", qc_rc_name(r->rc), err));
    QC_TRY(qc_json_set_str(one, "message", (const char *)text.p, err));
    return qc_json_set(o, "outcome", &one, err);
}

qc_rc selftest_report(struct json_t **ret, unsigned who, const qc_rng *rng, struct qc_err *err)
{
    static const struct selftest *const tables[] = { selftest_crypto, selftest_code, selftest_random };
    QC_CLEANUP(report_done) struct report r = { .rc = QC_OK };
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(qc_json_new_arr(&r.tests, err));
    QC_TRY(qc_json_new_arr(&r.lines, err));
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        QC_TRY(add_table(&r, tables[i], who, rng, err));
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set(o, "tests", &r.tests, err));
    QC_TRY(qc_json_set_int(o, "failed", r.failed, err));
    QC_TRY(qc_json_set(o, "summary", &r.lines, err));
    QC_TRY(add_outcome(&r, o, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

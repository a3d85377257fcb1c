/* unit/daemon_prices: what a table of prices may say, what a plan costs by it, and when that is not known. */
#include "prices.h"

#include <string.h>

#include "json.h"
#include "qc_check.h"

static const struct {
    const char *text, *words;
} refused[] = {
    { "[prices]\ncurrency =\n", "line 2" },         { "[prices]\ncurrency = 0123456789abcdef\n", "1 to 15" },
    { "[prices]\ncurrency = a b\n", "EUR" },        { "[prices]\nread-gib = 1.2.3\n", "line 2" },
    { "[prices]\nread-gib = -1\n", "0.09" },        { "[prices]\nread-gib = .\n", "0.09" },
    { "[prices]\nread-gib = 1e3\n", "0.09" },       { "[prices]\nread-gib = 1234567890\n", "0.09" },
    { "[prices]\nread-gib = 0.1234567\n", "0.09" }, { "[prices]\nread-gibs = 1\n", "read-gib" },
    { "[price]\nread-gib = 1\n", "prices" },        { "[prices]\nread-gib = 1\nread-gib = 2\n", "line 3" },
};

static const char plan_text[] = "{\"cloud\":\"c\",\"possible\":false,\"fragments\":2,\"bytes\":1,\"reads\":"
                                "2000,\"read_bytes\":2147483648,"
                                "\"writes\":5000,\"written_bytes\":1073741824,\"deletes\":0,\"domains\":4,"
                                "\"needed\":5,\"bytes_per_s\":0}";

static void refuses(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct qc_err err = { 0 };
        struct prices p = { 0 };
        const qc_rc rc = prices_parse(qc_span_str(refused[i].text), &p, &err);
        if (rc != QC_USAGE || strstr(err.msg, refused[i].words) == NULL)
            fprintf(stderr, "row %zu: %s: %s\n", i, qc_rc_name(rc), err.msg);
        CHECK(rc == QC_USAGE && strstr(err.msg, refused[i].words) != NULL);
    }
}

/* The text for people; *ret_cost: UINT64_MAX where it is not known. */
static void cost(const char *table, uint64_t *ret_cost, qc_buf *ret)
{
    QC_CLEANUP(qc_json_free) struct json_t *plan = NULL;
    struct qc_err err = { 0 };
    struct prices p = { 0 };

    CHECK_OK(qc_json_parse(&plan, qc_span_str(plan_text), &err));
    if (table != NULL)
        CHECK_OK(prices_parse(qc_span_str(table), &p, &err));
    CHECK_OK(prices_apply(&p, table != NULL, plan, &err));
    if (json_number(plan, "cost_millionths", ret_cost, &err) != QC_OK)
        *ret_cost = UINT64_MAX;
    CHECK_OK(prices_text(plan, ret, &err));
    CHECK_OK(qc_buf_add_zero(ret, 1, &err));
}

static void check(const char *table, uint64_t expected, const char *words)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 4096 };
    uint64_t n = 0;

    cost(table, &n, &text);
    CHECK(n == expected);
    CHECK(strstr((const char *)text.p, words) != NULL);
    CHECK(strstr((const char *)text.p, "not possible now: without it 4 failure domains are left") != NULL);
}

int main(void)
{
    refuses();
    /* 2 GiB read, 1 written, 2,000 and 5,000 requests. Nothing is deleted: its price is not needed. */
    check("[prices]\ncurrency = EUR\nread-gib = 0.09\nwrite-gib = 1\nread-requests-1000 = .5\n"
          "write-requests-1000 = 0.004\n",
          180000 + 1000000 + 1000000 + 20000, "about 2.20 EUR");
    check(NULL, UINT64_MAX, "cost: unknown");
    check("[prices]\ncurrency = EUR\nread-gib = 0.09\n", UINT64_MAX, "cost: unknown");
    check("[prices]\ncurrency = EUR\nread-gib = 999999999.999999\nwrite-gib = 999999999\n"
          "read-requests-1000 = 999999999\nwrite-requests-1000 = 999999999\n",
          UINT64_MAX, "cost: unknown"); /* more than there can be */
    return 0;
}

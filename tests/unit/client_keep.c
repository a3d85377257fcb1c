/* unit/client_keep: which versions the rules of prune keep: restic's meaning. */
#include "keep.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "qc_check.h"

enum { N = 8 };

/* Newest first; hours of one day, days, a week and a year before: 2026-03-10 is a Tuesday. */
static const char *const when[N] = { "2026-03-10 12:30", "2026-03-10 12:10", "2026-03-10 09:00",
                                     "2026-03-09 23:00", "2026-03-08 10:00", "2026-03-01 10:00",
                                     "2025-12-31 10:00", "2024-01-01 10:00" };

static int64_t at(const char *text)
{
    struct tm tm = { 0 };
    CHECK(strptime(text, "%Y-%m-%d %H:%M", &tm) != NULL);
    return (int64_t)timegm(&tm);
}

/* "x.x": what stays is an x. */
static void keeps(const struct keep *k, const char *want)
{
    int64_t times[N];
    bool stays[N];
    char got[N + 1] = "";
    for (size_t i = 0; i < N; i++)
        times[i] = at(when[i]);
    keep_apply(k, times, N, stays);
    for (size_t i = 0; i < N; i++)
        got[i] = stays[i] ? 'x' : '.';
    if (strcmp(got, want) != 0) {
        fprintf(stderr, "kept %s, not %s\n", got, want);
        exit(1);
    }
}

static void rules(void)
{
    keeps(&(struct keep){ .count = { [KEEP_LAST] = 3 } }, "xxx.....");
    keeps(&(struct keep){ .count = { [KEEP_LAST] = KEEP_ALL } }, "xxxxxxxx");
    keeps(&(struct keep){ .count = { [KEEP_HOURLY] = 2 } }, "x.x.....");
    keeps(&(struct keep){ .count = { [KEEP_DAILY] = 3 } }, "x..xx...");
    keeps(&(struct keep){ .count = { [KEEP_WEEKLY] = 2 } }, "x...x..."); /* weeks begin on Monday */
    keeps(&(struct keep){ .count = { [KEEP_MONTHLY] = 2 } }, "x.....x.");
    keeps(&(struct keep){ .count = { [KEEP_YEARLY] = 3 } }, "x.....xx");
    keeps(&(struct keep){ .count = { [KEEP_YEARLY] = 9 } }, "x.....xx"); /* not used up: the oldest, too */
    keeps(&(struct keep){ .count = { [KEEP_DAILY] = KEEP_ALL } }, "x..xxxxx");
    keeps(&(struct keep){ .within = { .days = 1 } }, "xxxx....");
    keeps(&(struct keep){ .within = { .months = 1 } }, "xxxxxx..");
    keeps(&(struct keep){ .count = { [KEEP_LAST] = 1, [KEEP_YEARLY] = 2 }, .within = { .hours = 4 } },
          "xxx...x.");
    keeps(&(struct keep){ .count = { 0 } }, "........");
    keep_apply(&(struct keep){ .within = { .days = 1 } }, NULL, 0, NULL);
    CHECK(!keep_any(&(struct keep){ .count = { 0 } }) &&
          keep_any(&(struct keep){ .within = { .hours = 1 } }));
}

static void words(void)
{
    static const char *const bad[] = { "",    "3",  "d",   "1d2",      "1h2d",   "1d1d",
                                       "-1d", "1w", "1 d", "1234567d", "999999d" };
    struct keep_span s = { 0 };
    struct qc_err err = { 0 };
    int64_t n = 7;
    CHECK_OK(keep_span_parse("2y5m7d3h", "x", &s, &err));
    CHECK(s.years == 2 && s.months == 5 && s.days == 7 && s.hours == 3);
    CHECK_OK(keep_span_parse("30d", "x", &s, &err));
    CHECK(s.years == 0 && s.days == 30 && s.hours == 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_RC(keep_span_parse(bad[i], "older-than", &s, &err), QC_USAGE);
    CHECK(s.days == 30); /* left alone */
    CHECK_RC(keep_count_parse("x", "keep-last", &n, &err), QC_USAGE);
    CHECK_RC(keep_count_parse("-1", "keep-last", &n, &err), QC_USAGE);
    CHECK_RC(keep_count_parse("1000001", "keep-last", &n, &err), QC_USAGE);
    CHECK(n == 7);
    CHECK_OK(keep_count_parse("unlimited", "keep-last", &n, &err));
    CHECK(n == KEEP_ALL);
    CHECK_OK(keep_count_parse("12", "keep-last", &n, &err));
    CHECK(n == 12);
    CHECK(keep_before(at("2026-03-31 10:00"), &(struct keep_span){ .months = 1 }) == at("2026-03-03 10:00"));
    CHECK(keep_before(at("2026-03-10 10:00"), &(struct keep_span){ .years = 1, .hours = 2 }) ==
          at("2025-03-10 08:00"));
}

int main(void)
{
    CHECK(setenv("TZ", "UTC", 1) == 0);
    tzset();
    rules();
    words();
    return 0;
}

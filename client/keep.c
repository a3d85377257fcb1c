#include "keep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/opt.h"

enum { COUNT_MAX = 1000000, SPAN_MAX = 100000 };

qc_rc keep_count_parse(const char *word, const char *option, int64_t *ret, struct qc_err *err)
{
    struct qc_err why = { 0 };
    uint64_t n = 0;
    if (strcmp(word, "unlimited") == 0) {
        *ret = KEEP_ALL;
        return QC_OK;
    }
    if (qc_parse_u64(word, "a count", false, &n, &why) != QC_OK || n > COUNT_MAX)
        return QC_FAIL(err, QC_USAGE, "--%s takes a number up to %d, or 'unlimited', not '%.60s'", option,
                       COUNT_MAX, word);
    *ret = (int64_t)n;
    return QC_OK;
}

/* One number and its letter at *at; false: none. */
static bool take_part(const char **at, char letter, unsigned *ret)
{
    const size_t n = strspn(*at, "0123456789");
    if (n == 0 || n > 6 || (*at)[n] != letter)
        return false;
    const unsigned long v = strtoul(*at, NULL, 10);
    if (v > SPAN_MAX)
        return false;
    *ret = (unsigned)v;
    *at += n + 1;
    return true;
}

qc_rc keep_span_parse(const char *word, const char *option, struct keep_span *ret, struct qc_err *err)
{
    struct keep_span s = { 0 };
    const char *at = word;
    bool any = take_part(&at, 'y', &s.years);
    any = take_part(&at, 'm', &s.months) || any;
    any = take_part(&at, 'd', &s.days) || any;
    any = take_part(&at, 'h', &s.hours) || any;
    if (!any || *at != '\0')
        return QC_FAIL(err, QC_USAGE,
                       "--%s takes years, months, days and hours, like 30d or 2y5m7d3h, not '%.60s'", option,
                       word);
    *ret = s;
    return QC_OK;
}

int64_t keep_before(int64_t t, const struct keep_span *span)
{
    struct tm tm = { 0 };
    const time_t at = (time_t)t;
    if (localtime_r(&at, &tm) == NULL)
        return INT64_MIN; /* nothing is before that */
    tm.tm_year -= (int)span->years;
    tm.tm_mon -= (int)span->months;
    tm.tm_mday -= (int)span->days;
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm) - (int64_t)span->hours * 3600;
}

static bool is_span(const struct keep_span *s)
{
    return s->years + s->months + s->days + s->hours > 0;
}

bool keep_any(const struct keep *k)
{
    for (unsigned i = 0; i < KEEP_RULES; i++)
        if (k->count[i] != 0)
            return true;
    return is_span(&k->within);
}

/* Which hour, day, .. it is: equal for times of the same one alone. */
static int64_t bucket(enum keep_rule rule, int64_t t, size_t nr)
{
    struct tm tm = { 0 };
    const time_t at = (time_t)t;
    char week[24] = "";
    if (rule == KEEP_LAST || localtime_r(&at, &tm) == NULL)
        return (int64_t)nr;
    const int64_t year = (int64_t)tm.tm_year + 1900, month = year * 100 + tm.tm_mon,
                  day = month * 100 + tm.tm_mday;
    switch (rule) {
    case KEEP_HOURLY:
        return day * 100 + tm.tm_hour;
    case KEEP_DAILY:
        return day;
    case KEEP_WEEKLY: /* of ISO 8601 */
        return strftime(week, sizeof week, "%G%V", &tm) == 0 ? day : (int64_t)strtoll(week, NULL, 10);
    case KEEP_MONTHLY:
        return month;
    case KEEP_YEARLY:
        return year;
    case KEEP_LAST:
    case KEEP_RULES:
        break;
    }
    return (int64_t)nr;
}

static int64_t latest(const int64_t *times, size_t n)
{
    int64_t most = times[0];
    for (size_t i = 1; i < n; i++)
        most = times[i] > most ? times[i] : most;
    return most;
}

void keep_apply(const struct keep *k, const int64_t *times, size_t n, bool *ret)
{
    int64_t left[KEEP_RULES], last[KEEP_RULES];
    for (unsigned r = 0; r < KEEP_RULES; r++) {
        left[r] = k->count[r];
        last[r] = -1;
    }
    const bool within = n > 0 && is_span(&k->within);
    const int64_t since = within ? keep_before(latest(times, n), &k->within) : 0;
    for (size_t i = 0; i < n; i++) {
        ret[i] = within && times[i] > since;
        for (unsigned r = 0; r < KEEP_RULES; r++) {
            const int64_t b = bucket((enum keep_rule)r, times[i], i);
            if (left[r] == 0 || (b == last[r] && i + 1 < n))
                continue;
            ret[i] = true;
            last[r] = b;
            left[r] -= left[r] > 0;
        }
    }
}

#include "base/time.h"

static const int64_t year_1 = -62135596800, year_9999_end = 253402300799;

uint64_t qc_now_ns(void)
{
    struct timespec t;

    QC_ASSERT(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

uint64_t qc_now_ms(void)
{
    return qc_now_ns() / 1000000U;
}

int64_t qc_wall_s(void)
{
    struct timespec t;

    QC_ASSERT(clock_gettime(CLOCK_REALTIME, &t) == 0);
    return (int64_t)t.tv_sec;
}

qc_deadline qc_deadline_in(uint64_t ms)
{
    uint64_t at;

    if (!qc_add_u64(qc_now_ms(), ms, &at))
        return QC_NO_DEADLINE;
    return (qc_deadline){ at == 0 ? 1 : at };
}

qc_deadline qc_deadline_min(qc_deadline a, qc_deadline b)
{
    if (a.at_ms == 0 || b.at_ms == 0)
        return a.at_ms == 0 ? b : a;
    return a.at_ms < b.at_ms ? a : b;
}

uint64_t qc_deadline_left_ms(qc_deadline d)
{
    if (d.at_ms == 0)
        return UINT64_MAX;
    uint64_t now = qc_now_ms();
    return now >= d.at_ms ? 0 : d.at_ms - now;
}

bool qc_deadline_over(qc_deadline d)
{
    return qc_deadline_left_ms(d) == 0;
}

struct timespec qc_deadline_timespec(qc_deadline d)
{
    QC_ASSERT(d.at_ms != 0);
    return (struct timespec){ .tv_sec = (time_t)(d.at_ms / 1000),
                              .tv_nsec = (long)(d.at_ms % 1000) * 1000000L };
}

void qc_cancel_set(struct qc_cancel *c)
{
    atomic_store(&c->set, true);
}

bool qc_cancel_is(const struct qc_cancel *c)
{
    return c != NULL && atomic_load(&c->set);
}

qc_rc qc_go_on(qc_deadline d, const struct qc_cancel *c, const char *what, struct qc_err *err)
{
    if (qc_cancel_is(c))
        return QC_FAIL(err, QC_CANCELLED, "%s: interrupted", what);
    if (qc_deadline_over(d))
        return QC_FAIL(err, QC_TIMEOUT, "%s: the deadline has passed", what);
    return QC_OK;
}

/* v in n decimal digits; strftime's %Y does not pad years below 1000. */
static void decimal(char *p, size_t n, int v)
{
    QC_ASSERT(v >= 0);
    for (size_t i = n; i-- > 0; v /= 10)
        p[i] = (char)('0' + v % 10);
}

/* By the calendar's own rules, in eras of 400 years that begin with March. gmtime_r would read the time
 * zone's file first, which says nothing of UTC. */
void qc_time_text(int64_t t, char out[QC_TIME_TEXT])
{
    enum { DAY = 86400, ERA = 146097, TO_YEAR_0 = 719468 /* from 1 March of the year 0 to 1970, days */ };

    QC_ASSERT(t >= year_1 && t <= year_9999_end);
    const int64_t since =
        t + (int64_t)TO_YEAR_0 * DAY; /* never negative: the year 1 comes after that March */
    const int days = (int)(since / DAY), second = (int)(since % DAY);
    const int era = days / ERA, of_era = days % ERA;
    const int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int of_year = of_era - (365 * year + year / 4 - year / 100);
    const int from_march = (5 * of_year + 2) / 153, month = from_march < 10 ? from_march + 3 : from_march - 9;

    memcpy(out, "0000-00-00T00:00:00Z", QC_TIME_TEXT);
    decimal(out, 4, era * 400 + year + (month <= 2));
    decimal(out + 5, 2, month);
    decimal(out + 8, 2, of_year - (153 * from_march + 2) / 5 + 1);
    decimal(out + 11, 2, second / 3600);
    decimal(out + 14, 2, second / 60 % 60);
    decimal(out + 17, 2, second % 60);
}

/* n decimal digits at p, or -1. */
static int digits(const uint8_t *p, size_t n)
{
    int v = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        v = v * 10 + (p[i] - '0');
    }
    return v;
}

qc_rc qc_time_parse(qc_span text, int64_t *ret, struct qc_err *err)
{
    static const char form[] = "0000-00-00T00:00:00Z";

    if (text.n != sizeof form - 1)
        return QC_FAIL(err, QC_FORMAT, "a time has the form 2026-01-02T03:04:05Z");
    for (size_t i = 0; i < text.n; i++) {
        bool digit = text.p[i] >= '0' && text.p[i] <= '9';

        if (form[i] == '0' ? !digit : text.p[i] != (uint8_t)form[i])
            return QC_FAIL(err, QC_FORMAT, "a time has the form 2026-01-02T03:04:05Z");
    }
    struct tm tm = { .tm_year = digits(text.p, 4) - 1900,
                     .tm_mon = digits(text.p + 5, 2) - 1,
                     .tm_mday = digits(text.p + 8, 2),
                     .tm_hour = digits(text.p + 11, 2),
                     .tm_min = digits(text.p + 14, 2),
                     .tm_sec = digits(text.p + 17, 2) };
    char again[QC_TIME_TEXT];
    time_t t = timegm(&tm); /* normalises what does not exist: then the text comes out differently */
    if (t < year_1 || t > year_9999_end)
        return QC_FAIL(err, QC_FORMAT, "a time outside the years 1 to 9999");
    qc_time_text((int64_t)t, again);
    if (!qc_span_eq(text, qc_span_str(again)))
        return QC_FAIL(err, QC_FORMAT, "a time that does not exist");
    *ret = (int64_t)t;
    return QC_OK;
}

/* Is it still the date that was written? mktime and timegm take the 31st of February for the 3rd of March. */
static bool same_date(const struct tm *a, const struct tm *b)
{
    return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday;
}

/* One form of strptime, whole. */
static bool parse_form(const char *word, const char *form, bool zone, int64_t *ret)
{
    struct tm tm = { .tm_isdst = -1 };
    const char *end = strptime(word, form, &tm);
    if (end == NULL || *end != '\0')
        return false;
    const long offset = tm.tm_gmtoff; /* of %z; timegm and mktime overwrite it */
    struct tm again = tm;
    const time_t t = zone ? timegm(&again) - offset : mktime(&again);
    if (!same_date(&tm, &again) || t < 0)
        return false;
    *ret = (int64_t)t;
    return true;
}

bool qc_time_read(const char *word, bool days, int64_t *ret)
{
    static const struct {
        const char *form;
        bool zone;
    } forms[] = { { "%Y-%m-%dT%H:%M:%S%z", true }, { "%Y-%m-%d %H:%M:%S %z", true },
                  { "%Y-%m-%dT%H:%M:%S", false },  { "%Y-%m-%d %H:%M:%S", false },
                  { "%Y-%m-%dT%H:%M", false },     { "%Y-%m-%d %H:%M", false } };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (parse_form(word, forms[i].form, forms[i].zone, ret))
            return true;
    return days && parse_form(word, "%Y-%m-%d", false, ret);
}

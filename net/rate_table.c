/* The text of a limit: one rate, or times of the day or week and what holds from then on. */
#include <inttypes.h>
#include <string.h>

#include "base/opt.h"
#include "net/rate.h"

enum { DAY_MIN = 24 * 60, WEEK_DAYS = 7, SIZE_WORD = 24 };

static const char *const day_names[WEEK_DAYS] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

/* -- a rate ---------------------------------------------------------------------------------------------- */

static qc_rc parse_size(qc_span word, uint64_t *ret, struct qc_err *err)
{
    char text[SIZE_WORD];
    uint64_t v = 0;
    if (qc_span_eq(word, QC_LIT("off"))) {
        *ret = 0;
        return QC_OK;
    }
    if (word.n >= sizeof text || (word.n > 0 && memchr(word.p, '\0', word.n) != NULL))
        return QC_FAIL(err, QC_USAGE, "'%.*s' is no rate", (int)(word.n < 40 ? word.n : 40),
                       (const char *)word.p);
    if (word.n > 0)
        memcpy(text, word.p, word.n);
    text[word.n] = '\0';
    QC_TRY(qc_parse_u64(text, "a rate", true, &v, err));
    if (v < NET_RATE_MIN || v > NET_RATE_MAX)
        return QC_FAIL(err, QC_USAGE, "a rate of %" PRIu64 " bytes a second; expected off, or %dk to %dG", v,
                       NET_RATE_MIN / 1024, NET_RATE_MAX >> 30);
    *ret = v;
    return QC_OK;
}

static qc_rc parse_rate(qc_span word, uint64_t ret[NET_RATE_WAYS], struct qc_err *err)
{
    const uint8_t *colon = word.n > 0 ? memchr(word.p, ':', word.n) : NULL;
    const size_t n = colon != NULL ? (size_t)(colon - word.p) : word.n;
    QC_TRY(parse_size(qc_span_of(word.p, n), &ret[NET_RATE_UP], err));
    if (colon == NULL)
        ret[NET_RATE_DOWN] = ret[NET_RATE_UP];
    else
        QC_TRY(parse_size(qc_span_from(word, n + 1), &ret[NET_RATE_DOWN], err));
    return QC_OK;
}

/* -- a time ---------------------------------------------------------------------------------------------- */

static bool two_digits(const uint8_t *p, unsigned below, unsigned *ret)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return false;
    *ret = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
    return *ret < below;
}

/* "08:00": every day, *ret_day is WEEK_DAYS; "Mon-08:00". */
static bool parse_time(qc_span s, unsigned *ret_day, unsigned *ret_minute)
{
    unsigned hour = 0, minute = 0;
    *ret_day = WEEK_DAYS;
    if (s.n == 9 && s.p[3] == '-') {
        for (unsigned d = 0; d < WEEK_DAYS; d++)
            if (memcmp(s.p, day_names[d], 3) == 0)
                *ret_day = d;
        if (*ret_day == WEEK_DAYS)
            return false;
        s = qc_span_from(s, 4);
    }
    if (s.n != 5 || s.p[2] != ':' || !two_digits(s.p, 24, &hour) || !two_digits(s.p + 3, 60, &minute))
        return false;
    *ret_minute = hour * 60 + minute;
    return true;
}

/* -- the table ------------------------------------------------------------------------------------------- */

/* In its place. */
static qc_rc add(struct net_rate_table *t, unsigned minute, const uint64_t bytes[NET_RATE_WAYS],
                 struct qc_err *err)
{
    size_t at = t->count;
    if (t->count == NET_RATE_TIMES_MAX)
        return QC_FAIL(err, QC_USAGE, "more than %d times in a week", NET_RATE_TIMES_MAX);
    while (at > 0 && t->from[at - 1].minute > minute)
        at--;
    if (at > 0 && t->from[at - 1].minute == minute)
        return QC_FAIL(err, QC_USAGE, "%s-%02u:%02u is given twice", day_names[minute / DAY_MIN],
                       minute % DAY_MIN / 60, minute % 60);
    memmove(&t->from[at + 1], &t->from[at], (t->count - at) * sizeof t->from[0]);
    t->from[at] = (struct net_rate_from){ .minute = (uint16_t)minute,
                                          .bytes = { bytes[NET_RATE_UP], bytes[NET_RATE_DOWN] } };
    t->count++;
    return QC_OK;
}

static qc_rc parse_entry(qc_span word, struct net_rate_table *t, struct qc_err *err)
{
    const uint8_t *comma = memchr(word.p, ',', word.n);
    uint64_t bytes[NET_RATE_WAYS] = { 0 };
    unsigned day = 0, minute = 0;
    if (comma == NULL || !parse_time(qc_span_of(word.p, (size_t)(comma - word.p)), &day, &minute))
        return QC_FAIL(err, QC_USAGE, "'%.*s': expected HH:MM,RATE or Mon-HH:MM,RATE",
                       (int)(word.n < 40 ? word.n : 40), (const char *)word.p);
    QC_TRY(parse_rate(qc_span_from(word, (size_t)(comma - word.p) + 1), bytes, err));
    for (unsigned d = 0; d < WEEK_DAYS; d++)
        if (day == WEEK_DAYS || day == d)
            QC_TRY(add(t, d * DAY_MIN + minute, bytes, err));
    return QC_OK;
}

static qc_span next_word(qc_span *text)
{
    size_t n = 0, skip = 0;
    while (skip < text->n && qc_is_blank(text->p[skip]))
        skip++;
    *text = qc_span_from(*text, skip);
    while (n < text->n && !qc_is_blank(text->p[n]))
        n++;
    const qc_span word = qc_span_sub(*text, 0, n);
    *text = qc_span_from(*text, n);
    return word;
}

qc_rc net_rate_parse(qc_span text, struct net_rate_table *ret, struct qc_err *err)
{
    struct net_rate_table t = { 0 };
    qc_span rest = text;
    const qc_span first = next_word(&rest);
    if (first.n == 0)
        return QC_FAIL(err, QC_USAGE, "expected a rate, as 2M, 8M:2M or off, or a timetable");
    if (memchr(first.p, ',', first.n) == NULL && next_word(&rest).n == 0) {
        QC_TRY(parse_rate(first, t.from[0].bytes, err));
        t.count = 1;
        *ret = t;
        return QC_OK;
    }
    rest = text;
    for (qc_span word = next_word(&rest); word.n > 0; word = next_word(&rest))
        QC_TRY(parse_entry(word, &t, err));
    *ret = t;
    return QC_OK;
}

const struct net_rate_from *net_rate_at(const struct net_rate_table *t, unsigned minute)
{
    if (t->count == 0)
        return NULL;
    const struct net_rate_from *now = &t->from[t->count - 1]; /* still last week's */
    for (size_t i = 0; i < t->count && t->from[i].minute <= minute; i++)
        now = &t->from[i];
    return now;
}

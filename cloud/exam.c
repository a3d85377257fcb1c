/* The table of checks, and how a finding comes into the report. */
#include "exam.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct check_row {
    const char *name, *text;
    bool demanded;
    unsigned fact;
};

static const struct check_row rows[CLOUD_CHECK_COUNT] = {
#define X(id, name, demanded, fact, text) [CLOUD_CHECK_##id] = { name, text, demanded, fact },
    CLOUD_CHECKS(X)
#undef X
};

const char *cloud_check_name(enum cloud_check c)
{
    QC_ASSERT((unsigned)c < CLOUD_CHECK_COUNT);
    return rows[c].name;
}

const char *cloud_check_text(enum cloud_check c)
{
    QC_ASSERT((unsigned)c < CLOUD_CHECK_COUNT);
    return rows[c].text;
}

const char *cloud_verdict_name(enum cloud_verdict v)
{
    static const char *const names[] = { "not looked at", "good", "warning", "unfit" };
    QC_ASSERT((size_t)v < sizeof names / sizeof names[0]);
    return names[v];
}

void cloud_exam_key(struct cloud_exam *x, char ret[CLOUD_TEST_KEY_SIZE])
{
    QC_ASSERT(x->next_key < CLOUD_TEST_KEYS_MAX);
    int n = snprintf(ret, CLOUD_TEST_KEY_SIZE, CLOUD_TEST_PREFIX "%s-%04u", x->run, x->next_key++);
    QC_ASSERT(n > 0 && n < CLOUD_TEST_KEY_SIZE && cloud_key_ok(ret));
}

void cloud_exam_good(struct cloud_exam *x, enum cloud_check check)
{
    struct cloud_finding *f = &x->report->findings[check];
    if (f->verdict != CLOUD_NOT_LOOKED_AT)
        return;
    f->verdict = CLOUD_GOOD;
    x->report->facts |= rows[check].fact;
}

__attribute__((format(printf, 4, 0))) static void find(struct cloud_exam *x, enum cloud_check check,
                                                       bool unfit, const char *fmt, va_list args)
{
    struct cloud_finding *f = &x->report->findings[check];
    if (f->verdict == CLOUD_WARNS || f->verdict == CLOUD_UNFIT)
        return;
    f->verdict = unfit ? CLOUD_UNFIT : CLOUD_WARNS;
    x->report->facts &= ~rows[check].fact;
    x->report->unfit += unfit;
    x->report->warns += !unfit;
    (void)vsnprintf(f->why, sizeof f->why, fmt, args);
}

void cloud_exam_bad(struct cloud_exam *x, enum cloud_check check, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    find(x, check, rows[check].demanded, fmt, args);
    va_end(args);
}

void cloud_exam_warn(struct cloud_exam *x, enum cloud_check check, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    find(x, check, false, fmt, args);
    va_end(args);
}

void cloud_report_unfit(const struct cloud_report *r, char *dst, size_t size)
{
    size_t n = 0;
    QC_ASSERT(size > 0);
    dst[0] = '\0';
    for (unsigned i = 0; i < CLOUD_CHECK_COUNT; i++) {
        if (r->findings[i].verdict != CLOUD_UNFIT || n + 1 >= size)
            continue;
        int m = snprintf(dst + n, size - n, "%s%s", n > 0 ? "; " : "", r->findings[i].why);
        n += m > 0 ? (size_t)m : 0;
    }
}

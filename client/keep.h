/* Which of a name's versions stay: rules with restic's meaning. Part of the program qcloud (layer 5); uses
 * base. Pure functions, but for the zone of this machine, in which hours, days and weeks are counted.
 *
 * last, hourly, ..: of the newest N versions, hours, days, .. that have a version, the newest version each;
 * of a rule that is not used up the oldest version, too. within: what is younger than the newest one by less
 * than that. A version stays if any rule says so. */
#pragma once
#include <stddef.h>

#include "base/err.h"

enum keep_rule { KEEP_LAST, KEEP_HOURLY, KEEP_DAILY, KEEP_WEEKLY, KEEP_MONTHLY, KEEP_YEARLY, KEEP_RULES };
#define KEEP_ALL (-1) /* as a count */

/* "2y5m7d3h": years, months, days, hours, each at most once and in this order. */
struct keep_span {
    unsigned years, months, days, hours;
};
struct keep {
    int64_t count[KEEP_RULES]; /* 0: no such rule */
    struct keep_span within;   /* all zero: no such rule */
};

/* "3", "unlimited". QC_USAGE: with the option's name. */
QC_MUST qc_rc keep_count_parse(const char *word, const char *option, int64_t *ret, struct qc_err *err);
QC_MUST qc_rc keep_span_parse(const char *word, const char *option, struct keep_span *ret,
                              struct qc_err *err);
/* The time so long before t, by the calendar of this machine's zone. */
int64_t keep_before(int64_t t, const struct keep_span *span);
bool keep_any(const struct keep *k); /* is there a rule? */
/* times: the newest version first; ret: n elements, does it stay? */
void keep_apply(const struct keep *k, const int64_t *times, size_t n, bool *ret);

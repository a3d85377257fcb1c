/* What qcloud-gateway says when it fails: what happened, what it means for the data, what to run next. */
#pragma once
#include "base/err.h"

enum tell_about {
    TELL_CALL,
    TELL_INIT,
    TELL_SERVE,
    TELL_REBUILD,
    TELL_STATUS,
    TELL_CLOUD,
    TELL_REPAIR,
    TELL_SCRUB,
    TELL_DRILL,
    TELL_TENANT,
    TELL_CONF,
    TELL_AUDIT,
    TELL_SWEEP,
    TELL_SNAPSHOT,
    TELL_RESTORE,
    TELL_KEYS,
    TELL_MOVE,
    TELL_SELFTEST,
    TELL_JOB
};
/* Three lines on stderr with a code Eeenn; returns the exit status. */
int tell_error(enum tell_about about, const struct qc_err *err);

/* What a test expects of a call: QC_OK, or a certain refusal with a message. In both, `err` is the call's
 * own. */
#pragma once
#include "base/err.h"
#include <stdio.h>
#include <stdlib.h>

#define OK(call)                                                                                             \
    do {                                                                                                     \
        struct qc_err err = { 0 };                                                                           \
        qc_rc rc_expect_ = (call);                                                                           \
        if (rc_expect_ != QC_OK) {                                                                           \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, qc_rc_name(rc_expect_), err.msg);         \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#define FAILS(code, call)                                                                                    \
    do {                                                                                                     \
        struct qc_err err = { 0 };                                                                           \
        qc_rc rc_expect_ = (call);                                                                           \
        if (rc_expect_ != (code) || err.msg[0] == '\0') {                                                    \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, qc_rc_name(rc_expect_), err.msg);         \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

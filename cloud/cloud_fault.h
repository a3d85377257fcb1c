/* Slow, lying and dead clouds out of real ones, for tests. Internal to cloud/; only in builds with
 * QC_FAULT_POINTS.
 *
 *   QC_CLOUD_FAULTS=NAME=RULE,RULE;NAME=RULE     NAME as in cloud_opts.name, or * for every cloud
 *   QC_CLOUD_FAULTS=@FILE                        the same text (lines may stand for ';'), read anew before
 *                                                each call, so that a test can change it, by rename
 *
 *   RULE = OP:ACTION[:ARG][@FIRST[-LAST]][%PERCENT]
 *   OP   = put get head delete list space alive any
 *
 *   fail[:CODE]     fails with the code (ids of err.h; "temporary"), without reaching the cloud
 *   after[:CODE]    reaches the cloud, has its effect, then fails: an outcome that the caller cannot know
 *   delay:MS        waits first; ends early at the deadline or when cancelled, as a polite driver does
 *   hang:MS         waits first, whatever the deadline: a system call that does not come back
 *   late:MS         put: hangs, and then has its effect, though nobody waits for it any more
 *   stall:MS        get: the object's first 4 KiB come at once; for what is beyond, waits first as delay does
 *   flip            get: a bit of the answer is wrong; put: a bit of what is stored is
 *   truncate        get, head: half of the object is there; put: half is stored
 *   missing         get, head: no such object
 *   empty           list: no keys
 *   stale           get, head: the object as it was before the newest put through this handle
 *   drop            put, delete: acknowledged, without effect
 *
 * FIRST, LAST count the calls of that operation on this handle, from 1; rules apply in their order. PERCENT
 * picks calls by a fixed hash of that count. A text that does not parse kills the program: no test passes by
 * a typing error. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

enum fault_op {
    FAULT_PUT,
    FAULT_GET,
    FAULT_HEAD,
    FAULT_DELETE,
    FAULT_LIST,
    FAULT_SPACE,
    FAULT_ALIVE,
    FAULT_OPS
};

enum fault_act {
    FAULT_FAIL,
    FAULT_AFTER,
    FAULT_DELAY,
    FAULT_HANG,
    FAULT_LATE,
    FAULT_STALL,
    FAULT_FLIP,
    FAULT_TRUNCATE,
    FAULT_MISSING,
    FAULT_EMPTY,
    FAULT_STALE,
    FAULT_DROP,
    FAULT_ACTS
};

struct fault_rule {
    unsigned ops; /* bit for each fault_op */
    enum fault_act act;
    qc_rc rc;    /* fail, after */
    uint64_t ms; /* delay, hang, late, stall */
    uint64_t first, last;
    unsigned percent;
};

struct fault_rules {
    struct fault_rule rule[CLOUD_FAULT_RULES_MAX];
    unsigned count;
};

/* The rules of the cloud `name` in a text. QC_USAGE: the text (of any cloud) does not parse. */
QC_MUST qc_rc fault_rules_parse(const char *text, const char *name, struct fault_rules *ret,
                                struct qc_err *err);

/* Does the rule apply to the count-th call of op? */
bool fault_rule_applies(const struct fault_rule *r, enum fault_op op, uint64_t count);

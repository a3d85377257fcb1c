/* What the checks of `doctor` share. Part of the program qcloud (layer 5); uses base, status. */
#pragma once
#include "client.h"
#include "status.h"

enum level { LEVEL_OK, LEVEL_WARN, LEVEL_BAD, LEVELS };

struct doctor {
    struct client *c;
    const struct qc_args *args; /* its words are folders to look through */
    struct status s;
    bool fix;                /* --fix: what is safe to mend is mended, and told */
    bool configured, looked; /* there is a vault; s is filled */
    const char *check;       /* the one that runs */
    unsigned count[LEVELS];
    qc_rc worst;
};

/* rc: what it is worth as an exit code. next: what to run or do; NULL where all is well. */
#define doctor_tell(d, rc, ...) doctor_tell_at(d, doctor_level(rc), rc, __VA_ARGS__)
enum level doctor_level(qc_rc rc);
QC_PRINTF(6, 7)
QC_MUST qc_rc doctor_tell_at(struct doctor *d, enum level level, qc_rc rc, const char *next,
                             struct qc_err *err, const char *format, ...);
/* What a command would have failed with, and what it would have said to run next. */
QC_MUST qc_rc doctor_tell_error(struct doctor *d, const struct qc_err *why, struct qc_err *err);

/* -- doctor_left.c: what commands that were killed left behind ------------------------------------------- */

/* Before the gateway is asked for anything, which would start it. */
QC_MUST qc_rc doctor_leftovers(struct doctor *d, struct qc_err *err);
/* Puts in the journal; --fix settles them. */
QC_MUST qc_rc doctor_unfinished(struct doctor *d, struct qc_err *err);
/* Locks, and who has them. */
QC_MUST qc_rc doctor_locks(struct doctor *d, struct qc_err *err);

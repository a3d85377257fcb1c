/* Bytes from one thread to another, a piece at a time, without a copy that waits: the giver stands still
 * until the taker has them, or lends some pieces and goes on. Layer 3; uses base. One giver, one taker. */
#pragma once
#include <pthread.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

enum { HANDOFF_LENT = 3 }; /* pieces that are not taken at most: some are while the next is made */

struct handoff {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    qc_span piece[HANDOFF_LENT]; /* given, and not yet taken; borrowed, in order */
    size_t count;
    bool ended;        /* nothing more comes */
    bool over;         /* nobody takes any more */
    struct qc_err why; /* of the end; why.rc QC_OK: all was given */
};

void handoff_init(struct handoff *h);
void handoff_done(struct handoff *h);

/* The giver: waits until all is taken. QC_CANCELLED: nobody takes any more. */
QC_MUST qc_rc handoff_give(struct handoff *h, qc_span bytes, struct qc_err *err);
/* The giver: waits until less than HANDOFF_LENT pieces are not taken, this one among them: so many places,
 * used in turn, are enough. QC_CANCELLED as above. */
QC_MUST qc_rc handoff_lend(struct handoff *h, qc_span bytes, struct qc_err *err);
/* The giver: waits until nobody looks any more at what was lent: it is taken, or nobody takes any more. */
void handoff_settle(struct handoff *h);
/* The giver: nothing more comes, for this reason, and what is lent is not taken any more; why NULL: that was
 * all. The first end counts. */
void handoff_end(struct handoff *h, const struct qc_err *why);

/* The taker: up to max bytes, in order; dst NULL: they are dropped. 0: that was all. The reason of the end
 * where it was a failure. */
QC_MUST qc_rc handoff_take(struct handoff *h, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err);
/* The taker: wait for the first bytes, or the end: its reason where it was a failure. What the giver wrote
 * before is then to be seen. */
QC_MUST qc_rc handoff_wait(struct handoff *h, struct qc_err *err);
/* The taker: no more is taken. */
void handoff_leave(struct handoff *h);

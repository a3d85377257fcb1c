/* A source at work: it is read, tested, conditioned, and a pool of bytes kept ready. Internal to qrng/.
 *
 * By a thread, which starts at the first draw or warm-up; of a device or a command the first draw takes what
 * is there at once itself, and the thread starts when that is not enough (docs/adr/0028). Until the start-up
 * test passed, and from an alarm or a failure on until it passed again, nothing is given out; an alarm drops
 * the pool. Raw bytes, the tests' state, the conditioner and the pool lie in one locked block, which a forked
 * child has as zeros: a draw there is refused. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/time.h"
#include "gate.h"
#include "qrng/conf.h"
#include "qrng/health.h"

struct qrng_feed;

struct qrng_feed_status {
    enum qrng_gate_state state;
    bool started, locked;      /* locked: its memory is */
    enum qrng_alarm alarm;     /* the last one */
    unsigned alarms, failures; /* of health tests, and others, since it was opened */
    uint64_t raw, given;       /* bytes read, bytes given out */
    uint64_t left;             /* bytes before its end; UINT64_MAX: no end is known */
    char why[QC_ERR_MSG_MAX];  /* of the last failure */
};

/* conf is borrowed until close, and alarms, the directory where alarms are kept (empty: nowhere). Nothing of
 * the source is touched. QC_NOMEM. */
QC_MUST qc_rc qrng_feed_new(struct qrng_feed **ret, const struct qrng_source_conf *conf, const char *alarms,
                            struct qc_err *err);
/* Nothing is drawn for a while, or ever: a command that runs is told to end, unless the thread reads it. The
 * pool stays; a draw that wants more begins anew, with the start-up test. Any thread. */
void qrng_feed_rest(struct qrng_feed *f);
/* Stops the thread and wipes; *f is NULL. */
void qrng_feed_free(struct qrng_feed **f);
/* Get ready, so that a draw does not wait: open it, or start reading. What is wrong is said by the draw, too.
 */
QC_MUST qc_rc qrng_feed_warm(struct qrng_feed *f, struct qc_err *err);
/* What the first draw would do without waiting, now: it finds the pool filled, if what that takes is there.
 * What is wrong is said by the draw. */
void qrng_feed_ahead(struct qrng_feed *f);
/*
 * n bytes, conditioned. Any thread.
 *
 * QC_RANDOM  the source is not in health (at once, unless it is being tried right now), or did not give so
 * many bytes by the deadline; p is zeros then
 */
QC_MUST qc_rc qrng_feed_draw(struct qrng_feed *f, uint8_t *p, size_t n, qc_deadline d, struct qc_err *err);
struct qrng_feed_status qrng_feed_status(struct qrng_feed *f);
/* A person looked at it: try again after three alarms. */
void qrng_feed_enable(struct qrng_feed *f);
/* In tests: where its secrets are. */
const void *qrng_feed_memory(const struct qrng_feed *f, size_t *ret_size);

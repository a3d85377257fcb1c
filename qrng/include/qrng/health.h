/* Health tests of a source of randomness, on its bytes as they come, before conditioning. Layer 2; uses base.
 * Pure: memory in, memory out.
 *
 * Source: NIST SP 800-90B 4.4.1 (repetition count) and 4.4.2 (adaptive proportion, windows of 512), with
 * cutoffs from the declared min-entropy; two tests of our own for what they do not see: too few different
 * values in a block, and a stream that comes again. They catch sources that broke, not sources that lie.
 *
 * Time depends on the bytes (which of them are equal). That is why they are never given out as they are:
 * every output is conditioned and XORed with the kernel's.
 *
 * Memory: the state holds bytes of the source and lives where its owner keeps secrets. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

enum {
    QRNG_ENTROPY_MAX = 8000, /* thousandths of a bit per byte */
    QRNG_WINDOW = 512,       /* of the proportion test, for samples of more than one bit */
    QRNG_WINDOW_BINARY = 1024,
    QRNG_ALPHA = 40,         /* a healthy source trips a test with probability 2^-40 */
    QRNG_BLOCK = 4096,       /* of the values test */
    QRNG_STARTUP = 1024,     /* bytes that a source must give in health before anything is given out */
    QRNG_CYCLE_ANCHORS = 11, /* remembered places, renewed every 2^10, 2^12, .. 2^30 bytes */
    QRNG_CYCLE_FIRST_LOG2 = 10,
    QRNG_CYCLE_BITS =
        104, /* of declared entropy in what must come again: 11 * 2^(60 - 104) < 2^-40 for 2^60 bytes */
    QRNG_CYCLE_MAX = 256, /* bytes of it, at QRNG_ENTROPY_MIN */
};

/* An alarm is raised when a count reaches (or, for values, does not exceed) these. */
struct qrng_cutoffs {
    unsigned repetition; /* the same sample so many times in a row */
    unsigned proportion; /* the window's first sample so many times in it, itself included */
};

/*
 * Cutoffs from the declared entropy. SP 800-90B 4.4: C = 1 + ceil(a / H), and
 * C = 1 + CRITBINOM(W, 2^-H, 1 - 2^-a).
 *   mbit    H in thousandths of a bit per sample, 1..8000 (asserted)
 *   window  W, 2..QRNG_WINDOW_BINARY (asserted)
 *   alpha   a, 1..60 (asserted)
 */
struct qrng_cutoffs qrng_cutoffs(unsigned mbit, unsigned window, unsigned alpha);

/*
 * At most so many different values in a block is an alarm: the largest d for which C(256, d) (d 2^-H)^block
 * <= 2^-a, a bound on the probability that all bytes lie among d values, whatever they are; 0 when there is
 * none such. It is looked at after the start-up test's bytes, so that no page of text becomes a key, and
 * after each QRNG_BLOCK. block  1..QRNG_BLOCK (asserted); the others as above
 */
unsigned qrng_cutoff_values(unsigned mbit, unsigned block, unsigned alpha);

enum qrng_alarm {
    QRNG_ALARM_NONE,
    QRNG_ALARM_REPETITION, /* one value again and again */
    QRNG_ALARM_PROPORTION, /* one value too often */
    QRNG_ALARM_VALUES,     /* too few different values: text, digits */
    QRNG_ALARM_CYCLE,      /* bytes that came before: a short cycle, an answer from a cache */
    QRNG_ALARM_COUNT,
};
/* "repetition count", .. */
const char *qrng_alarm_text(enum qrng_alarm a);

struct qrng_cycle {
    size_t length; /* of what must come again, bytes */
    uint64_t at;   /* bytes so far */
    uint64_t tail; /* the last eight */
    uint8_t ring[QRNG_CYCLE_MAX];
    uint16_t ends[256]; /* by last byte: which anchors end so */
    uint16_t set;       /* which anchors are there */
    struct {
        uint64_t tail;
        uint8_t window[QRNG_CYCLE_MAX];
    } anchor[QRNG_CYCLE_ANCHORS];
};

/* All-zero is not ready: qrng_health_init. Fields are the tests' own but for alarm and alarm_at. */
struct qrng_tests {
    unsigned mbit;
    struct qrng_cutoffs cutoffs;
    unsigned cutoff_values, cutoff_startup; /* of a block; of the first QRNG_STARTUP bytes */
    unsigned run;                           /* repetition count */
    unsigned window_at, window_count;
    unsigned block_at;
    uint64_t seen[4]; /* a bit per value of this block */
    uint8_t last, first;
    uint64_t bytes;        /* tested so far, the one that raised the alarm included */
    enum qrng_alarm alarm; /* stays until the next init */
    struct qrng_cycle cycle;
};

/*
 * Ready for the first byte after a start.
 *   mbit   declared min-entropy, thousandths of a bit per byte, QRNG_ENTROPY_MIN..QRNG_ENTROPY_MAX (asserted)
 *   alpha  as above; QRNG_ALPHA but in tests of the tests
 */
void qrng_health_init(struct qrng_tests *h, unsigned mbit, unsigned alpha);

/* Test n bytes. False: an alarm was raised, now (h->bytes is where) or before; what follows is not looked at.
 */
bool qrng_health_take(struct qrng_tests *h, const uint8_t *p, size_t n);

/*
 * Where a fault is seen at the latest, in bytes after its begin. These are what the tests are designed for
 * and measured against.
 */
/* One value for ever: exactly the repetition's cutoff. */
uint64_t qrng_design_stuck(unsigned mbit);
/* A stream of min-entropy actual < mbit, whose likeliest value has probability 2^-actual and stands first in
 * a window as often: so many windows that a miss has probability 2^-40, where one such window cannot pass. */
uint64_t qrng_design_biased(unsigned actual_mbit);
/* A stream that repeats itself after `period` bytes, from any place on: two of the first anchor's distances
 * not below the period. period up to 2^30. */
uint64_t qrng_design_cycle(uint64_t period, unsigned mbit);

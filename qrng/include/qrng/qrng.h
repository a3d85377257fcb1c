/* Randomness with a provenance. Layer 2; uses base. Keeps I5 (bytes go straight into the caller's memory).
 *
 * A handle is opened once and asked for bytes. It gives all that was asked for or it fails with QC_RANDOM.
 *
 *   qrng_open("os")    the kernel's generator, getrandom(2); waits for the pool to be seeded once after boot
 *   qrng_open_policy   the sources of a configuration: tested (qrng/health.h), conditioned
 * (qrng/condition.h), XORed with the kernel's, by a policy that says what happens when no source is in health
 *
 * After a failure the os gives nothing more until it is opened again; sources by policy come back when they
 * pass their start-up test again.
 *
 * Threads: fill and provenance may be called by any number at once; close is called by the last user. Sources
 * by policy have a thread each, with all signals blocked, from the first fill or qrng_warm on; one that has
 * its bytes ready at once, from when more is asked for than a put wants. Blocking: os waits once after boot;
 * sources by policy up to QC_QRNG_DRAW_MS.
 */
#pragma once
#include "base/err.h"
#include "base/limits.h"
#include "base/rng.h"
#include "qrng/conf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qrng; /* opaque */

enum qrng_health {
    QRNG_HEALTH_KERNEL, /* the kernel tests its sources; nothing was tested here */
    QRNG_HEALTH_UNTESTED,
    QRNG_HEALTH_OK,     /* the tests of qrng/health.h run, and raised no alarm since the source was let in */
    QRNG_HEALTH_FAILED, /* a fill failed: nothing more comes */
};

/* Where the bytes come from; recorded with what is made of them. Holds no secret. */
struct qrng_provenance {
    enum qrng_policy policy;
    enum qrng_health health;
    uint64_t bytes;           /* given so far */
    uint64_t left;            /* of pre-loaded files, before their end; UINT64_MAX: no end is known */
    bool fell_back;           /* the policy prefers a source, and the kernel's generator stood in */
    char why[QC_ERR_MSG_MAX]; /* then */
    char text[QC_QRNG_PROVENANCE_MAX]; /* "os:getrandom policy=os health=kernel": goes into the object's
                                          metadata (FORMAT 11.1) */
};

/*
 * Open the source that `spec` names.
 *
 *   spec  "os"
 *   ret   the caller closes it
 *
 * QC_USAGE   no such source
 * QC_RANDOM  the source does not answer: 32 bytes are drawn and dropped as a trial
 * QC_NOMEM
 */
QC_MUST qc_rc qrng_open(const char *spec, struct qrng **ret, struct qc_err *err);

/*
 * Open the sources of a configuration by its policy for a profile. Nothing of them is touched before the
 * first fill or qrng_warm: a command that draws nothing does not fail by them.
 *
 *   conf  copied
 *
 * QC_NOMEM; with the policy os: as qrng_open
 */
QC_MUST qc_rc qrng_open_policy(const struct qrng_conf *conf, enum qrng_profile profile, struct qrng **ret,
                               struct qc_err *err);

/*
 * Is a source shut off, after three health alarms within an hour in any processes? *ret_since_s: the last of
 * them, seconds since 1970; 0: it is not. QC_FORMAT: the record is damaged, and the source as good as shut
 * off
 */
QC_MUST qc_rc qrng_source_shut(const struct qrng_conf *conf, const char *source, int64_t *ret_since_s,
                               struct qc_err *err);
/* A person looked at it: its alarms are forgotten, durably. */
QC_MUST qc_rc qrng_source_enable(const struct qrng_conf *conf, const char *source, struct qc_err *err);

/* Bytes will be wanted soon: open the source, and start its tests where reading it means waiting. */
void qrng_warm(struct qrng *q);

/* There is time now: what the first fill would test and condition of a device or a command is done ahead, if
 * its bytes are there. Nothing is waited for. */
void qrng_ahead(struct qrng *q);

/* Nothing is drawn for a while, or ever: a command that runs for it is told to end, so that the close, which
 * waits for that, need not. What is ready stays; a fill that wants more starts it anew, start-up test
 * included. Any thread. */
void qrng_rest(struct qrng *q);

/* Closes and forgets; *q is NULL. */
void qrng_close(struct qrng **q);

/*
 * n random bytes.
 *
 *   p, n  the caller's memory, written in full on QC_OK; all zeros on failure
 *
 * QC_RANDOM  the source failed, gave fewer bytes, or had failed before
 */
QC_MUST qc_rc qrng_fill(struct qrng *q, uint8_t *p, size_t n, struct qc_err *err);

/* The source as the interface that base/ and ss/ take; valid until q is closed. Any thread. */
qc_rng qrng_rng(struct qrng *q);

/* What is known about the bytes given so far; of sources by policy: about those since the last call. */
struct qrng_provenance qrng_provenance(struct qrng *q);

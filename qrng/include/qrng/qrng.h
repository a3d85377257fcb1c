/* Randomness with a provenance. Layer 2; uses base. Keeps I5 (bytes go straight into the caller's memory).
 *
 * A source is named by a spec, opened once, and asked for bytes. It gives all that was asked for or it fails
 * with QC_RANDOM; from then on it is failed, says so in its provenance, and gives nothing more until it is
 * opened again. Nothing falls back to another source (exit 13).
 *
 * Sources of this version:
 *   os    the kernel's generator, getrandom(2); waits for the pool to be seeded once after boot
 * A spec that begins otherwise is QC_USAGE. A hardware source is a row of the table in qrng.c with the same
 * three calls: it adds its own spec (as "device:/dev/qrng0"), its health tests (SP 800-90B 4.4) before any
 * byte is released, conditioning, XOR with the `os` source, and a policy that says whether the os alone would
 * do.
 *
 * Threads: fill and provenance may be called by any number at once; close is called by the last user.
 * Blocking: os waits once after boot, else never.
 */
#pragma once
#include "base/err.h"
#include "base/limits.h"
#include "base/rng.h"
#include <stddef.h>
#include <stdint.h>

struct qrng; /* opaque */

enum qrng_policy {
    QRNG_POLICY_OS,   /* the kernel's generator is what was asked for */
    QRNG_POLICY_TEST, /* bytes that a test wrote down; no spec leads here */
};

enum qrng_health {
    QRNG_HEALTH_KERNEL, /* the kernel tests its sources; nothing was tested here */
    QRNG_HEALTH_UNTESTED,
    QRNG_HEALTH_FAILED, /* a fill failed: nothing more comes */
};

/* Where the bytes come from; recorded with what is made of them. Holds no secret. */
struct qrng_provenance {
    enum qrng_policy policy;
    enum qrng_health health;
    uint64_t bytes;                    /* given so far */
    char text[QC_QRNG_PROVENANCE_MAX]; /* "os:getrandom policy=os health=kernel": goes into the object's
                                          metadata */
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

/* What is known about the bytes given so far. */
struct qrng_provenance qrng_provenance(struct qrng *q);

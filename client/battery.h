/* Debian's batteries of tests for random numbers, on bytes of a source or of a file. Layer 5. */
#pragma once
#include "client.h"

/*
 * Run one to its end, and show what it prints, line by line.
 *
 *   name    "rngtest" (rng-tools: FIPS 140-2, seconds) or "dieharder" (all of its tests, hours)
 *   source  whose conditioned bytes it gets, as `rng read` gives them; NULL: those of the file
 *
 * QC_USAGE    no such battery;  QC_NOTFOUND  it is not installed, or the file is not there
 * QC_RANDOM   it failed: more blocks than chance lets fail, or a test that dieharder calls failed
 */
QC_MUST qc_rc battery_run(struct client *c, const char *name, const char *source, const char *file,
                          struct qc_err *err);

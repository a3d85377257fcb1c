/* Debian's batteries of tests for random numbers, on bytes of a source or of a file. Layer 5. */
#pragma once
#include "client.h"

/* Whose bytes: of a source, as `rng read` gives them, or as they come (raw: neither conditioned nor mixed);
 * or, where source is NULL, of a file. */
struct battery_of {
    const char *source, *file;
    bool raw;
};

/*
 * Run one to its end, and show what it prints, line by line.
 *
 *   name  "rngtest" (rng-tools: FIPS 140-2, seconds), "dieharder" (all of its tests, hours) or
 * "dieharder:100" (the one with this number)
 *
 * QC_USAGE    no such battery, or the bytes ended before dieharder had what it reads
 * QC_NOTFOUND it is not installed, or the file is not there
 * QC_RANDOM   it failed: more blocks than chance lets fail, or a test that dieharder calls failed
 */
QC_MUST qc_rc battery_run(struct client *c, const char *name, const struct battery_of *of,
                          struct qc_err *err);

/* Does this program compute what it should, on this machine, with the libraries that are installed now?
 * Known-answer tests, by name. Layer 3; uses base, ec, ss, qrng. docs/adr/0083.
 *
 * Inputs and answers are those of the standards, or what a second implementation computes (tests/kat); none
 * of them is a secret. All of it takes some milliseconds, and the child of Argon2id, which is for a program
 * without other threads' needs. Any thread.
 *
 * The fault point selftest_answer, when it fails, spoils the answer that was just computed by one bit: each
 * test is shown to be able to fail (unit/selftest). */
#pragma once
#include <stdbool.h>

#include "base/json.h"
#include "base/rng.h"

/* What is tested: what the program uses. */
enum { SELFTEST_GATEWAY = 1, SELFTEST_CLIENT = 2 };

/*
 * Run all tests of a program.
 *
 *   rng  the source of randomness that the program uses
 *   ret  {"tests": [{"name", "what", "ok", "why" unless ok}], "failed": N, "summary": [lines for people],
 *        "outcome": {"id", "message"}}: the outcome is ok; random where randomness alone failed; else general
 *
 * QC_NOMEM
 */
QC_MUST qc_rc selftest_report(struct json_t **ret, unsigned who, const qc_rng *rng, struct qc_err *err);

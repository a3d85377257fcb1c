/* Shamir sharing of qc_keys: the form in which R and G are split. Layer 1; uses base. Any thread.
 * Time and errors as in ss/shamir.h; the bytes never leave secret memory (I5).
 */
#pragma once
#include "base/err.h"
#include "base/key.h"
#include "base/rng.h"

/*
 * Split the key `secret` into n new keys of its length.
 *
 *   k, n, points  as in ss_split_rng
 *   ret           n owners, all NULL before; the caller frees each. All are set on QC_OK, none otherwise
 *
 * QC_USAGE, QC_LIMIT, QC_RANDOM  as ss_split_rng; QC_NOMEM no secret memory
 */
QC_MUST qc_rc ss_key_split(unsigned k, unsigned n, const uint8_t *points, const qc_key *secret,
                           const qc_rng *rng, qc_key **ret, struct qc_err *err);

/*
 * The key at point `at` of the polynomial through k keys; at 0 it is the shared key.
 *
 *   points  k different points; 0 is refused
 *   shares  k keys of one length, borrowed
 *
 * QC_USAGE  as ss_combine, or the keys differ in length; QC_NOMEM no secret memory
 */
QC_MUST qc_rc ss_key_combine(unsigned k, const uint8_t *points, const qc_key *const *shares, uint8_t at,
                             qc_key **ret, struct qc_err *err);

/* As ss_key_combine, but 0 may be among the points (ss_interpolate): the polynomial of derived mode. */
QC_MUST qc_rc ss_key_interpolate(unsigned k, const uint8_t *points, const qc_key *const *shares, uint8_t at,
                                 qc_key **ret, struct qc_err *err);

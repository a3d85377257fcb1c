/* Shamir secret sharing, byte by byte over GF(2^8) with x^8+x^4+x^3+x^2+1 (0x11d). Layer 1; uses base.
 * FORMAT 1.2. Pure functions on the caller's memory: no I/O, any thread. Time depends on k, n, the points and
 * the length, never on a byte of a secret, a coefficient or a share (ct/ss_shamir).
 *
 * One polynomial per byte of the secret: f(x) = s + c1 x + c2 x^2 + ... + c(k-1) x^(k-1). A share is f at a
 * public point x, 1 <= x <= 255; the secret is f(0). Shares carry neither point nor threshold nor check:
 * whoever keeps them keeps those too, and authenticates what was combined. A wrong share gives a wrong secret
 * and no error.
 *
 * Source: Shamir, How to share a secret, 1979; the polynomial is libgfshare's, so gfsplit and gfcombine
 * interoperate (kat/ss_gfshare).
 */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"

/*
 * Split `secret` into n shares, any k of which restore it and any k-1 of which say nothing about it.
 *
 *   k, n    threshold and count, 1 <= k <= n <= 255
 *   points  n different non-zero points, one per share; NULL means 1, 2, ..., n. Public
 *   secret  1 .. QC_SS_SECRET_MAX bytes, borrowed
 *   coeffs  (k-1) * secret.n bytes, borrowed: first all linear coefficients, byte by byte of the secret, then
 * all quadratic ones, and so on. They must be uniformly random, used for this split only, and are as secret
 * as the secret. Zero bytes are legal, the highest coefficients included: forbidding them would leak shares
 * n buffers of secret.n bytes, written in full on QC_OK, untouched otherwise; no overlap with anything
 *
 * QC_USAGE  k, n, a point or a length is outside of what is said above, or two points are equal
 * Allocates nothing. Cost: n * (k-1) multiplications per byte.
 */
QC_MUST qc_rc ss_split(unsigned k, unsigned n, const uint8_t *points, qc_span secret, qc_span coeffs,
                       uint8_t *const *shares, struct qc_err *err);

/*
 * ss_split with coefficients drawn from `rng`, in one call, into secret memory that is wiped before the
 * return.
 *
 * As ss_split, and:
 * QC_LIMIT   (k-1) * secret.n is more than QC_KEY_MAX bytes, what one piece of secret memory holds
 * QC_RANDOM  or what else `rng` answers: no share was written
 * QC_NOMEM   no secret memory
 */
QC_MUST qc_rc ss_split_rng(unsigned k, unsigned n, const uint8_t *points, qc_span secret, const qc_rng *rng,
                           uint8_t *const *shares, struct qc_err *err);

/*
 * Evaluate the polynomial through k shares at a point: at 0 it is the secret, elsewhere another share, which
 * is how a lost share is made again and how the polynomial of derived mode is fixed.
 *
 *   k       shares given, 1..255. Must be the threshold of the split: with fewer, or with a wrong share, the
 * result is wrong and nothing here can tell. More are legal, and harmless when all are right points  the k
 * points of the shares, all different. Point 0 is refused here: see ss_interpolate shares  k buffers of
 * `size` bytes, borrowed size    bytes, 1 .. QC_SS_SECRET_MAX at      0 for the secret, or the point of the
 * share that is wanted; one of `points` is legal and gives that share out     `size` bytes, written in full
 * on QC_OK, untouched otherwise; no overlap with the shares
 *
 * QC_USAGE  k, a point or the size is outside of what is said above, or two points are equal
 * Allocates nothing. Cost: k multiplications per byte.
 */
QC_MUST qc_rc ss_combine(unsigned k, const uint8_t *points, const uint8_t *const *shares, size_t size,
                         uint8_t at, uint8_t *out, struct qc_err *err);

/*
 * As ss_combine, but 0 may be among the points: its "share" is the secret itself. Derived mode needs that: R3
 * and R4 lie on the polynomial through (0, R), (1, R1), (2, R2). Not for shares that somebody sent.
 */
QC_MUST qc_rc ss_interpolate(unsigned k, const uint8_t *points, const uint8_t *const *shares, size_t size,
                             uint8_t at, uint8_t *out, struct qc_err *err);

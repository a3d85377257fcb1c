/* Erasure coding of one stripe: any k of its n = k + m pieces give its data. Layer 1; uses base. Format:
 * FORMAT 8.1.
 *
 * Systematic Cauchy code over GF(2^8) with 0x11d: pieces 0..k-1 are the data, piece i >= k is the sum over j
 * < k of a_ij times piece j, a_ij = inverse of (i xor j). Computed by ISA-L through liberasurecode's back end
 * `isa_l_rs_cauchy`; when a coder is made, the matrix that the library really uses is compared with this
 * formula, so that no version of it can write pieces that FORMAT does not describe.
 *
 * Pieces are raw: no header, no padding, no checksum. A wrong piece gives wrong data and QC_OK (unit/ec_coder
 * shows it): **only pieces whose tags were verified may come here** (I2); what fails its tag is an erasure,
 * NULL.
 *
 * Threads: any number at once, also with the same coder. Coders live until the process ends.
 * Memory: a few tables of the library per call (below 64 KiB, by malloc); no copy of a piece is made, so
 * programs need not tune malloc for coding. One malloc of the library in decoding is not checked by it: a
 * process at the very end of its memory dies there (I1 holds: it is a crash).
 */
#pragma once
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

struct ec_coder; /* opaque, immutable */

/*
 * The process's coder for k data and m parity pieces; made at the first call, under a lock.
 * The library's descriptors must not be created or destroyed concurrently, so they are never destroyed.
 *
 *   k, m  k >= 1, m >= 0, k + m <= QC_EC_N_MAX
 *   ret   lives as long as the process; nothing to free
 *
 * QC_USAGE    k or m is out of range
 * QC_NOTCONF  libisal2 is not installed, or the installed library codes differently from FORMAT
 * QC_NOMEM
 */
QC_MUST qc_rc ec_coder_get(unsigned k, unsigned m, const struct ec_coder **ret, struct qc_err *err);

unsigned ec_coder_k(const struct ec_coder *c); /* data pieces */
unsigned ec_coder_n(const struct ec_coder *c); /* all pieces */

/*
 * Parity of one stripe.
 *
 *   data        k pieces of piece_size bytes, borrowed; a short last stripe is padded with zeros by the
 * caller piece_size  bytes, multiple of QC_EC_ALIGN, QC_EC_ALIGN .. QC_EC_STRIPE_SIZE (asserted: geometry
 * gives no other) parity      m buffers of piece_size bytes, written on QC_OK, untouched otherwise; no
 * overlap with data
 *
 * QC_NOMEM. Cost: reads k, writes m pieces, about 26 GB/s of data for k = 3, m = 2 in cache on one core.
 */
QC_MUST qc_rc ec_stripe_encode(const struct ec_coder *c, const uint8_t *const *data, size_t piece_size,
                               uint8_t *const *parity, struct qc_err *err);

/* As ec_stripe_encode for data that lies in one block of k * piece_size bytes. */
QC_MUST qc_rc ec_stripe_encode_block(const struct ec_coder *c, const uint8_t *data, size_t piece_size,
                                     uint8_t *const *parity, struct qc_err *err);

/*
 * Fill in the data pieces that are missing.
 *
 *   pieces    n pointers, NULL where erased; verified pieces of piece_size bytes, borrowed. At least k are
 * there. The first k that are there are used data_out  k pointers; data_out[j] is written where pieces[j] is
 * NULL, and looked at nowhere else. NULL: that piece is not wanted. No overlap with pieces or with one
 * another
 *
 * QC_QUORUM  fewer than k pieces: nothing was written
 * QC_NOMEM   what data_out points to is undefined
 * Cost: nothing when no data is missing; else it reads k pieces for each that it writes.
 */
QC_MUST qc_rc ec_stripe_decode(const struct ec_coder *c, const uint8_t *const *pieces, size_t piece_size,
                               uint8_t *const *data_out, struct qc_err *err);

/*
 * Make one piece again, data or parity.
 *
 *   pieces  as in ec_stripe_decode; pieces[index] is ignored
 *   index   which, 0 .. n-1 (asserted)
 *   out     piece_size bytes, written on QC_OK, untouched otherwise; no overlap
 *
 * QC_QUORUM  fewer than k other pieces; QC_NOMEM
 */
QC_MUST qc_rc ec_piece_rebuild(const struct ec_coder *c, const uint8_t *const *pieces, unsigned index,
                               size_t piece_size, uint8_t *out, struct qc_err *err);

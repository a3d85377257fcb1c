/* Bytes as text: hex, base64url, decimal numbers. Layer 0; uses err, buf. Strict: one text per value. Not for
 * secrets (tables). */
#pragma once
#include "base/buf.h"
#include "base/err.h"

/* Lower-case hex of in and a NUL: 2 * in.n + 1 bytes at out. */
void qc_hex(qc_span in, char *out);
QC_MUST qc_rc qc_hex_enc(qc_span in, qc_buf *ret, struct qc_err *err); /* appends */
/* Exactly 2 * n lower-case digits into n bytes. QC_FORMAT; out is untouched then. */
QC_MUST qc_rc qc_hex_dec(qc_span text, uint8_t *out, size_t n, struct qc_err *err);

/* base64url without padding (RFC 4648 section 5); enc and dec append to ret. */
QC_MUST qc_rc qc_b64_enc(qc_span in, qc_buf *ret, struct qc_err *err);
/* QC_FORMAT on padding, other alphabets, white space, non-zero spare bits. ret as it was on failure. */
QC_MUST qc_rc qc_b64_dec(qc_span text, qc_buf *ret, struct qc_err *err);

/* Decimal digits at the front of s, which is moved behind them; zeros may stand before others. false: none,
 * or more than 64 bits hold; s and *ret are untouched then. */
QC_MUST bool qc_dec_take(qc_span *s, uint64_t *ret);

/* Length of the UTF-8 sequence at p (1..4), or 0: not UTF-8, or n is 0. Overlong forms and surrogates are
 * refused. */
size_t qc_utf8(const uint8_t *p, size_t n);
/* Does this sequence move a terminal's cursor, or turn the direction of writing? */
bool qc_utf8_controls(const uint8_t *p, size_t len);

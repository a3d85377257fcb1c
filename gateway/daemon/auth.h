/* Who asks: the Authorization header. Part of qcloud-gateway. Keeps I5, I7. */
#pragma once
#include "base/crypto.h"

/*
 * `Bearer TOKEN` (RFC 6750; the scheme in any case, one or more blanks): the token's hash. The header's text
 * is overwritten, whatever it was: a token is not left in a pool of somebody else's memory. QC_AUTH  not of
 * that form; what it is is not repeated
 */
QC_MUST qc_rc auth_parse(char *text, uint8_t ret[QC_SHA256_BYTES], struct qc_err *err);

/* Poly1305 of long messages. Layer 0; uses err, buf, OpenSSL. Any thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"

/*
 * What qc_poly1305 (base/crypto.h) computes, three times as fast from some KiB on, by OpenSSL's vector code.
 * It can fail, and its state is for a moment on OpenSSL's heap, which wipes it with the tag.
 *
 * QC_NOMEM, QC_GENERAL: OpenSSL
 */
QC_MUST qc_rc qc_poly1305_long(qc_span key, const qc_span *parts, size_t count, uint8_t out[QC_TAG],
                               struct qc_err *err);

/* The same for a few keys at once, each with its tag: the parts come from memory once. keys <=
 * QC_POLY1305_KEYS (asserted) */
enum { QC_POLY1305_KEYS = 2 };
QC_MUST qc_rc qc_poly1305_each(const qc_span *key, size_t keys, const qc_span *parts, size_t count,
                               uint8_t out[][QC_TAG], struct qc_err *err);

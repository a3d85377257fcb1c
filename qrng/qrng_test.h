/* A source for tests: the bytes that the test wrote down. Internal; no spec reaches it, so that no
 * configuration can make keys that somebody knows. */
#pragma once
#include "base/buf.h"
#include "qrng/qrng.h"

/*
 * Gives `bytes` once, from the front; a fill that asks for more than is left is QC_RANDOM and takes nothing.
 *
 *   bytes  borrowed until the handle is closed
 */
QC_MUST qc_rc qrng_open_fixed(qc_span bytes, struct qrng **ret, struct qc_err *err);

/* The ANU quantum numbers interface: what a service answers that behaves like it. Internal to qrng/; pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * {"success":true,"type":"hex16","length":"128","data":["2f24..", ..]}, members in any order, others only
 * where they are no objects and arrays; exactly `count` items, all of one length, lower-case hexadecimal
 * digits.
 *
 *   text  n bytes; the random bytes take their place from the begin on, the rest is wiped; all of it on
 * failure ret   how many bytes
 *
 * QC_FORMAT with what is wrong, and nothing of the text in it. The bytes are never anywhere but at text.
 */
QC_MUST qc_rc qrng_anu_take(uint8_t *text, size_t n, size_t count, size_t *ret, struct qc_err *err);

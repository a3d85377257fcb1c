/* Argon2id (RFC 9106, version 0x13, one lane) of a passphrase, in a child process. Layer 0; uses err, key,
 * time; libsodium.
 *
 * A passphrase is made costly to guess by memory, hundreds of MiB for about a second. They belong to a child
 * that ends by itself, so that they never count against the caller and nothing of them stays. The child keeps
 * one end of a pipe and no other descriptor, leaves no core file, cannot be traced (it inherits what
 * base/harden.h set), locks its work memory where the limit of locked memory allows it, wipes its stack, and
 * is killed by the kernel when its parent dies. It allocates nothing of ours: the caller may have other
 * threads. */
#pragma once
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"
#include "base/time.h"

enum { QC_PWHASH_SALT = 16, QC_PWHASH_BYTES = 32 };

struct qc_pwhash {
    uint32_t passes; /* over the memory, 1.. (asserted) */
    uint32_t kib;    /* of memory, 8.. (asserted) */
    uint8_t salt[QC_PWHASH_SALT];
};

/*
 * QC_PWHASH_BYTES of Argon2id(passphrase, how).
 *
 *   passphrase  borrowed, 1..QC_PASSPHRASE_MAX bytes (asserted): a span within the call expression
 *   cancel      looked at while the child works; may be NULL
 *
 * QC_NOMEM      the memory cannot be had;  QC_CANCELLED
 * QC_TEMP       no process or descriptor to be had, or the child ended without an answer
 * Blocks for the time of the hash: 256 MiB and 3 passes take about 0.6 s of a 2.5 GHz core.
 */
QC_MUST qc_rc qc_pwhash(qc_key **ret, qc_span passphrase, const struct qc_pwhash *how,
                        const struct qc_cancel *cancel, struct qc_err *err);

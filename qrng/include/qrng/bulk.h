/* Randomness in bulk, as much of it as there is data: one interface, two makers. Layer 2; uses base. Keeps
 * I5.
 *
 *   the stream     every byte is the source's own, by its policy: information-theoretic where the source is,
 *                  and as slow as it is
 *   the generator  AES-256 in counter mode (SP 800-38A 6.5), seeded by the source: as fast as the processor,
 *                  and secret as long as AES-256 is
 *
 * Which of the two made the bytes is told, so that it can be recorded with what they protect.
 *
 * The generator: from a key K come the counter's blocks 0, 1, 2, ..; the first 32 bytes are the next key,
 * what follows is given out, QC_QRNG_CTR_PIECE bytes at most, and K is overwritten. Whoever sees the memory
 * later cannot go back to what was given out. Before the first byte, and after each QC_QRNG_CTR_SEED bytes,
 * 32 bytes of the source are XORed into the key. Within one key no block comes twice, which tells a stream of
 * 2^12 blocks from random bytes with probability 2^-105. It is not SP 800-90A's CTR_DRBG: its limits are
 * within that one's.
 *
 * The key lies in a qc_secret: locked, not in dumps, and zeros in a forked child, where every fill is refused
 * (a qc_key cannot be overwritten in place).
 *
 * Threads: one at a time for each handle; several handles may share one source. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/rng.h"
#include "qrng/conf.h"

struct qrng_bulk; /* opaque */

/* The numbers are those of FORMAT 13. */
enum qrng_bulk_maker { QRNG_BULK_STREAM = 1, QRNG_BULK_GENERATOR = 2 };
/* "stream", "aes-256-ctr" */
const char *qrng_bulk_text(enum qrng_bulk_maker maker);
/* The maker that a policy wants: `required` wants every byte from a source, the others want its seed. */
enum qrng_bulk_maker qrng_bulk_by(enum qrng_policy policy);

/*
 * A handle. Nothing is drawn before the first fill.
 *
 *   source  the seeds, or the bytes themselves: as qrng_rng gives it; copied, its ctx is borrowed until close
 *
 * QC_NOMEM
 */
QC_MUST qc_rc qrng_bulk_open(enum qrng_bulk_maker maker, const qc_rng *source, struct qrng_bulk **ret,
                             struct qc_err *err);
/* Wipes and frees; *b is NULL. */
void qrng_bulk_close(struct qrng_bulk **b);

/*
 * n random bytes. The generator begins a new key with each call: ask for much at a time.
 *
 *   p, n  the caller's memory, written in full on QC_OK; all zeros on failure
 *
 * QC_RANDOM  or what the source says; in a forked child
 * QC_NOMEM, QC_GENERAL  OpenSSL
 */
QC_MUST qc_rc qrng_bulk_fill(struct qrng_bulk *b, uint8_t *p, size_t n, struct qc_err *err);

/* The handle as the interface of base/; valid until it is closed. */
qc_rng qrng_bulk_rng(struct qrng_bulk *b);

struct qrng_bulk_told {
    enum qrng_bulk_maker maker;
    uint64_t given; /* bytes given out */
    uint64_t drawn; /* bytes taken from the source: given, or 32 for each seed */
};
struct qrng_bulk_told qrng_bulk_tell(const struct qrng_bulk *b);

/* In tests: where its secrets are; NULL: it has none. */
const void *qrng_bulk_memory(const struct qrng_bulk *b, size_t *ret_size);

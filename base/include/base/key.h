/* Secrets (I5). Layer 0; uses libsodium's guarded memory, err, buf, rng.
 *
 * qc_key is the only type of a secret: locked where the system allows it, kept out of dumps, read-only once
 * filled, wiped when freed. Nothing can print or copy it. Each key takes one locked page and 16 KiB of
 * address space. A sealed key may be read by several threads. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"

typedef struct qc_key qc_key;

/* Lengths below: bytes, QC_KEY_MIN..QC_KEY_MAX in steps of QC_KEY_STEP (asserted). Errors: QC_NOMEM.
 * Every constructor writes *ret on success only; the caller owns it. */

/* A copy of raw, which is wiped, also on failure. */
QC_MUST qc_rc qc_key_from(qc_key **ret, uint8_t *raw, size_t len, struct qc_err *err);
/* len bytes from rng. Also: the errors of rng. */
QC_MUST qc_rc qc_key_new(qc_key **ret, size_t len, const qc_rng *rng, struct qc_err *err);
/* a xor b; equal lengths (asserted). */
QC_MUST qc_rc qc_key_xor(qc_key **ret, const qc_key *a, const qc_key *b, struct qc_err *err);
QC_MUST qc_rc qc_key_dup(qc_key **ret, const qc_key *k, struct qc_err *err);
/* len bytes of k from off; off + len <= length (asserted). */
QC_MUST qc_rc qc_key_sub(qc_key **ret, const qc_key *k, size_t off, size_t len, struct qc_err *err);

/*
 * A key that a kernel fills in place: blank (zeros), write, seal. qc_key_write is for the call expression of
 * the kernel and dies after qc_key_seal; qc_key_open dies before it.
 */
QC_MUST qc_rc qc_key_blank(qc_key **ret, size_t len, struct qc_err *err);
uint8_t *qc_key_write(qc_key *k);
void qc_key_seal(qc_key *k);

/*
 * A thread that makes and frees keys by the thousand (for each entry of a listing some) need not have their
 * pages shut and opened each time. Between these two, what it makes, QC_KEY_LOOSE_MAX at a time, stays open
 * in its page, locked and guarded as ever; a freed one is wiped, and its page taken for the next. At the end
 * all those pages are shut, and a key that is still there is as any other. What is freed in between is freed
 * by the same thread (asserted). One pair may stand inside another: the outer one counts.
 */
void qc_keys_loose_begin(void);
void qc_keys_loose_end(void);

/* Same length and bytes; constant time in the bytes. */
QC_MUST bool qc_key_same(const qc_key *a, const qc_key *b);
size_t qc_key_len(const qc_key *k);
/* The only way to the bytes: inside the call expression that uses them; never stored. */
qc_span qc_key_open(const qc_key *k);
/* Wipes and frees; *k is NULL. */
void qc_key_free(qc_key **k);

/* Zeros that the compiler does not remove. */
void qc_wipe(void *p, size_t n);

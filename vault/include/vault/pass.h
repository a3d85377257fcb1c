/* Passphrases of share stores: what wraps a store's key, and the passphrases that one run knows. Layer 3;
 * uses base. Format: FORMAT 7.1. Keeps I5. One thread at a time.
 *
 * A passphrase protects a store at rest and nothing else: no share is ever made from it. */
#pragma once
#include "base/err.h"
#include "base/key.h"
#include "base/pwhash.h"
#include "base/rng.h"
#include "base/time.h"

/* A passphrase in secret memory, and what Argon2id made of it in this run: the same cost and salt are
 * computed once. */
struct vault_pass;

/*
 *   bytes  n bytes, then any filling to a length that keys have; borrowed, copied
 *
 * QC_USAGE  empty, more than QC_PASSPHRASE_MAX bytes, or with a NUL or a newline in it
 */
QC_MUST qc_rc vault_pass_new(struct vault_pass **ret, const qc_key *bytes, size_t n, struct qc_err *err);
void vault_pass_free(struct vault_pass **p);
QC_MUST bool vault_pass_same(const struct vault_pass *a, const struct vault_pass *b);

/* Under what a store's key is wrapped, or is to be: {0} is a key in clear. pass borrowed. */
struct vault_lock {
    struct vault_pass *pass;
    struct qc_pwhash how;
};

#define VAULT_PASS_KIB    262144u /* libsodium's MODERATE: 256 MiB */
#define VAULT_PASS_PASSES 3u

/*
 * A lock under a fresh salt, for one store or for several that are wrapped at once. Runs Argon2id.
 *
 *   kib  of memory, within QC_VAULT_PASS_KIB_MIN..MAX (asserted)
 *
 * Errors of qc_pwhash;  QC_RANDOM
 */
QC_MUST qc_rc vault_lock_make(struct vault_lock *ret, struct vault_pass *pass, uint32_t kib,
                              const qc_rng *rng, const struct qc_cancel *cancel, struct qc_err *err);

/* A store that none of the known passphrases opens. */
struct vault_pass_ask {
    unsigned index; /* of the store; 0: not known before it is open */
    const char *dir;
    unsigned known; /* how many passphrases are known; they do not open it */
    unsigned tries; /* how many answers to this question were wrong */
};

/*
 * One more passphrase, owned by the caller. QC_NOPASS: there is none to be had, or the user leaves the store
 * locked. QC_PASSPHRASE: there is no other, so that the one that was given is wrong. Anything else ends the
 * operation as well.
 */
typedef qc_rc (*vault_pass_fn)(void *ctx, const struct vault_pass_ask *ask, struct vault_pass **ret,
                               struct qc_err *err);

/* The passphrases of one run and where more come from. {0}: none, and nobody to ask. Outlives every store
 * that was opened with it. */
struct vault_passes {
    vault_pass_fn ask; /* NULL: nobody */
    void *ctx;
    const struct qc_cancel *cancel;
    struct vault_pass *known[QC_VAULT_PASS_KNOWN_MAX];
    size_t n;
};
void vault_passes_done(struct vault_passes *ps);

/* The keys of one sealed object and the Shamir (3,4) sharing of R; the vault secret VS is shared by the same
 * functions. Layer 3; uses base, ss. Formats: FORMAT 1.2. Source: PAPERS A1..A3, A11.
 *
 *   K    object key              R    authentication secret        KR = K xor R (in N)
 *   R1, R2  local shares         R3   share in N                   R4   share in B
 *
 * Points 1, 2, 3, 4 over GF(2^8) with 0x11d, so R1 xor R2 = R xor R3 for every polynomial.
 * Keeps I3 (nothing here leaves memory) and I5. */
#pragma once
#include "base/err.h"
#include "base/key.h"
#include "base/rng.h"
#include "vault/kdf.h"

#define VAULT_KEY_BYTES   32
#define VAULT_COEFF_BYTES 64 /* 32 linear, then 32 quadratic */

struct vault_keys {
    qc_key *K, *R;
    qc_key *R1, *R2, *R3, *R4;
    qc_key *KR;
};

/* Wipes and frees every key; leaves the struct empty. */
void vault_keys_done(struct vault_keys *keys);

/*
 * Draw K, R and the coefficients in one call of the generator (K 32, R 32, coefficients 64 bytes), then
 * split. *ret must own nothing.
 *
 * QC_RANDOM  the generator gave no bytes: nothing was made
 * QC_NOMEM   no secret memory left
 */
QC_MUST qc_rc vault_keys_draw(struct vault_keys *ret, const qc_rng *rng, struct qc_err *err);

/* As vault_keys_draw from given K, R (32 bytes each) and coefficients (64): vectors. */
QC_MUST qc_rc vault_keys_from(struct vault_keys *ret, const qc_key *K, const qc_key *R, const qc_key *coeffs,
                              struct qc_err *err);

/* The polynomial through (0,R), (1,R1), (2,R2): where a share is not drawn but given. */
QC_MUST qc_rc vault_keys_through(struct vault_keys *ret, const qc_key *K, const qc_key *R, const qc_key *R1,
                                 const qc_key *R2, struct qc_err *err);

/*
 * As vault_keys_draw, with shares that are given (NULL: this one is drawn, too). Uniform R1 and R2 are as
 * good as a uniform polynomial: for each R one to one (seal.md 4.2).
 */
QC_MUST qc_rc vault_keys_draw_with(struct vault_keys *ret, const qc_key *R1, const qc_key *R2,
                                   const qc_rng *rng, struct qc_err *err);

/* Other shares of a secret S whose share 3 stays where it is (N is not touched): share 1 is given, the others
 * follow from the polynomial through (0,S), (1,S1), (3,S3). Whoever has two shares of one polynomial and one
 * of another has nothing. */
struct vault_anew {
    qc_key *S1, *S2, *S4;
};
void vault_anew_done(struct vault_anew *a);
QC_MUST qc_rc vault_shares_anew(struct vault_anew *ret, const qc_key *S, const qc_key *S1, const qc_key *S3,
                                struct qc_err *err);

/* Share i (1, 2) as seed i gives it: KDF(seed_i, "share_i", ids, generation). */
QC_MUST qc_rc vault_seed_share(qc_key **ret, const struct qc_prk *seed, unsigned i,
                               const struct vault_ids *ids, uint32_t generation, struct qc_err *err);

/* The sharing of the vault secret: S = VS, S1 and S2 in the stores, S3 in the vault record, S4 in the vault's
 * B. */
struct vault_secret {
    qc_key *VS;
    qc_key *VS1, *VS2, *VS3, *VS4;
};
void vault_secret_done(struct vault_secret *secret);
QC_MUST qc_rc vault_secret_draw(struct vault_secret *ret, const qc_rng *rng, struct qc_err *err);
/* VS drawn, with its local shares as they are given. */
QC_MUST qc_rc vault_secret_draw_with(struct vault_secret *ret, const qc_key *VS1, const qc_key *VS2,
                                     const qc_rng *rng, struct qc_err *err);
QC_MUST qc_rc vault_secret_from(struct vault_secret *ret, const qc_key *VS, const qc_key *coeffs,
                                struct qc_err *err);

/* Three shares at distinct points of 1..4, borrowed. */
struct vault_triple {
    uint8_t x[3];
    const qc_key *share[3];
};

/*
 * Value of the polynomial through three shares at a point: 0 gives R (or VS), 1..4 a share (so a lost R1 or
 * R2 is remade, and B's R4 is checked).
 *
 * QC_SHARES  points 0, equal, or beyond 4
 */
QC_MUST qc_rc vault_triple_at(qc_key **ret, const struct vault_triple *triple, uint8_t x, struct qc_err *err);

/* ct/vault_shares: splitting, combining, derivation, positions and the MACs of B do not branch on, or address
 * by, a bit of K, R, the coefficients or a share. The place of R3 in chunk 0 is not such a secret
 * (seal.md 3.5: no secrecy rests on it). */
#include <valgrind/memcheck.h>

#include "vault/kdf.h"
#include "vault_fix.h"

static void hide(const qc_key *k)
{
    VALGRIND_MAKE_MEM_UNDEFINED(qc_key_open(k).p, qc_key_open(k).n);
}

static void show(const void *p, size_t n)
{
    VALGRIND_MAKE_MEM_DEFINED(p, n);
}

int main(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *K = fix_key("K", 1, 32), *R = fix_key("R", 1, 32),
                                   *coeffs = fix_key("coefficients", 1, 64), *again = NULL, *R12 = NULL,
                                   *effective = NULL;
    QC_CLEANUP(vault_keys_done) struct vault_keys keys = { 0 }, derived = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf B = { .max = QC_VAULT_BACKUP_MAX };
    QC_CLEANUP(vault_backup_done) struct vault_backup b = { 0 };
    const struct vault_ids ids = fix_ids(1, 1);
    uint64_t n2 = 0;
    hide(K);
    hide(R);
    hide(coeffs);
    CHECK_OK(vault_keys_from(&keys, K, R, coeffs, &err));
    CHECK_OK(vault_keys_through(&derived, K, R, keys.R1, keys.R2, &err));
    const struct vault_triple t = { .x = { 1, 3, 4 }, .share = { keys.R1, keys.R3, keys.R4 } };
    CHECK_OK(vault_triple_at(&again, &t, 0, &err));
    CHECK_OK(qc_key_xor(&R12, keys.R1, keys.R2, &err));
    CHECK_OK(vault_kdf_position(&n2, R12, "n2", &ids, 1000, &err));
    show(&n2, sizeof n2);
    CHECK(n2 <= 1000);
    const struct vault_backup_parts parts = {
        .ids = ids, .generation = 1, .n2 = n2, .R1 = keys.R1, .R2 = keys.R2, .R4 = keys.R4
    };
    CHECK_OK(vault_backup_make(&B, &parts, &err));
    CHECK_OK(vault_backup_parse(&b, qc_buf_span(&B), &err));
    show(B.p, B.n); /* the MACs are public from here on; what is computed anew from the share is compared in
                       constant time */
    show(qc_key_open(again).p, 32);
    show(qc_key_open(R).p, 32);
    CHECK(qc_key_same(again, R));
    show(qc_key_open(keys.R1).p,
         32); /* the outcome of the comparison is public; the share itself was tested above */
    CHECK_OK(vault_backup_check(&effective, &b, 1, keys.R1, &ids, &err));
    QC_CLEANUP(qc_key_free) qc_key *seed = fix_key("seed", 1, 32), *share = NULL;
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    hide(seed);
    CHECK_OK(vault_prk_new(&prk, seed, &err));
    CHECK_OK(vault_seed_share(&share, prk, 1, &ids, 1, &err));
    return 0;
}

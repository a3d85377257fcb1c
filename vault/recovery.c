/* The recovery key of a vault: FORMAT 4, 7.2; seal.md 2.3. Each store has one half, W = W_1 xor W_2, so that
 * a put seals B with what it needs anyway, and one store alone has nothing of it. */
#include <string.h>

#include "m.h"
#include "session.h"
#include "vault/kdf.h"

qc_rc recovery_commitment(uint8_t ret[32], const qc_key *W, const uint8_t vault[VAULT_ID_BYTES],
                          struct qc_err *err)
{
    const struct vault_ids ids = vault_ids_of_vault(vault);
    return vault_commitment(ret, W, &ids, err);
}

/* Is W what the store knows of it? */
static qc_rc is_right(bool *ret, const struct vault_store *s, const qc_key *W, struct qc_err *err)
{
    uint8_t have[32];
    QC_TRY(recovery_commitment(have, W, vault_store_vault(s), err));
    *ret = qc_ct_eq(have, vault_store_recovery_commitment(s), sizeof have);
    return QC_OK;
}

/* Halves of one generation: while shares are refreshed the stores have two. */
static qc_rc of_both(qc_key **ret, const struct vault_store *one, const struct vault_store *two,
                     struct qc_err *err)
{
    const uint32_t tries[] = { vault_store_generation(one), vault_store_generation(two) };
    for (unsigned k = 0; k < 2 && *ret == NULL; k++) {
        QC_CLEANUP(qc_key_free) qc_key *W = NULL;
        const qc_key *a = vault_store_recovery_at(one, tries[k]), *b = vault_store_recovery_at(two, tries[k]);
        bool right = false;
        if (a == NULL || b == NULL)
            continue;
        QC_TRY(qc_key_xor(&W, a, b, err));
        QC_TRY(is_right(&right, one, W, err));
        if (right)
            *ret = QC_STEAL(W);
    }
    return QC_OK;
}

qc_rc vault_store_recovery(qc_key **ret, const struct vault_store *one, const struct vault_store *two,
                           const qc_key *given, struct qc_err *err)
{
    const bool has1 = one != NULL && vault_store_recovers(one),
               has2 = two != NULL && vault_store_recovers(two);
    bool right = false;
    if (!has1 && !has2)
        return given == NULL
                   ? QC_OK
                   : QC_FAIL(err, QC_USAGE, "this vault has no recovery key: its backup data is not sealed");
    if (one != NULL && two != NULL && has1 != has2)
        return QC_FAIL(err, QC_INTEGRITY,
                       "share store %u knows of a recovery key, and share store %u of none", has1 ? 1U : 2U,
                       has1 ? 2U : 1U);
    if (has1 && has2)
        QC_TRY(of_both(ret, one, two, err));
    if (*ret != NULL || given == NULL)
        return QC_OK;
    QC_TRY(is_right(&right, has1 ? one : two, given, err));
    if (!right)
        return QC_FAIL(err, QC_USAGE, "the recovery kit is of another vault");
    return qc_key_dup(ret, given, err);
}

qc_rc session_recovery(struct vault *v, const qc_key *given, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++)
        v->recovers = v->recovers || (v->store[i] != NULL && vault_store_recovers(v->store[i]));
    return vault_store_recovery(&v->W, v->store[0], v->store[1], given, err);
}

qc_rc session_backup_seal(const struct vault *v, qc_buf *B, struct qc_err *err)
{
    if (!v->recovers)
        return QC_OK;
    if (v->W == NULL)
        return QC_FAIL(err, QC_INTEGRITY,
                       "the recovery key: what the share stores have of it does not fit together");
    return vault_backup_seal(B, v->W, err);
}

qc_rc recovery_kit_here(const struct vault_kit *kit, struct vault *v, struct qc_err *err)
{
    bool right = false;
    if (memcmp(kit->vault, v->id, VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_USAGE, "the kit is of another vault than this one");
    if (v->recovers)
        QC_TRY(is_right(&right, v->store[v->store[0] != NULL ? 0 : 1], kit->W, err));
    return right ? QC_OK : QC_FAIL(err, QC_USAGE, "the kit is of this vault, and not of its recovery key");
}

bool vault_recovers(const struct vault *v)
{
    return v->recovers;
}

qc_rc vault_recovery_kit(struct vault_kit *ret, struct vault *v, struct qc_err *err)
{
    QC_CLEANUP(vault_kit_done) struct vault_kit k = { .shares = VAULT_KIT_RECOVERY, .generation = 1 };
    if (!v->recovers)
        return QC_FAIL(
            err, QC_USAGE,
            "this vault has no recovery key: its backup data is not sealed. (init --recovery kit makes "
            "vaults that have one.)");
    QC_TRY(session_need_both(v, err));
    memcpy(k.vault, v->id, VAULT_ID_BYTES);
    QC_TRY(qc_key_dup(&k.W, v->W, err));
    *ret = QC_STEAL(k);
    return QC_OK;
}

#include "vault/ring.h"

#include "base/alloc.h"
#include "ring.h"
#include "vault/kdf.h"

void vault_ring_free(struct vault_ring **ring)
{
    if (*ring == NULL)
        return;
    qc_prk_free(&(*ring)->VS);
    qc_key_free(&(*ring)->name);
    qc_key_free(&(*ring)->entry);
    qc_key_free(&(*ring)->mark);
    qc_free(*ring);
    *ring = NULL;
}

qc_rc vault_ring_new(struct vault_ring **ret, const qc_key *VS, const uint8_t vault[VAULT_ID_BYTES],
                     struct qc_err *err)
{
    QC_CLEANUP(vault_ring_free) struct vault_ring *r = qc_alloc(sizeof *r);
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "keys of the vault");
    r->ids = vault_ids_of_vault(vault);
    QC_TRY(vault_prk_new(&r->VS, VS, err));
    const qc_span parts[] = { qc_span_of(r->ids.vault, VAULT_ID_BYTES),
                              qc_span_of(r->ids.object, VAULT_ID_BYTES),
                              qc_span_of(r->ids.version, VAULT_ID_BYTES) };
    QC_TRY(vault_kdf(&r->name, r->VS, "name", parts, 3, QC_SIV_KEY, err));
    QC_TRY(vault_kdf_ids(&r->entry, r->VS, "entry", &r->ids, (qc_span){ 0 }, err));
    QC_TRY(vault_kdf_ids(&r->mark, r->VS, "mark", &r->ids, (qc_span){ 0 }, err));
    *ret = QC_STEAL(r);
    return QC_OK;
}

const uint8_t *vault_ring_vault(const struct vault_ring *ring)
{
    return ring->ids.vault;
}

qc_rc vault_ring_path_tag(uint8_t ret[16], const struct vault_ring *ring, qc_span path, struct qc_err *err)
{
    uint8_t tag[32];
    QC_TRY(vault_hmac(tag, ring->mark, &path, 1, err));
    memcpy(ret, tag, 16);
    return QC_OK;
}

#include "m.h"

#include "vault/kdf.h"

qc_rc vault_m(uint8_t ret[32], const qc_key *key, const struct vault_m_parts *p, struct qc_err *err)
{
    uint8_t places[16];
    qc_put_be(places, p->n1, 8);
    qc_put_be(places + 8, p->n2, 8);
    return vault_hmac_enc(ret, key,
                          (const qc_span[]){ QC_LIT("M"), p->header, qc_key_open(p->KR), qc_key_open(p->R3),
                                             qc_span_of(places, sizeof places), p->trailer },
                          6, err);
}

qc_rc vault_group_digest(uint8_t ret[32], uint64_t group, qc_span block, struct qc_err *err)
{
    uint8_t number[8];
    qc_put_be(number, group, 8);
    return vault_sha_enc(ret, (const qc_span[]){ QC_LIT("group"), qc_span_of(number, 8), block }, 3, err);
}

qc_rc vault_commitment(uint8_t ret[32], const qc_key *secret, const struct vault_ids *ids, struct qc_err *err)
{
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    QC_TRY(vault_prk_new(&prk, secret, err));
    return vault_prk_commitment(ret, prk, ids, err);
}

qc_rc vault_prk_commitment(uint8_t ret[32], const struct qc_prk *prk, const struct vault_ids *ids,
                           struct qc_err *err)
{
    const qc_span parts[] = { qc_span_of(ids->vault, VAULT_ID_BYTES), qc_span_of(ids->object, VAULT_ID_BYTES),
                              qc_span_of(ids->version, VAULT_ID_BYTES) };
    return vault_kdf_public(ret, prk, "commit", parts, 3, 32, err);
}

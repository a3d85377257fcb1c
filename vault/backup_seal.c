/* The forms of B at the gateway: FORMAT 4, kinds 1 and 2.
 *
 * B under the recovery key: a refresh that was broken off makes the same B again and finds
 * it at the gateway, which takes no other of that generation; so the cipher is one that needs no salt. */
#include <string.h>

#include "base/crypto.h"
#include "vault/backup.h"
#include "vault/kdf.h"

enum { KIND_AT = 6, IDS_AT = 8, GENERATION_AT = 56, PLAIN = 0, SEALED = 1, KEPT = 2 };
#define FRONT 64U
#define SIV   16U

static bool is_of_kind(qc_span B, uint8_t kind)
{
    return B.n >= FRONT && memcmp(B.p, "QCLB", 4) == 0 && B.p[KIND_AT] == kind;
}

bool vault_backup_is_plain(qc_span B)
{
    return is_of_kind(B, PLAIN);
}

bool vault_backup_is_sealed(qc_span B)
{
    return B.n > KIND_AT && memcmp(B.p, "QCLB", 4) == 0 && B.p[KIND_AT] == SEALED;
}

bool vault_backup_is_kept(qc_span B)
{
    return is_of_kind(B, KEPT);
}

void vault_backup_front(qc_buf *B)
{
    QC_ASSERT(vault_backup_is_plain(qc_buf_span(B)));
    B->p[KIND_AT] = KEPT;
    B->n = FRONT;
}

qc_rc vault_backup_generation(uint32_t *ret, qc_span B, struct qc_err *err)
{
    const uint32_t g =
        vault_backup_is_plain(B) || vault_backup_is_kept(B) ? (uint32_t)qc_get_be(B.p + GENERATION_AT, 4) : 0;
    if (g == 0)
        return QC_FAIL(err, QC_FORMAT, "backup data: its generation is not to be read");
    *ret = g;
    return QC_OK;
}

/* Of the front's ids and generation: B of one version cannot be shown for another's. */
static qc_rc key_of(qc_key **ret, const qc_key *W, const uint8_t *front, struct qc_err *err)
{
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    const qc_span parts[] = { qc_span_of(front + IDS_AT, VAULT_ID_BYTES),
                              qc_span_of(front + IDS_AT + VAULT_ID_BYTES, VAULT_ID_BYTES),
                              qc_span_of(front + IDS_AT + 2 * VAULT_ID_BYTES, VAULT_ID_BYTES),
                              qc_span_of(front + GENERATION_AT, 4) };
    QC_TRY(vault_prk_new(&prk, W, err));
    return vault_kdf(ret, prk, "backup", parts, sizeof parts / sizeof parts[0], 64, err);
}

qc_rc vault_backup_seal(qc_buf *B, const qc_key *W, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf out = { .max = QC_VAULT_BACKUP_MAX };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint8_t *rest = NULL;
    QC_ASSERT(B->n > FRONT && B->p[KIND_AT] == PLAIN);
    QC_TRY(qc_buf_add(&out, qc_span_of(B->p, FRONT), err));
    out.p[KIND_AT] = SEALED;
    QC_TRY(key_of(&key, W, out.p, err));
    QC_TRY(qc_buf_extend(&out, SIV + B->n - FRONT, &rest, err));
    QC_TRY(qc_siv_seal(qc_key_open(key), qc_span_of(out.p, FRONT), qc_span_of(B->p + FRONT, B->n - FRONT),
                       rest, err));
    qc_buf_clear(B);
    return qc_buf_add(B, qc_buf_span(&out), err);
}

qc_rc vault_backup_unseal(qc_buf *B, const qc_key *W, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf out = { .max = QC_VAULT_BACKUP_MAX };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint8_t *rest = NULL;
    if (!vault_backup_is_sealed(qc_buf_span(B)))
        return QC_OK;
    if (W == NULL)
        return QC_FAIL(err, QC_SHARES,
                       "backup data: sealed under the recovery key: the other share store is needed, or the "
                       "recovery kit (--recovery-kit)");
    if (B->n < VAULT_BACKUP_BYTES + SIV)
        return QC_FAIL(err, QC_FORMAT, "backup data: %zu bytes, expected %u or more", B->n,
                       VAULT_BACKUP_BYTES + SIV);
    QC_TRY(key_of(&key, W, B->p, err));
    QC_TRY(qc_buf_add(&out, qc_span_of(B->p, FRONT), err));
    out.p[KIND_AT] = PLAIN;
    QC_TRY(qc_buf_extend(&out, B->n - FRONT - SIV, &rest, err));
    QC_TRY_AS(qc_siv_open(qc_key_open(key), qc_span_of(B->p, FRONT), qc_span_of(B->p + FRONT, B->n - FRONT),
                          rest, err),
              err, "backup data: seal");
    qc_buf_clear(B);
    return qc_buf_add(B, qc_buf_span(&out), err);
}

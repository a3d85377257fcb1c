#include "vault/head.h"

#include <inttypes.h>

#include "base/crypto.h"
#include "vault/kdf.h"

#define SEAL_BYTES 32

qc_rc vault_head_zero(struct vault_head *ret, const uint8_t vault[VAULT_ID_BYTES], struct qc_err *err)
{
    struct vault_head head = { 0 };
    QC_TRY(vault_sha_enc(head.h, (const qc_span[]){ QC_LIT("head"), qc_span_of(vault, VAULT_ID_BYTES) }, 2,
                         err));
    *ret = head;
    return QC_OK;
}

qc_rc vault_head_step(struct vault_head *head, const uint8_t seal[SEAL_BYTES], struct qc_err *err)
{
    if (head->count == UINT64_MAX)
        return QC_FAIL(err, QC_FORMAT, "vault head: count is at its end");
    struct vault_head next = { .count = head->count + 1 };
    uint8_t number[8];
    qc_put_be(number, next.count, 8);
    const qc_span parts[] = { QC_LIT("head"), qc_span_of(head->h, 32), qc_span_of(number, 8),
                              qc_span_of(seal, SEAL_BYTES) };
    QC_TRY(vault_sha_enc(next.h, parts, 4, err));
    *head = next;
    return QC_OK;
}

void vault_head_encode(uint8_t ret[VAULT_HEAD_BYTES], const struct vault_head *head)
{
    qc_put_be(ret, head->count, 8);
    memcpy(ret + 8, head->h, 32);
}

qc_rc vault_head_parse(struct vault_head *ret, qc_span in, struct qc_err *err)
{
    qc_rd r = { .s = in };
    struct vault_head head = { .count = qc_rd_be(&r, 8) };
    qc_rd_copy(&r, head.h, sizeof head.h);
    if (!qc_rd_end(&r))
        return QC_FAIL(err, QC_FORMAT, "vault head: %zu bytes, expected %d", in.n, VAULT_HEAD_BYTES);
    *ret = head;
    return QC_OK;
}

qc_rc vault_head_extends(const struct vault_head *known, qc_span seals, const struct vault_head *claimed,
                         struct qc_err *err)
{
    if (claimed->count < known->count)
        return QC_FAIL(err, QC_INTEGRITY,
                       "vault head: %" PRIu64 " commits where %" PRIu64 " are known (rollback)",
                       claimed->count, known->count);
    if (seals.n % SEAL_BYTES != 0 || seals.n / SEAL_BYTES != claimed->count - known->count)
        return QC_FAIL(err, QC_FORMAT, "vault head: %zu bytes of seals for %" PRIu64 " commits", seals.n,
                       claimed->count - known->count);
    struct vault_head head = *known;
    for (size_t at = 0; at < seals.n; at += SEAL_BYTES)
        QC_TRY(vault_head_step(&head, seals.p + at, err));
    if (!qc_ct_eq(head.h, claimed->h, sizeof head.h))
        return QC_FAIL(err, QC_INTEGRITY, "vault head: does not extend the known one");
    return QC_OK;
}

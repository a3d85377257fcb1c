/* store.key: FORMAT 7.1. */
#include "store_file.h"

#include "base/crypto.h"
#include "vault/share_store.h"

qc_rc vault_store_key_parse(struct vault_store_key *ret, qc_span in, struct qc_err *err)
{
    qc_rd r = { .s = in };
    uint8_t sum[QC_SHA256_BYTES];
    qc_span magic = qc_rd_bytes(&r, 4);
    uint64_t version = qc_rd_be(&r, 1);
    if (!qc_rd_ok(&r) || !qc_span_eq(magic, QC_LIT("QCLK")))
        return QC_FAIL(err, QC_FORMAT, "store.key: not a key file");
    if (version > 1)
        return QC_FAIL(err, QC_NEWER, "store.key: version %u needs a newer program", (unsigned)version);
    uint64_t kind = qc_rd_be(&r, 1);
    qc_rd_zero(&r, 2);
    qc_span id = qc_rd_bytes(&r, VAULT_ID_BYTES);
    qc_rd params = { .s = qc_rd_bytes(&r, 24) };
    qc_span sk = qc_rd_bytes(&r, 32);
    qc_span checksum = qc_rd_bytes(&r, sizeof(sum));
    if (!qc_rd_end(&r) || version != 1)
        return QC_FAIL(err, QC_FORMAT, "store.key: malformed");
    QC_TRY(qc_sha256(&(qc_span){ in.p, VAULT_STORE_KEY_BYTES - sizeof(sum) }, 1, sum, err));
    if (!qc_ct_eq(sum, checksum.p, sizeof(sum)))
        return QC_FAIL(err, QC_INTEGRITY, "store.key: checksum");
    if (kind != 0)
        return QC_FAIL(err, QC_NEWER, "store.key: kind %u (wrapped by a passphrase?) needs a newer program",
                       (unsigned)kind);
    qc_rd_zero(&params, 24);
    if (!qc_rd_end(&params))
        return QC_FAIL(err, QC_FORMAT, "store.key: parameters of a key in clear are not zero");
    QC_CLEANUP(qc_key_free) qc_key *SK = NULL;
    QC_TRY(qc_key_blank(&SK, 32, err));
    memcpy(qc_key_write(SK), sk.p, sk.n);
    qc_key_seal(SK);
    memcpy(ret->store, id.p, id.n);
    ret->SK = QC_STEAL(SK);
    return QC_OK;
}

qc_rc store_key_encode(qc_key **ret, const uint8_t store[VAULT_ID_BYTES], const qc_key *SK,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *file = NULL;
    QC_TRY(qc_key_blank(&file, VAULT_STORE_KEY_BYTES, err));
    memcpy(qc_key_write(file), "QCLK\001", 5);
    memcpy(qc_key_write(file) + 8, store, VAULT_ID_BYTES);
    memcpy(qc_key_write(file) + 48, qc_key_open(SK).p, 32);
    QC_TRY(qc_sha256(&(qc_span){ qc_key_write(file), VAULT_STORE_KEY_BYTES - QC_SHA256_BYTES }, 1,
                     qc_key_write(file) + VAULT_STORE_KEY_BYTES - QC_SHA256_BYTES, err));
    qc_key_seal(file);
    *ret = QC_STEAL(file);
    return QC_OK;
}

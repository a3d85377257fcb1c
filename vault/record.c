#include "vault/record.h"

#include <inttypes.h>

#include "m.h"
#include "vault/kdf.h"

#define VERSION     1
#define CLEAR_BYTES 92
#define MAC_BYTES   32

void vault_record_done(struct vault_record *record)
{
    qc_key_free(&record->VS3);
    *record = (struct vault_record){ 0 };
}

qc_rc vault_record_commitment(uint8_t ret[32], const qc_key *VS, const uint8_t vault[VAULT_ID_BYTES],
                              struct qc_err *err)
{
    const struct vault_ids ids = vault_ids_of_vault(vault);
    return vault_commitment(ret, VS, &ids, err);
}

static qc_rc mac_of(uint8_t ret[MAC_BYTES], const qc_key *VS, const struct vault_ids *ids, qc_span clear,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_TRY(vault_kdf_once(&key, VS, "M", ids, err));
    return vault_hmac(ret, key, &clear, 1, err);
}

/* VS3 stands in clear: the record lies with the gateway, which holds VS3 and VS4 as it holds R3 and R4 (I3).
 */
static qc_rc write_record(qc_buf *b, const struct vault_secret *secret, const struct vault_ids *ids,
                          uint32_t generation, struct qc_err *err)
{
    const uint8_t start[] = { 'Q', 'C', 'L', 'V', VERSION, VAULT_SUITE, 0, 0 };
    uint8_t commitment[32], mac[MAC_BYTES];
    QC_TRY(vault_commitment(commitment, secret->VS, ids, err));
    QC_TRY(qc_buf_add(b, qc_span_of(start, sizeof start), err));
    QC_TRY(qc_buf_add(b, qc_span_of(ids->vault, VAULT_ID_BYTES), err));
    QC_TRY(qc_buf_add_be(b, generation, 4, err));
    QC_TRY(qc_buf_add(b, qc_key_open(secret->VS3), err));
    QC_TRY(qc_buf_add(b, qc_span_of(commitment, sizeof commitment), err));
    QC_ASSERT(b->n == CLEAR_BYTES);
    QC_TRY(mac_of(mac, secret->VS, ids, qc_buf_span(b), err));
    return qc_buf_add(b, qc_span_of(mac, sizeof mac), err);
}

qc_rc vault_record_make(qc_buf *ret, qc_buf *ret_backup, const struct vault_secret *secret,
                        const uint8_t vault[VAULT_ID_BYTES], uint32_t generation, struct qc_err *err)
{
    const struct vault_ids ids = vault_ids_of_vault(vault);
    const struct vault_backup_parts parts = {
        .ids = ids, .generation = generation, .n2 = 0, .R1 = secret->VS1, .R2 = secret->VS2, .R4 = secret->VS4
    };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = VAULT_RECORD_BYTES }, backup = { .max = QC_VAULT_BACKUP_MAX };
    QC_TRY(write_record(&b, secret, &ids, generation, err));
    QC_TRY(vault_backup_make(&backup, &parts, err));
    QC_TRY(qc_buf_reserve(ret_backup, backup.n, err)); /* both or none */
    QC_TRY(qc_buf_add(ret, qc_buf_span(&b), err));
    return qc_buf_add(ret_backup, qc_buf_span(&backup), err);
}

static qc_rc check_start(qc_rd *r, struct qc_err *err)
{
    const uint64_t magic = qc_rd_be(r, 4), version = qc_rd_be(r, 1), suite = qc_rd_be(r, 1);
    const uint64_t reserved = qc_rd_be(r, 2);
    if (!qc_rd_ok(r) || magic != 0x51434c56)
        return QC_FAIL(err, QC_FORMAT, "vault record: not a vault record");
    if (version == 0 || suite == 0)
        return QC_FAIL(err, QC_FORMAT, "vault record: version or suite 0");
    if (version != VERSION || suite != VAULT_SUITE)
        return QC_FAIL(err, QC_NEWER,
                       "vault record: version %" PRIu64 ", suite %" PRIu64 " need a newer program", version,
                       suite);
    if (reserved != 0)
        return QC_FAIL(err, QC_FORMAT, "vault record: reserved bytes are not zero");
    return QC_OK;
}

qc_rc vault_record_parse(struct vault_record *ret, qc_span in, struct qc_err *err)
{
    qc_rd r = { .s = in };
    QC_TRY(check_start(&r, err));
    QC_CLEANUP(vault_record_done) struct vault_record v = { 0 };
    qc_rd_copy(&r, v.vault, VAULT_ID_BYTES);
    v.generation = (uint32_t)qc_rd_be(&r, 4);
    QC_TRY(qc_key_blank(&v.VS3, VAULT_KEY_BYTES, err));
    qc_rd_copy(&r, qc_key_write(v.VS3), VAULT_KEY_BYTES);
    qc_key_seal(v.VS3);
    qc_rd_copy(&r, v.commitment, sizeof v.commitment);
    qc_rd_copy(&r, v.mac, sizeof v.mac);
    if (!qc_rd_end(&r))
        return QC_FAIL(err, QC_FORMAT, "vault record: %zu bytes, expected %d", in.n, VAULT_RECORD_BYTES);
    if (v.generation == 0)
        return QC_FAIL(err, QC_FORMAT, "vault record: generation 0");
    memcpy(v.clear, in.p, CLEAR_BYTES);
    *ret = QC_STEAL(v);
    return QC_OK;
}

/* The three shares by which VS opens, and VS itself, checked. */
struct way {
    uint8_t x[2];
    qc_key *share[2];
    qc_key *VS;
};

static void way_done(struct way *w)
{
    qc_key_free(&w->share[0]);
    qc_key_free(&w->share[1]);
    qc_key_free(&w->VS);
}

static qc_rc way_at(qc_key **ret, const struct way *w, const struct vault_record *record, uint8_t x,
                    struct qc_err *err)
{
    const struct vault_triple t = { .x = { w->x[0], w->x[1], 3 },
                                    .share = { w->share[0], w->share[1], record->VS3 } };
    return vault_triple_at(ret, &t, x, err);
}

static qc_rc two_shares(struct way *w, const struct vault_ids *ids, const qc_key *VS1, const qc_key *VS2,
                        const struct vault_backup *B, struct qc_err *err)
{
    if (VS1 != NULL && VS2 != NULL) {
        QC_TRY(qc_key_dup(&w->share[0], VS1, err));
        QC_TRY(qc_key_dup(&w->share[1], VS2, err));
        w->x[0] = 1;
        w->x[1] = 2;
        return QC_OK;
    }
    if ((VS1 == NULL && VS2 == NULL) || B == NULL)
        return QC_FAIL(err, QC_SHARES, "vault secret: fewer than three shares");
    const unsigned i = VS1 != NULL ? 1 : 2;
    QC_TRY(vault_backup_check(&w->share[0], B, i, i == 1 ? VS1 : VS2, ids, err));
    if (B->n2 != 0)
        return QC_FAIL(err, QC_FORMAT, "backup data: n2 %" PRIu64 " in a vault's", B->n2);
    QC_TRY(qc_key_dup(&w->share[1], B->R4, err));
    w->x[0] = (uint8_t)i;
    w->x[1] = 4;
    return QC_OK;
}

static qc_rc find_way(struct way *ret, const struct vault_record *record, const qc_key *VS1,
                      const qc_key *VS2, const struct vault_backup *B, struct qc_err *err)
{
    const struct vault_ids ids = vault_ids_of_vault(record->vault);
    QC_CLEANUP(way_done) struct way w = { 0 };
    QC_TRY(two_shares(&w, &ids, VS1, VS2, B, err));
    QC_TRY(way_at(&w.VS, &w, record, 0, err));
    uint8_t commitment[32], mac[MAC_BYTES];
    QC_TRY(vault_commitment(commitment, w.VS, &ids, err));
    if (!qc_ct_eq(commitment, record->commitment, sizeof commitment))
        return QC_FAIL(err, QC_INTEGRITY, "vault record: commitment");
    QC_TRY(mac_of(mac, w.VS, &ids, qc_span_of(record->clear, CLEAR_BYTES), err));
    if (!qc_ct_eq(mac, record->mac, sizeof mac))
        return QC_FAIL(err, QC_INTEGRITY, "vault record: MAC");
    *ret = QC_STEAL(w);
    return QC_OK;
}

qc_rc vault_record_open(qc_key **ret, const struct vault_record *record, const uint8_t vault[VAULT_ID_BYTES],
                        const qc_key *VS1, const qc_key *VS2, const struct vault_backup *B,
                        struct qc_err *err)
{
    if (!qc_ct_eq(record->vault, vault, VAULT_ID_BYTES))
        return QC_FAIL(err, QC_INTEGRITY, "vault record: vault id is not the one that was asked for");
    QC_CLEANUP(way_done) struct way w = { 0 };
    QC_TRY(find_way(&w, record, VS1, VS2, B, err));
    *ret = QC_STEAL(w.VS);
    return QC_OK;
}

qc_rc vault_record_share(qc_key **ret, uint8_t x, const struct vault_record *record, const qc_key *VS1,
                         const qc_key *VS2, const struct vault_backup *B, struct qc_err *err)
{
    QC_CLEANUP(way_done) struct way w = { 0 };
    QC_TRY(find_way(&w, record, VS1, VS2, B, err));
    return way_at(ret, &w, record, x, err);
}

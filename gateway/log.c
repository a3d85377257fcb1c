#include "gateway/log.h"

#include "base/alloc.h"
#include "log_internal.h"

enum {
    LOG_MAGIC = 0x51434C4C, /* QCLL */
    LOG_VERSION = 1,
    MUST_UNDERSTAND = 0x80,
    RECORD_HEAD_BYTES = 5,
    BACKUP_HEAD_BYTES = 4 + GW_SALT_BYTES,
    AAD_MAX = 8 + GW_LOG_HEAD_BYTES + 8 + 16,
};

static const uint8_t zero_nonce[QC_GCM_NONCE];

/* The 16 bytes from which the object's name is made (FORMAT 9). */
static void name_block(uint64_t sequence, uint32_t incarnation, uint8_t ret[16])
{
    memset(ret, 0, 16);
    qc_put_be(ret, sequence, 8);
    ret[8] = 0xFE;
    qc_put_be(ret + 10, incarnation & 0xFFFF, 2);
}

static qc_rc log_key(const struct gw_root *r, uint64_t sequence, uint32_t incarnation, qc_span salt,
                     qc_key **ret, struct qc_err *err)
{
    uint8_t inc[4] = { 0 }, seq[8] = { 0 };
    const qc_span context[] = { qc_span_of(inc, sizeof inc), qc_span_of(seq, sizeof seq), salt };

    qc_put_be(inc, incarnation, sizeof inc);
    qc_put_be(seq, sequence, sizeof seq);
    return gw_root_key(r, "log", context, 3, QC_GCM_KEY, ret, err);
}

/* enc(the bytes before the ciphertext, block) */
static size_t log_aad(const uint8_t head[GW_LOG_HEAD_BYTES], uint64_t sequence, uint32_t incarnation,
                      uint8_t ret[AAD_MAX])
{
    qc_put_be(ret, GW_LOG_HEAD_BYTES, 8);
    memcpy(ret + 8, head, GW_LOG_HEAD_BYTES);
    qc_put_be(ret + 8 + GW_LOG_HEAD_BYTES, 16, 8);
    name_block(sequence, incarnation, ret + 16 + GW_LOG_HEAD_BYTES);
    return AAD_MAX;
}

qc_rc gw_log_seal(const struct gw_root *r, const struct gw_log_head *h, qc_span records, uint32_t count,
                  const uint8_t salt[GW_SALT_BYTES], qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_log_wipe) qc_buf b = { .max = ret->max < QC_GW_LOG_MAX ? ret->max : QC_GW_LOG_MAX };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint8_t aad[AAD_MAX];
    uint8_t *tag;

    /* Reserved in one piece, so that no copy of the clear text is left behind by growing. */
    QC_TRY(qc_buf_reserve(&b, GW_LOG_HEAD_BYTES + GW_LOG_CLEAR_BYTES + records.n + QC_TAG, err));
    QC_TRY(qc_buf_add_be(&b, LOG_MAGIC, 4, err));
    QC_TRY(qc_buf_add_be(&b, (uint64_t)LOG_VERSION << 24, 4, err));
    QC_TRY(qc_buf_add(&b, qc_span_of(salt, GW_SALT_BYTES), err));
    QC_TRY(qc_buf_add_be(&b, h->sequence, 8, err));
    QC_TRY(qc_buf_add_be(&b, h->incarnation, 4, err));
    QC_TRY(qc_buf_add(&b, qc_span_of(h->prev, sizeof h->prev), err));
    QC_TRY(qc_buf_add_be(&b, count, 4, err));
    QC_TRY(qc_buf_add(&b, records, err));
    QC_TRY(log_key(r, h->sequence, h->incarnation, qc_span_of(salt, GW_SALT_BYTES), &key, err));

    const size_t n = b.n - GW_LOG_HEAD_BYTES;
    QC_TRY(qc_buf_extend(&b, QC_TAG, &tag, err));
    uint8_t *text = b.p + GW_LOG_HEAD_BYTES;
    const size_t aad_size = log_aad(b.p, h->sequence, h->incarnation, aad);
    QC_TRY(qc_gcm_seal(
        &(struct qc_gcm){ .key = qc_key_open(key), .nonce = zero_nonce, .aad = qc_span_of(aad, aad_size) },
        qc_span_of(text, n), text, tag, err));
    qc_buf_free(ret);
    *ret = QC_STEAL(b);
    return QC_OK;
}

static qc_rc decrypt(const struct gw_root *r, uint64_t sequence, uint32_t incarnation, qc_span in,
                     qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    qc_rd rd = { .s = in };
    uint8_t aad[AAD_MAX];
    uint8_t *text;

    const uint64_t magic = qc_rd_be(&rd, 4);
    const uint64_t version = qc_rd_be(&rd, 1);
    qc_rd_zero(&rd, 3);
    const qc_span salt = qc_rd_bytes(&rd, GW_SALT_BYTES);
    const size_t left = qc_rd_left(&rd);
    if (qc_rd_ok(&rd) && magic == LOG_MAGIC && version > LOG_VERSION)
        return QC_FAIL(err, QC_NEWER, "log object %" PRIu64 ": version %" PRIu64 " needs a newer program",
                       sequence, version);
    if (!qc_rd_ok(&rd) || magic != LOG_MAGIC || version != LOG_VERSION ||
        left < GW_LOG_CLEAR_BYTES + QC_TAG || in.n > QC_GW_LOG_MAX)
        return QC_FAIL(err, QC_FORMAT, "log object %" PRIu64 ": %zu bytes that are none", sequence, in.n);
    const qc_span cipher = qc_rd_bytes(&rd, left - QC_TAG);
    const qc_span tag = qc_rd_bytes(&rd, QC_TAG);

    QC_TRY(log_key(r, sequence, incarnation, salt, &key, err));
    QC_TRY(qc_buf_reserve(ret, cipher.n, err));
    QC_TRY(qc_buf_extend(ret, cipher.n, &text, err));
    const size_t aad_size = log_aad(in.p, sequence, incarnation, aad);
    QC_TRY_AS(qc_gcm_open(&(struct qc_gcm){ .key = qc_key_open(key),
                                            .nonce = zero_nonce,
                                            .aad = qc_span_of(aad, aad_size) },
                          cipher, tag.p, text, err),
              err, "log object %" PRIu64, sequence);
    return QC_OK;
}

qc_rc gw_log_parse_clear(qc_span clear, struct gw_log_head *ret_head, uint32_t *ret_count,
                         qc_span *ret_records, struct qc_err *err)
{
    qc_rd rd = { .s = clear };
    struct gw_log_head h = { .sequence = qc_rd_be(&rd, 8) };

    h.incarnation = (uint32_t)qc_rd_be(&rd, 4);
    qc_rd_copy(&rd, h.prev, sizeof h.prev);
    const uint32_t count = (uint32_t)qc_rd_be(&rd, 4);
    const qc_span records = qc_rd_bytes(&rd, qc_rd_left(&rd));
    if (!qc_rd_end(&rd))
        return QC_FAIL(err, QC_FORMAT, "log object: clear text of %zu bytes", clear.n);

    struct gw_log_iter it = { .rd = { .s = records }, .left = count };
    for (bool more = true; more;) {
        struct gw_record rec;
        QC_TRY(gw_log_next(&it, &rec, &more, err));
    }
    if (!qc_rd_end(&it.rd))
        return QC_FAIL(err, QC_FORMAT, "log object: bytes after its %" PRIu32 " records", count);
    *ret_head = h;
    *ret_count = count;
    *ret_records = records;
    return QC_OK;
}

qc_rc gw_log_open(const struct gw_root *r, uint64_t sequence, uint32_t incarnation, qc_span in,
                  struct gw_log *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_log_done) struct gw_log l = { .clear = { .max = QC_GW_LOG_MAX } };

    QC_TRY(decrypt(r, sequence, incarnation, in, &l.clear, err));
    QC_TRY_AS(gw_log_parse_clear(qc_buf_span(&l.clear), &l.head, &l.count, &l.records, err), err,
              "log object %" PRIu64, sequence);
    if (l.head.sequence != sequence || l.head.incarnation != incarnation)
        return QC_FAIL(err, QC_INTEGRITY,
                       "log object %" PRIu64 ": says that it is %" PRIu64 " of incarnation %" PRIu32,
                       sequence, l.head.sequence, l.head.incarnation);
    *ret = QC_STEAL(l);
    return QC_OK;
}

void gw_log_wipe(qc_buf *b)
{
    if (b->p != NULL)
        qc_wipe(b->p, b->cap);
    qc_buf_free(b);
}

void gw_log_done(struct gw_log *l)
{
    gw_log_wipe(&l->clear);
    *l = (struct gw_log){ 0 };
}

struct gw_log_iter gw_log_records(const struct gw_log *l)
{
    return (struct gw_log_iter){ .rd = { .s = l->records }, .left = l->count };
}

qc_rc gw_log_next(struct gw_log_iter *it, struct gw_record *ret, bool *ret_more, struct qc_err *err)
{
    while (it->left > 0) {
        const uint8_t kind = (uint8_t)qc_rd_be(&it->rd, 1);
        const qc_span body = qc_rd_bytes(&it->rd, qc_rd_be(&it->rd, 4));
        if (!qc_rd_ok(&it->rd))
            return QC_FAIL(err, QC_FORMAT, "log record: cut off");
        it->left--;
        if ((kind >= GW_REC_COMMIT && kind <= GW_REC_BACKUP) ||
            (kind >= GW_REC_TENANT && kind <= GW_REC_REPACKED)) {
            QC_TRY(gw_record_parse((enum gw_record_kind)kind, body, ret, err));
            *ret_more = true;
            return QC_OK;
        }
        if (kind & MUST_UNDERSTAND)
            return QC_FAIL(err, QC_NEWER, "log record of kind %u needs a newer program", kind);
    }
    *ret_more = false;
    return QC_OK;
}

/* -- sealed B -------------------------------------------------------------------------------------------- */

static qc_rc backup_aad(const struct gw_backup_ids *ids, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_info_add(ret, QC_LIT("B"), err));
    QC_TRY(qc_info_add(ret, gw_id_span(&ids->vault), err));
    QC_TRY(qc_info_add(ret, gw_id_span(&ids->object), err));
    return qc_info_add(ret, gw_id_span(&ids->version), err);
}

static qc_rc backup_key(const struct gw_root *r, const struct qc_prk *prk, qc_span salt, qc_key **ret,
                        struct qc_err *err)
{
    return gw_kdf(prk, r, "B", &salt, 1, ret, err);
}

qc_rc gw_backup_seal(const struct gw_root *r, const struct gw_bkey *bkey, const uint8_t salt[GW_SALT_BYTES],
                     const struct gw_backup_ids *ids, qc_span backup, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf aad = { .max = 256 };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint8_t *out;

    if (backup.n > QC_GW_BACKUP_MAX)
        return QC_FAIL(err, QC_LIMIT, "backup data: %zu bytes, at most %d", backup.n, QC_GW_BACKUP_MAX);
    QC_TRY(backup_aad(ids, &aad, err));
    QC_TRY(backup_key(r, bkey->prk, qc_span_of(salt, GW_SALT_BYTES), &key, err));
    QC_TRY(qc_buf_extend(ret, BACKUP_HEAD_BYTES + backup.n + QC_TAG, &out, err));
    qc_put_be(out, bkey->epoch, 4);
    memcpy(out + 4, salt, GW_SALT_BYTES);
    return qc_gcm_seal(
        &(struct qc_gcm){ .key = qc_key_open(key), .nonce = zero_nonce, .aad = qc_buf_span(&aad) }, backup,
        out + BACKUP_HEAD_BYTES, out + BACKUP_HEAD_BYTES + backup.n, err);
}

qc_rc gw_backup_epoch(qc_span sealed, uint32_t *ret, struct qc_err *err)
{
    if (sealed.n < BACKUP_HEAD_BYTES + QC_TAG || sealed.n > BACKUP_HEAD_BYTES + QC_GW_BACKUP_MAX + QC_TAG)
        return QC_FAIL(err, QC_FORMAT, "sealed backup data: %zu bytes", sealed.n);
    *ret = (uint32_t)qc_get_be(sealed.p, 4);
    return QC_OK;
}

qc_rc gw_backup_open(const struct gw_root *r, const struct qc_prk *prk, const struct gw_backup_ids *ids,
                     qc_span sealed, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf aad = { .max = 256 };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint32_t epoch;
    uint8_t *out;

    QC_TRY(gw_backup_epoch(sealed, &epoch, err));
    QC_TRY(backup_aad(ids, &aad, err));
    QC_TRY(backup_key(r, prk, qc_span_sub(sealed, 4, GW_SALT_BYTES), &key, err));
    const qc_span cipher = qc_span_sub(sealed, BACKUP_HEAD_BYTES, sealed.n - BACKUP_HEAD_BYTES - QC_TAG);
    const size_t before = ret->n;
    QC_TRY(qc_buf_extend(ret, cipher.n, &out, err));
    const qc_rc rc = qc_gcm_open(
        &(struct qc_gcm){ .key = qc_key_open(key), .nonce = zero_nonce, .aad = qc_buf_span(&aad) }, cipher,
        sealed.p + sealed.n - QC_TAG, out, err);
    if (rc != QC_OK)
        ret->n = before;
    return rc;
}

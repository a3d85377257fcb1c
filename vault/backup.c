#include "vault/backup.h"

#include "base/crypto.h"

#include <inttypes.h>

#include "ext.h"
#include "vault/kdf.h"
#include "vault/shares.h"

#define VERSION    1
#define KIND_PLAIN 0
#define FLAG_CORR1 1u
#define FLAG_CORR2 2u
#define OUTSIDE    1
#define INSIDE     2
#define MAC_BYTES  32

static const char *const label[] = { NULL, "M14", "M24" };

static qc_rc mac_of(uint8_t ret[MAC_BYTES], const qc_key *share, unsigned i, const struct vault_ids *ids,
                    qc_span raw, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_TRY(vault_kdf_once(&key, share, label[i], ids, err));
    return vault_hmac(ret, key, &raw, 1, err);
}

/* R'4. The share R4 stands in clear here: B lies with the gateway, and R4 is the share that it may see (I3).
 */
static qc_rc write_raw(qc_buf *b, const struct vault_backup_parts *p, struct qc_err *err)
{
    const unsigned flags = (p->corr1 != NULL ? FLAG_CORR1 : 0) | (p->corr2 != NULL ? FLAG_CORR2 : 0);
    const uint8_t start[] = { 'Q', 'C', 'L', 'B', VERSION, VAULT_SUITE, KIND_PLAIN, (uint8_t)flags };
    QC_TRY(qc_buf_add(b, qc_span_of(start, sizeof start), err));
    QC_TRY(qc_buf_add(b, qc_span_of(p->ids.vault, VAULT_ID_BYTES), err));
    QC_TRY(qc_buf_add(b, qc_span_of(p->ids.object, VAULT_ID_BYTES), err));
    QC_TRY(qc_buf_add(b, qc_span_of(p->ids.version, VAULT_ID_BYTES), err));
    QC_TRY(qc_buf_add_be(b, p->generation, 4, err));
    QC_TRY(qc_buf_add_be(b, OUTSIDE, 1, err));
    QC_TRY(qc_buf_add_be(b, INSIDE, 1, err));
    QC_TRY(qc_buf_add_be(b, VAULT_KEY_BYTES, 2, err));
    QC_TRY(qc_buf_add_be(b, p->n2, 8, err));
    QC_TRY(qc_buf_add(b, qc_key_open(p->R4), err));
    if (p->corr1 != NULL)
        QC_TRY(qc_buf_add(b, qc_key_open(p->corr1), err));
    if (p->corr2 != NULL)
        QC_TRY(qc_buf_add(b, qc_key_open(p->corr2), err));
    QC_TRY(qc_buf_add_be(b, p->extensions.n, 4, err));
    return qc_buf_add(b, p->extensions, err);
}

qc_rc vault_backup_make(qc_buf *ret, const struct vault_backup_parts *parts, struct qc_err *err)
{
    if (parts->generation == 0)
        return QC_FAIL(err, QC_USAGE, "backup data: generation 0, expected 1 or more");
    QC_TRY_AS(vault_ext_check(parts->extensions, "backup data", err), err, "making it");
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_VAULT_BACKUP_MAX };
    QC_TRY(write_raw(&b, parts, err));
    uint8_t m14[MAC_BYTES], m24[MAC_BYTES];
    QC_TRY(mac_of(m14, parts->R1, 1, &parts->ids, qc_buf_span(&b), err));
    QC_TRY(mac_of(m24, parts->R2, 2, &parts->ids, qc_buf_span(&b), err));
    QC_TRY(qc_buf_add(&b, qc_span_of(m14, MAC_BYTES), err));
    QC_TRY(qc_buf_add(&b, qc_span_of(m24, MAC_BYTES), err));
    return qc_buf_add(ret, qc_buf_span(&b), err);
}

void vault_backup_done(struct vault_backup *backup)
{
    qc_key_free(&backup->R4);
    qc_key_free(&backup->corr1);
    qc_key_free(&backup->corr2);
    *backup = (struct vault_backup){ 0 };
}

/* 32 bytes from the reader into a key of their own; zeros when the reader has failed (seen by the caller). */
static qc_rc read_key(qc_key **ret, qc_rd *r, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *k = NULL;
    QC_TRY(qc_key_blank(&k, VAULT_KEY_BYTES, err));
    qc_rd_copy(r, qc_key_write(k), VAULT_KEY_BYTES);
    qc_key_seal(k);
    *ret = QC_STEAL(k);
    return QC_OK;
}

/* The first eight bytes; gives the flags. */
static qc_rc read_start(uint64_t *ret_flags, qc_rd *r, struct qc_err *err)
{
    const uint64_t magic = qc_rd_be(r, 4);
    const uint64_t version = qc_rd_be(r, 1), suite = qc_rd_be(r, 1), kind = qc_rd_be(r, 1);
    const uint64_t flags = qc_rd_be(r, 1);
    if (!qc_rd_ok(r) || magic != 0x51434c42)
        return QC_FAIL(err, QC_FORMAT, "backup data: not backup data");
    if (version == 0 || suite == 0)
        return QC_FAIL(err, QC_FORMAT, "backup data: version or suite 0");
    if (version != VERSION || suite != VAULT_SUITE || kind != KIND_PLAIN)
        return QC_FAIL(err, QC_NEWER,
                       "backup data: version %" PRIu64 ", suite %" PRIu64 ", kind %" PRIu64
                       " need a newer program",
                       version, suite, kind);
    if ((flags & ~(uint64_t)(FLAG_CORR1 | FLAG_CORR2)) != 0)
        return QC_FAIL(err, QC_FORMAT, "backup data: flags 0x%02" PRIx64 ", expected 0 to 3", flags);
    *ret_flags = flags;
    return QC_OK;
}

static qc_rc read_shares(struct vault_backup *b, qc_rd *r, uint64_t flags, struct qc_err *err)
{
    b->generation = (uint32_t)qc_rd_be(r, 4);
    const uint64_t outside = qc_rd_be(r, 1), inside = qc_rd_be(r, 1), length = qc_rd_be(r, 2);
    b->n2 = qc_rd_be(r, 8);
    if (!qc_rd_ok(r))
        return QC_FAIL(err, QC_FORMAT, "backup data: cut");
    if (b->generation == 0)
        return QC_FAIL(err, QC_FORMAT, "backup data: generation 0");
    if (outside != OUTSIDE || inside != INSIDE || length != VAULT_KEY_BYTES)
        return QC_FAIL(err, QC_FORMAT,
                       "backup data: %" PRIu64 " + %" PRIu64 " shares of %" PRIu64
                       " bytes, expected 1 + 2 of 32",
                       outside, inside, length);
    QC_TRY(read_key(&b->R4, r, err));
    if ((flags & FLAG_CORR1) != 0)
        QC_TRY(read_key(&b->corr1, r, err));
    if ((flags & FLAG_CORR2) != 0)
        QC_TRY(read_key(&b->corr2, r, err));
    return QC_OK;
}

qc_rc vault_backup_parse(struct vault_backup *ret, qc_span in, struct qc_err *err)
{
    if (vault_backup_is_kept(in))
        return QC_FAIL(err, QC_SHARES, "backup data: a keeper has it");
    if (in.n < VAULT_BACKUP_BYTES || in.n > QC_VAULT_BACKUP_MAX)
        return QC_FAIL(err, QC_FORMAT, "backup data: %zu bytes, expected %d to %d", in.n, VAULT_BACKUP_BYTES,
                       QC_VAULT_BACKUP_MAX);
    QC_CLEANUP(vault_backup_done) struct vault_backup b = { 0 };
    b.raw = qc_span_sub(in, 0, in.n - 2 * MAC_BYTES);
    b.m14 = qc_span_sub(in, b.raw.n, MAC_BYTES);
    b.m24 = qc_span_sub(in, b.raw.n + MAC_BYTES, MAC_BYTES);
    qc_rd r = { .s = b.raw };
    uint64_t flags;
    QC_TRY(read_start(&flags, &r, err));
    qc_rd_copy(&r, b.ids.vault, VAULT_ID_BYTES);
    qc_rd_copy(&r, b.ids.object, VAULT_ID_BYTES);
    qc_rd_copy(&r, b.ids.version, VAULT_ID_BYTES);
    QC_TRY(read_shares(&b, &r, flags, err));
    b.extensions = qc_rd_bytes(&r, qc_rd_be(&r, 4));
    if (!qc_rd_end(&r))
        return QC_FAIL(err, QC_FORMAT, "backup data: the lengths do not add up to %zu bytes", in.n);
    QC_TRY(vault_ext_check(b.extensions, "backup data", err));
    *ret = QC_STEAL(b);
    return QC_OK;
}

qc_rc vault_backup_correct(qc_key **ret, const struct vault_backup *b, unsigned i, const qc_key *share,
                           struct qc_err *err)
{
    const qc_key *corr = i == 1 ? b->corr1 : b->corr2;
    QC_ASSERT(i == 1 || i == 2);
    return corr != NULL ? qc_key_xor(ret, share, corr, err) : qc_key_dup(ret, share, err);
}

qc_rc vault_backup_check(qc_key **ret_effective, const struct vault_backup *b, unsigned i,
                         const qc_key *share, const struct vault_ids *ids, struct qc_err *err)
{
    QC_ASSERT(i == 1 || i == 2);
    QC_CLEANUP(qc_key_free) qc_key *effective = NULL;
    QC_TRY(vault_backup_correct(&effective, b, i, share, err));
    uint8_t mac[MAC_BYTES];
    QC_TRY(mac_of(mac, effective, i, ids, b->raw, err));
    if (!qc_ct_eq(mac, (i == 1 ? b->m14 : b->m24).p, MAC_BYTES))
        return QC_FAIL(err, QC_INTEGRITY, "backup data: %s", label[i]);
    if (!qc_ct_eq(&b->ids, ids, sizeof *ids))
        return QC_FAIL(err, QC_INTEGRITY, "backup data: ids are those of another object or version");
    *ret_effective = QC_STEAL(effective);
    return QC_OK;
}

qc_rc vault_backup_consistent(const struct vault_backup *b, const struct vault_backup_truth *truth,
                              struct qc_err *err)
{
    uint64_t n2 = 0;
    if (!truth->vault) {
        QC_CLEANUP(qc_key_free) qc_key *R12 = NULL;
        QC_TRY(qc_key_xor(&R12, truth->R1, truth->R2, err));
        QC_TRY(vault_kdf_position(&n2, R12, "n2", &b->ids, truth->c0 + VAULT_KEY_BYTES, err));
    }
    if (b->n2 != n2)
        return QC_FAIL(err, QC_INTEGRITY, "backup data: n2 is not what the shares give");
    const struct vault_triple t = { .x = { 1, 2, 3 }, .share = { truth->R1, truth->R2, truth->R3 } };
    QC_CLEANUP(qc_key_free) qc_key *R4 = NULL;
    QC_TRY(vault_triple_at(&R4, &t, 4, err));
    if (!qc_key_same(R4, b->R4))
        return QC_FAIL(err, QC_INTEGRITY, "backup data: R4 is not what the shares give");
    return QC_OK;
}

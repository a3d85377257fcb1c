#include "vault/certificate.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "ring.h"
#include "vault/kdf.h"

enum { VERSION = 1, ED25519 = 1, WHOLE = 1, KEPT = 2, ROW = 2 * VAULT_ID_BYTES + 16 + 2 * 33 };
#define MAGIC 0x51434c45u /* "QCLE" */
/* What is signed begins with this, with its NUL: no other use of the key has it. */
static const char domain[] = "qcloud record of erasure";

void vault_certificate_done(struct vault_certificate *c)
{
    qc_buf_free(&c->name);
    qc_free(c->v);
    *c = (struct vault_certificate){ 0 };
}

qc_rc vault_certificate_extend(struct vault_certificate *c, size_t n, struct qc_err *err)
{
    if (n > QC_VAULT_CERTIFICATE_VERSIONS - c->n)
        return QC_FAIL(err, QC_LIMIT, "record of erasure: more than %d versions",
                       QC_VAULT_CERTIFICATE_VERSIONS);
    struct vault_erased *v = qc_realloc(c->v, (c->n + n) * sizeof(*v));
    if (v == NULL)
        return QC_FAIL(err, QC_NOMEM, "record of erasure");
    c->v = v;
    return QC_OK;
}

qc_rc vault_erased_digest(uint8_t ret[32], const uint8_t vault[VAULT_ID_BYTES],
                          const uint8_t object[VAULT_ID_BYTES], const uint8_t version[VAULT_ID_BYTES],
                          unsigned index, const qc_key *share, struct qc_err *err)
{
    const uint8_t i = (uint8_t)index;
    return vault_sha_enc(ret,
                         (const qc_span[]){ QC_LIT("erased share"), qc_span_of(vault, VAULT_ID_BYTES),
                                            qc_span_of(object, VAULT_ID_BYTES),
                                            qc_span_of(version, VAULT_ID_BYTES), qc_span_of(&i, 1),
                                            qc_key_open(share) },
                         6, err);
}

qc_rc vault_signing_key(qc_key **ret, const struct vault_ring *ring, struct qc_err *err)
{
    return vault_kdf_ids(ret, ring->VS, "sign", &ring->ids, (qc_span){ 0 }, err);
}

/* -- writing --------------------------------------------------------------------------------------------- */

static qc_rc add_head(qc_buf *b, const struct vault_certificate *c, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(b, MAGIC, 4, err));
    QC_TRY(qc_buf_add_be(b, VERSION, 1, err));
    QC_TRY(qc_buf_add_be(b, c->draft, 1, err));
    QC_TRY(qc_buf_add_be(b, (c->whole ? WHOLE : 0) | (c->kept ? KEPT : 0), 1, err));
    QC_TRY(qc_buf_add_zero(b, 1, err));
    QC_TRY(qc_buf_add(b, qc_span_of(c->id, VAULT_ID_BYTES), err));
    QC_TRY(qc_buf_add(b, qc_span_of(c->vault, VAULT_ID_BYTES), err));
    QC_TRY(qc_buf_add(b, qc_span_of(c->catalogue, VAULT_ID_BYTES), err));
    QC_TRY(qc_buf_add_be(b, (uint64_t)c->begun_s, 8, err));
    QC_TRY(qc_buf_add_be(b, (uint64_t)c->ended_s, 8, err));
    QC_TRY(qc_buf_add_be(b, c->unseen, 4, err));
    for (unsigned i = 0; i < 2; i++) {
        QC_TRY(qc_buf_add(b, qc_span_of(c->store[i].id, VAULT_ID_BYTES), err));
        QC_TRY(qc_buf_add_be(b, c->store[i].derived ? 2 : 1, 1, err));
        QC_TRY(qc_buf_add_be(b, c->store[i].replaced ? 2 : 1, 1, err));
    }
    QC_TRY(qc_buf_add_be(b, c->unknown, 8, err));
    QC_TRY(qc_buf_add_be(b, c->missing, 8, err));
    QC_TRY(qc_buf_add_be(b, c->name.n, 4, err));
    QC_TRY(qc_buf_add(b, qc_buf_span(&c->name), err));
    return qc_buf_add_be(b, c->n, 4, err);
}

static qc_rc add_row(qc_buf *b, const struct vault_erased *e, struct qc_err *err)
{
    QC_TRY(qc_buf_add(b, qc_span_of(e->object, VAULT_ID_BYTES), err));
    QC_TRY(qc_buf_add(b, qc_span_of(e->version, VAULT_ID_BYTES), err));
    QC_TRY(qc_buf_add_be(b, e->number, 8, err));
    QC_TRY(qc_buf_add_be(b, e->sequence, 8, err));
    for (unsigned i = 0; i < 2; i++) {
        QC_TRY(qc_buf_add_be(b, (uint64_t)e->had[i], 1, err));
        QC_TRY(qc_buf_add(b, qc_span_of(e->digest[i], sizeof(e->digest[i])), err));
    }
    return QC_OK;
}

/* domain and body, as one message. */
static qc_rc message_of(qc_buf *ret, qc_span body, struct qc_err *err)
{
    QC_TRY(qc_buf_add(ret, qc_span_of((const uint8_t *)domain, sizeof(domain)), err));
    return qc_buf_add(ret, body, err);
}

qc_rc vault_certificate_encode(qc_buf *ret, const struct vault_certificate *c, const qc_key *seed,
                               struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = QC_VAULT_CERTIFICATE_MAX },
                                   message = { .max = QC_VAULT_CERTIFICATE_MAX + sizeof(domain) };
    uint8_t key[QC_SIGN_PUBLIC], signature[QC_SIGN_BYTES];
    QC_ASSERT(c->n >= 1 && c->n <= QC_VAULT_CERTIFICATE_VERSIONS && c->draft == (c->ended_s == 0));
    QC_TRY(add_head(&b, c, err));
    for (size_t i = 0; i < c->n; i++)
        QC_TRY(add_row(&b, &c->v[i], err));
    QC_TRY(qc_sign_public(key, seed, err));
    QC_TRY(qc_buf_add_be(&b, 1, 1, err));
    QC_TRY(qc_buf_add_be(&b, ED25519, 1, err));
    QC_TRY(qc_buf_add_be(&b, sizeof(key), 2, err));
    QC_TRY(qc_buf_add(&b, qc_span_of(key, sizeof(key)), err));
    QC_TRY(message_of(&message, qc_buf_span(&b), err));
    QC_TRY(qc_sign(signature, seed, qc_buf_span(&message), err));
    QC_TRY(qc_buf_add_be(&b, sizeof(signature), 2, err));
    QC_TRY(qc_buf_add(&b, qc_span_of(signature, sizeof(signature)), err));
    return qc_buf_add(ret, qc_buf_span(&b), err);
}

/* -- reading --------------------------------------------------------------------------------------------- */

static qc_rc check_start(qc_rd *r, struct vault_certificate *c, struct qc_err *err)
{
    const uint64_t magic = qc_rd_be(r, 4), version = qc_rd_be(r, 1);
    if (!qc_rd_ok(r) || magic != MAGIC || version == 0)
        return QC_FAIL(err, QC_FORMAT, "it is no record of erasure");
    if (version != VERSION)
        return QC_FAIL(err, QC_NEWER, "record of erasure: version %" PRIu64 " needs a newer program",
                       version);
    const uint64_t kind = qc_rd_be(r, 1), flags = qc_rd_be(r, 1);
    qc_rd_zero(r, 1);
    if (!qc_rd_ok(r) || kind > 1 || flags > (WHOLE | KEPT))
        return QC_FAIL(err, QC_FORMAT, "record of erasure: it does not parse");
    c->draft = kind == 1;
    c->whole = (flags & WHOLE) != 0;
    c->kept = (flags & KEPT) != 0;
    return QC_OK;
}

/* 1 or 2, for false and true. */
static bool read_flag(qc_rd *r)
{
    const uint64_t v = qc_rd_be(r, 1);
    if (v != 1 && v != 2)
        qc_rd_fail(r);
    return v == 2;
}

static void read_head(qc_rd *r, struct vault_certificate *c)
{
    qc_rd_copy(r, c->id, VAULT_ID_BYTES);
    qc_rd_copy(r, c->vault, VAULT_ID_BYTES);
    qc_rd_copy(r, c->catalogue, VAULT_ID_BYTES);
    c->begun_s = (int64_t)qc_rd_be(r, 8);
    c->ended_s = (int64_t)qc_rd_be(r, 8);
    c->unseen = (uint32_t)qc_rd_be(r, 4);
    for (unsigned i = 0; i < 2; i++) {
        qc_rd_copy(r, c->store[i].id, VAULT_ID_BYTES);
        c->store[i].derived = read_flag(r);
        c->store[i].replaced = read_flag(r);
    }
    c->unknown = qc_rd_be(r, 8);
    c->missing = qc_rd_be(r, 8);
    if (c->begun_s <= 0 || c->ended_s < 0 || c->draft != (c->ended_s == 0) || c->unknown > INT64_MAX ||
        c->missing > INT64_MAX)
        qc_rd_fail(r);
}

static void read_row(qc_rd *r, struct vault_erased *e)
{
    static const uint8_t none[32];
    qc_rd_copy(r, e->object, VAULT_ID_BYTES);
    qc_rd_copy(r, e->version, VAULT_ID_BYTES);
    e->number = qc_rd_be(r, 8);
    e->sequence = qc_rd_be(r, 8);
    for (unsigned i = 0; i < 2; i++) {
        const uint64_t had = qc_rd_be(r, 1);
        qc_rd_copy(r, e->digest[i], sizeof(e->digest[i]));
        if (had < VAULT_ERASED_SHARE || had > VAULT_ERASED_BEFORE ||
            (had != VAULT_ERASED_SHARE && !qc_ct_eq(e->digest[i], none, sizeof(none))))
            qc_rd_fail(r);
        e->had[i] = (enum vault_erased_share)had;
    }
    if (e->number > INT64_MAX || e->sequence > INT64_MAX)
        qc_rd_fail(r);
}

static qc_rc read_body(qc_rd *r, struct vault_certificate *c, struct qc_err *err)
{
    read_head(r, c);
    const uint64_t name_n = qc_rd_be(r, 4);
    const qc_span name = qc_rd_bytes(r, name_n);
    const uint64_t count = qc_rd_be(r, 4);
    if (!qc_rd_ok(r) || name.n == 0 || name.n > QC_VAULT_NAME_MAX || count == 0 ||
        count > QC_VAULT_CERTIFICATE_VERSIONS || count > qc_rd_left(r) / ROW)
        return QC_FAIL(err, QC_FORMAT, "record of erasure: it does not parse");
    c->name = (qc_buf){ .max = QC_VAULT_NAME_MAX };
    QC_TRY(qc_buf_add(&c->name, name, err));
    QC_TRY(vault_certificate_extend(c, (size_t)count, err));
    for (; c->n < count; c->n++) {
        c->v[c->n] = (struct vault_erased){ 0 };
        read_row(r, &c->v[c->n]);
    }
    return QC_OK;
}

/* By whom it is signed: one key, of the one algorithm that there is. */
static qc_rc read_signer(qc_rd *r, struct vault_certificate *c, struct qc_err *err)
{
    const uint64_t count = qc_rd_be(r, 1), algorithm = qc_rd_be(r, 1), bytes = qc_rd_be(r, 2);
    if (qc_rd_ok(r) && count > 0 && (count != 1 || algorithm != ED25519))
        return QC_FAIL(err, QC_NEWER,
                       "record of erasure: %" PRIu64 " signatures, the first by algorithm %" PRIu64
                       ": this program knows Ed25519 alone",
                       count, algorithm);
    if (count != 1 || bytes != sizeof(c->key))
        qc_rd_fail(r);
    qc_rd_copy(r, c->key, sizeof(c->key));
    return QC_OK;
}

qc_rc vault_certificate_parse(struct vault_certificate *ret, qc_span in, struct qc_err *err)
{
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf message = { .max = QC_VAULT_CERTIFICATE_MAX + sizeof(domain) };
    uint8_t signature[QC_SIGN_BYTES];
    qc_rd r = { .s = in };
    if (in.n > QC_VAULT_CERTIFICATE_MAX)
        return QC_FAIL(err, QC_FORMAT, "record of erasure: %zu bytes", in.n);
    QC_TRY(check_start(&r, &c, err));
    QC_TRY(read_body(&r, &c, err));
    QC_TRY(read_signer(&r, &c, err));
    const size_t signed_n = in.n - qc_rd_left(&r);
    if (qc_rd_be(&r, 2) != sizeof(signature))
        qc_rd_fail(&r);
    qc_rd_copy(&r, signature, sizeof(signature));
    if (!qc_rd_end(&r))
        return QC_FAIL(err, QC_FORMAT, "record of erasure: it does not parse");
    QC_TRY(message_of(&message, qc_span_sub(in, 0, signed_n), err));
    if (!qc_sign_holds(c.key, qc_buf_span(&message), signature))
        return QC_FAIL(err, QC_INTEGRITY, "record of erasure: its signature does not hold");
    *ret = QC_STEAL(c);
    return QC_OK;
}

/* The sealed values of a share store: FORMAT 7.2. */
#include "store.h"

#include <inttypes.h>

#include "vault/kdf.h"
#include "vault/shares.h"

static const uint8_t nonce_zero[QC_GCM_NONCE];

static qc_rc record_key(qc_key **ret, const struct vault_store *s, const struct store_record_id *id,
                        const uint8_t *salt, struct qc_err *err)
{
    uint8_t index = (uint8_t)s->index, generation[4];
    qc_put_be(generation, id->generation, 4);
    const qc_span parts[] = { qc_span_of(s->vault, VAULT_ID_BYTES),
                              qc_span_of(id->object, VAULT_ID_BYTES),
                              qc_span_of(id->version, VAULT_ID_BYTES),
                              qc_span_of(&index, 1),
                              qc_span_of(generation, 4),
                              qc_span_of(salt, STORE_SALT) };
    return vault_kdf(ret, s->prk, "record", parts, sizeof(parts) / sizeof(parts[0]), 32, err);
}

/* enc(u8 state, u64 sequence) */
#define RECORD_AAD (8 + 1 + 8 + 8)
static void record_aad(uint8_t ret[RECORD_AAD], const struct store_record_id *id)
{
    qc_put_be(ret, 1, 8);
    qc_put_be(ret + 8, (uint64_t)id->state, 1);
    qc_put_be(ret + 9, 8, 8);
    qc_put_be(ret + 17, id->sequence, 8);
}

qc_rc store_seed_share(qc_key **ret, const struct vault_store *s, uint32_t generation, const uint8_t *object,
                       const uint8_t *version, struct qc_err *err)
{
    const struct store_gen *g = store_gen_of(s, generation);
    struct vault_ids ids;
    if (g == NULL || g->seed == NULL)
        return QC_FAIL(err, QC_INTEGRITY, "the seed of generation %" PRIu32 " is not here", generation);
    memcpy(ids.vault, s->vault, VAULT_ID_BYTES);
    memcpy(ids.object, object, VAULT_ID_BYTES);
    memcpy(ids.version, version, VAULT_ID_BYTES);
    return vault_seed_share(ret, g->from, s->index, &ids, generation, err);
}

/* Is there no share, or does the seed give it? Then a record says only that the version is there, or gone. */
static qc_rc is_given(bool *ret, const struct vault_store *s, const struct store_record_id *id,
                      const qc_key *share, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *own = NULL;
    const struct store_gen *g = store_gen_of(s, id->generation);
    *ret = share == NULL;
    if (g == NULL || g->seed == NULL || share == NULL)
        return QC_OK;
    QC_TRY(store_seed_share(&own, s, id->generation, id->object, id->version, err));
    *ret = qc_key_same(own, share);
    return QC_OK;
}

/* clear: 32, or 0 where a seed gives the share. */
static qc_rc seal_record(uint8_t *ret, const struct vault_store *s, const struct store_record_id *id,
                         qc_span clear, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint8_t aad[RECORD_AAD], out[STORE_SEALED];
    QC_TRY(qc_rng_fill(rng, out, STORE_SALT, err));
    QC_TRY(record_key(&key, s, id, out, err));
    record_aad(aad, id);
    QC_TRY(qc_gcm_seal(&(struct qc_gcm){ qc_key_open(key), nonce_zero, qc_span_of(aad, sizeof(aad)) }, clear,
                       out + STORE_SALT, out + STORE_SALT + clear.n, err));
    memcpy(ret, out, STORE_SALT + clear.n + QC_TAG);
    return QC_OK;
}

qc_rc store_record_keep(uint8_t ret[STORE_SEALED], const struct vault_store *s,
                        const struct store_record_id *id, const qc_key *share, const qc_rng *rng,
                        struct qc_err *err)
{
    QC_ASSERT(qc_key_len(share) == 32);
    return seal_record(ret, s, id, qc_key_open(share), rng, err);
}

qc_rc store_record_seal(uint8_t ret[STORE_SEALED], size_t *ret_n, const struct vault_store *s,
                        const struct store_record_id *id, const qc_key *share, const qc_rng *rng,
                        struct qc_err *err)
{
    bool given = false;
    QC_ASSERT(share == NULL ? id->state == VAULT_RECORD_GONE : qc_key_len(share) == 32);
    QC_TRY(is_given(&given, s, id, share, err));
    *ret_n = given ? STORE_SEALED_NONE : STORE_SEALED;
    if (given)
        return seal_record(ret, s, id, (qc_span){ 0 }, rng, err);
    return seal_record(ret, s, id, qc_key_open(share), rng, err);
}

qc_rc store_record_open(qc_key **ret, const struct vault_store *s, const struct store_record_id *id,
                        qc_span sealed, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_CLEANUP(qc_key_free) qc_key *share = NULL;
    uint8_t aad[RECORD_AAD];
    const bool gone = id->state == VAULT_RECORD_GONE;
    const bool given = (s->in_use.seed != NULL || gone) && sealed.n == STORE_SEALED_NONE;
    if (!given && (gone || sealed.n != STORE_SEALED))
        return QC_FAIL(err, QC_INTEGRITY, "record: %zu bytes, %d expected", sealed.n, STORE_SEALED);
    QC_TRY(record_key(&key, s, id, sealed.p, err));
    record_aad(aad, id);
    if (given) {
        uint8_t none[1];
        QC_TRY_AS(qc_gcm_open(&(struct qc_gcm){ qc_key_open(key), nonce_zero, qc_span_of(aad, sizeof(aad)) },
                              (qc_span){ 0 }, sealed.p + STORE_SALT, none, err),
                  err, "record");
        return gone ? QC_OK : store_seed_share(ret, s, id->generation, id->object, id->version, err);
    }
    QC_TRY(qc_key_blank(&share, 32, err));
    QC_TRY_AS(qc_gcm_open(&(struct qc_gcm){ qc_key_open(key), nonce_zero, qc_span_of(aad, sizeof(aad)) },
                          qc_span_sub(sealed, STORE_SALT, 32), sealed.p + STORE_SALT + 32,
                          qc_key_write(share), err),
              err, "record");
    qc_key_seal(share);
    *ret = QC_STEAL(share);
    return QC_OK;
}

static qc_rc head_key(qc_key **ret, const struct vault_store *s, unsigned index, const uint8_t *salt,
                      struct qc_err *err)
{
    uint8_t i = (uint8_t)index;
    const qc_span parts[] = { qc_span_of(s->id, VAULT_ID_BYTES), qc_span_of(&i, 1),
                              qc_span_of(salt, STORE_SALT) };
    return vault_kdf(ret, s->prk, "head", parts, 3, 32, err);
}

/* enc(item): "head" or "other". */
#define HEAD_AAD (8 + 5)
static qc_span head_aad(uint8_t out[HEAD_AAD], const char *item)
{
    const size_t n = strlen(item);
    QC_ASSERT(n <= HEAD_AAD - 8);
    qc_put_be(out, n, 8);
    memcpy(out + 8, item, n);
    return qc_span_of(out, 8 + n);
}

enum { MODE_STORED = 1, MODE_DERIVED = 2 };

/* ROOM: keys come in steps of 16. KEPT: as PLAIN, and a program that knows of no keeper refuses it. */
enum { VERSION_PLAIN = 1, VERSION_SEALED = 2, VERSION_KEPT = 3, ROOM = 176 };
_Static_assert(ROOM >= STORE_HEAD_SEALED && ROOM % QC_KEY_STEP == 0, "room for a head");

static size_t head_size(const struct store_gen *g)
{
    return g->W_i != NULL ? STORE_HEAD_SEALED : STORE_HEAD_CLEAR;
}

/* Clear text of the head into p, which has ROOM bytes. */
static void head_write(uint8_t *p, const struct vault_store *s, const struct store_gen *g)
{
    p[0] = g->W_i != NULL ? VERSION_SEALED : s->kept ? VERSION_KEPT : VERSION_PLAIN;
    p[1] = (uint8_t)s->index;
    p[2] = g->seed != NULL ? MODE_DERIVED : MODE_STORED;
    p[3] = 0;
    memcpy(p + 4, s->vault, VAULT_ID_BYTES);
    memcpy(p + 20, s->id, VAULT_ID_BYTES);
    qc_put_be(p + 36, g->generation, 4);
    memcpy(p + 40, qc_key_open(g->seed != NULL ? g->seed : g->VS_i).p, 32);
    memcpy(p + 72, s->commitment, 32);
    if (g->W_i == NULL)
        return;
    memcpy(p + STORE_HEAD_CLEAR, qc_key_open(g->W_i).p, 32);
    memcpy(p + STORE_HEAD_CLEAR + 32, s->W_commitment, 32);
}

qc_rc store_head_seal(qc_buf *ret, const struct vault_store *s, const char *item, const struct store_gen *g,
                      const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_CLEANUP(qc_key_free) qc_key *clear = NULL;
    uint8_t out[STORE_SALT + STORE_HEAD_SEALED + QC_TAG], aad[HEAD_AAD];
    const size_t n = head_size(g);
    QC_TRY(qc_rng_fill(rng, out, STORE_SALT, err));
    QC_TRY(head_key(&key, s, s->index, out, err));
    QC_TRY(qc_key_blank(&clear, ROOM, err));
    head_write(qc_key_write(clear), s, g);
    qc_key_seal(clear);
    QC_TRY(qc_gcm_seal(&(struct qc_gcm){ qc_key_open(key), nonce_zero, head_aad(aad, item) },
                       qc_span_sub(qc_key_open(clear), 0, n), out + STORE_SALT, out + STORE_SALT + n, err));
    return qc_buf_add(ret, qc_span_of(out, STORE_SALT + n + QC_TAG), err);
}

/* What stands in clear in the head; clear is n bytes and some filling. */
static qc_rc head_read(struct vault_store *s, struct store_gen *ret, const qc_key *clear, size_t n,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *secret = NULL, *W_i = NULL;
    const bool sealed = n == STORE_HEAD_SEALED;
    uint8_t fixed[40];
    qc_rd r = { .s = qc_span_sub(qc_key_open(clear), 0, n) };
    qc_rd_copy(&r, fixed, sizeof(fixed)); /* nothing secret in these, nor in the commitments */
    (void)qc_rd_bytes(&r, 32);
    qc_rd_copy(&r, s->commitment, sizeof(s->commitment));
    if (!qc_rd_ok(&r))
        return QC_FAIL(err, QC_FORMAT, "head: malformed");
    if (fixed[0] > VERSION_KEPT || fixed[2] > MODE_DERIVED)
        return QC_FAIL(err, QC_NEWER, "head: version %u, mode %u need a newer program", fixed[0], fixed[2]);
    if (fixed[0] == 0 || sealed != (fixed[0] == VERSION_SEALED) || fixed[2] == 0 || fixed[3] != 0 ||
        fixed[1] < 1 || fixed[1] > 2)
        return QC_FAIL(err, QC_FORMAT, "head: malformed");
    const bool derived = fixed[2] == MODE_DERIVED;
    if (fixed[0] != VERSION_PLAIN && derived)
        return QC_FAIL(err, QC_NEWER, "head: a seed beside a %s needs a newer program",
                       sealed ? "recovery key" : "keeper");
    if (memcmp(fixed + 20, s->id, VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_INTEGRITY, "head: of another store");
    s->index = fixed[1];
    s->kept = fixed[0] == VERSION_KEPT;
    memcpy(s->vault, fixed + 4, VAULT_ID_BYTES);
    QC_TRY(qc_key_sub(&secret, clear, 40, 32, err));
    if (sealed) {
        (void)qc_rd_bytes(&r, 32);
        qc_rd_copy(&r, s->W_commitment, sizeof(s->W_commitment));
        QC_TRY(qc_key_sub(&W_i, clear, STORE_HEAD_CLEAR, 32, err));
    }
    QC_ASSERT(qc_rd_end(&r));
    return store_gen_make(ret, s, (uint32_t)qc_get_be(fixed + 36, 4), derived ? secret : NULL,
                          derived ? NULL : secret, W_i, err);
}

qc_rc store_head_open(struct vault_store *s, const char *item, struct store_gen *ret, qc_span sealed,
                      struct qc_err *err)
{
    uint8_t aad[HEAD_AAD];
    const size_t n = sealed.n - STORE_SALT - QC_TAG;
    if (sealed.n < STORE_SALT + QC_TAG || (n != STORE_HEAD_CLEAR && n != STORE_HEAD_SEALED))
        return QC_FAIL(err, QC_INTEGRITY, "head: %zu bytes, %d or %d expected", sealed.n,
                       STORE_SALT + STORE_HEAD_CLEAR + QC_TAG, STORE_SALT + STORE_HEAD_SEALED + QC_TAG);
    /* The index is part of the key, and known only inside: it is one of two. */
    for (unsigned index = 1; index <= 2; index++) {
        QC_CLEANUP(qc_key_free) qc_key *key = NULL;
        QC_CLEANUP(qc_key_free) qc_key *clear = NULL;
        struct qc_err probe = { 0 };
        QC_TRY(head_key(&key, s, index, sealed.p, err));
        QC_TRY(qc_key_blank(&clear, ROOM, err));
        qc_rc rc = qc_gcm_open(&(struct qc_gcm){ qc_key_open(key), nonce_zero, head_aad(aad, item) },
                               qc_span_sub(sealed, STORE_SALT, n), sealed.p + STORE_SALT + n,
                               qc_key_write(clear), &probe);
        if (rc == QC_INTEGRITY)
            continue;
        if (rc != QC_OK)
            *err = probe;
        QC_TRY(rc);
        qc_key_seal(clear);
        QC_TRY(head_read(s, ret, clear, n, err));
        return s->index == index ? QC_OK : QC_FAIL(err, QC_INTEGRITY, "head: index");
    }
    return QC_FAIL(err, QC_INTEGRITY, "head: its seal does not open with this store's key");
}

/* enc("secret") */
static const uint8_t secret_aad[] = { 0, 0, 0, 0, 0, 0, 0, 6, 's', 'e', 'c', 'r', 'e', 't' };

static qc_rc secret_key(qc_key **ret, const struct vault_store *s, uint32_t generation, const uint8_t *salt,
                        struct qc_err *err)
{
    uint8_t index = (uint8_t)s->index, number[4];
    qc_put_be(number, generation, 4);
    const qc_span parts[] = { qc_span_of(s->id, VAULT_ID_BYTES), qc_span_of(&index, 1),
                              qc_span_of(number, sizeof(number)), qc_span_of(salt, STORE_SALT) };
    return vault_kdf(ret, s->prk, "secret", parts, sizeof(parts) / sizeof(parts[0]), 32, err);
}

qc_rc store_secret_seal(qc_buf *ret, const struct vault_store *s, const struct store_gen *g,
                        const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint8_t out[STORE_SEALED];
    QC_ASSERT(qc_key_len(g->kept) == 32);
    QC_TRY(qc_rng_fill(rng, out, STORE_SALT, err));
    QC_TRY(secret_key(&key, s, g->generation, out, err));
    QC_TRY(qc_gcm_seal(&(struct qc_gcm){ qc_key_open(key), nonce_zero,
                                         qc_span_of(secret_aad, sizeof(secret_aad)) },
                       qc_key_open(g->kept), out + STORE_SALT, out + STORE_SALT + 32, err));
    return qc_buf_add(ret, qc_span_of(out, sizeof(out)), err);
}

qc_rc store_secret_open(struct store_gen *g, const struct vault_store *s, qc_span sealed, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL, *kept = NULL;
    if (sealed.n != STORE_SEALED)
        return QC_FAIL(err, QC_INTEGRITY, "secret: %zu bytes, %d expected", sealed.n, STORE_SEALED);
    QC_TRY(secret_key(&key, s, g->generation, sealed.p, err));
    QC_TRY(qc_key_blank(&kept, 32, err));
    QC_TRY_AS(qc_gcm_open(&(struct qc_gcm){ qc_key_open(key), nonce_zero,
                                            qc_span_of(secret_aad, sizeof(secret_aad)) },
                          qc_span_sub(sealed, STORE_SALT, 32), sealed.p + STORE_SALT + 32, qc_key_write(kept),
                          err),
              err, "secret");
    qc_key_seal(kept);
    g->kept = QC_STEAL(kept);
    return QC_OK;
}

qc_rc store_mark_tag(uint8_t ret[16], const struct vault_store *s, const uint8_t path_tag[16],
                     uint64_t number, struct qc_err *err)
{
    uint8_t be[8], mac[32];
    qc_put_be(be, number, 8);
    QC_TRY(vault_hmac_enc(mac, s->mark_key, (const qc_span[]){ qc_span_of(path_tag, 16), qc_span_of(be, 8) },
                          2, err));
    memcpy(ret, mac, 16);
    return QC_OK;
}

static qc_rc text_mac(uint8_t ret[32], const struct vault_store *s, const char *item, qc_span text,
                      struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    const qc_span parts[] = { qc_span_of(s->id, VAULT_ID_BYTES), qc_span_str(item) };
    QC_TRY(vault_kdf(&key, s->prk, "text", parts, 2, 32, err));
    return vault_hmac(ret, key, &text, 1, err);
}

qc_rc store_text_get(struct vault_store *s, const char *item, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf value = { .max = QC_VAULT_ITEM_MAX };
    uint8_t mac[32];
    QC_TRY(store_item_get(s, item, &value, err));
    if (value.n < sizeof(mac))
        return QC_FAIL(err, QC_INTEGRITY, "%s: too short", item);
    qc_span text = qc_span_of(value.p, value.n - sizeof(mac));
    QC_TRY(text_mac(mac, s, item, text, err));
    if (!qc_ct_eq(mac, value.p + text.n, sizeof(mac)))
        return QC_FAIL(err, QC_INTEGRITY, "%s: authenticator", item);
    return qc_buf_add(ret, text, err);
}

qc_rc store_text_put(struct vault_store *s, const char *item, qc_span text, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf value = { .max = QC_VAULT_ITEM_MAX };
    uint8_t mac[32];
    QC_TRY(text_mac(mac, s, item, text, err));
    QC_TRY(qc_buf_add(&value, text, err));
    QC_TRY(qc_buf_add(&value, qc_span_of(mac, sizeof(mac)), err));
    return store_item_put(s, item, qc_buf_span(&value), err);
}

qc_rc store_keys(struct vault_store *s, const qc_key *SK, struct qc_err *err)
{
    QC_TRY(vault_prk_new(&s->prk, SK, err));
    qc_span id = qc_span_of(s->id, VAULT_ID_BYTES);
    return vault_kdf(&s->mark_key, s->prk, "mark", &id, 1, 32, err);
}

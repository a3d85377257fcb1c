/* unit/vault_certificate: a record of erasure comes back as it was signed; with any bit flipped, shorter,
 * longer, or of a newer format it is refused; that another vault has signed it can be seen. */
#include "vault/certificate.h"

#include "base/codec.h"
#include "base/crypto.h"
#include "base/file.h"

#include "qc_check.h"
#include "vault/kdf.h"

static struct qc_err err;

static qc_key *seed_of(uint8_t first)
{
    uint8_t raw[QC_SIGN_SEED] = { first };
    qc_key *seed = NULL;
    CHECK_OK(qc_key_from(&seed, raw, sizeof(raw), &err));
    return seed;
}

static void make(struct vault_certificate *c, size_t n)
{
    *c = (struct vault_certificate){ .whole = true,
                                     .kept = true,
                                     .begun_s = 1700000000,
                                     .ended_s = 1700000007,
                                     .unseen = VAULT_UNSEEN_ALL,
                                     .unknown = 2,
                                     .missing = 1,
                                     .name = { .max = QC_VAULT_NAME_MAX } };
    memset(c->id, 1, sizeof(c->id));
    memset(c->vault, 2, sizeof(c->vault));
    memset(c->catalogue, 3, sizeof(c->catalogue));
    memset(c->store[0].id, 4, VAULT_ID_BYTES);
    memset(c->store[1].id, 5, VAULT_ID_BYTES);
    c->store[1].derived = c->store[1].replaced = true;
    CHECK_OK(qc_buf_add_str(&c->name, "a name", &err));
    CHECK_OK(vault_certificate_extend(c, n, &err));
    for (size_t i = 0; i < n; i++) {
        struct vault_erased *e = &c->v[c->n++];
        *e = (struct vault_erased){ .number = i, .sequence = i + 1 };
        memset(e->object, 6, VAULT_ID_BYTES);
        memset(e->version, (int)(7 + i), VAULT_ID_BYTES);
        e->had[0] = i % 2 == 0 ? VAULT_ERASED_SHARE : VAULT_ERASED_BEFORE;
        e->had[1] = i % 2 == 0 ? VAULT_ERASED_DERIVED : VAULT_ERASED_NONE;
        if (i % 2 == 0)
            memset(e->digest[0], 8, sizeof(e->digest[0]));
    }
}

static void encode(qc_buf *ret, const struct vault_certificate *c, const qc_key *seed)
{
    *ret = (qc_buf){ .max = QC_VAULT_CERTIFICATE_MAX };
    CHECK_OK(vault_certificate_encode(ret, c, seed, &err));
}

/* Refused, whatever for, and ret is as it was. */
static qc_rc refused(qc_span bytes)
{
    struct vault_certificate none = { 0 };
    const qc_rc rc = vault_certificate_parse(&none, bytes, &err);
    CHECK(rc == QC_FORMAT || rc == QC_NEWER || rc == QC_INTEGRITY);
    CHECK(none.v == NULL && none.name.p == NULL && none.n == 0);
    qc_err_clear(&err);
    return rc;
}

static void comes_back(void)
{
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 }, back = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 }, again = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *seed = seed_of(1);
    uint8_t key[QC_SIGN_PUBLIC];
    make(&c, 3);
    encode(&bytes, &c, seed);
    CHECK_OK(vault_certificate_parse(&back, qc_buf_span(&bytes), &err));
    CHECK_OK(qc_sign_public(key, seed, &err));
    CHECK(memcmp(back.key, key, sizeof(key)) == 0);
    CHECK(!back.draft && back.whole && back.kept && back.begun_s == c.begun_s && back.ended_s == c.ended_s &&
          back.unseen == c.unseen && back.unknown == 2 && back.missing == 1 && back.n == 3);
    CHECK(!back.store[0].derived && !back.store[0].replaced && back.store[1].derived &&
          back.store[1].replaced);
    CHECK(qc_span_eq(qc_buf_span(&back.name), QC_LIT("a name")));
    CHECK(memcmp(back.v, c.v, 3 * sizeof(*c.v)) == 0);
    encode(&again, &back, seed);
    CHECK(qc_span_eq(qc_buf_span(&bytes), qc_buf_span(&again))); /* one text per record */
}

static void altered(void)
{
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *seed = seed_of(1);
    make(&c, 2);
    encode(&bytes, &c, seed);
    const size_t n = bytes.n;
    for (size_t bit = 0; bit < 8 * n; bit++) {
        bytes.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        (void)refused(qc_buf_span(&bytes));
        bytes.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t i = 0; i < n; i++)
        CHECK(refused(qc_span_of(bytes.p, i)) == QC_FORMAT);
    CHECK_OK(qc_buf_add_zero(&bytes, 1, &err));
    CHECK(refused(qc_buf_span(&bytes)) == QC_FORMAT);
}

/* A newer version, or another algorithm, is told from damage. */
static void newer(void)
{
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *seed = seed_of(1);
    make(&c, 1);
    encode(&bytes, &c, seed);
    const size_t signer = bytes.n - QC_SIGN_BYTES - 2 - QC_SIGN_PUBLIC - 4;
    bytes.p[4] = 2;
    CHECK(refused(qc_buf_span(&bytes)) == QC_NEWER);
    bytes.p[4] = 1;
    CHECK(bytes.p[signer] == 1 && bytes.p[signer + 1] == 1);
    bytes.p[signer] = 2;
    CHECK(refused(qc_buf_span(&bytes)) == QC_NEWER);
    bytes.p[signer] = 1;
    bytes.p[signer + 1] = 2;
    CHECK(refused(qc_buf_span(&bytes)) == QC_NEWER);
}

/* Another's key may sign the same words: then they are that one's. A draft stays one. */
static void others(void)
{
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 }, back = { 0 }, draft = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf one = { 0 }, two = { 0 }, three = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *seed = seed_of(1), *other = seed_of(2);
    uint8_t key[QC_SIGN_PUBLIC];
    make(&c, 1);
    encode(&one, &c, seed);
    encode(&two, &c, other);
    CHECK_OK(qc_sign_public(key, seed, &err));
    CHECK_OK(vault_certificate_parse(&back, qc_buf_span(&two), &err));
    CHECK(memcmp(back.key, key, sizeof(key)) != 0);
    memcpy(two.p + two.n - QC_SIGN_BYTES, one.p + one.n - QC_SIGN_BYTES, QC_SIGN_BYTES);
    CHECK(refused(qc_buf_span(&two)) == QC_INTEGRITY);
    c.draft = true;
    CHECK_DIES(encode(&three, &c, seed)); /* a draft has no end */
    c.ended_s = 0;
    encode(&three, &c, seed);
    CHECK_OK(vault_certificate_parse(&draft, qc_buf_span(&three), &err));
    CHECK(draft.draft);
}

/* The key is VS's, and of this vault; a digest is of one share of one version of one store. */
static void derivations(void)
{
    QC_CLEANUP(vault_ring_free) struct vault_ring *ring = NULL, *elsewhere = NULL;
    QC_CLEANUP(qc_key_free) qc_key *VS = seed_of(3), *a = NULL, *b = NULL, *c = NULL;
    const uint8_t vault[VAULT_ID_BYTES] = { 1 }, other[VAULT_ID_BYTES] = { 2 };
    uint8_t d[3][32];
    CHECK_OK(vault_ring_new(&ring, VS, vault, &err));
    CHECK_OK(vault_ring_new(&elsewhere, VS, other, &err));
    CHECK_OK(vault_signing_key(&a, ring, &err));
    CHECK_OK(vault_signing_key(&b, ring, &err));
    CHECK_OK(vault_signing_key(&c, elsewhere, &err));
    CHECK(qc_key_same(a, b) && !qc_key_same(a, c));
    CHECK_OK(vault_erased_digest(d[0], vault, vault, other, 1, VS, &err));
    CHECK_OK(vault_erased_digest(d[1], vault, vault, other, 2, VS, &err));
    CHECK_OK(vault_erased_digest(d[2], vault, other, vault, 1, VS, &err));
    CHECK(memcmp(d[0], d[1], 32) != 0 && memcmp(d[0], d[2], 32) != 0);
}

/* One that an earlier program has signed stays readable. */
static void of_before(void)
{
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { .max = QC_VAULT_CERTIFICATE_MAX };
    uint8_t key[QC_SIGN_PUBLIC];
    CHECK_OK(qc_hex_dec(QC_LIT("6c258aa756feb0a1e7c5c71b2663f984d919b213c7cb7e9e3352d63edafeb44f"), key,
                        sizeof(key), &err));
    CHECK_OK(qc_path_read(QC_TESTS_DIR "/fuzz/corpus/vault_certificate/whole", 0, QC_VAULT_CERTIFICATE_MAX,
                          &bytes, &err));
    CHECK_OK(vault_certificate_parse(&c, qc_buf_span(&bytes), &err));
    CHECK(memcmp(c.key, key, sizeof(key)) == 0 && c.whole && c.n == 2 && c.v[0].number == 3 &&
          c.v[1].had[1] == VAULT_ERASED_SHARE && qc_span_eq(qc_buf_span(&c.name), QC_LIT("x")));
}

static void limits(void)
{
    QC_CLEANUP(vault_certificate_done) struct vault_certificate c = { 0 }, back = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *seed = seed_of(1);
    make(&c, QC_VAULT_CERTIFICATE_VERSIONS);
    for (size_t i = c.name.n; i < QC_VAULT_NAME_MAX; i++)
        CHECK_OK(qc_buf_add_str(&c.name, "n", &err));
    encode(&bytes, &c, seed); /* the greatest that there is fits */
    CHECK_OK(vault_certificate_parse(&back, qc_buf_span(&bytes), &err));
    CHECK_RC(vault_certificate_extend(&c, 1, &err), QC_LIMIT);
}

int main(void)
{
    comes_back();
    altered();
    newer();
    others();
    derivations();
    of_before();
    limits();
    return 0;
}

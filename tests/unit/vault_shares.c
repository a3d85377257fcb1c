/* unit/vault_shares: one draw in the order K, R, coefficients; a source that fails leaves nothing; triples;
 * derivations. */
#include "vault/kdf.h"
#include "vault_fix.h"

struct source {
    unsigned calls;
    size_t bytes;
    bool fail;
};

static qc_rc fill(void *ctx, uint8_t *p, size_t n, struct qc_err *err)
{
    struct source *s = ctx;
    s->calls++;
    s->bytes += n;
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)i;
    return s->fail ? QC_FAIL(err, QC_RANDOM, "as told") : QC_OK;
}

static void draw(void)
{
    struct qc_err err = { 0 };
    struct source s = { 0 };
    const qc_rng rng = { .fill = fill, .ctx = &s };
    QC_CLEANUP(vault_keys_done) struct vault_keys k = { 0 };
    CHECK_OK(vault_keys_draw(&k, &rng, &err));
    CHECK(s.calls == 1 && s.bytes == 128);
    for (unsigned i = 0; i < 32; i++) {
        const unsigned a = 64 + i, b = 96 + i; /* linear, quadratic */
        CHECK(qc_key_open(k.K).p[i] == i && qc_key_open(k.R).p[i] == 32 + i &&
              qc_key_open(k.KR).p[i] == (i ^ (32 + i)));
        CHECK(qc_key_open(k.R1).p[i] == ((32 + i) ^ a ^ b));
    }
    QC_CLEANUP(vault_secret_done) struct vault_secret v = { 0 };
    CHECK_OK(vault_secret_draw(&v, &rng, &err));
    CHECK(s.calls == 2 && s.bytes == 128 + 96);
    for (unsigned i = 0; i < 32; i++)
        CHECK(qc_key_open(v.VS).p[i] == i && qc_key_open(v.VS1).p[i] == (i ^ (32 + i) ^ (64 + i)));
    for (unsigned given = 1; given <= 3; given++) { /* R1, R2, both */
        QC_CLEANUP(vault_keys_done) struct vault_keys with = { 0 };
        const qc_key *R1 = (given & 1) != 0 ? v.VS1 : NULL, *R2 = (given & 2) != 0 ? v.VS2 : NULL;
        s = (struct source){ 0 };
        CHECK_OK(vault_keys_draw_with(&with, R1, R2, &rng, &err));
        CHECK(s.calls == 1 && s.bytes == (given == 3 ? 64 : 96));
        CHECK(R1 == NULL || qc_key_same(with.R1, R1));
        CHECK(R2 == NULL || qc_key_same(with.R2, R2));
        CHECK(qc_key_open(given == 1 ? with.R2 : with.R1).p[0] == (given == 3 ? qc_key_open(R1).p[0] : 64));
    }
    s.fail = true;
    struct vault_keys none = { 0 };
    struct vault_secret nothing = { 0 };
    CHECK_RC(vault_keys_draw(&none, &rng, &err), QC_RANDOM);
    CHECK_RC(vault_keys_draw_with(&none, v.VS1, NULL, &rng, &err), QC_RANDOM);
    CHECK_RC(vault_secret_draw(&nothing, &rng, &err), QC_RANDOM);
    CHECK_RC(vault_secret_draw_with(&nothing, v.VS1, v.VS2, &rng, &err), QC_RANDOM);
    CHECK(none.K == NULL && none.R1 == NULL && nothing.VS == NULL && nothing.VS4 == NULL);
}

static void triples(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *K = fix_key("K", 1, 32), *R = fix_key("R", 1, 32),
                                   *R1 = fix_key("R1", 1, 32), *R2 = fix_key("R2", 1, 32),
                                   *coeffs = fix_key("coefficients", 1, 64);
    QC_CLEANUP(vault_keys_done) struct vault_keys stored = { 0 }, derived = { 0 };
    CHECK_OK(vault_keys_from(&stored, K, R, coeffs, &err));
    CHECK_OK(vault_keys_through(&derived, K, R, R1, R2, &err));
    CHECK(qc_key_same(derived.R1, R1) && qc_key_same(derived.R2, R2));
    const struct vault_keys *both[] = { &stored, &derived };
    for (unsigned m = 0; m < 2; m++) {
        const qc_key *share[] = { both[m]->R, both[m]->R1, both[m]->R2, both[m]->R3, both[m]->R4 };
        QC_CLEANUP(qc_key_free) qc_key *R12 = NULL, *RR3 = NULL;
        CHECK_OK(qc_key_xor(&R12, share[1], share[2], &err));
        CHECK_OK(qc_key_xor(&RR3, share[0], share[3], &err));
        CHECK(qc_key_same(R12, RR3));
        for (uint8_t a = 1; a <= 4; a++)
            for (uint8_t b = 1; b <= 4; b++)
                for (uint8_t c = 1; c <= 4; c++)
                    for (uint8_t x = 0; x <= 4; x++) {
                        const struct vault_triple t = { .x = { a, b, c },
                                                        .share = { share[a], share[b], share[c] } };
                        qc_key *value = NULL;
                        if (a == b || a == c || b == c) {
                            CHECK_RC(vault_triple_at(&value, &t, x, &err), QC_SHARES);
                            CHECK(value == NULL);
                            continue;
                        }
                        CHECK_OK(vault_triple_at(&value, &t, x, &err));
                        CHECK(qc_key_same(value, share[x]));
                        qc_key_free(&value);
                    }
    }
    qc_key *value = NULL;
    const struct vault_triple zero = { .x = { 0, 1, 2 }, .share = { R, R1, R2 } };
    const struct vault_triple five = { .x = { 5, 1, 2 }, .share = { R, R1, R2 } };
    const struct vault_triple gap = { .x = { 1, 2, 3 }, .share = { R, R1, NULL } };
    CHECK_RC(vault_triple_at(&value, &zero, 3, &err), QC_SHARES);
    CHECK_RC(vault_triple_at(&value, &five, 3, &err), QC_SHARES);
    CHECK_RC(vault_triple_at(&value, &gap, 0, &err), QC_SHARES);
}

/* One label, id or context item changed gives another key; positions reach both ends and never pass them. */
static void derivations(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *R = fix_key("R", 1, 32), *a = NULL, *b = NULL, *c = NULL, *d = NULL;
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    struct vault_ids ids = fix_ids(1, 1), other = ids;
    other.version[15] ^= 1;
    CHECK_OK(vault_prk_new(&prk, R, &err));
    CHECK_OK(vault_kdf_ids(&a, prk, "M", &ids, (qc_span){ 0 }, &err));
    CHECK_OK(vault_kdf_ids(&b, prk, "M", &other, (qc_span){ 0 }, &err));
    CHECK_OK(vault_kdf_ids(&c, prk, "M14", &ids, (qc_span){ 0 }, &err));
    CHECK_OK(vault_kdf_once(&d, R, "M", &ids, &err));
    CHECK(!qc_key_same(a, b) && !qc_key_same(a, c) && qc_key_same(a, d));
    bool seen[5] = { false };
    for (uint8_t i = 0; i < 100; i++) {
        uint64_t at = 99;
        ids.object[0] = i;
        CHECK_OK(vault_kdf_position(&at, R, "n1", &ids, 4, &err));
        CHECK(at <= 4);
        seen[at] = true;
        CHECK_OK(vault_kdf_position(&at, R, "n1", &ids, 0, &err));
        CHECK(at == 0);
    }
    CHECK(seen[0] && seen[1] && seen[2] && seen[3] && seen[4]);
}

int main(void)
{
    draw();
    triples();
    derivations();
    return 0;
}

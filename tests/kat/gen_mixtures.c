/* Vectors of refusals: parts of other versions and objects, exchanged shares, and forgeries by holders of R.
 */
#include "gen_refusals.h"

#include "m.h"
#include "vault/kdf.h"

#define C GEN_C

/* One part of the object `groups` exchanged. */
static void mix(const char *name, unsigned row, struct edit edit, const char *check, uint64_t released)
{
    gen_put(&(struct kase){ .name = name,
                            .row = row,
                            .f = &gen_fixed[GEN_GROUPS],
                            .edit = { edit },
                            .ways = ALL,
                            .rc = QC_INTEGRITY,
                            .check = check,
                            .released = released });
}

static void chunks_and_groups(void)
{
    const struct fix *f = &gen_fixed[GEN_GROUPS], *other = &gen_fixed[GEN_GROUPS_B];
    const struct vault_range c1 = vault_geometry_chunk(&f->g, 1), c2 = vault_geometry_chunk(&f->g, 2),
                             t0 = vault_geometry_tags(&f->g, 0);
    gen_put(&(struct kase){
        .name = "chunks-swapped",
        .row = 4,
        .f = f,
        .edit = { gen_copy(c1.offset, c1.size, f, c2.offset), gen_copy(c2.offset, c2.size, f, c1.offset) },
        .ways = ALL,
        .rc = QC_INTEGRITY,
        .check = "chunk 1: second tag",
        .released = C });
    mix("chunk-of-another-version", 4, gen_copy(c1.offset, c1.size, other, c1.offset), "chunk 1: second tag",
        C);
    mix("tags-of-another-version", 5, gen_copy(t0.offset, t0.size, other, t0.offset), "group 0: tag table",
        0);
    mix("group-of-another-version", 5, gen_copy(c2.offset, c2.size + 32, other, c2.offset),
        "group 1: tag table", 2 * C);
}

static void whole_parts(void)
{
    const struct fix *f = &gen_fixed[GEN_GROUPS], *other = &gen_fixed[GEN_GROUPS_B];
    const struct vault_range c0 = vault_geometry_chunk(&f->g, 0), tail = vault_geometry_tail(&f->g);
    mix("head-of-another-version", 7, gen_copy(c0.offset, c0.size, other, c0.offset), "seal M", 0);
    mix("trailer-of-another-version", 7, gen_copy(tail.offset, tail.size - 36, other, tail.offset), "seal M",
        0);
    mix("M-of-another-version", 7, gen_copy(f->N.n - 32, 32, other, other->N.n - 32), "seal M", 0);
    mix("header-of-another-version", 6, gen_copy(0, 120, other, 0), "header: version id", 0);
    mix("whole-other-version", 10, gen_copy(0, f->N.n, other, 0), "header: version id", 0);
    gen_put(&(struct kase){ .name = "header-of-another-version-asked-for",
                            .row = 6,
                            .f = f,
                            .edit = { gen_copy(0, 120, other, 0) },
                            .ids = &other->ids,
                            .ways = PLAIN,
                            .rc = QC_INTEGRITY,
                            .check = "seal M" });
    gen_put(&(struct kase){ .name = "older-version-than-the-entry-names",
                            .row = 10,
                            .f = f,
                            .M = other->M,
                            .ways = ALL,
                            .rc = QC_INTEGRITY,
                            .check = "seal M: not the version that the entry names" });
    const struct fix *abc = &gen_fixed[GEN_ABC], *object = &gen_fixed[GEN_ABC_B];
    gen_put(&(struct kase){ .name = "whole-other-object",
                            .row = 10,
                            .f = abc,
                            .edit = { { .remove = abc->N.n, .from = object, .from_size = object->N.n } },
                            .ways = ALL,
                            .rc = QC_INTEGRITY,
                            .check = "header: object id" });
}

/* The object abc with other shares: refused by `check`, or opened where that is NULL. */
static void shares(const char *name, unsigned row, const qc_key *R1, const qc_key *R2, unsigned ways,
                   const char *check)
{
    gen_put(&(struct kase){ .name = name,
                            .row = row,
                            .f = &gen_fixed[GEN_ABC],
                            .R1 = R1,
                            .R2 = R2,
                            .ways = ways,
                            .rc = check != NULL ? QC_INTEGRITY : QC_OK,
                            .check = check != NULL ? check : "",
                            .released = check != NULL ? 0 : 3 });
}

static void shares_exchanged(void)
{
    static const char m14[] = "backup data: M14", m24[] = "backup data: M24";
    struct qc_err err = { 0 };
    const struct fix *f = &gen_fixed[GEN_ABC], *v = &gen_fixed[GEN_ABC_C];
    QC_CLEANUP(qc_key_free) qc_key *d = fix_key("shift", 1, 32), *R1d = NULL, *R2d = NULL;
    CHECK_OK(qc_key_xor(&R1d, f->keys.R1, d, &err));
    CHECK_OK(qc_key_xor(&R2d, f->keys.R2, d, &err));
    const qc_key *R1 = f->keys.R1, *R2 = f->keys.R2;
    shares("R1-of-another-version", 13, v->keys.R1, NULL, PLAIN, "seal M");
    shares("R1-of-another-version-with-B", 13, v->keys.R1, NULL, WITH1, m14);
    shares("both-of-another-version", 13, v->keys.R1, v->keys.R2, PLAIN, "seal M");
    shares("shares-exchanged", 14, R2, R1, PLAIN, NULL);
    shares("shares-exchanged-with-B-1", 14, R2, R1, WITH1, m14);
    shares("shares-exchanged-with-B-2", 14, R2, R1, WITH2, m24);
    shares("shares-shifted", 14, R1d, R2d, PLAIN, NULL);
    shares("shares-shifted-with-B-1", 14, R1d, R2d, WITH1, m14);
    shares("shares-shifted-with-B-2", 14, R1d, R2d, WITH2, m24);
    struct kase k = { .name = "B-of-another-version",
                      .row = 15,
                      .f = f,
                      .B_edit = { gen_set(0, qc_buf_span(&v->B)) },
                      .ways = WITH1,
                      .rc = QC_INTEGRITY,
                      .check = m14 };
    gen_put(&k);
    k.name = "B-of-another-version-not-looked-at";
    k.ways = PLAIN;
    k.rc = QC_OK;
    k.check = "";
    k.released = 3;
    gen_put(&k);
}

/* M made anew, as somebody who holds R can: over what N has become. */
static void remake_M(const struct fix *f, const struct edit *edits, uint8_t M[32])
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf N = { .max = FIX_N_MAX };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint64_t n1 = 0;
    CHECK_OK(qc_buf_add(&N, qc_buf_span(&f->N), &err));
    gen_apply(&N, edits);
    const size_t T = (size_t)qc_get_be(N.p + N.n - 36, 4);
    CHECK_OK(vault_kdf_once(&key, f->keys.R, "M", &f->ids, &err));
    CHECK_OK(vault_kdf_position(&n1, f->keys.R, "n1", &f->ids, vault_geometry_chunk_size(&f->g, 0), &err));
    const struct vault_m_parts parts = { .header = qc_span_of(N.p, f->g.header_size),
                                         .KR = f->keys.KR,
                                         .R3 = f->keys.R3,
                                         .n1 = n1,
                                         .n2 = f->n2,
                                         .trailer = qc_span_of(N.p + N.n - 36 - T, T) };
    CHECK_OK(vault_m(M, key, &parts, &err));
}

/* A case whose last edit is the new M; the entry names it, too. */
static void remade(struct kase k)
{
    uint8_t M[32];
    unsigned count = 0;
    uint64_t size = k.f->N.n;
    remake_M(k.f, k.edit, M);
    for (; count < GEN_EDITS_MAX && gen_used(&k.edit[count]); count++)
        size = size + gen_inserted(&k.edit[count]).n - k.edit[count].remove;
    CHECK(count < GEN_EDITS_MAX);
    k.edit[count] = gen_set(size - 32, qc_span_of(M, 32));
    k.M = M;
    k.ways = ALL;
    gen_put(&k);
}

/* The last group of `groups` is left out and every number adapted. */
static void group_cut(void)
{
    const struct fix *f = &gen_fixed[GEN_GROUPS];
    const struct vault_range c2 = vault_geometry_chunk(&f->g, 2), tail = vault_geometry_tail(&f->g);
    struct kase k = { .name = "last-group-cut-M-remade",
                      .row = 8,
                      .f = f,
                      .edit = { gen_set(f->N.n - 36, QC_LIT("\0\0\0\x4c")),
                                { .at = tail.offset + 16 + 32, .remove = 32 },
                                gen_set(tail.offset + 15, QC_LIT("\1")),
                                gen_set(tail.offset + 5, QC_LIT("\2")),
                                { .at = c2.offset, .remove = c2.size + 32 } },
                      .rc = QC_FORMAT,
                      .check = "private metadata: true length" };
    remade(k);
    k.name = "last-group-cut";
    k.ways = ALL;
    k.rc = QC_INTEGRITY;
    k.check = "seal M";
    gen_put(&k);
}

static void remade_epochs(const char *name, struct edit edit, qc_rc rc, const char *check)
{
    remade((struct kase){ .name = name,
                          .row = 25,
                          .f = &gen_fixed[GEN_EPOCHS],
                          .edit = { edit },
                          .rc = rc,
                          .check = check,
                          .released = rc == QC_INTEGRITY ? C : 0 });
}

void gen_holders(void)
{
    const struct fix *f = &gen_fixed[GEN_GROUPS], *e = &gen_fixed[GEN_EPOCHS];
    const uint64_t tail = vault_geometry_tail(&e->g).offset;
    const uint8_t bit = f->N.p[80] ^ 1, salt = e->N.p[tail + 20] ^ 1;
    static const char second[] = "chunk 1: second tag";
    remade((struct kase){ .name = "commitment-changed-M-remade",
                          .row = 30,
                          .f = f,
                          .edit = { gen_set(80, qc_span_of(&bit, 1)) },
                          .rc = QC_INTEGRITY,
                          .check = "key commitment" });
    const uint64_t meta = vault_geometry_tail(&f->g).offset + 8 + 4 + 4 + 2 * 32 + 4;
    const uint8_t meta_bit = f->N.p[meta] ^ 1;
    remade((struct kase){ .name = "meta-changed-M-remade",
                          .row = 30,
                          .f = f,
                          .edit = { gen_set(meta, qc_span_of(&meta_bit, 1)) },
                          .rc = QC_INTEGRITY,
                          .check = "private metadata: tag" });
    group_cut();
    remade_epochs("epoch-start-changed-M-remade", gen_set(tail + 19, QC_LIT("\2")), QC_INTEGRITY, second);
    remade_epochs("epoch-salt-changed-M-remade", gen_set(tail + 20, qc_span_of(&salt, 1)), QC_INTEGRITY,
                  second);
    remade_epochs("epochs-not-ascending", gen_set(tail + 19, QC_LIT("\3")), QC_FORMAT,
                  "trailer: epoch starts do not ascend");
    remade_epochs("epoch-beyond-the-end", gen_set(tail + 43, QC_LIT("\4")), QC_FORMAT,
                  "trailer: an epoch starts at chunk 4 of 4");
    remade((struct kase){ .name = "epoch-removed-M-remade",
                          .row = 25,
                          .f = e,
                          .edit = { gen_set(e->N.n - 36, QC_LIT("\0\0\0\x84")),
                                    { .at = tail + 12, .remove = 24 },
                                    gen_set(tail + 11, QC_LIT("\1")) },
                          .rc = QC_INTEGRITY,
                          .check = second,
                          .released = C });
}

void gen_mixtures(void)
{
    chunks_and_groups();
    whole_parts();
    shares_exchanged();
}

/* Vectors of what must be refused, and by which check: the engine, and changes of single bytes. Each case is
 * run before it is written. See README.md. */
#include "gen_refusals.h"

#include "vault/kdf.h"

struct fix gen_fixed[GEN_OBJECTS];
static struct out *out;

struct edit gen_set(uint64_t at, qc_span v)
{
    return (struct edit){ .at = at, .remove = v.n, .insert = v };
}

struct edit gen_copy(uint64_t at, uint64_t size, const struct fix *from, uint64_t from_at)
{
    return (struct edit){ .at = at, .remove = size, .from = from, .from_at = from_at, .from_size = size };
}

bool gen_used(const struct edit *e)
{
    return e->remove > 0 || e->insert.n > 0 || e->from_size > 0;
}

qc_span gen_inserted(const struct edit *e)
{
    return e->from != NULL ? qc_span_of(e->from->N.p + e->from_at, (size_t)e->from_size) : e->insert;
}

void gen_apply(qc_buf *b, const struct edit *edits)
{
    struct qc_err err = { 0 };
    for (const struct edit *e = edits; e < edits + GEN_EDITS_MAX && gen_used(e); e++) {
        QC_CLEANUP(qc_buf_free) qc_buf done = { .max = FIX_N_MAX };
        CHECK(e->at + e->remove <= b->n);
        CHECK_OK(qc_buf_add(&done, qc_span_of(b->p, (size_t)e->at), &err));
        CHECK_OK(qc_buf_add(&done, gen_inserted(e), &err));
        CHECK_OK(qc_buf_add(&done, qc_span_from(qc_buf_span(b), (size_t)(e->at + e->remove)), &err));
        qc_buf_free(b);
        *b = QC_STEAL(done);
    }
}

static void put_edits(const char *key, const struct edit *edits)
{
    out_begin(out, key, '[');
    for (const struct edit *e = edits; e < edits + GEN_EDITS_MAX && gen_used(e); e++) {
        out_begin(out, NULL, '{');
        out_u64(out, "at", e->at);
        out_u64(out, "remove", e->remove);
        if (e->from != NULL) {
            out_str(out, "from", gen_object[e->from - gen_fixed].name);
            out_u64(out, "from_at", e->from_at);
            out_u64(out, "from_size", e->from_size);
        } else {
            out_hex(out, "insert", e->insert);
        }
        out_end(out, '}');
    }
    out_end(out, ']');
}

static const char *const way_name[] = { "plain", "with1", "with2" };

static void run(const struct kase *k)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf N = { .max = FIX_N_MAX }, B = { .max = QC_VAULT_BACKUP_MAX };
    CHECK_OK(qc_buf_add(&N, qc_buf_span(&k->f->N), &err));
    CHECK_OK(qc_buf_add(&B, qc_buf_span(&k->f->B), &err));
    gen_apply(&N, k->edit);
    gen_apply(&B, k->B_edit);
    const qc_key *R1 = k->R1 ? k->R1 : k->f->keys.R1, *R2 = k->R2 ? k->R2 : k->f->keys.R2;
    const struct vault_ids *ids = k->ids ? k->ids : &k->f->ids;
    for (unsigned w = 0; w < 3; w++) {
        if ((k->ways >> w & 1) == 0)
            continue;
        struct fix_way way = {
            .ids = *ids, .R1 = w != 2 ? R1 : NULL, .R2 = w != 1 ? R2 : NULL, .M = k->M ? k->M : k->f->M
        };
        if (w != 0)
            way.B = qc_buf_span(&B);
        QC_CLEANUP(qc_buf_free) qc_buf D = { .max = FIX_N_MAX };
        const qc_rc rc = fix_open(&D, qc_buf_span(&N), &way, &err);
        if (rc != k->rc || (rc != QC_OK && strstr(err.msg, k->check) == NULL) || D.n != k->released) {
            fprintf(stderr, "%s %s: got %s \"%s\" after %zu bytes, expected %s \"%s\" after %llu\n", k->name,
                    way_name[w], qc_rc_name(rc), rc != QC_OK ? err.msg : "", D.n, qc_rc_name(k->rc), k->check,
                    (unsigned long long)k->released);
            exit(1);
        }
    }
}

void gen_put(const struct kase *k)
{
    run(k);
    out_begin(out, NULL, '{');
    out_str(out, "name", k->name);
    out_u64(out, "row", k->row);
    out_str(out, "object", gen_object[k->f - gen_fixed].name);
    put_edits("edits", k->edit);
    put_edits("B_edits", k->B_edit);
    if (k->ids != NULL)
        gen_ids(out, "ids", k->ids);
    if (k->R1 != NULL)
        out_key(out, "R1", k->R1);
    if (k->R2 != NULL)
        out_key(out, "R2", k->R2);
    if (k->M != NULL)
        out_hex(out, "M", qc_span_of(k->M, 32));
    out_begin(out, "ways", '[');
    for (unsigned w = 0; w < 3; w++)
        if (k->ways >> w & 1)
            out_str(out, NULL, way_name[w]);
    out_end(out, ']');
    out_begin(out, "expect", '{');
    out_str(out, "rc", qc_rc_name(k->rc));
    out_u64(out, "exit", (uint64_t)qc_rc_exit(k->rc));
    out_str(out, "check", k->check);
    out_u64(out, "released", k->released);
    out_end(out, '}');
    out_end(out, '}');
}

/* One bit of N flipped. */
static void flip(const struct fix *f, const char *name, uint64_t at, qc_rc rc, const char *check)
{
    const uint8_t v = f->N.p[at] ^ 1;
    gen_put(&(struct kase){ .name = name,
                            .row = 1,
                            .f = f,
                            .edit = { { .at = at, .remove = 1, .insert = { &v, 1 } } },
                            .ways = ALL,
                            .rc = rc,
                            .check = check });
}

/* The place of KR in N: behind n1 bytes of ciphertext, pushed on by R3 where that stands before it. */
static uint64_t place_of_KR(const struct fix *f)
{
    struct qc_err err = { 0 };
    uint64_t n1 = 0;
    CHECK_OK(vault_kdf_position(&n1, f->keys.R, "n1", &f->ids, vault_geometry_chunk_size(&f->g, 0), &err));
    return f->g.header_size + (n1 < f->n2 ? n1 : n1 + 32);
}

static void flips(void)
{
    const struct fix *f = &gen_fixed[GEN_ABC];
    const uint64_t tail = vault_geometry_tail(&f->g).offset, end = f->N.n;
    flip(f, "flip-magic", 0, QC_FORMAT, "header: not a sealed object");
    flip(f, "flip-header-flags", 13, QC_FORMAT, "header: flags");
    flip(f, "flip-chunk-size", 14, QC_INTEGRITY, "seal M");
    flip(f, "flip-vault-id", 16, QC_INTEGRITY, "header: vault id");
    flip(f, "flip-object-id", 32, QC_INTEGRITY, "header: object id");
    flip(f, "flip-version-id", 63, QC_INTEGRITY, "header: version id");
    flip(f, "flip-salt", 64, QC_INTEGRITY, "seal M");
    flip(f, "flip-commitment", 80, QC_INTEGRITY, "seal M");
    flip(f, "flip-R3", f->g.header_size + f->n2, QC_INTEGRITY, "seal M");
    flip(f, "flip-KR", place_of_KR(f), QC_INTEGRITY, "seal M");
    flip(f, "flip-tag", vault_geometry_tags(&f->g, 0).offset, QC_INTEGRITY, "group 0: tag table");
    flip(f, "flip-auth", vault_geometry_tags(&f->g, 0).offset + 31, QC_INTEGRITY, "group 0: tag table");
    flip(f, "flip-length", tail + 7, QC_FORMAT, "length of the object");
    flip(f, "flip-groups", tail + 15, QC_FORMAT, "trailer: 0 groups");
    flip(f, "flip-digest", tail + 16, QC_INTEGRITY, "seal M");
    flip(f, "flip-meta", tail + 60, QC_INTEGRITY, "seal M");
    flip(f, "flip-M", end - 1, QC_INTEGRITY, "seal M");
    const struct fix *g = &gen_fixed[GEN_GROUPS];
    flip(g, "flip-chunk-0", g->g.header_size + (g->n2 > 0 ? 0 : 64), QC_INTEGRITY, "chunk 0: second tag");
}

static void flips_of_B(void)
{
    const struct fix *f = &gen_fixed[GEN_ABC];
    static const struct {
        const char *name;
        uint64_t at;
        unsigned ways;
        qc_rc rc;
        const char *check;
    } t[] = {
        { "B-flip-magic", 0, WITH1 | WITH2, QC_FORMAT, "backup data: not backup data" },
        { "B-flip-ids-1", 8, WITH1, QC_INTEGRITY, "backup data: M14" },
        { "B-flip-R4-1", 72, WITH1, QC_INTEGRITY, "backup data: M14" },
        { "B-flip-R4-2", 72, WITH2, QC_INTEGRITY, "backup data: M24" },
        { "B-flip-n2", 71, WITH1, QC_INTEGRITY, "backup data: M14" },
        { "B-flip-M14", 108, WITH1, QC_INTEGRITY, "backup data: M14" },
        { "B-flip-M14-not-looked-at", 108, WITH2, QC_OK, "" },
        { "B-flip-M24", 171, WITH2, QC_INTEGRITY, "backup data: M24" },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        const uint8_t v = f->B.p[t[i].at] ^ 1;
        gen_put(&(struct kase){ .name = t[i].name,
                                .row = 2,
                                .f = f,
                                .B_edit = { { .at = t[i].at, .remove = 1, .insert = { &v, 1 } } },
                                .ways = t[i].ways,
                                .rc = t[i].rc,
                                .check = t[i].check,
                                .released = t[i].rc == QC_OK ? 3 : 0 });
    }
}

static void cuts(void)
{
    const struct fix *f = &gen_fixed[GEN_ABC];
    const uint8_t zeros[40] = { 0 };
    const struct kase k[] = {
        { .name = "cut-to-nothing",
          .edit = { { .at = 0, .remove = f->N.n } },
          .check = "length of the object" },
        { .name = "cut-last-byte", .edit = { { .at = f->N.n - 1, .remove = 1 } }, .check = "trailer length" },
        { .name = "cut-first-byte",
          .edit = { { .at = 0, .remove = 1 } },
          .check = "header: not a sealed object" },
        { .name = "cut-middle-byte",
          .edit = { { .at = 150, .remove = 1 } },
          .check = "length of the object" },
        { .name = "byte-in-front",
          .edit = { { .at = 0, .insert = { zeros, 1 } } },
          .check = "header: not a sealed" },
        { .name = "forty-behind",
          .edit = { { .at = f->N.n, .insert = { zeros, 40 } } },
          .check = "trailer length" },
    };
    for (size_t i = 0; i < sizeof k / sizeof k[0]; i++) {
        struct kase one = k[i];
        one.row = 3;
        one.f = f;
        one.ways = ALL;
        one.rc = QC_FORMAT;
        gen_put(&one);
    }
}

void gen_refusals(const char *dir)
{
    struct out o = out_open(dir, "refusals.json");
    out = &o;
    for (unsigned i = 0; i < GEN_OBJECTS; i++)
        gen_fixed[i] = fix_make(&gen_object[i].spec);
    out_begin(&o, "cases", '[');
    flips();
    flips_of_B();
    cuts();
    gen_mixtures();
    gen_fields();
    gen_holders();
    out_end(&o, ']');
    out_close(&o);
    for (unsigned i = 0; i < GEN_OBJECTS; i++)
        fix_free(&gen_fixed[i]);
}

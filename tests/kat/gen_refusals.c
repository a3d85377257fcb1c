/* Vectors of what must be refused, and by which check. Each case is run here before it is written. See
 * README.md. */
#include "gen_json.h"

#include "gen_objects.h"
#include "m.h"
#include "vault/kdf.h"
#include "vault_fix.h"

#define C         UINT64_C(65536)
#define EDITS_MAX 6

enum { PLAIN = 1, WITH1 = 2, WITH2 = 4, ALL = 7 };

struct edit {
    uint64_t at, remove;
    qc_span insert;         /* or, where from is set: */
    const struct fix *from; /* bytes of its N */
    uint64_t from_at, from_size;
};

struct kase {
    const char *name;
    unsigned row;
    const struct fix *f;
    struct edit edit[EDITS_MAX], B_edit[EDITS_MAX]; /* up to the first empty one */
    const struct vault_ids *ids;
    const qc_key *R1, *R2;
    const uint8_t *M;
    unsigned ways;
    qc_rc rc;
    const char *check;
    uint64_t released;
};

static struct fix fixed[GEN_OBJECTS];
static struct out *out;

static bool edit_used(const struct edit *e)
{
    return e->remove > 0 || e->insert.n > 0 || e->from_size > 0;
}

static qc_span inserted(const struct edit *e)
{
    return e->from != NULL ? qc_span_of(e->from->N.p + e->from_at, (size_t)e->from_size) : e->insert;
}

/* b with the edits done, in their order. */
static void apply(qc_buf *b, const struct edit *edits)
{
    struct qc_err err = { 0 };
    for (const struct edit *e = edits; e < edits + EDITS_MAX && edit_used(e); e++) {
        QC_CLEANUP(qc_buf_free) qc_buf done = { .max = FIX_N_MAX };
        CHECK(e->at + e->remove <= b->n);
        CHECK_OK(qc_buf_add(&done, qc_span_of(b->p, (size_t)e->at), &err));
        CHECK_OK(qc_buf_add(&done, inserted(e), &err));
        CHECK_OK(qc_buf_add(&done, qc_span_from(qc_buf_span(b), (size_t)(e->at + e->remove)), &err));
        qc_buf_free(b);
        *b = QC_STEAL(done);
    }
}

static void put_edits(const char *key, const struct edit *edits)
{
    out_begin(out, key, '[');
    for (const struct edit *e = edits; e < edits + EDITS_MAX && edit_used(e); e++) {
        out_begin(out, NULL, '{');
        out_u64(out, "at", e->at);
        out_u64(out, "remove", e->remove);
        if (e->from != NULL) {
            out_str(out, "from", gen_object[e->from - fixed].name);
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
    apply(&N, k->edit);
    apply(&B, k->B_edit);
    const qc_key *R1 = k->R1 ? k->R1 : k->f->keys.R1, *R2 = k->R2 ? k->R2 : k->f->keys.R2;
    for (unsigned w = 0; w < 3; w++) {
        if ((k->ways >> w & 1) == 0)
            continue;
        const struct fix_way way = { .ids = k->ids ? *k->ids : k->f->ids,
                                     .R1 = w != 2 ? R1 : NULL,
                                     .R2 = w != 1 ? R2 : NULL,
                                     .B = w == 0 ? (qc_span){ 0 } : qc_buf_span(&B),
                                     .M = k->M ? k->M : k->f->M };
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

static void put(const struct kase *k)
{
    run(k);
    out_begin(out, NULL, '{');
    out_str(out, "name", k->name);
    out_u64(out, "row", k->row);
    out_str(out, "object", gen_object[k->f - fixed].name);
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
    put(&(struct kase){ .name = name,
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
    const struct fix *f = &fixed[GEN_ABC];
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
    const struct fix *g = &fixed[GEN_GROUPS];
    flip(g, "flip-chunk-0", g->g.header_size + (g->n2 > 0 ? 0 : 64), QC_INTEGRITY, "chunk 0: second tag");
}

static void flips_of_B(void)
{
    const struct fix *f = &fixed[GEN_ABC];
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
        put(&(struct kase){ .name = t[i].name,
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
    const struct fix *f = &fixed[GEN_ABC];
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
        put(&one);
    }
}

/* remove `size` bytes at `at` and put as many of another object's, from its from_at, there. */
static struct edit copy(uint64_t at, uint64_t size, const struct fix *from, uint64_t from_at)
{
    return (struct edit){ .at = at, .remove = size, .from = from, .from_at = from_at, .from_size = size };
}

static void mixtures(void)
{
    const struct fix *f = &fixed[GEN_GROUPS], *other = &fixed[GEN_GROUPS_B];
    const struct vault_range c0 = vault_geometry_chunk(&f->g, 0), c1 = vault_geometry_chunk(&f->g, 1),
                             c2 = vault_geometry_chunk(&f->g, 2), t0 = vault_geometry_tags(&f->g, 0),
                             tail = vault_geometry_tail(&f->g);
    const struct kase k[] = {
        { .name = "chunks-swapped",
          .row = 4,
          .edit = { copy(c1.offset, c1.size, f, c2.offset), copy(c2.offset, c2.size, f, c1.offset) },
          .check = "chunk 1: second tag",
          .released = C },
        { .name = "chunk-of-another-version",
          .row = 4,
          .edit = { copy(c1.offset, c1.size, other, c1.offset) },
          .check = "chunk 1: second tag",
          .released = C },
        { .name = "tags-of-another-version",
          .row = 5,
          .edit = { copy(t0.offset, t0.size, other, t0.offset) },
          .check = "group 0: tag table" },
        { .name = "group-of-another-version",
          .row = 5,
          .edit = { copy(c2.offset, c2.size + 32, other, c2.offset) },
          .check = "group 1: tag table",
          .released = 2 * C },
        { .name = "head-of-another-version",
          .row = 7,
          .edit = { copy(c0.offset, c0.size, other, c0.offset) },
          .check = "seal M" },
        { .name = "trailer-of-another-version",
          .row = 7,
          .edit = { copy(tail.offset, tail.size - 36, other, tail.offset) },
          .check = "seal M" },
        { .name = "M-of-another-version",
          .row = 7,
          .edit = { copy(f->N.n - 32, 32, other, other->N.n - 32) },
          .check = "seal M" },
        { .name = "header-of-another-version",
          .row = 6,
          .edit = { copy(0, 120, other, 0) },
          .check = "header: version id" },
        { .name = "whole-other-version",
          .row = 10,
          .edit = { copy(0, f->N.n, other, 0) },
          .check = "header: version id" },
        { .name = "header-of-another-version-asked-for",
          .row = 6,
          .edit = { copy(0, 120, other, 0) },
          .ids = &other->ids,
          .ways = PLAIN,
          .check = "seal M" },
        { .name = "older-version-than-the-entry-names",
          .row = 10,
          .M = other->M,
          .check = "seal M: not the version that the entry names" },
    };
    for (size_t i = 0; i < sizeof k / sizeof k[0]; i++) {
        struct kase one = k[i];
        one.f = f;
        one.ways = one.ways ? one.ways : ALL;
        one.rc = QC_INTEGRITY;
        put(&one);
    }
    const struct fix *abc = &fixed[GEN_ABC], *object = &fixed[GEN_ABC_B];
    put(&(struct kase){ .name = "whole-other-object",
                        .row = 10,
                        .f = abc,
                        .edit = { { .remove = abc->N.n, .from = object, .from_size = object->N.n } },
                        .ways = ALL,
                        .rc = QC_INTEGRITY,
                        .check = "header: object id" });
}

static void shares_exchanged(void)
{
    struct qc_err err = { 0 };
    const struct fix *f = &fixed[GEN_ABC], *v = &fixed[GEN_ABC_C];
    QC_CLEANUP(qc_key_free) qc_key *d = fix_key("shift", 1, 32), *R1d = NULL, *R2d = NULL;
    CHECK_OK(qc_key_xor(&R1d, f->keys.R1, d, &err));
    CHECK_OK(qc_key_xor(&R2d, f->keys.R2, d, &err));
    const qc_key *R1 = f->keys.R1, *R2 = f->keys.R2;
    const struct kase k[] = {
        { .name = "R1-of-another-version", .row = 13, .R1 = v->keys.R1, .ways = PLAIN, .check = "seal M" },
        { .name = "R1-of-another-version-with-B",
          .row = 13,
          .R1 = v->keys.R1,
          .ways = WITH1,
          .check = "backup data: M14" },
        { .name = "both-of-another-version",
          .row = 13,
          .R1 = v->keys.R1,
          .R2 = v->keys.R2,
          .ways = PLAIN,
          .check = "seal M" },
        { .name = "shares-exchanged",
          .row = 14,
          .R1 = R2,
          .R2 = R1,
          .ways = PLAIN,
          .rc = QC_OK,
          .check = "" },
        { .name = "shares-exchanged-with-B-1",
          .row = 14,
          .R1 = R2,
          .R2 = R1,
          .ways = WITH1,
          .check = "backup data: M14" },
        { .name = "shares-exchanged-with-B-2",
          .row = 14,
          .R1 = R2,
          .R2 = R1,
          .ways = WITH2,
          .check = "backup data: M24" },
        { .name = "shares-shifted",
          .row = 14,
          .R1 = R1d,
          .R2 = R2d,
          .ways = PLAIN,
          .rc = QC_OK,
          .check = "" },
        { .name = "shares-shifted-with-B-1",
          .row = 14,
          .R1 = R1d,
          .R2 = R2d,
          .ways = WITH1,
          .check = "backup data: M14" },
        { .name = "B-of-another-version",
          .row = 15,
          .B_edit = { { .remove = 172, .insert = { v->B.p, 172 } } },
          .ways = WITH1,
          .check = "backup data: M14" },
        { .name = "B-of-another-version-not-looked-at",
          .row = 15,
          .B_edit = { { .remove = 172, .insert = { v->B.p, 172 } } },
          .ways = PLAIN,
          .rc = QC_OK,
          .check = "" },
    };
    for (size_t i = 0; i < sizeof k / sizeof k[0]; i++) {
        struct kase one = k[i];
        one.f = f;
        if (one.check[0] != '\0')
            one.rc = QC_INTEGRITY;
        else
            one.released = 3;
        put(&one);
    }
}

/* Fields of header, trailer and B set to values that are refused by structure alone. */
static void fields(void)
{
    const struct fix *f = &fixed[GEN_ABC];
    const uint64_t tail = vault_geometry_tail(&f->g).offset, end = f->N.n;
    const struct {
        const char *name;
        unsigned row;
        uint64_t at;
        qc_span v;
        qc_rc rc;
        const char *check;
    } t[] = {
        { "version-0", 32, 4, QC_LIT("\0"), QC_FORMAT, "header: version, profile or suite 0" },
        { "version-2", 32, 4, QC_LIT("\2"), QC_NEWER, "need a newer program" },
        { "version-255", 32, 4, QC_LIT("\xff"), QC_NEWER, "need a newer program" },
        { "profile-2", 32, 5, QC_LIT("\2"), QC_NEWER, "need a newer program" },
        { "suite-0", 32, 6, QC_LIT("\0"), QC_FORMAT, "header: version, profile or suite 0" },
        { "suite-2", 32, 6, QC_LIT("\2"), QC_NEWER, "need a newer program" },
        { "layout-1", 32, 7, QC_LIT("\1"), QC_NEWER, "need a newer program" },
        { "header-size-short", 31, 8, QC_LIT("\0\0\0\x10"), QC_FORMAT, "header: size" },
        { "header-size-huge", 31, 8, QC_LIT("\xff\xff\xff\xff"), QC_FORMAT, "header: size" },
        { "chunk-log2-15", 31, 14, QC_LIT("\x0f"), QC_FORMAT, "chunk_log2" },
        { "chunk-log2-25", 31, 14, QC_LIT("\x19"), QC_FORMAT, "chunk_log2" },
        { "group-log2-0", 31, 15, QC_LIT("\0"), QC_FORMAT, "group_log2" },
        { "group-log2-13", 31, 15, QC_LIT("\x0d"), QC_FORMAT, "group_log2" },
        { "shares-k-0", 21, 112, QC_LIT("\0"), QC_FORMAT, "header: shares" },
        { "shares-k-above-n", 21, 112, QC_LIT("\5"), QC_FORMAT, "header: shares" },
        { "shares-k-2", 21, 112, QC_LIT("\2"), QC_NEWER, "shares of another kind" },
        { "shares-length-0", 21, 114, QC_LIT("\0\0"), QC_FORMAT, "header: shares" },
        { "shares-length-31", 21, 114, QC_LIT("\0\x1f"), QC_FORMAT, "header: shares" },
        { "shares-length-33", 21, 114, QC_LIT("\0\x21"), QC_FORMAT, "header: shares" },
        { "shares-length-65535", 21, 114, QC_LIT("\xff\xff"), QC_FORMAT, "header: shares" },
        { "point-0", 21, 116, QC_LIT("\0"), QC_FORMAT, "header: share points" },
        { "points-equal", 21, 116, QC_LIT("\2"), QC_FORMAT, "header: share points" },
        { "points-5-6-3-4", 21, 116, QC_LIT("\5\6"), QC_NEWER, "shares of another kind" },
        { "length-2-63", 31, tail, QC_LIT("\x80\0\0\0\0\0\0\0"), QC_FORMAT, "over 2^30 chunks" },
        { "length-all-ones", 31, tail, QC_LIT("\xff\xff\xff\xff\xff\xff\xff\xff"), QC_FORMAT,
          "over 2^30 chunks" },
        { "epochs-4097", 25, tail + 8, QC_LIT("\0\0\x10\1"), QC_FORMAT, "trailer: 4097 epochs" },
        { "epochs-all-ones", 31, tail + 8, QC_LIT("\xff\xff\xff\xff"), QC_FORMAT, "epochs" },
        { "epochs-beyond-the-trailer", 31, tail + 8, QC_LIT("\0\0\0\x64"), QC_FORMAT, "cut in the epochs" },
        { "groups-all-ones", 31, tail + 12, QC_LIT("\xff\xff\xff\xff"), QC_FORMAT, "groups" },
        { "meta-length-23", 31, tail + 48, QC_LIT("\0\0\0\x17"), QC_FORMAT, "private metadata of 23" },
        { "meta-length-all-ones", 31, tail + 48, QC_LIT("\xff\xff\xff\xff"), QC_FORMAT,
          "private metadata of" },
        { "trailer-length-0", 31, end - 36, QC_LIT("\0\0\0\0"), QC_FORMAT, "trailer length 0" },
        { "trailer-length-above-N", 31, end - 36, QC_LIT("\0\0\x10\0"), QC_FORMAT, "trailer length 4096" },
        { "trailer-length-all-ones", 31, end - 36, QC_LIT("\xff\xff\xff\xff"), QC_FORMAT, "trailer length" },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        put(&(struct kase){ .name = t[i].name,
                            .row = t[i].row,
                            .f = f,
                            .edit = { { .at = t[i].at, .remove = t[i].v.n, .insert = t[i].v } },
                            .ways = ALL,
                            .rc = t[i].rc,
                            .check = t[i].check });
    const struct fix *x = &fixed[GEN_EXTENDED];
    const uint8_t must = 0x80;
    put(&(struct kase){ .name = "extension-changed",
                        .row = 6,
                        .f = x,
                        .edit = { { .at = 126, .remove = 1, .insert = { (const uint8_t *)"b", 1 } } },
                        .ways = ALL,
                        .rc = QC_INTEGRITY,
                        .check = "seal M" });
    put(&(struct kase){ .name = "extension-optional",
                        .row = 6,
                        .f = x,
                        .ways = ALL,
                        .rc = QC_OK,
                        .check = "",
                        .released = 20 });
    put(&(struct kase){ .name = "extension-not-ascending",
                        .row = 6,
                        .f = x,
                        .edit = { { .at = 130, .remove = 1, .insert = { (const uint8_t *)"\7", 1 } } },
                        .ways = ALL,
                        .rc = QC_FORMAT,
                        .check = "header: extension fields" });
    put(&(struct kase){ .name = "extension-must-be-understood",
                        .row = 6,
                        .f = x,
                        .edit = { { .at = 129, .remove = 1, .insert = { &must, 1 } } },
                        .ways = ALL,
                        .rc = QC_NEWER,
                        .check = "header: extension 0x8009 needs a newer program" });
}

static void fields_of_B(void)
{
    const struct fix *f = &fixed[GEN_ABC];
    static const struct {
        const char *name;
        uint64_t at;
        const char *v;
        size_t n;
        qc_rc rc;
        const char *check;
    } t[] = {
        { "B-version-2", 4, "\2", 1, QC_NEWER, "backup data: version 2" },
        { "B-suite-2", 5, "\2", 1, QC_NEWER, "suite 2" },
        { "B-kind-1", 6, "\1", 1, QC_NEWER, "kind 1" },
        { "B-generation-0", 56, "\0\0\0\0", 4, QC_FORMAT, "generation 0" },
        { "B-share-length-33", 62, "\0\x21", 2, QC_FORMAT, "33" },
        { "B-extensions-too-long", 104, "\0\0\0\1", 4, QC_FORMAT, "lengths do not add up" },
        { "B-extensions-all-ones", 104, "\xff\xff\xff\xff", 4, QC_FORMAT, "lengths do not add up" },
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        put(&(struct kase){
            .name = t[i].name,
            .row = 21,
            .f = f,
            .B_edit = { { .at = t[i].at, .remove = t[i].n, .insert = { (const uint8_t *)t[i].v, t[i].n } } },
            .ways = WITH1 | WITH2,
            .rc = t[i].rc,
            .check = t[i].check });
    put(&(struct kase){ .name = "B-cut",
                        .row = 21,
                        .f = f,
                        .B_edit = { { .at = 171, .remove = 1 } },
                        .ways = WITH1 | WITH2,
                        .rc = QC_FORMAT,
                        .check = "171 bytes" });
}

/* M made anew, as somebody who holds R can: over what N has become. */
static void remake_M(const struct fix *f, const struct edit *edits, uint8_t M[32])
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf N = { .max = FIX_N_MAX };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint64_t n1 = 0;
    CHECK_OK(qc_buf_add(&N, qc_buf_span(&f->N), &err));
    apply(&N, edits);
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
static void put_remade(struct kase k)
{
    uint8_t M[32];
    unsigned count = 0;
    int64_t grown = 0;
    remake_M(k.f, k.edit, M);
    for (; count < EDITS_MAX && edit_used(&k.edit[count]); count++)
        grown += (int64_t)inserted(&k.edit[count]).n - (int64_t)k.edit[count].remove;
    CHECK(count < EDITS_MAX);
    k.edit[count] = (struct edit){ .at = (uint64_t)((int64_t)k.f->N.n + grown) - 32,
                                   .remove = 32,
                                   .insert = qc_span_of(M, 32) };
    k.M = M;
    k.ways = ALL;
    put(&k);
}

static void holders_of_R(void)
{
    const struct fix *f = &fixed[GEN_GROUPS], *e = &fixed[GEN_EPOCHS];
    const struct vault_range c2 = vault_geometry_chunk(&f->g, 2), tail = vault_geometry_tail(&f->g);
    const uint8_t bit = f->N.p[80] ^ 1, start_bit = 2,
                  salt_bit = e->N.p[vault_geometry_tail(&e->g).offset + 20] ^ 1;
    const uint64_t et = vault_geometry_tail(&e->g).offset;
    put_remade((struct kase){ .name = "commitment-changed-M-remade",
                              .row = 30,
                              .f = f,
                              .edit = { { .at = 80, .remove = 1, .insert = { &bit, 1 } } },
                              .rc = QC_INTEGRITY,
                              .check = "key commitment" });
    /* The last group is left out and everything is adapted: chunk 1 is not sealed as a last chunk. */
    put_remade((struct kase){
        .name = "last-group-cut-M-remade",
        .row = 8,
        .f = f,
        .edit = { { .at = f->N.n - 36, .remove = 4, .insert = { (const uint8_t *)"\0\0\0\x4c", 4 } },
                  { .at = tail.offset + 16 + 32, .remove = 32 },
                  { .at = tail.offset + 15, .remove = 1, .insert = { (const uint8_t *)"\1", 1 } },
                  { .at = tail.offset + 5, .remove = 1, .insert = { (const uint8_t *)"\2", 1 } },
                  { .at = c2.offset, .remove = c2.size + 32 } },
        .rc = QC_FORMAT,
        .check = "private metadata: true length" });
    put(&(struct kase){
        .name = "last-group-cut",
        .row = 8,
        .f = f,
        .edit = { { .at = f->N.n - 36, .remove = 4, .insert = { (const uint8_t *)"\0\0\0\x4c", 4 } },
                  { .at = tail.offset + 16 + 32, .remove = 32 },
                  { .at = tail.offset + 15, .remove = 1, .insert = { (const uint8_t *)"\1", 1 } },
                  { .at = tail.offset + 5, .remove = 1, .insert = { (const uint8_t *)"\2", 1 } },
                  { .at = c2.offset, .remove = c2.size + 32 } },
        .ways = ALL,
        .rc = QC_INTEGRITY,
        .check = "seal M" });
    put_remade((struct kase){ .name = "epoch-start-changed-M-remade",
                              .row = 25,
                              .f = e,
                              .edit = { { .at = et + 19, .remove = 1, .insert = { &start_bit, 1 } } },
                              .rc = QC_INTEGRITY,
                              .check = "chunk 1: second tag",
                              .released = C });
    put_remade((struct kase){ .name = "epoch-salt-changed-M-remade",
                              .row = 25,
                              .f = e,
                              .edit = { { .at = et + 20, .remove = 1, .insert = { &salt_bit, 1 } } },
                              .rc = QC_INTEGRITY,
                              .check = "chunk 1: second tag",
                              .released = C });
    put_remade((struct kase){
        .name = "epoch-removed-M-remade",
        .row = 25,
        .f = e,
        .edit = { { .at = e->N.n - 36, .remove = 4, .insert = { (const uint8_t *)"\0\0\0\x84", 4 } },
                  { .at = et + 12, .remove = 24 },
                  { .at = et + 11, .remove = 1, .insert = { (const uint8_t *)"\1", 1 } } },
        .rc = QC_INTEGRITY,
        .check = "chunk 1: second tag",
        .released = C });
    put_remade(
        (struct kase){ .name = "epochs-not-ascending",
                       .row = 25,
                       .f = e,
                       .edit = { { .at = et + 19, .remove = 1, .insert = { (const uint8_t *)"\3", 1 } } },
                       .rc = QC_FORMAT,
                       .check = "trailer: epoch starts do not ascend" });
    put_remade(
        (struct kase){ .name = "epoch-beyond-the-end",
                       .row = 25,
                       .f = e,
                       .edit = { { .at = et + 43, .remove = 1, .insert = { (const uint8_t *)"\4", 1 } } },
                       .rc = QC_FORMAT,
                       .check = "trailer: an epoch starts at chunk 4 of 4" });
}

void gen_refusals(const char *dir)
{
    struct out o = out_open(dir, "refusals.json");
    out = &o;
    for (unsigned i = 0; i < GEN_OBJECTS; i++)
        fixed[i] = fix_make(&gen_object[i].spec);
    out_begin(&o, "cases", '[');
    flips();
    flips_of_B();
    cuts();
    mixtures();
    shares_exchanged();
    fields();
    fields_of_B();
    holders_of_R();
    out_end(&o, ']');
    out_close(&o);
    for (unsigned i = 0; i < GEN_OBJECTS; i++)
        fix_free(&fixed[i]);
}

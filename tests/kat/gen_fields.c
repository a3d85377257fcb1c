/* Vectors of refusals: fields of header, trailer and B with values that are refused by structure alone. */
#include "gen_refusals.h"

/* As QC_LIT, for tables. */
#define LIT(s)                                                                                               \
    {                                                                                                        \
        (const uint8_t *)(s), sizeof(s) - 1                                                                  \
    }

enum base { START, TAIL, END };

static const struct field {
    const char *name;
    unsigned row;
    enum base base; /* of N, of its trailer, behind N */
    int64_t at;
    qc_span v;
    qc_rc rc;
    const char *check;
} field[] = {
    { "version-0", 32, START, 4, LIT("\0"), QC_FORMAT, "header: version, profile or suite 0" },
    { "version-2", 32, START, 4, LIT("\2"), QC_NEWER, "need a newer program" },
    { "version-255", 32, START, 4, LIT("\xff"), QC_NEWER, "need a newer program" },
    { "profile-2", 32, START, 5, LIT("\2"), QC_NEWER, "need a newer program" },
    { "suite-0", 32, START, 6, LIT("\0"), QC_FORMAT, "header: version, profile or suite 0" },
    { "suite-2", 32, START, 6, LIT("\2"), QC_NEWER, "need a newer program" },
    { "layout-1", 32, START, 7, LIT("\1"), QC_NEWER, "need a newer program" },
    { "header-size-short", 31, START, 8, LIT("\0\0\0\x10"), QC_FORMAT, "header: size" },
    { "header-size-huge", 31, START, 8, LIT("\xff\xff\xff\xff"), QC_FORMAT, "header: size" },
    { "chunk-log2-15", 31, START, 14, LIT("\x0f"), QC_FORMAT, "chunk_log2" },
    { "chunk-log2-25", 31, START, 14, LIT("\x19"), QC_FORMAT, "chunk_log2" },
    { "group-log2-0", 31, START, 15, LIT("\0"), QC_FORMAT, "group_log2" },
    { "group-log2-13", 31, START, 15, LIT("\x0d"), QC_FORMAT, "group_log2" },
    { "shares-k-0", 21, START, 112, LIT("\0"), QC_FORMAT, "header: shares" },
    { "shares-k-above-n", 21, START, 112, LIT("\5"), QC_FORMAT, "header: shares" },
    { "shares-k-2", 21, START, 112, LIT("\2"), QC_NEWER, "shares of another kind" },
    { "shares-length-0", 21, START, 114, LIT("\0\0"), QC_FORMAT, "header: shares" },
    { "shares-length-31", 21, START, 114, LIT("\0\x1f"), QC_FORMAT, "header: shares" },
    { "shares-length-33", 21, START, 114, LIT("\0\x21"), QC_FORMAT, "header: shares" },
    { "shares-length-65535", 21, START, 114, LIT("\xff\xff"), QC_FORMAT, "header: shares" },
    { "point-0", 21, START, 116, LIT("\0"), QC_FORMAT, "header: share points" },
    { "points-equal", 21, START, 116, LIT("\2"), QC_FORMAT, "header: share points" },
    { "points-5-6-3-4", 21, START, 116, LIT("\5\6"), QC_NEWER, "shares of another kind" },
    { "length-2-63", 31, TAIL, 0, LIT("\x80\0\0\0\0\0\0\0"), QC_FORMAT, "over 2^30 chunks" },
    { "length-all-ones", 31, TAIL, 0, LIT("\xff\xff\xff\xff\xff\xff\xff\xff"), QC_FORMAT,
      "over 2^30 chunks" },
    { "epochs-4097", 25, TAIL, 8, LIT("\0\0\x10\1"), QC_FORMAT, "trailer: 4097 epochs" },
    { "epochs-all-ones", 31, TAIL, 8, LIT("\xff\xff\xff\xff"), QC_FORMAT, "epochs" },
    { "epochs-beyond-the-trailer", 31, TAIL, 8, LIT("\0\0\0\x64"), QC_FORMAT, "cut in the epochs" },
    { "groups-all-ones", 31, TAIL, 12, LIT("\xff\xff\xff\xff"), QC_FORMAT, "groups" },
    { "meta-length-23", 31, TAIL, 48, LIT("\0\0\0\x17"), QC_FORMAT, "private metadata of 23" },
    { "meta-length-all-ones", 31, TAIL, 48, LIT("\xff\xff\xff\xff"), QC_FORMAT, "private metadata of" },
    { "trailer-length-0", 31, END, -36, LIT("\0\0\0\0"), QC_FORMAT, "trailer length 0" },
    { "trailer-length-above-N", 31, END, -36, LIT("\0\0\x10\0"), QC_FORMAT, "trailer length 4096" },
    { "trailer-length-all-ones", 31, END, -36, LIT("\xff\xff\xff\xff"), QC_FORMAT, "trailer length" },
};

static const struct field field_of_B[] = {
    { "B-version-2", 21, START, 4, LIT("\2"), QC_NEWER, "backup data: version 2" },
    { "B-suite-2", 21, START, 5, LIT("\2"), QC_NEWER, "suite 2" },
    { "B-kind-1", 21, START, 6, LIT("\1"), QC_NEWER, "kind 1" },
    { "B-generation-0", 21, START, 56, LIT("\0\0\0\0"), QC_FORMAT, "generation 0" },
    { "B-share-length-33", 21, START, 62, LIT("\0\x21"), QC_FORMAT, "33" },
    { "B-extensions-too-long", 21, START, 104, LIT("\0\0\0\1"), QC_FORMAT, "lengths do not add up" },
    { "B-extensions-all-ones", 21, START, 104, LIT("\xff\xff\xff\xff"), QC_FORMAT, "lengths do not add up" },
};

static void fields(void)
{
    const struct fix *f = &gen_fixed[GEN_ABC];
    const uint64_t base[] = { [START] = 0, [TAIL] = vault_geometry_tail(&f->g).offset, [END] = f->N.n };
    for (size_t i = 0; i < sizeof field / sizeof field[0]; i++) {
        const struct field *t = &field[i];
        gen_put(&(struct kase){ .name = t->name,
                                .row = t->row,
                                .f = f,
                                .edit = { gen_set(base[t->base] + (uint64_t)t->at, t->v) },
                                .ways = ALL,
                                .rc = t->rc,
                                .check = t->check });
    }
}

static void extensions(void)
{
    const struct fix *x = &gen_fixed[GEN_EXTENDED];
    const uint8_t must = 0x80;
    gen_put(&(struct kase){ .name = "extension-changed",
                            .row = 6,
                            .f = x,
                            .edit = { { .at = 126, .remove = 1, .insert = { (const uint8_t *)"b", 1 } } },
                            .ways = ALL,
                            .rc = QC_INTEGRITY,
                            .check = "seal M" });
    gen_put(&(struct kase){ .name = "extension-optional",
                            .row = 6,
                            .f = x,
                            .ways = ALL,
                            .rc = QC_OK,
                            .check = "",
                            .released = 20 });
    gen_put(&(struct kase){ .name = "extension-not-ascending",
                            .row = 6,
                            .f = x,
                            .edit = { { .at = 130, .remove = 1, .insert = { (const uint8_t *)"\7", 1 } } },
                            .ways = ALL,
                            .rc = QC_FORMAT,
                            .check = "header: extension fields" });
    gen_put(&(struct kase){ .name = "extension-must-be-understood",
                            .row = 6,
                            .f = x,
                            .edit = { { .at = 129, .remove = 1, .insert = { &must, 1 } } },
                            .ways = ALL,
                            .rc = QC_NEWER,
                            .check = "header: extension 0x8009 needs a newer program" });
}

static void fields_of_B(void)
{
    const struct fix *f = &gen_fixed[GEN_ABC];
    for (size_t i = 0; i < sizeof field_of_B / sizeof field_of_B[0]; i++) {
        const struct field *t = &field_of_B[i];
        gen_put(&(struct kase){ .name = t->name,
                                .row = t->row,
                                .f = f,
                                .B_edit = { gen_set((uint64_t)t->at, t->v) },
                                .ways = WITH1 | WITH2,
                                .rc = t->rc,
                                .check = t->check });
    }
    gen_put(&(struct kase){ .name = "B-cut",
                            .row = 21,
                            .f = f,
                            .B_edit = { { .at = 171, .remove = 1 } },
                            .ways = WITH1 | WITH2,
                            .rc = QC_FORMAT,
                            .check = "171 bytes" });
}

void gen_fields(void)
{
    fields();
    extensions();
    fields_of_B();
}

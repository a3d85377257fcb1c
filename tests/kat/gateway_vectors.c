/* kat/gateway_vectors: FORMAT 1.1 (KDFG), 8.3, 9 to 9.5 on fixed input, line by line as in
 * gateway_vectors.txt, which kat/gateway_vectors.py computes again with the second reader. Without an
 * argument the lines are printed. */
#include "base/codec.h"
#include "gateway/frag.h"
#include "gateway/pack.h"
#include "gateway/place.h"
#include "qc_check.h"
#include "qc_seed.h"

static FILE *expected;

/* One line; compared with the file's, or printed. */
static void line(const char *name, qc_span value)
{
    static char text[65536], want[65536];
    char hex[16384];

    CHECK(2 * value.n + 1 <= sizeof hex);
    qc_hex(value, hex);
    CHECK(snprintf(text, sizeof text, "%s %s\n", name, hex) > 0);
    if (expected == NULL) {
        fputs(text, stdout);
        return;
    }
    CHECK(fgets(want, sizeof want, expected) != NULL);
    if (strcmp(text, want) != 0) {
        fprintf(stderr, "got      %sexpected %s", text, want);
        exit(1);
    }
}

static void text_line(const char *name, const char *value)
{
    line(name, qc_span_str(value));
}

static void ramp(uint8_t *p, size_t n, uint8_t from)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(from + i);
}

static void names(const struct gw_root *r)
{
    const struct {
        const char *what;
        struct gw_name name;
    } rows[] = {
        { "name.fragment",
          { GW_NAME_FRAGMENT, UINT64_C(0x0102030405060708), 4, 1, 2, { 0x10, 0x11, 0x12, 0x13 }, 0 } },
        { "name.log", { GW_NAME_LOG, 7, 0, 0, 2, { 0 }, 0 } },
        { "name.root", { GW_NAME_ROOT, 0x1234, 0, 0, 0, { 0 }, 0 } },
        { "name.cut", { GW_NAME_CUT, 0x1234, 0, 0, 0, { 0 }, 0 } },
        { "name.pack", { GW_NAME_PACK, 7, 0, 0, 2, { 0 }, 0x0a0b0c0d } },
        { "name.notes", { GW_NAME_NOTES, 7, 0, 0, 2, { 0 }, 0x0a0b0c0d } },
    };
    struct qc_err err = { 0 };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char key[GW_NAME_SIZE];
        CHECK_OK(gw_name_make(r, 3, &rows[i].name, key, &err));
        text_line(rows[i].what, key);
    }
}

static void pack(const struct gw_root *r)
{
    static const char *const objects[] = { "one", "", "three" };
    const struct gw_name name = { .kind = GW_NAME_PACK, .id = 7, .incarnation = 2, .serial = 0x0a0b0c0d };
    struct gw_pack_plan plan = { .name = &name, .k = 1, .n = 2, .clouds = { 9, 3 } };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 4096 };
    qc_buf pieces[QC_EC_N_MAX] = { 0 };
    struct qc_err err = { 0 };

    ramp(plan.salt, sizeof plan.salt, 0x10);
    CHECK_OK(gw_pack_begin(&text, &err));
    for (uint32_t i = 0; i < 3; i++)
        CHECK_OK(gw_pack_add(&text, 1 + i, qc_span_str(objects[i]), &err));
    CHECK_OK(gw_pack_make(r, &plan, qc_buf_span(&text), pieces, &err));
    line("pack.piece", qc_buf_span(&pieces[1]));
    qc_buf_free(&pieces[0]);
    qc_buf_free(&pieces[1]);
}

static void segment(const struct gw_root *r)
{
    QC_CLEANUP(gw_frag_keys_done) struct gw_frag_keys keys = { 0 };
    QC_CLEANUP(qc_aead_free) struct qc_aead *aead = NULL;
    const uint64_t id = UINT64_C(0x0102030405060708);
    uint8_t salt[GW_SALT_BYTES], piece[128], tag[QC_TAG], perm[QC_EC_N_MAX], tags[32], digests[160], out[32];
    struct qc_err err = { 0 };

    ramp(salt, sizeof salt, 0x10);
    ramp(piece, sizeof piece, 0);
    ramp(tags, sizeof tags, 0x40);
    ramp(digests, sizeof digests, 0x60);
    CHECK_OK(qc_aead_new(&aead, &err));
    CHECK_OK(gw_frag_keys_derive(r, id, salt, &keys, &err));
    CHECK_OK(gw_frag_piece_tag(&keys, aead, 4, 9, qc_span_of(piece, sizeof piece), tag, &err));
    line("piece.tag", qc_span_of(tag, sizeof tag));
    CHECK_OK(gw_frag_tags_digest(4, qc_span_of(tags, sizeof tags), out, &err));
    line("tags.digest", qc_span_of(out, sizeof out));
    CHECK_OK(gw_segment_digest(id, 5000000, qc_span_of(digests, sizeof digests), out, &err));
    line("segment.digest", qc_span_of(out, sizeof out));
    CHECK_OK(gw_frag_mac(&keys, qc_span_of(piece, sizeof piece), qc_span_of(tags, sizeof tags),
                         qc_span_of(digests, sizeof digests), out, &err));
    line("fragment.tag", qc_span_of(out, sizeof out));
    CHECK_OK(gw_place_permutation(r, id, salt, 5, perm, &err));
    line("permutation.5", qc_span_of(perm, 5));
    CHECK_OK(gw_place_permutation(r, id, salt, 32, perm, &err));
    line("permutation.32", qc_span_of(perm, 32));
}

static void head(const struct gw_root *r)
{
    struct gw_frag_head h = { .head_size = GW_FRAG_HEAD_BYTES,
                              .incarnation = 2,
                              .tenant = 1,
                              .segment_id = UINT64_C(0x0102030405060708),
                              .seq = 6,
                              .k = 3,
                              .n = 5,
                              .index = 4,
                              .attempt = 1,
                              .segment_size = 5000000,
                              .piece_size = 349504,
                              .stripe_count = 5,
                              .cloud_id = 3,
                              .base = 17,
                              .payload_size = 4 * 349504 + 64 * 4198,
                              .last = true };
    uint8_t b[GW_FRAG_HEAD_BYTES];
    struct qc_err err = { 0 };

    memcpy(h.catalogue, gw_root_catalogue(r), GW_ID_BYTES);
    ramp(h.object, sizeof h.object, 0xb0);
    ramp(h.version, sizeof h.version, 0xc0);
    ramp(h.salt, sizeof h.salt, 0x10);
    gw_frag_head_write(&h, b);
    CHECK_OK(gw_frag_head_parse(qc_span_of(b, sizeof b), &h, &err));
    line("fragment.head", qc_span_of(b, sizeof b));
}

static void root_objects(const struct gw_root *r)
{
    struct gw_root_object ro = { .incarnation = 0x1234, .log_sequence = 99 };
    const struct gw_cut_object co = { .by = 0x1234, .incarnation = 0x1233, .log_sequence = 98 };
    uint8_t rb[GW_ROOT_OBJECT_BYTES], cb[GW_CUT_OBJECT_BYTES];
    QC_CLEANUP(qc_key_free) qc_key *kit = NULL;
    struct qc_err err = { 0 };

    ramp(ro.instance, sizeof ro.instance, 0xd0);
    CHECK_OK(gw_root_object_make(r, &ro, rb, &err));
    line("root", qc_span_of(rb, sizeof rb));
    CHECK_OK(gw_cut_object_make(r, &co, cb, &err));
    line("cut", qc_span_of(cb, sizeof cb));
    CHECK_OK(gw_kit_make(r, &kit, &err));
    text_line("kit", (const char *)qc_key_open(kit).p);
}

static void identities(const struct gw_root *r)
{
    const struct gw_member m[] = { { 1, 1 }, { 2, 5 }, { 7, 1 } };
    struct qc_rand rand = { .state = 1 };
    const qc_rng rng = qc_rand_rng(&rand);
    qc_buf b[3] = { { 0 } };
    struct qc_err err = { 0 };

    CHECK_OK(gw_identity_make(r, m, 3, 2, &rng, b, &err));
    for (unsigned i = 0; i < 3; i++) {
        line("identity", qc_buf_span(&b[i]));
        qc_buf_free(&b[i]);
    }
}

int main(int argc, char **argv)
{
    QC_CLEANUP(gw_root_free) struct gw_root *r = NULL;
    QC_CLEANUP(qc_key_free) qc_key *G = NULL;
    uint8_t raw[GW_ROOT_KEY_BYTES], catalogue[GW_ID_BYTES];
    struct qc_err err = { 0 };

    if (argc == 2) {
        expected = fopen(argv[1], "r");
        CHECK(expected != NULL);
    }
    ramp(raw, sizeof raw, 0);
    ramp(catalogue, sizeof catalogue, 0xa0);
    CHECK_OK(qc_key_from(&G, raw, sizeof raw, &err));
    CHECK_OK(gw_root_new(&r, catalogue, G, &err));
    names(r);
    pack(r);
    segment(r);
    head(r);
    root_objects(r);
    identities(r);
    if (expected != NULL) {
        CHECK(fgetc(expected) == EOF);
        CHECK(fclose(expected) == 0);
    }
    return 0;
}

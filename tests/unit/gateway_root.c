/* unit/gateway_root: names invert and refuse; identities, their shares and what is found from them; root,
 * cut, kit. */
#include "base/codec.h"
#include "gateway/root.h"
#include "qc_check.h"
#include "qc_seed.h"

static struct gw_root *new_root(struct qc_rand *r)
{
    struct gw_root *root = NULL;
    struct qc_err err = { 0 };
    const qc_rng rng = qc_rand_rng(r);

    CHECK_OK(gw_root_random(&root, &rng, &err));
    return root;
}

static void same_name(const struct gw_name *a, const struct gw_name *b)
{
    CHECK(a->kind == b->kind && a->id == b->id && a->index == b->index && a->attempt == b->attempt);
    CHECK(a->serial == b->serial);
    CHECK(a->incarnation == b->incarnation && memcmp(a->salt, b->salt, 4) == 0);
}

static struct gw_name random_name(struct qc_rand *r)
{
    struct gw_name n = { .kind = (enum gw_name_kind)qc_rand_between(r, GW_NAME_FRAGMENT, GW_NAME_IDENTITY) };

    if (n.kind == GW_NAME_FRAGMENT) {
        n.id = qc_rand_u64(r);
        n.index = (uint8_t)qc_rand_below(r, QC_EC_N_MAX);
        n.attempt = (uint8_t)qc_rand_u64(r);
        qc_rand_fill(r, n.salt, sizeof n.salt);
    }
    const bool packed = n.kind == GW_NAME_PACK || n.kind == GW_NAME_NOTES;
    if (n.kind == GW_NAME_LOG || packed)
        n.id = qc_rand_u64(r);
    if (packed)
        n.serial = (uint32_t)qc_rand_between(r, 1, UINT32_MAX);
    if (n.kind == GW_NAME_FRAGMENT || n.kind == GW_NAME_LOG || packed)
        n.incarnation = (uint16_t)qc_rand_u64(r);
    if (n.kind == GW_NAME_ROOT || n.kind == GW_NAME_CUT)
        n.id = (uint32_t)qc_rand_u64(r);
    return n;
}

static void names_invert(struct qc_rand *r, const struct gw_root *root)
{
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < 10000; i++) {
        const struct gw_name n = random_name(r);
        const uint32_t cloud = (uint32_t)qc_rand_between(r, 1, 40); /* more than the table of keys holds */
        char key[GW_NAME_SIZE];
        struct gw_name back, other;
        CHECK_OK(gw_name_make(root, cloud, &n, key, &err));
        CHECK_OK(gw_name_parse(root, cloud, key, &back, &err));
        same_name(&n, &back);
        /* Another cloud's name says nothing here, or a fragment of another id; once in 2^15 times a pack's
         * says another pack or notes, which then do not open. */
        CHECK_OK(gw_name_parse(root, cloud + 1, key, &other, &err));
        const bool s = n.kind == GW_NAME_PACK || n.kind == GW_NAME_NOTES;
        const bool may = other.kind == GW_NAME_FRAGMENT ||
                         (s && (other.kind == GW_NAME_PACK || other.kind == GW_NAME_NOTES));
        CHECK(n.kind == GW_NAME_IDENTITY || other.kind == GW_NAME_FOREIGN || (may && other.id != n.id));
    }
}

static void foreign_names(struct qc_rand *r, const struct gw_root *root)
{
    static const char *const foreign[] = {
        "",
        "f",
        "f/",
        "f/00/",
        "x/00/00000000000000000000000000000000",
        "f/00/0000000000000000000000000000000",
        "f/00/000000000000000000000000000000000",
        "f/01/00000000000000000000000000000000",
        "f/0G/0G000000000000000000000000000000",
        "f/AA/AA000000000000000000000000000000",
        "i/cloud2",
        "i/clou",
        "l/00/00000000000000000000000000000000",
        "s/00/00000000000000000000000000000000",
        "s/01/00000000000000000000000000000000",
        "r/00000001/00000000000000000000000000000000",
        "r/0000000g/00000000000000000000000000000000",
        "f/00-00000000000000000000000000000000",
    };
    struct qc_err err = { 0 };
    struct gw_name n = { .kind = GW_NAME_ROOT, .id = 7 };
    char key[GW_NAME_SIZE];

    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        struct gw_name got = { .kind = GW_NAME_LOG };
        CHECK_OK(gw_name_parse(root, 1, foreign[i], &got, &err));
        CHECK(got.kind == GW_NAME_FOREIGN);
    }
    /* A root under another incarnation's folder. */
    CHECK_OK(gw_name_make(root, 1, &n, key, &err));
    CHECK(strncmp(key, "r/00000007/", 11) == 0);
    key[9] = '8';
    CHECK_OK(gw_name_parse(root, 1, key, &n, &err));
    CHECK(n.kind == GW_NAME_FOREIGN);
    /* A log's name under f/ is no fragment. */
    n = (struct gw_name){ .kind = GW_NAME_LOG, .id = qc_rand_u64(r) };
    CHECK_OK(gw_name_make(root, 1, &n, key, &err));
    key[0] = 'f';
    CHECK_OK(gw_name_parse(root, 1, key, &n, &err));
    CHECK(n.kind == GW_NAME_FOREIGN);
    CHECK_DIES(qc_ignore(gw_name_make(root, 1, &(struct gw_name){ 0 }, key, &err), "dies"));
}

/* -- identity -------------------------------------------------------------------------------------------- */

struct set {
    unsigned count;
    qc_buf b[QC_GW_CLOUDS_MAX];
    qc_span s[QC_GW_CLOUDS_MAX];
};

static struct set make_set(struct qc_rand *r, const struct gw_root *root, unsigned count, unsigned threshold)
{
    struct set s = { .count = count };
    struct gw_member m[QC_GW_CLOUDS_MAX];
    struct qc_err err = { 0 };
    const qc_rng rng = qc_rand_rng(r);

    for (unsigned i = 0; i < count; i++)
        m[i] = (struct gw_member){ 100 + i, 3 };
    CHECK_OK(gw_identity_make(root, m, count, threshold, &rng, s.b, &err));
    for (unsigned i = 0; i < count; i++)
        s.s[i] = qc_buf_span(&s.b[i]);
    return s;
}

static void free_set(struct set *s)
{
    for (unsigned i = 0; i < s->count; i++)
        qc_buf_free(&s->b[i]);
}

static void identity_parses(struct qc_rand *r, const struct gw_root *root, const struct gw_root *other)
{
    QC_CLEANUP(free_set) struct set s = make_set(r, root, 5, 3);
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < 5; i++) {
        const struct gw_member m = { 100 + i, 3 };
        struct gw_identity id = { 0 };
        CHECK_OK(gw_identity_parse(s.s[i], &id, &err));
        CHECK(id.cloud_id == 100 + i && id.generation == 3 && id.slot_count == 1);
        CHECK(id.slots[0].threshold == 3 && id.slots[0].count == 5 && id.slots[0].x == i + 1);
        gw_identity_done(&id);
        CHECK_OK(gw_identity_check(root, &m, s.s[i], &err));
        CHECK_RC(gw_identity_check(other, &m, s.s[i], &err), QC_INTEGRITY);
        CHECK_RC(gw_identity_check(root, &(struct gw_member){ 99, 3 }, s.s[i], &err), QC_INTEGRITY);
        CHECK_RC(gw_identity_check(root, &(struct gw_member){ 100 + i, 2 }, s.s[i], &err), QC_INTEGRITY);
    }
    /* Every shorter and longer input, and every byte changed, is refused. */
    uint8_t in[GW_IDENTITY_MAX + 1];
    const size_t n = s.s[0].n;
    for (size_t len = 0; len <= n + 1; len++) {
        struct gw_identity id = { .cloud_id = 7 };
        memcpy(in, s.s[0].p, n);
        in[n] = 0;
        if (len == n)
            continue;
        qc_rc rc = gw_identity_parse(qc_span_of(in, len), &id, &err);
        CHECK(rc == QC_FORMAT && id.cloud_id == 7);
    }
    for (size_t at = 0; at < n; at++) {
        memcpy(in, s.s[0].p, n);
        in[at] ^= (uint8_t)qc_rand_between(r, 1, 255);
        qc_rc rc = gw_identity_check(root, &(struct gw_member){ 100, 3 }, qc_span_of(in, n), &err);
        CHECK(rc == QC_INTEGRITY || rc == QC_FORMAT || (at == 4 && rc == QC_NEWER));
    }
}

/* Find G from the objects of a mask, and see that it is root's. */
static qc_rc find(const struct set *s, uint32_t mask, const struct gw_root *root, bool *good)
{
    QC_CLEANUP(gw_root_free) struct gw_root *found = NULL;
    qc_span in[QC_GW_CLOUDS_MAX] = { { 0 } };
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < s->count; i++)
        in[i] = (mask >> i & 1) != 0 ? s->s[i] : (qc_span){ 0 };
    qc_rc rc = gw_identity_combine(in, s->count, &found, good, &err);
    if (rc == QC_OK) {
        CHECK(qc_key_same(gw_root_G(found), gw_root_G(root)));
        CHECK(memcmp(gw_root_catalogue(found), gw_root_catalogue(root), GW_ID_BYTES) == 0);
    }
    return rc;
}

static void every_subset(struct qc_rand *r, const struct gw_root *root)
{
    for (unsigned count = 1; count <= 6; count++) {
        for (unsigned t = 1; t <= count; t++) {
            QC_CLEANUP(free_set) struct set s = make_set(r, root, count, t);
            for (uint32_t mask = 0; mask < 1U << count; mask++) {
                bool good[QC_GW_CLOUDS_MAX] = { false };
                const qc_rc rc = find(&s, mask, root, good);
                CHECK(rc == ((unsigned)__builtin_popcount(mask) >= t ? QC_OK : QC_QUORUM));
                for (unsigned i = 0; rc == QC_OK && i < count; i++)
                    CHECK(good[i] == ((mask >> i & 1) != 0));
            }
        }
    }
}

/* A cloud that lies about its share, with a checksum that fits, is found out and left out. */
static void lying_share(struct qc_rand *r, const struct gw_root *root)
{
    QC_CLEANUP(free_set) struct set s = make_set(r, root, 5, 3);
    bool good[QC_GW_CLOUDS_MAX] = { false };
    uint8_t *p = s.b[0].p;
    uint8_t n9[8], nb[8];
    struct qc_err err = { 0 };
    const size_t before = s.b[0].n - 64;

    p[before - 1] ^= 1; /* the last byte of the share */
    qc_put_be(n9, 8, 8);
    qc_put_be(nb, before, 8);
    CHECK_OK(qc_sha256((qc_span[]){ { n9, 8 }, QC_LIT("identity"), { nb, 8 }, { p, before } }, 4, p + before,
                       &err));
    CHECK(find(&s, 0x1f, root, good) == QC_OK);
    CHECK(!good[0] && good[1] && good[2] && good[3] && good[4]);
    CHECK(find(&s, 0x0f, root, good) == QC_OK);
    CHECK(find(&s, 0x07, root, good) == QC_INTEGRITY);
    CHECK(find(&s, 0x03, root, good) == QC_QUORUM);
}

static void two_gateways(struct qc_rand *r, const struct gw_root *a, const struct gw_root *b)
{
    QC_CLEANUP(free_set) struct set sa = make_set(r, a, 3, 2);
    QC_CLEANUP(free_set) struct set sb = make_set(r, b, 3, 2);
    QC_CLEANUP(gw_root_free) struct gw_root *found = NULL;
    const qc_span both[] = { sa.s[0], sb.s[0], sa.s[1], sb.s[1] };
    const qc_span most[] = { sa.s[0], sb.s[0], sa.s[1] };
    bool good[4];
    struct qc_err err = { 0 };

    CHECK_RC(gw_identity_combine(both, 4, &found, good, &err), QC_CONFLICT);
    CHECK(found == NULL);
    CHECK_OK(gw_identity_combine(most, 3, &found, good, &err));
    CHECK(good[0] && !good[1] && good[2]);
}

/* -- root, cut, kit -------------------------------------------------------------------------------------- */

static void root_and_cut(struct qc_rand *r, const struct gw_root *root, const struct gw_root *other)
{
    struct gw_root_object ro = { .incarnation = 9, .log_sequence = 1234567890123 }, ro2 = { 0 };
    const struct gw_cut_object co = { .by = 9, .incarnation = 8, .log_sequence = 77 };
    struct gw_cut_object co2 = { 0 };
    uint8_t rb[GW_ROOT_OBJECT_BYTES + 1] = { 0 }, cb[GW_CUT_OBJECT_BYTES + 1] = { 0 };
    struct qc_err err = { 0 };

    qc_rand_fill(r, ro.instance, sizeof ro.instance);
    CHECK_OK(gw_root_object_make(root, &ro, rb, &err));
    CHECK_OK(gw_root_object_parse(root, qc_span_of(rb, GW_ROOT_OBJECT_BYTES), &ro2, &err));
    CHECK(ro2.incarnation == 9 && ro2.log_sequence == 1234567890123 &&
          memcmp(ro.instance, ro2.instance, 16) == 0);
    CHECK_RC(gw_root_object_parse(other, qc_span_of(rb, GW_ROOT_OBJECT_BYTES), &ro2, &err), QC_INTEGRITY);
    CHECK_OK(gw_cut_object_make(root, &co, cb, &err));
    CHECK_OK(gw_cut_object_parse(root, qc_span_of(cb, GW_CUT_OBJECT_BYTES), &co2, &err));
    CHECK(co2.by == 9 && co2.incarnation == 8 && co2.log_sequence == 77);
    CHECK_RC(gw_root_object_parse(root, qc_span_of(cb, GW_CUT_OBJECT_BYTES), &ro2, &err), QC_FORMAT);
    for (size_t n = 0; n <= sizeof rb; n++) {
        if (n != GW_ROOT_OBJECT_BYTES)
            CHECK_RC(gw_root_object_parse(root, qc_span_of(rb, n), &ro2, &err), QC_FORMAT);
        if (n != GW_CUT_OBJECT_BYTES && n <= sizeof cb)
            CHECK_RC(gw_cut_object_parse(root, qc_span_of(cb, n), &co2, &err), QC_FORMAT);
    }
    for (size_t at = 0; at < GW_ROOT_OBJECT_BYTES; at++) {
        rb[at] ^= 0x10;
        const qc_rc rc = gw_root_object_parse(root, qc_span_of(rb, GW_ROOT_OBJECT_BYTES), &ro2, &err);
        CHECK(rc == QC_INTEGRITY || (at < 8 && rc == QC_FORMAT) || (at == 4 && rc == QC_NEWER));
        rb[at] ^= 0x10;
    }
}

static void kit(const struct gw_root *root)
{
    QC_CLEANUP(qc_key_free) qc_key *k = NULL;
    QC_CLEANUP(gw_root_free) struct gw_root *back = NULL;
    char text[GW_KIT_TEXT_MAX + 8];
    struct qc_err err = { 0 };

    CHECK_OK(gw_kit_make(root, &k, &err));
    CHECK(qc_key_open(k).p[GW_KIT_TEXT_MAX - 1] == 0);
    const int n = snprintf(text, sizeof text, " %s\r\n", (const char *)qc_key_open(k).p);
    CHECK(n == 1 + 124 + 2 && strncmp(text, " qcloud-kit 1 root ", 19) == 0);
    CHECK_OK(gw_kit_parse(qc_span_of(text, (size_t)n), &back, &err));
    CHECK(qc_key_same(gw_root_G(back), gw_root_G(root)));
    CHECK(memcmp(gw_root_catalogue(back), gw_root_catalogue(root), GW_ID_BYTES) == 0);
    for (size_t at = 1; at < 125; at++) {
        QC_CLEANUP(gw_root_free) struct gw_root *none = NULL;
        const char was = text[at];
        text[at] = was == '0' ? '1' : '0';
        const qc_rc rc = gw_kit_parse(qc_span_of(text, (size_t)n), &none, &err);
        CHECK(rc != QC_OK && none == NULL);
        text[at] = was;
        CHECK_RC(gw_kit_parse(qc_span_of(text, at), &none, &err), at <= 12   ? QC_FORMAT
                                                                  : at <= 19 ? QC_NEWER
                                                                             : QC_FORMAT);
    }
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    QC_CLEANUP(gw_root_free) struct gw_root *root = new_root(&r);
    QC_CLEANUP(gw_root_free) struct gw_root *other = new_root(&r);

    names_invert(&r, root);
    foreign_names(&r, root);
    identity_parses(&r, root, other);
    every_subset(&r, root);
    lying_share(&r, root);
    two_gateways(&r, root, other);
    root_and_cut(&r, root, other);
    kit(root);
    return 0;
}

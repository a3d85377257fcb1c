/* unit/gateway_frag: heads and ends keep what they say and refuse all else; every check of FORMAT 8.3 refuses
 * by itself. */
#include "ec/geometry.h"
#include "gateway/frag.h"
#include "qc_check.h"
#include "qc_seed.h"

enum { N_MAX_BYTES = GW_FRAG_HEAD_BYTES + 64 };

static struct gw_frag_head random_head(struct qc_rand *r)
{
    struct gw_frag_head h = { .head_size = GW_FRAG_HEAD_BYTES };
    struct ec_geometry g;
    struct qc_err err = { 0 };

    h.k = (uint8_t)qc_rand_between(r, 1, QC_EC_N_MAX);
    h.n = (uint8_t)qc_rand_between(r, h.k, QC_EC_N_MAX);
    h.index = (uint8_t)qc_rand_below(r, h.n);
    h.attempt = (uint8_t)qc_rand_u64(r);
    h.segment_size = (uint32_t)qc_rand_between(r, 1, QC_GW_SEGMENT_MAX);
    CHECK_OK(ec_geometry(h.k, h.segment_size, &g, &err));
    h.piece_size = g.piece_size;
    h.stripe_count = g.stripe_count;
    h.payload_size = g.payload_size;
    h.incarnation = (uint32_t)qc_rand_u64(r);
    h.tenant = (uint32_t)qc_rand_u64(r);
    h.segment_id = qc_rand_u64(r);
    h.seq = (uint32_t)qc_rand_u64(r);
    h.cloud_id = (uint32_t)qc_rand_u64(r);
    h.base = qc_rand_u64(r);
    h.last = qc_rand_below(r, 2) == 1;
    qc_rand_fill(r, h.catalogue, sizeof h.catalogue);
    qc_rand_fill(r, h.object, sizeof h.object);
    qc_rand_fill(r, h.version, sizeof h.version);
    qc_rand_fill(r, h.salt, sizeof h.salt);
    return h;
}

static void heads(struct qc_rand *r)
{
    struct qc_err err = { 0 };

    for (unsigned i = 0; i < 10000; i++) {
        const struct gw_frag_head h = random_head(r);
        struct gw_frag_head back = { 0 };
        uint8_t b[GW_FRAG_HEAD_BYTES], again[GW_FRAG_HEAD_BYTES];
        gw_frag_head_write(&h, b);
        CHECK_OK(gw_frag_head_parse(qc_span_of(b, sizeof b), &back, &err));
        gw_frag_head_write(&back, again);
        CHECK(memcmp(b, again, sizeof b) == 0);
        CHECK(back.segment_id == h.segment_id && back.index == h.index && back.last == h.last);
        CHECK(back.base == h.base && memcmp(back.salt, h.salt, GW_SALT_BYTES) == 0);
    }
}

/* A head with these bytes changed is refused with the code. */
static void refused(const uint8_t *good, size_t at, uint64_t value, size_t nbytes, qc_rc want)
{
    uint8_t b[GW_FRAG_HEAD_BYTES];
    struct gw_frag_head h = { .tenant = 4711 };
    struct qc_err err = { 0 };

    memcpy(b, good, sizeof b);
    qc_put_be(b + at, value, nbytes);
    CHECK_RC(gw_frag_head_parse(qc_span_of(b, sizeof b), &h, &err), want);
    CHECK(h.tenant == 4711);
}

static void head_refusals(struct qc_rand *r)
{
    struct gw_frag_head h = random_head(r);
    struct ec_geometry g;
    uint8_t b[N_MAX_BYTES] = { 0 };
    struct qc_err err = { 0 };

    h.k = 3;
    h.n = 5;
    h.index = 4;
    h.segment_size = 5000000;
    CHECK_OK(ec_geometry(3, h.segment_size, &g, &err));
    h.piece_size = g.piece_size;
    h.stripe_count = g.stripe_count;
    h.payload_size = g.payload_size;
    gw_frag_head_write(&h, b);
    for (size_t n = 0; n < sizeof b; n++) {
        if (n != GW_FRAG_HEAD_BYTES)
            CHECK_RC(gw_frag_head_parse(qc_span_of(b, n), &h, &err), QC_FORMAT);
    }
    refused(b, 0, 0x51434C46 + 1, 4, QC_FORMAT);
    refused(b, 4, 0, 1, QC_FORMAT);
    refused(b, 4, 2, 1, QC_NEWER);
    refused(b, 5, 0, 1, QC_FORMAT);
    refused(b, 5, 2, 1, QC_NEWER);
    refused(b, 6, 135, 2, QC_FORMAT);
    refused(b, 6, 137, 2, QC_FORMAT);
    refused(b, 76, 0, 1, QC_FORMAT);  /* k */
    refused(b, 76, 6, 1, QC_FORMAT);  /* k > n */
    refused(b, 77, 33, 1, QC_FORMAT); /* n */
    refused(b, 78, 5, 1, QC_FORMAT);  /* index */
    refused(b, 80, 0, 4, QC_FORMAT);
    refused(b, 80, QC_GW_SEGMENT_MAX + 1, 4, QC_FORMAT);
    refused(b, 84, h.piece_size + 64, 4, QC_FORMAT);
    refused(b, 88, h.stripe_count + 1, 4, QC_FORMAT);
    refused(b, 120, h.payload_size + 64, 8, QC_FORMAT);
    refused(b, 128, 2, 1, QC_FORMAT);
    for (size_t at = 129; at < 136; at++)
        refused(b, at, 1, 1, QC_FORMAT);
}

/* Extension fields: unknown ones are passed over, unless they must be understood. */
static void extensions(struct qc_rand *r)
{
    const struct {
        const char *bytes;
        size_t n;
        qc_rc want;
    } rows[] = {
        { "\0\1\0\0\0\3abc", 9, QC_OK },
        { "\0\1\0\0\0\0\0\2\0\0\0\1x", 13, QC_OK },
        { "\0\0\0\0\0\0", 6, QC_OK },
        { "\0\2\0\0\0\0\0\2\0\0\0\0", 12, QC_FORMAT }, /* twice */
        { "\0\2\0\0\0\0\0\1\0\0\0\0", 12, QC_FORMAT }, /* not ascending */
        { "\0\1\0\0\0\4abc", 9, QC_FORMAT },           /* too long */
        { "\0\1\0\0\0", 5, QC_FORMAT },
        { "\x80\1\0\0\0\0", 6, QC_NEWER },
    };
    struct qc_err err = { 0 };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct gw_frag_head h = random_head(r);
        struct gw_frag_head back;
        uint8_t b[N_MAX_BYTES] = { 0 };
        gw_frag_head_write(&h, b);
        memcpy(b + GW_FRAG_HEAD_BYTES, rows[i].bytes, rows[i].n);
        qc_put_be(b + 6, GW_FRAG_HEAD_BYTES + rows[i].n, 2);
        CHECK_RC(gw_frag_head_parse(qc_span_of(b, GW_FRAG_HEAD_BYTES + rows[i].n), &back, &err),
                 rows[i].want);
    }
}

/* -- verifying ------------------------------------------------------------------------------------------- */

/* A small fragment with everything around it. */
struct sample {
    struct gw_frag_head head;
    struct gw_frag_keys keys;
    uint8_t h[GW_FRAG_HEAD_BYTES], end[QC_TAG * QC_GW_STRIPES_MAX + GW_DIGEST_BYTES * (QC_EC_N_MAX + 1)];
    size_t end_size;
    uint8_t digest[GW_DIGEST_BYTES];
};

/* Compute what depends on tags and digests, as a writer with the key would. */
static void seal(struct sample *s)
{
    const size_t tags = (size_t)QC_TAG * s->head.stripe_count, rows = (size_t)GW_DIGEST_BYTES * s->head.n;
    struct qc_err err = { 0 };

    gw_frag_head_write(&s->head, s->h);
    CHECK_OK(gw_frag_mac(&s->keys, qc_span_of(s->h, sizeof s->h), qc_span_of(s->end, tags),
                         qc_span_of(s->end + tags, rows), s->end + tags + rows, &err));
}

static struct sample make_sample(struct qc_rand *r, const struct gw_root *root)
{
    struct sample s = { .head = random_head(r) };
    struct qc_err err = { 0 };
    const size_t tags = (size_t)QC_TAG * s.head.stripe_count, rows = (size_t)GW_DIGEST_BYTES * s.head.n;

    CHECK_OK(gw_frag_keys_derive(root, s.head.segment_id, s.head.salt, &s.keys, &err));
    s.end_size = gw_frag_end_size(s.head.stripe_count, s.head.n);
    CHECK(s.end_size == tags + rows + GW_DIGEST_BYTES && s.end_size <= sizeof s.end);
    qc_rand_fill(r, s.end, tags + rows);
    CHECK_OK(gw_frag_tags_digest(s.head.index, qc_span_of(s.end, tags),
                                 s.end + tags + (size_t)GW_DIGEST_BYTES * s.head.index, &err));
    CHECK_OK(gw_segment_digest(s.head.segment_id, s.head.segment_size, qc_span_of(s.end + tags, rows),
                               s.digest, &err));
    seal(&s);
    return s;
}

static qc_rc verify(const struct sample *s, const struct gw_frag_head *want)
{
    struct gw_frag_end e = { { 0 }, { 0 }, { 0 } };
    struct qc_err err = { 0 };
    const qc_rc rc = gw_frag_verify(&s->keys, want, s->digest, qc_span_of(s->h, sizeof s->h),
                                    qc_span_of(s->end, s->end_size), &e, &err);

    CHECK((rc == QC_OK) == (e.tags.p == s->end));
    return rc;
}

/* A fragment that is genuine, and of another cloud, segment, index ..: each field alone is enough to refuse.
 */
static void other_fields(struct qc_rand *r, const struct gw_root *root)
{
    QC_CLEANUP(gw_frag_keys_done) struct gw_frag_keys keys = { 0 };
    struct sample s = make_sample(r, root);

    keys = s.keys;
    CHECK(verify(&s, &s.head) == QC_OK);
    struct gw_frag_head w[] = { s.head, s.head, s.head, s.head, s.head, s.head, s.head, s.head,
                                s.head, s.head, s.head, s.head, s.head, s.head, s.head };
    w[0].catalogue[15] ^= 1;
    w[1].incarnation ^= 1;
    w[2].tenant ^= 1;
    w[3].object[0] ^= 1;
    w[4].version[7] ^= 1;
    w[5].segment_id ^= 1;
    w[6].seq ^= 1;
    w[7].k ^= 1;
    w[8].index ^= 1;
    w[9].attempt ^= 1;
    w[10].segment_size ^= 1;
    w[11].cloud_id ^= 1;
    w[12].salt[3] ^= 1;
    w[13].last = !w[13].last;
    w[14].payload_size ^= 64;
    for (size_t i = 0; i < sizeof w / sizeof w[0]; i++)
        CHECK(verify(&s, &w[i]) == QC_INTEGRITY);
    struct gw_frag_head hint = s.head;
    hint.base ^= 1;
    CHECK(verify(&s, &hint) == QC_OK);
}

static void tables(struct qc_rand *r, const struct gw_root *root)
{
    QC_CLEANUP(gw_frag_keys_done) struct gw_frag_keys keys = { 0 };
    const struct sample s = make_sample(r, root);
    struct sample bad = s;
    const size_t tags = (size_t)QC_TAG * s.head.stripe_count;

    keys = s.keys;
    /* Sealed anew by somebody with the key, but not what the catalogue knows. */
    bad.end[tags + (size_t)GW_DIGEST_BYTES * ((s.head.index + 1U) % s.head.n)] ^= 1;
    seal(&bad);
    CHECK(verify(&bad, &s.head) == QC_INTEGRITY);
    bad = s;
    bad.end[0] ^= 1; /* a piece's tag: the row no longer fits */
    seal(&bad);
    CHECK(verify(&bad, &s.head) == QC_INTEGRITY);
    for (size_t at = 0; at < s.end_size; at++) {
        bad = s;
        bad.end[at] ^= (uint8_t)qc_rand_between(r, 1, 255);
        CHECK(verify(&bad, &s.head) == QC_INTEGRITY);
    }
    for (size_t at = 0; at < GW_FRAG_HEAD_BYTES; at++) {
        bad = s;
        bad.h[at] ^= (uint8_t)qc_rand_between(r, 1, 255);
        CHECK(verify(&bad, &s.head) == QC_INTEGRITY);
    }
    bad = s;
    bad.end_size--;
    CHECK(verify(&bad, &s.head) == QC_FORMAT);
    bad.end_size += 2;
    CHECK(verify(&bad, &s.head) == QC_FORMAT);
}

/* A piece's tag holds for its bytes, its fragment and its stripe alone. */
static void pieces(struct qc_rand *r, const struct gw_root *root)
{
    QC_CLEANUP(gw_frag_keys_done) struct gw_frag_keys keys = { 0 };
    QC_CLEANUP(qc_aead_free) struct qc_aead *aead = NULL;
    struct sample s = make_sample(r, root);
    uint8_t piece[192], tag[QC_TAG];
    struct qc_err err = { 0 };

    keys = s.keys;
    CHECK_OK(qc_aead_new(&aead, &err));
    qc_rand_fill(r, piece, sizeof piece);
    const qc_span p = qc_span_of(piece, sizeof piece);
    CHECK_OK(gw_frag_piece_tag(&keys, aead, 3, 5, p, tag, &err));
    CHECK_OK(gw_frag_piece_check(&keys, aead, 3, 5, p, tag, &err));
    CHECK_RC(gw_frag_piece_check(&keys, aead, 2, 5, p, tag, &err), QC_INTEGRITY);
    CHECK_RC(gw_frag_piece_check(&keys, aead, 3, 4, p, tag, &err), QC_INTEGRITY);
    CHECK_RC(gw_frag_piece_check(&keys, aead, 3, 5, qc_span_of(piece, 176), tag, &err), QC_INTEGRITY);
    for (size_t at = 0; at < sizeof piece; at++) {
        piece[at] ^= 0x80;
        CHECK_RC(gw_frag_piece_check(&keys, aead, 3, 5, p, tag, &err), QC_INTEGRITY);
        piece[at] ^= 0x80;
    }
}

int main(void)
{
    struct qc_rand r = qc_rand_start();
    QC_CLEANUP(gw_root_free) struct gw_root *root = NULL;
    struct qc_err err = { 0 };
    const qc_rng rng = qc_rand_rng(&r);

    CHECK_OK(gw_root_random(&root, &rng, &err));
    heads(&r);
    head_refusals(&r);
    extensions(&r);
    for (unsigned i = 0; i < 50; i++) {
        other_fields(&r, root);
        pieces(&r, root);
    }
    for (unsigned i = 0; i < 5; i++)
        tables(&r, root);
    return 0;
}

/* unit/gateway_subsets: fragments that were coded wrongly when they were written, and tagged as they are: no
 * tag shows it. A read finds out by the digest table, reads from others, and names the wrong ones. */
#include "ec/geometry.h"
#include "gw_rig.h"

enum { PATIENT_MS = 60000, SIZE = 1300000, FILE_MAX = 4000000 };

static uint8_t bytes[SIZE];
static uint8_t files[8][FILE_MAX];

static size_t slurp(const char *path, uint8_t *to)
{
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    const size_t n = fread(to, 1, FILE_MAX, f);
    CHECK(n < FILE_MAX && fclose(f) == 0);
    return n;
}

static void spit(const char *path, const uint8_t *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    CHECK(f != NULL && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

/* Tags over a fragment's payload as it is now, and its row of the digest table. */
static void tag_again(const struct gw_frag_keys *keys, const struct ec_geometry *g, unsigned i, uint8_t *row)
{
    struct qc_err err = { 0 };
    struct qc_aead *aead = NULL;
    uint8_t *payload = files[i] + GW_FRAG_HEAD_BYTES, *tags = payload + g->payload_size;

    CHECK_OK(qc_aead_new(&aead, &err));
    for (uint32_t t = 0; t < g->stripe_count; t++) {
        const struct ec_stripe st = ec_geometry_stripe(g, t);
        CHECK_OK(gw_frag_piece_tag(keys, aead, (uint8_t)i, t,
                                   qc_span_of(payload + st.payload_offset, st.piece_size),
                                   tags + (size_t)QC_TAG * t, &err));
    }
    qc_aead_free(&aead);
    CHECK_OK(gw_frag_tags_digest((uint8_t)i, qc_span_of(tags, (size_t)QC_TAG * g->stripe_count), row, &err));
}

/* The fragments of `wrong` (bits) get other bytes and the tags that belong to these; all get the digest table
 * that follows, as a writer whose coder went wrong would have made them. */
static void plant(struct rig *r, struct gw_segment *seg, uint32_t wrong)
{
    struct gw_frag_keys keys = { 0 };
    struct ec_geometry g;
    struct qc_err err = { 0 };
    char path[8][512];
    size_t size = 0;
    uint8_t digests[8 * GW_DIGEST_BYTES];

    CHECK_OK(ec_geometry(seg->k, seg->size, &g, &err));
    CHECK_OK(gw_frag_keys_derive(r->root, seg->id, seg->salt, &keys, &err));
    for (unsigned i = 0; i < seg->n; i++) {
        (void)rig_fragment(r, seg, i, path[i], sizeof path[i]);
        size = slurp(path[i], files[i]);
        CHECK(size == GW_FRAG_HEAD_BYTES + g.payload_size + gw_frag_end_size(g.stripe_count, seg->n));
        if ((wrong >> i & 1) != 0)
            files[i][GW_FRAG_HEAD_BYTES + qc_rand_below(&r->rand, g.payload_size)] ^= 0x10;
        tag_again(&keys, &g, i, digests + (size_t)GW_DIGEST_BYTES * i);
    }
    const qc_span table = qc_span_of(digests, (size_t)GW_DIGEST_BYTES * seg->n);
    CHECK_OK(gw_segment_digest(seg->id, seg->size, table, seg->digest, &err));
    for (unsigned i = 0; i < seg->n; i++) {
        uint8_t *tags = files[i] + GW_FRAG_HEAD_BYTES + g.payload_size;
        const qc_span tag_table = qc_span_of(tags, (size_t)QC_TAG * g.stripe_count);
        memcpy(tags + tag_table.n, table.p, table.n);
        CHECK_OK(gw_frag_mac(&keys, qc_span_of(files[i], GW_FRAG_HEAD_BYTES), tag_table, table,
                             tags + tag_table.n + table.n, &err));
        spit(path[i], files[i], size);
    }
    gw_frag_keys_done(&keys);
}

/* Every set of wrong parity, with every set of absent fragments that leaves k right ones: the right bytes
 * come or none, and whoever is named is wrong. */
static void wrong_parity(struct rig *r, unsigned k, unsigned n)
{
    struct gw_faults f;
    unsigned blamed = 0, refused = 0;

    for (uint32_t wrong = 1; wrong < UINT32_C(1) << (n - k); wrong++) {
        struct gw_segment s = rig_segment(r, SIZE);
        (void)rig_write(r, &s, bytes, PATIENT_MS);
        plant(r, &s, wrong << k);
        for (uint32_t gone = 0; gone < UINT32_C(1) << n; gone++) {
            char path[512], aside[600];
            const unsigned right = n - (unsigned)__builtin_popcount(gone | wrong << k);
            if (n - (unsigned)__builtin_popcount(gone) < k || (gone & 3) == 0)
                continue;
            for (unsigned i = 0; i < n; i++) {
                (void)rig_fragment(r, &s, i, path, sizeof path);
                CHECK(snprintf(aside, sizeof aside, "%s.aside", path) > 0);
                CHECK((gone >> i & 1) == 0 || rename(path, aside) == 0);
            }
            const qc_rc rc = rig_read(r, &s, (struct gw_range){ 0, s.size }, bytes, PATIENT_MS, &f);
            CHECK(rc == (right >= k ? QC_OK : QC_INTEGRITY));
            refused += rc != QC_OK;
            for (unsigned x = 0; x < f.count; x++) {
                const uint32_t bit = UINT32_C(1) << f.v[x].index;
                CHECK(f.v[x].kind == GW_FAULT_MISSING ? (gone & bit) != 0 : (wrong << k & bit) != 0);
                CHECK(f.v[x].kind == GW_FAULT_MISSING || f.v[x].kind == GW_FAULT_DAMAGED);
                blamed += f.v[x].kind == GW_FAULT_DAMAGED;
            }
            for (unsigned i = 0; i < n; i++) {
                (void)rig_fragment(r, &s, i, path, sizeof path);
                CHECK(snprintf(aside, sizeof aside, "%s.aside", path) > 0);
                CHECK((gone >> i & 1) == 0 || rename(aside, path) == 0);
            }
        }
    }
    fprintf(stderr, "EC(%u,%u): %u times blamed, %u reads refused\n", k, n, blamed, refused);
    CHECK(blamed > 0 && refused > 0);
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();

    rig_in_memory();
    struct rig r = rig_new(rand, 5, 3, 5);
    wrong_parity(&r, 3, 5);
    rig_done(&r);
    r = rig_new(rand, 6, 2, 6);
    wrong_parity(&r, 2, 6);
    rig_done(&r);
    CHECK(qc_alloc_live() == 0);
    return 0;
}

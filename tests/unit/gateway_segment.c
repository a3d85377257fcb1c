/* unit/gateway_segment: every pattern of loss, every byte changed, ranges, mixed-up fragments, other codings.
 */
#include "gw_rig.h"
#include "qc_watched.h"

#include <fcntl.h>

enum { PATIENT_MS = 60000 };

static uint8_t bytes[QC_GW_SEGMENT_MAX];

static struct gw_range whole(const struct gw_segment *s)
{
    return (struct gw_range){ 0, s->size };
}

static void all_durable(const struct gw_written *w, unsigned n)
{
    CHECK(w->durable == n && w->durable_set == (uint32_t)((UINT64_C(1) << n) - 1));
    for (unsigned i = 0; i < n; i++)
        CHECK(w->outcome[i].fate == GW_DONE && w->outcome[i].rc == QC_OK && w->outcome[i].why[0] == '\0');
}

/* Sizes around the edges of pieces and stripes; each from every side. */
static void sizes(struct rig *r)
{
    const uint32_t stripe = 1048512; /* k = 3: 3 * 349504 */
    const uint32_t list[] = { 1,
                              2,
                              63,
                              64,
                              65,
                              191,
                              192,
                              193,
                              1000,
                              stripe - 1,
                              stripe,
                              stripe + 1,
                              3 * stripe - 64,
                              3 * stripe,
                              3 * stripe + 100,
                              QC_GW_SEGMENT_MAX - 1,
                              QC_GW_SEGMENT_MAX };

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct gw_segment s = rig_segment(r, list[i]);
        struct gw_faults f;
        const struct gw_written w = rig_write(r, &s, bytes, PATIENT_MS);
        all_durable(&w, r->n);
        CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK && f.count == 0);
        for (unsigned t = 0; t < 6; t++) {
            const uint32_t a = (uint32_t)qc_rand_below(&r->rand, s.size);
            const uint32_t b = (uint32_t)qc_rand_between(&r->rand, a + 1, s.size);
            CHECK(rig_read(r, &s, (struct gw_range){ a, b }, bytes, PATIENT_MS, &f) == QC_OK && f.count == 0);
        }
        s.absent = 0x3; /* data 0 and 1 by way of parity */
        CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK && f.count == 0);
        const uint32_t a = (uint32_t)qc_rand_below(&r->rand, s.size);
        CHECK(rig_read(r, &s, (struct gw_range){ a, s.size }, bytes, PATIENT_MS, &f) == QC_OK &&
              f.count == 0);
    }
    CHECK(gw_store_spare(r->store) == QC_GW_UNITS);
}

static bool is_one_late(const struct gw_faults *f)
{
    bool late = false;
    for (unsigned i = 0; i < f->count; i++)
        late |= f->v[i].kind == GW_FAULT_LATE;
    return late;
}

/* A read of the whole, of which so many are told at least. Where the machine was slow for a moment, another
 * fragment is asked beside one that is waited for, and may end the read before that was seen to be bad: then
 * it is read once more. */
static qc_rc read_told(struct rig *r, const struct gw_segment *s, const uint8_t *expected, unsigned least,
                       struct gw_faults *f)
{
    qc_rc rc = rig_read(r, s, whole(s), expected, PATIENT_MS, f);
    for (unsigned i = 0; rc == QC_OK && (f->count < least || is_one_late(f)) && i < 100; i++)
        rc = rig_read(r, s, whole(s), expected, PATIENT_MS, f);
    return rc;
}

/* Any m fragments gone: identical bytes and the clouds named. m + 1: refused. */
static void losses(struct rig *r, uint32_t size)
{
    struct gw_segment s = rig_segment(r, size);
    struct gw_faults f;
    char path[5][512], aside[5][520];
    unsigned cloud[5];

    (void)rig_write(r, &s, bytes, PATIENT_MS);
    for (unsigned i = 0; i < 5; i++) {
        cloud[i] = rig_fragment(r, &s, i, path[i], sizeof path[i]);
        CHECK(snprintf(aside[i], sizeof aside[i], "%s/aside%u", r->dir.path, i) < (int)sizeof aside[i]);
    }
    for (unsigned lost = 0; lost < 32; lost++) {
        for (unsigned i = 0; i < 5; i++)
            CHECK((lost >> i & 1) == 0 || rename(path[i], aside[i]) == 0);
        const unsigned count = (unsigned)__builtin_popcount(lost);
        const unsigned data = (unsigned)__builtin_popcount(lost & 7);
        const qc_rc rc = rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f);
        if (rc == QC_OK && (f.count < data || is_one_late(&f))) {
            s.absent =
                0x18; /* a cloud that was slow is asked behind parity, but for parity that is not there */
            CHECK(read_told(r, &s, bytes, data, &f) == QC_OK);
            s.absent = 0;
        }
        CHECK(rc == (count <= 2 ? QC_OK : QC_QUORUM));
        for (unsigned x = 0; x < f.count; x++) {
            CHECK((lost >> f.v[x].index & 1) != 0 && f.v[x].kind == GW_FAULT_MISSING);
            CHECK(f.v[x].cloud_id == cloud[f.v[x].index] + 1);
            CHECK(strcmp(strrchr(path[f.v[x].index], '/'), strrchr(f.v[x].key, '/')) == 0);
        }
        /* Missing data fragments are always asked, so they are always told; of the rest enough to know. */
        CHECK(f.count >= data);
        CHECK(rc == QC_OK || f.count == count);
        for (unsigned i = 0; i < 5; i++)
            CHECK((lost >> i & 1) == 0 || rename(aside[i], path[i]) == 0);
    }
}

static size_t slurp(const char *path, uint8_t *to, size_t max)
{
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    const size_t n = fread(to, 1, max, f);
    CHECK(fclose(f) == 0);
    return n;
}

static void spit(const char *path, const uint8_t *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    CHECK(f != NULL && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

/* I2: every byte of every fragment changed, one at a time, and every fragment cut short and made longer: the
 * right bytes come and the cloud is named; never others. */
static void every_byte(struct rig *r)
{
    struct gw_segment s = rig_segment(r, 500);
    static uint8_t was[8192], is[8192];
    struct gw_faults f;

    (void)rig_write(r, &s, bytes, PATIENT_MS);
    for (unsigned i = 0; i < 5; i++) {
        char path[512];
        const unsigned cloud = rig_fragment(r, &s, i, path, sizeof path);
        const size_t n = slurp(path, was, sizeof was);
        /* So that fragment i is asked. */
        s.absent = i < 3 ? 0x18 : 0x7 & ~(uint32_t)(1U << (i - 3));
        for (size_t at = 0; at < n + 2; at++) {
            memcpy(is, was, n);
            is[n] = 0;
            size_t len = n;
            if (at < n)
                is[at] ^= (uint8_t)qc_rand_between(&r->rand, 1, 255);
            else
                len = at == n ? n - 1 : n + 1;
            spit(path, is, len);
            CHECK(read_told(r, &s, bytes, 1, &f) == QC_OK);
            CHECK(f.count == 1 && f.v[0].index == i && f.v[0].kind == GW_FAULT_DAMAGED);
            CHECK(f.v[0].cloud_id == cloud + 1);
        }
        for (size_t len = 0; len < n; len += 1 + len / 4) {
            spit(path, was, len);
            CHECK(read_told(r, &s, bytes, 1, &f) == QC_OK);
            CHECK(f.count == 1 && f.v[0].index == i && f.v[0].kind == GW_FAULT_DAMAGED);
        }
        spit(path, was, n);
    }
}

/* The same for ranges of a segment of several stripes, where not every byte is looked at. */
static void some_bytes(struct rig *r)
{
    struct gw_segment s = rig_segment(r, 2500000);
    static uint8_t was[2000000], is[2000000];
    struct gw_faults f;
    unsigned named = 0;

    (void)rig_write(r, &s, bytes, PATIENT_MS);
    for (unsigned t = 0; t < 300; t++) {
        char path[512];
        const unsigned i = (unsigned)qc_rand_below(&r->rand, 3);
        (void)rig_fragment(r, &s, i, path, sizeof path);
        const size_t n = slurp(path, was, sizeof was);
        const uint32_t a = (uint32_t)qc_rand_below(&r->rand, s.size);
        const uint32_t b = (uint32_t)qc_rand_between(&r->rand, a + 1, s.size);
        memcpy(is, was, n);
        is[qc_rand_below(&r->rand, n)] ^= 1;
        spit(path, is, n);
        CHECK(rig_read(r, &s, (struct gw_range){ a, b }, bytes, PATIENT_MS, &f) == QC_OK);
        CHECK(f.count <= 1 && (f.count == 0 || (f.v[0].index == i && f.v[0].kind == GW_FAULT_DAMAGED)));
        named += f.count;
        spit(path, was, n);
    }
    CHECK(named > 100); /* two of three stripes on average, and the ends always */
}

/* Genuine fragments in wrong places: of another segment, of another index, of another cloud. */
static void mixed_up(struct rig *r)
{
    struct gw_segment s[2] = { rig_segment(r, 700), rig_segment(r, 700) };
    static uint8_t other[700], f0[4096], f1[4096];
    char path[2][512];
    struct gw_faults f;

    s[0].absent = s[1].absent = 0x18; /* fragment 0 is asked */
    (void)rig_write(r, &s[0], bytes, PATIENT_MS);
    (void)rig_write(r, &s[1], other, PATIENT_MS);
    (void)rig_fragment(r, &s[0], 0, path[0], sizeof path[0]);
    (void)rig_fragment(r, &s[1], 0, path[1], sizeof path[1]);
    const size_t n0 = slurp(path[0], f0, sizeof f0), n1 = slurp(path[1], f1, sizeof f1);
    spit(path[0], f1, n1);
    spit(path[1], f0, n0);
    CHECK(read_told(r, &s[0], bytes, 1, &f) == QC_OK);
    CHECK(f.count == 1 && f.v[0].kind == GW_FAULT_DAMAGED);
    CHECK(read_told(r, &s[1], other, 1, &f) == QC_OK && f.count == 1);
    spit(path[0], f0, n0);
    (void)rig_fragment(r, &s[0], 1, path[1], sizeof path[1]);
    const size_t n = slurp(path[1], f1, sizeof f1);
    spit(path[0], f1, n);
    CHECK(read_told(r, &s[0], bytes, 1, &f) == QC_OK);
    CHECK(f.count == 1 && f.v[0].index == 0 && f.v[0].kind == GW_FAULT_DAMAGED);
    /* A digest that is not this segment's: nothing is good enough. */
    s[0].digest[0] ^= 1;
    CHECK(rig_read(r, &s[0], whole(&s[0]), bytes, PATIENT_MS, &f) == QC_QUORUM && f.count == 5);
}

/* A fragment with extension fields in its head, as a later version may write: read as any other. */
static void longer_head(struct rig *r)
{
    struct gw_segment s = rig_segment(r, 2000000);
    QC_CLEANUP(gw_frag_keys_done) struct gw_frag_keys keys = { 0 };
    static uint8_t was[1000000], is[1000000];
    static const uint8_t extension[] = { 0, 9, 0, 0, 0, 2, 'h', 'i' };
    const size_t head = GW_FRAG_HEAD_BYTES + sizeof extension;
    char path[512];
    struct gw_faults f;
    struct qc_err err = { 0 };

    (void)rig_write(r, &s, bytes, PATIENT_MS);
    CHECK_OK(gw_frag_keys_derive(r->root, s.id, s.salt, &keys, &err));
    for (unsigned i = 0; i < 3; i++) {
        (void)rig_fragment(r, &s, i, path, sizeof path);
        const size_t n = slurp(path, was, sizeof was), end = n - gw_frag_end_size(2, 5);
        memcpy(is, was, GW_FRAG_HEAD_BYTES);
        memcpy(is + GW_FRAG_HEAD_BYTES, extension, sizeof extension);
        memcpy(is + head, was + GW_FRAG_HEAD_BYTES, n - GW_FRAG_HEAD_BYTES);
        qc_put_be(is + 6, head, 2);
        uint8_t *tags = is + end + sizeof extension;
        CHECK_OK(gw_frag_mac(&keys, qc_span_of(is, head), qc_span_of(tags, 32), qc_span_of(tags + 32, 160),
                             tags + 192, &err));
        spit(path, is, n + sizeof extension);
    }
    CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK && f.count == 0);
    CHECK(rig_read(r, &s, (struct gw_range){ 1500000, 1600000 }, bytes, PATIENT_MS, &f) == QC_OK &&
          f.count == 0);
}

/* Writing again: the same bytes under the same keys are no conflict (D2, D10). */
static void again(struct rig *r)
{
    struct gw_segment s = rig_segment(r, 100000);
    struct gw_unit *u = NULL;
    struct gw_written a, b;
    struct gw_faults f;
    struct qc_err err = { 0 };

    CHECK_OK(gw_unit_take(r->store, GW_OWNER, qc_deadline_in(1000), &u, &err));
    qc_rand_fill(&r->rand, bytes, s.size);
    gw_unit_begin(u, s.k, s.size);
    gw_unit_add(u, qc_span_of(bytes, s.size));
    CHECK_OK(gw_segment_write(r->store, &s, u, qc_deadline_in(PATIENT_MS), &a, &err));
    CHECK_OK(gw_segment_write(r->store, &s, u, qc_deadline_in(PATIENT_MS), &b, &err));
    all_durable(&b, 5);
    CHECK(memcmp(a.digest, b.digest, sizeof a.digest) == 0);
    bytes[7] ^= 1; /* other bytes: refused by the clouds that hold the data piece, and by both parities */
    gw_unit_begin(u, s.k, s.size);
    gw_unit_add(u, qc_span_of(bytes, s.size));
    bytes[7] ^= 1;
    CHECK_OK(gw_segment_write(r->store, &s, u, qc_deadline_in(PATIENT_MS), &b, &err));
    CHECK(b.durable == 0 && b.outcome[0].rc == QC_CONFLICT);
    gw_unit_give(&u);
    memcpy(s.digest, a.digest, sizeof s.digest);
    CHECK(rig_read(r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK && f.count == 0);
}

static void coding(struct qc_rand rand, unsigned k, unsigned n)
{
    struct rig r = rig_new(rand, n, k, n);
    const uint32_t list[] = { 1, 4097, 1100000, QC_GW_SEGMENT_MAX };

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct gw_segment s = rig_segment(&r, list[i]);
        struct gw_faults f;
        const struct gw_written w = rig_write(&r, &s, bytes, PATIENT_MS);
        all_durable(&w, n);
        CHECK(rig_read(&r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK && f.count == 0);
        s.absent = (1U << (n - k)) - 1;
        CHECK(rig_read(&r, &s, whole(&s), bytes, PATIENT_MS, &f) == QC_OK && f.count == 0);
    }
    rig_done(&r);
}

int main(void)
{
    const struct qc_rand rand = qc_rand_start();

    rig_in_memory();
    struct rig r = rig_new(rand, 5, 3, 5);
    sizes(&r);
    losses(&r, 777);
    losses(&r, 1200000);
    again(&r);
    mixed_up(&r);
    if (qc_threads_alone) { /* what follows is about bytes, read by the same threads */
        rig_done(&r);
        return 0;
    }
    every_byte(&r);
    some_bytes(&r);
    longer_head(&r);
    rig_done(&r);
    coding(rand, 1, 1);
    coding(rand, 1, 3);
    coding(rand, 2, 4);
    coding(rand, 4, 4);
    coding(rand, 10, 14);
    CHECK(qc_alloc_live() == 0);
    return 0;
}

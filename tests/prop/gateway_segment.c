/* prop/gateway_segment: for random k, n, size, range and loss: up to m lost fragments change nothing, more
 * are refused. 4,000 cases, 500 under a sanitizer, 50,000 with QC_FULL. */
#include "gw_rig.h"

enum { CLOUDS = 32, PATIENT_MS = 60000, SIZE_USUAL = 20000, SIZE_RARE = 3500000 };

static uint8_t bytes[SIZE_RARE];

/* Mostly a few clouds and small segments; edges of pieces and stripes more often than chance has them. */
static struct gw_segment random_segment(struct rig *r)
{
    const unsigned most = qc_rand_below(&r->rand, 8) == 0 ? CLOUDS : 7;
    const uint32_t max = qc_rand_below(&r->rand, 16) == 0 ? SIZE_RARE : SIZE_USUAL;
    unsigned order[CLOUDS];

    r->n = (unsigned)qc_rand_between(&r->rand, 1, most);
    r->k = (unsigned)qc_rand_between(&r->rand, 1, r->n);
    uint32_t size = (uint32_t)qc_rand_between(&r->rand, 1, max);
    if (qc_rand_below(&r->rand, 4) == 0) {
        const uint32_t unit = 64 * r->k * (uint32_t)qc_rand_between(&r->rand, 1, 20);
        size = unit - 1 + (uint32_t)qc_rand_below(&r->rand, 3);
    }
    struct gw_segment s = rig_segment(r, size);
    for (unsigned i = 0; i < CLOUDS; i++)
        order[i] = i;
    qc_rand_choose(&r->rand, order, CLOUDS, s.n);
    for (unsigned i = 0; i < s.n; i++) {
        s.layout[i] = order[i] + 1;
        s.attempt[i] = (uint8_t)qc_rand_below(&r->rand, 3);
    }
    return s;
}

static void remove_fragments(struct rig *r, const struct gw_segment *s, const unsigned *which, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char path[512];
        (void)rig_fragment(r, s, which[i], path, sizeof path);
        CHECK(unlink(path) == 0);
    }
}

static void one_case(struct rig *r)
{
    struct gw_segment s = random_segment(r);
    const unsigned m = s.n - s.k;
    unsigned order[QC_EC_N_MAX] = { 0 };
    struct gw_faults f;

    for (unsigned i = 0; i < s.n; i++)
        order[i] = i;
    qc_rand_choose(&r->rand, order, s.n, s.n);
    const struct gw_written w = rig_write(r, &s, bytes, PATIENT_MS);
    CHECK(w.durable == s.n);
    const unsigned lost = (unsigned)qc_rand_between(&r->rand, 0, m);
    remove_fragments(r, &s, order, lost);
    const uint32_t from = (uint32_t)qc_rand_below(&r->rand, s.size);
    const uint32_t to = (uint32_t)qc_rand_between(&r->rand, from + 1, s.size);
    CHECK(rig_read(r, &s, (struct gw_range){ from, to }, bytes, PATIENT_MS, &f) == QC_OK && f.count <= lost);
    CHECK(rig_read(r, &s, (struct gw_range){ 0, s.size }, bytes, PATIENT_MS, &f) == QC_OK && f.count <= lost);
    remove_fragments(r, &s, order + lost, m + 1 - lost);
    CHECK(rig_read(r, &s, (struct gw_range){ from, to }, bytes, PATIENT_MS, &f) == QC_QUORUM &&
          f.count == m + 1);
    remove_fragments(r, &s, order + m + 1, s.n - m - 1);
}

int main(void)
{
    const struct qc_rand rand = qc_rand_start();
    const uint64_t cases = qc_rand_cases_watched(4000, 50000);

    rig_in_memory();
    struct rig r = rig_new(rand, CLOUDS, 1, CLOUDS); /* units for any coding */
    for (uint64_t i = 0; i < cases; i++)
        one_case(&r);
    rig_done(&r);
    printf("%llu cases\n", (unsigned long long)cases);
    return 0;
}

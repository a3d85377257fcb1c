/* fault/gateway_segment: each allocation fails in turn while a segment is written and read with two fragments
 * gone: refused, or done with fewer clouds and a reason, or done; never other bytes, never a leak. */
#include "gw_rig.h"

enum { SIZE = 70000, PATIENT_MS = 30000, ROUNDS_MAX = 2000 };

static uint8_t bytes[SIZE];

/* Workers that were abandoned let go a moment after the call has returned. */
static void settle(struct rig *r)
{
    const qc_deadline d = qc_deadline_in(PATIENT_MS);

    while (gw_store_spare(r->store) != QC_GW_UNITS) {
        CHECK(!qc_deadline_over(d));
        (void)usleep(100);
    }
}

/* True: nothing failed. */
static bool write_once(struct rig *r, struct gw_segment *s, uint64_t n)
{
    struct gw_unit *u = NULL;
    struct gw_written w = { .durable = 77 };
    struct qc_err err = { 0 };

    CHECK_OK(gw_unit_take(r->store, GW_OWNER, qc_deadline_in(PATIENT_MS), &u, &err));
    gw_unit_begin(u, s->k, SIZE);
    gw_unit_add(u, qc_span_of(bytes, SIZE));
    qc_fault_alloc(n);
    const qc_rc rc = gw_segment_write(r->store, s, u, qc_deadline_in(PATIENT_MS), &w, &err);
    qc_fault_alloc(0);
    gw_unit_give(&u);
    CHECK(rc == QC_OK || (rc == QC_NOMEM && w.durable == 77));
    if (rc != QC_OK)
        return false;
    CHECK(w.durable + 1 >= 5); /* one failure costs one cloud at most */
    for (unsigned i = 0; i < 5; i++)
        CHECK(w.outcome[i].fate == GW_DONE || (w.outcome[i].rc == QC_NOMEM && w.outcome[i].why[0] != '\0'));
    memcpy(s->digest, w.digest, sizeof s->digest);
    return w.durable == 5;
}

static bool read_once(struct rig *r, const struct gw_segment *s, uint64_t n)
{
    struct gw_faults f = { 0 };
    struct gw_read *rd = NULL;
    struct qc_err err = { 0 };
    uint8_t got[SIZE];

    qc_fault_alloc(n);
    const qc_rc rc =
        gw_segment_read(r->store, s, (struct gw_range){ 0, SIZE }, qc_deadline_in(PATIENT_MS), &f, &rd, &err);
    qc_fault_alloc(0);
    CHECK(rc == QC_OK || ((rc == QC_NOMEM || rc == QC_QUORUM) && rd == NULL && err.msg[0] != '\0'));
    if (rc != QC_OK)
        return false;
    gw_read_copy(rd, 0, got, SIZE);
    CHECK(memcmp(got, bytes, SIZE) == 0);
    gw_read_free(&rd);
    return f.count == 0;
}

int main(void)
{
    rig_in_memory();
    struct rig r = rig_new(qc_rand_start(), 5, 3, 5);
    struct gw_segment s = rig_segment(&r, SIZE);
    uint64_t n = 1;

    qc_rand_fill(&r.rand, bytes, SIZE);
    CHECK(write_once(&r, &s, 0)); /* names and handles are made once */
    settle(&r);
    for (bool whole = false; !whole; n++) {
        CHECK(n < ROUNDS_MAX);
        struct gw_segment t = rig_segment(&r, SIZE);
        whole = write_once(&r, &t, n);
        settle(&r);
    }
    CHECK(n > 5);
    printf("write: %llu allocations\n", (unsigned long long)n - 2);
    s.absent = 0x3;
    n = 1;
    for (bool whole = false; !whole; n++) {
        CHECK(n < ROUNDS_MAX);
        whole = read_once(&r, &s, n);
        settle(&r);
    }
    CHECK(n > 5);
    printf("read: %llu allocations\n", (unsigned long long)n - 2);
    rig_done(&r);
    CHECK(qc_alloc_live() == 0); /* of all those rounds nothing was left */
    return 0;
}

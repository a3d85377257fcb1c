/* fault/gateway_alloc: each allocation of a put, an overwrite, a removal, a cancel and a tidy fails once. The
 * call says so and nothing else suffers: the same engine does it at the next try, and nothing was
 * acknowledged in vain (I1). */
#include "base/alloc.h"
#include "base/fault.h"
#include "gw_engine_rig.h"

enum { CLOUDS = 3, K = 2, QUIET = 60, AT_MOST = 3000 };

static unsigned failures;

static qc_rc ended(qc_rc rc)
{
    qc_fault_alloc(0);
    /* A cloud whose job had no memory has not taken its part: the quorum is what fails then. */
    const bool expected = rc == QC_OK || rc == QC_NOMEM || rc == QC_QUORUM || rc == QC_TEMP; /* decided */
    if (!expected)
        fprintf(stderr, "failed with %s\n", qc_rc_name(rc));
    CHECK(expected);
    failures += rc != QC_OK;
    return rc;
}

static void put_until(struct erig *r, const struct erig_put *p, uint64_t n)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    enum gw_upload_state state;

    qc_fault_alloc(n);
    const qc_rc rc = ended(erig_put(r, p, &receipt, &err));
    CHECK_OK(gw_upload_get(r->e, OWN(p->key), &state, &receipt, &err));
    CHECK(rc != QC_OK || state == GW_UPLOAD_LIVE);
    if (state == GW_UPLOAD_DECIDED)
        CHECK_OK(erig_commit(r, p, &receipt, &err));
    else if (state != GW_UPLOAD_LIVE)
        CHECK_OK(erig_put(r, p, &receipt, &err));
    CHECK_OK(erig_check(r, p, &err));
}

static void remove_until(struct erig *r, const struct erig_put *p, uint64_t n)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;

    qc_fault_alloc(n);
    (void)ended(erig_remove(r, p, &receipt, &err));
    CHECK_OK(erig_remove(r, p, &receipt, &err));
    CHECK(receipt.number == p->number);
}

static void cancel_until(struct erig *r, const struct erig_put *p, uint64_t n)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    enum gw_upload_state state;
    bool more;

    CHECK_OK(erig_begin(r, p, &err));
    CHECK_OK(erig_segment(r, p, 0, &err));
    qc_fault_alloc(n);
    qc_rc rc = gw_upload_cancel(r->e, OWN(p->key), &state, &receipt, &err);
    if (rc == QC_OK)
        rc = gw_engine_tidy(r->e, &more, &err);
    (void)ended(rc);
    CHECK_OK(gw_upload_cancel(r->e, OWN(p->key), &state, &receipt, &err));
    CHECK(state == GW_UPLOAD_CANCELLED);
    CHECK_RC(erig_commit(r, p, &receipt, &err), QC_CONFLICT);
}

int main(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_status s;
    struct gw_rebuild_report report;
    const uint64_t step = qc_rand_cases(3, 1);
    unsigned quiet = 0, rounds = 0;
    bool more;

    erig_new(&r, CLOUDS, K, CLOUDS);
    for (uint64_t n = 1; quiet < QUIET; n += step, rounds++) {
        const unsigned before = failures;
        char path[32];
        CHECK(n < AT_MOST);
        CHECK(snprintf(path, sizeof path, "\1n%llu", (unsigned long long)n) > 0);
        const struct erig_put one = erig_prepare(4 * n, path, 1, 2, 400),
                              two = erig_prepare(4 * n + 1, path, 2, 1, 400);
        const struct erig_put three = erig_prepare(4 * n + 2, path, 3, 1, 400),
                              rm = erig_prepare(4 * n + 3, path, 3, 1, 1);
        put_until(&r, &one, n);
        put_until(&r, &two, n);
        cancel_until(&r, &three, n);
        remove_until(&r, &rm, n);
        CHECK_OK(erig_check(&r, &one, &err));
        quiet = failures == before ? quiet + 1 : 0;
    }
    for (unsigned i = 0; i < 100; i++)
        CHECK_OK(gw_engine_tidy(r.e, &more, &err));
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    CHECK(s.versions == 2 * rounds && s.open_uploads == 0 && s.record_debts == 0);
    fprintf(stderr, "%u rounds, %u failed calls\n", rounds, failures);
    CHECK(failures > 50);
    gw_engine_close(&r.e);
    CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
    CHECK(report.versions == 2 * rounds && report.tombstones == rounds && report.fragments_missing == 0);
    erig_done(&r);
    return 0;
}

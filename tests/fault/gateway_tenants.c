/* fault/gateway_tenants: the gateway is killed at every step of a tenant's first day. A tenant is there whole
 * or not at all; what it has is counted once, whatever is done again; and the clouds alone say the same. */
#include "base/fault.h"
#include "gw_tenants.h"

enum { SIZE = 500, EXIT_DONE = 7 };

struct day {
    struct erig_put kept, broken_off, removed, removal;
};

static struct day plan(void)
{
    return (struct day){ .kept = erig_prepare(1, "\1kept", 1, 2, SIZE),
                         .broken_off = erig_prepare(2, "\1off", 1, 1, SIZE),
                         .removed = erig_prepare(3, "\1gone", 1, 1, SIZE),
                         .removal = erig_prepare(4, "\1gone", 2, 1, 1) };
}

static qc_rc add(struct erig *r, struct qc_err *err)
{
    uint8_t hash[32];
    const uint64_t quota = 20 * SIZE;
    tenant_hash("token", hash);
    const struct gw_tenant_change c = { .name = "a", .add = true, .token_hash = hash, .bytes = &quota };
    const qc_rc rc = gw_tenant_change(r->e, &c, NULL, err);
    return rc == QC_CONFLICT ? QC_OK : rc;
}

/* Everything may have been done before, in part or whole. */
static qc_rc whole_day(struct erig *r, struct qc_err *err)
{
    struct day d = plan();
    struct gw_receipt receipt;
    enum gw_upload_state state;
    const struct gw_ref off = { 1, d.broken_off.key };

    QC_TRY(add(r, err));
    tenant_be(r, 1, 0xaa);
    QC_TRY(tenant_vault(r, err));
    QC_TRY(gw_upload_get(r->e, &(struct gw_ref){ 1, d.kept.key }, &state, &receipt, err));
    if (state != GW_UPLOAD_LIVE && state != GW_UPLOAD_DECIDED) {
        QC_TRY(erig_begin(r, &d.kept, err));
        QC_TRY(erig_segment(r, &d.kept, 0, err));
        QC_TRY(
            erig_put(r, &d.kept, &receipt, err)); /* begun again, the first segment in the place of itself */
    }
    QC_TRY(gw_upload_get(r->e, &off, &state, &receipt, err));
    if (state != GW_UPLOAD_CANCELLED) {
        QC_TRY(erig_begin(r, &d.broken_off, err));
        QC_TRY(erig_segment(r, &d.broken_off, 0, err));
    }
    QC_TRY(gw_upload_cancel(r->e, &off, &state, &receipt, err));
    QC_TRY(gw_upload_get(r->e, &(struct gw_ref){ 1, d.removed.key }, &state, &receipt, err));
    if (state != GW_UPLOAD_LIVE && state != GW_UPLOAD_DECIDED)
        QC_TRY(erig_put(r, &d.removed, &receipt, err));
    QC_TRY(erig_commit(r, &d.removed, &receipt, err));
    return erig_remove(r, &d.removal, &receipt, err);
}

static void check_end(struct erig *r)
{
    struct qc_err err = { 0 };
    struct day d = plan();
    const struct gw_usage u = tenant_usage(r, 1);
    const uint64_t sealed = 40 + 36;

    tenant_be(r, 1, 0xaa);
    CHECK(u.bytes == 2 * SIZE + 3 + SIZE + 3 + 2 * sealed + strlen("\1kept") + strlen("\1gone") + 48);
    CHECK(u.objects == 2 && u.uploads == 0 && u.vaults == 1 && tenant_usage(r, GW_OWNER).objects == 0);
    tenant_counted(r, 1);
    tenant_counted(r, GW_OWNER);
    CHECK_OK(erig_check(r, &d.kept, &err));
    CHECK_OK(erig_check(r, &d.removed, &err));
}

/* Passes of each point in a day without faults; NULL script counts. */
static void in_child(struct erig *r, const char *script, uint64_t passes[QC_FP_COUNT], bool *ret_done)
{
    int fds[2], status = 0;
    CHECK(pipe(fds) == 0);
    fflush(NULL);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct qc_err err = { 0 };
        qc_fault_script(script);
        if (gw_engine_open(&r->e, r->state, &r->rng, &err) != QC_OK || whole_day(r, &err) != QC_OK)
            _exit(1);
        uint64_t seen[QC_FP_COUNT];
        for (unsigned p = 0; p < QC_FP_COUNT; p++)
            seen[p] = qc_fault_passes((enum qc_fault_point)p);
        CHECK(write(fds[1], seen, sizeof seen) == (ssize_t)sizeof seen);
        _exit(EXIT_DONE);
    }
    close(fds[1]);
    if (passes != NULL)
        CHECK(read(fds[0], passes, sizeof(uint64_t) * QC_FP_COUNT) ==
              (ssize_t)(sizeof(uint64_t) * QC_FP_COUNT));
    close(fds[0]);
    CHECK(waitpid(pid, &status, 0) == pid);
    *ret_done = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE;
    CHECK(*ret_done || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

static void start(struct erig *r)
{
    struct qc_err err = { 0 };
    erig_start(r, 3, 2, 3);
    CHECK_OK(erig_init(r, r->state, &err));
}

static void killed_at(enum qc_fault_point p, uint64_t n, bool rebuild)
{
    struct qc_err err = { 0 };
    struct gw_rebuild_report report;
    struct gw_tenant t;
    struct erig r;
    char script[128];
    uint8_t hash[32];
    bool done;

    start(&r);
    CHECK(snprintf(script, sizeof script, "%s:kill:%llu", qc_fault_name(p), (unsigned long long)n) > 0);
    in_child(&r, script, NULL, &done);
    qc_fault_script("");
    if (rebuild) {
        CHECK_OK(erig_rebuild(&r, r.state, &report, &err));
        CHECK(report.tenants <= 1);
    }
    erig_open(&r);
    tenant_hash("token", hash);
    const qc_rc rc = gw_tenant_of_token(r.e, hash, &t, &err);
    CHECK(rc == QC_OK || rc == QC_AUTH);
    if (rc == QC_OK) { /* whole, and counted as the rows say */
        CHECK(t.id == 1 && t.revision == 1 && t.enabled && t.limits.bytes == 20 * SIZE);
        tenant_counted(&r, 1);
    }
    tenant_counted(&r, GW_OWNER);
    CHECK_OK(whole_day(&r, &err));
    check_end(&r);
    erig_done(&r);
}

int main(void)
{
    uint64_t passes[QC_FP_COUNT];
    const uint64_t most = qc_rand_cases(2, 12);
    unsigned points = 0, kills = 0;
    struct erig r;
    bool done;

    start(&r);
    in_child(&r, "", passes, &done);
    CHECK(done);
    erig_open(&r);
    check_end(&r);
    erig_done(&r);
    for (unsigned p = 0; p < QC_FP_COUNT; p++) {
        /* db_commit stands for every transaction of all kinds; the others for one step each. */
        for (uint64_t n = 1; n <= passes[p] && n <= (p == QC_FP_db_commit ? 3 * most : most); n++, kills++)
            killed_at((enum qc_fault_point)p, p == QC_FP_db_commit ? 1 + (n - 1) * passes[p] / (3 * most) : n,
                      n % 2 == 0);
        points += passes[p] > 0;
    }
    fprintf(stderr, "%u points, %u kills\n", points, kills);
    CHECK(points >= 15);
    return 0;
}

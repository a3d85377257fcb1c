/* unit/gateway_move: clouds come and go, in one process: rules are asked in the transaction that decides,
 * with what is about to count; what is refused leaves no trace; a retired cloud leaves nothing in the
 * catalogue. The same where the catalogue is in PostgreSQL (postgres/engine). */
#include "cat_internal.h"
#include "engine_internal.h"
#include "gateway/drill.h"
#include "gateway/move.h"
#include "gw_engine_rig.h"
#include "gw_repair_rig.h"

enum { CLOUDS = 4, K = 2, N = 3, PAIRS = 40 };

static qc_rc move(struct erig *r, const struct gw_move_ask *ask, struct qc_err *err)
{
    struct gw_move_report report;

    *err = (struct qc_err){ 0 };
    return gw_engine_move(r->e, ask, &report, err);
}

static uint64_t log_end(struct erig *r)
{
    struct gw_log_tip tip;
    struct qc_err err = { 0 };
    QC_LOCK(gw_cat_lock(r->e->cat));

    CHECK_OK(gw_tip_get(r->e->cat, &tip, &err));
    return tip.sequence;
}

/* Refused, with these words, and without a trace in the log. */
static void refused(struct erig *r, const struct gw_move_ask *ask, qc_rc want, const char *words)
{
    const uint64_t before = log_end(r);
    struct qc_err err;
    const qc_rc rc = move(r, ask, &err);

    if (rc != want || strstr(err.msg, words) == NULL)
        fprintf(stderr, "%s: %s\n", qc_rc_name(rc), err.msg);
    CHECK(rc == want && strstr(err.msg, words) != NULL);
    CHECK(log_end(r) == before);
}

static struct gw_move_ask set(const char *name, const char *provider)
{
    return (struct gw_move_ask){ .kind = GW_MOVE_SET, .name = name, .labels = { provider } };
}

static struct gw_move_ask domain(enum gw_domain d)
{
    return (struct gw_move_ask){ .kind = GW_MOVE_DOMAIN, .domain = d };
}

static void put(struct erig *r, unsigned id)
{
    struct gw_receipt receipt;
    struct qc_err err = { 0 };
    char path[8];

    CHECK(snprintf(path, sizeof path, "\1p%u", id) > 0);
    const struct erig_put p = erig_prepare(id, path, 1, 1, 5000);
    CHECK_OK(erig_put(r, &p, &receipt, &err));
}

/* c1 lies on one provider with c2. Two fragments of one segment are on both until the rule says otherwise:
 * then it cannot be made. (A segment has both half of the time; none of PAIRS: once in 2^40.) */
static void pairs(void)
{
    struct gw_move_ask a;
    struct erig r;
    struct qc_err err;

    erig_new(&r, CLOUDS, K, N);
    for (unsigned i = 1; i <= PAIRS; i++)
        put(&r, i);
    a = set("c1", "acme");
    CHECK_OK(move(&r, &a, &err));
    a = set("c2", "acme");
    CHECK_OK(move(&r, &a, &err)); /* no rule yet */
    a = domain(GW_DOMAIN_PROVIDER);
    refused(&r, &a, QC_CONFLICT, "c1 and c2 would be one provider");
    CHECK(atomic_load(&r.e->domain) == GW_DOMAIN_CLOUD);

    /* Of three domains no one may go. */
    a = set("c3", "acme");
    CHECK_OK(move(&r, &a, &err));
    a = domain(GW_DOMAIN_PROVIDER);
    refused(&r, &a, QC_QUORUM, "there would be 2: add 1 first");
    a = domain(GW_DOMAIN_REGION);
    CHECK_OK(move(&r, &a, &err)); /* nobody has one: each is its own */
    CHECK(atomic_load(&r.e->domain) == GW_DOMAIN_REGION);
    gw_engine_close(&r.e);
    erig_open(&r);
    CHECK(atomic_load(&r.e->domain) == GW_DOMAIN_REGION);
    erig_done(&r);
}

/* A trial is a place that is about to count. */
static void trials(void)
{
    struct gw_cloud_view view;
    struct gw_segment seg;
    struct gw_move_ask a;
    struct erig r;
    struct qc_err err = { 0 };
    uint32_t free_one = 0;
    char name[8];

    erig_new(&r, CLOUDS, K, N);
    put(&r, 1);
    a = domain(GW_DOMAIN_PROVIDER);
    CHECK_OK(move(&r, &a, &err));
    {
        QC_LOCK(gw_cat_lock(r.e->cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        uint64_t id;
        CHECK_OK(gw_cat_on_cloud(r.e->cat, 1, 0, &id, &err));
        for (uint32_t c = 1; c <= CLOUDS && id == 0; c++)
            CHECK_OK(gw_cat_on_cloud(r.e->cat, c, 0, &id, &err));
        CHECK_OK(gw_cat_segment(r.e->cat, id, &seg, &err));
        for (uint32_t c = 1; c <= CLOUDS; c++)
            if (c != seg.layout[0] && c != seg.layout[1] && c != seg.layout[2])
                free_one = c;
        const struct gw_frag_key key = { .segment_id = id,
                                         .frag = 0,
                                         .cloud_id = free_one,
                                         .incarnation = r.e->conf.incarnation,
                                         .attempt = 1 };
        CHECK_OK(gw_cat_begin(r.e->cat, &tx, &err));
        CHECK_OK(gw_cat_trial_put(r.e->cat, &key, &err));
        CHECK_OK(gw_cat_commit(r.e->cat, &tx, &err));
    }
    CHECK(snprintf(name, sizeof name, "c%u", (unsigned)seg.layout[1]) > 0);
    a = set(name, "acme");
    CHECK_OK(move(&r, &a, &err));
    CHECK(snprintf(name, sizeof name, "c%u", (unsigned)free_one) > 0);
    a = set(name, "acme");
    refused(&r, &a, QC_CONFLICT, "would be one provider");
    gw_fan_view(r.e->fan, (unsigned)gw_fan_at(r.e->fan, free_one), &view);
    CHECK(view.labels.v[0][0] == '\0');
    erig_done(&r);
}

static void count_one(void *ctx, uint32_t cloud_id, enum gw_finding_kind kind, uint64_t n)
{
    unsigned *count = ctx;

    (void)kind;
    *count += n > 0 && cloud_id == 1;
}

/* A drill does without clouds that there are, and one that failed without a retired one can be outdone. */
static void drills(struct erig *r)
{
    const char *const gone[] = { "c1" };
    struct gw_drill_ask ask = { .without = gone, .without_count = 1 };
    struct gw_drilled d;
    struct gw_drills kept = { 0 };
    struct qc_err err = { 0 };

    CHECK_RC(gw_engine_drill(r->e, &ask, &d, &err), QC_NOTFOUND);
    {
        QC_LOCK(gw_cat_lock(r->e->cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        kept.failed = (struct gw_drilled){ .ended_s = 1, .exit = 6, .without_count = 1, .without = { 1 } };
        kept.last = kept.failed;
        CHECK_OK(gw_cat_begin(r->e->cat, &tx, &err));
        CHECK_OK(gw_cat_drills_put(r->e->cat, &kept, &err));
        CHECK_OK(gw_cat_commit(r->e->cat, &tx, &err));
    }
    for (uint64_t seed = 0; seed < 20; seed++) {
        ask = (struct gw_drill_ask){ .random = GW_DRILL_USUAL, .seed = seed };
        CHECK_OK(gw_engine_drill(r->e, &ask, &d, &err));
        CHECK(d.exit == 0 && d.without_count == N - K && d.without[0] != 1);
    }
    CHECK_OK(gw_engine_drills(r->e, &kept, &err));
    CHECK(kept.failed.ended_s == 0);
}

/* Drained and retired, also where that was cut off after the identity went: no finding, no pass, no debt
 * names it; nobody asks it; its name and place may be another's. */
static void retired(void)
{
    struct gw_finding f = {
        .cloud_id = 1, .kind = GW_FINDING_FOREIGN, .source = GW_FOUND_BY_PRESENCE, .key = "x"
    };
    struct gw_move_ask a = { .kind = GW_MOVE_RETIRE, .name = "c1" };
    struct gw_scrub_row row;
    struct gw_cloud_row cloud;
    struct erig r;
    struct qc_err err = { 0 };
    unsigned count = 0;
    gw_clouds ok;
    bool found;

    erig_new(&r, CLOUDS, K, N);
    for (unsigned i = 1; i <= 4; i++)
        put(&r, i);
    refused(&r, &a, QC_CONFLICT, "is in use: drain it first");
    a = (struct gw_move_ask){ .kind = GW_MOVE_DRAIN, .name = "c1" };
    CHECK_OK(move(&r, &a, &err));
    a = (struct gw_move_ask){ .kind = GW_MOVE_DRAIN, .name = "c2" };
    refused(&r, &a, QC_QUORUM, "add 1 first");
    CHECK_OK(gw_engine_scrub(r.e, false, "c1", &err)); /* it is read, so it is looked at */
    {
        QC_LOCK(gw_cat_lock(r.e->cat));
        QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
        CHECK_OK(gw_cat_begin(r.e->cat, &tx, &err));
        CHECK_OK(gw_cat_finding_put(r.e->cat, &f, &err));
        CHECK_OK(gw_cat_commit(r.e->cat, &tx, &err));
    }
    a = (struct gw_move_ask){ .kind = GW_MOVE_RETIRE, .name = "c1" };
    qc_fault_script("retire_cleaned:error:1");
    CHECK_RC(move(&r, &a, &err), QC_IO);
    qc_fault_script(NULL);
    err = (struct qc_err){ 0 };
    CHECK_OK(
        gw_probe(r.e->fan, r.e->root, 1, QC_NO_DEADLINE, &ok, &err)); /* as a gateway that goes on does */
    CHECK(ok == 0);
    CHECK_OK(move(&r, &a, &err));
    {
        QC_LOCK(gw_cat_lock(r.e->cat));
        CHECK_OK(gw_cat_finding_counts(r.e->cat, count_one, &count, &err));
        CHECK_OK(gw_cat_scrub_get(r.e->cat, 1, GW_PRESENCE, &row, &found, &err));
        CHECK_RC(gw_cloud_row(r.e->cat, 1, &cloud, &err), QC_NOTFOUND);
    }
    CHECK(count == 0 && !found);
    err = (struct qc_err){ 0 };
    CHECK_RC(gw_engine_scrub(r.e, false, "c1", &err), QC_NOTFOUND);
    CHECK(gw_fan_all(r.e->fan) == 0xe && gw_fan_witnesses(r.e->fan) == 0xe);
    drills(&r);
    for (unsigned i = 5; i <= 8; i++)
        put(&r, i);
    gw_engine_close(&r.e);
    erig_open(&r);
    CHECK(gw_fan_count(r.e->fan) == CLOUDS - 1);
    erig_done(&r);
}

int main(void)
{
    pairs();
    trials();
    retired();
    return 0;
}

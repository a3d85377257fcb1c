/* A way to a cloud is tried anew: a handle of its own is opened, with all that is agreed on for it, and asked
 * for one small thing. In a worker of the cloud, so that a way that hangs holds nobody else. */
#include <stdio.h>

#include "base/alloc.h"
#include "engine_internal.h"
#include "gateway/clouds.h"
#include "ways.h"

/* The job's memory: a job that is given up may go on for a while. */
struct owned {
    char name[CLOUD_NAME_SIZE_MAX + 1], url[CLOUD_URL_SIZE_MAX + 1], credentials[CLOUD_SPEC_SIZE_MAX + 1];
    unsigned facts;
    uint64_t open_us, ask_us; /* until the job ends, its own */
};

static void release(void *owner)
{
    qc_free(owner);
}

static qc_rc run(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    QC_CLEANUP(cloud_close) struct cloud *own = NULL;
    struct owned *o = ctx;
    const struct cloud_opts opts = { .name = o->name,
                                     .credentials = o->credentials[0] != '\0' ? o->credentials : NULL,
                                     .facts = o->facts,
                                     .op = *op };
    uint64_t size = 0, began = qc_now_ns();
    (void)c; /* the one that serves is well or not: it is not what is tried */
    QC_TRY(cloud_open_opts(&own, o->url, &opts, err));
    o->open_us = (qc_now_ns() - began) / 1000;
    began = qc_now_ns();
    QC_TRY(cloud_head(own, gw_name_identity, &size, op, err));
    o->ask_us = (qc_now_ns() - began) / 1000;
    return QC_OK;
}

static qc_rc own(struct gw_engine *e, unsigned at, struct owned **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_ways *ways = NULL;
    QC_CLEANUP(qc_free_ptr) struct owned *o = qc_alloc(sizeof *o);
    if (o == NULL)
        return QC_FAIL(err, QC_NOMEM, "a way");
    *o = (struct owned){ 0 };
    QC_TRY(gw_ways_load(&e->state, &ways, err));
    (void)snprintf(o->name, sizeof o->name, "%s", gw_fan_name(e->fan, at));
    (void)snprintf(o->url, sizeof o->url, "%s", gw_fan_url(e->fan, at));
    const struct gw_way *way = gw_ways_find(ways, o->name);
    const char *credentials = gw_way_credentials(way);
    if (credentials != NULL)
        (void)snprintf(o->credentials, sizeof o->credentials, "%s", credentials);
    o->facts = gw_way_facts(way, o->url);
    *ret = QC_STEAL(o);
    return QC_OK;
}

static void judge(const struct gw_outcome *o, const struct owned *owned, struct gw_link_test *ret)
{
    struct gw_link_test t = { .rc = QC_OK };
    if (o->fate == GW_DONE) {
        t.open_us = owned->open_us;
        t.ask_us = owned->ask_us;
    } else {
        t.rc = o->fate == GW_FAILED ? o->rc : o->fate == GW_SKIPPED ? QC_TEMP : QC_TIMEOUT;
        (void)snprintf(t.why, sizeof t.why, "%s", o->why[0] != '\0' ? o->why : "no answer in time");
    }
    *ret = t;
}

qc_rc gw_engine_link_test(struct gw_engine *e, unsigned at, struct gw_link_test *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;
    const qc_deadline d = qc_deadline_in(QC_GW_CLOUD_TEST_MS);
    struct owned *owned = NULL;
    struct gw_outcome o = { 0 };
    QC_TRY(gw_engine_may(e, err));
    QC_TRY(own(e, at, &owned, err));
    const qc_rc rc = gw_batch_new(&b, e->fan, 1, owned, release, err);
    if (rc != QC_OK)
        qc_free(owned);
    QC_TRY(rc);
    const struct gw_job job = { .at = at, .lane = GW_LANE_CONTROL, .force = true, .run = run, .ctx = owned };
    if (gw_batch_start(b, 0, &job, d))
        (void)gw_batch_next(b, d);
    gw_batch_outcome(b, 0, &o);
    judge(&o, owned, ret);
    return QC_OK;
}

bool gw_engine_way(struct gw_engine *e, unsigned at, const char **ret_name, const char **ret_url)
{
    struct gw_cloud_view v;
    gw_fan_view(e->fan, at, &v);
    *ret_name = gw_fan_name(e->fan, at);
    *ret_url = gw_fan_url(e->fan, at);
    return v.role != GW_ROLE_GONE;
}

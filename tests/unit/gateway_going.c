/* unit/gateway_going: what is said of an upload's clouds, from the events of its segments: writing, retrying,
 * failed, owed; two segments at once; another tenant's; so many uploads and no more. */
#include "going.h"

#include "qc_check.h"

static struct qc_err err;
static struct gw_goings goings;
static struct gw_progress p;

static struct gw_ref key(uint32_t tenant, uint8_t n)
{
    return (struct gw_ref){ tenant, { .b = { n, 1, 2, 3 } } };
}

/* An event of fragment i, which belongs on cloud 10 + i. */
static void tell(const struct gw_watcher *w, unsigned i, enum gw_fate fate, bool last)
{
    struct gw_outcome o = { .fate = fate };
    if (fate == GW_FAILED)
        (void)snprintf(o.why, sizeof o.why, "HTTP 503");
    w->told(w->ctx, i, 10 + i, 1000, &o, last);
}

static const struct gw_progress_cloud *cloud(unsigned i)
{
    const struct gw_ref k = key(0, 1);
    CHECK_OK(gw_goings_look(&goings, &k, &p, &err));
    for (unsigned c = 0; c < p.count; c++)
        if (p.v[c].cloud_id == 10 + i)
            return &p.v[c];
    CHECK(false);
    return NULL;
}

static bool is(unsigned i, const char *state, uint32_t tries, const char *why)
{
    const struct gw_progress_cloud *c = cloud(i);
    return strcmp(gw_progress_state(c), state) == 0 && c->tries == tries && strcmp(c->why, why) == 0;
}

/* Three clouds: one is well, one takes it the second time, one does not answer; and so the next segment. */
static void check_states(void)
{
    const struct gw_ref k = key(0, 1);
    struct gw_going_segment first, second;
    const struct gw_watcher a = gw_going_watch(&first, &goings, &k), b = gw_going_watch(&second, &goings, &k);
    CHECK_RC(gw_goings_look(&goings, &k, &p, &err), QC_NOTFOUND);
    for (unsigned i = 0; i < 3; i++)
        tell(&a, i, GW_PENDING, false);
    CHECK(is(0, "writing", 0, "") && is(1, "writing", 0, "") && is(2, "writing", 0, ""));
    tell(&a, 0, GW_DONE, false);
    tell(&a, 1, GW_FAILED, false);
    CHECK(is(0, "ok", 0, "") && is(1, "failed", 1, "HTTP 503") && cloud(1)->failed == 0);
    tell(&a, 1, GW_PENDING, false);
    tell(&b, 0, GW_PENDING, false); /* the next segment is on its way there */
    CHECK(is(1, "retrying", 1, "HTTP 503") && is(0, "writing", 0, ""));
    tell(&a, 1, GW_DONE, false);
    tell(&a, 0, GW_DONE, true);
    tell(&a, 1, GW_DONE, true);
    tell(&a, 2, GW_LATE, true);
    CHECK(is(1, "ok", 0, "HTTP 503") && is(2, "failed", 1, "no answer in time") && is(0, "writing", 0, ""));
    struct gw_written w = { .durable_set = 3, .cloud_id = { 10, 11, 12 } };
    gw_going_end(&first, &w, 3);
    CHECK(cloud(0)->durable == 1 && cloud(0)->bytes == 1000 && cloud(2)->failed == 1 && cloud(2)->bytes == 0);
    CHECK(p.segments == 1 && p.count == 3);
    tell(&b, 0, GW_DONE, false);
    tell(&b, 0, GW_DONE, true);
    tell(&b, 1, GW_SKIPPED, true);  /* nothing was sent */
    tell(&b, 2, GW_PENDING, false); /* tried once more */
    CHECK(is(1, "failed", 1, "no answer in time") && is(2, "retrying", 1, "no answer in time"));
    tell(&b, 2, GW_LEFT, true); /* nobody waits, and nobody is to blame */
    w = (struct gw_written){ .durable_set = 1, .left_set = 4, .cloud_id = { 10, 11, 12 } };
    gw_going_end(&second, &w, 3);
    CHECK(cloud(0)->durable == 2 && cloud(1)->durable == 1 && cloud(1)->failed == 1);
    CHECK(cloud(2)->durable == 0 && cloud(2)->failed == 1 && is(2, "failed", 1, "no answer in time"));
}

static void check_whose(void)
{
    const struct gw_ref other = key(7, 1), unknown = key(0, 2);
    p.segments = 77;
    CHECK_RC(gw_goings_look(&goings, &other, &p, &err), QC_NOTFOUND);
    CHECK_RC(gw_goings_look(&goings, &unknown, &p, &err), QC_NOTFOUND);
    CHECK(p.segments == 77);
}

/* The one that was not heard of for longest goes. */
static void check_bound(void)
{
    const struct gw_ref kept = key(0, 1);
    struct gw_going_segment s;
    for (unsigned i = 0; i < 3 * QC_GW_GOING_MAX; i++) {
        const struct gw_ref k = key(9, (uint8_t)i), gone = key(9, (uint8_t)(i - QC_GW_GOING_MAX));
        struct gw_watcher w = gw_going_watch(&s, &goings, &k);
        tell(&w, 0, GW_PENDING, false);
        w = gw_going_watch(&s, &goings, &kept);
        tell(&w, 0, GW_PENDING, false);
        CHECK_OK(gw_goings_look(&goings, &k, &p, &err));
        if (i >= QC_GW_GOING_MAX)
            CHECK_RC(gw_goings_look(&goings, &gone, &p, &err), QC_NOTFOUND);
    }
    CHECK(cloud(0)->durable == 2);
}

static void check_many_clouds(void)
{
    const struct gw_ref k = key(3, 3);
    struct gw_going_segment s;
    const struct gw_watcher w = gw_going_watch(&s, &goings, &k);
    const struct gw_outcome o = { .fate = GW_DONE };
    for (uint32_t id = 1; id <= QC_GW_CLOUDS_MAX + 3; id++)
        w.told(w.ctx, 0, id, 1, &o, false);
    CHECK_OK(gw_goings_look(&goings, &k, &p, &err));
    CHECK(p.count == QC_GW_CLOUDS_MAX);
}

int main(void)
{
    gw_goings_init(&goings);
    check_states();
    check_whose();
    check_bound();
    check_many_clouds();
    gw_goings_done(&goings);
    return 0;
}

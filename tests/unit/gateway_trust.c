/* unit/gateway_trust: no cloud is used before it was seen to be fit; what was shown, and where its keys are,
 * survives a rebuild and follows the URL. */
#include <dirent.h>
#include <sys/stat.h>

#include "gateway/clouds.h"
#include "gw_engine_rig.h"

struct told {
    unsigned clouds, unfit, warns;
    char why[CLOUD_WHY_MAX];
};

static void hear(void *ctx, const char *cloud, const struct cloud_report *r)
{
    struct told *t = ctx;
    (void)cloud;
    t->clouds++;
    t->unfit += r->unfit > 0;
    t->warns += r->warns;
    for (unsigned i = 0; i < CLOUD_CHECK_COUNT; i++)
        if (r->findings[i].verdict == CLOUD_UNFIT)
            memcpy(t->why, r->findings[i].why, sizeof t->why);
}

static qc_rc init(struct erig *r, struct told *t, struct qc_err *err)
{
    struct erig_clouds c;
    erig_clouds(r, &c);
    const struct gw_engine_setup setup = {
        .clouds = c.v, .count = r->clouds, .k = r->k, .n = r->n, .validate = true, .told = hear, .told_ctx = t
    };
    *t = (struct told){ 0 };
    return gw_engine_init(r->state, &setup, &r->rng, err);
}

/* Objects on cloud i whose key begins with a prefix. */
static qc_rc count_key(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    (void)item;
    (void)err;
    ++*(unsigned *)ctx;
    return QC_OK;
}

static unsigned objects(const struct erig *r, unsigned i, const char *prefix)
{
    QC_CLEANUP(cloud_close) struct cloud *c = NULL;
    const struct cloud_op op = { .deadline = QC_NO_DEADLINE };
    const struct cloud_list_query q = { .prefix = prefix, .after = "", .limit = CLOUD_LIST_MAX };
    struct cloud_page page;
    struct qc_err err = { 0 };
    struct erig_clouds clouds;
    unsigned n = 0;
    erig_clouds(r, &clouds);
    CHECK_OK(cloud_open(&c, clouds.urls[i], &err));
    CHECK_OK(cloud_list(c, &q, count_key, &n, &page, &op, &err));
    return n;
}

struct seen {
    unsigned count, validated, facts;
    int64_t least_s;
    char urls[QC_GW_CLOUDS_MAX][320];
};

static qc_rc see(void *ctx, const struct gw_cloud_info *c, struct qc_err *err)
{
    struct seen *s = ctx;
    (void)err;
    CHECK(c->credentials == NULL);
    CHECK(snprintf(s->urls[s->count], sizeof s->urls[0], "%s", c->url) < (int)sizeof s->urls[0]);
    s->count++;
    s->validated += c->validated;
    s->facts += c->facts == CLOUD_FACT_IF_NONE_MATCH;
    s->least_s = s->count == 1 || c->validated_s < s->least_s ? c->validated_s : s->least_s;
    return QC_OK;
}

static struct seen list(const struct erig *r)
{
    static struct seen s;
    struct qc_err err = { 0 };
    s = (struct seen){ 0 };
    CHECK_OK(gw_clouds_list(r->state, see, &s, &err));
    return s;
}

/* An unfit cloud is found before the gateway has written anything but test objects, which are gone again. */
static void test_unfit(void)
{
    struct erig r;
    struct told t;
    struct qc_err err = { 0 };
    char path[400];
    struct stat st;
    erig_start(&r, 3, 2, 3);
    CHECK(setenv("QC_CLOUD_FAULTS", "c2=list:empty@3-4", 1) ==
          0); /* the first list looks whether it is empty */
    CHECK(init(&r, &t, &err) == QC_UNFIT);
    CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
    CHECK(strstr(err.msg, "cloud 'c2' is not fit for use: a listing right after a write missed") != NULL);
    CHECK(t.clouds == 3 && t.unfit == 1 && strstr(err.msg, t.why) != NULL);
    for (unsigned i = 0; i < 3; i++)
        CHECK(objects(&r, i, "") == 0);
    CHECK(snprintf(path, sizeof path, "%s/root.key", r.state) < (int)sizeof path && stat(path, &st) != 0);
    qc_err_clear(&err);
    CHECK_RC(gw_clouds_list(r.state, see, NULL, &err), QC_NOTCONF);
    /* The same call with the cloud mended: all three are validated, and it is a gateway. */
    CHECK_OK(init(&r, &t, &err));
    CHECK(t.clouds == 3 && t.unfit == 0);
    const struct seen s = list(&r);
    CHECK(s.count == 3 && s.validated == 3 && s.facts == 3);
    for (unsigned i = 0; i < 3; i++)
        CHECK(objects(&r, i, "v/") == 0 && objects(&r, i, "i/") == 1);
    erig_done(&r);
}

/* Test objects that a killed validation left are no foreign objects. */
static void test_left_over(void)
{
    struct erig r;
    struct told t;
    struct qc_err err = { 0 };
    erig_start(&r, 3, 2, 3);
    CHECK(setenv("QC_CLOUD_FAULTS", "c1=delete:drop,put:fail:temporary@9-9", 1) == 0);
    CHECK_RC(init(&r, &t, &err), QC_QUORUM);
    CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
    CHECK(objects(&r, 0, "v/") > 0);
    CHECK_OK(init(&r, &t, &err));
    CHECK(objects(&r, 0, "v/") == 0);
    erig_done(&r);
}

static qc_rc rebuild(struct erig *r, const struct erig_clouds *c, struct told *t, struct qc_err *err)
{
    const struct gw_rebuild_setup setup = {
        .clouds = c->v, .count = r->clouds, .validate = true, .told = hear, .told_ctx = t
    };
    struct gw_rebuild_report report;
    *t = (struct told){ 0 };
    return gw_rebuild(r->state, &setup, &r->rng, &report, err);
}

/* What was shown of a place stands as long as the cloud is there; one that moved is looked at again; one that
 * is away is not known, and no reason against a rebuild; and one that is unfit is told and used, since data
 * lies there. */
static void test_rebuild(void)
{
    struct erig r;
    struct told t;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct erig_clouds c;
    char here[320], there[320];
    erig_new(&r, 3, 2, 3);
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 2, 30000);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    gw_engine_close(&r.e);
    CHECK(list(&r).validated == 0); /* the rig asked for no validation */

    erig_clouds(&r, &c);
    CHECK_OK(rebuild(&r, &c, &t, &err));
    CHECK(t.clouds == 3 && list(&r).validated == 3);
    CHECK_OK(rebuild(&r, &c, &t, &err));
    CHECK(t.clouds == 0 && list(&r).validated == 3);

    erig_cloud(&r, 1, "", here, sizeof here);
    erig_cloud(&r, 1, "-moved", there, sizeof there);
    CHECK(rename(here, there) == 0);
    CHECK(snprintf(c.urls[1], sizeof c.urls[1], "file://%s", there) < (int)sizeof c.urls[1]);
    erig_lose(&r, 2);
    CHECK(setenv("QC_CLOUD_FAULTS", "c2=get:fail:io@4-4", 1) == 0); /* of the second handle: a cut */
    CHECK_OK(rebuild(&r, &c, &t, &err));
    CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
    CHECK(t.clouds == 1 && t.unfit == 1 && strstr(t.why, "a cut of an object") != NULL);
    const struct seen s = list(&r);
    CHECK(s.validated == 3 && strcmp(s.urls[1], c.urls[1]) == 0); /* c3: as it was shown before */
    erig_find(&r, 2);
    erig_open(&r);
    CHECK_OK(erig_check(&r, &p, &err));
    erig_done(&r);
}

static void test_commands(void)
{
    struct erig r;
    struct told t;
    static struct cloud_report report;
    struct qc_err err = { 0 };
    erig_start(&r, 3, 2, 3);
    CHECK_OK(init(&r, &t, &err));
    CHECK_OK(gw_cloud_validate(r.state, "c2", false, &report, &err));
    CHECK(report.unfit == 0 && report.findings[CLOUD_CHECK_ROUND_TRIP].verdict == CLOUD_GOOD);
    CHECK_RC(gw_cloud_validate(r.state, "c4", false, &report, &err), QC_NOTFOUND);
    CHECK(setenv("QC_CLOUD_FAULTS", "c2=put:flip@1-1", 1) == 0);
    CHECK_RC(gw_cloud_validate(r.state, "c2", false, &report, &err), QC_UNFIT);
    CHECK(report.unfit == 1);
    CHECK(setenv("QC_CLOUD_FAULTS", "c2=put:drop@6-13", 1) == 0); /* the race */
    CHECK_OK(gw_cloud_validate(r.state, "c2", false, &report, &err));
    CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
    CHECK(report.findings[CLOUD_CHECK_NEW_RACE].verdict == CLOUD_WARNS &&
          list(&r).facts == 2); /* it is remembered that this one cannot */
    CHECK_RC(gw_cloud_set(r.state, "c2", "/some/keys", false, &report, &err),
             QC_USAGE); /* a directory has none */
    erig_lose(&r, 1);
    CHECK_RC(gw_cloud_validate(r.state, "c2", false, &report, &err), QC_NOTFOUND);
    erig_find(&r, 1);
    erig_open(&r); /* somebody serves */
    CHECK_RC(gw_cloud_validate(r.state, "c2", false, &report, &err), QC_LOCKED);
    CHECK_RC(gw_clouds_list(r.state, see, NULL, &err), QC_LOCKED);
    erig_done(&r);
}

int main(void)
{
    CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
    test_unfit();
    test_left_over();
    test_rebuild();
    test_commands();
    return 0;
}

/* A cloud is tried: is it there, is it ours, and does a small object go there, come back and go again? Over
 * the gateway's own connections, so that what is tried is what serves. */
#include <stdio.h>

#include "base/codec.h"
#include "cloud/validate.h"
#include "engine_internal.h"
#include "gateway/clouds.h"
#include "gateway/probe.h"

enum { RUN_BYTES = 8 };

const char *gw_test_step_name(enum gw_test_step s)
{
    static const char *const names[GW_TEST_STEPS] = { "identity", "put", "get", "remove", "gone" };
    QC_ASSERT(s < GW_TEST_STEPS);
    return names[s];
}

/* One trial under way. */
struct trial {
    struct gw_engine *e;
    unsigned at;
    char key[CLOUD_TEST_KEY_SIZE];
    uint8_t bytes[QC_GW_CLOUD_TEST_SIZE];
    struct gw_cloud_test *r;
};

static struct gw_ask ask_of(const struct trial *t, const char **keys)
{
    keys[t->at] = t->key;
    return (struct gw_ask){ .set = (gw_clouds)1 << t->at,
                            .keys = keys,
                            .rule = { .deadline = qc_deadline_in(QC_GW_CLOUD_TEST_MS) },
                            .force = true };
}

/* What a step ended with; the first failure is kept. */
static void note(struct trial *t, enum gw_test_step step, uint64_t began_ns, qc_rc rc, const char *why)
{
    struct gw_cloud_test *r = t->r;
    r->took[step] = true;
    r->us[step] = (qc_now_ns() - began_ns) / 1000;
    if (rc == QC_OK || r->rc != QC_OK)
        return;
    r->rc = rc;
    r->failed = step;
    (void)snprintf(r->why, sizeof r->why, "%s", why);
}

static void note_outcome(struct trial *t, enum gw_test_step step, uint64_t began_ns,
                         const struct gw_outcome *o)
{
    const bool late = o->fate == GW_LATE || o->fate == GW_LEFT;
    const qc_rc rc = o->fate == GW_DONE ? QC_OK : late ? QC_TIMEOUT : o->fate == GW_SKIPPED ? QC_TEMP : o->rc;
    note(t, step, began_ns, rc,
         late && o->why[0] == '\0' ? "no answer in time"
         : o->why[0] != '\0'       ? o->why
                                   : "not asked: its workers hang");
}

static qc_rc alive(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    (void)ctx;
    return cloud_alive(c, op, err);
}

/* A handle outlives what it was opened at: whoever stands there now is asked below, by a new one. */
static qc_rc look(struct trial *t, struct qc_err *err)
{
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;
    const struct gw_job job = { .at = t->at, .lane = GW_LANE_CONTROL, .force = true, .run = alive };
    const qc_deadline d = qc_deadline_in(QC_GW_CLOUD_TEST_MS);
    QC_TRY(gw_batch_new(&b, t->e->fan, 1, NULL, NULL, err));
    if (gw_batch_start(b, 0, &job, d))
        (void)gw_batch_next(b, d);
    return QC_OK;
}

/* Twice: a worker's handle may be of who stood there before, and it says no more than that. */
static qc_rc identity(struct trial *t, struct qc_err *err)
{
    enum { TRIES = 2 };
    const uint64_t began = qc_now_ns();
    struct gw_cloud_view v = { .state = GW_CLOUD_UNKNOWN };
    gw_clouds ok = 0;
    for (unsigned i = 0; i < TRIES && ok == 0 && v.state != GW_CLOUD_LOST; i++) {
        QC_TRY(look(t, err));
        QC_TRY(gw_probe(t->e->fan, t->e->root, (gw_clouds)1 << t->at, qc_deadline_in(QC_GW_CLOUD_TEST_MS),
                        &ok, err));
        gw_fan_view(t->e->fan, t->at, &v);
    }
    note(t, GW_TEST_IDENTITY, began, ok != 0 ? QC_OK : v.state == GW_CLOUD_LOST ? QC_UNFIT : QC_TEMP, v.why);
    return QC_OK;
}

static qc_rc put(struct trial *t, struct qc_err *err)
{
    const char *keys[QC_GW_CLOUDS_MAX] = { NULL };
    const struct gw_ask ask = ask_of(t, keys);
    const uint64_t began = qc_now_ns();
    struct gw_answer a;
    QC_TRY(gw_fan_put(t->e->fan, &ask, qc_span_of(t->bytes, sizeof t->bytes), CLOUD_NEW, &a, err));
    note_outcome(t, GW_TEST_PUT, began, &a.outcome[t->at]);
    return QC_OK;
}

static qc_rc get(struct trial *t, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf back = { 0 };
    const struct gw_get_one one = {
        .at = t->at, .key = t->key, .size_max = sizeof t->bytes, .ms = QC_GW_CLOUD_TEST_MS, .force = true
    };
    const uint64_t began = qc_now_ns();
    struct gw_outcome o;
    QC_TRY(gw_fan_get_one(t->e->fan, &one, &back, &o, err));
    if (o.fate == GW_DONE && !qc_span_eq(qc_buf_span(&back), qc_span_of(t->bytes, sizeof t->bytes)))
        note(t, GW_TEST_GET, began, QC_UNFIT, "other bytes came back than were put");
    else
        note_outcome(t, GW_TEST_GET, began, &o);
    return QC_OK;
}

/* Also where the put failed: it may have taken effect. */
static qc_rc take_away(struct trial *t, struct qc_err *err)
{
    const char *keys[QC_GW_CLOUDS_MAX] = { NULL };
    const struct gw_ask ask = ask_of(t, keys);
    uint64_t began = qc_now_ns();
    struct gw_answer a;
    QC_TRY(gw_fan_delete(t->e->fan, &ask, &a, err));
    note_outcome(t, GW_TEST_REMOVE, began, &a.outcome[t->at]);
    if (a.outcome[t->at].fate != GW_DONE)
        return QC_OK;
    began = qc_now_ns();
    QC_TRY(gw_fan_head(t->e->fan, &ask, NULL, &a, err));
    struct gw_outcome *o = &a.outcome[t->at];
    if (o->fate == GW_FAILED && o->rc == QC_NOTFOUND)
        note(t, GW_TEST_GONE, began, QC_OK, "");
    else if (o->fate == GW_DONE)
        note(t, GW_TEST_GONE, began, QC_UNFIT, "it is there after it was removed");
    else
        note_outcome(t, GW_TEST_GONE, began, o);
    return QC_OK;
}

static qc_rc find(struct gw_fan *f, const char *name, unsigned *ret, struct qc_err *err)
{
    for (unsigned at = 0; at < gw_fan_count(f); at++) {
        struct gw_cloud_view v;
        gw_fan_view(f, at, &v);
        if (v.role != GW_ROLE_GONE && strcmp(gw_fan_name(f, at), name) == 0) {
            *ret = at;
            return QC_OK;
        }
    }
    return QC_FAIL(err, QC_NOTFOUND, "the gateway has no cloud '%.64s'", name);
}

qc_rc gw_engine_cloud_test(struct gw_engine *e, const char *name, struct gw_cloud_test *ret,
                           struct qc_err *err)
{
    struct gw_cloud_test r = { .rc = QC_OK };
    struct trial t = { .e = e, .r = &r };
    uint8_t run[RUN_BYTES];
    QC_TRY(gw_engine_may(e, err));
    QC_TRY(find(e->fan, name, &t.at, err));
    QC_TRY(qc_rng_fill(e->rng, run, sizeof run, err));
    QC_TRY(qc_rng_fill(e->rng, t.bytes, sizeof t.bytes, err));
    cloud_test_key(t.key, run);
    QC_TRY(identity(&t, err));
    if (r.rc == QC_OK) { /* a place that is not our cloud gets nothing */
        QC_TRY(put(&t, err));
        if (r.rc == QC_OK)
            QC_TRY(get(&t, err));
        QC_TRY(take_away(&t, err));
    }
    *ret = r;
    return QC_OK;
}

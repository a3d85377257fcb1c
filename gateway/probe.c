#include "gateway/probe.h"

#include "base/planted.h"
#include "fan_internal.h"

/* The state that an answer to "who are you" shows; why is its reason. */
static qc_rc judge(const struct gw_root *r, const struct gw_member *m, const struct gw_outcome *o,
                   qc_span object, enum gw_cloud_state *ret, char why[GW_WHY_MAX], struct qc_err *err)
{
    const char *text = o->why;
    struct qc_err said = { 0 };

    if (qc_planted(wiped_counts) && o->fate == GW_FAILED && o->rc == QC_NOTFOUND) {
        *ret = GW_CLOUD_OK;
    } else if (o->fate == GW_DONE) {
        qc_rc rc = gw_identity_check(r, m, object, &said);
        if (rc == QC_NOMEM)
            return QC_FAIL(err, QC_NOMEM, "probe: %s", said.msg);
        *ret = rc == QC_OK ? GW_CLOUD_OK : GW_CLOUD_LOST;
        text = said.msg;
    } else {
        *ret = o->gone || o->rc == QC_NOTFOUND || o->rc == QC_LIMIT ? GW_CLOUD_LOST : GW_CLOUD_UNREACHABLE;
    }
    const size_t n = strnlen(text, GW_WHY_MAX - 1);
    memcpy(why, text, n);
    why[n] = '\0';
    return QC_OK;
}

static void done_bufs(qc_buf (*b)[QC_GW_CLOUDS_MAX])
{
    for (unsigned i = 0; i < QC_GW_CLOUDS_MAX; i++)
        qc_buf_free(&(*b)[i]);
}

static struct gw_member member(struct gw_fan *f, unsigned at)
{
    QC_LOCK(&f->lock);

    return (struct gw_member){ f->clouds[at].id, f->clouds[at].generation };
}

qc_rc gw_probe(struct gw_fan *f, const struct gw_root *r, gw_clouds set, qc_deadline deadline, gw_clouds *ok,
               struct qc_err *err)
{
    QC_CLEANUP(done_bufs) qc_buf objects[QC_GW_CLOUDS_MAX] = { 0 };
    const char *keys[QC_GW_CLOUDS_MAX];
    const struct gw_ask ask = { .set = set, .keys = keys, .rule = { .deadline = deadline }, .force = true };
    struct gw_answer a;
    gw_clouds good = 0;

    for (unsigned i = 0; i < QC_GW_CLOUDS_MAX; i++)
        keys[i] = gw_name_identity;
    QC_TRY(gw_fan_get(f, &ask, GW_IDENTITY_MAX, objects, &a, err));
    for (unsigned i = 0; i < gw_fan_count(f); i++) {
        enum gw_cloud_state state = GW_CLOUD_UNKNOWN;
        char why[GW_WHY_MAX];
        if ((set >> i & 1) == 0)
            continue;
        const struct gw_member m = member(f, i);
        QC_TRY(judge(r, &m, &a.outcome[i], qc_buf_span(&objects[i]), &state, why, err));
        gw_fan_set_state(f, i, state, why);
        good |= (gw_clouds)(state == GW_CLOUD_OK) << i;
    }
    *ok = good;
    return QC_OK;
}

/* Under the lock. */
static bool is_ill(const struct gw_cloud *c)
{
    return c->state != GW_CLOUD_OK || gw_cloud_suspect(c);
}

gw_clouds gw_probe_ill(struct gw_fan *f, gw_clouds set)
{
    QC_LOCK(&f->lock);
    gw_clouds ill = 0;

    for (unsigned i = 0; i < f->cloud_count; i++)
        ill |= (gw_clouds)is_ill(&f->clouds[i]) << i;
    return ill & set;
}

/* Those of the set that are asked now; whose breaker is open, by this caller alone. */
static gw_clouds asked(struct gw_fan *f, gw_clouds set, enum gw_ill which)
{
    QC_LOCK(&f->lock);
    const uint64_t now = gw_env_now(f->env);
    gw_clouds ask = 0;

    for (unsigned i = 0; i < f->cloud_count; i++) {
        struct gw_cloud *c = &f->clouds[i];
        if ((set >> i & 1) == 0 || !is_ill(c))
            continue;
        if (which == GW_ILL_ALL || (which == GW_ILL_QUIET && !gw_cloud_suspect(c)) ||
            (which == GW_ILL_WORTH && gw_breaker_probe(&c->breaker, now)))
            ask |= (gw_clouds)1 << i;
    }
    return ask;
}

qc_rc gw_probe_again(struct gw_fan *f, const struct gw_root *r, gw_clouds set, enum gw_ill which,
                     gw_clouds *back, struct qc_err *err)
{
    const gw_clouds ask = asked(f, set, which);

    *back = 0;
    return ask == 0 ? QC_OK : gw_probe(f, r, ask, qc_deadline_in(QC_GW_PROBE_MS), back, err);
}

/* Tenants: the operator's calls, and what a tenant is told of itself. */
#include <string.h>

#include "base/log.h"
#include "calls.h"
#include "json.h"
#include "tenant_body.h"

/* A limit that may be none: null. */
static qc_rc set_limit(struct json_t *o, const char *name, uint64_t v, struct qc_err *err)
{
    return v == GW_NO_LIMIT ? qc_json_set_null(o, name, err) : json_count(o, name, v, err);
}

static qc_rc limits_json(struct json_t *o, const struct gw_tenant_limits *l, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *limits = NULL;
    QC_TRY(qc_json_new_obj(&limits, err));
    QC_TRY(set_limit(limits, "bytes", l->bytes, err));
    QC_TRY(set_limit(limits, "objects", l->objects, err));
    QC_TRY(json_count(limits, "uploads", l->uploads, err));
    QC_TRY(json_count(limits, "requests", l->requests, err));
    return qc_json_set(o, "limits", &limits, err);
}

static qc_rc usage_json(struct json_t *o, const struct gw_usage *u, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *used = NULL;
    QC_TRY(qc_json_new_obj(&used, err));
    QC_TRY(json_count(used, "bytes", u->bytes, err));
    QC_TRY(json_count(used, "objects", u->objects, err));
    QC_TRY(json_count(used, "uploads", u->uploads, err));
    QC_TRY(json_count(used, "vaults", u->vaults, err));
    return qc_json_set(o, "used", &used, err);
}

static qc_rc tenant_json(struct json_t **ret, const struct gw_tenant *t, const struct gw_usage *u,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(json_count(o, "tenant", t->id, err));
    QC_TRY(qc_json_set_str(o, "name", t->name, err));
    QC_TRY(qc_json_set_bool(o, "enabled", t->enabled, err));
    QC_TRY(json_count(o, "revision", t->revision, err));
    QC_TRY(limits_json(o, &t->limits, err));
    QC_TRY(usage_json(o, u, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

static qc_rc add_tenant(void *ctx, const struct gw_tenant *t, const struct gw_usage *u, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(tenant_json(&o, t, u, err));
    return qc_json_append(ctx, &o, err);
}

qc_rc tenants_json(struct json_t **ret, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_new_arr(&list, err));
    QC_TRY(gw_tenant_list(e, add_tenant, list, err));
    QC_TRY(qc_json_set(o, "tenants", &list, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

/* -- changes --------------------------------------------------------------------------------------------- */

static qc_rc make_change(struct json_t **ret, struct gw_engine *e, const struct tenant_body *w,
                         struct qc_err *err)
{
    struct gw_tenant_limits limits;
    struct gw_tenant t;
    struct gw_usage u;
    QC_TRY(gw_tenant_change(e, &w->c, &t, err));
    QC_LOG(QC_LOG_INFO, w->c.add ? "a tenant was added" : "a tenant was changed", QC_S("name", t.name),
           QC_U("tenant", t.id), QC_U("revision", t.revision), QC_U("enabled", t.enabled),
           QC_U("token", w->c.token_hash != NULL));
    QC_TRY(gw_tenant_usage(e, t.id, &u, &limits, err));
    return tenant_json(ret, &t, &u, err);
}

qc_rc tenant_change_json(struct json_t **ret, struct gw_engine *e, const char *name,
                         const struct json_t *body, struct qc_err *err)
{
    struct tenant_body w;
    QC_TRY(tenant_body_parse(&w, name, body, err));
    return make_change(ret, e, &w, err);
}

/* -- calls ----------------------------------------------------------------------------------------------- */

qc_rc call_tenants(struct request *r, struct answer *ret, struct qc_err *err)
{
    return tenants_json(&ret->json, request_engine(r), err);
}

static qc_rc change(struct request *r, const char *name, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    struct tenant_body w;
    QC_TRY_AS(qc_json_parse(&in, qc_buf_span(&r->body), err), err, "body");
    if (!qc_json_is_object(in))
        return QC_FAIL(err, QC_FORMAT, "body: not a JSON object");
    QC_TRY(tenant_body_parse(&w, name, in, err));
    return make_change(&ret->json, request_engine(r), &w, err);
}

qc_rc call_tenant_add(struct request *r, struct answer *ret, struct qc_err *err)
{
    ret->status = MHD_HTTP_CREATED;
    return change(r, NULL, ret, err);
}

qc_rc call_tenant_change(struct request *r, struct answer *ret, struct qc_err *err)
{
    return change(r, r->name, ret, err);
}

/* -- a tenant's own status ------------------------------------------------------------------------------- */

/* Which clouds answer: a margin means nothing without it. Where they lie is the operator's business. */
static qc_rc clouds_json(struct json_t *o, const struct gw_status *s, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < s->cloud_count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_str(one, "name", s->clouds[i].name, err));
        QC_TRY(qc_json_set_str(one, "state", gw_cloud_state_name(s->clouds[i].view.state), err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    return qc_json_set(o, "clouds", &list, err);
}

static qc_rc safety_json(struct json_t *o, const struct gw_safety *s, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (int i = 0; i <= 2 * QC_EC_N_MAX; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        if (s->versions[i] == 0)
            continue;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_int(one, "margin", i - QC_EC_N_MAX, err));
        QC_TRY(json_count(one, "versions", s->versions[i], err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    QC_TRY(qc_json_set(o, "margins", &list, err));
    QC_TRY(json_count(o, "debts", s->debts, err));
    return json_count(o, "other_code", s->other_code, err);
}

/* Of all clouds together: what was looked at least lately. Which cloud that is, is the operator's business.
 */
static qc_rc depth_json(struct json_t *o, enum gw_depth depth, const struct gw_status *s, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    struct gw_scrub_view worst = { .since_s = INT64_MAX };
    for (unsigned i = 0; i < s->cloud_count; i++) {
        const struct gw_scrub_view *v = &s->clouds[i].scrub.depth[depth - 1];
        worst.late |= v->late;
        if (v->since_s < worst.since_s)
            worst.since_s = v->since_s;
    }
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_int(one, "since", s->cloud_count > 0 ? worst.since_s : 0, err));
    QC_TRY(qc_json_set_bool(one, "late", worst.late, err));
    return qc_json_set(o, gw_depth_name(depth), &one, err);
}

static qc_rc scrub_json(struct json_t *o, struct gw_engine *e, struct gw_status *s, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *scrub = NULL;
    for (unsigned i = 0; i < s->cloud_count; i++)
        QC_TRY(gw_engine_scrub_view(e, s->clouds[i].at, &s->clouds[i].scrub, err));
    QC_TRY(qc_json_new_obj(&scrub, err));
    QC_TRY(depth_json(scrub, GW_PRESENCE, s, err));
    QC_TRY(depth_json(scrub, GW_CONTENT, s, err));
    return qc_json_set(o, "scrub", &scrub, err);
}

qc_rc tenant_status_json(struct json_t **ret, struct gw_engine *e, uint32_t tenant, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    struct gw_tenant_limits limits;
    struct gw_safety safety;
    struct gw_status s;
    struct gw_usage u;
    QC_TRY(gw_engine_clouds(e, &s, err));
    QC_TRY(gw_tenant_usage(e, tenant, &u, &limits, err));
    QC_TRY(gw_tenant_safety(e, tenant, &safety, err));
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_hex(o, "catalogue", gw_id_span(&s.health.catalogue), err));
    QC_TRY(qc_json_set_bool(o, "fenced", s.health.fenced, err));
    QC_TRY(json_count(o, "k", s.k, err));
    QC_TRY(json_count(o, "n", s.n, err));
    QC_TRY(clouds_json(o, &s, err));
    QC_TRY(json_count(o, "objects", u.names, err));
    QC_TRY(json_count(o, "versions", u.objects, err));
    QC_TRY(json_count(o, "bytes", u.bytes, err));
    QC_TRY(json_count(o, "open_uploads", u.uploads, err));
    QC_TRY(safety_json(o, &safety, err));
    QC_TRY(scrub_json(o, e, &s, err));
    QC_TRY(qc_json_set_int(o, "observed", s.observed_s, err));
    QC_TRY(qc_json_set_int(o, "oldest", safety.oldest_s, err));
    QC_TRY(limits_json(o, &limits, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

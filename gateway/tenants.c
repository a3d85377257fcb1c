/* Tenants: the operator's changes, and whose a token is. */
#include "engine_internal.h"

static qc_rc verifier_of(struct gw_engine *e, const uint8_t token_hash[QC_SHA256_BYTES],
                         uint8_t ret[GW_DIGEST_BYTES], struct qc_err *err)
{
    const qc_span part = qc_span_of(token_hash, QC_SHA256_BYTES);

    return gw_root_mac(e->root, "token", &part, 1, ret, err);
}

/* -- changes --------------------------------------------------------------------------------------------- */

static qc_rc take_limit(uint32_t *to, const uint64_t *value, const char *what, uint64_t most,
                        struct qc_err *err)
{
    if (value == NULL)
        return QC_OK;
    if (*value < 1 || *value > most)
        return QC_FAIL(err, QC_USAGE, "%s: %" PRIu64 ", expected 1..%" PRIu64, what, *value, most);
    *to = (uint32_t)*value;
    return QC_OK;
}

static qc_rc take_size(uint64_t *to, const uint64_t *value, const char *what, struct qc_err *err)
{
    if (value == NULL)
        return QC_OK;
    if (*value > GW_NO_LIMIT)
        return QC_FAIL(err, QC_USAGE, "%s: %" PRIu64 " is too large", what, *value);
    *to = *value;
    return QC_OK;
}

static qc_rc apply_change(struct gw_engine *e, const struct gw_tenant_change *c, struct gw_tenant *t,
                          struct qc_err *err)
{
    if (c->enabled != NULL)
        t->enabled = *c->enabled;
    QC_TRY(take_size(&t->limits.bytes, c->bytes, "quota", err));
    QC_TRY(take_size(&t->limits.objects, c->objects, "objects", err));
    QC_TRY(take_limit(&t->limits.uploads, c->uploads, "uploads", QC_GW_UPLOADS_MAX, err));
    QC_TRY(take_limit(&t->limits.requests, c->requests, "requests", QC_GW_TENANT_REQUESTS_MAX, err));
    return c->token_hash != NULL ? verifier_of(e, c->token_hash, t->verifier, err) : QC_OK;
}

static qc_rc current(struct gw_engine *e, const char *name, struct gw_tenant *ret, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    const qc_rc rc = gw_cat_tenant_named(e->cat, name, ret, err);

    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_NOTFOUND, "there is no tenant '%s'", name);
    return rc;
}

qc_rc gw_tenant_change(struct gw_engine *e, const struct gw_tenant_change *c, struct gw_tenant *ret,
                       struct qc_err *err)
{
    struct gw_tenant t = { .enabled = true,
                           .limits = { .bytes = GW_NO_LIMIT,
                                       .objects = QC_GW_TENANT_OBJECTS,
                                       .uploads = QC_GW_TENANT_UPLOADS,
                                       .requests = QC_GW_TENANT_REQUESTS } };
    struct gw_change change = { .kind = GW_CHANGE_TENANT, .tenant = &t, .add = c->add };

    QC_TRY(gw_engine_may(e, err));
    if (!gw_tenant_name_ok(qc_span_str(c->name)))
        return QC_FAIL(err, QC_USAGE,
                       "a tenant's name has 1..%d of a-z 0-9 . _ -, the first a letter or digit",
                       QC_GW_TENANT_NAME_MAX);
    if (c->add && c->token_hash == NULL)
        return QC_FAIL(err, QC_USAGE, "a new tenant needs a token");
    if (c->add)
        memcpy(t.name, c->name, strlen(c->name) + 1);
    else
        QC_TRY(current(e, c->name, &t, err));
    t.revision++;
    QC_TRY(apply_change(e, c, &t, err));
    QC_TRY(gw_commit(e, &change, err));
    if (ret != NULL)
        *ret = t;
    return QC_OK;
}

/* -- looking --------------------------------------------------------------------------------------------- */

/* All rows and their usage, as they were at one moment. */
struct listing {
    struct gw_tenant v[QC_GW_TENANTS_MAX];
    struct gw_usage u[QC_GW_TENANTS_MAX];
    unsigned count;
};

static qc_rc read_all(struct gw_engine *e, struct listing *l, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_cat_tenants(e->cat, l->v, &l->count, err));
    for (unsigned i = 0; i < l->count; i++)
        QC_TRY(gw_cat_usage(e->cat, l->v[i].id, &l->u[i], err));
    return QC_OK;
}

qc_rc gw_tenant_list(struct gw_engine *e, gw_tenant_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct listing *l = qc_alloc(sizeof *l);

    if (l == NULL)
        return QC_FAIL(err, QC_NOMEM, "list of tenants");
    QC_TRY(gw_engine_may(e, err));
    QC_TRY(read_all(e, l, err));
    for (unsigned i = 0; i < l->count; i++)
        QC_TRY(fn(ctx, &l->v[i], &l->u[i], err));
    return QC_OK;
}

qc_rc gw_tenant_usage(struct gw_engine *e, uint32_t tenant, struct gw_usage *ret,
                      struct gw_tenant_limits *ret_limits, struct qc_err *err)
{
    struct gw_tenant t = { .limits = { GW_NO_LIMIT, GW_NO_LIMIT, UINT32_MAX, UINT32_MAX } };
    struct gw_usage u;

    QC_TRY(gw_engine_may(e, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_cat_usage(e->cat, tenant, &u, err));
    if (tenant != GW_OWNER)
        QC_TRY(gw_cat_tenant(e->cat, tenant, &t, err));
    *ret = u;
    *ret_limits = t.limits;
    return QC_OK;
}

qc_rc gw_tenant_safety(struct gw_engine *e, uint32_t tenant, struct gw_safety *ret, struct qc_err *err)
{
    struct gw_safety s = { 0 };
    struct gw_margins_at at = { 0 };

    QC_TRY(gw_engine_may(e, err));
    for (bool more = true; more;) {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_tenant_margins(e->cat, tenant, &at, &s, &more, err));
    }
    QC_LOCK(gw_cat_lock(e->cat));
    QC_TRY(gw_cat_tenant_debts(e->cat, tenant, &s.debts, err));
    QC_TRY(gw_cat_tenant_other_code(e->cat, tenant, e->conf.k, e->conf.n, &s.other_code, err));
    *ret = s;
    return QC_OK;
}

/* -- tokens ---------------------------------------------------------------------------------------------- */

/* The rows that requests look at become those of the catalogue. Stale is said and taken back under its lock,
 * and nobody goes by old rows meanwhile: who was disabled is out when the operator's command returns. */
static qc_rc refresh(struct gw_engine *e, struct qc_err *err)
{
    unsigned count = 0;

    if (!atomic_load(&e->tenants_stale))
        return QC_OK;
    QC_LOCK(gw_cat_lock(e->cat));
    if (!atomic_load(&e->tenants_stale))
        return QC_OK;
    QC_CLEANUP(qc_free_ptr) struct gw_tenant *v = qc_alloc(QC_GW_TENANTS_MAX * sizeof *v);
    if (v == NULL)
        return QC_FAIL(err, QC_NOMEM, "tenants");
    QC_TRY(gw_cat_tenants(e->cat, v, &count, err));
    QC_LOCK(&e->lock);
    qc_free(e->tenants);
    e->tenants = QC_STEAL(v);
    e->tenant_count = count;
    atomic_store(&e->tenants_stale, false);
    return QC_OK;
}

/* All bits set that an index has, where the two are the same; else none. Without a branch, unlike qc_ct_eq,
 * whose outcome is told. */
static unsigned same_mask(const uint8_t *a, const uint8_t *b)
{
    unsigned differ = 0;

    for (size_t i = 0; i < GW_DIGEST_BYTES; i++)
        differ |= (unsigned)(a[i] ^ b[i]);
    return (differ - 1U) >> 8;
}

unsigned gw_tenant_match(const struct gw_tenant *v, unsigned count, const uint8_t verifier[GW_DIGEST_BYTES])
{
    unsigned found = count;

    for (unsigned i = 0; i < count; i++) { /* to the end, whoever it is */
        const unsigned hit = same_mask(verifier, v[i].verifier);
        found = (found & ~hit) | (i & hit);
    }
    return found;
}

qc_rc gw_tenant_of_token(struct gw_engine *e, const uint8_t token_hash[QC_SHA256_BYTES],
                         struct gw_tenant *ret, struct qc_err *err)
{
    uint8_t verifier[GW_DIGEST_BYTES];

    QC_TRY(verifier_of(e, token_hash, verifier, err));
    QC_TRY(refresh(e, err));
    QC_LOCK(&e->lock);
    const unsigned found = gw_tenant_match(e->tenants, e->tenant_count, verifier);
    if (found == e->tenant_count)
        return QC_FAIL(err, QC_AUTH, "this token is nobody's here");
    *ret = e->tenants[found];
    return QC_OK;
}

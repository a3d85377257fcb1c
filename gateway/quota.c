/* What a tenant may have. The catalogue counts (cat_schema.c); here it is compared, in the transaction that
 * would use it up, so that a retry or a crash is counted once or not at all. A put that is refused has left
 * nothing; reads and removals are never refused. */
#include "engine_internal.h"

static qc_rc look_up(struct gw_engine *e, uint32_t tenant, struct gw_usage *ret,
                     struct gw_tenant_limits *limits, struct qc_err *err)
{
    struct gw_tenant t;

    QC_TRY(gw_cat_usage(e->cat, tenant, ret, err));
    *limits = (struct gw_tenant_limits){ GW_NO_LIMIT, GW_NO_LIMIT, UINT32_MAX, UINT32_MAX };
    if (tenant == GW_OWNER)
        return QC_OK;
    QC_TRY(gw_cat_tenant(e->cat, tenant, &t, err));
    *limits = t.limits;
    return QC_OK;
}

/* total: with what was asked for. */
static qc_rc no_room(uint64_t total, const struct gw_tenant_limits *l, struct qc_err *err)
{
    return QC_FAIL(err, QC_QUOTA,
                   "%" PRIu64 " bytes would be used, at most %" PRIu64
                   ": ask the gateway's operator for more",
                   total, l->bytes);
}

static qc_rc no_versions(const struct gw_usage *u, const struct gw_tenant_limits *l, struct qc_err *err)
{
    return QC_FAIL(err, QC_QUOTA,
                   "%" PRIu64 " versions are stored, at most %" PRIu64
                   " (every version is kept): ask the gateway's operator for more",
                   u->objects, l->objects);
}

qc_rc gw_quota_begin(struct gw_engine *e, uint32_t tenant, struct qc_err *err)
{
    struct gw_tenant_limits l;
    struct gw_usage u;

    QC_TRY(look_up(e, tenant, &u, &l, err));
    if (u.uploads >= l.uploads)
        return QC_FAIL(err, QC_QUOTA,
                       "%" PRIu64 " uploads are open, at most %" PRIu32
                       ": wait for those that run, or settle those that were broken off",
                       u.uploads, l.uploads);
    if (u.objects >= l.objects)
        return no_versions(&u, &l, err);
    return u.bytes >= l.bytes ? no_room(u.bytes + 1, &l, err) : QC_OK;
}

qc_rc gw_quota_versions(struct gw_engine *e, uint32_t tenant, uint64_t besides, uint64_t *ret_room,
                        struct qc_err *err)
{
    struct gw_tenant_limits l;
    struct gw_usage u;

    QC_TRY(look_up(e, tenant, &u, &l, err));
    const uint64_t objects = u.objects > besides ? u.objects - besides : 0;
    if (objects >= l.objects)
        return no_versions(&u, &l, err);
    *ret_room = l.objects - objects;
    return QC_OK;
}

qc_rc gw_quota_segment(struct gw_engine *e, uint32_t tenant, uint64_t size, uint64_t before,
                       struct qc_err *err)
{
    struct gw_tenant_limits l;
    struct gw_usage u;

    QC_TRY(look_up(e, tenant, &u, &l, err));
    const uint64_t kept = u.bytes > before ? u.bytes - before : 0;
    if (kept > l.bytes || size > l.bytes - kept)
        return no_room(kept + size, &l, err);
    /* Bytes that were given up lie on clouds until they are swept: as many as the quota again, not more. */
    if (l.bytes != GW_NO_LIMIT && u.dead > l.bytes)
        return QC_FAIL(err, QC_TEMP, "%" PRIu64 " bytes of broken off puts are not swept from all clouds yet",
                       u.dead);
    return QC_OK;
}

qc_rc gw_quota_more(struct gw_engine *e, uint32_t tenant, uint64_t more, struct qc_err *err)
{
    struct gw_tenant_limits l;
    struct gw_usage u;

    QC_TRY(look_up(e, tenant, &u, &l, err));
    return u.bytes > l.bytes || more > l.bytes - u.bytes ? no_room(u.bytes + more, &l, err) : QC_OK;
}

qc_rc gw_quota_moves(struct gw_engine *e, uint32_t tenant, uint64_t more, struct qc_err *err)
{
    struct gw_tenant_limits l;
    struct gw_usage u;

    QC_TRY(look_up(e, tenant, &u, &l, err));
    if (l.objects != GW_NO_LIMIT && u.moves + more > l.objects)
        return QC_FAIL(
            err, QC_QUOTA,
            "names would have been moved %" PRIu64 " times, at most %" PRIu64
            " (as often as versions may be stored: the log keeps each): ask the gateway's operator "
            "for more",
            u.moves + more, l.objects);
    return QC_OK;
}

qc_rc gw_quota_dead(struct gw_engine *e, uint32_t tenant, uint64_t size, bool *ret, struct qc_err *err)
{
    struct gw_tenant_limits l;
    struct gw_usage u;

    QC_TRY(look_up(e, tenant, &u, &l, err));
    *ret = l.bytes == GW_NO_LIMIT || (size <= l.bytes && u.dead <= l.bytes - size);
    return QC_OK;
}

qc_rc gw_quota_holds(struct gw_engine *e, uint32_t tenant, struct qc_err *err)
{
    struct gw_tenant_limits l;
    struct gw_usage u;

    QC_TRY(look_up(e, tenant, &u, &l, err));
    return u.bytes > l.bytes ? no_room(u.bytes, &l, err) : QC_OK;
}

qc_rc gw_quota_given_up(struct gw_engine *e, uint32_t tenant, struct qc_err *err)
{
    struct gw_usage u;

    QC_TRY(gw_cat_usage(e->cat, tenant, &u, err));
    return u.given_up > QC_GW_TENANT_GIVEN_UP && tenant != GW_OWNER
               ? gw_cat_request_forget(e->cat, tenant, err)
               : QC_OK;
}

/* Tenants and their usage in the catalogue. */
#include "cat_internal.h"

static qc_rc col_tenant(struct gw_rows *rows, struct gw_tenant *ret, struct qc_err *err)
{
    struct gw_tenant t = { 0 };
    uint64_t state;

    if (!rows->row)
        return QC_FAIL(err, QC_NOTFOUND, "no such tenant");
    QC_TRY(gw_col_u32(rows->s, 0, &t.id, err));
    QC_TRY(qc_col_u64(rows->s, 1, &t.revision, err));
    const qc_span name = qc_col_span(rows->s, 2);
    if (!gw_tenant_name_ok(name))
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: the name of tenant %" PRIu32, t.id);
    memcpy(t.name, name.p, name.n);
    QC_TRY(qc_col_u64(rows->s, 3, &state, err));
    QC_TRY(qc_col_fixed(rows->s, 4, t.verifier, sizeof t.verifier, err));
    QC_TRY(qc_col_u64(rows->s, 5, &t.limits.bytes, err));
    QC_TRY(qc_col_u64(rows->s, 6, &t.limits.objects, err));
    QC_TRY(gw_col_u32(rows->s, 7, &t.limits.uploads, err));
    QC_TRY(gw_col_u32(rows->s, 8, &t.limits.requests, err));
    t.enabled = state == GW_TENANT_ENABLED;
    *ret = t;
    return QC_OK;
}

qc_rc gw_cat_tenant_put(struct gw_cat *c, const struct gw_tenant *t, struct qc_err *err)
{
    QC_TRY(GW_RUN(c, TENANT_PUT, err, QC_VI(t->id), QC_VI(t->revision), QC_VT(qc_span_str(t->name)),
                  QC_VI(t->enabled ? GW_TENANT_ENABLED : GW_TENANT_DISABLED),
                  QC_VB(qc_span_of(t->verifier, sizeof t->verifier)), QC_VI(t->limits.bytes),
                  QC_VI(t->limits.objects), QC_VI(t->limits.uploads), QC_VI(t->limits.requests)));
    return GW_RUN(c, USAGE_NEW, err, QC_VI(t->id));
}

qc_rc gw_cat_tenant(struct gw_cat *c, uint32_t id, struct gw_tenant *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, TENANT_GET, &rows, err, QC_VI(id)));
    return col_tenant(&rows, ret, err);
}

qc_rc gw_cat_tenant_named(struct gw_cat *c, const char *name, struct gw_tenant *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, TENANT_NAMED, &rows, err, QC_VT(qc_span_str(name))));
    return col_tenant(&rows, ret, err);
}

qc_rc gw_cat_tenants(struct gw_cat *c, struct gw_tenant *v, unsigned *ret_count, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    unsigned count = 0;

    QC_TRY(GW_QUERY0(c, TENANTS, &rows, err));
    while (rows.row) {
        if (count == QC_GW_TENANTS_MAX)
            return QC_FAIL(err, QC_INTEGRITY, "catalogue: more than %d tenants", QC_GW_TENANTS_MAX);
        QC_TRY(col_tenant(&rows, &v[count++], err));
        QC_TRY(gw_rows_next(&rows, err));
    }
    *ret_count = count;
    return QC_OK;
}

qc_rc gw_cat_tenant_last(struct gw_cat *c, uint64_t *ret_count, uint32_t *ret_id, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY0(c, TENANT_LAST, &rows, err));
    QC_TRY(qc_col_u64(rows.s, 0, ret_count, err));
    return gw_col_u32(rows.s, 1, ret_id, err);
}

qc_rc gw_cat_usage(struct gw_cat *c, uint32_t tenant, struct gw_usage *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    struct gw_usage u;
    uint64_t *const fields[] = { &u.bytes,  &u.objects,  &u.names, &u.uploads,
                                 &u.vaults, &u.given_up, &u.dead,  &u.moves };

    QC_TRY(GW_QUERY(c, USAGE_GET, &rows, err, QC_VI(tenant)));
    if (!rows.row)
        return QC_FAIL(err, QC_NOTFOUND, "no such tenant");
    for (int i = 0; i < (int)(sizeof fields / sizeof *fields); i++)
        QC_TRY(qc_col_u64(rows.s, i, fields[i], err));
    *ret = u;
    return QC_OK;
}

qc_rc gw_cat_tenant_margins(struct gw_cat *c, uint32_t tenant, struct gw_margins_at *at,
                            struct gw_safety *add, bool *ret_more, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };
    unsigned count = 0;

    QC_TRY(GW_QUERY(c, TENANT_MARGINS, &rows, err, QC_VI(tenant), QC_VB(gw_id_span(&at->version)),
                    QC_VB(gw_id_span(&at->object)), QC_VI(GW_MARGINS)));
    for (; rows.row; count++) {
        int64_t margin = qc_col_int(rows.s, 2);
        QC_TRY(gw_col_id(rows.s, 0, &at->version, err));
        QC_TRY(gw_col_id(rows.s, 1, &at->object, err));
        margin = margin < -QC_EC_N_MAX ? -QC_EC_N_MAX : margin > QC_EC_N_MAX ? QC_EC_N_MAX : margin;
        add->versions[margin + QC_EC_N_MAX]++;
        if (add->oldest_s == 0 || qc_col_int(rows.s, 3) < add->oldest_s)
            add->oldest_s = qc_col_int(rows.s, 3);
        QC_TRY(gw_rows_next(&rows, err));
    }
    *ret_more = count == GW_MARGINS;
    return QC_OK;
}

qc_rc gw_cat_tenant_debts(struct gw_cat *c, uint32_t tenant, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(gw_rows_end) struct gw_rows rows = { 0 };

    QC_TRY(GW_QUERY(c, TENANT_DEBTS, &rows, err, QC_VI(tenant)));
    return qc_col_u64(rows.s, 0, ret, err);
}

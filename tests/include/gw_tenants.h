/* Tenants for tests of the engine: make one, become one, and count what each has by hand. */
#pragma once
#include "base/crypto.h"
#include "cat_internal.h"
#include "engine_internal.h"
#include "gw_engine_rig.h"

static inline void tenant_hash(const char *token, uint8_t ret[32])
{
    struct qc_err err = { 0 };
    const qc_span part = qc_span_str(token);
    CHECK_OK(qc_sha256(&part, 1, ret, &err));
}

/* A new tenant; limits 0: as they come. */
static inline uint32_t tenant_add(struct erig *r, const char *name, const char *token, uint64_t bytes,
                                  uint64_t objects)
{
    struct qc_err err = { 0 };
    uint8_t hash[32];
    struct gw_tenant t;
    tenant_hash(token, hash);
    const struct gw_tenant_change c = { .name = name,
                                        .add = true,
                                        .token_hash = hash,
                                        .bytes = bytes > 0 ? &bytes : NULL,
                                        .objects = objects > 0 ? &objects : NULL };
    CHECK_OK(gw_tenant_change(r->e, &c, &t, &err));
    return t.id;
}

/* From now on all that the rig does is this tenant's, in a vault of its own. */
static inline void tenant_be(struct erig *r, uint32_t tenant, uint8_t vault)
{
    r->tenant = tenant;
    memset(r->vault.b, vault, sizeof r->vault.b);
}

static inline qc_rc tenant_vault(struct erig *r, struct qc_err *err)
{
    uint8_t record[QC_GW_RECORD_SIZE];
    bool fresh;
    erig_record(r, record);
    return gw_vault_put(r->e, &(struct gw_ref){ r->tenant, r->vault }, qc_span_of(record, sizeof record),
                        QC_LIT("vault backup"), &fresh, err);
}

static inline struct gw_usage tenant_usage(struct erig *r, uint32_t tenant)
{
    struct qc_err err = { 0 };
    struct gw_tenant_limits limits;
    struct gw_usage u;
    CHECK_OK(gw_tenant_usage(r->e, tenant, &u, &limits, &err));
    return u;
}

static inline uint64_t count_sql(struct erig *r, const char *sql, uint32_t tenant)
{
    struct qc_err err = { 0 };
    struct qc_stmt *s = NULL;
    uint64_t v = 0;
    bool row;
    QC_LOCK(gw_cat_lock(r->e->cat));
    CHECK_OK(qc_db_prepare(r->e->cat->db, sql, &s, &err));
    CHECK_OK(QC_BIND(s, &err, QC_VI(tenant)));
    CHECK_OK(qc_stmt_step(s, &row, &err));
    CHECK(row);
    CHECK_OK(qc_col_u64(s, 0, &v, &err));
    qc_stmt_free(&s);
    return v;
}

/* What the triggers counted is what the rows say. */
static inline void tenant_counted(struct erig *r, uint32_t tenant)
{
    const struct gw_usage u = tenant_usage(r, tenant);
    const uint64_t bytes =
        count_sql(r,
                  "SELECT " GW_SQL_SUM("s.size") " FROM segment s JOIN version v USING (version_no)"
                                                 " WHERE v.tenant=?1",
                  tenant) +
        count_sql(r,
                  "SELECT " GW_SQL_SUM(
                      "length(e.path)+length(e.private)") " FROM entry e JOIN vault v"
                                                          " USING (vault_no) WHERE v.tenant=?1",
                  tenant) +
        count_sql(r,
                  "SELECT " GW_SQL_SUM("length(b.sealed)") " FROM backup b JOIN version v USING (version_no)"
                                                           " WHERE v.tenant=?1",
                  tenant);
    if (u.bytes != bytes)
        fprintf(stderr, "tenant %u: %llu bytes, %llu by hand\n", tenant, (unsigned long long)u.bytes,
                (unsigned long long)bytes);
    CHECK(u.bytes == bytes);
    CHECK(u.objects ==
          count_sql(r, "SELECT COUNT(*) FROM version WHERE tenant=?1 AND state<>4 AND bundle=0", tenant));
    CHECK(u.names ==
          count_sql(r, "SELECT COUNT(*) FROM entry JOIN vault USING (vault_no) WHERE tenant=?1 AND kind=1",
                    tenant));
    CHECK(u.uploads == count_sql(r, "SELECT COUNT(*) FROM request WHERE tenant=?1 AND state=1", tenant));
    CHECK(u.given_up == count_sql(r, "SELECT COUNT(*) FROM request WHERE tenant=?1 AND state=2", tenant));
    CHECK(u.vaults == count_sql(r, "SELECT COUNT(*) FROM vault WHERE tenant=?1", tenant));
    CHECK(u.dead ==
          count_sql(r, "SELECT " GW_SQL_SUM("size") " FROM deadkey WHERE tenant=?1 AND round<2", tenant));
}

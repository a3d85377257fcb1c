#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "calls.h"

/* clang-format off */
const struct route routes[] = {
    /* method    pattern                              who           body          call */
    { "GET",    "/metrics",                           WHO_WATCHER,  BODY_NONE,    call_metrics },
    { "GET",    "/healthz",                           WHO_WATCHER,  BODY_NONE,    call_healthz },
    { "GET",    "/readyz",                            WHO_WATCHER,  BODY_NONE,    call_readyz },
    { "GET",    "/dashboard",                         WHO_WATCHER,  BODY_NONE,    call_dashboard },
    { "GET",    "/dashboard/style.css",               WHO_WATCHER,  BODY_NONE,    call_style },
    { "GET",    "/v1/health",                         WHO_ANY,      BODY_NONE,    call_health },
    { "GET",    "/v1/status",                         WHO_ANY,      BODY_NONE,    call_status },
    { "GET",    "/v1/tenants",                        WHO_OPERATOR, BODY_NONE,    call_tenants },
    { "POST",   "/v1/tenants",                        WHO_OPERATOR, BODY_JSON,    call_tenant_add },
    { "POST",   "/v1/tenants/@",                      WHO_OPERATOR, BODY_JSON,    call_tenant_change },
    { "GET",    "/v1/vaults",                         WHO_ANY,      BODY_NONE,    call_vaults },
    { "PUT",    "/v1/vaults/{}",                      WHO_ANY,      BODY_JSON,    call_vault_put },
    { "GET",    "/v1/vaults/{}",                      WHO_ANY,      BODY_NONE,    call_vault_get },
    { "GET",    "/v1/vaults/{}/chain",                WHO_ANY,      BODY_NONE,    call_chain },
    { "POST",   "/v1/vaults/{}/entries/get",          WHO_ANY,      BODY_JSON,    call_entry_get },
    { "POST",   "/v1/vaults/{}/entries/some",         WHO_ANY,      BODY_JSON,    call_entry_some },
    { "POST",   "/v1/vaults/{}/entries/list",         WHO_ANY,      BODY_JSON,    call_entry_list },
    { "POST",   "/v1/vaults/{}/entries/remove",       WHO_ANY,      BODY_JSON,    call_entry_remove },
    { "POST",   "/v1/vaults/{}/entries/rename",       WHO_ANY,      BODY_JSON,    call_entry_rename },
    { "POST",   "/v1/vaults/{}/backups",              WHO_ANY,      BODY_JSON,    call_backups },
    { "POST",   "/v1/vaults/{}/uploads",              WHO_ANY,      BODY_JSON,    call_upload_begin },
    { "PUT",    "/v1/uploads/{}/segments/#",          WHO_ANY,      BODY_SEGMENT, call_segment },
    { "POST",   "/v1/uploads/{}/resume",              WHO_ANY,      BODY_JSON,    call_upload_resume },
    { "POST",   "/v1/uploads/{}/commit",              WHO_ANY,      BODY_JSON,    call_commit },
    { "POST",   "/v1/uploads/{}/members",             WHO_ANY,      BODY_JSON,    call_members },
    { "PUT",    "/v1/uploads/{}/members",             WHO_ANY,      BODY_BYTES,   call_members_bytes },
    { "GET",    "/v1/uploads/{}/clouds",              WHO_ANY,      BODY_NONE,    call_upload_clouds },
    { "GET",    "/v1/uploads/{}",                     WHO_ANY,      BODY_NONE,    call_upload_get },
    { "DELETE", "/v1/uploads/{}",                     WHO_ANY,      BODY_NONE,    call_upload_cancel },
    { "POST",   "/v1/vaults/{}/objects/read",         WHO_ANY,      BODY_JSON,    call_read_some },
    { "POST",   "/v1/vaults/{}/objects/purge",        WHO_ANY,      BODY_JSON,    call_purge },
    { "POST",   "/v1/vaults/{}/objects/retain",       WHO_ANY,      BODY_JSON,    call_retain },
    { "GET",    "/v1/vaults/{}/objects/{}/{}",        WHO_ANY,      BODY_NONE,    call_content },
    { "GET",    "/v1/vaults/{}/objects/{}/{}/backup", WHO_ANY,      BODY_NONE,    call_backup },
    { "GET",    "/v1/vaults/{}/objects/{}/{}/info",   WHO_ANY,      BODY_NONE,    call_info },
    { "GET",    "/v1/requests/*",                     WHO_ANY,      BODY_NONE,    call_request },
    { "GET",    "/v1/sweep",                          WHO_OPERATOR, BODY_NONE,    call_sweep },
    { "POST",   "/v1/selftest",                       WHO_OPERATOR, BODY_JSON,    call_selftest },
    { "POST",   "/v1/repair",                         WHO_OPERATOR, BODY_JSON,    call_repair },
    { "POST",   "/v1/scrub",                          WHO_OPERATOR, BODY_JSON,    call_scrub },
    { "GET",    "/v1/scrub",                          WHO_OPERATOR, BODY_NONE,    call_scrub_get },
    { "POST",   "/v1/scrub/hand",                     WHO_OPERATOR, BODY_JSON,    call_scrub_hand },
    { "POST",   "/v1/snapshot",                       WHO_OPERATOR, BODY_JSON,    call_snapshot },
    { "GET",    "/v1/snapshots",                      WHO_OPERATOR, BODY_NONE,    call_snapshots },
    { "POST",   "/v1/snapshots/check",                WHO_OPERATOR, BODY_JSON,    call_snapshot_check },
    { "GET",    "/v1/clouds",                         WHO_OPERATOR, BODY_NONE,    call_clouds },
    { "GET",    "/v1/clouds/plan",                    WHO_OPERATOR, BODY_NONE,    call_exit_plan },
    { "GET",    "/v1/clouds/plan/code",               WHO_OPERATOR, BODY_NONE,    call_code_plan },
    { "POST",   "/v1/clouds/test",                    WHO_OPERATOR, BODY_JSON,    call_cloud_test },
    { "POST",   "/v1/clouds/job",                     WHO_OPERATOR, BODY_JSON,    call_move },
    { "GET",    "/v1/clouds/job",                     WHO_OPERATOR, BODY_NONE,    call_move_get },
    { "DELETE", "/v1/clouds/job",                     WHO_OPERATOR, BODY_NONE,    call_move_cancel },
    { "POST",   "/v1/drill",                          WHO_OPERATOR, BODY_JSON,    call_drill },
    { "GET",    "/v1/drill",                          WHO_OPERATOR, BODY_NONE,    call_drill_get },
    { "DELETE", "/v1/drill",                          WHO_OPERATOR, BODY_NONE,    call_drill_cancel },
    { "GET",    "/v1/links",                          WHO_OPERATOR, BODY_NONE,    call_links },
    { "POST",   "/v1/links/test",                     WHO_OPERATOR, BODY_JSON,    call_links_test },
    { "GET",    "/v1/log",                            WHO_OPERATOR, BODY_NONE,    call_log },
    { "POST",   "/v1/log",                            WHO_OPERATOR, BODY_JSON,    call_log_level },
    { "GET",    "/v1/debts",                          WHO_OPERATOR, BODY_NONE,    call_debts },
    { "POST",   "/v1/debts/retry",                    WHO_OPERATOR, BODY_JSON,    call_debts_retry },
    { "GET",    "/v1/jobs",                           WHO_OPERATOR, BODY_NONE,    call_jobs },
    { "POST",   "/v1/jobs",                           WHO_OPERATOR, BODY_JSON,    call_job_act },
    { "GET",    "/v1/jobs/#",                         WHO_OPERATOR, BODY_NONE,    call_job_get },
    { "DELETE", "/v1/jobs/#",                         WHO_OPERATOR, BODY_NONE,    call_job_cancel },
};
/* clang-format on */
const size_t routes_count = sizeof routes / sizeof routes[0];
_Static_assert(sizeof routes / sizeof routes[0] < QC_GW_METRIC_ROUTES, "each has its figures");

static bool request_name(qc_span part, char ret[QC_GW_REQUEST_ID_MAX + 1])
{
    if (part.n < 16 || part.n > QC_GW_REQUEST_ID_MAX)
        return false;
    for (size_t i = 0; i < part.n; i++)
        if (strchr("0123456789abcdef", part.p[i]) == NULL || part.p[i] == '\0')
            return false;
    memcpy(ret, part.p, part.n);
    ret[part.n] = '\0';
    return true;
}

static bool tenant_name(qc_span part, char ret[QC_GW_REQUEST_ID_MAX + 1])
{
    _Static_assert(QC_GW_TENANT_NAME_MAX <= QC_GW_REQUEST_ID_MAX, "one place for both");
    if (!gw_tenant_name_ok(part))
        return false;
    memcpy(ret, part.p, part.n);
    ret[part.n] = '\0';
    return true;
}

static bool decimal(qc_span part, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] < '0' || part.p[i] > '9' || !qc_mul_u64(v, 10, &v) ||
            !qc_add_u64(v, (uint64_t)(part.p[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return part.n > 0;
}

/* One component of a path against one of the pattern. */
static bool component(struct request *r, unsigned *ids, qc_span want, qc_span part)
{
    struct qc_err unused = { 0 };
    if (qc_span_eq(want, QC_LIT("{}")))
        return *ids < HTTP_IDS && qc_hex_dec(part, r->id[(*ids)++].b, GW_ID_BYTES, &unused) == QC_OK;
    if (qc_span_eq(want, QC_LIT("#")))
        return decimal(part, &r->number);
    if (qc_span_eq(want, QC_LIT("*")))
        return request_name(part, r->name);
    if (qc_span_eq(want, QC_LIT("@")))
        return tenant_name(part, r->name);
    return qc_span_eq(want, part);
}

static bool matches(struct request *r, const char *pattern, const char *url)
{
    unsigned ids = 0;
    while (*pattern == '/' && *url == '/') {
        size_t want = strcspn(++pattern, "/");
        size_t part = strcspn(++url, "/");
        if (!component(r, &ids, qc_span_of(pattern, want), qc_span_of(url, part)))
            return false;
        pattern += want;
        url += part;
    }
    return *pattern == '\0' && *url == '\0';
}

/* One more of a path's methods, for Allow. */
static void add_method(struct request *r, const char *method)
{
    const size_t n = strlen(r->header_text);
    const int m = snprintf(r->header_text + n, sizeof r->header_text - n, "%s%s", n == 0 ? "" : ", ", method);
    QC_ASSERT(m > 0 && (size_t)m < sizeof r->header_text - n); /* methods of our own table */
}

qc_rc route_find(struct request *r, const char *method, const char *url, struct qc_err *err)
{
    bool known = false;
    for (size_t i = 0; i < routes_count; i++) {
        if (!matches(r, routes[i].pattern, url))
            continue;
        known = true;
        if (strcmp(method, routes[i].method) != 0) {
            add_method(r, routes[i].method);
            continue;
        }
        r->route = &routes[i];
        const char *name = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "X-Qcloud-Request");
        char from_header[sizeof r->name] = "";
        if (name != NULL && !request_name(qc_span_str(name), from_header))
            return QC_FAIL(err, QC_USAGE, "X-Qcloud-Request: not 16 to 64 digits of lower-case hex");
        if (strpbrk(r->route->pattern, "*@") == NULL) /* else the path says which one is meant */
            memcpy(r->name, from_header, sizeof r->name);
        return QC_OK;
    }
    if (known) {
        r->refused = MHD_HTTP_METHOD_NOT_ALLOWED;
        r->header = MHD_HTTP_HEADER_ALLOW;
        return QC_FAIL(err, QC_USAGE, "this path has no such method: %s only", r->header_text);
    }
    return QC_FAIL(err, QC_NOTFOUND, "no such path in the API");
}

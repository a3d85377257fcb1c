/* What calls about many at once have in common. */
#include "http.h"
#include "json.h"

qc_rc request_some(const struct json_t *in, const char *name, struct json_t **ret, size_t *ret_count,
                   struct qc_err *err)
{
    QC_TRY(qc_json_arr(in, name, ret, err));
    *ret_count = qc_json_len(*ret);
    if (*ret_count < 1 || *ret_count > QC_GW_BATCH_CHANGES_MAX)
        return QC_FAIL(err, QC_USAGE, "%s: %zu, expected 1..%d", name, *ret_count, QC_GW_BATCH_CHANGES_MAX);
    return QC_OK;
}

qc_rc request_version(const struct request *r, const struct json_t *o, struct gw_version_ids *ret,
                      struct qc_err *err)
{
    static const char *const names[] = { "object", "version" };
    struct gw_version_ids ids = { .tenant = r->tenant, .vault = r->id[0] };
    if (!qc_json_is_object(o))
        return QC_FAIL(err, QC_FORMAT, "no object");
    QC_TRY(qc_json_only(o, names, 2, err));
    QC_TRY(json_id(o, "object", &ids.object, err));
    QC_TRY(json_id(o, "version", &ids.version, err));
    *ret = ids;
    return QC_OK;
}

qc_rc request_vault(struct request *r, struct qc_err *err)
{
    QC_CLEANUP(gw_vault_done) struct gw_vault v = { 0 };
    const struct gw_ref vault = request_ref(r);
    return gw_vault_get(request_engine(r), &vault, &v, err);
}

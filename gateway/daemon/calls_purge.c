/* Versions that go for good. */
#include "base/alloc.h"
#include "calls.h"
#include "json.h"

static qc_rc one_of(const struct request *r, const struct json_t *o, struct gw_purge *ret, struct qc_err *err)
{
    static const char *const names[] = { "object", "version" };
    struct gw_version_ids ids = { .tenant = r->tenant, .vault = r->id[0] };
    if (!qc_json_is_object(o))
        return QC_FAIL(err, QC_FORMAT, "no object");
    QC_TRY(qc_json_only(o, names, 2, err));
    QC_TRY(json_id(o, "object", &ids.object, err));
    QC_TRY(json_id(o, "version", &ids.version, err));
    ret->ids = ids;
    return QC_OK;
}

static qc_rc add_outcome(struct request *r, const struct gw_purge *one, struct json_t *outcomes,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    if (one->rc != QC_OK)
        QC_TRY(request_error_json(r, &one->err, &o, err));
    else {
        QC_TRY(qc_json_new_obj(&o, err));
        QC_TRY(qc_json_set_bool(o, "purged", true, err));
    }
    return qc_json_append(outcomes, &o, err);
}

/* What is not found behind this is a version. */
static qc_rc vault_is_there(struct request *r, struct qc_err *err)
{
    QC_CLEANUP(gw_vault_done) struct gw_vault v = { 0 };
    const struct gw_ref vault = request_ref(r);
    return gw_vault_get(request_engine(r), &vault, &v, err);
}

qc_rc call_purge(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "objects" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *outcomes = NULL;
    QC_CLEANUP(qc_free_ptr) struct gw_purge *v = NULL;
    struct json_t *list = NULL;
    QC_TRY(request_json(r, names, 1, &in, err));
    QC_TRY(qc_json_arr(in, "objects", &list, err));
    const size_t count = qc_json_len(list);
    if (count < 1 || count > QC_GW_BATCH_CHANGES_MAX)
        return QC_FAIL(err, QC_USAGE, "objects: %zu, expected 1..%d", count, QC_GW_BATCH_CHANGES_MAX);
    v = qc_alloc(count * sizeof *v);
    if (v == NULL)
        return QC_FAIL(err, QC_NOMEM, "versions to purge");
    for (size_t i = 0; i < count; i++)
        QC_TRY_AS(one_of(r, qc_json_at(list, i), &v[i], err), err, "object %zu", i);
    QC_TRY(vault_is_there(r, err));
    QC_TRY(gw_versions_purge(request_engine(r), v, (unsigned)count, err));
    QC_TRY(qc_json_new_arr(&outcomes, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(add_outcome(r, &v[i], outcomes, err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    return qc_json_set(ret->json, "outcomes", &outcomes, err);
}

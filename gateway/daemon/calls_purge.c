/* Versions that go for good, or are kept until a date. */
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

static qc_rc add_outcome(struct request *r, const struct gw_purge *one, bool purged, struct json_t *outcomes,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    if (one->rc != QC_OK) {
        QC_TRY(request_error_json(r, &one->err, &o, err));
        return qc_json_append(outcomes, &o, err);
    }
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(purged ? qc_json_set_bool(o, "purged", true, err)
                  : qc_json_set_int(o, "until", (int64_t)one->until, err));
    return qc_json_append(outcomes, &o, err);
}

/* What is not found behind this is a version. */
static qc_rc vault_is_there(struct request *r, struct qc_err *err)
{
    QC_CLEANUP(gw_vault_done) struct gw_vault v = { 0 };
    const struct gw_ref vault = request_ref(r);
    return gw_vault_get(request_engine(r), &vault, &v, err);
}

/* until 0: they go. */
static qc_rc each(struct request *r, const struct json_t *in, uint64_t until, struct answer *ret,
                  struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *outcomes = NULL;
    QC_CLEANUP(qc_free_ptr) struct gw_purge *v = NULL;
    struct json_t *list = NULL;
    QC_TRY(qc_json_arr(in, "objects", &list, err));
    const size_t count = qc_json_len(list);
    if (count < 1 || count > QC_GW_BATCH_CHANGES_MAX)
        return QC_FAIL(err, QC_USAGE, "objects: %zu, expected 1..%d", count, QC_GW_BATCH_CHANGES_MAX);
    v = qc_alloc(count * sizeof *v);
    if (v == NULL)
        return QC_FAIL(err, QC_NOMEM, "versions");
    for (size_t i = 0; i < count; i++)
        QC_TRY_AS(one_of(r, qc_json_at(list, i), &v[i], err), err, "object %zu", i);
    QC_TRY(vault_is_there(r, err));
    QC_TRY(until == 0 ? gw_versions_purge(request_engine(r), v, (unsigned)count, err)
                      : gw_versions_retain(request_engine(r), v, (unsigned)count, until, err));
    QC_TRY(qc_json_new_arr(&outcomes, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(add_outcome(r, &v[i], until == 0, outcomes, err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    return qc_json_set(ret->json, "outcomes", &outcomes, err);
}

qc_rc call_purge(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "objects" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    QC_TRY(request_json(r, names, 1, &in, err));
    return each(r, in, 0, ret, err);
}

qc_rc call_retain(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "objects", "until" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    int64_t until = 0;
    QC_TRY(request_json(r, names, 2, &in, err));
    QC_TRY(qc_json_int(in, "until", 1, GW_RETAIN_MAX, &until, err));
    return each(r, in, (uint64_t)until, ret, err);
}

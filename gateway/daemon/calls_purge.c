/* Versions that go for good, or are kept until a date. */
#include "base/alloc.h"
#include "calls.h"
#include "json.h"

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

/* until 0: they go. */
static qc_rc each(struct request *r, const struct json_t *in, uint64_t until, struct answer *ret,
                  struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *outcomes = NULL;
    QC_CLEANUP(qc_free_ptr) struct gw_purge *v = NULL;
    struct json_t *list = NULL;
    size_t count = 0;
    QC_TRY(request_some(in, "objects", &list, &count, err));
    v = qc_alloc(count * sizeof *v);
    if (v == NULL)
        return QC_FAIL(err, QC_NOMEM, "versions");
    for (size_t i = 0; i < count; i++)
        QC_TRY_AS(request_version(r, qc_json_at(list, i), &v[i].ids, err), err, "object %zu", i);
    QC_TRY(request_vault(r, err));
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
